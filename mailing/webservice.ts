import { createHash } from 'node:crypto';
import type { ExtraField } from '../domain/contact.ts';
import type { Integration } from '../domain/integration.ts';
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
import { readJsonAnswer, requireJson } from './json-answer.ts';
import type { JsonLimits } from './json-scanner.ts';
import { linkHeaderNext } from './next-link.ts';
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

/** What a process needs to fetch mailings: one for all of them. */
export interface WebserviceDeps {
  guard: AddressGuard;
  tokens: TokenCache;
  limits: WebserviceLimits;
}

/** By the deployment's configuration. */
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

/** What is asked for: the first answer is that of its address. */
export interface WebserviceRequest {
  /** The whole first address, parameters filled in (domain/web-address.ts). */
  url: URL;
  /** Null: no credentials. */
  integration: Integration | null;
  signal: AbortSignal;
}

/** How a campaign reads records. */
export interface WebserviceReading {
  webservice: Pick<WebserviceBlock, 'recordsPath' | 'fieldMap'>;
  extraFields: readonly ExtraField[];
}

/** What the reader has to know of a page beside its bytes; small, whatever the service sends. */
export interface PageHead {
  host: string;
  contentType: string;
}

/** A page of an answer: as it comes over the network, or as it was kept. Its bytes are read before the next page. */
export interface AnswerPage extends PageHead {
  bytes: AsyncIterable<Buffer>;
}

/**
 * Fetches a mailing from a web service and gives its records in batches, in bounded memory whatever the size: follows
 * redirects and next pages, each guarded, within the limits.
 *
 * @throws {WebserviceRefused} even after batches were given; or the reason of `signal`
 */
export async function* readWebservice(
  deps: WebserviceDeps,
  { webservice, extraFields, ...request }: WebserviceRequest & WebserviceReading,
  /** Is shown each element before it is mapped. */
  { see }: { see?: (element: unknown) => void } = {},
): AsyncGenerator<MailingRecord[]> {
  const toRecords = createRecords({ webservice, extraFields });
  for await (const elements of fetchElements(deps, { ...request, recordsPath: webservice.recordsPath })) {
    if (see !== undefined) elements.forEach(see);
    yield toRecords(elements);
  }
}

/**
 * The same, to be read later: gives how many records have come each time. `keep` passes the bytes of each page on,
 * decompressed, and writes them somewhere, from where `readAnswer` reads them. When this ends, the answer is whole, and
 * its records are where the campaign says; what stands inside of them has not been looked at.
 *
 * @throws {WebserviceRefused} even after records have come; or the reason of `signal`
 */
export async function* fetchWebservice(
  deps: WebserviceDeps,
  request: WebserviceRequest & Pick<WebserviceBlock, 'recordsPath'>,
  keep: (page: AnswerPage) => AsyncIterable<Buffer>,
): AsyncGenerator<number> {
  for await (const { length } of fetchElements(deps, { ...request, skim: true }, keep)) yield length;
}

/**
 * The records of an answer that was fetched before, from its pages as they were kept.
 *
 * @throws {WebserviceRefused} even after batches were given
 */
export async function* readAnswer(
  pages: AsyncIterable<AnswerPage>,
  { webservice, extraFields, limits }: WebserviceReading & { limits: JsonLimits },
): AsyncGenerator<MailingRecord[]> {
  const toRecords = createRecords({ webservice, extraFields });
  for await (const page of pages) {
    for await (const elements of readJsonAnswer(page, { recordsPath: webservice.recordsPath, limits }))
      yield toRecords(elements);
  }
}

async function* fetchElements(
  deps: WebserviceDeps,
  {
    recordsPath,
    skim = false,
    ...request
  }: WebserviceRequest & Pick<WebserviceBlock, 'recordsPath'> & { skim?: boolean },
  keep: (page: AnswerPage) => AsyncIterable<Buffer> = ({ bytes }) => bytes,
): AsyncGenerator<unknown[]> {
  const { limits } = deps;
  for await (const page of fetchPages(deps, request)) {
    const { host, contentType } = page;
    const body = { host, contentType, bytes: keep(page) };
    const next = yield* readJsonAnswer(body, { recordsPath, limits, skim });
    page.next ??= next;
  }
}

/** Maps the elements of an answer, which come in their order. */
function createRecords({ webservice, extraFields }: WebserviceReading) {
  const toRecord = createFieldMap({ fieldMap: webservice.fieldMap, extraFields });
  let line = 0;
  return (elements: readonly unknown[]): MailingRecord[] =>
    elements.map((element) => toRecord(++line, element));
}

/**
 * The first answer as it came, decompressed, when it is JSON, whatever stands in it: for a person who wants to see it.
 * In memory as a whole: the limits have to be small.
 */
export async function fetchAnswer(deps: WebserviceDeps, request: WebserviceRequest): Promise<Buffer> {
  for await (const { host, contentType, bytes } of fetchPages(deps, request)) {
    const pieces: Buffer[] = [];
    for await (const piece of bytes) pieces.push(piece);
    const answer = Buffer.concat(pieces);
    requireJson(answer, { host, contentType });
    return answer;
  }
  return Buffer.alloc(0);
}

interface FetchedPage extends AnswerPage {
  /** Set by the reader from the body, where the header has none. */
  next: string | null;
}

/** One for each page is held until the answer is whole, and then kept: short and plain, whatever was sent. */
const contentTypeOf = ({ headers }: WebAnswer): string =>
  headerOf(headers['content-type'])
    .slice(0, 200)
    .replaceAll(/[^ -~]/g, '?');

async function* fetchPages(
  { guard, tokens, limits }: WebserviceDeps,
  { url: first, integration, signal }: WebserviceRequest,
): AsyncGenerator<FetchedPage> {
  const client = createWebClient({ guard, limits, signal });
  try {
    const authorization =
      integration === null
        ? noAuthorization
        : createAuthorization(integration, { origin: first, client, tokens });
    const seen = new Set<string>();
    for (let url: URL | null = first, pages = 1; url !== null; pages++) {
      const host: string = url.hostname;
      // Not the addresses: ten thousand long ones are many megabytes.
      const key = createHash('sha256').update(url.href).digest('base64');
      if (seen.has(key)) {
        throw new WebserviceRefused(
          'page_repeated',
          `Page ${pages} of ${host} is an earlier page again: its links to the next page go round in a circle.`,
        );
      }
      seen.add(key);
      if (pages > limits.pages) {
        throw new WebserviceRefused(
          'too_many_pages',
          `${host} has more than ${limits.pages} pages, the most that are followed. Let it give more records on each.`,
        );
      }
      const answer = await openAnswer(client, authorization, url, limits.redirects);
      // 204: no content, which is a way to say that there are no records.
      if (answer.status === 204) {
        answer.cancel();
        return;
      }
      const page: FetchedPage = {
        host: answer.url.hostname,
        contentType: contentTypeOf(answer),
        bytes: answer.body,
        next: linkHeaderNext(answer.headers.link),
      };
      yield page;
      url = page.next === null ? null : nextAddress(page.next, answer.url);
    }
  } finally {
    await client.close();
  }
}

function nextAddress(link: string, from: URL): URL {
  if (URL.canParse(link, from.href)) {
    const url = new URL(link, from.href);
    url.hash = '';
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw new WebserviceRefused(
    'next_page_unreadable',
    `The link of ${from.hostname} to its next page is no address that begins with https:// or http://.`,
  );
}

/** The answer at an address, behind its redirects; with a success that has a body or is 204. */
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
    if (status === 401 && authorization.renew()) continue;
    if (status === 301 || status === 302 || status === 303 || status === 307 || status === 308) {
      const location = headerOf(answer.headers.location);
      if (location === '' || !URL.canParse(location, target.href)) {
        throw new WebserviceRefused(
          'redirect_broken',
          `${host} redirects (${status}) without a usable address.`,
        );
      }
      if (++redirects > mostRedirects) {
        throw new WebserviceRefused(
          'too_many_redirects',
          `${first.hostname} redirects more than ${mostRedirects} times in a row.`,
        );
      }
      target = new URL(location, target.href);
      target.hash = '';
      if (target.protocol !== 'https:' && target.protocol !== 'http:') {
        throw new WebserviceRefused(
          'redirect_broken',
          `${host} redirects to an address that is not of the web.`,
        );
      }
      continue;
    }
    throw statusRefusal(status, {
      host,
      retryAfter: headerOf(answer.headers['retry-after']),
      hasCredentials: authorization.hasCredentials,
    });
  }
}
