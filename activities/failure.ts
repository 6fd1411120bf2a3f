import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import postgres from 'postgres';
import { SecretKeyMissing } from '../db/core/secrets.ts';
import type { FailureType } from '../domain/failures.ts';
import { readRetryCause, type RetryCause, showableCode } from '../domain/problems/retries.ts';

/** A failure that no retry can fix. `message` is stored in the history: no phone number, name or text in it. */
export const finalFailure = (type: FailureType, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, details, nonRetryable: true });

const longestMessage = 300;

/**
 * What Temporal may store of an error that an activity did not expect: histories are permanent, and others read them.
 * Our own failures and cancellations are kept unchanged. Of all others we keep the type, the code locations, the code
 * of the cause, and whatever cannot contain personal data: PostgreSQL and `JSON.parse` quote values in their messages,
 * and any other message may quote a phone.
 */
export function withoutData(error: unknown): unknown {
  if (error instanceof TemporalFailure) return error;
  if (!(error instanceof Error))
    return ApplicationFailure.create({ type: 'Error', message: 'A value was thrown.' });
  // The SDK uses this to recognize a cancelled activity.
  if (error.name === 'AbortError') return error;
  const message = describeFault(error);
  const failure = ApplicationFailure.create({
    type: error.name,
    message,
    details: [{ cause: causeOf(error), givesUpInMs: null, attemptsLeft: null }],
  });
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  failure.stack = [`${error.name}: ${message}`, ...frames].join('\n');
  return failure;
}

function describeFault(error: Error): string {
  if (error instanceof postgres.PostgresError) {
    const { code, constraint_name: constraint, table_name: table } = error;
    return `PostgreSQL has refused a statement (${[code, table, constraint].filter(Boolean).join(' ')}).`;
  }
  if (error instanceof SyntaxError) return 'A text could not be parsed.';
  return error.message.replaceAll(/\d{7,}/g, '…').slice(0, longestMessage);
}

/** SQLSTATEs by class (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
export function causeOf(error: unknown): RetryCause {
  if (error instanceof SecretKeyMissing)
    return { code: 'secret_key_missing', params: { keyId: showableCode(error.keyId) } };
  if (error instanceof postgres.PostgresError) {
    const { code: sqlState } = error;
    if (sqlState === '53100') return { code: 'database_full', params: {} };
    if (['42703', '42P01', '42883', '3F000'].includes(sqlState))
      return { code: 'database_schema', params: { sqlState } };
    if (/^(?:08|57P)/.test(sqlState)) return { code: 'database_unavailable', params: {} };
    if (/^(?:40|53|55P03|57014|25P0[34])/.test(sqlState))
      return { code: 'database_busy', params: { sqlState } };
    return { code: 'database_error', params: { sqlState } };
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^CONNECT/.test(code)) return { code: 'database_unavailable', params: {} };
  const name = error instanceof ApplicationFailure ? error.type : error instanceof Error ? error.name : null;
  return { code: 'fault', params: { name: showableCode(name ?? 'Error') } };
}

/**
 * The same, for a failure that a workflow received from Temporal.
 *
 * @param type of an ApplicationFailure; null if there is none, as when an activity timed out
 * @param detail the first of its details
 */
export function causeOfFailure({ type, detail }: { type: string | null; detail: unknown }): RetryCause {
  const cause =
    typeof detail === 'object' && detail !== null && 'cause' in detail ? readRetryCause(detail.cause) : null;
  if (cause !== null) return cause;
  return type === null
    ? { code: 'no_answer', params: {} }
    : { code: 'fault', params: { name: showableCode(type) } };
}
