import { takeOver } from '../db/messages/claims.ts';
import { queuedMessageIds, remainingMessages, startedMessages } from '../db/messages/messages.ts';
import { providerTrouble } from '../db/providers/trouble.ts';
import { sampleRun } from '../db/runs/samples.ts';
import {
  enterStep,
  haveSender,
  markCanaryLeft,
  markCanaryOver,
  type RunCount,
  runCounts,
  wantSender,
} from '../db/runs/runs.ts';
import { plainEnglish } from '../domain/format.ts';
import { showableCode } from '../domain/problems/retries.ts';
import { failoverWords, runReasonWords, waitingWords } from '../domain/problems/runs.ts';
import type { RunReason } from '../domain/run.ts';
import { defaultProbeDelaysMs, type ProviderTrouble } from '../domain/provider-trouble.ts';
import { fewestOutcomes } from '../domain/safeguards.ts';
import { waitingForProvider, waitingOf } from '../domain/waiting.ts';
import type { Urgency } from './lane.ts';
import { probeInFlight } from './provider-health.ts';
import { countsTable, type HoursState, lookAtHours } from './runs.ts';
import type { SendingDeps, SendingRuns } from './sending-runs.ts';

/** How the rest of a run's messages is sent. */
export type SendingPlan =
  | { next: 'done'; details: string }
  /** Its sending hours are closed, or it has expired. */
  | { next: 'hours'; hours: HoursState }
  /** The remaining messages are due later. */
  | { next: 'wait'; waitMs: number; details: string }
  /** A safeguard stops the run until a user decides. */
  | { next: 'pause'; reason: RunReason; details: string }
  /** `limit`: the maximum; null: all. */
  | {
      next: 'stream';
      senders: number;
      limit: number | null;
      maxAttempts: number;
      urgency: Urgency;
      details: string;
    }
  | {
      next: 'one_by_one';
      messageIds: number[];
      maxAttempts: number;
      urgency: Urgency;
      details: string;
    };
/** The streaming sender tries a message this often, then leaves it to `sendMessage`. */
const streamAttempts = 3;
/** With more stragglers than `sendMessage` is meant for, the streaming sender tries a message this often. */
const lastStreamAttempt = 10;
/** How many stragglers one round sends one by one, where the deployment's `singleSendUpTo` is lower. */
const stragglersAtOnce = 100;
/**
 * `sendMessage` tries a message this often, with waits from two seconds up to a minute: an outage of five minutes fails
 * no message of a small run.
 */
const defaultSingleSendAttempts = 10;
/** While the provider pauses or is in doubt, a run checks at least this often whether a user has lifted that. */
const troubleLookMs = 5_000;
/** While the row's run is not running, and its workflow does not know that yet, it checks again this often. */
const notRunningMs = 5_000;

/** What a run does about its provider's trouble; null: nothing, it continues. */
const planTrouble = (
  trouble: ProviderTrouble | null,
  { deduplicates, details }: { deduplicates: boolean; details: string },
): Extract<SendingPlan, { next: 'wait' | 'pause' }> | 'try_one' | null => {
  if (trouble === null) return null;
  const { pause, doubt } = deduplicates ? { ...trouble, doubt: null } : trouble;
  if (pause === null && doubt !== null && doubt.nextAt === null) {
    const reason = {
      code: 'provider_in_doubt',
      providerCode: showableCode(doubt.code),
      answers: doubt.answers,
    } as const;
    return { next: 'pause', reason, details: `${runReasonWords(reason, plainEnglish)}\n\n${details}` };
  }
  const until = Math.max(pause?.until.getTime() ?? 0, doubt?.nextAt?.getTime() ?? 0);
  const waitMs = Math.min(troubleLookMs, until - trouble.asOf.getTime());
  if (waitMs <= 0) return doubt === null ? null : 'try_one';
  const waiting = waitingForProvider(trouble);
  const words = waiting === null ? '' : waitingWords(waiting, plainEnglish);
  return { next: 'wait', waitMs, details: `${words}\n\n${details}` };
};

export function createSendingPlan(
  {
    sql,
    providers,
    costs,
    clock,
    sendersPerRun,
    singleSendUpTo,
    singleSendAttempts = defaultSingleSendAttempts,
    probeDelaysMs = defaultProbeDelaysMs,
  }: SendingDeps,
  { need, safeguard, hasReached, urgencyOf }: SendingRuns,
) {
  return {
    /**
     * Checks the run's hours and its remaining messages. Call it only while no sender of the run is active: a message
     * that is still claimed then was left by a stopped worker.
     */
    async planSending({ runId }: { runId: number }): Promise<SendingPlan> {
      const run = await need(runId);
      const hours = await lookAtHours(sql, { run, campaignEnabled: true }, clock());
      if (hours.state !== 'open') return { next: 'hours', hours };
      await enterStep(sql, runId, 'sending');
      const isLeft = (counts: readonly RunCount[]) => counts.some(({ status }) => status === 'queued');
      const { deduplicates } = await providers.get(run.providerId);
      await takeOver(sql, { runId, deduplicates });
      await sampleRun(sql, runId, { always: true });
      const counts = await runCounts(sql, runId);
      const details = [
        ...run.failovers.map((one) => failoverWords(one, plainEnglish)),
        countsTable(counts),
      ].join('\n\n');
      await costs.sync(sql, [runId]);
      if (!isLeft(counts)) return { next: 'done', details };
      // The workflow is about to be notified; a sender would return at once.
      if (run.status !== 'running') return { next: 'wait', waitMs: notRunningMs, details };
      const answer = await safeguard(run);
      if (answer.go === 'stop') {
        const { reason } = answer;
        return { next: 'pause', reason, details: `${runReasonWords(reason, plainEnglish)}\n\n${details}` };
      }
      const usedUp = await costs.usedUp(sql, run);
      if (usedUp !== null) {
        const reason = { code: 'budget_used_up', ...usedUp } as const;
        return { next: 'pause', reason, details: `${runReasonWords(reason, plainEnglish)}\n\n${details}` };
      }
      const now = clock();
      if (answer.go === 'wait') {
        await markCanaryLeft(sql, runId, now);
        const waiting = waitingOf(await need(runId), now);
        const words = waiting === null ? '' : waitingWords(waiting, plainEnglish);
        return {
          next: 'wait',
          waitMs: answer.until.getTime() - now.getTime(),
          details: `${words}\n\n${details}`,
        };
      }
      const trouble = planTrouble(await providerTrouble(sql, run.providerId, probeDelaysMs), {
        deduplicates,
        details,
      });
      if (trouble !== null && trouble !== 'try_one') return trouble;
      const { canarySize, stopAtPercent } = run.settings.campaign.safeguards;
      const { limit } = answer;
      if (canarySize !== null && limit === null) await markCanaryOver(sql, runId, now);
      const urgency = urgencyOf(
        run,
        !counts.every(({ status }) => status === 'queued' || status === 'skipped'),
      );
      await wantSender(sql, runId);
      const oneByOne = async (minAttempts: number): Promise<SendingPlan> => ({
        next: 'one_by_one',
        messageIds: await queuedMessageIds(sql, {
          runId,
          minAttempts,
          limit: Math.min(
            limit ?? Infinity,
            // The threshold is checked only after the activity, so few messages leave at a time.
            stopAtPercent === null ? Infinity : fewestOutcomes,
            // Until the provider has accepted one message of the run, few leave at a time.
            (await hasReached(runId)) ? Infinity : probeInFlight,
            trouble === 'try_one' ? 1 : Infinity,
            Math.max(singleSendUpTo, stragglersAtOnce),
          ),
        }),
        maxAttempts: minAttempts + singleSendAttempts,
        urgency,
        details,
      });
      const total = counts.reduce((sum, { messages }) => sum + messages, 0);
      if (total <= singleSendUpTo || trouble === 'try_one') return oneByOne(0);
      // The canary has enough messages: those that were returned to the queue are tried again, and no others.
      const triedOnly = limit !== null && (await startedMessages(sql, runId)) >= limit;
      for (const maxAttempts of [streamAttempts, lastStreamAttempt]) {
        const left = await remainingMessages(sql, { runId, maxAttempts, triedOnly });
        if (left.queued > 0) {
          if (left.waitMs > 0) {
            await haveSender(sql, runId);
            return { next: 'wait', waitMs: left.waitMs, details };
          }
          const senders = limit === null ? sendersPerRun : 1;
          return { next: 'stream', senders, limit, maxAttempts, urgency, details };
        }
        if (left.stragglers <= singleSendUpTo) return oneByOne(maxAttempts);
      }
      return oneByOne(lastStreamAttempt);
    },
  };
}
