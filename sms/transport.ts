import { type buildConnector, Client, type Dispatcher } from 'undici';
import { withheld } from './provider.ts';

/** What became of one request: all that a provider adapter needs to decide between its outcomes. */
export type Exchange =
  /** The status line arrived. `body` is null when the rest of the answer did not. */
  | { kind: 'answered'; status: number; retryAfter: string | null; body: string | null }
  /** Not one byte of the request was written: it was certainly not taken. */
  | { kind: 'not_written'; code: string }
  /** The request was written, or may have been, and no answer came. */
  | { kind: 'unanswered'; code: string };

export interface TransportOptions {
  /** Scheme, host and port; a path in it goes before the path of each request. */
  baseUrl: string;
  /** Sent with each request. */
  headers: Record<string, string>;
  /** For the connection, for the head of the answer, and for all of it: each at most this long. */
  timeoutMs: number;
  /** Connections at most; each carries one request at a time. More requests than these wait in memory. */
  connections: number;
  /** A longer answer counts as broken off. */
  maxAnswerBytes?: number;
  /** Opens connections; by default any that is asked for, within `timeoutMs`. */
  connect?: buildConnector.connector;
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT';
  /** With its query. */
  path: string;
  /** Besides those of all requests: name, value, name, value. */
  headers?: string[];
  body: string | null;
  /** Asked right before the first byte is written; false: `not_written`, with the code `withheld`. */
  mayLeave?: (() => boolean) | undefined;
}

export interface Transport {
  send(request: TransportRequest): Promise<Exchange>;
  post(path: string, body: string, mayLeave?: () => boolean): Promise<Exchange>;
  /** Waits for the requests under way, then closes the connections. */
  close(): Promise<void>;
}

/** Providers answer a send with one or two kilobytes. */
const defaultMaxAnswerBytes = 64 * 1024;

/**
 * Requests over kept-alive connections, each once: no retry, no redirect, and an exact word on whether the request can have
 * reached the other side.
 *
 * undici calls `onRequestStart` in the same tick in which it writes the first byte (client-h1.js, `writeH1`), and not
 * before it has a connection. An error without that call (refused, DNS, TLS, connect time-out, a kept-alive
 * connection found closed) therefore proves that nothing was written; after it, nothing is proved.
 * The commonest false alarm, a connection that the provider closed while it was idle, is met by undici in two ways:
 * it gives connections up after 4 idle seconds (earlier if the provider's Keep-Alive header says so), and before it
 * writes to an idle one it lets the event loop deliver a close or reset that has already arrived.
 *
 * Each connection is a `Client` of its own, and the one used last is taken first: undici's `Pool` looks for a free one
 * by asking one after the other, for each request (measured with 50 in flight: 5 of 27 µs of CPU a request).
 */
export function createTransport({
  baseUrl,
  headers,
  timeoutMs,
  connections,
  maxAnswerBytes = defaultMaxAnswerBytes,
  connect,
}: TransportOptions): Transport {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const flatHeaders = Object.entries(headers).flat();
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

/** One request under way, as undici reports on it. A class: undici looks the methods up for each request. */
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
    // undici's bodyTimeout starts anew with each chunk: an answer that drips would never end.
    if (performance.now() - this.#writtenAt > 2 * this.#timeoutMs) {
      controller.abort(new TransportError('ANSWER_TOO_SLOW'));
    }
  }

  onResponseEnd(): void {
    const body = this.#body === null ? '' : this.#body.toString();
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

class TransportError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name;
