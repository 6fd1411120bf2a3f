import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import postgres from 'postgres';
import type { FailureType } from '../domain/failures.ts';

/** A failure that no further attempt mends. `message` stands in the history: no phone number, name or text in it. */
export const finalFailure = (type: FailureType, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, details, nonRetryable: true });

const longestMessage = 300;

/**
 * What may be told to Temporal of an error that an activity did not foresee: a history is for ever, and others read it.
 * Our own failures and cancellations stay as they are. Of all others stay the type, the places in the code, and what can
 * hold nothing of a person: PostgreSQL and `JSON.parse` quote values in their messages, and any may quote a phone.
 */
export function withoutData(error: unknown): unknown {
  if (error instanceof TemporalFailure) return error;
  if (!(error instanceof Error))
    return ApplicationFailure.create({ type: 'Error', message: 'A value was thrown.' });
  // The SDK knows by it that the activity was cancelled.
  if (error.name === 'AbortError') return error;
  const message = describeFault(error);
  const failure = ApplicationFailure.create({ type: error.name, message });
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
