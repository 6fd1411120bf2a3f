import { z } from 'zod';
import type { Paging } from './paging.ts';
import { foldAttribute } from './webservice.ts';

/** How an answer shows that there are more pages, in the shapes in use. Names are compared by `foldAttribute`. */

/** A value beside the records. */
export interface AnswerAttribute {
  /** Dotted, from the root; of a header `header:x-total-count`. */
  path: string;
  /** The last key of the path, or that of the header. */
  name: string;
  value: string | number | boolean | null;
}

/** What one page shows of itself and of the others. */
export interface PageFacts {
  /** Those beside the records whose names say something of pages, and those that the campaign names. */
  attributes: readonly AnswerAttribute[];
  /** Of this page. */
  records: number;
}

/** An attribute that shows that there is more; the value of a cursor is null: it may hold anything. */
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
  ...['more', 'moreresults', 'morerecords', 'istruncated', 'next', 'nextpage'],
  ...['temmais', 'temproxima', 'temproximapagina', 'possuimais', 'possuiproxima', 'existemais'],
  ...['existeproximapagina', 'proxima', 'proximapagina'],
);
const isLastNames = names(...['last', 'islast', 'islastpage', 'lastpage', 'done', 'ultima', 'ultimapagina']);
/** By the parameter that they are usually sent back in; null: in the one of the page's number. */
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
  ['nextpage', null],
  ['next', null],
  ['proxima', null],
  ['proximapagina', null],
  ['header:xnextpage', null],
]);
/** Cursors of a last page, too: they show nothing by themselves. */
const quietCursorParams: ReadonlyMap<string, string> = new Map([
  ['endcursor', 'after'],
  ['after', 'after'],
  ['cursor', 'cursor'],
  ['scrollid', 'scroll_id'],
]);
const totalPagesNames = names(
  ...['totalpages', 'pagestotal', 'pagecount', 'numpages', 'numberofpages', 'pages', 'lastpage', 'maxpage'],
  ...['totaldepaginas', 'totalpaginas', 'numerodepaginas', 'numeropaginas', 'qtdpaginas', 'qtdepaginas'],
  ...['quantidadepaginas', 'quantidadedepaginas', 'paginas', 'ultimapagina', 'header:xtotalpages'],
);
const pageNames = names(
  ...['page', 'currentpage', 'pagenumber', 'pageindex', 'pageno', 'number'],
  ...['pagina', 'paginaatual', 'numeropagina', 'numerodapagina', 'header:xpage'],
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
  ...['header:xtotalcount', 'header:xtotal', 'header:contentrange'],
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
/** How many records a page has at most, where pages go by an offset, with the usual name of that; or by a number. */
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
);

const allNames: ReadonlySet<string> = new Set(
  [
    ...[hasNextNames, isLastNames, totalPagesNames, pageNames, totalNames, offsetNames, pageSizeNames],
    ...[cursorParams, quietCursorParams, limitParams],
  ].flatMap((some) => [...some.keys()]),
);
/** Whether an attribute of this name may show something of pages. */
export const isPageName = (name: string): boolean => allNames.has(foldAttribute(name));
/** The headers that may, in lower case. */
export const pageHeaders = [
  ...['x-total-count', 'x-total', 'x-total-pages', 'x-page', 'x-next-page', 'content-range'],
] as const;

const nameOf = ({ name }: AnswerAttribute): string => foldAttribute(name);

/** Whether a text beside the records is rather an address than a cursor. */
export const looksLikeAddress = (text: string): boolean => /^https?:|[/?]/i.test(text);

/** A number of pages or records; null for what is none. Some services write them as texts. */
export function countOf(value: AnswerAttribute['value']): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : null;
}

/** Whether a value says yes: everything but false, nothing, zero and the words for no. */
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

/** What the attributes of a page are, by their names and kinds. */
function sorted(attributes: readonly AnswerAttribute[]) {
  const of = (some: { has(name: string): boolean }, fits: (attribute: AnswerAttribute) => boolean) =>
    attributes.filter((attribute) => some.has(nameOf(attribute)) && fits(attribute));
  const isCount = ({ value }: AnswerAttribute): boolean => countOf(value) !== null;
  const isCursor = ({ value }: AnswerAttribute): boolean =>
    typeof value === 'string' || typeof value === 'number';
  // At `next` there is an address as often: that is a link (mailing/next-link.ts).
  const isLink = (one: AnswerAttribute): boolean =>
    cursorParams.get(nameOf(one)) === null && looksLikeAddress(String(one.value));
  return {
    hasNext: of(hasNextNames, isFlag),
    isLast: of(isLastNames, isFlag),
    cursors: [
      ...of(cursorParams, (one) => isCursor(one) && !isFlag(one) && !isLink(one)),
      // Airtable's: where the next page begins, which is no number.
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
 * What an answer shows of more pages behind the one that was read last; nothing when it shows none. What says plainly that
 * there are no more (`hasNext: false`) counts more than a sum.
 */
export function moreShown(
  { attributes }: PageFacts,
  { pages, records }: { pages: number; records: number },
  { sums }: { /** Whether the numbers of pages and records count. */ sums: boolean },
): ShownMore[] {
  const { hasNext, isLast, cursors, totalPages, pages: pageAt, totals, offsets } = sorted(attributes);
  const flags = [...hasNext.filter(flag), ...isLast.filter((one) => !flag(one))];
  if (flags.length > 0) return flags.map((one) => ({ path: one.path, value: flag(one) }));
  if (hasNext.length + isLast.length > 0) return [];
  if (cursors.length > 0) return cursors.map(({ path }) => ({ path, value: null }));
  if (!sums) return [];
  // A first page that has the number 0 is one page, too.
  const at = Math.max(pages, ...pageAt.map(({ value }) => countOf(value) ?? 0));
  const shown = totalPages.filter(({ value }) => (countOf(value) ?? 0) > at);
  if (shown.length > 0) return [...shown, ...pageAt].map(counted);
  if (totalPages.length > 0) return [];
  const before = pages === 1 ? Math.max(0, ...offsets.map(({ value }) => countOf(value) ?? 0)) : 0;
  return totals.filter(({ value }) => (countOf(value) ?? 0) > before + records).map(counted);
}
/** Whether the answer says plainly that there are no more. */
export function saysLast({ attributes }: PageFacts): boolean {
  const { hasNext, isLast } = sorted(attributes);
  return hasNext.length + isLast.length > 0 && !hasNext.some(flag) && isLast.every(flag);
}
const counted = ({ path, value }: AnswerAttribute): ShownMore => ({ path, value: countOf(value) });

/** The shapes in use, as a first page shows them; null for none of them. `params`: the names in its address. */
export function proposedPaging({ attributes }: PageFacts, params: readonly string[]): Paging | null {
  const all = sorted(attributes);
  const { hasNext, isLast, totalPages, pages, totals, offsets, limits, sizes } = all;
  const saysMore = hasNext.some(flag) || isLast.some((one) => !flag(one));
  const given = (of: { has(name: string): boolean }) => params.find((name) => of.has(foldAttribute(name)));
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
    given(offsetNames) ?? offset?.name ?? (limit && limitParams.get(nameOf(limit))) ?? given(limitParams);
  if (!isNumbered && given(pageParams) === undefined && offsetParam !== undefined) {
    const param = limitParams.get(foldAttribute(offsetParam)) ?? offsetParam;
    return { by: 'offset', param, first: countOf(offset?.value ?? 0) ?? 0, size: null, end };
  }
  // A sum alone shows that there is more, and not how to get it.
  const isSum = end.shown === 'total_records';
  if (isSum && !isNumbered && sizes.length === 0 && given(pageParams) === undefined) return null;
  const first = pages.some(({ value }) => countOf(value) === 0) ? 0 : 1;
  return { by: 'page', param: pageParam(attributes, params), first, end };
}

/** Names of the page's number that are names of a parameter, too. Spring's `number` is not. */
const pageParams = names('page', 'pagina', 'pagenumber', 'pageindex', 'pageno', 'numeropagina', 'pag', 'p');

/** The parameter that the address has, that the answer names, or that its language suggests. */
function pageParam(attributes: readonly AnswerAttribute[], params: readonly string[]): string {
  const isParam = (name: string): boolean => pageParams.has(foldAttribute(name));
  // What Spring has read is there by its names of fields, not of parameters.
  const answered = attributes.filter(({ path }) => !/\bpageable\./.test(path)).map(({ name }) => name);
  const named = [...params, ...answered].find(isParam);
  return (
    named ??
    (attributes.some((one) => /pagina|registro|proxim|temmais/.test(nameOf(one))) ? 'pagina' : 'page')
  );
}
