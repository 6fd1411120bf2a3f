import { looksLikeAddress } from '../domain/page-signs.ts';

/**
 * Where an answer links to its next page: the header `Link: <…>; rel="next"` (RFC 8288), or one of these attributes in
 * the part that describes the answer (mailing/envelope.ts): `next`, `links.next`, `_links.next.href`,
 * `meta.pagination.next_page_url`, `@odata.nextLink`, `d.__next` … An array `links` of objects with `rel` and `href` is
 * also supported.
 */

/** Their value is always an address. */
const linkNames: ReadonlySet<string> = new Set([
  'nextLink',
  'nextUrl',
  'next_url',
  'nextPageUrl',
  'next_page_url',
  'nextRecordsUrl',
  '@odata.nextLink',
  'odata.nextLink',
  '__next',
]);
/** An address if it looks like one, else a number or a cursor (domain/page-signs.ts). */
const maybeLinkNames: ReadonlySet<string> = new Set([
  'next',
  'next_page',
  'nextPage',
  'proxima',
  'proxima_pagina',
  'proximaPagina',
]);

export const isLinksPath = (keys: readonly string[]): boolean => {
  const last = keys.at(-1);
  return last === 'links' || last === '_links';
};

/** The link in a value at these keys, with the keys above it; null if there is none. */
export function nextLinkOf(
  keys: readonly string[],
  value: unknown,
): { above: readonly string[]; link: string } | null {
  if (typeof value !== 'string' || value === '') return null;
  const last = keys.at(-1) ?? '';
  // `next: {href}`, or HubSpot's `next: {after, link}`.
  const isObject =
    last === 'href' || ((last === 'link' || last === 'url' || last === 'uri') && looksLikeAddress(value));
  const above = keys.slice(0, isObject ? -2 : -1);
  const name = keys.at(isObject ? -2 : -1) ?? '';
  const isLink = linkNames.has(name) || (maybeLinkNames.has(name) && (isObject || looksLikeAddress(value)));
  return isLink ? { above, link: value } : null;
}

/** The `href` of an element of an array of links whose `rel` is `next`. */
export function relNext(element: unknown): string | null {
  if (typeof element !== 'object' || element === null) return null;
  const { rel, href } = element as { rel?: unknown; href?: unknown };
  return rel === 'next' && typeof href === 'string' && href !== '' ? href : null;
}

/** RFC 8288, 3. */
const link = /<(?<target>[^<>]*)>(?<parameters>(?:\s*;\s*[^\s=;,"]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]*))?)*)/g;

/** The target of `rel=next` in Link headers; null when there is none. */
export function linkHeaderNext(header: string | string[] | undefined): string | null {
  for (const value of [header ?? []].flat()) {
    for (const { groups } of value.matchAll(link)) {
      const rel = /;\s*rel\s*=\s*(?:"(?<quoted>[^"]*)"|(?<plain>[^\s;,"]*))/i.exec(
        groups?.parameters ?? '',
      )?.groups;
      const relations = (rel?.quoted ?? rel?.plain ?? '').toLowerCase().split(/\s+/);
      if (relations.includes('next')) return groups?.target ?? null;
    }
  }
  return null;
}
