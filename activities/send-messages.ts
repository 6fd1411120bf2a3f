import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { takeOver } from '../db/messages/claims.ts';
import { activityName, endLease, senderName, takeLease } from '../db/messages/leases.ts';
import { isAllSent } from '../db/messages/messages.ts';
import { sampleRun } from '../db/runs/samples.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import { showableCode } from '../domain/problems/retries.ts';
import { finalFailure } from './failure.ts';
import { createLease, type Lease } from './lease.ts';
import { ProviderAccountError, ProviderUnavailableError } from './provider-health.ts';
import { createReports, passingFailure } from './retries.ts';
import type { SenderStop } from './sender-flow.ts';
import { streamMessages } from './sender.ts';
import { heartbeatMs } from './heartbeat.ts';
import type { Slots } from './slots.ts';
import type { SendingDeps, SendingRuns } from './sending-runs.ts';

/** The result of one streaming activity. */
interface SentSlice {
  stopped: SenderStop;
  /** The run has no message left, and no sender is active. */
  allSent: boolean;
}
/** A sender returns after this time: deploys drain fast, and the workflow's page shows progress. */
const sliceMs = 5 * 60_000;
/** While the provider is down, it is probed at least this often, with four messages at a time. */
const longestOutagePauseMs = 60_000;
/** The interval with many senders in one process: each heartbeat costs Temporal some 3 ms of processor time. */
const sparseHeartbeatMs = 2_000;
const manySenders = 50;
/** After this many seconds without an accepted message, a pause that the provider asks for is shown. */
const quietTicks = 3;
/** A sender checks a threshold after this many outcomes: past it, at most that many and a micro-batch still leave. */
export const checkEveryOutcomes = 250;
/** The same until the provider has accepted a message of the run: a failure may affect all messages. */
const checkFirstEveryOutcomes = 10;

export function createSendMessages(
  { sql, providers, lanes, looks, clock }: SendingDeps,
  {
    need,
    hasFallback,
    shouldFailOver,
    failOverAttempts,
    safeguard,
    hasReached,
    urgencyOf,
    leftOfCanary,
  }: SendingRuns,
  slots: Slots,
) {
  /** Streams with a lease: while it is held, nobody changes the run's provider or counts its canary. */
  const stream = async ({
    runId,
    sender,
    attempt,
    lease,
    slot,
    canary,
    maxAttempts,
  }: {
    runId: number;
    sender: string;
    attempt: number;
    lease: Lease;
    slot: AbortSignal;
    canary: boolean;
    maxAttempts: number;
  }): Promise<SenderStop> => {
    const run = await need(runId);
    const { providerId } = run;
    const { stopAtPercent } = run.settings.campaign.safeguards;
    let reached = await hasReached(runId);
    const now = clock();
    const hours = hoursAt(run.hours, now, new Set(run.holidays));
    if (!hours.open) return 'deadline';
    const ends = Math.min(hours.closesAt?.getTime() ?? Infinity, run.expiresAt?.getTime() ?? Infinity);
    const limit = canary ? await leftOfCanary(run) : null;
    const reports = createReports(sql);
    const fares = { sent: 0, quietTicks: 0, pause: null as { ms: number; code: string } | null };
    let beatAt = -Infinity;
    if (canary && limit === null) return 'nothing_due';
    let hasBudget = false;
    try {
      return await streamMessages(
        {
          ...{ sql, provider: await providers.get(providerId), providerId, lane: lanes(providerId), lease },
          everySecond: looks.everySecond,
        },
        {
          runId,
          sender,
          until: new Date(Date.now() + Math.min(sliceMs, ends - now.getTime())),
          maxAttempts,
          limit,
          reached,
          urgency: urgencyOf(run, reached),
          checkStopReason: async (after) => {
            if (after === 'second') {
              await looks.sample(runId);
              if (!(await looks.areHoursOpen(runId))) return 'deadline';
            }
            if (slot.aborted) return 'yielded';
            const budget = await looks.checkBudget(runId);
            if (budget === 'used_up') return 'budget';
            hasBudget = budget === 'within';
            // Without a threshold, only a run that reaches nobody is stopped.
            if (stopAtPercent === null && reached) return null;
            const measure = await looks.measure(runId);
            if ((await safeguard(run, measure)).go === 'stop') return 'threshold';
            reached ||= measure.reached > 0;
            return null;
          },
          checkEach: () => {
            if (!reached) return checkFirstEveryOutcomes;
            return stopAtPercent === null && !hasBudget ? null : checkEveryOutcomes;
          },
          signal: cancellationSignal(),
          onProgress: (progress) => {
            const beatMs = slots.inUse() > manySenders ? sparseHeartbeatMs : heartbeatMs;
            if (performance.now() - beatAt > 0.9 * beatMs) {
              beatAt = performance.now();
              heartbeat(progress);
            }
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
          onWriteRetry: (error) => {
            log.warn('Outcomes wait for the database', { runId, error });
          },
        },
      );
    } catch (error) {
      if (error instanceof ProviderAccountError)
        throw finalFailure(failures.providerAccount, error.message, error.code, providerId, error.detail);
      if (error instanceof ProviderUnavailableError) {
        if (await shouldFailOver(run, attempt))
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
     * Streams a run's messages to its provider for some minutes (activities/sender.ts). Returns why it stopped, and
     * whether the run has any message left. `limit`: only the canary's messages; the remaining number is counted here,
     * because an attempt that died has sent some.
     */
    async sendMessages({
      runId,
      limit,
      maxAttempts,
    }: {
      runId: number;
      limit: number | null;
      maxAttempts: number;
    }): Promise<SentSlice> {
      const { workflowExecution, activityId, attempt } = activityInfo();
      const activity = activityName(workflowExecution?.runId ?? '', activityId);
      const sender = senderName(activity, attempt);
      if (attempt > 1) {
        const { deduplicates } = await providers.get((await need(runId)).providerId);
        await takeOver(sql, { runId, before: { activity, attempt }, deduplicates });
      }
      let asked = false;
      const lease = createLease(() => {
        if (asked) return looks.renewLease({ runId, sender });
        asked = true;
        return sql.begin((tx) => takeLease(tx, { runId, activity, attempt, alone: limit !== null }));
      });
      const { held, status } = await lease.ask();
      if (!held) return { stopped: status === 'running' ? 'superseded' : 'not_running', allSent: false };
      let stopped: SenderStop;
      const slot = slots.take();
      try {
        stopped = await stream({
          ...{ runId, sender, attempt, lease, slot: slot.signal, maxAttempts },
          canary: limit !== null,
        });
      } finally {
        slot.leave();
        // It would expire by itself.
        await endLease(sql, sender).catch(() => undefined);
      }
      const allSent = stopped === 'nothing_due' && (await isAllSent(sql, runId));
      if (allSent) await sampleRun(sql, runId, { always: true });
      return { stopped, allSent };
    },
  };
}
