import type { Sql } from '../core/client.ts';
import { recordConsents } from '../customers/consents.ts';
import { lockForOptOuts, optOutPhone } from '../customers/opt-outs.ts';
import { customerIdsByPhone } from '../customers/matching.ts';

/** A phone that gets no messages because of a probable opt-out, until a user decides. */
export interface HoldRow {
  id: number;
  phone: string;
  /** From a virtual phone: applies only to what the sandbox sends. */
  sandbox: boolean;
  at: Date;
  /** The reply for which it is held; null once that is deleted. Its text is empty once retention has deleted it. */
  inboundMessageId: number | null;
  text: string | null;
  messageId: number | null;
  /** The message that the reply answers, as sent. */
  messageText: string | null;
  campaignId: number | null;
  campaignName: string | null;
  ticketId: number | null;
}

const selected = (sql: Sql) => sql`
  select o.id, o.phone, o.sandbox, o.at, o.inbound_message_id, i.text, i.message_id, m.text as message_text, i.campaign_id,
    campaigns.name as campaign_name, ticket.ticket_id
  from opt_outs as o
    left join inbound_messages as i on i.id = o.inbound_message_id
    left join messages as m on m.id = i.message_id
    left join campaigns on campaigns.id = i.campaign_id
    left join ticket_events as ticket on ticket.inbound_message_id = i.id
  where o.state = 'held'`;

/** A page of held phones, longest first; `after`: only later entries than this one. */
export async function listHolds(
  sql: Sql,
  { after, limit }: { after?: number | undefined; limit: number },
): Promise<HoldRow[]> {
  return sql<HoldRow[]>`
    ${selected(sql)} ${after === undefined ? sql`` : sql`and (o.at, o.id) > (select at, id from opt_outs where id = ${after})`}
    order by o.at, o.id limit ${limit}`;
}

/** How many phones are held, and since when the longest has been. */
export async function countHolds(sql: Sql): Promise<{ count: number; since: Date | null }> {
  const [row] = await sql<[{ count: number; since: Date | null }]>`
    select count(*)::int as count, min(at) as since from opt_outs where state = 'held'`;
  return row;
}

/** The phones that have been held for this many days without a decision. */
export async function undecidedHolds(
  sql: Sql,
  { days, limit }: { days: number; limit: number },
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from opt_outs where state = 'held' and at <= now() - make_interval(days => ${days})
    order by at, id limit ${limit}`;
  return rows.map(({ id }) => id);
}

export const holdDecisions = ['opt_out', 'release'] as const;
export type HoldDecision = (typeof holdDecisions)[number];

/**
 * Ends a hold. `opt_out`: opts the phone out, and its customers refuse consent, as if the reply had been the opt-out
 * word. `release`: it was not an opt-out; messages that are claimed and mailings that are read from now on include the
 * phone, and skipped messages stay skipped. The replies for which it was held get the decision as their effect.
 *
 * False: it is no longer held, because a user has decided, or the person has opted out or in meanwhile.
 *
 * Locks replies, then customers, then messages, then counts.
 */
export async function decideHold(
  tx: Sql,
  id: number,
  { decision, actor, note = '' }: { decision: HoldDecision; actor: string; note?: string },
): Promise<boolean> {
  const [hold] = await tx<{ phone: string; sandbox: boolean; at: Date; inboundMessageId: number | null }[]>`
    select phone, sandbox, at, inbound_message_id from opt_outs where id = ${id} and state = 'held'`;
  if (!hold) return false;
  const { phone, sandbox, at, inboundMessageId } = hold;
  const replies = await tx<{ id: number }[]>`
    select i.id from inbound_messages as i join providers as p on p.id = i.provider_id
    where i.phone = ${phone} and i.intent = 'probable_opt_out' and p.sandbox = ${sandbox}
      and (i.effect is null or i.effect = 'probable_opt_out')
    order by i.id for no key update of i`;
  const refusing = decision === 'opt_out' ? await customerIdsByPhone(tx, phone) : [];
  const customers = sandbox ? [] : refusing;
  await tx`select from customers where id = any(${customers}::bigint[]) order by id for no key update`;
  await lockForOptOuts(tx, { moving: [], refused: [], phones: [phone], customers });
  // From here on, opt-outs, opt-ins and other decisions wait for this transaction.
  const still = await tx`select from opt_outs where id = ${id} and state = 'held' for update`;
  if (still.count === 0) return false;
  if (decision === 'opt_out') {
    await optOutPhone(tx, { phone, source: 'reply', sandbox, actor, note, inboundMessageId });
    await recordConsents(
      tx,
      refusing.map((customerId) => ({ customerId, consent: 'refused' as const, at })),
      { source: 'reply', actor, note, sandbox },
    );
  } else {
    await tx`
      with gone as (
        delete from opt_outs where id = ${id} returning phone, sandbox
      )
      insert into opt_out_events (phone, kind, source, actor, sandbox, note, inbound_message_id)
      select phone, 'release', 'reply', ${actor}, sandbox, ${note}, ${inboundMessageId} from gone`;
  }
  await tx`
    update inbound_messages as i set effect = case
        when ${decision} = 'opt_out' then 'opt_out'
        when exists (select from ticket_events where inbound_message_id = i.id) then 'ticket' else 'none' end
    where i.id = any(${replies.map((reply) => reply.id)}::bigint[]) and i.effect is not null`;
  return true;
}

/** The state of a probable opt-out of this phone; null: it was not an opt-out, or was taken back. */
export async function stateOfHold(
  sql: Sql,
  { phone, sandbox }: { phone: string; sandbox: boolean },
): Promise<'held' | 'opted_out' | null> {
  const [row] = await sql<{ state: 'held' | 'opted_out' }[]>`
    select state from opt_outs where phone = ${phone} and sandbox = ${sandbox}`;
  return row?.state ?? null;
}
