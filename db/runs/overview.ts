import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { parsedRun, runColumns, type RunRow } from './runs.ts';

/** The state of a deployment for its home page. Nothing here reads messages: counts are stored by run. */

/** The runs that are live, need a user or have failed, newest first. */
export async function unfinishedRuns(sql: Sql, limit: number): Promise<{ runs: RunRow[]; total: number }> {
  // Uses the index on live runs, which are few; never scans backwards through all runs.
  const ids = await sql<{ id: number }[]>`
    with live as materialized (
      select id from runs where status in ('running', 'paused', 'cancelling', 'failed')
    )
    select id from live order by id desc`;
  const runs = await sql<RunRow[]>`
    select ${runColumns(sql)} from runs where id = any(${ids.slice(0, limit).map(({ id }) => id)}::bigint[])
    order by id desc`;
  return { runs: runs.map(parsedRun), total: ids.length };
}

/**
 * Of each campaign, the newest run since then that did not execute, was empty or reached nobody; newest first. Leaves
 * out those that a later run of the campaign, in progress or finished, has superseded.
 */
export async function runsNotExecuted(
  sql: Sql,
  { since, limit }: { since: Date; limit: number },
): Promise<RunRow[]> {
  const rows = await sql<RunRow[]>`
    select * from (
      select distinct on (campaign_id) ${runColumns(sql)}, seen_at from runs
      where occurrence >= ${since}
        and (status in ('missed', 'skipped')
          or status = 'finished' and reason ->> 'code' = 'no_contacts'
          or status = 'finished' and trigger <> 'dry_run'
            and exists (select from run_counts where run_id = runs.id and run_counts.status = 'failed' and messages > 0)
            and not exists (
              select from run_counts
              where run_id = runs.id and run_counts.status in ('sent', 'delivered', 'undelivered', 'unknown') and messages > 0))
      order by campaign_id, occurrence desc
    ) as newest
    where seen_at is null and not exists (
      select from runs as later
      where later.campaign_id = newest.campaign_id and later.occurrence > newest.occurrence
        and later.trigger <> 'dry_run' and later.status in ('running', 'paused', 'finished'))
    order by occurrence desc limit ${limit}`;
  return rows.map(parsedRun);
}

/** Records that a user has seen a run that has ended; false: the run has not ended. */
export async function markSeen(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`
    update runs set seen_at = coalesce(seen_at, now())
    where id = ${id} and status in ('finished', 'skipped', 'missed', 'cancelled')`;
  return rows.count > 0;
}

export interface UpcomingRun {
  campaignId: number;
  campaignName: string;
  at: Date;
  /** The campaign's time zone. */
  timezone: string;
}

/** The next runs of the enabled campaigns, soonest first, as their workflows have planned them. */
export async function upcomingRuns(sql: Sql, limit: number): Promise<UpcomingRun[]> {
  return sql<UpcomingRun[]>`
    select id as campaign_id, name as campaign_name, next_at as at, definition -> 'schedule' ->> 'timezone' as timezone
    from campaigns where enabled and next_at is not null
    order by next_at, id limit ${limit}`;
}

/**
 * Messages by status of the runs that were due in each span. The spans are consecutive: `starts` are their beginnings,
 * and the last has no end. Excludes dry runs. Omits spans without messages.
 */
export async function messagesBySpan(
  sql: Sql,
  starts: readonly Date[],
): Promise<ReadonlyMap<number, Partial<Record<MessageStatus, number>>>> {
  const from = starts[0] ?? new Date();
  // Ids grow with time: from the smallest of these runs on, the counts are one range of the index, however many earlier
  // ones there are. Materialized, because PostgreSQL otherwise scans the ids from the oldest.
  const [{ first }] = await sql<[{ first: number | null }]>`
    with due as materialized (select id from runs where occurrence >= ${from} and trigger <> 'dry_run')
    select min(id) as first from due`;
  if (first === null) return new Map();
  const rows = await sql<{ span: number; counts: Partial<Record<MessageStatus, number>> }[]>`
    select span, jsonb_object_agg(status, messages) as counts from (
      select width_bucket(occurrence, ${starts.map((at) => at.toISOString())}::timestamptz[]) - 1 as span, c.status, sum(c.messages) as messages
      from runs join run_counts as c on c.run_id = runs.id
      where occurrence >= ${from} and trigger <> 'dry_run' and c.run_id >= ${first} and c.messages > 0
      group by span, c.status
    ) as counted group by span`;
  return new Map(rows.map(({ span, counts }) => [span, counts]));
}

export interface SetUp {
  providers: number;
  campaigns: number;
  enabledCampaigns: number;
  /** The newest campaign that is not enabled. */
  nextCampaignId: number | null;
  /** Whether any run has started, dry runs excluded. */
  hasRun: boolean;
}

/** The setup progress of a new deployment. */
export async function setUp(sql: Sql): Promise<SetUp> {
  const [row] = await sql<[SetUp]>`
    select (select count(*)::int from providers where archived_at is null) as providers,
      count(*)::int as campaigns, count(*) filter (where enabled)::int as enabled_campaigns,
      max(id) filter (where not enabled and archived_at is null) as next_campaign_id,
      exists (select from runs where trigger <> 'dry_run') as has_run
    from campaigns`;
  return row;
}
