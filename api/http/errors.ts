import type { FastifyReply, FastifyRequest } from 'fastify';
import postgres from 'postgres';
import { z } from 'zod';
import type { Day } from '../../db/core/day.ts';
import { SecretKeyMissing } from '../../db/core/secrets.ts';
import { createFormat, type Format, plainEnglish } from '../../domain/format.ts';
import { type ErrorParams, errorWords, problemWords } from '../../domain/problems/catalog.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import type { ErrorCode, Noun } from '../../domain/problems/errors.ts';
import type { Locale } from '../../domain/user.ts';

/** The status of each error. Its message, in both languages, is in domain/problems/errors.ts. */
const statuses = {
  invalid_json: 400,
  invalid_parameters: 400,
  bad_request: 400,
  unauthenticated: 401,
  login_failed: 401,
  forbidden: 403,
  not_for_tokens: 403,
  password_change_required: 403,
  cross_site: 403,
  not_found: 404,
  no_mailing_file: 404,
  no_answer_kept: 404,
  upload_broken: 400,
  form_broken: 400,
  import_broken: 400,
  upload_too_slow: 408,
  version_conflict: 409,
  extra_fields_changed: 409,
  name_taken: 409,
  in_use: 409,
  customer_in_use: 409,
  has_runs: 409,
  campaign_archived: 409,
  campaign_enabled: 409,
  not_enabled: 409,
  run_pending: 409,
  resend_pending: 409,
  run_ended: 409,
  not_waiting_for_approval: 409,
  restore_incomplete: 409,
  run_not_over: 409,
  nothing_to_resend: 409,
  not_unknown: 409,
  unknown_changed: 409,
  resend_changed: 409,
  run_not_failed: 409,
  run_not_ended: 409,
  last_admin: 409,
  opted_out: 409,
  phone_held: 409,
  customer_erased: 409,
  ticket_finished: 409,
  hold_decided: 409,
  already_opted_out: 409,
  secret_key_missing: 409,
  too_large: 413,
  unsupported_type: 415,
  invalid_fields: 422,
  incomplete_campaign: 422,
  mailing_refused: 422,
  webservice_refused: 422,
  not_delivered: 422,
  rate_limited: 429,
  internal: 500,
  database_unavailable: 503,
  temporal_unavailable: 503,
  worker_unavailable: 503,
  sandbox_unavailable: 503,
  busy: 503,
} as const satisfies Readonly<Record<ErrorCode, number>>;

interface More {
  problems?: readonly Problem[];
  /** Additional keys of the response. Plain JSON, without personal data. */
  details?: Readonly<Record<string, unknown>>;
}
/** The parameters of a code's message are required if it has any. */
type Content<C extends ErrorCode> =
  Record<string, never> extends ErrorParams<C>
    ? [content?: More & { params?: ErrorParams<C> }]
    : [content: More & { params: ErrorParams<C> }];
type Refusal = { [C in ErrorCode]: [code: C, ...content: Content<C>] }[ErrorCode];

/** An error response: any handler may throw it, and `sendError` sends it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly params: ErrorParams<ErrorCode>;
  readonly statusCode: number;
  readonly content: More;

  constructor(...[code, content = {}]: Refusal) {
    const params = content.params ?? {};
    super(errorWords<ErrorCode>(code, params, plainEnglish));
    this.code = code;
    this.params = params;
    this.statusCode = statuses[code];
    this.content = content;
  }
}

/** 404 for a noun: `throw notFound('campaign', 7)`. */
export const notFound = (noun: Noun, id: number): ApiError =>
  new ApiError('not_found', { params: { noun, id } });

/** The row, or 404 without one: `orNotFound(await getCampaign(sql, 7), 'campaign', 7)`. */
export function orNotFound<T>(row: T | null | undefined, noun: Noun, id: number): T {
  if (row === null || row === undefined) throw notFound(noun, id);
  return row;
}

/** A problem as the API returns it: `message` is the text of the code, in the language of the request. */
export const answeredProblem = z.object({
  field: z.string(),
  code: z.string(),
  params: z.record(z.string(), z.unknown()).optional(),
  message: z.string(),
});
export type AnsweredProblem = z.infer<typeof answeredProblem>;

/** The body of every error; `requestId` finds the request in the log. */
export const errorBody = z.looseObject({
  error: z.looseObject({
    code: z.enum(Object.keys(statuses)),
    params: z.record(z.string(), z.unknown()),
    message: z.string(),
    problems: z.array(answeredProblem).optional(),
    requestId: z.string(),
  }),
});

/**
 * The language and time format of messages: for a logged-in user, their own language and time zone; otherwise the first
 * supported language of `Accept-Language`, or English, with instants in ISO 8601.
 */
export function formatOf(request: FastifyRequest): Format {
  const reads = request.actor?.reads;
  return reads ? createFormat(reads.locale, reads.timezone) : createFormat(languageOf(request) ?? 'en', null);
}

/** A calendar day in the time zone of the sender of a request. */
export const dayOf = (request: FastifyRequest, date: string | undefined): Day | undefined =>
  date === undefined ? undefined : { date, zone: formatOf(request).timeZone };

/** The first supported language of `Accept-Language`; null: none. */
export function languageOf(request: FastifyRequest): Locale | null {
  const languages = (request.headers['accept-language'] ?? '').toLowerCase().split(',');
  const first = languages.map((one) => one.trim()).find((one) => /^(pt|en)\b/.test(one));
  return first === undefined ? null : first.startsWith('en') ? 'en' : 'pt-BR';
}

export const answered = (problem: Problem, format: Format): AnsweredProblem => {
  const { field, code, params } = problem;
  return { field, code, params, message: problemWords(problem, format) };
};

/** Sends the error response of an error. An unexpected error is logged, and returned as `internal`. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toApiError(error);
  if (known.statusCode >= 500) request.log.error({ err: error }, 'request failed');
  const { code, params } = known;
  const { problems, details } = known.content;
  const format = formatOf(request);
  if (known.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  if ('retryAfterMs' in params) reply.header('retry-after', Math.ceil(params.retryAfterMs / 1000));
  return reply
    .code(known.statusCode)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({
      error: {
        code,
        params,
        message: errorWords<ErrorCode>(code, params, format),
        ...(problems === undefined ? {} : { problems: problems.map((problem) => answered(problem, format)) }),
        ...details,
        requestId: request.id,
      },
    });
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const uniqueViolation = '23505';
/** Another transaction holds a row that the request needs for longer than the request waits (db/core/limits.ts). */
const lockTimeout = '55P03';
const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECTION_SILENT',
  // A limit of db/core/limits.ts: of a statement, of an idle transaction.
  '57014',
  '25P03',
  // The server starts, stops, or has no connection left.
  '57P01',
  '57P03',
  '53300',
]);
const byFastifyCode: Readonly<Record<string, 'invalid_json' | 'unsupported_type'>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_type',
};

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof Error)) return new ApiError('internal');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof postgres.PostgresError && code === uniqueViolation) {
    const what = (['login', 'code'] as const).find((one) => error.constraint_name?.endsWith(`_${one}_key`));
    const params = { what: what ?? 'name' } as const;
    return new ApiError('name_taken', { params, problems: [problem(params.what, 'taken', params)] });
  }
  if (error instanceof SecretKeyMissing) {
    return new ApiError('secret_key_missing', { params: { keyId: error.keyId } });
  }
  if (code === lockTimeout) return new ApiError('busy', { params: { with: 'requests' } });
  if (connectionCodes.has(code)) return new ApiError('database_unavailable');
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ApiError('too_large', { params: { limitBytes: null } });
  const fastifyCode = byFastifyCode[code];
  if (fastifyCode !== undefined) return new ApiError(fastifyCode);
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) return new ApiError('bad_request');
  return new ApiError('internal');
}

/** Whether PostgreSQL rejects a change because another row refers to this one. */
export const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code === '23503';
