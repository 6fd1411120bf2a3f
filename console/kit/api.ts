import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { type AnsweredProblem, errorBody } from '../../api/http/errors.ts';
import { FormValues } from './form-data.ts';

/** The API's refusal, in its own shape. `code` is one of the table in api/http/errors.ts. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly code: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly problems: readonly AnsweredProblem[];
  /** All that the error holds, its further details too. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, error: z.infer<typeof errorBody>['error']) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.params = error.params;
    this.problems = error.problems ?? [];
    this.details = error;
  }
}

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Parameters of a URL; those without a value are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** What the API checks a request by, and the answer's language hangs on nothing else. */
const passedOn = ['cookie', 'origin', 'sec-fetch-site', 'user-agent'] as const;

/**
 * The API as the console sees it: the same routes that programs call, in this process, as the person who sent `request`.
 * Identity, permissions, validation, the check against other sites' pages and the audit log have their one home there.
 * Every call throws `ApiFailure` where the API refuses.
 */
export function createApi(app: FastifyInstance, request: FastifyRequest) {
  const headers: Record<string, string> = { host: request.host };
  for (const name of passedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  // To open a page changes nothing, wherever the link to it stands, though it may need the answer to a POST (a preview);
  // on plain HTTP a browser then says neither of what the API checks.
  if (request.method === 'GET') headers['sec-fetch-site'] = 'same-origin';
  /** The number of the form that asks: sent twice, it does its work once. */
  const onceOf = (): Record<string, string> => {
    const once = request.body instanceof FormValues ? request.body.text('once') : '';
    return once === '' ? {} : { 'idempotency-key': once };
  };

  async function call(
    method: 'GET' | Method,
    path: string,
    { query = {}, payload, type }: { query?: Query; payload?: object | Buffer | Readable; type?: string },
  ) {
    const answer = await app.inject({
      method,
      url: urlOf(path, query),
      headers: { ...headers, ...onceOf(), ...(type === undefined ? {} : { 'content-type': type }) },
      // The limits of requests count by address.
      remoteAddress: request.ip,
      ...(payload === undefined ? {} : { payload }),
    });
    if (answer.statusCode < 300) return answer;
    throw new ApiFailure(answer.statusCode, errorBody.parse(answer.json()).error);
  }

  return {
    /** Reads, with the schema that the API writes the answer with. */
    async get<T extends z.ZodType>(path: string, schema: T, query: Query = {}): Promise<z.output<T>> {
      return schema.parse((await call('GET', path, { query })).json());
    },
    /** Changes something. Without a schema the answer is not looked at. */
    async send<T extends z.ZodType = z.ZodUnknown>(
      method: Method,
      path: string,
      payload?: object,
      schema?: T,
    ): Promise<z.output<T>> {
      const answer = await call(method, path, payload === undefined ? {} : { payload });
      return (schema ?? z.unknown()).parse(answer.body === '' ? null : answer.json()) as z.output<T>;
    },
    /** Passes a body on as it is. */
    async upload<T extends z.ZodType>(
      path: string,
      { method = 'PUT', payload, type }: { method?: Method; payload: Buffer; type: string },
      schema: T,
    ): Promise<z.output<T>> {
      return schema.parse((await call(method, path, { payload, type })).json());
    },
    /** A file that is made for the body of a request, in memory as a whole. */
    async download(path: string, payload: object): Promise<{ content: Buffer; type: string }> {
      const { rawPayload, headers } = await call('POST', path, { payload });
      return { content: rawPayload, type: String(headers['content-type'] ?? 'application/octet-stream') };
    },
    /** The cookies that an answer sets are the browser's. */
    async sendForCookies(method: Method, path: string, payload?: object): Promise<string[]> {
      const answer = await call(method, path, payload === undefined ? {} : { payload });
      return [answer.headers['set-cookie'] ?? []].flat();
    },
  };
}
export type Api = ReturnType<typeof createApi>;

/** A path with its query; parameters without a value are left out. */
export function urlOf(path: string, query: Query): string {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== '',
  );
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}
