import { createHash } from 'node:crypto';
import {
  type AnswerAttribute,
  countOf,
  cursorOf,
  fullPageOf,
  isYes,
  moreShown,
  pageHeaderName,
  saysLast,
  type ShownMore,
} from '../domain/page-signs.ts';
import type { Paging } from '../domain/paging.ts';
import { valueAt } from './field-map.ts';
import type { AnswerFacts } from './json-answer.ts';
import { numberOf } from './json-number.ts';
import { WebserviceRefused } from './refused.ts';
import { headerOf, type WebAnswer } from './web-client.ts';

/** A page that has been read to its end. */
export interface ReadPage {
  host: string;
  /** The requested address, and the one after redirects. */
  asked: URL;
  answered: URL;
  facts: AnswerFacts;
  /** The fingerprint of its contacts; null: it has none. */
  fingerprint: string | null;
  headers: WebAnswer['headers'];
  /** The link in its header. */
  headerLink: string | null;
}

export interface Pager {
  first: URL;
  /** Attributes beside the records that it needs. */
  wanted: ReadonlySet<string>;
  /**
   * The address of the next page; null: there is none.
   *
   * @throws {WebserviceRefused} for an incomplete answer, or a cycle of pages
   */
  next(page: ReadPage): URL | null;
}

/** Follows the pages of an answer by the campaign's settings. */
export function createPager(paging: Paging, address: URL): Pager {
  // Not the addresses: ten thousand long ones take many megabytes.
  const seen = new Set<string>();
  const see = (url: URL): boolean => {
    const key = createHash('sha256').update(url.href).digest('base64');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  const first = firstAddress(paging, address);
  see(first);
  let pages = 0;
  let records = 0;
  let fingerprint: string | null = null;
  let number = 'first' in paging && typeof paging.first === 'number' ? paging.first : 0;
  let followsLinks = false;

  const repeated = (host: string, why: 'links' | 'cursor' | 'contacts', page: number) =>
    WebserviceRefused.of({ code: 'page_repeated', params: { host, page, why } });
  /** The address if it is new, or else the failure. */
  const unseen = (url: URL, host: string, why: 'links' | 'cursor'): URL => {
    if (!see(url)) throw repeated(host, why, pages + 1);
    return url;
  };

  const byLinks = (page: ReadPage): URL | null => {
    const link = page.headerLink ?? page.facts.nextLink;
    if (link === null) return null;
    const url = nextAddress(link, page.answered);
    // The last page of some services links to itself.
    if (url.href === page.asked.href || url.href === page.answered.href) return null;
    followsLinks = true;
    return unseen(url, page.host, 'links');
  };

  const byCursor = ({ param, path }: Extract<Paging, { by: 'cursor' }>, page: ReadPage): URL | null => {
    const attribute = attributeAt(page, path);
    const cursor = attribute === undefined ? null : cursorOf(attribute.value);
    // Some services send a cursor on the last page too.
    if (cursor === null || saysLast(page.facts)) return null;
    const url = /^https?:\/\//i.test(cursor)
      ? nextAddress(cursor, page.answered)
      : withParam(address, param, cursor);
    // The last page of some services returns the cursor that led to it.
    if (page.facts.records === 0 && url.href === page.asked.href) return null;
    return unseen(url, page.host, 'cursor');
  };

  const byLastRecord = (by: Extract<Paging, { by: 'last_record' }>, page: ReadPage): URL | null => {
    if (!hasNext({ ...by, first: 0 }, page)) return null;
    const value = valueAt(page.facts.lastRecord(), by.path);
    const key = numberOf(value) ?? (typeof value === 'string' && value !== '' ? value : null);
    if (key !== null) return unseen(withParam(address, by.param, key), page.host, 'cursor');
    const params = { host: page.host, path: by.path };
    throw WebserviceRefused.of({ code: 'page_attribute_missing', params });
  };

  const byNumber = (by: Extract<Paging, { by: 'page' | 'offset' }>, page: ReadPage): URL | null => {
    if (!hasNext(by, page)) return null;
    number = by.by === 'page' ? number + 1 : by.first + records;
    return unseen(withSize(by, withParam(address, by.param, String(number))), page.host, 'links');
  };

  /** By the attribute that the campaign names, and by whether the page has records. */
  const hasNext = (
    {
      by,
      end,
      first,
    }: Pick<Extract<Paging, { by: 'page' | 'offset' | 'last_record' }>, 'by' | 'end'> & { first: number },
    page: ReadPage,
  ): boolean => {
    const isEmpty = page.facts.records === 0;
    if (end.shown === 'empty') return !isEmpty;
    const attribute = attributeAt(page, end.path);
    const missing = () =>
      WebserviceRefused.of({
        code: 'page_attribute_missing',
        params: { host: page.host, path: end.path },
      });
    if (end.shown === 'has_next' || end.shown === 'is_last') {
      if (isEmpty) return false;
      if (attribute === undefined) throw missing();
      return isYes(attribute.value) === (end.shown === 'has_next');
    }
    const total = attribute === undefined ? null : countOf(attribute.value);
    if (total === null) {
      if (isEmpty) return false;
      throw missing();
    }
    const read = end.shown === 'total_records' ? records : by === 'page' && first > 0 ? number : pages;
    if (read >= total) return false;
    if (!isEmpty) return true;
    throw WebserviceRefused.of({
      code: 'pages_incomplete',
      params: { host: page.host, page: pages, records, path: end.path, value: total },
    });
  };

  return {
    first,
    wanted: wantedBy(paging),
    next(page) {
      pages++;
      records += page.facts.records;
      if (page.fingerprint !== null && page.fingerprint === fingerprint)
        throw repeated(page.host, 'contacts', pages);
      fingerprint = page.fingerprint;
      if (paging.by === 'none') return null;
      const next =
        paging.by === 'links'
          ? byLinks(page)
          : paging.by === 'cursor'
            ? byCursor(paging, page)
            : paging.by === 'last_record'
              ? byLastRecord(paging, page)
              : byNumber(paging, page);
      if (next !== null) return next;
      // If links led on, or the campaign sets the paging, a differing sum does not matter.
      const sums = paging.by === 'links' && !followsLinks;
      if (paging.by !== 'links' && page.facts.records === 0) return null;
      const more = moreIn(page, { pages, records, sums });
      if (more.length > 0) {
        const params = { host: page.host, records, seen: more };
        throw WebserviceRefused.of({ code: 'more_pages', params });
      }
      return null;
    },
  };
}

/** What a page reveals about further pages. */
export function moreIn(
  page: ReadPage,
  { pages, records, sums }: { pages: number; records: number; sums: boolean },
): ShownMore[] {
  const facts = { ...page.facts, attributes: attributesOf(page) };
  const shown = moreShown(facts, { pages, records }, { sums });
  if (shown.length > 0 || !sums) return shown;
  const full = fullPageOf(facts, page.asked.searchParams);
  return full === null ? [] : [{ path: `?${full.param}`, value: full.records }];
}

/** The attributes of the body and of the header. */
export const attributesOf = ({ facts, headers }: ReadPage): AnswerAttribute[] => [
  ...facts.attributes,
  ...Object.keys(headers).flatMap((header) => {
    const name = header === 'x-pagination' ? header : pageHeaderName(header);
    return name === null ? [] : headerAttributes(headers, header, name);
  }),
];

function attributeAt(page: ReadPage, path: string): AnswerAttribute | undefined {
  const header = /^header:(?<name>[^.]+)/i.exec(path)?.groups?.name?.trim().toLowerCase();
  if (header !== undefined) {
    const wanted = path.toLowerCase();
    const ofHeader = headerAttributes(page.headers, header, header);
    return ofHeader.find((attribute) => attribute.path.toLowerCase() === wanted) ?? ofHeader[0];
  }
  return page.facts.attributes.findLast((attribute) => attribute.path === path);
}

/** The values of a header: one value, or those of a JSON object (`X-Pagination` of ASP.NET). */
function headerAttributes(headers: WebAnswer['headers'], header: string, name: string): AnswerAttribute[] {
  const value = headerOf(headers[header]);
  const path = `header:${header}`;
  if (value === '') return [];
  if (value.startsWith('{')) {
    return Object.entries(jsonOf(value)).flatMap(([key, inner]) =>
      typeof inner === 'string' || typeof inner === 'number' || typeof inner === 'boolean'
        ? [{ path: `${path}.${key}`, name: key, value: inner }]
        : [],
    );
  }
  // RFC 9110, 14.4: `items 0-24/300`; the total may be unknown.
  const total = /content-range$/.test(header) ? /\/(?<total>\d+)$/.exec(value)?.groups?.total : value;
  return total === undefined ? [] : [{ path, name, value: total }];
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function wantedBy(paging: Paging): ReadonlySet<string> {
  switch (paging.by) {
    case 'links':
    case 'none':
      return new Set();
    case 'cursor':
      return new Set([paging.path]);
    case 'page':
    case 'offset':
    case 'last_record':
      return new Set(paging.end.shown === 'empty' ? [] : [paging.end.path]);
  }
}

function firstAddress(paging: Paging, address: URL): URL {
  switch (paging.by) {
    case 'links':
    case 'none':
    case 'last_record':
      return address;
    case 'cursor':
      return paging.first === null ? address : withParam(address, paging.param, paging.first);
    case 'page':
    case 'offset':
      return withSize(paging, withParam(address, paging.param, String(paging.first)));
  }
}

const withSize = (paging: Extract<Paging, { by: 'page' | 'offset' }>, url: URL): URL =>
  paging.by === 'offset' && paging.size !== null
    ? withParam(url, paging.size.param, String(paging.size.records))
    : url;

/** The address with the parameter: replaces an existing one, else is appended; the others stay unchanged. */
function withParam(address: URL, param: string, value: string): URL {
  const url = new URL(address);
  const pair = `${encodeURIComponent(param)}=${encodeURIComponent(value)}`;
  const isOf = (part: string): boolean => [...new URLSearchParams(part).keys()][0] === param;
  const parts = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '');
  const at = parts.findIndex(isOf);
  const others = parts.filter((part) => !isOf(part));
  others.splice(at === -1 ? others.length : at, 0, pair);
  url.search = `?${others.join('&')}`;
  return url;
}

function nextAddress(link: string, from: URL): URL {
  if (URL.canParse(link, from.href)) {
    const url = new URL(link, from.href);
    url.hash = '';
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  const params = { host: from.hostname, path: null };
  throw WebserviceRefused.of({ code: 'next_page_unreadable', params });
}
