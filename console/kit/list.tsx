import type { ComponentChildren } from 'preact';
import { ApiFailure, urlOf } from './api.ts';
import { type Filter, Filters, type Query } from './filters.tsx';
import type { IconName } from './icons.tsx';
import { type Column, Empty, Pager, Table } from './parts.tsx';
import { useWords } from './view.tsx';
import { common } from './words.ts';

/** What a list's page was asked for, and the API's answer, or its error for the filters. */
export interface Found<A> {
  query: Query;
  answer: A | null;
  refusal: ApiFailure | null;
}

export async function searched<A>(query: Query, search: Promise<A>): Promise<Found<A>> {
  try {
    return { query, answer: await search, refusal: null };
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 'invalid_parameters') throw error;
    return { query, answer: null, refusal: error };
  }
}

interface ListProps<T> {
  path: string;
  query: Query;
  refusal?: ApiFailure | null;
  /** For screen readers. */
  caption: string;
  filters?: readonly Filter[];
  /** The part of the list that is shown: no filter, and stays when the filters are cleared. */
  fixed?: Query;
  rows: readonly T[];
  columns: readonly Column<T>[];
  pageSize: number;
  /** The parameter with the last id of the previous page. */
  pageBy?: 'before' | 'after';
  /** Where the next page begins, if not after the last row: a search that takes long may stop before a page is full. */
  next?: string | number | null | undefined;
  icon: IconName;
  empty: { title: string; text: string; action?: { href: string; label: string } | undefined };
  /** Replaces "nothing found", for a search without a result. */
  nothing?: { title: string; text: string };
  /** Between the filters and the rows. */
  children?: ComponentChildren;
}

/** The content of a page of entries: filters, a table, and the way to the next page. */
export function List<T extends { id: number }>({
  path,
  query,
  refusal = null,
  caption,
  filters = [],
  fixed = {},
  rows,
  columns,
  pageSize,
  pageBy = 'before',
  next,
  icon,
  empty,
  nothing,
  children,
}: ListProps<T>) {
  const words = useWords(common);
  const searching = Object.keys(query).length > 0;
  const shown = searching ? (nothing ?? { title: empty.title, text: words.nothingFound }) : empty;
  return (
    <>
      {filters.length > 0 && (
        <Filters action={path} query={query} filters={filters} refusal={refusal} fixed={fixed} />
      )}
      {children}
      <Table caption={caption} rows={rows} columns={columns} empty={<Empty icon={icon} {...shown} />} />
      {next !== undefined && next !== null && rows.length < pageSize && (
        <p class="text-secondary mt-3">{words.partly}</p>
      )}
      <Pager {...pagesOf(path, { ...query, ...fixed }, { rows, size: pageSize, key: pageBy, next })} />
    </>
  );
}

/** The addresses of the next page and of the first. `next`: where the next one begins, if not after the last row. */
export function pagesOf(
  path: string,
  query: Query,
  {
    rows,
    size,
    key = 'before',
    next = rows.length === size ? (rows.at(-1)?.id ?? null) : null,
  }: {
    rows: readonly { id: number }[];
    size: number;
    key?: 'before' | 'after';
    next?: string | number | null | undefined;
  },
): { next: string | null; first: string | null } {
  return {
    next: next === null ? null : urlOf(path, { ...query, [key]: next }),
    first: query[key] === undefined ? null : urlOf(path, { ...query, [key]: undefined }),
  };
}
