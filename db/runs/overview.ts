import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { parsedRun, runColumns, type RunRow } from './runs.ts';

/** What a deployment is at, as its first page tells it. Nothing here reads messages: their counts are kept by run. */

/** The runs that go on, wait for a person or have failed, newest first. */
export async function unfinishedRuns(sql: Sql, limit: number): Promise<{ runs: RunRow[]; total: number }> {
  // By the index on live runs, of which there are few, and never backwards through all that ever ran.
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

/** Of each campaign the newest run since then that was not executed, or found nobody, newest first. */
export async function runsNotExecuted(
  sql: Sql,
  { since, limit }: { since: Date; limit: number },
): Promise<RunRow[]> {
  const rows = await sql<RunRow[]>`
    select ${runColumns(sql)} from (
      select distinct on (campaign_id) ${runColumns(sql)} from runs
      where occurrence >= ${since}
        and (status in ('missed', 'skipped') or status = 'finished' and reason ->> 'code' = 'no_contacts')
      order by campaign_id, occurrence desc
    ) as newest
    order by occurrence desc limit ${limit}`;
  return rows.map(parsedRun);
}

export interface UpcomingRun {
  campaignId: number;
  campaignName: string;
  at: Date;
  /** The campaign's own. */
  timezone: string;
}

/** What the enabled campaigns run next, soonest first: what their workflows wait for. */
export async function upcomingRuns(sql: Sql, limit: number): Promise<UpcomingRun[]> {
  return sql<UpcomingRun[]>`
    select id as campaign_id, name as campaign_name, next_at as at, definition -> 'schedule' ->> 'timezone' as timezone
    from campaigns where enabled and next_at is not null
    order by next_at, id limit ${limit}`;
}

/**
 * Messages by status of the runs that were due in each of the spans, which follow one another: `starts` are their
 * beginnings, the last has no end. Dry runs are left out. Spans without a message are not in it.
 */
export async function messagesBySpan(
  sql: Sql,
  starts: readonly Date[],
): Promise<ReadonlyMap<number, Partial<Record<MessageStatus, number>>>> {
  const from = starts[0] ?? new Date();
  // Ids grow with time: from the smallest of these runs on, the counts are read in one piece of the index, however many
  // there are from before. Materialized, or PostgreSQL walks through the ids from the oldest on.
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
  /** Whether anything has ever run, dry runs aside. */
  hasRun: boolean;
}

/** How far the deployment has come since it was new. */
export async function setUp(sql: Sql): Promise<SetUp> {
  const [row] = await sql<[SetUp]>`
    select (select count(*)::int from providers where archived_at is null) as providers,
      count(*)::int as campaigns, count(*) filter (where enabled)::int as enabled_campaigns,
      max(id) filter (where not enabled) as next_campaign_id,
      exists (select from runs where trigger <> 'dry_run') as has_run
    from campaigns`;
  return row;
}
