import { WebserviceRefused } from './refused.ts';

/**
 * Where an answer links to its next page: the header `Link: <…>; rel="next"` (RFC 8288), or one of these attributes
 * beside the records, alone or inside any of `containers`: `next`, `links.next`, `_links.next.href`,
 * `meta.pagination.next_page_url`, `@odata.nextLink`, `d.__next` … An array `links` of objects with `rel` and `href` is
 * understood, too.
 */

/** Their value is an address, whatever it looks like. */
const linkNames: ReadonlySet<string> = new Set([
  'nextLink',
  'nextUrl',
  'next_url',
  'nextPageUrl',
  'next_page_url',
  '@odata.nextLink',
  'odata.nextLink',
  '__next',
]);
const containers: ReadonlySet<string> = new Set([
  'links',
  '_links',
  'paging',
  'pagination',
  'meta',
  'page',
  'd',
]);

/** Whether the value at these keys is a link to the next page, if it is one. */
export function isNextPath(keys: readonly string[]): boolean {
  const last = keys.at(-1) ?? '';
  const above = keys.slice(0, last === 'href' ? -2 : -1);
  const name = last === 'href' ? (keys.at(-2) ?? '') : last;
  return (name === 'next' || linkNames.has(name)) && above.every((key) => containers.has(key));
}

export const isLinksPath = (keys: readonly string[]): boolean => {
  const last = keys.at(-1);
  return (last === 'links' || last === '_links') && keys.every((key) => containers.has(key));
};

/**
 * The link in a value at such a place; null for "there is none". A page that is told by a number or a cursor can not
 * be followed, and leaving the rest out in silence would be wrong.
 */
export function nextLinkOf(keys: readonly string[], value: unknown, host: string): string | null {
  if (value === null || value === false || value === '') return null;
  const last = keys.at(-1) ?? '';
  if (typeof value === 'string') {
    if (last === 'href' || linkNames.has(last) || /^https?:|[/?]/i.test(value)) return value;
  }
  throw new WebserviceRefused(
    'next_page_unreadable',
    `The answer of ${host} says at “${keys.join('.')}” that there is a next page, and not at which address. Give the pages addresses, or let one answer hold all records.`,
  );
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
