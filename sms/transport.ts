import { type buildConnector, Client, type Dispatcher } from 'undici';
import { userAgent } from '../domain/user-agent.ts';
import { withheld } from './provider.ts';

/** The result of one request, with all that a provider adapter needs to choose an outcome. */
export type Exchange =
  /** The status line arrived. `body` is null if the rest of the answer did not. */
  | { kind: 'answered'; status: number; retryAfter: string | null; body: string | null }
  /** No byte of the request was written: it was certainly not accepted. */
  | { kind: 'not_written'; code: string }
  /** The request was written, or may have been, and no answer came. */
  | { kind: 'unanswered'; code: string };

export interface TransportOptions {
  /** Its path, if any, is prepended to the path of each request. */
  baseUrl: string;
  /** Sent with each request. */
  headers: Record<string, string>;
  /** Requests set a `User-Agent` of their own. */
  ownUserAgent?: boolean;
  /** The timeout of each phase: the connection, the head of the answer, the whole answer. */
  timeoutMs: number;
  /** Maximum number of connections. Each carries one request at a time; further requests wait in memory. */
  connections: number;
  /** A longer answer counts as interrupted. */
  maxAnswerBytes?: number;
  /** Opens connections; by default to any address, within `timeoutMs`. */
  connect?: buildConnector.connector;
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT';
  /** Including the query. */
  path: string;
  /** In addition to those of all requests: name, value, name, value. */
  headers?: string[];
  body: string | Buffer | null;
  /** Called right before the first byte is written; false: `not_written`, with the code `withheld`. */
  mayLeave?: (() => boolean) | undefined;
}

export interface Transport {
  send(request: TransportRequest): Promise<Exchange>;
  post(path: string, body: string, mayLeave?: () => boolean): Promise<Exchange>;
  /** Waits for the running requests, then closes the connections. */
  close(): Promise<void>;
}

/** Much more than the one or two kilobytes of an answer to a send. */
const defaultMaxAnswerBytes = 64 * 1024;

/**
 * Sends requests over kept-alive connections, each exactly once: no retry, no redirect, and a reliable result on whether
 * the request may have reached the server.
 *
 * undici calls `onRequestStart` in the same tick in which it writes the first byte (client-h1.js, `writeH1`), and never
 * before it has a connection. An error without that call (refused, DNS, TLS, connect timeout, a kept-alive connection
 * found closed) therefore proves that nothing was written. After the call nothing can be proved. The most common false
 * alarm is a connection that the provider closed while it was idle. undici avoids it in two ways: it closes connections
 * after 4 idle seconds (earlier if the provider's Keep-Alive header requires it), and before it writes to an idle one,
 * it lets the event loop deliver a close or reset that has already arrived.
 *
 * Each connection is a separate `Client`, and the most recently used one is taken first: undici's `Pool` searches all
 * of them for a free one at each request (measured with 50 in flight: 5 of 27 µs of CPU per request).
 */
export function createTransport({
  baseUrl,
  headers,
  ownUserAgent = false,
  timeoutMs,
  connections,
  maxAnswerBytes = defaultMaxAnswerBytes,
  connect,
}: TransportOptions): Transport {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const flatHeaders = [...(ownUserAgent ? [] : ['user-agent', userAgent]), ...Object.entries(headers).flat()];
  const clients: Client[] = [];
  const idle: Client[] = [];
  const waiting: ((client: Client) => void)[] = [];
  let closed = false;

  const open = (): Client => {
    const client = new Client(origin, {
      pipelining: 1,
      connectTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: maxAnswerBytes,
      ...(connect && { connect }),
    });
    clients.push(client);
    return client;
  };
  const release = (client: Client): void => {
    const next = waiting.shift();
    if (next) next(client);
    else idle.push(client);
  };
  const dispatch = (
    client: Client,
    { method, path, headers: more, body, mayLeave }: TransportRequest,
    done: (exchange: Exchange) => void,
  ): void => {
    client.dispatch(
      {
        method,
        path: prefix + path,
        headers: more === undefined ? flatHeaders : [...flatHeaders, ...more],
        body,
      },
      new Sending(timeoutMs, mayLeave, (exchange) => {
        release(client);
        done(exchange);
      }),
    );
  };
  const send = (request: TransportRequest): Promise<Exchange> =>
    new Promise((resolve) => {
      const client = idle.pop() ?? (clients.length < connections ? open() : undefined);
      if (client) dispatch(client, request, resolve);
      else waiting.push((free) => dispatch(free, request, resolve));
    });

  return {
    send,
    post: (path, body, mayLeave) => send({ method: 'POST', path, body, mayLeave }),
    close: async () => {
      if (closed) return;
      closed = true;
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** One running request, as undici reports on it. A class, because undici looks up the methods for each request. */
class Sending implements Dispatcher.DispatchHandler {
  readonly #timeoutMs: number;
  readonly #mayLeave: (() => boolean) | undefined;
  readonly #done: (exchange: Exchange) => void;
  #written = false;
  #writtenAt = 0;
  #status = 0;
  #retryAfter: string | null = null;
  #body: Buffer | null = null;

  constructor(timeoutMs: number, mayLeave: (() => boolean) | undefined, done: (exchange: Exchange) => void) {
    this.#timeoutMs = timeoutMs;
    this.#mayLeave = mayLeave;
    this.#done = done;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#mayLeave?.() === false) {
      controller.abort(new TransportError(withheld));
      return;
    }
    this.#written = true;
    this.#writtenAt = performance.now();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const retryAfter = headers['retry-after'];
    if (typeof retryAfter === 'string') this.#retryAfter = retryAfter;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body = this.#body === null ? chunk : Buffer.concat([this.#body, chunk]);
    // undici's bodyTimeout restarts with each chunk: a slow answer would never end.
    if (performance.now() - this.#writtenAt > 2 * this.#timeoutMs) {
      controller.abort(new TransportError('ANSWER_TOO_SLOW'));
    }
  }

  onResponseEnd(): void {
    const body = this.#body === null ? '' : textOf(this.#body);
    this.#done({ kind: 'answered', status: this.#status, retryAfter: this.#retryAfter, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#status >= 200) {
      this.#done({ kind: 'answered', status: this.#status, retryAfter: this.#retryAfter, body: null });
    } else if (!this.#written) {
      this.#done({ kind: 'not_written', code: codeOf(error) });
    } else {
      this.#done({ kind: 'unanswered', code: codeOf(error) });
    }
  }
}

/** UTF-8, the standard; invalid UTF-8 is decoded as Latin-1, which older gateways send. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

class TransportError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name;
