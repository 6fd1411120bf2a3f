import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { Agent, request } from 'undici';
import { userAgent } from '../domain/user-agent.ts';
import type { AddressGuard } from './address-guard.ts';
import { guardedConnect } from './guarded-connect.ts';
import { refusalOf } from './web-errors.ts';
import { WebserviceRefused } from './refused.ts';

export interface WebLimits {
  /** The maximum size of all answers of a mailing together, both as received and decompressed. */
  bytes: number;
  /** The maximum wait for a connection, for the head of an answer, and for the next bytes of its body. */
  idleMs: number;
  /** The maximum time for the whole mailing. */
  totalMs: number;
  /** The maximum number of redirects for one address. */
  redirects: number;
  /** The maximum number of pages. */
  pages: number;
}

export interface WebRequest {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

/** The head of an answer; the caller must read or cancel its body. */
export interface WebAnswer {
  url: URL;
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decompressed, within the limits. Throws `WebserviceRefused`. */
  body: AsyncIterable<Buffer>;
  /** Releases the connection without reading the body. */
  cancel: () => void;
}

export interface WebClient {
  /** Sends one request over a guarded connection; does not follow redirects. Throws `WebserviceRefused`. */
  send(url: URL, request: WebRequest): Promise<WebAnswer>;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

/**
 * A client for one mailing: its limits apply from here on, to all its requests together. `signal` ends running requests
 * with its reason.
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
    // Pages are read one after the other: a second connection is only for another host.
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

  /** The error to report: the reason of an abort, else the error in plain words. */
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
            'user-agent': userAgent,
            ...headers,
          },
          signal: ended,
          ...(body === undefined ? {} : { body }),
        });
        // Otherwise an abort without a reader would be an unhandled error.
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

/** A header's value; the first of several. */
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
      // The zlib format (RFC 1950) is correct, but many servers send raw deflate: the first byte distinguishes them.
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
  // The iteration reports the pipeline's error too.
  pipeline(source, decompressor, () => undefined);
  for await (const chunk of decompressor) if (chunk instanceof Buffer) yield chunk;
}

async function* behind(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
