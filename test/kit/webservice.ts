import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { paging } from '../../domain/paging.ts';
import { fieldMap, type WebserviceBlock } from '../../domain/webservice.ts';
import { type AddressGuard, createAddressGuard } from '../../mailing/address-guard.ts';
import { createTokenCache } from '../../mailing/authorization.ts';
import type { MailingRecord } from '../../mailing/record.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import {
  type AnswerPage,
  defaultWebserviceLimits,
  fetchWebservice,
  readAnswer,
  type WebserviceDeps,
  type WebserviceLimits,
  type WebserviceReading,
  type WebserviceRequest,
} from '../../mailing/webservice.ts';

/** Short limits, and access to the loopback address of test servers. */
export const webserviceDeps = (limits: Partial<WebserviceLimits> = {}): WebserviceDeps => ({
  guard: createAddressGuard(['127.0.0.1']),
  tokens: createTokenCache(),
  limits: { ...defaultWebserviceLimits, idleMs: 5_000, totalMs: 30_000, ...limits },
});
export const localWebservice = webserviceDeps();

/** Fetches and reads a mailing as a run does, and keeps the pages in memory. */
export async function* readWebservice(
  deps: WebserviceDeps,
  {
    webservice,
    extraFields,
    today,
    ...request
  }: WebserviceRequest & WebserviceReading & { webservice: Pick<WebserviceBlock, 'paging'> },
): AsyncGenerator<MailingRecord[]> {
  const { recordsPath, paging } = webservice;
  const kept: (Omit<AnswerPage, 'bytes'> & { pieces: Buffer[] })[] = [];
  async function* keep({ host, contentType, bytes }: AnswerPage): AsyncGenerator<Buffer> {
    const pieces: Buffer[] = [];
    kept.push({ host, contentType, pieces });
    for await (const piece of bytes) {
      pieces.push(piece);
      yield piece;
    }
  }
  const fetching = fetchWebservice(deps, { ...request, recordsPath, paging }, keep);
  while ((await fetching.next()).done !== true);
  async function* pages(): AsyncGenerator<AnswerPage> {
    for (const { pieces, ...page } of kept)
      yield {
        ...page,
        bytes: (async function* () {
          yield* pieces;
        })(),
      };
  }
  yield* readAnswer(pages(), { webservice, extraFields, today, limits: deps.limits });
}

export interface ReadOptions {
  url?: string;
  /** Is appended to the URL. */
  query?: string;
  limits?: Partial<WebserviceLimits>;
  guard?: AddressGuard;
  recordsPath?: string | null;
  paging?: z.input<typeof paging>;
  signal?: AbortSignal;
}

/** Functions that read a mailing from `service`; by default the pages of its answer are followed by their links. */
export function createWebserviceReader(service: { url: string }) {
  const requestOf = (options: ReadOptions = {}) => ({
    url: new URL((options.url ?? service.url) + (options.query ?? '')),
    integration: null,
    webservice: {
      recordsPath: options.recordsPath ?? null,
      paging: paging.parse(options.paging ?? { by: 'links' }),
      fieldMap: fieldMap.parse({}),
    },
    extraFields: [],
    today: '2026-11-29',
    signal: options.signal ?? new AbortController().signal,
  });
  const records = async (options: ReadOptions = {}): Promise<MailingRecord[]> => {
    const deps = webserviceDeps(options.limits);
    const all: MailingRecord[] = [];
    const batches = readWebservice({ ...deps, guard: options.guard ?? deps.guard }, requestOf(options));
    for await (const batch of batches) all.push(...batch);
    return all;
  };
  return {
    requestOf,
    records,
    /** The code of each contact, or of the problem of its record. */
    codes: async (options: ReadOptions = {}): Promise<string[]> =>
      (await records(options)).map((record) => (record.ok ? record.contact.code : record.problem.code)),
    refusal: async (
      options: ReadOptions = {},
    ): Promise<{ code: string; message: string; mayPass: boolean }> => {
      const error: unknown = await records(options).then(
        ({ length }) => new Error(`The answer was not refused: it has ${length} records.`),
        (error: unknown) => error,
      );
      if (!(error instanceof WebserviceRefused)) throw error;
      const { code, message, mayPass } = error;
      return { code, message, mayPass };
    },
  };
}

/** The records of `count` contacts, whose codes count up from `from`. */
export const numberedContacts = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ codigo: from + index, celular: '11987654321' }));

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** An HTTP server. `answer` changes its handler at any time, and `close` drops every connection. */
export async function startWebservice(handler: Handler) {
  const requests: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const service = { handler };
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', headers: request.headers });
    void service.handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/contacts`,
    requests,
    /** Replaces the handler for all further requests. */
    answer(next: Handler) {
      service.handler = next;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with a JSON document. */
export const json =
  (body: unknown, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

/** Answers with the given bytes. */
export const bytes =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };
