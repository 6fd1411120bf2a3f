import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, type Info, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { msOptionalToNumber } from '@temporalio/common/lib/time.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { z } from 'zod';
import type { Database } from '../db/core/client.ts';
import {
  type ActivityKey,
  deleteEarlierRetries,
  deleteRetry,
  recordFailedAttempt,
  recordNextAttempt,
} from '../db/core/retries.ts';
import { keptRetryCause, readRetryCause, type RetryCause } from '../domain/problems/retries.ts';
import type { FailureType } from '../domain/failures.ts';
import { causeOf } from './failure.ts';

/** A report waits at most this long for the database: the attempt sends no more heartbeats, and must fail in time. */
const longestReportMs = 2_000;

/** The activities that updates call, besides the steps of their workflow. */
const handlers: ReadonlySet<string> = new Set([
  'pauseRun',
  'resumeRun',
  'requestCancel',
  'approveRun',
  'openManualRun',
  'openDryRun',
  'openResend',
]);
/** Several of these run at once, and each workflow of a reply has no other step. */
const many: ReadonlySet<string> = new Set(['sendMessages', 'sendMessage', 'sendAnswer', 'handleReply']);

/**
 * Records each activity that fails and is retried, so that lists of runs show it: Temporal shows pending activities
 * only for one workflow at a time. The attempt that fails writes a row. The attempt that succeeds deletes it, and so
 * does the next step of the workflow, which may have cancelled an activity that waited for a retry.
 *
 * An attempt that succeeds at once costs a statement at most, and a message that is sent costs none.
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
            const { cause, givesUpInMs, attemptsLeft } = detailsOf(error);
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
 * For an activity that runs for minutes and reports its own state. `failing`: it runs, but makes no progress.
 * `overcome`: it now does what it, or an earlier attempt, could not; call it on each success.
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

/** The details of a failure besides its type; only codes and numbers. */
const failureDetails = z.object({
  cause: keptRetryCause,
  givesUpInMs: z.number().nullable(),
  attemptsLeft: z.int().nullable(),
});

/** A failure that Temporal retries. `message` is stored in the history: no phone, name or text in it. */
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
    /** Milliseconds until the next attempt; null: the retry policy decides. */
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

const detailsOf = (
  error: unknown,
): { cause: RetryCause; givesUpInMs: number | null; attemptsLeft: number | null } => {
  const details = error instanceof ApplicationFailure ? failureDetails.safeParse(error.details?.[0]) : null;
  const cause = details?.success ? readRetryCause(details.data.cause) : null;
  return {
    cause: cause ?? causeOf(error),
    givesUpInMs: details?.data?.givesUpInMs ?? null,
    attemptsLeft: details?.data?.attemptsLeft ?? null,
  };
};

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

/** Milliseconds until Temporal gives up the activity; null: never. By the server's clock. */
const leftMs = (
  { scheduleToCloseTimeoutMs, scheduledTimestampMs, currentAttemptScheduledTimestampMs }: Info,
  elapsedMs: number,
): number | null =>
  scheduleToCloseTimeoutMs > 0
    ? scheduleToCloseTimeoutMs - (currentAttemptScheduledTimestampMs - scheduledTimestampMs) - elapsedMs
    : null;

const keyOf = ({ workflowExecution, activityId }: Info): ActivityKey | null =>
  workflowExecution ? { workflowId: workflowExecution.workflowId, activityId } : null;

/** While the database is unavailable, nobody can read it either. */
async function reporting(write: () => Promise<void>): Promise<void> {
  const waiting = new AbortController();
  const written = write().catch((error: unknown) => {
    log.warn('The activities that are retried could not be recorded', { error });
  });
  const late = sleep(longestReportMs, undefined, { signal: waiting.signal, ref: false }).catch(
    () => undefined,
  );
  await Promise.race([written, late]);
  waiting.abort();
}
