import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { contactAt } from './contacts.ts';

/**
 * An example of a web service from which Torpedo fetches contacts. It implements the contract of docs/webservice.md;
 * `npm run example:webservice` starts it.
 *
 * - `GET /contacts?since=2026-11-23T09:00:00-03:00&page=1`: an object with the records under `data` and the address of the
 *   next page, if any, under `links.next`. Contacts that have not changed since are omitted.
 * - `GET /contacts.ndjson`: all contacts, one on each line.
 *
 * Both require the header `Authorization: Bearer <token>`, and compress their answer for clients that accept gzip.
 */
export interface ExampleOptions {
  /** The number of its contacts. */
  contacts: number;
  pageSize: number;
  token: string;
}

export function createExampleWebservice(options: ExampleOptions): Server {
  return createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { contacts, pageSize, token }: ExampleOptions,
): Promise<void> {
  if (request.headers.authorization !== `Bearer ${token}`) {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return;
  }
  const url = new URL(request.url ?? '/', 'http://here');
  const since = Date.parse(url.searchParams.get('since') ?? '1970-01-01');
  if (Number.isNaN(since)) {
    sendError(response, 400, 'since is not a date and time');
    return;
  }
  // The contacts of the example have not changed since the start of 2026.
  const changed = since < Date.parse('2026-01-01') ? contacts : 0;

  switch (url.pathname) {
    case '/contacts': {
      const page = Number(url.searchParams.get('page') ?? 1);
      if (!Number.isInteger(page) || page < 1) {
        sendError(response, 400, 'page is not a positive whole number');
        return;
      }
      const last = Math.min(changed, page * pageSize);
      let next: string | null = null;
      if (last < changed) {
        url.searchParams.set('page', String(page + 1));
        // Relative to the address of this page, so that it also works behind a proxy.
        next = url.search;
      }
      return send(
        request,
        response,
        'application/json',
        pageOf((page - 1) * pageSize, last, { total: changed, next }),
      );
    }
    case '/contacts.ndjson':
      return send(request, response, 'application/x-ndjson', linesOf(changed));
    default: {
      sendError(response, 404, 'there is no such path');
      return;
    }
  }
}

/** Streamed: a page of a million contacts needs no more memory than a page of ten. */
function* pageOf(first: number, last: number, { total, next }: { total: number; next: string | null }) {
  yield `{"total":${total},"data":[`;
  for (let index = first; index < last; index++) {
    yield (index > first ? ',\n' : '\n') + JSON.stringify(contactAt(index));
  }
  yield `\n],"links":${JSON.stringify({ next })}}\n`;
}

function* linesOf(count: number) {
  for (let index = 0; index < count; index++) yield `${JSON.stringify(contactAt(index))}\n`;
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  type: string,
  pieces: Iterable<string>,
): Promise<void> {
  const source = Readable.from(inBlocks(pieces));
  const accepted = request.headers['accept-encoding'];
  if (typeof accepted === 'string' && /\bgzip\b/.test(accepted)) {
    response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
    await pipeline(source, createGzip({ level: 1 }), response);
  } else {
    response.writeHead(200, { 'content-type': type });
    await pipeline(source, response);
  }
}

/** Joins the pieces, because a write for each record would cost more than the record. */
function* inBlocks(pieces: Iterable<string>): Generator<Buffer> {
  let block = '';
  for (const piece of pieces) {
    block += piece;
    if (block.length < 64 * 1024) continue;
    yield Buffer.from(block);
    block = '';
  }
  if (block !== '') yield Buffer.from(block);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: message }));
}
