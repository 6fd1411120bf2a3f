import { formatPhone } from '../../domain/phone.ts';
import { ApiFailure, urlOf } from './api.ts';
import type { CustomerSettings } from './choices.ts';
import { common } from './words.ts';
import { customerWords } from '../customers/words.ts';
import { failureWords, problemWords } from './problems.ts';
import { useFormat, useWords } from './view.tsx';

/** The filters of a list. */
export interface Filter {
  name: string;
  label: string;
  /** The options; without them it is a text field. */
  options?: readonly { value: string; label: string }[];
  type?: 'date';
  /** On a phone it is behind "more filters", unless it is set: otherwise filters hide the first rows. */
  rare?: boolean;
}

export type Query = Readonly<Record<string, string | undefined>>;

/** The parameters of a list in its address; empty ones are omitted. */
export const queryOf = (query: unknown): Query =>
  Object.fromEntries(
    Object.entries(query ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== '',
    ),
  );

/** A list, or the API's error for its filters. */
export interface Found<T> {
  rows: T[];
  refusal: ApiFailure | null;
}

export async function searched<T>(search: () => Promise<T[]>): Promise<Found<T>> {
  try {
    return { rows: await search(), refusal: null };
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 'invalid_parameters') throw error;
    return { rows: [], refusal: error };
  }
}

/** The form above a list: its values are in the address, so a search can be bookmarked and shared. */
export function Filters({
  action,
  filters,
  query,
  refusal = null,
  kept = {},
  fixed = {},
}: {
  action: string;
  filters: readonly Filter[];
  query: Query;
  refusal?: ApiFailure | null;
  /** Further filters from the link that led here. */
  kept?: Query;
  /** The part of the list that is shown: no filter, and stays when the filters are cleared. */
  fixed?: Query;
}) {
  const t = useWords(common);
  const format = useFormat();
  const usual = filters.filter((one) => one.rare !== true);
  const rare = filters.filter((one) => one.rare === true);
  const hidden = Object.entries(kept).filter(([, value]) => value !== undefined);
  const used = hidden.length > 0 || filters.some(({ name }) => query[name] !== undefined);
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
        <button class="btn">{t.filter}</button>
        {used && (
          <a class="btn btn-link" href={urlOf(action, fixed)}>
            {t.clearFilter}
          </a>
        )}
      </div>
      {refusal && (
        <p class="text-danger w-100" role="alert">
          {refusal.problems.length === 0
            ? failureWords(format, refusal)
            : refusal.problems.map((problem) => problemWords(format, problem)).join(' ')}
        </p>
      )}
    </form>
  );
}

function FilterField({
  filter: { name, label, options, type },
  value,
}: {
  filter: Filter;
  value: string | undefined;
}) {
  const t = useWords(common);
  return (
    <div>
      <label class="form-label" for={`filter-${name}`}>
        {label}
      </label>
      {options ? (
        <select class="form-select" id={`filter-${name}`} name={name}>
          <option value="">{t.any}</option>
          {options.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
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

/** The addresses of the next page and of the first. */
export function pagesOf(
  path: string,
  query: Query,
  { rows, size, key = 'before' }: { rows: readonly { id: number }[]; size: number; key?: string },
): { next: string | null; first: string | null } {
  const last = rows.at(-1);
  return {
    next: last && rows.length === size ? urlOf(path, { ...query, [key]: last.id }) : null,
    first: query[key] === undefined ? null : urlOf(path, { ...query, [key]: undefined }),
  };
}
