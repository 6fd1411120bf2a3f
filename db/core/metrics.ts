import type { RunStatus } from '../../domain/run.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from './client.ts';

/** What a monitor watches, as it is now. `runs` and `messages` speak of runs that live or ended within a day. */
export interface Levels {
  enabledCampaigns: number;
  runs: { status: RunStatus; runs: number }[];
  messages: { status: MessageStatus; messages: number }[];
  /** How often those runs went over to another provider. */
  failovers: number;
  /** Replies that came in and are not dealt with. */
  unhandledReplies: number;
  /** Activities that failed and are tried again, and for how many seconds the longest of them has been failing. */
  retrying: number;
  retryingSeconds: number;
}

export async function readLevels(sql: Sql): Promise<Levels> {
  const [row] = await sql<[Levels]>`
    with recent as (
      select id, status, failovers from runs where finished_at is null or finished_at > now() - interval '1 day'
    )
    select (select count(*)::int from campaigns where enabled) as enabled_campaigns,
      coalesce((
        select jsonb_agg(jsonb_build_object('status', status, 'runs', n))
        from (select status, count(*) as n from recent group by status) as r), '[]') as runs,
      coalesce((
        select jsonb_agg(jsonb_build_object('status', status, 'messages', n))
        from (
          select c.status, sum(messages) as n from run_counts as c join recent on recent.id = run_id group by c.status
        ) as m), '[]') as messages,
      (select coalesce(sum(jsonb_array_length(failovers)), 0)::int from recent) as failovers,
      (select count(*)::int from inbound_messages where handled_at is null) as unhandled_replies,
      (select count(*)::int from retries) as retrying,
      (select coalesce(extract(epoch from now() - min(since)), 0)::int from retries) as retrying_seconds`;
  return row;
}
