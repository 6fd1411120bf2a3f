import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import type { Database, Sql } from '../db/core/client.ts';
import { letBeyondBudget } from '../db/money/costs.ts';
import {
  approveRun,
  enterStep,
  getRun,
  lockIfStopped,
  lockRun,
  mailingBefore,
  markCanaryOver,
  measureFrom,
  measureRun,
  moveRun,
  pendingRun,
  type RunCount,
  runCounts,
  type RunRow,
  type RunMove,
  wasMovedAfter,
} from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { plainEnglish } from '../domain/format.ts';
import { hoursAt } from '../domain/hours.ts';
import { failoverWords, preflightWords, runReasonWords, waitingWords } from '../domain/problems/runs.ts';
import { messageReasonWords, messageStatusWords, runStatusWords } from '../domain/problems/states.ts';
import {
  liveRunStatuses,
  manyLines,
  type RunReason,
  type RunStatus,
  type RunStep,
  type RunTrigger,
} from '../domain/run.ts';
import { waitingOf } from '../domain/waiting.ts';
import type { Costs } from './costs.ts';
import { causeOfFailure, finalFailure } from './failure.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { followCampaign } from './settings.ts';

/**
 * `waitMs`: until the hours open, or the run expires. `details` describes that, or why the run is paused. `skip`: why
 * the run is skipped unless it is paused; null: it is not.
 */
export type HoursState =
  | { state: 'open'; waitMs: number; details: string; skip: RunReason | null }
  | { state: 'closed'; waitMs: number; details: string }
  | { state: 'expired'; reason: RunReason };

export interface BegunRun {
  status: RunStatus;
  trigger: RunTrigger;
  /** The step at which it continues. Before its mailing has been read: with its hours, or without if it has none. */
  at: { step: 'hours'; hours: HoursState } | { step: 'mailing' } | { step: 'sending' };
  /** It opens a ticket for each message that was handed to the provider; a resend updates those that are open. */
  ticketsOnSend: boolean;
}

export type ApprovalState =
  | { state: 'approved' }
  | { state: 'waiting'; waitMs: number; details: string }
  | { state: 'expired'; reason: RunReason };

export interface ClosedRun {
  status: 'finished' | 'skipped' | 'cancelled';
  /** Messages by status. */
  counts: Record<string, number>;
  details: string;
}

/** No wait is longer: a calendar day may change its rules meanwhile. */
const longestWaitMs = 24 * 60 * 60 * 1000;
/**
 * A run is notified when the hours that it waits for change. It also checks by itself: a signal can get lost with
 * Temporal's database, and no signal reports a restored database. A week of checks is some 4,000 events of the run's
 * history.
 */
const longestHoursWaitMs = 30 * 60 * 1000;

export interface RunsDeps {
  sql: Database;
  /** For statements that read all messages of a run. */
  bulkSql: Database;
  clock: () => Date;
  costs: Costs;
}

/** The steps of a run between which its workflow waits and decides. Each is safe to repeat. */
export function createRuns({ sql, bulkSql, clock, costs }: RunsDeps) {
  const need = async (runId: number): Promise<RunRow> => {
    const run = await getRun(sql, runId);
    if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
    return run;
  };
  const move = async (
    runId: number,
    from: readonly RunStatus[],
    to: RunStatus,
    reason: RunReason | null,
    tx: Sql = sql,
  ): Promise<void> => {
    if (await moveInOrder(tx, { id: runId, from, to, reason })) return;
    const { status } = await need(runId);
    if (status !== to) throw finalFailure(failures.runEnded, `The run is ${status}.`);
  };

  return {
    /** Starts a run: a new one, or one that failed and is retried. Includes its first check of the hours. */
    async beginRun({ runId }: { runId: number }): Promise<BegunRun> {
      await moveInOrder(sql, { id: runId, from: ['failed'], to: 'running', reason: null });
      const run = await need(runId);
      const { status, trigger, mailingAt, sendingAt, settings } = run;
      if (!isLive(status)) throw finalFailure(failures.runEnded, `The run is ${status}.`);
      return {
        status,
        trigger,
        at:
          sendingAt !== null
            ? { step: 'sending' }
            : mailingAt !== null || trigger === 'dry_run'
              ? { step: 'mailing' }
              : { step: 'hours', hours: await lookAtHours(sql, await followCampaign(sql, runId), clock()) },
        ticketsOnSend: settings.campaign.ticketPolicy.when === 'on_send',
      };
    },

    /** Whether the run's sending hours are open. Before its mailing has been read, also whether it is to be skipped. */
    async checkHours({ runId }: { runId: number }): Promise<HoursState> {
      return lookAtHours(sql, await followCampaign(sql, runId), clock());
    },

    /** Whether a user has approved the run. Moves the run to the step `approval`. */
    async checkApproval({ runId }: { runId: number }): Promise<ApprovalState> {
      await enterStep(sql, runId, 'approval');
      const run = await need(runId);
      if (run.approvedAt !== null) return { state: 'approved' };
      const now = clock();
      const reason = expiryOf(run, now);
      if (reason) return { state: 'expired', reason };
      const { expiresAt, preflight } = run;
      return {
        state: 'waiting',
        waitMs: Math.min((expiresAt?.getTime() ?? Infinity) - now.getTime(), longestWaitMs),
        details: [waitingIn(run, now), preflight && preflightWords(preflight, plainEnglish)]
          .filter(Boolean)
          .join('\n\n'),
      };
    },

    async approveRun({ runId, by }: { runId: number; by: string }): Promise<void> {
      if (await approveRun(sql, { id: runId, by })) return;
      const { status, step } = await need(runId);
      // Its workflow may still be about to end.
      if (!isLive(status)) throw finalFailure(failures.runEnded, `The run is ${status}.`);
      throw finalFailure(
        failures.notWaitingForApproval,
        `The run is ${status}, in the step ${step}: it does not wait for approval.`,
      );
    },

    async pauseRun({ runId, reason }: { runId: number; reason: RunReason }): Promise<void> {
      await move(runId, ['running'], 'paused', reason);
    },

    /**
     * A run that the threshold has stopped is measured again from zero, and its canary is over. One that a budget has
     * stopped may exceed it from now on.
     */
    async resumeRun({ runId }: { runId: number }): Promise<void> {
      await sql.begin(async (tx) => {
        if (await lockIfStopped(tx, runId)) {
          await measureFrom(tx, runId, await measureRun(tx, runId));
          await markCanaryOver(tx, runId, clock());
        }
        await letBeyondBudget(tx, runId);
        await move(runId, ['paused'], 'running', null, tx);
      });
    },

    /** From here on no sender claims messages of the run; `closeRun` cancels the remaining ones. */
    async requestCancel({ runId, reason }: { runId: number; reason: RunReason }): Promise<void> {
      await move(runId, ['running', 'paused', 'failed'], 'cancelling', reason);
    },

    /** Ends a run. A cancelled run keeps the reason that was given with the request. */
    async closeRun({
      runId,
      status,
      reason,
    }: {
      runId: number;
      status: ClosedRun['status'];
      reason: RunReason | null;
    }): Promise<ClosedRun> {
      const counts = await whileHeartbeating(async () => {
        if (status === 'cancelled') await takeOver(bulkSql, { runId, deduplicates: false });
        return bulkSql.begin(async (tx) => {
          await lockRun(tx, runId);
          if (status === 'cancelled') await endRemaining(tx, runId);
          const counts = await runCounts(tx, runId);
          const left = counts.find((count) => count.status === 'queued');
          if (status === 'finished' && left)
            throw new Error(`Run ${runId} can't be finished with ${left.messages} unsent messages.`);
          const run = await getRun(tx, runId);
          await moveInOrder(tx, {
            id: runId,
            // A step may have marked the run as failed while a user cancelled it.
            from: status === 'cancelled' ? [...liveRunStatuses, 'failed'] : liveRunStatuses,
            to: status,
            reason:
              reason ?? (status === 'cancelled' ? (run?.reason ?? null) : await emptyReason(tx, run, counts)),
          });
          return counts;
        });
      });
      await costs.sync(sql, [runId]);
      const run = await need(runId);
      return {
        status,
        counts: countsByStatus(counts),
        details: [
          `**${runStatusWords.en[status]}**${run.reason ? `: ${runReasonWords(run.reason, plainEnglish)}` : ''}`,
          ...(run.preflight && run.trigger === 'dry_run'
            ? [preflightWords(run.preflight, plainEnglish)]
            : []),
          ...run.failovers.map((one) => failoverWords(one, plainEnglish)),
          countsTable(counts),
        ].join('\n\n'),
      };
    },

    /** Marks a run as failed, unless the step that failed has already recorded the reason. */
    async failRun({
      runId,
      step,
      failure,
    }: {
      runId: number;
      step: RunStep;
      failure: { type: string | null; detail: unknown };
    }): Promise<void> {
      await moveInOrder(sql, {
        id: runId,
        from: liveRunStatuses,
        to: 'failed',
        reason: { code: 'fault', step, cause: causeOfFailure(failure) },
      });
    },
  };
}

/** Whether the run's sending hours are open. Before its mailing has been read this is the step `hours`, then `pending_check`. */
export async function lookAtHours(
  sql: Sql,
  { run, campaignEnabled }: { run: RunRow; campaignEnabled: boolean },
  now: Date,
): Promise<HoursState> {
  const isFirst = run.mailingAt === null;
  if (isFirst) await enterStep(sql, run.id, 'hours');
  const reason = expiryOf(run, now);
  if (reason) return { state: 'expired', reason };
  const hours = hoursAt(run.hours, now, new Set(run.holidays));
  if (!hours.open && hours.opensAt === null) {
    const reason: RunReason = { code: 'hours_never_open' };
    await moveInOrder(sql, { id: run.id, from: liveRunStatuses, to: 'failed', reason });
    throw finalFailure(failures.hoursNeverOpen, runReasonWords(reason, plainEnglish));
  }
  const opensAt = hours.open ? null : hours.opensAt;
  const until = Math.min(opensAt?.getTime() ?? Infinity, run.expiresAt?.getTime() ?? Infinity);
  const wait = {
    waitMs: Math.min(until - now.getTime(), longestHoursWaitMs),
    details: [run.reason && runReasonWords(run.reason, plainEnglish), waitingIn(run, now)]
      .filter(Boolean)
      .join(' '),
  };
  if (!hours.open) return { state: 'closed', ...wait };
  return { state: 'open', ...wait, skip: isFirst ? await skipReason(sql, run, campaignEnabled) : null };
}

/**
 * The reason to skip the run: its campaign was disabled while it waited, or an earlier run is pending and the campaign
 * does not allow that.
 */
async function skipReason(sql: Sql, run: RunRow, campaignEnabled: boolean): Promise<RunReason | null> {
  // A user who requests a resend knows about the other runs.
  if (run.trigger === 'resend' || run.trigger === 'dry_run') return null;
  if (run.status === 'running') await enterStep(sql, run.id, 'pending_check');
  if (!campaignEnabled) return { code: 'campaign_disabled' };
  if (run.settings.campaign.mailing.runDespitePending) return null;
  const pending = await pendingRun(sql, { campaignId: run.campaignId, before: run.id });
  return pending && { code: 'pending_run', runId: pending.id, unsent: pending.unsent };
}

/** Moves the run unless a later attempt has: then it throws, so that another attempt follows. */
async function moveInOrder(sql: Sql, move: Omit<RunMove, 'attemptAt' | 'unread'>): Promise<boolean> {
  const attemptAt = activityInfo().currentAttemptScheduledTimestampMs;
  if (await moveRun(sql, { ...move, attemptAt })) return true;
  if (await wasMovedAfter(sql, move.id, attemptAt)) {
    throw ApplicationFailure.create({
      type: failures.superseded,
      message: `A later attempt has moved run ${move.id}.`,
    });
  }
  return false;
}

/** What the run waits for, for the Temporal UI. */
function waitingIn(run: RunRow, now: Date): string | null {
  const waiting = waitingOf(run, now);
  return waiting && waitingWords(waiting, plainEnglish);
}

/** The reason to end a run that has expired; null while it has not. */
const expiryOf = ({ expiresAt }: RunRow, now: Date): RunReason | null =>
  expiresAt !== null && expiresAt <= now ? { code: 'expired', expiresAt: expiresAt.toISOString() } : null;

const isLive = (status: RunStatus): boolean => liveRunStatuses.some((live) => live === status);

/** Messages by status. */
export function countsByStatus(counts: readonly RunCount[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { status, messages } of counts) sums[status] = (sums[status] ?? 0) + messages;
  return sums;
}

/** The counts as the Temporal UI shows them. */
export function countsTable(counts: readonly RunCount[]): string {
  const rows = counts.map(
    ({ status, reason, messages }) =>
      `| ${messageStatusWords.en[status]} | ${messageReasonWords.en[reason] ?? reason} | ${messages} |`,
  );
  return ['| Status | Reason | Messages |', '| --- | --- | ---: |', ...rows].join('\n');
}

/** For a run that found no contacts where earlier runs found many: a user has to see it. */
async function emptyReason(
  tx: Sql,
  run: RunRow | null,
  counts: readonly RunCount[],
): Promise<RunReason | null> {
  if (run === null || counts.length > 0 || (run.trigger !== 'schedule' && run.trigger !== 'manual'))
    return null;
  const before = await mailingBefore(tx, { campaignId: run.campaignId, before: run.id });
  return before !== null && before.lines >= manyLines
    ? { code: 'no_contacts', runId: before.id, lines: before.lines }
    : null;
}
