import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import type { Database, Sql } from '../db/core/client.ts';
import { getProvider } from '../db/providers/providers.ts';
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
  setPreflight,
  wasMovedAfter,
} from '../db/runs/runs.ts';
import { describeFailover } from '../domain/failover.ts';
import { failures } from '../domain/failures.ts';
import { hoursAt } from '../domain/hours.ts';
import { describePreflight, preflightOf } from '../domain/preflight.ts';
import {
  describeRunReason,
  liveRunStatuses,
  manyLines,
  type RunReason,
  type RunStatus,
  type RunStep,
  type RunTrigger,
} from '../domain/run.ts';
import { waitingOf } from '../domain/waiting.ts';
import { finalFailure } from './failure.ts';
import { whileHeartbeating } from './heartbeat.ts';

/** `waitMs`: until the hours open, or the run expires. `details` say it, or why the run is paused. */
export type HoursState =
  { state: 'open' | 'closed'; waitMs: number; details: string } | { state: 'expired'; reason: RunReason };

export interface BegunRun {
  status: RunStatus;
  trigger: RunTrigger;
  /** Where it goes on. */
  at: 'hours' | 'preflight' | 'sending';
  /** It opens a ticket for each message that was handed to the provider; a resend corrects those that are open. */
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

/** No wait is longer: a day of the calendar may change its rules meanwhile. */
const longestWaitMs = 24 * 60 * 60 * 1000;

export interface RunsDeps {
  sql: Database;
  /** For what goes through all messages of a run. */
  bulkSql: Database;
  clock: () => Date;
}

/** The steps of a run between which its workflow waits and decides. Each may be repeated. */
export function createRuns({ sql, bulkSql, clock }: RunsDeps) {
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
    /** Takes a run up: a new one, or one that failed and is retried. */
    async beginRun({ runId }: { runId: number }): Promise<BegunRun> {
      await moveInOrder(sql, { id: runId, from: ['failed'], to: 'running', reason: null });
      const { status, trigger, mailingAt, sendingAt, settings } = await need(runId);
      if (!isLive(status)) throw finalFailure(failures.runEnded, `The run is ${status}.`);
      return {
        status,
        trigger,
        at: mailingAt === null ? 'hours' : sendingAt === null ? 'preflight' : 'sending',
        ticketsOnSend: settings.campaign.ticketPolicy.when === 'on_send',
      };
    },

    /** Whether the run's sending hours are open; before its mailing is read this is the step `hours`. */
    async checkHours({ runId }: { runId: number }): Promise<HoursState> {
      const run = await need(runId);
      if (run.mailingAt === null) await enterStep(sql, runId, 'hours');
      const now = clock();
      const reason = expiryOf(run, now);
      if (reason) return { state: 'expired', reason };
      const hours = hoursAt(run.settings.hours, now, new Set(run.settings.holidays));
      if (!hours.open && hours.opensAt === null) {
        const reason: RunReason = { code: 'hours_never_open' };
        await moveInOrder(sql, { id: runId, from: liveRunStatuses, to: 'failed', reason });
        throw finalFailure(failures.hoursNeverOpen, describeRunReason(reason));
      }
      const opensAt = hours.open ? null : hours.opensAt;
      const until = Math.min(opensAt?.getTime() ?? Infinity, run.expiresAt?.getTime() ?? Infinity);
      return {
        state: hours.open ? 'open' : 'closed',
        waitMs: Math.min(until - now.getTime(), longestWaitMs),
        details: [run.reason && describeRunReason(run.reason), waitingOf(run, now)?.words]
          .filter(Boolean)
          .join(' '),
      };
    },

    /** The reason to skip the run, if an earlier one is pending and the campaign does not allow that. */
    async checkPending({ runId }: { runId: number }): Promise<RunReason | null> {
      const run = await need(runId);
      await enterStep(sql, runId, 'pending_check');
      if (run.settings.campaign.mailing.runDespitePending) return null;
      const pending = await pendingRun(sql, { campaignId: run.campaignId, before: runId });
      return pending && { code: 'pending_run', runId: pending.id, unsent: pending.unsent };
    },

    /** Says in numbers what the run is about to do, and keeps it with the run. */
    async checkPreflight({ runId }: { runId: number }): Promise<{ needsApproval: boolean; details: string }> {
      const run = await need(runId);
      await enterStep(sql, runId, 'preflight');
      const provider = run.providerId === null ? null : await getProvider(sql, run.providerId);
      const flight =
        run.preflight ??
        preflightOf({
          counts: await runCounts(sql, runId),
          ratePerSecond: provider?.ratePerSecond ?? null,
          hours: run.settings.hours,
          holidays: new Set(run.settings.holidays),
          now: clock(),
          expiresAt: run.expiresAt,
        });
      await setPreflight(sql, runId, flight);
      return {
        needsApproval: run.settings.campaign.safeguards.approval && flight.toSend > 0,
        details: `**Pre-flight**: ${describePreflight(flight)}`,
      };
    },

    /** Whether a person has approved the run, which waits for that from here on. */
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
        details: [waitingOf(run, now)?.words, preflight && describePreflight(preflight)]
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

    /** A run that the threshold has stopped is measured anew, and its canary is over. */
    async resumeRun({ runId }: { runId: number }): Promise<void> {
      await sql.begin(async (tx) => {
        if (await lockIfStopped(tx, runId)) {
          await measureFrom(tx, runId, await measureRun(tx, runId));
          await markCanaryOver(tx, runId, clock());
        }
        await move(runId, ['paused'], 'running', null, tx);
      });
    },

    /** From here on no sender claims anything of the run; `closeRun` cancels what is left. */
    async requestCancel({ runId, reason }: { runId: number; reason: RunReason }): Promise<void> {
      await move(runId, ['running', 'paused', 'failed'], 'cancelling', reason);
    },

    /** Ends a run. Cancelling keeps the reason that was given with the request. */
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
            // A step may have marked the run as failed while a person cancelled it.
            from: status === 'cancelled' ? [...liveRunStatuses, 'failed'] : liveRunStatuses,
            to: status,
            reason:
              reason ?? (status === 'cancelled' ? (run?.reason ?? null) : await emptyReason(tx, run, counts)),
          });
          return counts;
        });
      });
      const run = await need(runId);
      return {
        status,
        counts: countsByStatus(counts),
        details: [
          `**${status}**${run.reason ? `: ${describeRunReason(run.reason)}` : ''}`,
          ...(run.preflight && run.trigger === 'dry_run' ? [describePreflight(run.preflight)] : []),
          ...run.failovers.map(describeFailover),
          countsTable(counts),
        ].join('\n\n'),
      };
    },

    /** Marks a run as failed, unless the step that failed has already said why. */
    async failRun({ runId, step, detail }: { runId: number; step: RunStep; detail: string }): Promise<void> {
      await moveInOrder(sql, {
        id: runId,
        from: liveRunStatuses,
        to: 'failed',
        reason: { code: 'fault', step, detail },
      });
    },
  };
}

/** Moves the run unless a later attempt has: then it throws, for an attempt that is later still. */
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
  const rows = counts.map(({ status, reason, messages }) => `| ${status} | ${reason} | ${messages} |`);
  return ['| status | reason | messages |', '| --- | --- | ---: |', ...rows].join('\n');
}

/** Of a run that found nobody, where many were found before: a person has to see it. */
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
