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

export interface RunRow {
  id: number;
  campaignId: number;
  occurrence: Date;
  trigger: RunTrigger;
  status: RunStatus;
  step: RunStep;
  reason: RunReason | null;
  settings: RunSettings;
  mailingFileId: number | null;
  /** Of a resend: the run whose messages it sends again, and which of them. */
  resendOf: number | null;
  resendScope: ResendScope | null;
  /** Who sends for it now: its campaign's provider, or the fallback it went over to. */
  providerId: number | null;
  failovers: Failover[];
  expiresAt: Date | null;
  startedAt: Date | null;
  mailingAt: Date | null;
  /** Null until the mailing has been read, and of a run that never came so far. */
  preflight: Preflight | null;
  /** What could not be read of its mailing; null: nothing. */
  warnings: WarningCounts | null;
  approvedAt: Date | null;
  /** `user:7`, `token:3`. */
  approvedBy: string | null;
  canaryLeftAt: Date | null;
  canaryOverAt: Date | null;
  measuredFrom: Measure | null;
  sendingAt: Date | null;
  finishedAt: Date | null;
}

/** For `parsedRun`. */
export const runColumns = (sql: Sql) => sql`
  id, campaign_id, occurrence, trigger, status, step, reason, settings, mailing_file_id, resend_of, resend_scope,
  provider_id, failovers, expires_at, started_at, mailing_at, preflight, warnings, approved_at, approved_by,
  canary_left_at, canary_over_at, measured_from, sending_at, finished_at`;

export const parsedRun = (row: RunRow): RunRow => ({
  ...row,
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
  /** Of a run that was asked for: the request's. */
  requestKey?: string;
  status: Extract<RunStatus, 'running' | 'missed'>;
  reason: RunReason | null;
  settings: RunSettings;
  mailingFileId: number | null;
  resend?: { of: number; scope: ResendScope };
  expiresAt: Date | null;
}

/** Records a run; when the occurrence has one already, that one is returned as it is. */
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

/** The run that a request has opened; null: none yet. */
export async function runOfRequest(sql: Sql, campaignId: number, requestKey: string): Promise<RunRow | null> {
  const [row] = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs where campaign_id = ${campaignId} and request_key = ${requestKey}`;
  return row ? parsedRun(row) : null;
}

/** Locks the row of a run until the transaction ends. Before its claims and messages, as senders do. */
export async function lockRun(sql: Sql, id: number): Promise<void> {
  await sql`select from runs where id = ${id} for no key update`;
}

/** Whether the threshold has stopped the run; its row is locked then, until the transaction ends. */
export async function lockIfStopped(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    select from runs where id = ${id} and status = 'paused' and reason ->> 'code' = 'threshold' for no key update`;
  return rows.count > 0;
}

/**
 * Claims the import of a run's mailing until the transaction ends; false when it has been read already. An advisory
 * lock: the row itself must stay free for a person who pauses or cancels the run meanwhile.
 */
export async function lockImport(sql: Sql, id: number): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.import'), ${id}::int)`;
  const [row] = await sql<{ mailingAt: Date | null }[]>`select mailing_at from runs where id = ${id}`;
  return row?.mailingAt === null;
}

/** Status alone: what a sender asks every second. */
export async function runStatus(sql: Sql, id: number): Promise<RunStatus | null> {
  const [row] = await sql<{ status: RunStatus }[]>`select status from runs where id = ${id}`;
  return row?.status ?? null;
}

/** A page of runs, newest first; `before`: only those with a smaller id. */
export async function listRuns(
  sql: Sql,
  {
    campaignId,
    status,
    trigger,
    regionId,
    customerTypeId,
    before,
    limit,
  }: {
    campaignId?: number | undefined;
    status?: RunStatus | undefined;
    trigger?: RunTrigger | undefined;
    regionId?: number | undefined;
    customerTypeId?: number | undefined;
    before?: number | undefined;
    limit: number;
  },
): Promise<RunRow[]> {
  const rows = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs where true
      ${campaignId === undefined ? sql`` : sql`and campaign_id = ${campaignId}`}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${trigger === undefined ? sql`` : sql`and trigger = ${trigger}`}
      ${regionId === undefined ? sql`` : sql`and region_id = ${regionId}`}
      ${customerTypeId === undefined ? sql`` : sql`and customer_type_id = ${customerTypeId}`}
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
  return rows.map(parsedRun);
}

/**
 * An earlier run of the campaign that still has work: live, or failed with messages unsent. A dry run has none.
 * `unsent` is null while its mailing has not been read.
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

/** Enters a step and marks when; a run that is retried and comes by again keeps its first times. */
export async function enterStep(sql: Sql, id: number, step: RunStep): Promise<void> {
  await sql`
    update runs set step = ${step}, started_at = coalesce(started_at, now()),
      sending_at = case when ${step} = 'sending' then coalesce(sending_at, now()) else sending_at end
    where id = ${id} and status in ('running', 'paused', 'cancelling')`;
}

/**
 * When the mailing was fetched of the last run of the campaign before this one that has sent; null: never. A run that
 * failed, was cancelled or expired counts for nothing, though some of it may have left: whom it did not reach has to come
 * again. One that still sends counts: it goes on to everyone.
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

/** The run of the campaign before this one whose mailing was read, dry runs and resends left out, and the lines that it had. */
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

/** Gives a failed run whose mailing was not read another source of it. What it has fetched before is kept. */
export async function changeMailing(
  sql: Sql,
  id: number,
  { settings, mailingFileId }: { settings: RunSettings; mailingFileId: number | null },
): Promise<void> {
  await sql`
    update runs set settings = ${json(sql, settings)}, mailing_file_id = coalesce(${mailingFileId}, mailing_file_id)
    where id = ${id} and status = 'failed' and mailing_at is null`;
}

export async function markMailingRead(sql: Sql, id: number): Promise<void> {
  await sql`update runs set mailing_at = clock_timestamp() where id = ${id}`;
}

/** Keeps what the pre-flight says; the first that was kept stays. */
export async function setPreflight(sql: Sql, id: number, flight: Preflight): Promise<void> {
  await sql`update runs set preflight = coalesce(preflight, ${json(sql, flight)}) where id = ${id}`;
}

/** False when the run does not wait for approval. To approve it again changes nothing. */
export async function approveRun(sql: Sql, { id, by }: { id: number; by: string }): Promise<boolean> {
  const rows = await sql`
    update runs set approved_at = coalesce(approved_at, now()), approved_by = coalesce(approved_by, ${by})
    where id = ${id} and step = 'approval' and status in ('running', 'paused')`;
  return rows.count > 0;
}

/** What has become of the run's messages so far, and of the people they went to. */
export async function measureRun(sql: Sql, id: number): Promise<Measure> {
  const counts = await runCounts(sql, id);
  const [{ optOuts }] = await sql<[{ optOuts: number }]>`
    select count(distinct phone)::int as opt_outs from inbound_messages where run_id = ${id} and effect = 'opt_out'`;
  return measureOf(counts, optOuts);
}

/** As many messages as the canary has had left; it is said once. */
export async function markCanaryLeft(sql: Sql, id: number, at: Date): Promise<void> {
  await sql`update runs set canary_left_at = coalesce(canary_left_at, ${at}) where id = ${id}`;
}

export async function markCanaryOver(sql: Sql, id: number, at: Date): Promise<void> {
  await sql`update runs set canary_over_at = coalesce(canary_over_at, ${at}) where id = ${id}`;
}

/** From here on only what comes after is measured. */
export async function measureFrom(sql: Sql, id: number, known: Measure): Promise<void> {
  await sql`update runs set measured_from = ${json(sql, known)} where id = ${id}`;
}

export interface RunMove {
  id: number;
  from: readonly RunStatus[];
  to: RunStatus;
  reason: RunReason | null;
  /**
   * When the attempt of an activity that moves the run was scheduled, in milliseconds of Temporal's clock. A worker that
   * was frozen goes on with an attempt that others have repeated: what they have done since is not undone by it. Left out
   * by all that is no activity of the run's workflow.
   */
  attemptAt?: number;
  /** Only while its mailing has not been read. */
  unread?: boolean;
}

/** Moves a run from one of `from` to `to`. False when it is in none of them, or a later attempt has moved it. */
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

/** Whether an attempt that was scheduled after this one has moved the run. */
export async function wasMovedAfter(sql: Sql, id: number, attemptAt: number): Promise<boolean> {
  const rows = await sql`select from runs where id = ${id} and moved_attempt_at > ${attemptAt}`;
  return rows.count > 0;
}

/** The live runs of all campaigns, oldest first. */
export async function liveRunKeys(sql: Sql): Promise<({ id: number } & RunKey)[]> {
  return sql<({ id: number } & RunKey)[]>`
    select id, campaign_id, occurrence, trigger from runs where status in ('running', 'paused', 'cancelling') order by id`;
}

/** Runs with messages that live, or ended within so many days. */
export async function runsToReconcile(sql: Sql, days: number): Promise<{ id: number; ended: boolean }[]> {
  return sql<{ id: number; ended: boolean }[]>`
    select id, status in ('finished', 'cancelled') as ended from runs
    where mailing_at is not null and (finished_at is null or finished_at > now() - ${days} * interval '1 day')
    order by id`;
}

/** Keeps others from reconciling the counts of a run until the transaction ends. Nobody else waits for it. */
export async function lockReconciling(sql: Sql, runId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.counts'), ${runId}::int)`;
}

/**
 * Sets the counts of a run to those of its messages; returns how many differed. Call it after `lockReconciling`, in the
 * same transaction.
 *
 * Counts move in the statements that move messages: what differs in one snapshot stays wrong by as much, whatever moves
 * meanwhile. So the messages are read without a lock, and the difference is added to those counts that differ.
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
 * Messages and segments of a run by status and reason ('' for none); those being sent count as `queued`. They add up
 * to the mailing's lines.
 */
export async function runCounts(sql: Sql, runId: number): Promise<RunCount[]> {
  return sql<RunCount[]>`
    select status, reason, messages, segments from run_counts where run_id = ${runId} and messages > 0
    order by status, reason`;
}
