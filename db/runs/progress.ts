import type { RunKey } from '../../domain/ids.ts';
import type { RunReason, RunStatus, RunStep, RunTrigger } from '../../domain/run.ts';
import { runReason } from '../../domain/run.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import type { RunCount } from './runs.ts';

/** The progress of a run: small enough to be queried twice a second. */
export interface RunProgressRow extends RunKey {
  id: number;
  status: RunStatus;
  step: RunStep;
  reason: RunReason | null;
  /** The provider's limit in segments per second; null: none. */
  ratePerSecond: number | null;
  sendingAt: Date | null;
  finishedAt: Date | null;
  /** While the mailing of a web service is being read: what has been fetched so far; `whole` when complete. */
  fetched: { bytes: number; records: number; whole: boolean } | null;
  counts: RunCount[];
}

/** Null when there is no such run. One statement, so that the counts match the status. */
export async function getRunProgress(sql: Sql, id: number): Promise<RunProgressRow | null> {
  const [row] = await sql<(Omit<RunProgressRow, 'counts'> & { counts: RunCount[] })[]>`
    select runs.id, runs.campaign_id, occurrence, trigger, runs.status, step, reason, rate_per_second::float8 as rate_per_second, sending_at, runs.finished_at,
      case when f.id is not null then jsonb_build_object('bytes', f.bytes, 'records', f.lines, 'whole', pages is not null) end as fetched,
      coalesce((
        select jsonb_agg(jsonb_build_object('status', c.status, 'reason', c.reason, 'messages', c.messages, 'segments', c.segments)
          order by c.status, c.reason)
        from run_counts as c where c.run_id = runs.id and c.messages > 0
      ), '[]') as counts
    from runs left join providers on providers.id = runs.provider_id
      left join mailing_files as f on f.id = runs.mailing_file_id and origin = 'webservice'
        and step = 'mailing' and runs.status in ('running', 'paused', 'cancelling')
    where runs.id = ${id}`;
  return row ? { ...row, reason: runReason.nullable().parse(row.reason) } : null;
}

/** The runs that are sending now, with their providers. */
export async function sendingRuns(sql: Sql): Promise<{ id: number; providerId: number }[]> {
  return sql<{ id: number; providerId: number }[]>`
    select id, provider_id from runs
    where status = 'running' and step = 'sending' and provider_id is not null order by id`;
}

/** A run in a list. */
export interface RunSummary {
  id: number;
  campaignId: number;
  occurrence: Date;
  trigger: RunTrigger;
  status: RunStatus;
  finishedAt: Date | null;
}

/** The newest run of each campaign, by campaign; excludes dry runs. */
export async function lastRuns(
  sql: Sql,
  campaignIds: readonly number[],
): Promise<ReadonlyMap<number, RunSummary>> {
  const rows = await sql<RunSummary[]>`
    select run.* from unnest(${[...campaignIds]}::bigint[]) as campaign (id), lateral (
      select runs.id, campaign_id, occurrence, trigger, runs.status, finished_at
      from runs where campaign_id = campaign.id and trigger <> 'dry_run' order by occurrence desc limit 1
    ) as run`;
  return new Map(rows.map((row) => [row.campaignId, row]));
}

/** The live runs of a campaign, oldest first. */
export async function liveRuns(sql: Sql, campaignId: number): Promise<({ id: number } & RunKey)[]> {
  return sql<({ id: number } & RunKey)[]>`
    select id, campaign_id, occurrence, trigger from runs
    where campaign_id = ${campaignId} and status in ('running', 'paused', 'cancelling') order by id`;
}

/** Messages of runs by status. */
export async function countsByStatusOf(
  sql: Sql,
  runIds: readonly number[],
): Promise<ReadonlyMap<number, Partial<Record<MessageStatus, number>>>> {
  const rows = await sql<{ runId: number; counts: Partial<Record<MessageStatus, number>> }[]>`
    select run_id, jsonb_object_agg(status, messages) as counts from (
      select run_id, status, sum(messages) as messages from run_counts
      where run_id = any(${[...runIds]}::bigint[]) and messages > 0 group by run_id, status
    ) as counted group by run_id`;
  return new Map(rows.map((row) => [row.runId, row.counts]));
}
