import { ApplicationFailure } from '@temporalio/common';
import { activityInfo, cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import type { Database } from '../db/client.ts';
import {
  claimMessage,
  getMessage,
  optOut,
  queuedMessageIds,
  recordOutcomes,
  remainingMessages,
  senderName,
  settleDeadSenders,
} from '../db/messages.ts';
import { holdProvider, reserveRate } from '../db/providers.ts';
import { enterStep, getRun, type RunCount, runCounts, type RunRow } from '../db/runs.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import { finalFailure } from './failure.ts';
import type { Providers } from './providers.ts';
import { countsTable } from './runs.ts';
import {
  outcomeOf,
  ProviderAccountError,
  ProviderUnavailableError,
  type SenderStop,
  streamMessages,
} from './sender.ts';

/** How a run's messages are to be sent from here on. */
export type SendingPlan =
  | { next: 'done'; details: string }
  /** What is left is due later. */
  | { next: 'wait'; waitMs: number; details: string }
  | { next: 'stream'; senders: number; maxAttempts: number; details: string }
  | { next: 'one_by_one'; messageIds: number[]; details: string };

/** A sender returns after this time: a deploy drains fast, and the workflow's page shows progress. */
const sliceMs = 5 * 60_000;
/** The streaming sender tries a message this often, then leaves it to `sendMessage`. */
const streamAttempts = 3;
/** With more stragglers than `sendMessage` is for, the streaming sender goes on until a message was tried this often. */
const lastStreamAttempt = 10;
const heartbeatMs = 2_000;

export interface MessagesDeps {
  sql: Database;
  providers: Providers;
  clock: () => Date;
  sendersPerRun: number;
  singleSendUpTo: number;
}

export function createMessages({ sql, providers, clock, sendersPerRun, singleSendUpTo }: MessagesDeps) {
  const need = async (runId: number): Promise<RunRow & { providerId: number }> => {
    const run = await getRun(sql, runId);
    const providerId = run?.providerId;
    if (!run || !providerId) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
    return { ...run, providerId };
  };

  return {
    /**
     * Looks at what is left of a run. Call it only while nothing that sends for the run is under way: what is still
     * in `sending` then was left by the dead.
     */
    async planSending({ runId }: { runId: number }): Promise<SendingPlan> {
      const run = await need(runId);
      await enterStep(sql, runId, 'sending');
      const isLeft = (counts: readonly RunCount[]) => counts.some(({ status }) => status === 'queued');
      if (isLeft(await runCounts(sql, runId))) {
        const { deduplicates } = await providers.get(run.providerId);
        await settleDeadSenders(sql, { runId, deduplicates });
      }
      const counts = await runCounts(sql, runId);
      const details = countsTable(counts);
      if (!isLeft(counts)) return { next: 'done', details };
      const oneByOne = async (minAttempts: number): Promise<SendingPlan> => ({
        next: 'one_by_one',
        messageIds: await queuedMessageIds(sql, { runId, minAttempts, limit: singleSendUpTo }),
        details,
      });
      const total = counts.reduce((sum, { messages }) => sum + messages, 0);
      if (total <= singleSendUpTo) return oneByOne(0);
      const left = await remainingMessages(sql, runId, streamAttempts);
      if (left.queued === 0) {
        return left.stragglers <= singleSendUpTo
          ? oneByOne(streamAttempts)
          : { next: 'stream', senders: sendersPerRun, maxAttempts: lastStreamAttempt, details };
      }
      const waitMs = (left.nextAt?.getTime() ?? 0) - clock().getTime();
      if (waitMs > 0) return { next: 'wait', waitMs, details };
      return { next: 'stream', senders: sendersPerRun, maxAttempts: streamAttempts, details };
    },

    /** Streams a run's messages to its provider for some minutes (activities/sender.ts). Returns why it stopped. */
    async sendMessages({
      runId,
      maxAttempts,
    }: {
      runId: number;
      maxAttempts: number;
    }): Promise<{ stopped: SenderStop }> {
      const run = await need(runId);
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = `${workflowExecution?.runId ?? ''}/${activityId}`;
      const provider = await providers.get(run.providerId);
      if (attempt > 1) await settleDeadSenders(sql, { runId, activity, deduplicates: provider.deduplicates });

      const now = clock();
      const hours = hoursAt(run.settings.hours, now, new Set(run.settings.holidays));
      if (!hours.open) return { stopped: 'deadline' };
      const until = Math.min(
        now.getTime() + sliceMs,
        hours.closesAt?.getTime() ?? Infinity,
        run.expiresAt?.getTime() ?? Infinity,
      );
      try {
        const stopped = await streamMessages(
          { sql, provider, providerId: run.providerId },
          {
            runId,
            sender: senderName(activity, attempt),
            until: new Date(until),
            maxAttempts,
            signal: cancellationSignal(),
            onProgress: heartbeat,
            onTrouble: (error) => {
              log.warn('Outcomes wait for the database', { runId, error });
            },
          },
        );
        return { stopped };
      } catch (error) {
        if (error instanceof ProviderAccountError)
          throw finalFailure(failures.providerAccount, error.message, error.code);
        if (error instanceof ProviderUnavailableError) {
          throw ApplicationFailure.create({
            type: failures.providerUnavailable,
            message: `${error.code}: ${error.message}`,
          });
        }
        throw error;
      }
    },

    /**
     * Sends one message, visible by itself in the Temporal UI. A temporary failure throws, for Temporal's back-off;
     * every other answer is recorded and returned.
     */
    async sendMessage({ messageId }: { messageId: number }): Promise<{ status: string }> {
      const message = await getMessage(sql, messageId);
      if (!message) throw finalFailure(failures.notFound, `There is no message ${messageId}.`);
      const run = await need(message.runId);
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = `${workflowExecution?.runId ?? ''}/${activityId}`;
      const sender = senderName(activity, attempt);
      const provider = await providers.get(run.providerId);
      if (attempt > 1)
        await settleDeadSenders(sql, { runId: run.id, activity, deduplicates: provider.deduplicates });
      if (!hoursAt(run.settings.hours, clock(), new Set(run.settings.holidays)).open)
        return { status: 'queued' };

      const beat = setInterval(heartbeat, heartbeatMs);
      try {
        const { waitMs } = await reserveRate(sql, run.providerId, message.segments);
        await sleep(waitMs);
        const claimed = await claimMessage(sql, { messageId, sender });
        if (!claimed) return { status: (await getMessage(sql, messageId))?.status ?? 'queued' };
        const answer = await provider.send({ messageId, to: claimed.phone, text: claimed.text });
        const outcome = outcomeOf(claimed, answer, provider.deduplicates, Date.now());
        await recordOutcomes(sql, sender, [{ ...outcome, notBefore: null }]);
        if (outcome.reason === 'number_opted_out') await optOut(sql, [messageId]);
        switch (answer.kind) {
          case 'account':
            throw finalFailure(failures.providerAccount, answer.detail, answer.code);
          case 'temporary':
            if (answer.retryAfterMs !== null) await holdProvider(sql, run.providerId, answer.retryAfterMs);
            throw ApplicationFailure.create({
              type: failures.notTaken,
              message: `${answer.code}: ${answer.detail}`,
              ...(answer.retryAfterMs === null ? {} : { nextRetryDelay: answer.retryAfterMs }),
            });
          case 'accepted':
          case 'refused':
          case 'ambiguous':
            return { status: outcome.status };
        }
      } finally {
        clearInterval(beat);
      }
    },
  };
}
