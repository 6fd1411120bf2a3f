import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { Agent, request } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import { guardedConnect } from './guarded-connect.ts';
import { refusalOf } from './web-errors.ts';
import { WebserviceRefused } from './refused.ts';

export interface WebLimits {
  /** Of all answers of a mailing together, as they came and decompressed: each at most so many. */
  bytes: number;
  /** Longest wait for a connection, for the head of an answer, and for the next bytes of its body. */
  idleMs: number;
  /** Longest time for all of the mailing. */
  totalMs: number;
  /** Redirects followed for one address. */
  redirects: number;
  /** Pages followed. */
  pages: number;
}

export interface WebRequest {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

/** The head of an answer; its body is to be read or cancelled. */
export interface WebAnswer {
  url: URL;
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decompressed, within the limits. Throws `WebserviceRefused`. */
  body: AsyncIterable<Buffer>;
  /** Lets the connection go without reading the body. */
  cancel: () => void;
}

export interface WebClient {
  /** One request over a guarded connection; redirects are not followed. Throws `WebserviceRefused`. */
  send(url: URL, request: WebRequest): Promise<WebAnswer>;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

/**
 * A client for one mailing: its limits count from here on, over all its requests. `signal` ends what is under way with
 * its reason.
 */
export function createWebClient({
  guard,
  limits,
  signal,
}: {
  guard: AddressGuard;
  limits: WebLimits;
  signal: AbortSignal;
}): WebClient {
  const { idleMs, totalMs } = limits;
  const agent = new Agent({
    connect: guardedConnect(guard, { timeoutMs: Math.min(connectTimeoutMs, idleMs) }),
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    // One page after the other: a second connection is only for another host.
    connections: 2,
    pipelining: 1,
  });
  const late = new AbortController();
  const deadline = setTimeout(
    () => late.abort(WebserviceRefused.of({ code: 'takes_too_long', params: { ms: totalMs } })),
    totalMs,
  );
  deadline.unref();
  const ended = AbortSignal.any([signal, late.signal]);
  let wireBytes = 0;
  let bytes = 0;
  const tooLarge = (host: string) =>
    WebserviceRefused.of({ code: 'too_large', params: { host, bytes: limits.bytes } });

  /** What is told of an error: the reason of who ended it, else the error in plain words. */
  const refusal = (error: unknown, url: URL): unknown =>
    ended.aborted ? ended.reason : refusalOf(error, url, idleMs);

  async function* counted(raw: Readable, host: string): AsyncGenerator<Buffer> {
    for await (const chunk of raw) {
      if (!(chunk instanceof Buffer)) continue;
      wireBytes += chunk.length;
      if (wireBytes > limits.bytes) throw tooLarge(host);
      yield chunk;
    }
  }

  async function* bodyOf(url: URL, raw: Readable, encoding: string): AsyncGenerator<Buffer> {
    const { hostname } = url;
    try {
      for await (const chunk of decompressed(counted(raw, hostname), encoding, hostname)) {
        bytes += chunk.length;
        if (bytes > limits.bytes) throw tooLarge(hostname);
        yield chunk;
      }
    } catch (error) {
      throw refusal(error, url);
    } finally {
      raw.destroy();
    }
  }

  return {
    async send(url, { method, headers, body }) {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method,
          headers: {
            accept: 'application/json, application/x-ndjson;q=0.9, */*;q=0.1',
            'accept-encoding': 'gzip, deflate, br',
            'user-agent': 'Torpedo',
            ...headers,
          },
          signal: ended,
          ...(body === undefined ? {} : { body }),
        });
        // An abort while nobody reads would otherwise be an error that nobody handles.
        answer.body.on('error', () => undefined);
        return {
          url,
          status: answer.statusCode,
          headers: answer.headers,
          body: bodyOf(url, answer.body, headerOf(answer.headers['content-encoding'])),
          cancel: () => void answer.body.destroy(),
        };
      } catch (error) {
        throw refusal(error, url);
      }
    },
    async close() {
      clearTimeout(deadline);
      await agent.destroy();
    },
  };
}

/** A header's value; of several the first. */
export const headerOf = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value) ?? '';

/** By the Content-Encoding (RFC 9110, 8.4.1). */
async function* decompressed(
  bytes: AsyncGenerator<Buffer>,
  encoding: string,
  host: string,
): AsyncGenerator<Buffer> {
  const options = { chunkSize: 64 * 1024 };
  let source = bytes;
  let decompressor;
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      yield* bytes;
      return;
    case 'gzip':
    case 'x-gzip':
      decompressor = createGunzip(options);
      break;
    case 'br':
      decompressor = createBrotliDecompress(options);
      break;
    case 'deflate': {
      // Meant is the zlib format (RFC 1950), but many servers send bare deflate: the first byte tells.
      const first = await bytes.next();
      if (first.done === true) return;
      source = behind(first.value, bytes);
      const isZlib = ((first.value[0] ?? 0) & 0x0f) === 8;
      decompressor = isZlib ? createInflate(options) : createInflateRaw(options);
      break;
    }
    default:
      throw WebserviceRefused.of({ code: 'compression_unknown', params: { host } });
  }
  // The pipeline's error comes out of the iteration, too.
  pipeline(source, decompressor, () => undefined);
  for await (const chunk of decompressor) if (chunk instanceof Buffer) yield chunk;
}

async function* behind(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
