import { ApiFailure, urlOf } from './api.ts';
import type { CustomerSettings } from './choices.ts';
import { common } from './words.ts';
import { customerWords } from '../customers/words.ts';
import { failureWords, problemWords } from './problems.ts';
import { useFormat, useWords } from './view.tsx';

/** What a list can be narrowed down by. */
export interface Filter {
  name: string;
  label: string;
  /** What there is to choose from; without them it is typed. */
  options?: readonly { value: string; label: string }[];
}

export type Query = Readonly<Record<string, string | undefined>>;

/** The parameters of a list as its address has them; empty ones are none. */
export const queryOf = (query: unknown): Query =>
  Object.fromEntries(
    Object.entries(query ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== '',
    ),
  );

/** A list, or the refusal of what was searched for. */
export async function searched<T>(
  search: () => Promise<T[]>,
): Promise<{ rows: T[]; refusal: ApiFailure | null }> {
  try {
    return { rows: await search(), refusal: null };
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 'invalid_parameters') throw error;
    return { rows: [], refusal: error };
  }
}

/** The form above a list: its values stand in the address, so a search can be kept and sent to others. */
export function Filters({
  action,
  filters,
  query,
  refusal = null,
  kept = {},
}: {
  action: string;
  filters: readonly Filter[];
  query: Query;
  refusal?: ApiFailure | null;
  /** What the list is narrowed down by besides: a link led here with it. */
  kept?: Query;
}) {
  const t = useWords(common);
  const format = useFormat();
  const hidden = Object.entries(kept).filter(([, value]) => value !== undefined);
  const used = hidden.length > 0 || filters.some(({ name }) => query[name] !== undefined);
  return (
    <form method="get" action={action} class="filters" role="search">
      {hidden.map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {filters.map(({ name, label, options }) => (
        <div key={name}>
          <label class="form-label" for={`filter-${name}`}>
            {label}
          </label>
          {options ? (
            <select class="form-select" id={`filter-${name}`} name={name}>
              <option value="">{t.all}</option>
              {options.map((option) => (
                <option key={option.value} value={option.value} selected={option.value === query[name]}>
                  {option.label}
                </option>
              ))}
            </select>
          ) : (
            <input class="form-control" id={`filter-${name}`} name={name} value={query[name] ?? ''} />
          )}
        </div>
      ))}
      <div class="buttons">
        <button class="btn">{t.filter}</button>
        {used && (
          <a class="btn btn-link" href={action}>
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

/** Region and type of customer; archived ones too, for what was sent once is still to be found. */
export function useMailingFilters({ regions, customerTypes }: CustomerSettings): Filter[] {
  const t = useWords(customerWords).fields;
  return [
    { name: 'regionId', label: t.regionId, list: regions },
    { name: 'customerTypeId', label: t.customerTypeId, list: customerTypes },
  ].map(({ list, ...filter }) => ({
    ...filter,
    options: list.map(({ id, name }) => ({ value: String(id), label: name })),
  }));
}

/** The addresses of the pages after this one and of the first. */
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
