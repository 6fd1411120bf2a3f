import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, type Info, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { msOptionalToNumber } from '@temporalio/common/lib/time.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import postgres from 'postgres';
import { z } from 'zod';
import type { Database } from '../db/core/client.ts';
import {
  type ActivityKey,
  deleteEarlierRetries,
  deleteRetry,
  recordFailedAttempt,
  recordNextAttempt,
} from '../db/core/retries.ts';
import { SecretKeyMissing } from '../db/core/secrets.ts';
import { keptRetryCause, readRetryCause, type RetryCause, showableCode } from '../domain/problems/retries.ts';
import type { FailureType } from '../domain/failures.ts';

/** A report waits no longer for the database: the attempt sends no heartbeat any more, and its failure has to arrive. */
const longestReportMs = 2_000;

/** What updates call, beside the steps of their workflow. */
const handlers: ReadonlySet<string> = new Set([
  'pauseRun',
  'resumeRun',
  'requestCancel',
  'approveRun',
  'openManualRun',
  'openDryRun',
  'openResend',
]);
/** Of these several run at once, and each workflow of a reply has nothing else. */
const many: ReadonlySet<string> = new Set(['sendMessages', 'sendMessage', 'handleReply']);

/**
 * Tells the database of each activity that fails and is tried again, so that lists of runs show it: Temporal shows its
 * pending activities only to those who ask for one workflow. The attempt that fails writes a row, the one that succeeds
 * deletes it, and so does the next step of the workflow, which may have cancelled what waited for another attempt.
 *
 * An attempt that succeeds at once costs a statement at most, and a message that is sent none.
 */
export const reportRetries =
  (sql: Database): ActivityInterceptorsFactory =>
  ({ info, cancellationDetails }) => ({
    inbound: {
      async execute(input, next) {
        const key = keyOf(info);
        if (key === null) return next(input);
        const { attempt, activityType: activity } = info;
        const began = performance.now();
        const begun = reporting(async () => {
          if (attempt > 1) {
            const sinceMs = info.currentAttemptScheduledTimestampMs - info.scheduledTimestampMs;
            const givesUpInMs = leftMs(info, 0);
            await recordNextAttempt(sql, { ...key, activity, attempt, givesUpInMs, sinceMs });
          } else if (!handlers.has(activity) && !many.has(activity)) {
            await deleteEarlierRetries(sql, { workflowId: key.workflowId, besides: [...handlers] });
          }
        });
        try {
          const result = await next(input);
          await begun;
          if (attempt > 1) await reporting(() => deleteRetry(sql, key));
          return result;
        } catch (error) {
          await begun;
          // A worker that shuts down: another one takes over at once.
          const isHandedOver = error instanceof CancelledFailure && !cancellationDetails?.cancelRequested;
          const nextInMs = isHandedOver ? 0 : nextAttemptInMs(info, error, performance.now() - began);
          if (nextInMs === null) {
            if (attempt > 1) await reporting(() => deleteRetry(sql, key));
          } else if (!isHandedOver) {
            const { cause, givesUpInMs, attemptsLeft } = toldBy(error);
            const left = leftMs(info, performance.now() - began);
            await reporting(() =>
              recordFailedAttempt(sql, {
                ...key,
                activity,
                attempt,
                cause,
                nextInMs,
                givesUpInMs: givesUpInMs ?? left,
                attemptsLeft,
              }),
            );
          }
          throw error;
        }
      },
    },
  });

/**
 * For an activity that goes on for minutes, and says itself how it fares. `failing`: it goes on, and gets nowhere.
 * `overcome`: it does what it, or an attempt before it, could not; to be called as often as it succeeds.
 */
export function createReports(sql: Database) {
  const info = activityInfo();
  const key = keyOf(info);
  let isReported = info.attempt > 1;
  return {
    async failing(cause: RetryCause, nextInMs: number): Promise<void> {
      if (key === null) return;
      isReported = true;
      const { attempt, activityType: activity } = info;
      const failed = { ...key, activity, attempt, cause, nextInMs, givesUpInMs: null, attemptsLeft: null };
      await reporting(() => recordFailedAttempt(sql, failed));
    },
    async overcome(): Promise<void> {
      if (key === null || !isReported) return;
      isReported = false;
      await reporting(() => deleteRetry(sql, key));
    },
  };
}

/** What a failure tells of itself in its details, besides its type; only codes and numbers. */
const told = z.object({
  cause: keptRetryCause,
  givesUpInMs: z.number().nullable(),
  attemptsLeft: z.int().nullable(),
});

/** A failure after which Temporal tries again. `message` stays in the history: no phone, name or text in it. */
export function passingFailure(
  type: FailureType,
  message: string,
  {
    cause,
    nextInMs = null,
    givesUpInMs = null,
    attemptsLeft = null,
  }: {
    cause: RetryCause;
    /** Milliseconds until the next attempt; null: as the retry policy has it. */
    nextInMs?: number | null;
    /** Milliseconds until the activity itself gives up. */
    givesUpInMs?: number | null;
    attemptsLeft?: number | null;
  },
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    details: [{ cause, givesUpInMs, attemptsLeft }],
    ...(nextInMs === null ? {} : { nextRetryDelay: nextInMs }),
  });
}

const toldBy = (
  error: unknown,
): { cause: RetryCause; givesUpInMs: number | null; attemptsLeft: number | null } => {
  const details = error instanceof ApplicationFailure ? told.safeParse(error.details?.[0]) : null;
  const cause = details?.success ? readRetryCause(details.data.cause) : null;
  return {
    cause: cause ?? causeOf(error),
    givesUpInMs: details?.data?.givesUpInMs ?? null,
    attemptsLeft: details?.data?.attemptsLeft ?? null,
  };
};

/** SQLSTATEs by class (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
function causeOf(error: unknown): RetryCause {
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

/** Milliseconds until Temporal makes another attempt; null: it makes none. */
function nextAttemptInMs(info: Info, error: unknown, elapsedMs: number): number | null {
  const { attempt, retryPolicy = {} } = info;
  if (error instanceof CancelledFailure) return null;
  const asked = error instanceof ApplicationFailure ? error : null;
  const type = asked?.type ?? (error instanceof Error ? error.name : '');
  if (asked?.nonRetryable || retryPolicy.nonRetryableErrorTypes?.includes(type)) return null;
  const { maximumAttempts = 0, backoffCoefficient = 2 } = retryPolicy;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return null;
  const initialMs = msOptionalToNumber(retryPolicy.initialInterval) ?? 1_000;
  const longestMs = msOptionalToNumber(retryPolicy.maximumInterval) ?? 100 * initialMs;
  const nextInMs =
    msOptionalToNumber(asked?.nextRetryDelay) ??
    Math.min(longestMs, initialMs * backoffCoefficient ** (attempt - 1));
  const left = leftMs(info, elapsedMs);
  return left !== null && nextInMs >= left ? null : nextInMs;
}

/** Milliseconds until Temporal gives the activity up; null: never. By the server's clock. */
const leftMs = (
  { scheduleToCloseTimeoutMs, scheduledTimestampMs, currentAttemptScheduledTimestampMs }: Info,
  elapsedMs: number,
): number | null =>
  scheduleToCloseTimeoutMs > 0
    ? scheduleToCloseTimeoutMs - (currentAttemptScheduledTimestampMs - scheduledTimestampMs) - elapsedMs
    : null;

const keyOf = ({ workflowExecution, activityId }: Info): ActivityKey | null =>
  workflowExecution ? { workflowId: workflowExecution.workflowId, activityId } : null;

/** While the database is away nobody reads it either. */
async function reporting(write: () => Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const written = write().catch((error: unknown) => {
    log.warn('What is tried again could not be written', { error });
  });
  const late = sleep(longestReportMs, undefined, { signal: waiting.signal, ref: false }).catch(
    () => undefined,
  );
  await Promise.race([written, late]);
  waiting.abort();
}
