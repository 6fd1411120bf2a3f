import { formatPhone } from '../../domain/phone.ts';
import { type ApiFailure, urlOf } from './api.ts';
import type { CustomerSettings } from './choices.ts';
import { Options } from './fields.tsx';
import { common } from './words.ts';
import { customerWords } from '../customers/words.ts';
import { allProblemWords } from './problems.ts';
import { useFormat, useWords } from './view.tsx';

/** The filters of a list. */
export interface Filter {
  name: string;
  label: string;
  /** The options; without them it is a text field. */
  options?: readonly { value: string; label: string }[];
  type?: 'date';
  /** A choice that always has a value. */
  required?: boolean;
  /** Only with this value of another one: see forms.js. */
  when?: string;
  /** On a phone it is behind "more filters", unless it is set: otherwise filters hide the first rows. */
  rare?: boolean;
}

export type Query = Readonly<Record<string, string | undefined>>;

/** The parameters of an address: empty ones are omitted, and repeated ones are joined by commas. */
export const queryOf = (query: unknown): Query =>
  Object.fromEntries(
    Object.entries(query ?? {})
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== ''),
  );

/** The parameter of a list that says where its page begins. */
const isPage = (name: string): boolean => name === 'before' || name === 'after';

/**
 * The form above a list: its values are in the address, so a search can be bookmarked and shared. Parameters of the
 * link that led here stay, though they are no filters of the form.
 */
export function Filters({
  action,
  filters,
  query,
  refusal = null,
  fixed = {},
  button,
}: {
  action: string;
  filters: readonly Filter[];
  query: Query;
  refusal?: ApiFailure | null;
  /** The part of the list that is shown: no filter, and stays when the filters are cleared. */
  fixed?: Query;
  /** Replaces "filter". */
  button?: string;
}) {
  const t = useWords(common);
  const format = useFormat();
  const usual = filters.filter((one) => one.rare !== true);
  const rare = filters.filter((one) => one.rare === true);
  const given = Object.entries(query).filter(([name, value]) => value !== undefined && !isPage(name));
  const hidden = given.filter(([used]) => filters.every(({ name }) => name !== used));
  const narrowing = given.filter(([used]) =>
    filters.every(({ name, required, when }) => name !== used || (required !== true && when === undefined)),
  );
  return (
    <form method="get" action={action} class="filters" role="search">
      {[...hidden, ...Object.entries(fixed)].map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {usual.map((filter) => (
        <FilterField key={filter.name} filter={filter} value={query[filter.name]} />
      ))}
      {rare.length > 0 && (
        <details class="more-filters" open={rare.some(({ name }) => query[name] !== undefined)}>
          <summary>{t.moreFilters}</summary>
          <div class="more-filters-fields">
            {rare.map((filter) => (
              <FilterField key={filter.name} filter={filter} value={query[filter.name]} />
            ))}
          </div>
        </details>
      )}
      <div class="buttons">
        <button class="btn">{button ?? t.filter}</button>
        {narrowing.length > 0 && (
          <a class="btn btn-link" href={urlOf(action, fixed)}>
            {t.clearFilter}
          </a>
        )}
      </div>
      {refusal && (
        <p class="text-danger w-100" role="alert">
          {allProblemWords(format, refusal)}
        </p>
      )}
    </form>
  );
}

function FilterField({
  filter: { name, label, options, type, required = false, when },
  value,
}: {
  filter: Filter;
  value: string | undefined;
}) {
  const t = useWords(common);
  return (
    <div data-when={when}>
      <label class="form-label" for={`filter-${name}`}>
        {label}
      </label>
      {options ? (
        <select class="form-select" id={`filter-${name}`} name={name}>
          {!required && <option value="">{t.any}</option>}
          <Options options={options} chosen={value} />
        </select>
      ) : (
        <TextFilter name={name} type={type} value={shownIn(name, value)} />
      )}
    </div>
  );
}

function TextFilter({ name, type, value }: { name: string; type: 'date' | undefined; value: string }) {
  const attributes = { class: 'form-control', id: `filter-${name}`, name, value };
  return type === 'date' ? <input type="date" {...attributes} /> : <input {...attributes} />;
}

/** A phone in an address is in E.164; a user's own words are shown as they are. */
const shownIn = (name: string, value = ''): string => (name === 'phone' ? formatPhone(value) : value);

/** Region and customer type; including archived ones, because earlier messages must still be found. */
export function useMailingFilters({ regions, customerTypes }: CustomerSettings): Filter[] {
  const t = useWords(customerWords).fields;
  return [
    { name: 'regionId', label: t.regionId, list: regions },
    { name: 'customerTypeId', label: t.customerTypeId, list: customerTypes },
  ].map(({ list, ...filter }) => ({
    ...filter,
    options: list.map(({ id, name }) => ({ value: String(id), label: name })),
    rare: true,
  }));
}
