import { z } from 'zod';
import type { Paging } from './paging.ts';
import { foldAttribute } from './webservice.ts';

/** How an answer shows that there are more pages, in the formats in use. Names are compared by `foldAttribute`. */

/** A value beside the records. */
export interface AnswerAttribute {
  /** Dotted, from the root; for a header, `header:x-total-count`. */
  path: string;
  /** The last key of the path, or the name of the header. */
  name: string;
  value: string | number | boolean | null;
}

/** The facts about one page and about others. */
export interface PageFacts {
  /** Attributes beside the records whose names relate to pages, and those that the campaign names. */
  attributes: readonly AnswerAttribute[];
  /** The number of records on this page. */
  records: number;
}

/** An attribute that shows another page; null for a cursor's value, which may contain anything. */
export const shownMore = z.object({
  path: z.string(),
  value: z.union([z.number(), z.boolean(), z.null()]),
});
export type ShownMore = z.infer<typeof shownMore>;

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
const hasNextNames = names(
  ...[
    'hasnext',
    'hasnextpage',
    'hasmore',
    'hasmorepages',
    'hasmoreresults',
    'hasmoreitems',
    'hasmorerecords',
  ],
  ...['more', 'moreresults', 'morerecords', 'moreitemsincollection', 'istruncated', 'next', 'nextpage'],
  ...['temmais', 'temproxima', 'temproximapagina', 'possuimais', 'possuiproxima', 'existemais'],
  ...['existeproximapagina', 'proxima', 'proximapagina'],
);
const isLastNames = names(...['last', 'islast', 'islastpage', 'lastpage', 'done', 'ultima', 'ultimapagina']);
/** By the parameter that usually sends the cursor back; null: the page number's parameter. */
const cursorParams: ReadonlyMap<string, string | null> = new Map([
  ['nextcursor', 'cursor'],
  ['cursornext', 'cursor'],
  ['nextpagecursor', 'cursor'],
  ['proximocursor', 'cursor'],
  ['nexttoken', 'next_token'],
  ['nextpagetoken', 'pageToken'],
  ['continuationtoken', 'continuationToken'],
  ['nextmarker', 'marker'],
  ['nextkey', 'key'],
  ['nextoffset', 'offset'],
  ['nextskip', 'skip'],
  ['nextstart', 'start'],
  ['nextafter', 'after'],
  ['aftercursor', 'after'],
  ['nextcontinuation', 'continuation'],
  ['continuation', 'continuation'],
  ['nextpage', null],
  ['next', null],
  ['proxima', null],
  ['proximapagina', null],
]);
/** Cursors that also appear on a last page: by themselves they show nothing. */
const quietCursorParams: ReadonlyMap<string, string> = new Map([
  ['endcursor', 'after'],
  ['after', 'after'],
  ['cursor', 'cursor'],
  ['scrollid', 'scroll_id'],
]);
const totalPagesNames = names(
  ...['totalpages', 'pagestotal', 'pagecount', 'numpages', 'numberofpages', 'pages', 'lastpage', 'maxpage'],
  ...['totaldepaginas', 'totalpaginas', 'numerodepaginas', 'numeropaginas', 'qtdpaginas', 'qtdepaginas'],
  ...[
    'quantidadepaginas',
    'quantidadedepaginas',
    'paginas',
    'ultimapagina',
    'totalpagecount',
    'paginastotal',
  ],
);
const pageNames = names(
  ...['page', 'currentpage', 'pagenumber', 'pageindex', 'pageno', 'number'],
  ...['pagina', 'paginaatual', 'numeropagina', 'numerodapagina'],
);
const totalNames = names(
  ...['total', 'totalrecords', 'totalcount', 'totalitems', 'totalelements', 'totalresults', 'totalrows'],
  ...[
    'totalhits',
    'totalsize',
    'recordcount',
    'recordstotal',
    'numfound',
    'count',
    '@odata.count',
    '__count',
  ],
  ...['totalderegistros', 'totalregistros', 'qtdregistros', 'quantidaderegistros', 'quantidadederegistros'],
  ...['qtdtotal', 'quantidadetotal', 'totalclientes', 'totalcontatos', 'totaldeclientes', 'totaldecontatos'],
  // Elasticsearch's `total.value`, and the header Content-Range.
  ...['totalvalue', 'contentrange'],
);
const offsetNames = names(
  'offset',
  'skip',
  '$skip',
  'start',
  'startat',
  'startindex',
  'inicio',
  'deslocamento',
);
/** Laravel's `from` counts from 1: as an attribute it is not an offset. */
const offsetParams = names(...offsetNames, 'from');
/** Parameters of the page size: with the usual name of the offset, for paging by offset; else by page number. */
const limitParams: ReadonlyMap<string, string> = new Map([
  ['limit', 'offset'],
  ['limite', 'offset'],
  ['take', 'skip'],
  ['top', 'skip'],
  ['maxresults', 'startAt'],
  ['rows', 'start'],
]);
const pageSizeNames = names(
  ...['perpage', 'pagesize', 'size', 'porpagina', 'tamanhopagina', 'itensporpagina', 'registrosporpagina'],
  ...['pagelimit', 'resultsperpage', 'itemsperpage', 'qtdporpagina', 'quantidadeporpagina', 'maxrecords'],
);

/** Parameters that take the key of the last record received. */
const lastRecordParams = names(
  ...[
    'startingafter',
    'startafter',
    'afterid',
    'sinceid',
    'lastid',
    'minid',
    'idmaior',
    'ultimoid',
    'aposid',
  ],
);
/** Stripe's lists identify themselves, and page by `starting_after`. */
const isList = (one: AnswerAttribute): boolean => nameOf(one) === 'object' && one.value === 'list';

const allNames: ReadonlySet<string> = new Set(
  [
    ...[hasNextNames, isLastNames, totalPagesNames, pageNames, totalNames, offsetNames, pageSizeNames],
    ...[cursorParams, quietCursorParams, limitParams, names('object')],
  ].flatMap((some) => [...some.keys()]),
);
/** Whether an attribute of this name may relate to pages. */
export const isPageName = (name: string): boolean => allNames.has(foldAttribute(name));
/** The attribute name of a header that may relate to pages: `TotalPages` for `X-WP-TotalPages`. Null for others. */
export function pageHeaderName(header: string): string | null {
  if (/^(?:rest-)?content-range$/.test(header)) return 'content-range';
  const name = header.replace(/^x-(?:wp-|pagination-|paging-|ms-)?|^pagination-/, '');
  return (name !== header || /^total-(?:pages|count)$/.test(header)) && isPageName(name) ? name : null;
}

const nameOf = ({ name }: AnswerAttribute): string => foldAttribute(name);

/** Whether a text beside the records is more likely an address than a cursor. */
export const looksLikeAddress = (text: string): boolean => /^https?:|[/?]/i.test(text);

/** A number of pages or records, which some services write as text; null for other values. */
export function countOf(value: AnswerAttribute['value']): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : null;
}

/** Whether a value means yes: everything except false, null, zero and words for no. */
export const isYes = (value: AnswerAttribute['value']): boolean =>
  !(
    value === null ||
    value === false ||
    value === 0 ||
    /^(?:|0|false|n|nao|não|no|null|none)$/i.test(String(value).trim())
  );

/** The cursor of the next page; null: there is none. */
export const cursorOf = (value: AnswerAttribute['value']): string | null =>
  typeof value === 'boolean' || !isYes(value) ? null : String(value);

const isFlag = ({ value }: AnswerAttribute): boolean => /^(?:true|false)$/i.test(String(value));
const flag = ({ value }: AnswerAttribute): boolean => /^true$/i.test(String(value));

/** The attributes of a page, grouped by name and type. */
function sorted(attributes: readonly AnswerAttribute[]) {
  const of = (some: { has(name: string): boolean }, fits: (attribute: AnswerAttribute) => boolean) =>
    attributes.filter((attribute) => some.has(nameOf(attribute)) && fits(attribute));
  const isCount = ({ value }: AnswerAttribute): boolean => countOf(value) !== null;
  const isCursor = ({ value }: AnswerAttribute): boolean =>
    typeof value === 'string' || typeof value === 'number';
  // `next` is as often an address: that is a link (mailing/next-link.ts).
  const isLink = (one: AnswerAttribute): boolean =>
    cursorParams.get(nameOf(one)) === null && looksLikeAddress(String(one.value));
  return {
    hasNext: of(hasNextNames, isFlag),
    isLast: of(isLastNames, isFlag),
    cursors: [
      ...of(cursorParams, (one) => isCursor(one) && !isFlag(one) && !isLink(one)),
      // Airtable's: the start of the next page, which is not a number.
      ...of(names('offset'), (one) => isCursor(one) && !isCount(one)),
    ].filter(({ value }) => cursorOf(value) !== null),
    quietCursors: of(quietCursorParams, isCursor).filter(({ value }) => cursorOf(value) !== null),
    totalPages: of(totalPagesNames, isCount),
    pages: of(pageNames, isCount),
    totals: of(totalNames, isCount),
    offsets: of(offsetNames, isCount),
    limits: of(limitParams, isCount),
    sizes: of(pageSizeNames, isCount),
  };
}

/**
 * What the last page read shows about further pages; empty when it shows none. An explicit end (`hasNext: false`)
 * overrides a sum.
 */
export function moreShown(
  { attributes }: PageFacts,
  { pages, records }: { pages: number; records: number },
  { sums }: { /** Whether totals of pages and records count. */ sums: boolean },
): ShownMore[] {
  const { hasNext, isLast, cursors, totalPages, pages: pageAt, totals, offsets } = sorted(attributes);
  const flags = [...hasNext.filter(flag), ...isLast.filter((one) => !flag(one))];
  if (flags.length > 0) return flags.map((one) => ({ path: one.path, value: flag(one) }));
  if (hasNext.length + isLast.length > 0) return [];
  if (cursors.length > 0) return cursors.map(({ path }) => ({ path, value: null }));
  if (!sums) return [];
  // A first page with the number 0 also counts as one page.
  const at = Math.max(pages, ...pageAt.map(({ value }) => countOf(value) ?? 0));
  const shown = totalPages.filter(({ value }) => (countOf(value) ?? 0) > at);
  if (shown.length > 0) return [...shown, ...pageAt].map(counted);
  if (totalPages.length > 0) return [];
  const before = pages === 1 ? Math.max(0, ...offsets.map(({ value }) => countOf(value) ?? 0)) : 0;
  return totals.filter(({ value }) => (countOf(value) ?? 0) > before + records).map(counted);
}
/** Whether the answer states explicitly that there are no more pages. */
export function saysLast({ attributes }: PageFacts): boolean {
  const { hasNext, isLast } = sorted(attributes);
  return hasNext.length + isLast.length > 0 && !hasNext.some(flag) && isLast.every(flag);
}
const counted = ({ path, value }: AnswerAttribute): ShownMore => ({ path, value: countOf(value) });

/** The paging that a first page suggests; null for none. `params`: the names in its address. */
export function proposedPaging({ attributes }: PageFacts, params: readonly string[]): Paging | null {
  const all = sorted(attributes);
  const { hasNext, isLast, totalPages, pages, totals, offsets, limits, sizes } = all;
  const saysMore = hasNext.some(flag) || isLast.some((one) => !flag(one));
  const given = (of: { has(name: string): boolean }) => params.find((name) => of.has(foldAttribute(name)));
  const lastRecord = given(lastRecordParams) ?? (attributes.some(isList) ? 'starting_after' : undefined);
  const more = hasNext.find(flag) ?? isLast.find((one) => !flag(one));
  if (all.cursors.length === 0 && lastRecord !== undefined && more !== undefined) {
    const shown = hasNextNames.has(nameOf(more)) && flag(more) ? 'has_next' : 'is_last';
    return { by: 'last_record', param: lastRecord, path: 'id', end: { shown, path: more.path } };
  }
  const cursor = all.cursors[0] ?? (saysMore ? all.quietCursors[0] : undefined);
  if (cursor !== undefined) {
    const name = nameOf(cursor);
    const usual = cursorParams.get(name) ?? quietCursorParams.get(name) ?? (name === 'offset' ? name : null);
    const param =
      usual === null ? pageParam(attributes, params) : (given(names(foldAttribute(usual))) ?? usual);
    return { by: 'cursor', param, first: null, path: cursor.path };
  }
  const shown = [
    ['has_next', hasNext],
    ['is_last', isLast],
    ['total_pages', totalPages],
    ['total_records', totals],
  ] as const;
  const [end] = shown.flatMap(([shown, [first]]) =>
    first === undefined ? [] : [{ shown, path: first.path }],
  );
  if (end === undefined) return null;
  const isNumbered = pages.length + totalPages.length > 0;
  const [offset] = offsets;
  const [limit] = limits;
  const offsetParam =
    given(offsetParams) ?? offset?.name ?? (limit && limitParams.get(nameOf(limit))) ?? given(limitParams);
  if (!isNumbered && given(pageParams) === undefined && offsetParam !== undefined) {
    const param = limitParams.get(foldAttribute(offsetParam)) ?? offsetParam;
    return { by: 'offset', param, first: countOf(offset?.value ?? 0) ?? 0, size: null, end };
  }
  // A sum shows that there is more, but not how to get it.
  const isSum = end.shown === 'total_records';
  if (isSum && !isNumbered && sizes.length === 0 && given(pageParams) === undefined) return null;
  const first = pages.some(({ value }) => countOf(value) === 0) ? 0 : 1;
  return { by: 'page', param: pageParam(attributes, params), first, end };
}

/** The address asks for this many records and as many came, so there may be more. */
export interface FullPage {
  param: string;
  records: number;
}

/**
 * Whether a page has as many records as its address asks for (`limite=100`), if the answer shows nothing about pages:
 * with such services, this is the only sign of more.
 */
export function fullPageOf({ attributes, records }: PageFacts, params: URLSearchParams): FullPage | null {
  const { hasNext, isLast, totalPages, totals, quietCursors } = sorted(attributes);
  if ([hasNext, isLast, totalPages, totals, quietCursors].some((some) => some.length > 0) || records < 2)
    return null;
  for (const [param, value] of params) {
    const name = foldAttribute(param).replace(/^\$/, '');
    if ((limitParams.has(name) || pageSizeNames.has(name)) && countOf(value) === records)
      return { param, records };
  }
  return null;
}

/** The paging if only a full page shows that there are more: by the address's parameters, until a page is empty. */
export function pagingByAddress(params: URLSearchParams): Paging | null {
  const given = (of: { has(name: string): boolean }) =>
    [...params].find(([name]) => of.has(foldAttribute(name)));
  const end = { shown: 'empty' } as const;
  const page = given(pageParams);
  if (page !== undefined) return { by: 'page', param: page[0], first: countOf(page[1]) ?? 1, end };
  const offset = given(offsetParams);
  return offset === undefined
    ? null
    : { by: 'offset', param: offset[0], first: countOf(offset[1]) ?? 0, size: null, end };
}

/** Names of the page number that are also names of a parameter. Spring's `number` is not. */
const pageParams = names('page', 'pagina', 'pagenumber', 'pageindex', 'pageno', 'numeropagina', 'pag', 'p');

/** The parameter in the address, in the answer, or suggested by the answer's language. */
function pageParam(attributes: readonly AnswerAttribute[], params: readonly string[]): string {
  const isParam = (name: string): boolean => pageParams.has(foldAttribute(name));
  // Spring repeats what it has read by the names of its fields, not of its parameters.
  const answered = attributes.filter(({ path }) => !/\bpageable\./.test(path)).map(({ name }) => name);
  const named = [...params, ...answered].find(isParam);
  return (
    named ??
    (attributes.some((one) => /pagina|registro|proxim|temmais/.test(nameOf(one))) ? 'pagina' : 'page')
  );
}
