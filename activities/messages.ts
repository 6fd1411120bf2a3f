import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { claimMessage, recordOutcomes, takeOver } from '../db/messages/claims.ts';
import { activityName, endLease, senderName, takeLease } from '../db/messages/leases.ts';
import { usableFallback } from '../db/providers/fallbacks.ts';
import {
  getMessage,
  isAllSent,
  queuedMessageIds,
  remainingMessages,
  startedMessages,
} from '../db/messages/messages.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { reserveRate } from '../db/providers/providers.ts';
import { holdProvider, noteSuspect, providerTrouble, takeProbe } from '../db/providers/trouble.ts';
import { sampleRun } from '../db/runs/samples.ts';
import {
  enterStep,
  getRun,
  getRunHours,
  haveSender,
  markCanaryLeft,
  markCanaryOver,
  measureRun,
  type RunCount,
  runCounts,
  wantSender,
  type RunHours,
  type RunRow,
} from '../db/runs/runs.ts';
import { plainEnglish } from '../domain/format.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import type { MessageStatus } from '../domain/message.ts';
import { providerDetailWords } from '../domain/problems/providers.ts';
import { showableCode } from '../domain/problems/retries.ts';
import { failoverWords, runReasonWords, waitingWords } from '../domain/problems/runs.ts';
import type { RunReason } from '../domain/run.ts';
import {
  defaultProbeDelaysMs,
  doubtsAllowed,
  longestPauseInSenderMs,
  type ProviderTrouble,
} from '../domain/provider-trouble.ts';
import { checkSafeguards, fewestOutcomes, type Measure } from '../domain/safeguards.ts';
import { waitingForProvider, waitingOf } from '../domain/waiting.ts';
import { finalFailure } from './failure.ts';
import { withheld } from '../sms/provider.ts';
import type { Costs } from './costs.ts';
import type { Lanes, Urgency } from './lane.ts';
import { createLease, type Lease, startTrust } from './lease.ts';
import { outcomeOf, suspect, unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import {
  probeInFlight,
  ProviderAccountError,
  ProviderUnavailableError,
  suspectsAllowed,
} from './provider-health.ts';
import { noteAnswer, type Providers } from './providers.ts';
import { createReports, passingFailure } from './retries.ts';
import type { RunLooks } from './run-looks.ts';
import { countsTable, type HoursState, lookAtHours } from './runs.ts';
import type { SenderStop } from './sender-flow.ts';
import { streamMessages } from './sender.ts';
import { createSlots } from './slots.ts';

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

/** The result of one streaming activity. */
interface SentSlice {
  stopped: SenderStop;
  /** The run has no message left, and no sender is active. */
  allSent: boolean;
}

/** A sender returns after this time: deploys drain fast, and the workflow's page shows progress. */
const sliceMs = 5 * 60_000;
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
/** The pause when the provider asks for one without a length. */
const holdMs = 1_000;
/** While the provider pauses or is in doubt, a run checks at least this often whether a user has lifted that. */
const troubleLookMs = 5_000;
/** A message that is sent by itself waits at most this long for its turn; then the run checks its state again. */
const longestTurnMs = 10 * 60_000;
/** While the provider is down, it is probed at least this often, with four messages at a time. */
const longestOutagePauseMs = 60_000;
/** While the row's run is not running, and its workflow does not know that yet, it checks again this often. */
const notRunningMs = 5_000;
const heartbeatMs = 1_000;
/** The interval with many senders in one process: each heartbeat costs Temporal some 3 ms of processor time. */
const sparseHeartbeatMs = 2_000;
const manySenders = 50;
/** After this many seconds without an accepted message, a pause that the provider asks for is shown. */
const quietTicks = 3;
/** A sender checks a threshold after this many outcomes: past it, at most that many and a micro-batch still leave. */
export const outcomesPerLook = 250;
/** The same until the provider has accepted a message of the run: a failure may affect all messages. */
const outcomesPerFirstLook = 10;
/**
 * A provider that accepts nothing is tried this often in a row, with waits from a second or two up to a minute, before
 * the run switches to its fallback: an outage of a minute switches no provider.
 */
const defaultFailOverAttempts = 7;

export interface MessagesDeps {
  sql: Database;
  providers: Providers;
  lanes: Lanes;
  looks: RunLooks;
  costs: Costs;
  /** How many sending activities run at once in this process (worker/workers.ts). */
  senderSlots: number;
  clock: () => Date;
  sendersPerRun: number;
  singleSendUpTo: number;
  singleSendAttempts?: number;
  failOverAttempts?: number;
  probeDelaysMs?: readonly number[];
}

export function createMessages({
  sql,
  providers,
  lanes,
  looks,
  costs,
  senderSlots,
  clock,
  sendersPerRun,
  singleSendUpTo,
  singleSendAttempts = defaultSingleSendAttempts,
  failOverAttempts = defaultFailOverAttempts,
  probeDelaysMs = defaultProbeDelaysMs,
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
  /** Whether the run should switch to its provider's fallback, after this many failed attempts in a row. */
  const shouldFailOver = async (run: RunRow & { providerId: number }, attempts: number): Promise<boolean> =>
    attempts >= failOverAttempts && (await hasFallback(run));
  const slots = createSlots({ sql, slots: senderSlots, everySecond: looks.everySecond });
  const safeguard = async (run: RunRow, measure?: Measure) =>
    checkSafeguards({
      ...run,
      safeguards: run.settings.campaign.safeguards,
      measure: measure ?? (await measureRun(sql, run.id)),
      canaryOver: run.canaryOverAt !== null,
      now: clock(),
    });

  /** Whether the provider has accepted messages of the run. */
  const hasReached = async (runId: number): Promise<boolean> => (await measureRun(sql, runId)).reached > 0;

  /** A run that a user started, and that has reached nobody yet, goes before the others. */
  const urgencyOf = ({ trigger }: RunRow, reached: boolean): Urgency =>
    reached ? null : trigger === 'schedule' ? 'first' : 'user';

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

  /** How many messages of the canary are still unclaimed; null: the canary is over, or waits. */
  const leftOfCanary = async (run: RunRow): Promise<number | null> => {
    const answer = await safeguard(run);
    if (answer.go !== 'on' || answer.limit === null) return null;
    return Math.max(0, answer.limit - (await startedMessages(sql, run.id)));
  };

  /** Whether an account error is about this message's number, because other messages of the run are accepted. */
  const isOfNumber = async (run: RunRow & { providerId: number }, messageId: number): Promise<boolean> =>
    (await hasReached(run.id)) && (await noteSuspect(sql, run.providerId, messageId)) <= suspectsAllowed;

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
          checkStopReason: async () => {
            await looks.sample(runId);
            if (!(await looks.areHoursOpen(runId))) return 'deadline';
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
            if (!reached) return outcomesPerFirstLook;
            return stopAtPercent === null && !hasBudget ? null : outcomesPerLook;
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
          onTrouble: (error) => {
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
            // The threshold is not checked between them.
            stopAtPercent === null ? Infinity : fewestOutcomes,
            // Nor is it checked whether the run reaches anybody.
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

    /**
     * Sends one message, visible by itself in the Temporal UI. A temporary failure throws, for Temporal's back-off,
     * until the message was tried `maxAttempts` times; every other answer is recorded and returned. `queued`: the run
     * has to check its state again.
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
      const { deduplicates, receiptsById } = provider;
      if (attempt > 1) await takeOver(sql, { runId: run.id, before: { activity, attempt }, deduplicates });
      let present: RunHours | null = run;
      const isOpen = (): boolean => {
        const now = clock();
        if (present === null || (run.expiresAt && run.expiresAt <= now)) return false;
        return hoursAt(present.hours, now, new Set(present.holidays)).open;
      };
      if (!isOpen()) return { status: 'queued' };

      const beat = setInterval(heartbeat, heartbeatMs);
      let turnEnds: (() => void) | null = null;
      const slot = slots.take();
      try {
        await haveSender(sql, run.id);
        turnEnds = await lanes(run.providerId).turn(message.segments, {
          urgency: run.trigger === 'schedule' ? null : 'user',
          until: AbortSignal.any([slot.signal, AbortSignal.timeout(longestTurnMs)]),
          signal: cancellationSignal(),
        });
        if (turnEnds === null) return { status: 'queued' };
        present = await getRunHours(sql, run.id);
        if (!isOpen()) return { status: 'queued' };
        const { heldMs, doubts } = await reserveRate(sql, run.providerId, 0);
        if (heldMs > longestPauseInSenderMs) return { status: 'queued' };
        const isInDoubt = !deduplicates && doubts >= doubtsAllowed;
        if (isInDoubt && !(await takeProbe(sql, run.providerId, probeDelaysMs))) return { status: 'queued' };
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
        const elapsedMs = performance.now() - since;
        turnEnds();
        turnEnds = null;
        const writing = {
          signal: cancellationSignal(),
          onTrouble: (error: unknown): void => {
            log.warn('The outcome waits for the database', { messageId, error });
          },
        };
        // Before the outcome: the next message may already read it.
        await persistently(writing, () =>
          noteAnswer(sql, { providerId: run.providerId, answer, deduplicates }),
        );
        const isSuspect = answer.kind === 'account' && (await isOfNumber(run, messageId));
        // It was handed over as soon as it was claimed.
        const judged = outcomeOf(claimed, answer, taker, null, elapsedMs);
        const outcome = isWithheld
          ? unsent(claimed)
          : { ...(isSuspect ? suspect(claimed, judged) : judged), notBefore: null };
        if (outcome.status === 'queued' && !outcome.uncounted && claimed.attempts >= maxAttempts) {
          // The provider may have accepted an attempt that got no answer, even where it was safe to repeat it.
          const perhapsTaken = outcome.providerId !== null;
          outcome.status = perhapsTaken ? 'unknown' : 'failed';
          outcome.reason = perhapsTaken ? 'no_answer' : isSuspect ? 'request_refused' : 'temporary_failure';
        }
        // Before the outcome: if this process ended between the two, nobody would report it again.
        if (outcome.reason === 'number_opted_out')
          await persistently(writing, () => optOutRecipients(sql, [messageId]));
        await persistently(writing, () =>
          recordOutcomes(sql, { runId: run.id, sender, outcomes: [outcome], endsLease: true, receiptsById }),
        );
        if (isWithheld) return { status: 'queued' };
        await sampleRun(sql, run.id).catch(() => undefined);
        if (answer.kind === 'account' && !isSuspect)
          throw finalFailure(
            failures.providerAccount,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
            answer.detail,
          );
        const wasLastProbe =
          isInDoubt &&
          answer.kind === 'ambiguous' &&
          (await providerTrouble(sql, run.providerId, probeDelaysMs))?.doubt?.nextAt === null;
        if (wasLastProbe && (await hasFallback(run)))
          throw finalFailure(
            failures.providerUnavailable,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
          );
        if (outcome.status !== 'queued') return { status: outcome.status };
        // The remaining kinds are `temporary`, `ambiguous` where the provider deduplicates, and `account` of a number.
        const pauseMs =
          answer.kind === 'temporary' && answer.retryAfterMs !== null ? answer.retryAfterMs || holdMs : null;
        const notTakenCode = answer.kind === 'accepted' ? '' : answer.publicCode;
        if (pauseMs !== null) {
          await holdProvider(sql, run.providerId, { ms: pauseMs, code: notTakenCode });
          if (pauseMs > longestPauseInSenderMs) return { status: 'queued' };
        }
        if (answer.kind !== 'accepted' && pauseMs === null && (await shouldFailOver(run, attempt)))
          throw finalFailure(
            failures.providerUnavailable,
            providerDetailWords(answer.detail, plainEnglish),
            answer.publicCode,
            run.providerId,
          );
        throw passingFailure(failures.notTaken, `${notTakenCode}: the provider has not taken the message.`, {
          cause: { code: 'message_not_taken', params: { providerCode: notTakenCode } },
          // For a pause without a length, Temporal's back-off applies and grows each time.
          nextInMs: answer.kind === 'temporary' && answer.retryAfterMs === 0 ? null : pauseMs,
          attemptsLeft: outcome.uncounted ? null : maxAttempts - claimed.attempts,
        });
      } finally {
        turnEnds?.();
        slot.leave();
        clearInterval(beat);
      }
    },
  };
}
