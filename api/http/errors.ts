import type { FastifyReply, FastifyRequest } from 'fastify';
import postgres from 'postgres';
import { z } from 'zod';
import { SecretKeyMissing } from '../../db/core/secrets.ts';
import type { Problem } from '../../domain/campaign.ts';

/**
 * Every error the API answers with, by its stable code. Programs decide by the code, people read the message; a throw
 * may give a message that knows more.
 */
const table = {
  invalid_json: [400, 'The body is not valid JSON.'],
  invalid_parameters: [400, 'Parameters of the URL are missing or wrong.'],
  bad_request: [400, 'The request can not be read.'],
  unauthenticated: [401, 'Log in, or send an API token that is valid: Authorization: Bearer tpd_…'],
  login_failed: [401, 'Login or password is wrong.'],
  forbidden: [403, 'Your role does not allow this.'],
  not_for_tokens: [403, 'An API token may not do this. Sign in as a user.'],
  password_change_required: [
    403,
    'Your password was given to you. Choose your own first: PUT /api/session/password.',
  ],
  cross_site: [403, 'The request comes from another site. Programs use an API token instead of a session.'],
  not_found: [404, 'There is nothing here.'],
  upload_broken: [400, 'The upload broke off before its end. Nothing of it was kept.'],
  upload_too_slow: [408, 'The upload takes too long. Nothing of it was kept.'],
  version_conflict: [409, 'Someone else has changed it meanwhile. Read it again, then repeat your change.'],
  name_taken: [409, 'The name is taken.'],
  in_use: [409, 'It is in use and can not be deleted. Archive it instead.'],
  has_runs: [409, 'A campaign that has run is kept, with its messages. Disable it instead.'],
  campaign_enabled: [409, 'The campaign is enabled. Disable it first.'],
  not_enabled: [409, 'The campaign is not enabled.'],
  run_pending: [409, 'An earlier run of this campaign is still pending.'],
  run_ended: [409, 'The run has ended.'],
  not_waiting_for_approval: [409, 'The run does not wait for approval.'],
  restore_unsettled: [
    409,
    'The database was restored from a backup, and the providers are still asked who has opted out since. Nothing is sent before, unless an admin goes on without.',
  ],
  run_not_over: [409, 'Only a run that is finished or cancelled can be resent.'],
  nothing_to_resend: [409, 'No message of the run is left to be sent again.'],
  not_unknown: [409, 'Only a message that is unknown can be settled.'],
  unknown_changed: [
    409,
    'The run has another number of unknown messages by now. Look again, then repeat it.',
  ],
  resend_changed: [409, 'There are other messages to be sent again by now. Look again, then repeat it.'],
  run_not_failed: [409, 'Only a run that failed can be retried.'],
  last_admin: [409, 'This is the last admin who can log in. Make someone else an admin first.'],
  opted_out: [409, 'This phone has asked to be left alone. Nothing is sent to it.'],
  secret_key_missing: [
    409,
    'Its secrets are sealed with a key that is not configured. Add the key to SECRET_KEYS, or enter the secrets again.',
  ],
  too_large: [413, 'The body is too large.'],
  unsupported_type: [415, 'The content type is not one this address takes.'],
  invalid_fields: [422, 'Some fields are missing or wrong.'],
  incomplete_campaign: [422, 'The campaign is not complete: it can not run.'],
  mailing_refused: [422, 'The file can not be taken as a mailing.'],
  webservice_refused: [422, 'The web service does not give what a mailing needs.'],
  rate_limited: [429, 'Too many requests. Wait, then try again.'],
  internal: [500, 'Something went wrong here. The log tells more under the request id.'],
  database_unavailable: [503, 'The database does not answer. Try again in a moment.'],
  temporal_unavailable: [503, 'Temporal does not answer. Try again in a moment.'],
  worker_unavailable: [
    503,
    'No worker has answered in time. It may still be done as soon as one runs: look before you repeat it.',
  ],
  sandbox_unavailable: [503, 'The sandbox does not answer, or there is no provider of its kind.'],
  busy: [503, 'Too much of this is under way. Try again in a moment.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;
export type ErrorCode = keyof typeof table;

interface ErrorContent {
  message?: string | undefined;
  problems?: readonly Problem[] | undefined;
  /** More keys of the answer. Plain JSON, without personal data. */
  details?: Record<string, unknown> | undefined;
}

/** An answer other than success: thrown anywhere in a handler, sent by `sendError`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly statusCode: number;
  readonly content: ErrorContent;

  constructor(code: ErrorCode, content: ErrorContent = {}) {
    super(content.message ?? table[code][1]);
    this.code = code;
    this.statusCode = table[code][0];
    this.content = content;
  }
}

/** 404 for a noun: `throw notFound('campaign', 7)`. */
export const notFound = (noun: string, id: number): ApiError =>
  new ApiError('not_found', { message: `There is no ${noun} ${id}.` });

/** The body of every error; `requestId` finds the request in the log. */
export const errorBody = z.looseObject({
  error: z.looseObject({
    code: z.enum(Object.keys(table)),
    message: z.string(),
    problems: z.array(z.object({ field: z.string(), code: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
  }),
});

/** Answers a request with the error's place in the table. What is not foreseen is logged, and told as `internal`. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toApiError(error);
  if (known.statusCode >= 500) request.log.error({ err: error }, 'request failed');
  const { problems, details } = known.content;
  if (known.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  if (typeof details?.retryAfterMs === 'number') {
    reply.header('retry-after', Math.ceil(details.retryAfterMs / 1000));
  }
  return reply
    .code(known.statusCode)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({
      error: {
        code: known.code,
        message: known.message,
        ...(problems === undefined ? {} : { problems }),
        ...details,
        requestId: request.id,
      },
    });
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const uniqueViolation = '23505';
/** Somebody else holds a row that the request needs for longer than it waits (db/core/limits.ts). */
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
const byFastifyCode: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_type',
};

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof Error)) return new ApiError('internal');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof postgres.PostgresError && code === uniqueViolation) {
    const field = /_(login|code)_key$/.exec(error.constraint_name ?? '')?.[1] ?? 'name';
    const message = `This ${field} is taken.`;
    return new ApiError('name_taken', { message, problems: [{ field, code: 'taken', message }] });
  }
  if (error instanceof SecretKeyMissing) {
    return new ApiError('secret_key_missing', {
      message: `${error.message} Add the key to SECRET_KEYS, or enter the secrets again.`,
    });
  }
  if (code === lockTimeout) return new ApiError('busy');
  if (connectionCodes.has(code)) return new ApiError('database_unavailable');
  const fastifyCode = byFastifyCode[code];
  if (fastifyCode !== undefined) return new ApiError(fastifyCode);
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) return new ApiError('bad_request');
  return new ApiError('internal');
}

/** Whether PostgreSQL refuses a change because another row refers to this one. */
export const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code === '23503';
