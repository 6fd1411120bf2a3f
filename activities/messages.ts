import { activityInfo, cancellationSignal, heartbeat, log, sleep } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { claimMessage, recordOutcomes, takeOver } from '../db/messages/claims.ts';
import { activityName, endLease, renewLease, senderName, takeLease } from '../db/messages/leases.ts';
import { usableFallback } from '../db/providers/fallbacks.ts';
import { getMessage, queuedMessageIds, remainingMessages, startedMessages } from '../db/messages/messages.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { holdProvider, reserveRate } from '../db/providers/providers.ts';
import { sampleRun } from '../db/runs/samples.ts';
import {
  enterStep,
  getRun,
  markCanaryLeft,
  markCanaryOver,
  measureRun,
  type RunCount,
  runCounts,
  type RunRow,
} from '../db/runs/runs.ts';
import { describeFailover } from '../domain/failover.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import type { MessageStatus } from '../domain/message.ts';
import { showableCode } from '../domain/problems/retries.ts';
import { describeRunReason, type RunReason } from '../domain/run.ts';
import { checkSafeguards, fewestOutcomes } from '../domain/safeguards.ts';
import { waitingOf } from '../domain/waiting.ts';
import { finalFailure } from './failure.ts';
import { withheld } from '../sms/provider.ts';
import { createLease, type Lease, startTrust } from './lease.ts';
import { outcomeOf, unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import { ProviderAccountError, ProviderUnavailableError } from './provider-health.ts';
import type { Providers } from './providers.ts';
import { createReports, passingFailure } from './retries.ts';
import { countsTable } from './runs.ts';
import type { SenderStop } from './sender-flow.ts';
import { streamMessages } from './sender.ts';

/** How a run's messages are to be sent from here on. */
export type SendingPlan =
  | { next: 'done'; details: string }
  /** What is left is due later. */
  | { next: 'wait'; waitMs: number; details: string }
  /** A safeguard stops the run for a person. */
  | { next: 'pause'; reason: RunReason; details: string }
  /** `limit`: no more than so many; null: all. */
  | { next: 'stream'; senders: number; limit: number | null; maxAttempts: number; details: string }
  | { next: 'one_by_one'; messageIds: number[]; maxAttempts: number; details: string };

/** A sender returns after this time: a deploy drains fast, and the workflow's page shows progress. */
const sliceMs = 5 * 60_000;
/** The streaming sender tries a message this often, then leaves it to `sendMessage`. */
const streamAttempts = 3;
/** With more stragglers than `sendMessage` is for, the streaming sender goes on until a message was tried this often. */
const lastStreamAttempt = 10;
/** So many of them at once, where that is more than the deployment's `singleSendUpTo`. */
const stragglersAtOnce = 100;
/**
 * `sendMessage` tries a message this often, with waits from two seconds up to a minute: five minutes of an outage fail
 * nobody of a small run.
 */
const defaultSingleSendAttempts = 10;
/** The provider asked for a pause without saying how long. */
const holdMs = 1_000;
/** A message waits at most this long for its place in the rate; then the run looks at itself again. */
const longestWaitMs = 10 * 60_000;
/** While the provider is down it is looked for at least this often, with four messages at a time. */
const longestOutagePauseMs = 60_000;
/** While the row says that the run is not running, and its workflow does not know it, it looks again so often. */
const notRunningMs = 5_000;
const heartbeatMs = 1_000;
/** After so many seconds without a message that was taken, a pause that the provider asks for is shown. */
const quietTicks = 3;
/** A sender looks at a threshold after each so many outcomes: beyond it leaves no more than that and a micro-batch. */
export const outcomesPerLook = 250;
/**
 * A provider that takes nothing is tried so often in a row, with waits from a second or two up to a minute, before the run
 * goes over to its fallback: a hiccup of a minute changes no sender.
 */
const defaultFailOverAttempts = 7;

export interface MessagesDeps {
  sql: Database;
  providers: Providers;
  clock: () => Date;
  sendersPerRun: number;
  singleSendUpTo: number;
  singleSendAttempts?: number;
  failOverAttempts?: number;
}

export function createMessages({
  sql,
  providers,
  clock,
  sendersPerRun,
  singleSendUpTo,
  singleSendAttempts = defaultSingleSendAttempts,
  failOverAttempts = defaultFailOverAttempts,
}: MessagesDeps) {
  const need = async (runId: number): Promise<RunRow & { providerId: number }> => {
    const run = await getRun(sql, runId);
    const providerId = run?.providerId;
    if (!run || !providerId) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
    return { ...run, providerId };
  };
  const hasFallback = async (run: RunRow & { providerId: number }): Promise<boolean> => {
    const tried = run.failovers.flatMap(({ from, to }) => [from.id, to.id]);
    return (await usableFallback(sql, run.providerId, tried)) !== null;
  };
  /** Whether the run is to go over to its provider's fallback, after so many attempts in a row that came to nothing. */
  const goesOver = async (run: RunRow & { providerId: number }, attempts: number): Promise<boolean> =>
    attempts >= failOverAttempts && (await hasFallback(run));
  const safeguard = async (run: RunRow) =>
    checkSafeguards({
      ...run,
      safeguards: run.settings.campaign.safeguards,
      measure: await measureRun(sql, run.id),
      canaryOver: run.canaryOverAt !== null,
      now: clock(),
    });

  /** How many of the canary nobody has claimed yet; null: it is over, or waits. */
  const leftOfCanary = async (run: RunRow): Promise<number | null> => {
    const answer = await safeguard(run);
    if (answer.go !== 'on' || answer.limit === null) return null;
    return Math.max(0, answer.limit - (await startedMessages(sql, run.id)));
  };

  /** Streams with a lease: while it is held, nobody changes the run's provider or counts its canary. */
  const stream = async ({
    runId,
    sender,
    attempt,
    lease,
    canary,
    maxAttempts,
  }: {
    runId: number;
    sender: string;
    attempt: number;
    lease: Lease;
    canary: boolean;
    maxAttempts: number;
  }): Promise<SenderStop> => {
    const run = await need(runId);
    const { providerId } = run;
    const { stopAtPercent } = run.settings.campaign.safeguards;
    const now = clock();
    const hours = hoursAt(run.settings.hours, now, new Set(run.settings.holidays));
    if (!hours.open) return 'deadline';
    const ends = Math.min(hours.closesAt?.getTime() ?? Infinity, run.expiresAt?.getTime() ?? Infinity);
    const limit = canary ? await leftOfCanary(run) : null;
    const reports = createReports(sql);
    const fares = { sent: 0, quietTicks: 0, pause: null as { ms: number; code: string } | null };
    if (canary && limit === null) return 'nothing_due';
    try {
      return await streamMessages(
        { sql, provider: await providers.get(providerId), providerId, lease },
        {
          runId,
          sender,
          until: new Date(Date.now() + Math.min(sliceMs, ends - now.getTime())),
          maxAttempts,
          limit,
          checkStopReason: async () => {
            await sampleRun(sql, runId);
            if (stopAtPercent === null) return null;
            return (await safeguard(run)).go === 'stop' ? 'threshold' : null;
          },
          checkEach: stopAtPercent === null ? null : outcomesPerLook,
          signal: cancellationSignal(),
          onProgress: (progress) => {
            heartbeat(progress);
            if (progress.sent > fares.sent) {
              fares.sent = progress.sent;
              fares.quietTicks = 0;
              fares.pause = null;
              void reports.overcome();
            } else if (++fares.quietTicks >= quietTicks && fares.pause) {
              const providerCode = showableCode(fares.pause.code);
              void reports.failing({ code: 'provider_pauses', params: { providerCode } }, fares.pause.ms);
            }
          },
          onPause(ms, code) {
            fares.pause = { ms, code };
          },
          onTrouble: (error) => {
            log.warn('Outcomes wait for the database', { runId, error });
          },
        },
      );
    } catch (error) {
      if (error instanceof ProviderAccountError)
        throw finalFailure(failures.providerAccount, error.message, error.code, providerId);
      if (error instanceof ProviderUnavailableError) {
        if (await goesOver(run, attempt))
          throw finalFailure(failures.providerUnavailable, error.message, error.code, providerId);
        const providerCode = showableCode(error.code);
        throw passingFailure(
          failures.providerUnavailable,
          `${providerCode}: the provider takes no messages.`,
          {
            cause: { code: 'provider_unavailable', params: { providerCode } },
            nextInMs: Math.min(longestOutagePauseMs, 1_000 * 2 ** (attempt - 1)),
            attemptsLeft: (await hasFallback(run)) ? failOverAttempts - attempt : null,
          },
        );
      }
      throw error;
    }
  };

  return {
    /**
     * Looks at what is left of a run. Call it only while nothing that sends for the run is under way: what is still
     * claimed then was left by the dead.
     */
    async planSending({ runId }: { runId: number }): Promise<SendingPlan> {
      const run = await need(runId);
      await enterStep(sql, runId, 'sending');
      const isLeft = (counts: readonly RunCount[]) => counts.some(({ status }) => status === 'queued');
      const { deduplicates } = await providers.get(run.providerId);
      await takeOver(sql, { runId, deduplicates });
      await sampleRun(sql, runId, { always: true });
      const counts = await runCounts(sql, runId);
      const details = [...run.failovers.map(describeFailover), countsTable(counts)].join('\n\n');
      if (!isLeft(counts)) return { next: 'done', details };
      // The workflow is about to hear of it; a sender would return at once.
      if (run.status !== 'running') return { next: 'wait', waitMs: notRunningMs, details };
      const answer = await safeguard(run);
      if (answer.go === 'stop') {
        const { reason } = answer;
        return { next: 'pause', reason, details: `${describeRunReason(reason)}\n\n${details}` };
      }
      const now = clock();
      if (answer.go === 'wait') {
        await markCanaryLeft(sql, runId, now);
        const words = waitingOf(await need(runId), now)?.words ?? '';
        return {
          next: 'wait',
          waitMs: answer.until.getTime() - now.getTime(),
          details: `${words}\n\n${details}`,
        };
      }
      const { canarySize, stopAtPercent } = run.settings.campaign.safeguards;
      const { limit } = answer;
      if (canarySize !== null && limit === null) await markCanaryOver(sql, runId, now);
      const oneByOne = async (minAttempts: number): Promise<SendingPlan> => ({
        next: 'one_by_one',
        messageIds: await queuedMessageIds(sql, {
          runId,
          minAttempts,
          limit: Math.min(
            limit ?? Infinity,
            // Between them nobody looks at the threshold.
            stopAtPercent === null ? Infinity : fewestOutcomes,
            Math.max(singleSendUpTo, stragglersAtOnce),
          ),
        }),
        maxAttempts: minAttempts + singleSendAttempts,
        details,
      });
      const total = counts.reduce((sum, { messages }) => sum + messages, 0);
      if (total <= singleSendUpTo) return oneByOne(0);
      // The canary has enough of them: those that came back are tried again, and no others.
      const triedOnly = limit !== null && (await startedMessages(sql, runId)) >= limit;
      for (const maxAttempts of [streamAttempts, lastStreamAttempt]) {
        const left = await remainingMessages(sql, { runId, maxAttempts, triedOnly });
        if (left.queued > 0) {
          return left.waitMs > 0
            ? { next: 'wait', waitMs: left.waitMs, details }
            : { next: 'stream', senders: limit === null ? sendersPerRun : 1, limit, maxAttempts, details };
        }
        if (left.stragglers <= singleSendUpTo) return oneByOne(maxAttempts);
      }
      return oneByOne(lastStreamAttempt);
    },

    /**
     * Streams a run's messages to its provider for some minutes (activities/sender.ts). Returns why it stopped. `limit`:
     * only the canary's; how many are left of it is counted here, because an attempt that died has sent some.
     */
    async sendMessages({
      runId,
      limit,
      maxAttempts,
    }: {
      runId: number;
      limit: number | null;
      maxAttempts: number;
    }): Promise<{ stopped: SenderStop }> {
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = activityName(workflowExecution?.runId ?? '', activityId);
      const sender = senderName(activity, attempt);
      if (attempt > 1) {
        const { deduplicates } = await providers.get((await need(runId)).providerId);
        await takeOver(sql, { runId, before: { activity, attempt }, deduplicates });
      }
      let asked = false;
      const lease = createLease(() => {
        if (asked) return renewLease(sql, { runId, sender });
        asked = true;
        return sql.begin((tx) => takeLease(tx, { runId, activity, attempt, alone: limit !== null }));
      });
      const { held, status } = await lease.ask();
      if (!held) return { stopped: status === 'running' ? 'superseded' : 'not_running' };
      try {
        return {
          stopped: await stream({ runId, sender, attempt, lease, canary: limit !== null, maxAttempts }),
        };
      } finally {
        // It would run out by itself.
        await endLease(sql, sender).catch(() => undefined);
      }
    },

    /**
     * Sends one message, visible by itself in the Temporal UI. A temporary failure throws, for Temporal's back-off,
     * until the message was tried `maxAttempts` times; every other answer is recorded and returned. `queued`: the run
     * has to look at itself again.
     */
    async sendMessage({
      messageId,
      maxAttempts,
    }: {
      messageId: number;
      maxAttempts: number;
    }): Promise<{ status: MessageStatus }> {
      const message = await getMessage(sql, messageId);
      if (!message) throw finalFailure(failures.notFound, `There is no message ${messageId}.`);
      const run = await need(message.runId);
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = activityName(workflowExecution?.runId ?? '', activityId);
      const sender = senderName(activity, attempt);
      const provider = await providers.get(run.providerId);
      const { deduplicates } = provider;
      if (attempt > 1) await takeOver(sql, { runId: run.id, before: { activity, attempt }, deduplicates });
      const isOpen = (): boolean => {
        const now = clock();
        if (run.expiresAt && run.expiresAt <= now) return false;
        return hoursAt(run.settings.hours, now, new Set(run.settings.holidays)).open;
      };
      if (!isOpen()) return { status: 'queued' };

      const beat = setInterval(heartbeat, heartbeatMs);
      try {
        const { waitMs } = await reserveRate(sql, run.providerId, message.segments);
        await sleep(Math.min(waitMs, longestWaitMs));
        if (waitMs > longestWaitMs || !isOpen()) return { status: 'queued' };
        const isTrusted = startTrust();
        const claimed = await claimMessage(sql, { messageId, sender, providerId: run.providerId });
        if (!claimed) return { status: (await getMessage(sql, messageId))?.status ?? 'queued' };
        const since = performance.now();
        const answer = await provider.send({
          messageId,
          to: claimed.phone,
          text: claimed.text,
          mayLeave: () => isTrusted() && isOpen(),
        });
        const isWithheld = answer.kind === 'temporary' && answer.code === withheld;
        const taker = { providerId: run.providerId, deduplicates };
        // It was handed over as soon as it was claimed.
        const outcome = isWithheld
          ? unsent(claimed)
          : { ...outcomeOf(claimed, answer, taker, null, performance.now() - since), notBefore: null };
        if (outcome.status === 'queued' && !outcome.uncounted && claimed.attempts >= maxAttempts) {
          // An attempt that got no answer may have been taken, even where it was safe to repeat it.
          const perhapsTaken = outcome.providerId !== null;
          outcome.status = perhapsTaken ? 'unknown' : 'failed';
          outcome.reason = perhapsTaken ? 'no_answer' : 'temporary_failure';
        }
        const writing = {
          signal: cancellationSignal(),
          onTrouble: (error: unknown): void => {
            log.warn('The outcome waits for the database', { messageId, error });
          },
        };
        // Before the outcome: nobody would say it again if this process ended between the two.
        if (outcome.reason === 'number_opted_out')
          await persistently(writing, () => optOutRecipients(sql, [messageId]));
        await persistently(writing, () =>
          recordOutcomes(sql, { runId: run.id, sender, outcomes: [outcome], endsLease: true }),
        );
        if (isWithheld) return { status: 'queued' };
        await sampleRun(sql, run.id).catch(() => undefined);
        if (answer.kind === 'account')
          throw finalFailure(failures.providerAccount, answer.detail, answer.publicCode, run.providerId);
        if (outcome.status !== 'queued') return { status: outcome.status };
        // Of the five answers only `temporary` is left, or an ambiguous one where the provider deduplicates.
        const pauseMs =
          answer.kind === 'temporary' && answer.retryAfterMs !== null ? answer.retryAfterMs || holdMs : null;
        if (pauseMs !== null) await holdProvider(sql, run.providerId, pauseMs);
        if (answer.kind !== 'accepted' && pauseMs === null && (await goesOver(run, attempt)))
          throw finalFailure(failures.providerUnavailable, answer.detail, answer.publicCode, run.providerId);
        const notTakenCode = answer.kind === 'accepted' ? '' : answer.publicCode;
        throw passingFailure(failures.notTaken, `${notTakenCode}: the provider has not taken the message.`, {
          cause: { code: 'message_not_taken', params: { providerCode: notTakenCode } },
          nextInMs: pauseMs,
          attemptsLeft: outcome.uncounted ? null : maxAttempts - claimed.attempts,
        });
      } finally {
        clearInterval(beat);
      }
    },
  };
}
