import type { PendingQuery, Row } from 'postgres';
import { readRetryCause, type RetryCause, type Retrying } from '../../domain/problems/retries.ts';
import type { Sql } from './client.ts';
import { json } from './json.ts';

/** Identifies an activity: its workflow (domain/ids.ts), and its id there. */
export interface ActivityKey {
  workflowId: string;
  activityId: string;
}

/** An attempt of an activity that failed, or ended without a result. */
export interface FailedAttempt extends ActivityKey {
  activity: string;
  attempt: number;
  cause: RetryCause;
  /** Milliseconds until the next attempt. */
  nextInMs: number;
  /** Milliseconds until the activity is given up; null: no time limit. */
  givesUpInMs: number | null;
  attemptsLeft: number | null;
}

const inMs = (sql: Sql, ms: number | null) =>
  ms === null ? null : sql`clock_timestamp() + ${Math.round(ms)} * interval '1 ms'`;

/** Uses the database's clock, like all times shown. */
export async function recordFailedAttempt(sql: Sql, failed: FailedAttempt): Promise<void> {
  const { workflowId, activityId, activity, attempt, cause, nextInMs, givesUpInMs, attemptsLeft } = failed;
  await sql`
    insert into retries (workflow_id, activity_id, activity, attempt, cause, next_at, gives_up_at, attempts_left)
    values (${workflowId}, ${activityId}, ${activity}, ${attempt}, ${json(sql, cause)}, ${inMs(sql, nextInMs)},
      ${inMs(sql, givesUpInMs)}, ${attemptsLeft})
    on conflict (workflow_id, activity_id) do update set
      attempt = excluded.attempt, cause = excluded.cause, failed_at = excluded.failed_at, next_at = excluded.next_at,
      trying_since = null, gives_up_at = excluded.gives_up_at, attempts_left = excluded.attempts_left`;
}

/**
 * Records the start of another attempt. If the previous one did not report a failure, it ended without a result.
 * `sinceMs`: time since the first attempt was due.
 */
export async function recordNextAttempt(
  sql: Sql,
  {
    workflowId,
    activityId,
    activity,
    attempt,
    givesUpInMs,
    sinceMs,
  }: Omit<FailedAttempt, 'cause' | 'nextInMs' | 'attemptsLeft'> & { sinceMs: number },
): Promise<void> {
  const cause: RetryCause = { code: 'no_answer', params: {} };
  await sql`
    insert into retries (workflow_id, activity_id, activity, since, attempt, cause, next_at, trying_since, gives_up_at)
    values (${workflowId}, ${activityId}, ${activity}, ${inMs(sql, -sinceMs)}, ${attempt - 1}, ${json(sql, cause)},
      clock_timestamp(), clock_timestamp(), ${inMs(sql, givesUpInMs)})
    on conflict (workflow_id, activity_id) do update set
      attempt = excluded.attempt, trying_since = excluded.trying_since,
      cause = case when retries.attempt < excluded.attempt then excluded.cause else retries.cause end`;
}

/** Deletes the record after success or the last failure. */
export async function deleteRetry(sql: Sql, { workflowId, activityId }: ActivityKey): Promise<void> {
  await sql`delete from retries where workflow_id = ${workflowId} and activity_id = ${activityId}`;
}

/** The workflow has reached an activity that runs alone: all earlier activities have ended, except for these. */
export async function deleteEarlierRetries(
  sql: Sql,
  { workflowId, besides }: { workflowId: string; besides: readonly string[] },
): Promise<void> {
  await sql`
    delete from retries where workflow_id = ${workflowId} and activity <> all(${[...besides]}::text[])`;
}

/** For workflows that ended without cleaning up: these activities had no attempt for a day. */
export async function deleteForgottenRetries(sql: Sql): Promise<void> {
  await sql`delete from retries where greatest(next_at, trying_since) < now() - interval '1 day'`;
}

type RetryRow = Omit<Retrying, 'cause'> & { workflowId: string; cause: unknown };

const parsed = ({ workflowId, cause, ...row }: RetryRow): [string, Retrying] => [
  workflowId,
  { ...row, cause: readRetryCause(cause) ?? { code: 'fault', params: { name: 'Error' } } },
];

/** The activities being retried in these workflows. Of several in one, returns the cause of the latest failure. */
export async function readRetries(
  sql: Sql,
  workflowIds: readonly string[],
): Promise<ReadonlyMap<string, Retrying>> {
  if (workflowIds.length === 0) return new Map();
  return new Map((await retries(sql, sql`workflow_id = any(${[...workflowIds]}::text[])`)).map(parsed));
}

/** The activities being retried in workflows that are not runs, longest first. */
export async function retriesBesidesRuns(sql: Sql, limit: number): Promise<[string, Retrying][]> {
  const rows = await retries(sql, sql`workflow_id !~ '^campaign/[0-9]+/'`);
  return rows
    .toSorted((a, b) => a.since.getTime() - b.since.getTime())
    .slice(0, limit)
    .map(parsed);
}

const retries = (sql: Sql, which: PendingQuery<Row[]>) => sql<RetryRow[]>`
  select distinct on (workflow_id) workflow_id, activity, count(*) over w::int as activities, min(since) over w as since,
    attempt, cause, min(next_at) over w as next_at, trying_since, gives_up_at, attempts_left
  from retries where ${which}
  window w as (partition by workflow_id)
  order by workflow_id, failed_at desc`;
