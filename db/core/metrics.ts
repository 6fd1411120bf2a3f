import type { AnswerStatus } from '../../domain/answer.ts';
import type { RunStatus } from '../../domain/run.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from './client.ts';

/** The current values for monitoring. `runs` and `messages` cover runs that are live or ended within a day. */
export interface Levels {
  enabledCampaigns: number;
  runs: { status: RunStatus; runs: number }[];
  messages: { status: MessageStatus; messages: number }[];
  /** Those written within a day. */
  answers: { status: AnswerStatus; answers: number }[];
  /** Those of any age whose person is still known. */
  unknownAnswers: number;
  /** The number of failovers of those runs. */
  failovers: number;
  /** Replies that have not been handled. */
  unhandledReplies: number;
  /** Unreadable provider callbacks. */
  unreadCalls: number;
  /** What needs a user now, reported or not. */
  openAlerts: number;
  /** E-mails and posts to the webhook that failed at least once, or were given up within a day. */
  undeliveredNotifications: number;
  /** Activities being retried, and for how many seconds the longest of them has been failing. */
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
      coalesce((
        select jsonb_agg(jsonb_build_object('status', status, 'answers', n))
        from (
          select status, count(*) as n from answers where created_at > now() - interval '1 day' group by status
        ) as a), '[]') as answers,
      (select count(*)::int from answers where status = 'unknown' and phone is not null) as unknown_answers,
      (select coalesce(sum(jsonb_array_length(failovers)), 0)::int from recent) as failovers,
      (select count(*)::int from inbound_messages where handled_at is null) as unhandled_replies,
      (select count(*)::int from inbound_events where unread is not null) as unread_calls,
      (select count(*)::int from alerts where ended_at is null) as open_alerts,
      (select count(*)::int from notifications where state = 'waiting' and problem is not null)
        + (select count(*)::int from notifications where state = 'failed' and ended_at > now() - interval '1 day')
        as undelivered_notifications,
      (select count(*)::int from retries) as retrying,
      (select coalesce(extract(epoch from now() - min(since)), 0)::int from retries) as retrying_seconds`;
  return row;
}
