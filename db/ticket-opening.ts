import { openingOnReply, type TicketOpening, ticketPolicy } from '../domain/ticket.ts';
import type { Sql } from './client.ts';

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
 * - `on_send`: it goes to the ticket of its message, finished or not. Before that is open, null: `openSendTickets` takes
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
    select id from tickets where message_id = ${reply.messageId} and (status <> 'finished' or cause = 'send')
    order by id desc limit 1`;
  if (ticket) {
    await sql`
      insert into ticket_events (ticket_id, kind, actor, inbound_message_id)
      values (${ticket.id}, 'reply', 'customer', ${inboundMessageId})`;
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
    )
    insert into ticket_events (ticket_id, kind, actor, inbound_message_id)
    select id, 'opened', ${`campaign:${campaignId}`}, ${inboundMessageId} from opened returning ticket_id`;
  return ticket.ticketId;
}
