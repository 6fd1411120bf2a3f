import { openingOnReply, type TicketOpening, ticketOutcomes, ticketPolicy } from '../../domain/ticket.ts';
import type { Sql } from '../core/client.ts';
import { posted } from './posts.ts';

interface ReplyToTicket {
  policy: unknown;
  messageId: number;
  runId: number;
  campaignId: number;
}

/**
 * What a reply does to tickets, by the policy that its run has frozen; null when that opens none. Idempotent: a
 * repetition finds the ticket of the first call.
 *
 * - `on_reply`: the reply goes to the newest unfinished ticket of its message; without one it opens a ticket.
 * - `on_send`: it goes to the ticket of its message, finished or not. A message that was sent again has the ticket of
 *   its first. Before that is open, null: `openSendTickets` takes
 *   the replies that came before along.
 *
 * The reply has been matched to its message (`inbound_messages.message_id`). Call it in a transaction: it locks the
 * message, so that two replies that come together open one ticket.
 */
export async function openReplyTicket(
  sql: Sql,
  { inboundMessageId }: { inboundMessageId: number },
): Promise<{ ticketId: number; opened: boolean } | null> {
  const [reply] = await sql<ReplyToTicket[]>`
    select r.settings -> 'campaign' -> 'ticketPolicy' as policy, m.id as message_id, m.run_id, r.campaign_id
    from inbound_messages as i join messages as m on m.id = i.message_id join runs as r on r.id = m.run_id
    where i.id = ${inboundMessageId} for no key update of m`;
  const policy = reply && ticketPolicy.parse(reply.policy);
  if (!policy || policy.when === 'never') return null;

  const [done] = await sql<{ ticketId: number; opened: boolean }[]>`
    select ticket_id, kind = 'opened' as opened from ticket_events where inbound_message_id = ${inboundMessageId}`;
  if (done) return done;
  const [ticket] = await sql<{ id: number }[]>`
    select t.id from messages as m join tickets as t on t.message_id in (m.id, m.resend_of)
    where m.id = ${reply.messageId} and (t.status <> 'finished' or t.cause = 'send')
    order by t.id desc limit 1`;
  if (ticket) {
    await sql`
      with event as (
        insert into ticket_events (ticket_id, kind, actor, inbound_message_id)
        values (${ticket.id}, 'reply', 'customer', ${inboundMessageId})
        returning id, ticket_id, kind
      ), ${posted(sql)}
      select from event`;
    await sql`update tickets set updated_at = now() where id = ${ticket.id}`;
    return { ticketId: ticket.id, opened: false };
  }
  if (policy.when === 'on_send') return null;
  return {
    ticketId: await insertReplyTicket(sql, reply, openingOnReply(policy), inboundMessageId),
    opened: true,
  };
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
        extra, status, department_id, assignee_id, category_id, subcategory_id, resolution_id, finished_at)
      select 'reply', ${campaignId}, ${runId}, m.id, i.id, coalesce(i.customer_id, m.customer_id), m.phone, m.name, m.code,
        coalesce(m.extra, '{}'), ${status}, ${departmentId}, ${assigneeId}, ${categoryId}, ${subcategoryId},
        ${resolutionId}, ${status === 'finished' ? sql`now()` : null}
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
 * Opens the tickets of up to `limit` lines of a run from after line `after` on: one for each message that was handed to
 * the provider, and none where there is one already. Replies that came before go onto them. `lastLine` is null when no
 * line is left.
 *
 * Call it in a transaction. Its first statement holds the messages, so that a receipt comes either before, and counts,
 * or after, and finds the ticket (`followReceipts`); and so that a reply does (`openReplyTicket`).
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
  // Both openings differ in their resolution alone.
  const { departmentId, assigneeId, categoryId, subcategoryId, status } = openings.success;
  const [batch] = await sql<[{ opened: number }]>`
    with opened as (
      insert into tickets (cause, campaign_id, run_id, message_id, customer_id, phone, name, code, extra, status,
        department_id, assignee_id, category_id, subcategory_id, resolution_id, finished_at)
      select 'send', ${campaignId}, run_id, id, customer_id, phone, name, code, coalesce(extra, '{}'), ${status},
        ${departmentId}, ${assigneeId}, ${categoryId}, ${subcategoryId},
        case when messages.status = any(${[...success]}::text[])
          then ${openings.success.resolutionId}::bigint else ${openings.failure.resolutionId}::bigint end,
        ${status === 'finished' ? sql`now()` : null}
      from messages
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

/** Those of the runs that open tickets on send. What they say is frozen. */
export async function runsWithSendTickets(sql: Sql, runIds: readonly number[]): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from runs
    where id = any(${[...runIds]}::bigint[]) and settings #>> '{campaign,ticketPolicy,when}' = 'on_send'`;
  return rows.map(({ id }) => id);
}

/**
 * Lets the tickets of up to `limit` lines of a resend say what became of it, from after line `after` on. `lastLine` is
 * null when no line is left. Call it in a transaction, as `openSendTickets`.
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
 * Lets the resolutions of tickets on send follow what became of their messages: a late receipt turned a success into a
 * failure, or settled an `unknown`. Of a message that was sent again, one success is enough. A ticket whose resolution a
 * person has chosen is left alone.
 *
 * For messages that a receipt has just moved, in the receipts' transaction. Costs one look into an index for each
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
