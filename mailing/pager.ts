import { createHash } from 'node:crypto';
import {
  type AnswerAttribute,
  countOf,
  cursorOf,
  isYes,
  moreShown,
  pageHeaders,
  saysLast,
  type ShownMore,
} from '../domain/page-signs.ts';
import type { Paging } from '../domain/paging.ts';
import type { AnswerFacts } from './json-answer.ts';
import { WebserviceRefused } from './refused.ts';
import { headerOf, type WebAnswer } from './web-client.ts';

/** A page that has been read to its end. */
export interface ReadPage {
  host: string;
  /** What was asked for, and where redirects led. */
  asked: URL;
  answered: URL;
  facts: AnswerFacts;
  /** Of its contacts; null: it has none. */
  fingerprint: string | null;
  headers: WebAnswer['headers'];
  /** Of its header. */
  headerLink: string | null;
}

export interface Pager {
  first: URL;
  /** Attributes beside the records that it has to see. */
  wanted: ReadonlySet<string>;
  /**
   * Where the next page is; null: there is none.
   *
   * @throws {WebserviceRefused} for an answer that is not whole, or goes round in a circle
   */
  next(page: ReadPage): URL | null;
}

/** Follows the pages of an answer as the campaign says. */
export function createPager(paging: Paging, address: URL): Pager {
  // Not the addresses: ten thousand long ones are many megabytes.
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
  /** A new address, or the failure. */
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
    // Some last pages have one, too.
    if (cursor === null || saysLast(page.facts)) return null;
    const url = /^https?:\/\//i.test(cursor)
      ? nextAddress(cursor, page.answered)
      : withParam(address, param, cursor);
    // The last page of some services gives the cursor that led to it.
    if (page.facts.records === 0 && url.href === page.asked.href) return null;
    return unseen(url, page.host, 'cursor');
  };

  const byNumber = (by: Extract<Paging, { by: 'page' | 'offset' }>, page: ReadPage): URL | null => {
    if (!hasNext(by, page)) return null;
    number = by.by === 'page' ? number + 1 : by.first + records;
    return unseen(withSize(by, withParam(address, by.param, String(number))), page.host, 'links');
  };

  /** By what the answer shows where the campaign says, and by whether the page has records. */
  const hasNext = (
    { by, end, first }: Extract<Paging, { by: 'page' | 'offset' }>,
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
            : byNumber(paging, page);
      if (next !== null) return next;
      // Where links led on, or the campaign says how to go on, a sum that differs is the service's own affair.
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

/** What a page shows of more behind it. */
export function moreIn(
  page: ReadPage,
  { pages, records, sums }: { pages: number; records: number; sums: boolean },
): ShownMore[] {
  return moreShown({ ...page.facts, attributes: attributesOf(page) }, { pages, records }, { sums });
}

/** Those of the body and of the header. */
export const attributesOf = ({ facts, headers }: ReadPage): AnswerAttribute[] => [
  ...facts.attributes,
  ...pageHeaders.flatMap((name) => headerAttribute(headers, name) ?? []),
];

function attributeAt(page: ReadPage, path: string): AnswerAttribute | undefined {
  const header = /^header:(?<name>.+)$/i.exec(path)?.groups?.name;
  if (header !== undefined) return headerAttribute(page.headers, header.trim().toLowerCase());
  return page.facts.attributes.findLast((attribute) => attribute.path === path);
}

function headerAttribute(headers: WebAnswer['headers'], name: string): AnswerAttribute | undefined {
  const value = headerOf(headers[name]);
  if (value === '') return undefined;
  // RFC 9110, 14.4: `items 0-24/300`; the total may be unknown.
  const total = name === 'content-range' ? /\/(?<total>\d+)$/.exec(value)?.groups?.total : value;
  return total === undefined ? undefined : { path: `header:${name}`, name: `header:${name}`, value: total };
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
      return new Set(paging.end.shown === 'empty' ? [] : [paging.end.path]);
  }
}

function firstAddress(paging: Paging, address: URL): URL {
  switch (paging.by) {
    case 'links':
    case 'none':
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

/** The address with the parameter: in the place of the one that it has, else behind the others, which stay letter by letter. */
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
