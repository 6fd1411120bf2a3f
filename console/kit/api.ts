import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { type AnsweredProblem, errorBody } from '../../api/http/errors.ts';
import { FormValues } from './form-data.ts';

/** The API's error, unchanged. `code` is one of the table in api/http/errors.ts. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly code: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly problems: readonly AnsweredProblem[];
  /** The whole error, with its further details. */
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

/** An error of the console itself, in the same format. */
export const refusalOf = (
  status: number,
  code: string,
  { params = {}, problems = [] }: { params?: Record<string, unknown>; problems?: AnsweredProblem[] } = {},
): ApiFailure => new ApiFailure(status, { code, params, message: '', requestId: '', problems });

/** The same error, with the form's names of the fields. */
export const withFields = (failure: ApiFailure, rename: (field: string) => string): ApiFailure =>
  new ApiFailure(failure.status, {
    ...{ code: failure.code, params: failure.params, message: failure.message, requestId: '' },
    problems: failure.problems.map((problem) => ({ ...problem, field: rename(problem.field) })),
  });

/** For a form: the version from which it was filled in. */
export const versionField = 'if-match';

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** Parameters of a URL; those without a value are omitted. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** The headers that the API checks, and that determine the language of the answer. */
const passedOn = ['cookie', 'origin', 'sec-fetch-site', 'user-agent', 'torpedo-background'] as const;

/**
 * The API for the console: the same routes that programs call, in this process, as the user who sent `request`. The API
 * alone handles identity, permissions, validation, the check against cross-site requests and the audit log. Every call
 * throws `ApiFailure` if the API rejects it. `versions` keeps the versions of the documents that were read, by path.
 */
export function createApi(app: FastifyInstance, request: FastifyRequest, versions: Map<string, string>) {
  const headers: Record<string, string> = { host: request.host };
  for (const name of passedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  // Opening a page changes nothing, whichever site links to it, but may need the answer to a POST (a preview); on plain
  // HTTP a browser then sends neither of the headers that the API checks.
  if (request.method === 'GET') headers['sec-fetch-site'] = 'same-origin';
  /** The number of the form: sent twice, it takes effect once. */
  const onceOf = (): Record<string, string> => {
    const once = request.body instanceof FormValues ? request.body.text('once') : '';
    return once === '' ? {} : { 'idempotency-key': once };
  };

  /** The version from which the form was filled in: the API rejects a change of another one. */
  const versionOf = (method: 'GET' | Method): Record<string, string> => {
    const version = request.body instanceof FormValues ? request.body.text(versionField) : '';
    return version === '' || (method !== 'PUT' && method !== 'PATCH') ? {} : { 'if-match': version };
  };

  async function call(
    method: 'GET' | Method,
    path: string,
    { query = {}, payload, type }: { query?: Query; payload?: object | Buffer | Readable; type?: string },
  ) {
    const answer = await app.inject({
      method,
      url: urlOf(path, query),
      headers: {
        ...headers,
        ...onceOf(),
        ...versionOf(method),
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      // The request limits count by address.
      remoteAddress: request.ip,
      ...(payload === undefined ? {} : { payload }),
    });
    const { etag } = answer.headers;
    if (method === 'GET' && typeof etag === 'string') versions.set(path, etag);
    if (answer.statusCode < 300) return answer;
    const { error } = errorBody.parse(answer.json());
    // The form is shown again, with the entered values and the present version.
    if (error.code === 'version_conflict' && 'if-match' in versionOf(method))
      error.params = { ...error.params, ofPart: true };
    throw new ApiFailure(answer.statusCode, error);
  }

  return {
    /** Reads, with the schema that the API writes the answer with. */
    async get<T extends z.ZodType>(path: string, schema: T, query: Query = {}): Promise<z.output<T>> {
      return schema.parse((await call('GET', path, { query })).json());
    },
    /** Changes something. Without a schema the answer is ignored. */
    async send<T extends z.ZodType = z.ZodUnknown>(
      method: Method,
      path: string,
      payload?: object,
      schema?: T,
    ): Promise<z.output<T>> {
      const answer = await call(method, path, payload === undefined ? {} : { payload });
      return (schema ?? z.unknown()).parse(answer.body === '' ? null : answer.json()) as z.output<T>;
    },
    /** Forwards a body unchanged. */
    async upload<T extends z.ZodType>(
      path: string,
      { method = 'PUT', payload, type }: { method?: Method; payload: Buffer; type: string },
      schema: T,
    ): Promise<z.output<T>> {
      return schema.parse((await call(method, path, { payload, type })).json());
    },
    /** A file from the body of a request, completely in memory. */
    async download(path: string, payload: object): Promise<{ content: Buffer; type: string }> {
      const { rawPayload, headers } = await call('POST', path, { payload });
      return { content: rawPayload, type: String(headers['content-type'] ?? 'application/octet-stream') };
    },
    /** The cookies that an answer sets are passed to the browser. */
    async sendForCookies(method: Method, path: string, payload?: object): Promise<string[]> {
      const answer = await call(method, path, payload === undefined ? {} : { payload });
      return [answer.headers['set-cookie'] ?? []].flat();
    },
  };
}
export type Api = ReturnType<typeof createApi>;

/** A path with its query; parameters without a value are omitted. */
export function urlOf(path: string, query: Query): string {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== '',
  );
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}
