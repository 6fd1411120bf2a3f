import { createHash } from 'node:crypto';
import type { ExtraField } from '../domain/contact.ts';
import type { Integration } from '../domain/integration.ts';
import { type PageFacts, pagingByAddress, proposedPaging, type ShownMore } from '../domain/page-signs.ts';
import type { Paging } from '../domain/paging.ts';
import type { WebserviceBlock } from '../domain/webservice.ts';
import { type AddressGuard, createAddressGuard } from './address-guard.ts';
import {
  type Authorization,
  createAuthorization,
  createTokenCache,
  noAuthorization,
  type TokenCache,
} from './authorization.ts';
import { createFieldMap } from './field-map.ts';
import { type AnswerFacts, readJsonAnswer, requireJson } from './json-answer.ts';
import { type JsonLimits, parsedAtFirst } from './json-scanner.ts';
import { linkHeaderNext } from './next-link.ts';
import { attributesOf, createPager, moreIn, type Pager, type ReadPage } from './pager.ts';
import type { MailingRecord } from './record.ts';
import { WebserviceRefused } from './refused.ts';
import { createWebClient, headerOf, type WebAnswer, type WebClient, type WebLimits } from './web-client.ts';
import { statusRefusal } from './web-errors.ts';

export type WebserviceLimits = WebLimits & JsonLimits;

export const defaultWebserviceLimits: WebserviceLimits = {
  bytes: 1024 * 1024 * 1024,
  idleMs: 60_000,
  totalMs: 30 * 60_000,
  redirects: 5,
  pages: 10_000,
  depth: 50,
  recordBytes: 1024 * 1024,
};

/** The dependencies for fetching mailings, shared by all mailings of a process. */
export interface WebserviceDeps {
  guard: AddressGuard;
  tokens: TokenCache;
  limits: WebserviceLimits;
}

/** From the deployment's configuration. */
export const webserviceDepsOf = (config: {
  WEBSERVICE_ALLOW: readonly string[];
  WEBSERVICE_LIMIT_BYTES: number;
  WEBSERVICE_IDLE_MS: number;
  WEBSERVICE_TIMEOUT_MS: number;
}): WebserviceDeps => ({
  guard: createAddressGuard(config.WEBSERVICE_ALLOW),
  tokens: createTokenCache(),
  limits: {
    ...defaultWebserviceLimits,
    bytes: config.WEBSERVICE_LIMIT_BYTES,
    idleMs: config.WEBSERVICE_IDLE_MS,
    totalMs: config.WEBSERVICE_TIMEOUT_MS,
  },
});

/** A request for a mailing, starting at its address. */
export interface WebserviceRequest {
  /** The complete first address, parameters filled in (domain/web-address.ts). */
  url: URL;
  /** Null: no credentials. */
  integration: Integration | null;
  signal: AbortSignal;
}

/** The campaign's settings for locating the records. */
type RecordsPlace = Pick<WebserviceBlock, 'recordsPath' | 'paging'>;

/** A campaign's settings for reading records. */
export interface WebserviceReading {
  webservice: Pick<WebserviceBlock, 'recordsPath' | 'fieldMap'>;
  extraFields: readonly ExtraField[];
  /** ISO date (domain/contact.ts `createContactReader`). */
  today: string;
}

/** What the reader needs to know about a page besides its bytes; small for any answer. */
export interface PageHead {
  host: string;
  contentType: string;
}

/** A page of an answer, from the network or from storage. Read its bytes before the next page. */
export interface AnswerPage extends PageHead {
  bytes: AsyncIterable<Buffer>;
}

/** The first records of a mailing, for a user who sets it up. */
export interface WebservicePreview {
  records: MailingRecord[];
  /** The elements of the records. */
  elements: unknown[];
  /** Whether there are more records than these. */
  more: boolean;
  /** Signs of pages that the campaign is not set to follow, and the paging that they suggest; null: none. */
  pages: { seen: ShownMore[]; proposed: Paging | null } | null;
}

/** After the shown records, how long to look for the end of their page. */
const lookMs = 5_000;

/**
 * The first records of a web service. Reads the first page to its end, where an answer shows whether it is complete.
 * For a page that is longer than the limits, only the records are known.
 *
 * @throws {WebserviceRefused}
 */
export async function previewWebservice(
  deps: WebserviceDeps,
  {
    webservice,
    extraFields,
    today,
    count,
    ...request
  }: WebserviceRequest & WebserviceReading & { webservice: RecordsPlace; /** So many. */ count: number },
): Promise<WebservicePreview> {
  const { recordsPath, paging } = webservice;
  const pager = createPager(paging, request.url);
  const reading = { recordsPath, limits: deps.limits, wanted: pager.wanted };
  const elements: unknown[] = [];
  let seen = 0;
  let hasMorePages = false;
  let pages: WebservicePreview['pages'] = null;
  let enoughAt = Infinity;
  try {
    for await (const page of fetchPages(deps, request, pager)) {
      for await (const some of readPage(page, reading)) {
        seen += some.length;
        elements.push(...some.slice(0, count - elements.length));
        if (elements.length === count) enoughAt = Math.min(enoughAt, performance.now());
        if (performance.now() - enoughAt > lookMs) break;
      }
      const { facts } = page;
      if (facts === null) break;
      const isWhole = page.headerLink === null && facts.nextLink === null;
      if (paging.by === 'links' && isWhole && seen === facts.records) {
        const read = { ...page, facts };
        const more = moreIn(read, { pages: 1, records: facts.records, sums: true });
        if (more.length > 0) {
          const attributes: PageFacts['attributes'] = attributesOf(read);
          const params = [...request.url.searchParams.keys()];
          const proposed =
            proposedPaging({ ...facts, attributes }, params) ?? pagingByAddress(request.url.searchParams);
          pages = { seen: more, proposed };
          break;
        }
      }
      hasMorePages =
        elements.length === count && paging.by !== 'none' && pager.next({ ...page, facts }) !== null;
      if (elements.length === count) break;
    }
  } catch (error) {
    const isTooLong =
      error instanceof WebserviceRefused && (error.code === 'too_large' || error.code === 'takes_too_long');
    if (!isTooLong || elements.length < count) throw error;
    hasMorePages = true;
  }
  const more = seen > elements.length || hasMorePages || pages !== null;
  return { records: createRecords({ webservice, extraFields, today })(elements), elements, more, pages };
}

/**
 * Fetches a mailing from a web service in bounded memory for any size, and yields the number of records so far: follows
 * redirects and next pages, each checked by the guard, within the limits. `keep` stores the decompressed bytes of each
 * page and passes them on; `readAnswer` reads them later. At the end, the answer is complete and its records are where
 * the campaign expects them; their content has not been checked.
 *
 * @throws {WebserviceRefused} even after records have arrived; or the reason of `signal`
 */
export async function* fetchWebservice(
  deps: WebserviceDeps,
  request: WebserviceRequest & RecordsPlace,
  keep: (page: AnswerPage) => AsyncIterable<Buffer>,
): AsyncGenerator<number> {
  for await (const { length } of fetchElements(deps, { ...request, skim: true }, keep)) yield length;
}

/**
 * The records of an answer that was fetched earlier, from its stored pages.
 *
 * @throws {WebserviceRefused} even after yielding batches
 */
export async function* readAnswer(
  pages: AsyncIterable<AnswerPage>,
  { webservice, extraFields, today, limits }: WebserviceReading & { limits: JsonLimits },
): AsyncGenerator<MailingRecord[]> {
  const toRecords = createRecords({ webservice, extraFields, today });
  for await (const page of pages) {
    for await (const elements of readJsonAnswer(page, { recordsPath: webservice.recordsPath, limits }))
      yield toRecords(elements);
  }
}

async function* fetchElements(
  deps: WebserviceDeps,
  { recordsPath, paging, skim = false, ...request }: WebserviceRequest & RecordsPlace & { skim?: boolean },
  keep: (page: AnswerPage) => AsyncIterable<Buffer> = ({ bytes }) => bytes,
): AsyncGenerator<unknown[]> {
  const pager = createPager(paging, request.url);
  for await (const page of fetchPages(deps, request, pager))
    yield* readPage(page, { recordsPath, limits: deps.limits, skim, wanted: pager.wanted, keep });
}

/** The elements of one page; stores what it reveals about other pages in the page, for the pager. */
async function* readPage(
  page: FetchedPage,
  {
    keep = ({ bytes }) => bytes,
    ...reading
  }: Parameters<typeof readJsonAnswer>[1] & { keep?: (page: AnswerPage) => AsyncIterable<Buffer> },
): AsyncGenerator<unknown[]> {
  const { host, contentType } = page;
  const first: unknown[] = [];
  const elements = readJsonAnswer({ host, contentType, bytes: keep(page) }, reading);
  for (;;) {
    const { done, value } = await elements.next();
    if (done === true) {
      page.facts = value;
      // Large pages are distinguished by their first elements and their number.
      page.fingerprint =
        first.length === 0
          ? null
          : createHash('sha256')
              .update(JSON.stringify([value.records, first]))
              .digest('base64');
      return;
    }
    if (first.length < parsedAtFirst) first.push(...value.slice(0, parsedAtFirst - first.length));
    yield value;
  }
}

/** Maps the elements of an answer, in their order. */
function createRecords({ webservice, extraFields, today }: WebserviceReading) {
  const toRecord = createFieldMap({ fieldMap: webservice.fieldMap, extraFields, today });
  let line = 0;
  return (elements: readonly unknown[]): MailingRecord[] =>
    elements.map((element) => toRecord(++line, element));
}

/**
 * The first answer, decompressed, if it is JSON with any content: for a user who wants to see it. The whole answer is
 * in memory: use small limits.
 */
export async function fetchAnswer(
  deps: WebserviceDeps,
  { paging, ...request }: WebserviceRequest & Pick<WebserviceBlock, 'paging'>,
): Promise<Buffer> {
  const pages = fetchPages(deps, request, createPager(paging, request.url));
  for await (const { host, contentType, bytes } of pages) {
    const pieces: Buffer[] = [];
    for await (const piece of bytes) pieces.push(piece);
    const answer = Buffer.concat(pieces);
    requireJson(answer, { host, contentType });
    return answer;
  }
  return Buffer.alloc(0);
}

interface FetchedPage extends AnswerPage, Omit<ReadPage, 'facts'> {
  /** Set once the page has been read to its end; null: its next page is not requested. */
  facts: AnswerFacts | null;
}

/** Stored for each page until the answer is complete, and then in the database: short and plain for any header. */
const contentTypeOf = ({ headers }: WebAnswer): string =>
  headerOf(headers['content-type'])
    .slice(0, 200)
    .replaceAll(/[^ -~]/g, '?');

async function* fetchPages(
  { guard, tokens, limits }: WebserviceDeps,
  { url: address, integration, signal }: WebserviceRequest,
  pager: Pager,
): AsyncGenerator<FetchedPage> {
  const client = createWebClient({ guard, limits, signal });
  try {
    const authorization =
      integration === null
        ? noAuthorization
        : createAuthorization(integration, { origin: address, client, tokens });
    for (let asked: URL | null = pager.first, pages = 1; asked !== null; pages++) {
      if (pages > limits.pages) {
        const params = { host: asked.hostname, maximum: limits.pages };
        throw WebserviceRefused.of({ code: 'too_many_pages', params });
      }
      const answer = await openAnswer(client, authorization, asked, limits.redirects);
      // 204: no content, which means no records.
      if (answer.status === 204) {
        answer.cancel();
        return;
      }
      const page: FetchedPage = {
        host: answer.url.hostname,
        contentType: contentTypeOf(answer),
        bytes: answer.body,
        asked,
        answered: answer.url,
        headers: answer.headers,
        headerLink: linkHeaderNext(answer.headers.link),
        facts: null,
        fingerprint: null,
      };
      yield page;
      if (page.facts === null) return;
      authorization.pageRead();
      asked = pager.next({ ...page, facts: page.facts });
    }
  } finally {
    await client.close();
  }
}

/** The answer at an address, after redirects; a success with a body, or a 204. */
async function openAnswer(
  client: WebClient,
  authorization: Authorization,
  first: URL,
  mostRedirects: number,
): Promise<WebAnswer> {
  let target = first;
  for (let redirects = 0; ;) {
    const { url, headers } = await authorization.prepare(target);
    const answer = await client.send(url, { method: 'GET', headers });
    const { status } = answer;
    const host = url.hostname;
    if (status === 200 || status === 201 || status === 203 || status === 204)
      return { ...answer, url: target };
    answer.cancel();
    const { origin, hasCredentials } = authorization;
    if ((status === 401 || status === 403) && hasCredentials && origin !== null && target.origin !== origin) {
      const by = redirects > 0 ? 'redirect' : 'next_page';
      const params = { host, status, from: origin, to: target.origin, by } as const;
      throw WebserviceRefused.of({ code: 'credentials_not_sent', params });
    }
    if (status === 401 && authorization.renew()) continue;
    if (status === 301 || status === 302 || status === 303 || status === 307 || status === 308) {
      const location = headerOf(answer.headers.location);
      if (location === '' || !URL.canParse(location, target.href)) {
        throw WebserviceRefused.of({ code: 'redirect_broken', params: { host, status } });
      }
      if (++redirects > mostRedirects) {
        const params = { host: first.hostname, maximum: mostRedirects };
        throw WebserviceRefused.of({ code: 'too_many_redirects', params });
      }
      target = new URL(location, target.href);
      target.hash = '';
      if (target.protocol !== 'https:' && target.protocol !== 'http:') {
        throw WebserviceRefused.of({ code: 'redirect_broken', params: { host, status: null } });
      }
      continue;
    }
    throw statusRefusal(status, {
      host,
      retryAfter: headerOf(answer.headers['retry-after']),
      hasCredentials,
    });
  }
}
