import { z } from 'zod';
import type { TicketEventKind, TicketPostState } from '../../domain/ticket-posting.ts';
import type { TicketChanges, TicketContent } from '../../domain/ticket-change.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { posted } from './posts.ts';

/** A ticket with the names of the entries it refers to. */
export interface TicketRow extends TicketContent {
  id: number;
  cause: 'reply' | 'send';
  campaignId: number;
  campaignName: string;
  runId: number;
  messageId: number;
  /** The reply that opened it. */
  inboundMessageId: number | null;
  customerId: number | null;
  phone: string | null;
  name: string | null;
  code: string | null;
  channel: 'sms';
  departmentName: string;
  assigneeName: string;
  categoryName: string;
  subcategoryName: string;
  resolutionName: string | null;
  /** The name of the user who works on it. */
  userName: string | null;
  /** The customer's last and first reply; null: none. */
  customerWroteAt: Date | null;
  customerFirstWroteAt: Date | null;
  /** The last and the first answer by SMS. */
  answeredAt: Date | null;
  firstAnsweredAt: Date | null;
  /** The target for the first answer. */
  answerDueAt: Date | null;
  /** The customer wrote after the last answer, and the ticket was not finished since. */
  unanswered: boolean;
  /** Unanswered, without any answer, and past the target. */
  overdue: boolean;
  version: number;
  openedAt: Date;
  updatedAt: Date;
  finishedAt: Date | null;
}

/** The columns of `t` with the names of the entries they refer to. */
export const ticketColumns = (sql: Sql) => sql`
  t.id, t.cause, t.campaign_id, c.name as campaign_name, t.run_id, t.message_id, t.inbound_message_id, t.customer_id,
  t.phone, t.name, t.code, t.extra, t.status, t.channel, t.department_id, d.name as department_name, t.assignee_id,
  a.name as assignee_name, t.category_id, k.name as category_name, t.subcategory_id, s.name as subcategory_name,
  t.resolution_id, r.name as resolution_name, t.user_id, u.name as user_name, t.customer_wrote_at,
  t.customer_first_wrote_at, t.answered_at, t.first_answered_at, t.answer_due_at, t.unanswered,
  (t.unanswered and t.first_answered_at is null and t.answer_due_at < now()) is true as overdue, t.version, t.opened_at, t.updated_at, t.finished_at`;

export const ticketNames = (sql: Sql) => sql`
  join campaigns as c on c.id = t.campaign_id join departments as d on d.id = t.department_id
  join assignees as a on a.id = t.assignee_id join categories as k on k.id = t.category_id
  join subcategories as s on s.id = t.subcategory_id left join resolutions as r on r.id = t.resolution_id
  left join users as u on u.id = t.user_id`;

export async function getTicket(sql: Sql, id: number): Promise<TicketRow | null> {
  const [row] = await sql<
    TicketRow[]
  >`select ${ticketColumns(sql)} from tickets as t ${ticketNames(sql)} where t.id = ${id}`;
  return row ?? null;
}

/** The tickets among these ids that exist, in no particular order. */
export async function getTickets(sql: Sql, ids: readonly number[]): Promise<TicketRow[]> {
  return sql<TicketRow[]>`
    select ${ticketColumns(sql)} from tickets as t ${ticketNames(sql)} where t.id = any(${[...ids]}::bigint[])`;
}

/** The ticket, locked until the transaction ends. */
export async function lockTicket(sql: Sql, id: number): Promise<TicketRow | null> {
  const [row] = await sql<TicketRow[]>`
    select ${ticketColumns(sql)} from tickets as t ${ticketNames(sql)} where t.id = ${id} for no key update of t`;
  return row ?? null;
}

/** Stores a user's change of a ticket that the transaction has locked, its history, and the post to the helpdesk. */
export async function updateTicket(
  sql: Sql,
  id: number,
  content: TicketContent,
  { actor, actorName, changes }: { actor: string; actorName: string; changes: TicketChanges },
): Promise<void> {
  const { departmentId, assigneeId, userId, categoryId, subcategoryId, status, resolutionId, extra } =
    content;
  await sql`
    update tickets set department_id = ${departmentId}, assignee_id = ${assigneeId}, category_id = ${categoryId},
      user_id = ${userId}, subcategory_id = ${subcategoryId}, status = ${status}, resolution_id = ${resolutionId},
      extra = ${json(sql, extra)}, version = version + 1, updated_at = now(),
      finished_at = case when ${status} = 'finished' then ${'status' in changes ? sql`now()` : sql`coalesce(finished_at, now())`} end,
      answer_due_at = ${'subcategoryId' in changes ? sql`answer_due(${subcategoryId}, customer_first_wrote_at)` : sql`answer_due_at`}
    where id = ${id}`;
  await sql`
    with event as (
      insert into ticket_events (ticket_id, kind, actor, actor_name, changes)
      values (${id}, 'changed', ${actor}, ${actorName}, ${json(sql, changes)})
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
}

/** Adds an internal note to a ticket: to its history, which is never changed, and to the posts. False: no such ticket. */
export async function addTicketNote(
  sql: Sql,
  id: number,
  { actor, actorName, text }: { actor: string; actorName: string; text: string },
): Promise<boolean> {
  const rows = await sql`
    with ticket as (
      update tickets set updated_at = now() where id = ${id} returning id
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, actor_name, note)
      select id, 'note', ${actor}, ${actorName}, ${text} from ticket
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
  return rows.count > 0;
}

/** The notes of these tickets in one text each, oldest first; tickets without one are left out. */
export async function notesOf(sql: Sql, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await sql<{ ticketId: number; notes: string }[]>`
    select ticket_id, string_agg(note, ' | ' order by id) as notes from ticket_events
    where ticket_id = any(${[...ids]}::bigint[]) and note is not null group by ticket_id`;
  return new Map(rows.map(({ ticketId, notes }) => [ticketId, notes]));
}

const ticketChanges = z.record(
  z.string(),
  z.tuple([z.union([z.string(), z.number(), z.null()]), z.union([z.string(), z.number(), z.null()])]),
);

/** An event in the history of a ticket. */
export interface TicketEventRow {
  id: number;
  kind: TicketEventKind;
  /** `user:7`, `token:3`, `campaign:3`, `customer`, `receipt` */
  actor: string;
  /** The name of a user; '' for other actors. */
  actorName: string;
  changes: TicketChanges;
  at: Date;
  replyId: number | null;
  replyText: string | null;
  replyReceivedAt: Date | null;
  /** Of the kind `note`; null also when the customer was erased. */
  note: string | null;
  /** Of the kind `answer`. */
  answerId: number | null;
  /** Null: it is not posted. */
  postState: TicketPostState | null;
}

/** The first `limit` events of a ticket, oldest first, with the replies that they refer to. */
export async function ticketHistory(
  sql: Sql,
  ticketId: number,
  { limit }: { limit: number },
): Promise<TicketEventRow[]> {
  const rows = await sql<TicketEventRow[]>`
    select e.id, e.kind, e.actor, e.actor_name, e.changes, e.at, i.id as reply_id, i.text as reply_text,
      i.received_at as reply_received_at, e.note, e.answer_id, p.state as post_state
    from ticket_events as e left join inbound_messages as i on i.id = e.inbound_message_id
      left join ticket_posts as p on p.event_id = e.id
    where e.ticket_id = ${ticketId} order by e.id limit ${limit}`;
  return rows.map((row) => ({ ...row, changes: ticketChanges.parse(row.changes) }));
}
