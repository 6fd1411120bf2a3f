import { type Day, isOnDay } from '../core/day.ts';
import { z } from 'zod';
import { type SendingHours, sendingHours } from '../../domain/hours.ts';
import type { MessageStatus } from '../../domain/message.ts';
import { type Failover, failover } from '../../domain/failover.ts';
import type { RunKey } from '../../domain/ids.ts';
import { type Preflight, preflight } from '../../domain/preflight.ts';
import type { RunReason, RunSettings, RunStatus, RunStep, RunTrigger } from '../../domain/run.ts';
import { runReason, runSettings } from '../../domain/run.ts';
import { type Measure, measure, measureOf } from '../../domain/safeguards.ts';
import { type WarningCounts, warningCounts } from '../../domain/warnings.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { type ResendScope, resendScope } from './resends.ts';

/** When messages of a run may leave, by the current settings. */
export interface RunHours {
  hours: SendingHours;
  /** Dates `YYYY-MM-DD` on which nothing is sent. */
  holidays: string[];
}

export interface RunRow extends RunHours {
  id: number;
  campaignId: number;
  occurrence: Date;
  trigger: RunTrigger;
  status: RunStatus;
  step: RunStep;
  reason: RunReason | null;
  settings: RunSettings;
  mailingFileId: number | null;
  /** For a resend: the run whose messages it sends again, and which of them. */
  resendOf: number | null;
  resendScope: ResendScope | null;
  /** The current provider: the campaign's, or the fallback after a failover. */
  providerId: number | null;
  failovers: Failover[];
  expiresAt: Date | null;
  startedAt: Date | null;
  mailingAt: Date | null;
  /** Null until the mailing has been read, and for a run that never reached that step. */
  preflight: Preflight | null;
  /** Counts of values of its mailing that could not be read; null: none. */
  warnings: WarningCounts | null;
  approvedAt: Date | null;
  /** `user:7`, `token:3`. */
  approvedBy: string | null;
  /** When a user let it exceed the month's budget (domain/budget.ts). */
  beyondBudgetAt: Date | null;
  canaryLeftAt: Date | null;
  canaryOverAt: Date | null;
  measuredFrom: Measure | null;
  sendingAt: Date | null;
  finishedAt: Date | null;
}

/** Selects from the table `runs` under its own name; for `parsedRun`. */
export const runColumns = (sql: Sql) => sql`
  id, campaign_id, occurrence, trigger, status, step, reason, settings, ${presentHours(sql)}, mailing_file_id, resend_of, resend_scope,
  provider_id, failovers, expires_at, started_at, mailing_at, preflight, warnings, approved_at, approved_by,
  beyond_budget_at,   canary_left_at, canary_over_at, measured_from, sending_at, finished_at`;

const presentHours = (sql: Sql) => sql`
  (select definition from sending_hours as h where h.id = runs.sending_hours_id) as hours,
  (select jsonb_path_query_array(definition, '$.holidays[*].date') from holiday_calendars as c
    where c.id = runs.holiday_calendar_id) as holidays`;

const parsedHours = ({ hours, holidays }: RunHours): RunHours => ({
  hours: sendingHours.parse(hours),
  // No calendar: null.
  holidays: z.array(z.string()).nullable().parse(holidays) ?? [],
});

export const parsedRun = (row: RunRow): RunRow => ({
  ...row,
  ...parsedHours(row),
  settings: runSettings.parse(row.settings),
  reason: runReason.nullable().parse(row.reason),
  resendScope: resendScope.nullable().parse(row.resendScope),
  preflight: preflight.nullable().parse(row.preflight),
  warnings: warningCounts.nullable().parse(row.warnings),
  measuredFrom: measure.nullable().parse(row.measuredFrom),
  failovers: failover.array().parse(row.failovers),
});

export interface NewRun {
  campaignId: number;
  occurrence: Date;
  trigger: RunTrigger;
  /** For a run that a request opened: the request's key. */
  requestKey?: string;
  status: Extract<RunStatus, 'running' | 'missed'>;
  reason: RunReason | null;
  settings: RunSettings;
  mailingFileId: number | null;
  resend?: { of: number; scope: ResendScope };
  expiresAt: Date | null;
}

/** Records a run; if the occurrence already has one, returns that one unchanged. */
export async function insertRun(sql: Sql, run: NewRun): Promise<RunRow> {
  await sql`
    insert into runs (campaign_id, occurrence, trigger, request_key, status, step, reason, settings, mailing_file_id,
      resend_of, resend_scope, provider_id, expires_at, finished_at)
    values (${run.campaignId}, ${run.occurrence}, ${run.trigger}, ${run.requestKey ?? null}, ${run.status}, 'due', ${run.reason && json(sql, run.reason)},
      ${json(sql, run.settings)}, ${run.mailingFileId},
      ${run.resend?.of ?? null}, ${run.resend ? json(sql, run.resend.scope) : null}, ${run.settings.campaign.message.providerId}, ${run.expiresAt},
      ${run.status === 'missed' ? sql`now()` : null})
    on conflict (campaign_id, occurrence) do nothing`;
  const [row] = await sql<[RunRow]>`
    select ${runColumns(sql)} from runs where campaign_id = ${run.campaignId} and occurrence = ${run.occurrence}`;
  return parsedRun(row);
}

export async function getRun(sql: Sql, id: number): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`select ${runColumns(sql)} from runs where id = ${id}`;
  return row ? parsedRun(row) : null;
}

export async function getRuns(sql: Sql, ids: readonly number[]): Promise<RunRow[]> {
  if (ids.length === 0) return [];
  const rows = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs where id = any(${[...ids]}::bigint[]) order by id`;
  return rows.map(parsedRun);
}

/** The first run that the schedule opened and whose workflow has not started; null: none. */
export async function unbegunRun(sql: Sql, campaignId: number): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs
    where campaign_id = ${campaignId} and trigger = 'schedule' and status = 'running' and started_at is null
    order by occurrence limit 1`;
  return row ? parsedRun(row) : null;
}

/** The run that a request opened; null: none yet. */
export async function runOfRequest(sql: Sql, campaignId: number, requestKey: string): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs where campaign_id = ${campaignId} and request_key = ${requestKey}`;
  return row ? parsedRun(row) : null;
}

/** Locks the row of a run until the transaction ends. Call it before locking claims and messages, as senders do. */
export async function lockRun(sql: Sql, id: number): Promise<void> {
  await sql`select from runs where id = ${id} for no key update`;
}

/** Whether a safeguard stopped the run; if so, its row is locked until the transaction ends. */
export async function lockIfStopped(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    select from runs where id = ${id} and status = 'paused' and reason ->> 'code' in ('threshold', 'reached_nobody') for no key update`;
  return rows.count > 0;
}

/**
 * Claims the import of a run's mailing until the transaction ends; false when the mailing has already been read. An
 * advisory lock, because the row must stay free for a user who pauses or cancels the run meanwhile.
 */
export async function lockImport(sql: Sql, id: number): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.import'), ${id}::int)`;
  const [row] = await sql<{ mailingAt: Date | null }[]>`select mailing_at from runs where id = ${id}`;
  return row?.mailingAt === null;
}

/** Only the status, which a sender reads every second. */
export async function runStatus(sql: Sql, id: number): Promise<RunStatus | null> {
  const [row] = await sql<{ status: RunStatus }[]>`select status from runs where id = ${id}`;
  return row?.status ?? null;
}

/** A page of runs, newest first; `before`: only smaller ids. */
export async function listRuns(
  sql: Sql,
  {
    campaignId,
    status,
    trigger,
    regionId,
    customerTypeId,
    day,
    live = false,
    before,
    limit,
  }: {
    campaignId?: number | undefined;
    status?: RunStatus | undefined;
    trigger?: RunTrigger | undefined;
    regionId?: number | undefined;
    customerTypeId?: number | undefined;
    /** When they were due. */
    day?: Day | undefined;
    /** Only those that are live. */
    live?: boolean;
    before?: number | undefined;
    limit: number;
  },
): Promise<RunRow[]> {
  // Of a day, the index on the time finds the runs; the order by id would read all runs back to it.
  const source = day
    ? sql`(select * from runs where ${isOnDay(sql, 'occurrence', day)} offset 0) as runs`
    : sql`runs`;
  const rows = await sql<RunRow[]>`
    select ${runColumns(sql)} from ${source} where true
      ${campaignId === undefined ? sql`` : sql`and campaign_id = ${campaignId}`}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${trigger === undefined ? sql`` : sql`and trigger = ${trigger}`}
      ${live ? sql`and status in ('running', 'paused', 'cancelling')` : sql``}
      ${regionId === undefined ? sql`` : sql`and region_id = ${regionId}`}
      ${customerTypeId === undefined ? sql`` : sql`and customer_type_id = ${customerTypeId}`}
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
  return rows.map(parsedRun);
}

/**
 * An earlier run of the campaign that still has work: live, or failed with unsent messages. Dry runs have none.
 * `unsent` is null until its mailing has been read.
 */
export async function pendingRun(
  sql: Sql,
  { campaignId, before }: { campaignId: number; before: number | null },
): Promise<{ id: number; unsent: number | null } | null> {
  const [row] = await sql<{ id: number; unsent: number | null }[]>`
    select runs.id, case when mailing_at is null then null else coalesce(queued.messages, 0) end as unsent
    from runs left join lateral (
      select sum(messages)::int as messages from run_counts
      where run_id = runs.id and run_counts.status = 'queued'
    ) as queued on true
    where campaign_id = ${campaignId} and trigger <> 'dry_run' ${before === null ? sql`` : sql`and runs.id < ${before}`}
      and (runs.status in ('running', 'paused', 'cancelling') or runs.status = 'failed' and queued.messages > 0)
    order by runs.id desc limit 1`;
  return row ?? null;
}

/** Enters a step and records the time; a retried run that enters a step again keeps the first time. */
export async function enterStep(sql: Sql, id: number, step: RunStep): Promise<void> {
  await sql`
    update runs set step = ${step}, started_at = coalesce(started_at, now()),
      sending_at = case when ${step} = 'sending' then coalesce(sending_at, now()) else sending_at end
    where id = ${id} and status in ('running', 'paused', 'cancelling')`;
}

/** Requests a sender for the run: a worker without room for one makes room. */
export async function wantSender(sql: Sql, id: number): Promise<void> {
  await sql`update runs set sender_wanted_at = coalesce(sender_wanted_at, clock_timestamp()) where id = ${id}`;
}

export async function haveSender(sql: Sql, id: number): Promise<void> {
  await sql`update runs set sender_wanted_at = null where id = ${id} and sender_wanted_at is not null`;
}

/** The number of runs that have waited for a sender longer than a start takes. */
export async function countRunsWithoutSender(sql: Sql): Promise<number> {
  const [{ count }] = await sql<[{ count: number }]>`
    select count(*)::int as count from runs
    where status = 'running' and sender_wanted_at < clock_timestamp() - interval '0.3 seconds'`;
  return count;
}

/**
 * When the mailing was fetched of the campaign's last run before this one that sent; null: never. Runs that failed,
 * were cancelled or expired do not count, even if some messages left: the contacts that they did not reach must appear
 * again. A run that is still sending counts, because it will reach all contacts.
 */
export async function lastFetch(
  sql: Sql,
  { campaignId, before }: { campaignId: number; before: number | null },
): Promise<Date | null> {
  const [row] = await sql<{ fetchedAt: Date }[]>`
    select fetched_at from runs
    where campaign_id = ${campaignId} ${before === null ? sql`` : sql`and id < ${before}`}
      and fetched_at is not null and mailing_at is not null and trigger <> 'dry_run'
      and status in ('running', 'paused', 'finished')
      and exists (
        select from run_counts where run_id = runs.id and messages > 0
          and run_counts.status in ('sent', 'delivered', 'undelivered', 'unknown'))
    order by id desc limit 1`;
  return row?.fetchedAt ?? null;
}

/** The campaign's last run before this one that read a mailing, except dry runs and resends; its number of lines. */
export async function mailingBefore(
  sql: Sql,
  { campaignId, before }: { campaignId: number; before: number },
): Promise<{ id: number; lines: number } | null> {
  const [row] = await sql<{ id: number; lines: number }[]>`
    select id, coalesce((select sum(messages) from run_counts where run_id = runs.id), 0)::int as lines from runs
    where campaign_id = ${campaignId} and id < ${before} and mailing_at is not null
      and trigger in ('schedule', 'manual')
    order by id desc limit 1`;
  return row ?? null;
}

/** Gives a run that has not read its mailing the campaign's current settings. Keeps what it has fetched. */
export async function changeSettings(
  sql: Sql,
  id: number,
  {
    settings,
    mailingFileId,
    expiresAt,
  }: { settings: RunSettings; mailingFileId: number | null; expiresAt: Date | null },
): Promise<void> {
  await sql`
    update runs set settings = ${json(sql, settings)}, mailing_file_id = coalesce(${mailingFileId}, mailing_file_id),
      provider_id = ${settings.campaign.message.providerId}, expires_at = ${expiresAt}
    where id = ${id} and mailing_at is null`;
}

/** When messages of the run may leave, by the current settings. */
export async function getRunHours(sql: Sql, id: number): Promise<RunHours | null> {
  const [row] = await sql<RunHours[]>`select ${presentHours(sql)} from runs where id = ${id}`;
  return row ? parsedHours(row) : null;
}

/** The same for many runs; groups those with the same hours and holidays. */
export async function getHoursOfRuns(
  sql: Sql,
  ids: readonly number[],
): Promise<(RunHours & { ids: number[] })[]> {
  const rows = await sql<(RunHours & { ids: number[] })[]>`
    select json_agg(id) as ids, ${presentHours(sql)} from runs where id = any(${[...ids]}::bigint[])
    group by sending_hours_id, holiday_calendar_id`;
  return rows.map((row) => ({ ids: row.ids, ...parsedHours(row) }));
}

export async function markMailingRead(sql: Sql, id: number): Promise<void> {
  await sql`update runs set mailing_at = clock_timestamp() where id = ${id}`;
}

/** Stores the pre-flight; the first one stored stays. */
export async function setPreflight(sql: Sql, id: number, flight: Preflight): Promise<void> {
  await sql`update runs set preflight = coalesce(preflight, ${json(sql, flight)}) where id = ${id}`;
}

/** False when the run does not wait for approval. Approving it again changes nothing. It may exceed a budget then. */
export async function approveRun(sql: Sql, { id, by }: { id: number; by: string }): Promise<boolean> {
  const rows = await sql`
    update runs set approved_at = coalesce(approved_at, now()), approved_by = coalesce(approved_by, ${by}),
      beyond_budget_at = case when preflight ->> 'overBudget' is null then beyond_budget_at else coalesce(beyond_budget_at, now()) end
    where id = ${id} and step = 'approval' and status in ('running', 'paused')`;
  return rows.count > 0;
}

/** The outcomes and failures of the run so far, including opt-outs of its recipients. */
export async function measureRun(sql: Sql, id: number): Promise<Measure> {
  const [known] = await measureRuns(sql, [id]);
  return known ?? measureOf([], 0);
}

/** The same for many runs, in their order. */
export async function measureRuns(sql: Sql, ids: readonly number[]): Promise<Measure[]> {
  const counts = await sql<(RunCount & { runId: number })[]>`
    select run_id, status, reason, messages, segments from run_counts
    where run_id = any(${[...ids]}::bigint[]) and messages > 0`;
  const refusals = await sql<{ runId: number; optOuts: number }[]>`
    select run_id, count(distinct phone)::int as opt_outs from inbound_messages
    where run_id = any(${[...ids]}::bigint[]) and effect in ('opt_out', 'probable_opt_out') group by run_id`;
  const countsOf = new Map<number, RunCount[]>(ids.map((id) => [id, []]));
  for (const count of counts) countsOf.get(count.runId)?.push(count);
  const optOutsOf = new Map(refusals.map(({ runId, optOuts }) => [runId, optOuts]));
  return ids.map((id) => measureOf(countsOf.get(id) ?? [], optOutsOf.get(id) ?? 0));
}

/** Records, once, that as many messages as the canary has had left. */
export async function markCanaryLeft(sql: Sql, id: number, at: Date): Promise<void> {
  await sql`update runs set canary_left_at = coalesce(canary_left_at, ${at}) where id = ${id}`;
}

export async function markCanaryOver(sql: Sql, id: number, at: Date): Promise<void> {
  await sql`update runs set canary_over_at = coalesce(canary_over_at, ${at}) where id = ${id}`;
}

/** Measures only later outcomes from here on. */
export async function measureFrom(sql: Sql, id: number, known: Measure): Promise<void> {
  await sql`update runs set measured_from = ${json(sql, known)} where id = ${id}`;
}

export interface RunMove {
  id: number;
  from: readonly RunStatus[];
  to: RunStatus;
  reason: RunReason | null;
  /**
   * When the attempt of an activity that changes the run was scheduled, in milliseconds of Temporal's clock. A worker
   * that was frozen may continue an attempt that has since been repeated: it must not undo later changes. Omitted by
   * callers that are not activities of the run's workflow.
   */
  attemptAt?: number;
  /** Only while its mailing has not been read. */
  unread?: boolean;
}

/** Changes a run's status from one of `from` to `to`. False if it has none, or a later attempt changed it. */
export async function moveRun(
  sql: Sql,
  { id, from, to, reason, attemptAt, unread = false }: RunMove,
): Promise<boolean> {
  const ended = to !== 'running' && to !== 'paused' && to !== 'cancelling';
  const rows = await sql`
    update runs set status = ${to}, reason = ${reason && json(sql, reason)},
      step = case when ${to} = 'finished' then 'done' else step end,
      finished_at = ${ended ? sql`coalesce(finished_at, now())` : null},
      moved_attempt_at = ${attemptAt ?? sql`moved_attempt_at`}
    where id = ${id} and status = any(${[...from]}::text[])
      ${attemptAt === undefined ? sql`` : sql`and moved_attempt_at <= ${attemptAt}`}
      ${unread ? sql`and mailing_at is null` : sql``}`;
  return rows.count > 0;
}

/** Whether an attempt that was scheduled after this one has changed the run. */
export async function wasMovedAfter(sql: Sql, id: number, attemptAt: number): Promise<boolean> {
  const rows = await sql`select from runs where id = ${id} and moved_attempt_at > ${attemptAt}`;
  return rows.count > 0;
}

/** The live runs of all campaigns, oldest first. */
export async function liveRunKeys(sql: Sql): Promise<({ id: number } & RunKey)[]> {
  return sql<({ id: number } & RunKey)[]>`
    select id, campaign_id, occurrence, trigger from runs where status in ('running', 'paused', 'cancelling') order by id`;
}

/** Runs with messages that are live, or ended within this many days. */
export async function runsToReconcile(sql: Sql, days: number): Promise<{ id: number; ended: boolean }[]> {
  return sql<{ id: number; ended: boolean }[]>`
    select id, status in ('finished', 'cancelled') as ended from runs
    where mailing_at is not null and (finished_at is null or finished_at > now() - ${days} * interval '1 day')
    order by id`;
}

/** Prevents concurrent reconciliation of a run's counts until the transaction ends. Blocks nothing else. */
export async function lockReconciling(sql: Sql, runId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.counts'), ${runId}::int)`;
}

/**
 * Sets the counts of a run to those of its messages; returns how many differed. Call it after `lockReconciling`, in the
 * same transaction.
 *
 * Counts change in the same statement as the messages, so a difference in one snapshot stays the same whatever changes
 * meanwhile. The messages are therefore read without a lock, and the difference is added to the counts that differ.
 */
export async function reconcileCounts(sql: Sql, runId: number): Promise<number> {
  const rows = await sql`
    with actual as (
      select case status when 'sending' then 'queued' else status end as status, coalesce(reason, '') as reason,
        count(*)::int as messages, coalesce(sum(segments), 0)::int as segments
      from messages where run_id = ${runId} group by 1, 2
    ), kept as (
      select status, reason, messages, segments from run_counts where run_id = ${runId}
    ), difference as (
      select status, reason, coalesce(actual.messages, 0) - coalesce(kept.messages, 0) as messages,
        coalesce(actual.segments, 0) - coalesce(kept.segments, 0) as segments
      from actual full join kept using (status, reason)
    )
    insert into run_counts (run_id, status, reason, messages, segments)
    select ${runId}, status, reason, messages, segments from difference
    where messages <> 0 or segments <> 0
    order by status, reason
    on conflict (run_id, status, reason) do update
      set messages = run_counts.messages + excluded.messages, segments = run_counts.segments + excluded.segments`;
  return rows.count;
}

export interface RunCount {
  status: MessageStatus;
  reason: string;
  messages: number;
  segments: number;
}

/**
 * Messages and segments of a run by status and reason ('' for none); those being sent count as `queued`. The sum is the
 * number of lines of the mailing.
 */
export async function runCounts(sql: Sql, runId: number): Promise<RunCount[]> {
  return sql<RunCount[]>`
    select status, reason, messages, segments from run_counts where run_id = ${runId} and messages > 0
    order by status, reason`;
}
