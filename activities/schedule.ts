import {
  type CampaignRow,
  clearPreviousSchedules,
  getCampaign,
  lockCampaign,
  setNextAt,
  setScheduledThrough,
} from '../db/campaigns/campaigns.ts';
import type { Database, Sql } from '../db/core/client.ts';
import { type ResendScope, resendAboutToCopy } from '../db/runs/resends.ts';
import { getRun, insertRun, pendingRun, runOfRequest, type RunRow, unbegunRun } from '../db/runs/runs.ts';
import { lastRestore } from '../db/runs/restores.ts';
import { holidayDates } from '../db/settings/settings.ts';
import { campaign as completeCampaign } from '../domain/campaign.ts';
import { failures } from '../domain/failures.ts';
import { resendableRunStatuses, type RunReason, type RunTrigger } from '../domain/run.ts';
import { nextOccurrences } from '../domain/schedule.ts';
import { finalFailure } from './failure.ts';
import { expiryOf, freezeSettings } from './settings.ts';

/** The campaign workflow's next action; `details` describes it for the Temporal UI. */
export type Plan =
  /** The campaign is not enabled, or no longer. */
  | { next: 'stop'; details: string }
  | Wait
  /** The run's row exists. Once its workflow has started, the campaign waits as `then` specifies. */
  | { next: 'run'; opened: OpenedRun; then: Wait; details: string }
  /** More missed occurrences have to be recorded than fit into one step. */
  | { next: 'again'; details: string };

/** Until the next occurrence, or until the campaign changes. `idle`: nothing will ever be due again. */
export type Wait = { next: 'idle'; details: string } | { next: 'wait'; waitMs: number; details: string };

export interface OpenedRun {
  runId: number;
  campaignId: number;
  occurrence: string;
  trigger: RunTrigger;
  summary: string;
}

/** How often a campaign checks whether a restore is resolved. */
const restoreLookMs = 30_000;
/** The interval while a run has not begun, and another occurrence is due. */
const againMs = 1_000;
/** Missed occurrences recorded in one transaction. */
const missedAtOnce = 200;

export interface ScheduleDeps {
  sql: Database;
  clock: () => Date;
  /** A run starts at most this late; after that, it is recorded as missed. */
  gracePeriodMs: number;
}

/** The calendar's activities: computed here and not in the workflow, because the rules of time zones change. */
export function createSchedule({ sql, clock, gracePeriodMs }: ScheduleDeps) {
  return {
    /**
     * The campaign's next action, by its row. Opens the run of an occurrence that is due. Of the occurrences that
     * passed unprocessed, the last one runs late if it is within the grace period; all others are recorded as missed
     * here.
     *
     * A run that was opened and has not begun is returned again, because the answer that reported it may have been
     * lost.
     */
    async planNext({ campaignId }: { campaignId: number }): Promise<Plan> {
      for (;;) {
        const row = await getCampaign(sql, campaignId);
        if (!row?.enabledAt) return { next: 'stop', details: 'The campaign is disabled.' };
        const { schedule } = row.definition;
        const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
        const now = clock();
        // The calendar is computed before the transaction, so that others do not wait for it.
        const due = dueOccurrences(row, now, holidays);
        const [next] = nextOccurrences(schedule, { after: now, count: 1, holidays });
        const waitForNext = async (tx: Sql): Promise<Wait> => {
          if (row.previousSchedules.length > 0) await clearPreviousSchedules(tx, campaignId);
          await setNextAt(tx, campaignId, next?.at ?? null);
          if (!next) return { next: 'idle', details: 'The schedule has no further occurrence.' };
          return {
            next: 'wait',
            waitMs: Math.max(1, next.at.getTime() - clock().getTime()),
            details: `Next run: **${next.local}** (${schedule.timezone}, ${next.offset})`,
          };
        };
        const start = (run: RunRow, then: Wait): Plan => ({
          next: 'run',
          opened: describeOpened(row, run),
          then,
          details: `Due: ${run.occurrence.toISOString()}`,
        });
        const plan = await sql.begin(async (tx): Promise<Plan | null> => {
          const locked = await lockCampaign(tx, campaignId);
          if (!locked || !isScheduledAlike(locked, row)) return null;
          const restore = await lastRestore(tx);
          const unknown = restore ? due.filter((occurrence) => occurrence <= restore.recognizedAt) : [];
          if (restore && unknown.length > 0) {
            const reason: RunReason = {
              code: 'missed_by_restore',
              backupAt: restore.backupAt.toISOString(),
            };
            await recordMissed(tx, row, unknown, () => reason);
            return { next: 'again', details: 'Recording what may have run after the backup.' };
          }
          if (restore?.completedAt === null) {
            return {
              next: 'wait',
              waitMs: restoreLookMs,
              details:
                'The database was restored from a backup. Runs start again when the providers have been asked what happened since, or when a person goes on without.',
            };
          }
          const opened = await unbegunRun(tx, campaignId);
          if (opened) {
            const then: Wait = { next: 'wait', waitMs: againMs, details: 'Another occurrence is due.' };
            return start(opened, due.length > 0 ? then : await waitForNext(tx));
          }
          const latest = due.at(-1);
          if (latest) {
            const isLate = (occurrence: Date): boolean =>
              now.getTime() - occurrence.getTime() > gracePeriodMs;
            const reasonOf = (occurrence: Date): RunReason =>
              isLate(occurrence)
                ? {
                    code: 'beyond_grace',
                    lateMs: now.getTime() - occurrence.getTime(),
                    graceMs: gracePeriodMs,
                  }
                : { code: 'superseded', by: latest.toISOString() };
            await recordMissed(tx, row, due.slice(0, -1), reasonOf);
            if (due.length > missedAtOnce) return { next: 'again', details: 'Recording missed runs.' };
            if (!isLate(latest)) {
              const run = await openRun(tx, row, { occurrence: latest, trigger: 'schedule' });
              await setScheduledThrough(tx, campaignId, latest);
              return start(run, await waitForNext(tx));
            }
            await recordMissed(tx, row, [latest], reasonOf);
          }
          return waitForNext(tx);
        });
        if (plan) return plan;
        // A user edited or enabled it, or another attempt planned it meanwhile: start over.
      }
    },

    /**
     * Opens a run that a user requested at `occurrence`; returns the run that the same request has already opened, if
     * any.
     */
    async openManualRun({
      campaignId,
      occurrence,
      requestKey,
    }: {
      campaignId: number;
      occurrence: string;
      requestKey: string;
    }): Promise<OpenedRun> {
      return sql.begin(async (tx) => {
        const row = await lockCampaign(tx, campaignId);
        const known = row && (await runOfRequest(tx, campaignId, requestKey));
        if (known) return describeOpened(row, known);
        if (!row?.enabled) throw finalFailure(failures.notEnabled, 'The campaign is not enabled.');
        const pending = row.definition.mailing.runDespitePending
          ? null
          : await pendingRun(tx, { campaignId, before: null });
        if (pending) {
          throw finalFailure(
            failures.runPending,
            `Run ${pending.id} of this campaign is still pending.`,
            pending.id,
            pending.unsent,
          );
        }
        return describeOpened(
          row,
          await openRun(tx, row, { occurrence: new Date(occurrence), trigger: 'manual', requestKey }),
        );
      });
    },

    /** Opens a dry run of a campaign that is complete, enabled or not. */
    async openDryRun({
      campaignId,
      occurrence,
      requestKey,
    }: {
      campaignId: number;
      occurrence: string;
      requestKey: string;
    }): Promise<OpenedRun> {
      return sql.begin(async (tx) => {
        const row = await lockCampaign(tx, campaignId);
        const known = row && (await runOfRequest(tx, campaignId, requestKey));
        if (known) return describeOpened(row, known);
        if (!row || !completeCampaign.safeParse(row.definition).success)
          throw finalFailure(failures.incompleteCampaign, 'The campaign is not complete.');
        return describeOpened(
          row,
          await openRun(tx, row, { occurrence: new Date(occurrence), trigger: 'dry_run', requestKey }),
        );
      });
    },

    /**
     * Opens a run that resends messages of an earlier one, with its frozen settings and texts. Refused while another
     * resend of that run is about to create its messages.
     */
    async openResend({
      campaignId,
      occurrence,
      requestKey,
      of,
      scope,
    }: {
      campaignId: number;
      occurrence: string;
      requestKey: string;
      of: number;
      scope: ResendScope;
    }): Promise<OpenedRun> {
      return sql.begin(async (tx) => {
        const row = await lockCampaign(tx, campaignId);
        const known = row && (await runOfRequest(tx, campaignId, requestKey));
        if (known) return describeOpened(row, known);
        const original = await getRun(tx, of);
        if (!row || original?.campaignId !== campaignId || !resendableRunStatuses.has(original.status))
          throw finalFailure(failures.runNotOver, 'Only a run that is finished or cancelled can be resent.');
        const at = new Date(occurrence);
        const other = await resendAboutToCopy(tx, of);
        if (other !== null)
          throw finalFailure(
            failures.runPending,
            `Run ${other} is about to resend messages of it.`,
            other,
            null,
          );
        const { settings } = original;
        const run = await insertRun(tx, {
          campaignId,
          occurrence: at,
          trigger: 'resend',
          requestKey,
          status: 'running',
          reason: null,
          settings,
          mailingFileId: original.mailingFileId,
          resend: { of, scope },
          expiresAt: expiryOf(settings.campaign, at),
        });
        return describeOpened(row, run);
      });
    },
  };
}

/** Whether both rows of a campaign have the same values for everything that a plan depends on. */
const isScheduledAlike = (one: CampaignRow, other: CampaignRow): boolean =>
  one.version === other.version &&
  one.previousSchedules.length === other.previousSchedules.length &&
  [
    [one.enabledAt, other.enabledAt],
    [one.scheduledThrough, other.scheduledThrough],
    [one.scheduleSince, other.scheduleSince],
  ].every(([a, b]) => a?.getTime() === b?.getTime());

/** The unprocessed occurrences up to now, oldest first: at most one more than one step records. */
function dueOccurrences(row: CampaignRow, now: Date, holidays: ReadonlySet<string>): Date[] {
  const count = missedAtOnce + 1;
  const latest = (...instants: (Date | null)[]): Date =>
    new Date(Math.max(...instants.map((instant) => instant?.getTime() ?? -Infinity)));
  const due = (schedule: CampaignRow['definition']['schedule'], after: Date, until: Date): Date[] =>
    nextOccurrences(schedule, { after, until, count, holidays }).map(({ at }) => at);
  let handled = latest(row.scheduledThrough, row.enabledAt);
  const owed = row.previousSchedules.flatMap(({ schedule, until }) => {
    const occurrences = due(schedule, handled, until);
    handled = latest(handled, until);
    return occurrences;
  });
  return [...owed, ...due(row.definition.schedule, latest(handled, row.scheduleSince), now)].slice(0, count);
}

async function recordMissed(
  tx: Sql,
  row: CampaignRow,
  occurrences: readonly Date[],
  reasonOf: (occurrence: Date) => RunReason,
): Promise<void> {
  for (const occurrence of occurrences) {
    await openRun(tx, row, { occurrence, trigger: 'schedule', missed: reasonOf(occurrence) });
    await setScheduledThrough(tx, row.id, occurrence);
  }
}

async function openRun(
  tx: Sql,
  row: CampaignRow,
  {
    occurrence,
    trigger,
    requestKey,
    missed,
  }: { occurrence: Date; trigger: RunTrigger; requestKey?: string; missed?: RunReason },
): Promise<RunRow> {
  // An enabled campaign is complete: the API saves nothing less while it is enabled. A dry run's campaign was checked.
  const definition = completeCampaign.parse(row.definition);
  return insertRun(tx, {
    campaignId: row.id,
    occurrence,
    trigger,
    ...(requestKey === undefined ? {} : { requestKey }),
    status: missed ? 'missed' : 'running',
    reason: missed ?? null,
    settings: await freezeSettings(tx, definition),
    mailingFileId: definition.mailing.source === 'csv' ? row.mailingFileId : null,
    expiresAt: expiryOf(definition, occurrence),
  });
}

const summaries = {
  schedule: 'Run',
  manual: 'Run',
  dry_run: 'Dry run',
  resend: 'Resend',
} as const satisfies Record<RunTrigger, string>;

const describeOpened = (row: CampaignRow, run: RunRow): OpenedRun => ({
  runId: run.id,
  campaignId: row.id,
  occurrence: run.occurrence.toISOString(),
  trigger: run.trigger,
  summary: `${summaries[run.trigger]} ${run.id} of “${row.definition.name}”`,
});
