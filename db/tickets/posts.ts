import type { AnswerKind } from '../../domain/answer.ts';
import {
  type PostingSecrets,
  postingSecrets,
  type TicketEventKind,
  type TicketPosting,
  ticketPosting,
  type TicketPostState,
} from '../../domain/ticket-posting.ts';
import type { Database, Sql } from '../core/client.ts';
import { type HeldLock, withHeldLock } from '../core/held-lock.ts';
import { json } from '../core/json.ts';
import type { SealedPlace, SecretBox } from '../core/secrets.ts';

/**
 * Queues the events that a statement has just inserted for posting: `event` is their CTE and returns id, ticket_id and
 * kind. In the same statement, so that an event is posted if and only if it happened.
 */
export const posted = (sql: Sql) => sql`
  posted as (
    insert into ticket_posts (event_id, ticket_id)
    select event.id, event.ticket_id from event join ticket_posting as p
      on (p.config ->> 'enabled')::boolean and p.config -> 'events' ? event.kind
  )`;

export interface TicketPostRow {
  eventId: number;
  ticketId: number;
  kind: TicketEventKind;
  state: TicketPostState;
  attempts: number;
  notBefore: Date;
  queuedAt: Date;
  answerStatus: number | null;
  answer: string | null;
  answeredAt: Date | null;
}

interface PostFilter {
  state?: TicketPostState | undefined;
  ticketId?: number | undefined;
}

const columns = (sql: Sql) => sql`
  p.event_id, p.ticket_id, e.kind, p.state, p.attempts, p.not_before, p.queued_at, p.answer_status, p.answer, p.answered_at`;

/** A page of posts, newest event first; `before`: only earlier events. */
export async function listTicketPosts(
  sql: Sql,
  { state, ticketId }: PostFilter,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<TicketPostRow[]> {
  return sql<TicketPostRow[]>`
    select ${columns(sql)} from ticket_posts as p join ticket_events as e on e.id = p.event_id where true
      ${state === undefined ? sql`` : sql`and p.state = ${state}`}
      ${ticketId === undefined ? sql`` : sql`and p.ticket_id = ${ticketId}`}
      ${before === undefined ? sql`` : sql`and p.event_id < ${before}`}
    order by p.event_id desc limit ${limit}`;
}

export async function getTicketPost(sql: Sql, eventId: number): Promise<TicketPostRow | null> {
  const [row] = await sql<TicketPostRow[]>`
    select ${columns(sql)} from ticket_posts as p join ticket_events as e on e.id = p.event_id
    where p.event_id = ${eventId}`;
  return row ?? null;
}

export async function countTicketPosts(sql: Sql): Promise<{ waiting: number; failed: number }> {
  const [row] = await sql<[{ waiting: number; failed: number }]>`
    select (select count(*)::int from ticket_posts where state = 'waiting') as waiting,
      (select count(*)::int from ticket_posts where state = 'failed') as failed`;
  return row;
}

const again = (sql: Sql) => sql`state = 'waiting', attempts = 0, not_before = now(), queued_at = now()`;

/** Queues an event to be posted again, or at once if it is waiting. False when there is no such post. */
export async function replayTicketPost(sql: Sql, eventId: number): Promise<boolean> {
  const rows = await sql`update ticket_posts set ${again(sql)} where event_id = ${eventId}`;
  return rows.count > 0;
}

/** The same for all failed posts. Returns how many. */
export async function replayFailedTicketPosts(sql: Sql): Promise<number> {
  const rows = await sql`
    with held as (
      select event_id from ticket_posts where state = 'failed' order by event_id for no key update
    )
    update ticket_posts as p set ${again(sql)} from held where p.event_id = held.event_id and p.state = 'failed'`;
  return rows.count;
}

/** A post that is due, with its event. */
export interface DuePost {
  eventId: number;
  ticketId: number;
  attempts: number;
  queuedAt: Date;
  kind: TicketEventKind;
  actor: string;
  changes: Record<string, unknown>;
  at: Date;
  replyText: string | null;
  replyReceivedAt: Date | null;
  note: string | null;
  /** Null: the event is no answer. */
  answerId: number | null;
  answerKind: AnswerKind | null;
  answerText: string | null;
  /** The name of its author; '' for an automatic text. */
  actorName: string;
}

/** Up to `limit` due posts, oldest event first; of each ticket only the oldest waiting one, to keep their order. */
export async function duePosts(sql: Sql, limit: number): Promise<DuePost[]> {
  return sql<DuePost[]>`
    select p.event_id, p.ticket_id, p.attempts, p.queued_at, e.kind, e.actor, e.changes, e.at,
      i.text as reply_text, i.received_at as reply_received_at, e.note,
      e.answer_id, a.kind as answer_kind, a.text as answer_text, e.actor_name
    from ticket_posts as p join ticket_events as e on e.id = p.event_id
      left join inbound_messages as i on i.id = e.inbound_message_id left join answers as a on a.id = e.answer_id
    where p.state = 'waiting' and p.not_before <= now() and not exists (
      select from ticket_posts as earlier
      where earlier.ticket_id = p.ticket_id and earlier.event_id < p.event_id and earlier.state = 'waiting')
    order by p.event_id limit ${limit}`;
}

/** The result of one attempt. */
export interface PostAnswer {
  eventId: number;
  state: TicketPostState;
  answerStatus: number | null;
  answer: string;
  /** For `waiting`: the minimum pause before the next attempt. */
  pauseMs: number;
}

export async function recordPostAnswers(sql: Sql, answers: readonly PostAnswer[]): Promise<void> {
  if (answers.length === 0) return;
  await sql`
    with held as (
      select event_id from ticket_posts where event_id = any(${answers.map((a) => a.eventId)}::bigint[])
      order by event_id for no key update
    )
    update ticket_posts as p set state = a.state, attempts = p.attempts + 1, answer_status = a.answer_status,
      answer = a.answer, answered_at = now(), not_before = now() + a.pause_ms * interval '1 millisecond'
    from held join unnest(
      ${answers.map((a) => a.eventId)}::bigint[], ${answers.map((a) => a.state)}::text[],
      ${answers.map((a) => a.answerStatus)}::int[], ${answers.map((a) => a.answer)}::text[],
      ${answers.map((a) => a.pauseMs)}::int[]
    ) as a (event_id, state, answer_status, answer, pause_ms) using (event_id)
    where p.event_id = held.event_id`;
}

/**
 * Runs `work` while no other process posts: two processes would mix up the order of a ticket's events.
 *
 * @throws {LockTakenError} another process posts.
 */
export const withPostingLock = <T>(sql: Database, work: (lock: HeldLock) => Promise<T>): Promise<T> =>
  withHeldLock(sql, 'torpedo.ticket-posts', work);

const place: SealedPlace = { column: 'ticket_posting.secrets', row: 1 };

/** Where tickets are posted, with the opened secrets; null when not configured. */
export async function openTicketPosting(
  sql: Sql,
  box: SecretBox,
): Promise<(TicketPosting & PostingSecrets) | null> {
  const [row] = await sql<{ config: unknown; secrets: string }[]>`select config, secrets from ticket_posting`;
  if (!row) return null;
  const secrets: unknown = JSON.parse(box.open(row.secrets, place));
  return { ...ticketPosting.parse(row.config), ...postingSecrets.parse(secrets) };
}

/** Makes other writers of this setting wait until the transaction ends, even before the row exists. */
export async function lockTicketPosting(sql: Sql): Promise<void> {
  await sql`lock table ticket_posting in share row exclusive mode`;
}

export async function setTicketPosting(
  sql: Sql,
  box: SecretBox,
  config: TicketPosting,
  secrets: PostingSecrets,
): Promise<void> {
  const sealed = box.seal(JSON.stringify(secrets), place);
  await sql`
    insert into ticket_posting (config, secrets) values (${json(sql, config)}, ${sealed})
    on conflict (id) do update set config = excluded.config, secrets = excluded.secrets`;
}

/** Whether posting is enabled, without opening the secrets. */
export async function isPostingEnabled(sql: Sql): Promise<boolean> {
  const rows = await sql`select from ticket_posting where (config ->> 'enabled')::boolean`;
  return rows.count > 0;
}
