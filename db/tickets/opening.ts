import { openingOnReply, type TicketOpening, ticketOutcomes, ticketPolicy } from '../../domain/ticket.ts';
import type { Sql } from '../core/client.ts';
import { posted } from './posts.ts';

/** Where a keyword routes the ticket that a reply opens; null: as defined by the policy. */
interface TicketTarget {
  departmentId: number | null;
  subcategoryId: number | null;
}

interface ReplyToTicket {
  policy: unknown;
  messageId: number;
  runId: number;
  campaignId: number;
}

/**
 * Applies a reply to tickets; null when it belongs to none. Idempotent: a repetition finds the ticket of the first
 * call.
 *
 * A reply continues a conversation: it is added to the newest unfinished ticket of its message, else of its phone, also
 * if it answers no message. Otherwise the frozen policy of its run decides:
 *
 * - `on_reply`: opens a ticket.
 * - `on_send`: adds it to the finished ticket of its message. Null before that ticket is open: `openSendTickets` adds
 *   earlier replies.
 *
 * `target`: the department and the subcategory of the keyword that the reply is; they replace those of the policy.
 *
 * A resent message has the ticket of the first one. The reply must already be matched to its message
 * (`inbound_messages.message_id`). Call it in a transaction: it locks the message and the phone, so that two
 * simultaneous replies open one ticket.
 */
export async function openReplyTicket(
  sql: Sql,
  { inboundMessageId, target = null }: { inboundMessageId: number; target?: TicketTarget | null },
): Promise<{ ticketId: number; opened: boolean } | null> {
  const [reply] = await sql<ReplyToTicket[]>`
    select r.settings -> 'campaign' -> 'ticketPolicy' as policy, m.id as message_id, m.run_id, r.campaign_id
    from inbound_messages as i join messages as m on m.id = i.message_id join runs as r on r.id = m.run_id
    where i.id = ${inboundMessageId} for no key update of m`;
  // After the message, as everywhere.
  await sql`
    select pg_advisory_xact_lock(hashtextextended('torpedo.replies ' || phone, 0))
    from inbound_messages where id = ${inboundMessageId}`;

  const [done] = await sql<{ ticketId: number; opened: boolean }[]>`
    select ticket_id, kind = 'opened' as opened from ticket_events where inbound_message_id = ${inboundMessageId}`;
  if (done) return done;
  const policy = reply && ticketPolicy.parse(reply.policy);
  const ticketId =
    (await unfinishedTicketOf(sql, inboundMessageId)) ??
    (policy?.when === 'on_send' ? await sendTicketOf(sql, reply?.messageId ?? 0) : null);
  if (ticketId !== null) {
    await addReply(sql, ticketId, inboundMessageId);
    return { ticketId, opened: false };
  }
  if (!reply || policy?.when !== 'on_reply') return null;
  const opening = await redirect(sql, openingOnReply(policy), target);
  return { ticketId: await insertReplyTicket(sql, reply, opening, inboundMessageId), opened: true };
}

/** The opening with the department and the subcategory of a keyword, and the category of that subcategory. */
async function redirect(
  sql: Sql,
  opening: TicketOpening,
  target: TicketTarget | null,
): Promise<TicketOpening> {
  const departmentId = target?.departmentId ?? opening.departmentId;
  if (!target || target.subcategoryId === null) return { ...opening, departmentId };
  const [{ categoryId }] = await sql<[{ categoryId: number }]>`
    select category_id from subcategories where id = ${target.subcategoryId}`;
  return { ...opening, departmentId, categoryId, subcategoryId: target.subcategoryId };
}

/** The newest unfinished ticket that a reply belongs to. Tickets of virtual and real phones are kept apart. */
async function unfinishedTicketOf(sql: Sql, inboundMessageId: number): Promise<number | null> {
  const [ticket] = await sql<{ id: number }[]>`
    select t.id from inbound_messages as i left join messages as m on m.id = i.message_id
      join tickets as t on t.message_id in (m.id, m.resend_of) or t.phone = i.phone
    where i.id = ${inboundMessageId} and t.status <> 'finished'
      and (select sandbox from providers where id = i.provider_id)
        = (select p.sandbox from runs join providers as p on p.id = runs.provider_id where runs.id = t.run_id)
    order by (t.message_id in (m.id, m.resend_of)) is true desc, t.id desc limit 1`;
  return ticket?.id ?? null;
}

async function sendTicketOf(sql: Sql, messageId: number): Promise<number | null> {
  const [ticket] = await sql<{ id: number }[]>`
    select t.id from messages as m join tickets as t on t.message_id in (m.id, m.resend_of)
    where m.id = ${messageId} and t.cause = 'send' order by t.id desc limit 1`;
  return ticket?.id ?? null;
}

/** The ticket waits for an answer now. One that waited for the customer is open again. */
async function addReply(sql: Sql, ticketId: number, inboundMessageId: number): Promise<void> {
  await sql`
    with changed as (
      update tickets set updated_at = now(), customer_wrote_at = greatest(customer_wrote_at, received_at),
        customer_first_wrote_at = coalesce(customer_first_wrote_at, received_at),
        answer_due_at = case when first_answered_at is null
          then coalesce(answer_due_at, answer_due(subcategory_id, received_at)) else answer_due_at end,
        status = case when reopens then 'open' else status end, version = version + case when reopens then 1 else 0 end
      from (
        select received_at, t.status = 'waiting' and coalesce((select reopen_on_reply from ticket_automation), true) as reopens
        from inbound_messages as i join tickets as t on t.id = ${ticketId} where i.id = ${inboundMessageId}
      ) as reply
      where id = ${ticketId}
      returning old.status as was, new.status
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, inbound_message_id, changes)
      select ${ticketId}, 'reply', 'customer', ${inboundMessageId},
        case when was = status then '{}' else jsonb_build_object('status', jsonb_build_array(was, status)) end
      from changed
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
}

async function insertReplyTicket(
  sql: Sql,
  { messageId, runId, campaignId }: ReplyToTicket,
  { departmentId, assigneeId, categoryId, subcategoryId, status, resolutionId }: TicketOpening,
  inboundMessageId: number,
): Promise<number> {
  const [ticket] = await sql<[{ ticketId: number }]>`
    with opened as (
      insert into tickets (cause, campaign_id, run_id, message_id, inbound_message_id, customer_id, phone, name, code,
        extra, status, department_id, assignee_id, category_id, subcategory_id, resolution_id, finished_at,
        customer_wrote_at, customer_first_wrote_at, answer_due_at)
      select 'reply', ${campaignId}, ${runId}, m.id, i.id, coalesce(i.customer_id, m.customer_id), m.phone, m.name, m.code,
        coalesce(m.extra, '{}'), ${status}, ${departmentId}, ${assigneeId}, ${categoryId}, ${subcategoryId},
        ${resolutionId}, ${status === 'finished' ? sql`now()` : null}, i.received_at, i.received_at,
        answer_due(${subcategoryId}, i.received_at)
      from messages as m join inbound_messages as i on i.id = ${inboundMessageId} where m.id = ${messageId}
      returning id
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, inbound_message_id)
      select id, 'opened', ${`campaign:${campaignId}`}, ${inboundMessageId} from opened
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select ticket_id from event`;
  return ticket.ticketId;
}

const success: readonly string[] = ticketOutcomes.success;
const handedOver: readonly string[] = [...ticketOutcomes.success, ...ticketOutcomes.failure];

/**
 * Opens the tickets of up to `limit` lines of a run, after line `after`: one for each message that was handed to the
 * provider and has none. Adds earlier replies to them. `lastLine` is null when no line is left.
 *
 * Call it in a transaction. Its first statement locks the messages, so that a receipt either commits before and is
 * included, or commits later and finds the ticket (`followReceipts`). The same holds for replies (`openReplyTicket`).
 */
export async function openSendTickets(
  sql: Sql,
  {
    runId,
    campaignId,
    after,
    limit,
    openings,
  }: {
    runId: number;
    campaignId: number;
    after: number;
    limit: number;
    openings: { success: TicketOpening; failure: TicketOpening };
  },
): Promise<{ opened: number; lastLine: number | null }> {
  const [page] = await sql<[{ lastLine: number | null }]>`
    select max(line) as last_line from (
      select line from messages where run_id = ${runId} and line > ${after} order by line limit ${limit} for share
    ) as held`;
  if (page.lastLine === null) return { opened: 0, lastLine: null };
  // The two openings differ only in their resolution.
  const { departmentId, assigneeId, categoryId, subcategoryId, status } = openings.success;
  const [batch] = await sql<[{ opened: number }]>`
    with opened as (
      insert into tickets (cause, campaign_id, run_id, message_id, customer_id, phone, name, code, extra, status,
        department_id, assignee_id, category_id, subcategory_id, resolution_id, finished_at, customer_wrote_at, customer_first_wrote_at, answer_due_at)
      select 'send', ${campaignId}, run_id, id, customer_id, phone, name, code, coalesce(extra, '{}'), ${status},
        ${departmentId}, ${assigneeId}, ${categoryId}, ${subcategoryId},
        case when messages.status = any(${[...success]}::text[])
          then ${openings.success.resolutionId}::bigint else ${openings.failure.resolutionId}::bigint end,
        ${status === 'finished' ? sql`now()` : null},
        wrote.last_at, wrote.first_at, answer_due(${subcategoryId}, wrote.first_at)
      from messages cross join lateral (
        select max(received_at) as last_at, min(received_at) as first_at from inbound_messages
        where message_id = messages.id
      ) as wrote
      where run_id = ${runId} and line > ${after} and line <= ${page.lastLine}
        and messages.status = any(${[...handedOver]}::text[])
      order by line
      on conflict (message_id, coalesce(inbound_message_id, 0)) do nothing
      returning id, message_id
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, inbound_message_id, at)
      select ticket_id, kind, actor, inbound_message_id, at from (
        select id as ticket_id, 'opened' as kind, ${`campaign:${campaignId}`} as actor, null::bigint as inbound_message_id, now() as at
        from opened
        union all
        select opened.id, 'reply', 'customer', reply.id, now()
        from opened join inbound_messages as reply using (message_id)
      ) as event
      order by ticket_id, inbound_message_id nulls first
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select count(*)::int as opened from opened`;
  return { opened: batch.opened, lastLine: page.lastLine };
}

/** Those of the runs that open tickets on send, by their frozen policy. */
export async function runsWithSendTickets(sql: Sql, runIds: readonly number[]): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from runs
    where id = any(${[...runIds]}::bigint[]) and settings #>> '{campaign,ticketPolicy,when}' = 'on_send'`;
  return rows.map(({ id }) => id);
}

/**
 * Updates the tickets of up to `limit` lines of a resend, after line `after`, to its outcome. `lastLine` is null when
 * no line is left. Call it in a transaction, like `openSendTickets`.
 */
export async function correctResentTickets(
  sql: Sql,
  { runId, campaignId, after, limit }: { runId: number; campaignId: number; after: number; limit: number },
): Promise<{ opened: number; lastLine: number | null }> {
  const rows = await sql<{ id: number; line: number }[]>`
    select id, line from messages where run_id = ${runId} and line > ${after} order by line limit ${limit} for share`;
  await followReceipts(
    sql,
    rows.map(({ id }) => id),
    `campaign:${campaignId}`,
  );
  return { opened: 0, lastLine: rows.at(-1)?.line ?? null };
}

/**
 * Updates the resolutions of tickets on send to the outcome of their messages, after a late receipt turned a success
 * into a failure or resolved an `unknown`. For a resent message, one success is enough. Never changes a resolution that
 * a user has chosen.
 *
 * Call it for messages that a receipt has just changed, in the receipts' transaction. Costs one index look-up for each
 * message whose campaign opens no tickets.
 */
export async function followReceipts(
  sql: Sql,
  messageIds: readonly number[],
  actor = 'receipt',
): Promise<void> {
  if (messageIds.length === 0) return;
  await sql`
    with sent as (
      select distinct t.id, t.resolution_id, r.settings -> 'campaign' -> 'ticketPolicy' as policy,
        exists (
          select from messages as kin
          where (kin.id = t.message_id or kin.resend_of = t.message_id) and kin.status = any(${[...success]}::text[])
        ) as succeeded
      from unnest(${[...messageIds]}::bigint[]) as moved (message_id)
      join messages as m on m.id = moved.message_id and m.status = any(${[...handedOver]}::text[])
      join tickets as t on t.message_id = coalesce(m.resend_of, m.id) and t.cause = 'send'
      join runs as r on r.id = t.run_id
    ), wrong as (
      select id, sent.resolution_id as was, follows.resolution_id
      from sent cross join lateral (
        select (policy ->> case when succeeded then 'resolutionOnSuccessId' else 'resolutionOnFailureId' end)::bigint
      ) as follows (resolution_id)
      where sent.resolution_id <> follows.resolution_id
        and not exists (
          select from ticket_events as e
          where e.ticket_id = sent.id and e.kind = 'changed' and e.changes ? 'resolutionId')
    ), held as (
      select wrong.* from wrong join tickets as t using (id) order by t.id for no key update of t
    ), corrected as (
      update tickets as t set resolution_id = held.resolution_id, version = version + 1, updated_at = now()
      from held where t.id = held.id and t.resolution_id = held.was
      returning t.id, held.was, t.resolution_id as now
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, changes)
      select id, 'receipt', ${actor}, jsonb_build_object('resolutionId', jsonb_build_array(was, now))
      from corrected order by id
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
}
