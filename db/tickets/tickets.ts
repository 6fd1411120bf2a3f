import { z } from 'zod';
import type { TicketEventKind, TicketPostState } from '../../domain/ticket-posting.ts';
import type { TicketChanges, TicketContent } from '../../domain/ticket-change.ts';
import { ticketStatuses, type TicketStatus } from '../../domain/ticket.ts';
import type { Database, Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { posted } from './posts.ts';

/** A ticket with the names of what it refers to. */
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
  version: number;
  openedAt: Date;
  updatedAt: Date;
  finishedAt: Date | null;
}

/** The columns of `t` with the names of what they refer to. */
const columns = (sql: Sql) => sql`
  t.id, t.cause, t.campaign_id, c.name as campaign_name, t.run_id, t.message_id, t.inbound_message_id, t.customer_id,
  t.phone, t.name, t.code, t.extra, t.status, t.channel, t.department_id, d.name as department_name, t.assignee_id,
  a.name as assignee_name, t.category_id, k.name as category_name, t.subcategory_id, s.name as subcategory_name,
  t.resolution_id, r.name as resolution_name, t.note, t.version, t.opened_at, t.updated_at, t.finished_at`;

const names = (sql: Sql) => sql`
  join campaigns as c on c.id = t.campaign_id join departments as d on d.id = t.department_id
  join assignees as a on a.id = t.assignee_id join categories as k on k.id = t.category_id
  join subcategories as s on s.id = t.subcategory_id left join resolutions as r on r.id = t.resolution_id`;

export interface TicketFilter {
  status?: TicketStatus | undefined;
  campaignId?: number | undefined;
  runId?: number | undefined;
  customerId?: number | undefined;
  phone?: string | undefined;
  departmentId?: number | undefined;
  assigneeId?: number | undefined;
  categoryId?: number | undefined;
  subcategoryId?: number | undefined;
  /** Beginnings of words of the name or the code, in any order; case and accents don't count. */
  text?: string | undefined;
}

interface TicketPage {
  /** Only those with a smaller id. */
  before?: number | undefined;
  limit: number;
}

/**
 * A page of tickets, newest first. Planned anew each time: the right plan for a frequent word or a large campaign is a
 * scan of millions of rows for a rare one.
 */
export async function searchTickets(
  sql: Database,
  { text, ...filter }: TicketFilter,
  page: TicketPage,
): Promise<TicketRow[]> {
  return sql.begin(async (tx): Promise<TicketRow[]> => {
    await tx`set local plan_cache_mode = force_custom_plan`;
    const words = text === undefined ? null : await wordsQuery(tx, text);
    // A text without a word, like "?!", is in no name.
    if (text !== undefined && words === null) return [];
    const search = words === null ? null : { words, few: await fewTicketsWith(tx, words) };
    return [...(await tx<TicketRow[]>`${ticketSearch(tx, filter, search, page)}`)];
  });
}

/** What finds the beginnings of the words of a text: a tsquery; null when there is no word in it. */
async function wordsQuery(sql: Sql, text: string): Promise<string | null> {
  const [row] = await sql<[{ query: string | null }]>`
    select string_agg(quote_literal(word) || ':*', ' & ') as query from unnest(search_words(${text})) as word`;
  return row.query;
}

/** Of so many it costs nothing to read all. */
const few = 500;

/**
 * The tickets with these words; null when they are many. Asked for beforehand, because PostgreSQL can't tell how many begin
 * with a word that it has not seen, and then walks through all tickets where there are none.
 */
export async function fewTicketsWith(tx: Sql, words: string): Promise<number[] | null> {
  await tx`set local enable_seqscan = off`;
  const rows = await tx<{ id: number }[]>`
    select id from tickets where search @@ ${words}::tsquery limit ${few + 1}`;
  await tx`set local enable_seqscan = on`;
  return rows.length > few ? null : rows.map(({ id }) => id);
}

/** What has an index of its own together with status and id, the narrowest first. */
const leading = ['runId', 'campaignId', 'assigneeId', 'departmentId', 'categoryId'] as const;

/**
 * The search as one statement, for the test of its plan, too.
 *
 * Each status is read by itself, so that indexes on (what is looked for, status, id) give the newest first whether a
 * status is asked for or not. The order names what leads the index, and `any` keeps PostgreSQL from seeing that it is
 * constant: else it takes another index, expects to find a page of matches soon, and walks through a million tickets
 * where there are none (test/system/tickets.plans.test.ts).
 *
 * @param search the words as a tsquery, and the tickets that have them if they are few
 */
export function ticketSearch(
  sql: Sql,
  filter: Omit<TicketFilter, 'text'>,
  search: { words: string; few: number[] | null } | null,
  { before, limit }: TicketPage,
) {
  const { status, ...equal } = filter;
  const lead = leading.find((column) => equal[column] !== undefined);
  const conditions = [
    ...Object.entries<string | number | undefined>(equal).flatMap(([column, value]) => {
      if (value === undefined) return [];
      return column === lead
        ? [sql`and ${sql(column)} = any(${[Number(value)]}::bigint[])`]
        : [sql`and ${sql(column)} = ${value}`];
    }),
    before === undefined ? sql`` : sql`and id < ${before}`,
    search === null || search.few !== null ? sql`` : sql`and search @@ ${search.words}::tsquery`,
  ];
  const where = conditions.reduce((all, one) => sql`${all} ${one}`, sql``);
  const first = lead === undefined ? sql`` : sql`${sql(lead)} desc,`;
  // `offset` is a fence: these are read first, whatever else is asked for.
  const source = search?.few
    ? sql`(select * from tickets where id = any(${search.few}::bigint[]) offset 0) as few`
    : sql`tickets`;
  const pages = (status ? [status] : ticketStatuses)
    .map(
      (one) => sql`(
        select * from ${source} where status = any(${[one]}::text[]) ${where}
        order by ${first} status desc, id desc limit ${limit})`,
    )
    .reduce((all, one) => sql`${all} union all ${one}`);
  return sql`
    select ${columns(sql)} from (select * from (${pages}) as page order by id desc limit ${limit}) as t ${names(sql)}
    order by t.id desc`;
}

export async function getTicket(sql: Sql, id: number): Promise<TicketRow | null> {
  const [row] = await sql<
    TicketRow[]
  >`select ${columns(sql)} from tickets as t ${names(sql)} where t.id = ${id}`;
  return row ?? null;
}

/** Those of the tickets that are there, in no order. */
export async function getTickets(sql: Sql, ids: readonly number[]): Promise<TicketRow[]> {
  return sql<TicketRow[]>`
    select ${columns(sql)} from tickets as t ${names(sql)} where t.id = any(${[...ids]}::bigint[])`;
}

/** The ticket, held until the transaction ends. */
export async function lockTicket(sql: Sql, id: number): Promise<TicketRow | null> {
  const [row] = await sql<TicketRow[]>`
    select ${columns(sql)} from tickets as t ${names(sql)} where t.id = ${id} for no key update of t`;
  return row ?? null;
}

/** Writes a person's change of a ticket that the transaction holds, its history, and what is posted of it. */
export async function updateTicket(
  sql: Sql,
  id: number,
  content: TicketContent,
  { actor, actorName, changes }: { actor: string; actorName: string; changes: TicketChanges },
): Promise<void> {
  const { departmentId, assigneeId, categoryId, subcategoryId, status, resolutionId, note, extra } = content;
  await sql`
    update tickets set department_id = ${departmentId}, assignee_id = ${assigneeId}, category_id = ${categoryId},
      subcategory_id = ${subcategoryId}, status = ${status}, resolution_id = ${resolutionId}, note = ${note},
      extra = ${json(sql, extra)}, version = version + 1, updated_at = now(),
      finished_at = case when ${status} = 'finished' then coalesce(finished_at, now()) end
    where id = ${id}`;
  await sql`
    with event as (
      insert into ticket_events (ticket_id, kind, actor, actor_name, changes)
      values (${id}, 'changed', ${actor}, ${actorName}, ${json(sql, changes)})
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
}

const ticketChanges = z.record(
  z.string(),
  z.tuple([z.union([z.string(), z.number(), z.null()]), z.union([z.string(), z.number(), z.null()])]),
);

/** One thing that happened to a ticket. */
export interface TicketEventRow {
  id: number;
  kind: TicketEventKind;
  /** `user:7`, `token:3`, `campaign:3`, `customer`, `receipt` */
  actor: string;
  /** Of a person; '' otherwise. */
  actorName: string;
  changes: TicketChanges;
  at: Date;
  replyId: number | null;
  replyText: string | null;
  replyReceivedAt: Date | null;
  /** Null: it is not posted. */
  postState: TicketPostState | null;
}

/** The first `limit` events of a ticket, oldest first, with the replies that they tell of. */
export async function ticketHistory(
  sql: Sql,
  ticketId: number,
  { limit }: { limit: number },
): Promise<TicketEventRow[]> {
  const rows = await sql<TicketEventRow[]>`
    select e.id, e.kind, e.actor, e.actor_name, e.changes, e.at, i.id as reply_id, i.text as reply_text,
      i.received_at as reply_received_at, p.state as post_state
    from ticket_events as e left join inbound_messages as i on i.id = e.inbound_message_id
      left join ticket_posts as p on p.event_id = e.id
    where e.ticket_id = ${ticketId} order by e.id limit ${limit}`;
  return rows.map((row) => ({ ...row, changes: ticketChanges.parse(row.changes) }));
}
