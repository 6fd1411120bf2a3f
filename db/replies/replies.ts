import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ReplyEffect, ReplyIntent } from '../../domain/reply.ts';
import type { Sql } from '../core/client.ts';

/** A message from a customer to us, as the provider delivered it. */
export interface NewReply {
  providerId: number;
  providerMessageId: string;
  phone: string;
  recipient: string;
  text: string;
  /** When it was written, if that is long ago; otherwise now. */
  receivedAt?: Date;
}

/** A reply that was new. */
export interface KeptReply {
  id: number;
  phone: string;
  text: string;
  intent: ReplyIntent;
  /** When it was written, if given; null: now. */
  writtenAt: Date | null;
  /** Written by a virtual phone. */
  sandbox: boolean;
}

/**
 * Stores the replies that are new, even if the provider repeats some, and returns these in order of arrival. A
 * repetition has the same id, sender and text.
 */
export async function insertReplies(
  sql: Sql,
  replies: readonly (NewReply & { intent: ReplyIntent })[],
): Promise<KeptReply[]> {
  const rows = await sql<KeptReply[]>`
    insert into inbound_messages (provider_id, provider_message_id, fingerprint, phone, recipient, text, intent, received_at)
    select r.provider_id, r.id, r.fingerprint, r.phone, r.recipient, r.text, r.intent, coalesce(r.received_at, now()) from unnest(
      ${replies.map((r) => r.providerId)}::bigint[], ${replies.map((r) => r.providerMessageId)}::text[], ${replies.map(fingerprintOf)}::int[],
      ${replies.map((r) => r.phone)}::text[], ${replies.map((r) => r.recipient)}::text[], ${replies.map((r) => r.text)}::text[],
      ${replies.map((r) => r.intent)}::text[], ${replies.map((r) => r.receivedAt?.toISOString() ?? null)}::timestamptz[]
    ) as r (provider_id, id, fingerprint, phone, recipient, text, intent, received_at)
    on conflict (provider_id, provider_message_id, fingerprint) do nothing
    returning id, phone, text, intent, nullif(received_at, now()) as written_at, (select sandbox from providers where providers.id = provider_id) as sandbox`;
  return rows.toSorted((a, b) => a.id - b.id);
}

/** Too short to reveal the sender or the text after both are deleted. */
const fingerprintOf = ({ phone, text }: NewReply): number =>
  createHash('sha256').update(`${phone}\n${text}`).digest().readInt32BE(0);

/** The oldest replies after `after` that have not been handled. */
export async function unhandledReplyIds(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from inbound_messages where handled_at is null and id > ${after} order by id limit ${limit}`;
  return rows.map(({ id }) => id);
}

/** A reply to be handled. */
export interface HeldReply {
  phone: string;
  text: string;
  /** Written by a virtual phone. */
  sandbox: boolean;
  /** Its intent, by the reply words at the time of receipt. */
  intent: ReplyIntent;
  receivedAt: Date;
  /** Null: not handled yet. */
  effect: ReplyEffect | null;
  messageId: number | null;
  campaignId: number | null;
  runId: number | null;
}

/** The row, locked until the transaction ends. */
export async function lockReply(sql: Sql, id: number): Promise<HeldReply | null> {
  const [row] = await sql<HeldReply[]>`
    select phone, text, intent, received_at, effect, message_id, campaign_id, run_id,
      (select sandbox from providers where providers.id = provider_id) as sandbox
    from inbound_messages where id = ${id} for no key update`;
  return row ?? null;
}

/** The message that a reply answers. */
export interface AnsweredMessage {
  messageId: number;
  runId: number;
  campaignId: number;
  customerId: number | null;
}

/**
 * The newest message that may have been on the phone when the reply came, sent at most `windowDays` before: by the
 * provider that delivered the reply, or by another that sends from the number that received it. Replies of virtual
 * phones match only messages from the sandbox.
 *
 * A message whose outcome is not recorded yet counts too: customers answer within a second.
 */
export async function findAnsweredMessage(
  sql: Sql,
  id: number,
  { windowDays }: { windowDays: number },
): Promise<AnsweredMessage | null> {
  const [row] = await sql<AnsweredMessage[]>`
    select m.id as message_id, m.run_id, runs.campaign_id, m.customer_id
    from inbound_messages as i join messages as m on m.phone = i.phone join runs on runs.id = m.run_id
      join providers as p on p.id = coalesce(m.provider_id, runs.provider_id)
      left join claims as c on c.run_id = m.run_id and m.id = any(c.message_ids)
        and m.sender is null and m.status in ('queued', 'skipped')
      cross join lateral (select coalesce(m.sending_at, c.claimed_at) as sending_at) as left_at
    where i.id = ${id} and (
        m.status in ('sending', 'sent', 'delivered', 'undelivered', 'unknown') or c.id is not null
        -- It may have been taken, and is sent again because its provider recognizes it, or was until the run ended.
        or m.status in ('queued', 'cancelled') and m.provider_id is not null)
      and left_at.sending_at <= i.received_at
      and left_at.sending_at > i.received_at - make_interval(days => ${windowDays})
      and (p.id = i.provider_id or ltrim(p.config ->> 'from', '+') = ltrim(i.recipient, '+')
        and p.sandbox = (select sandbox from providers where id = i.provider_id))
    order by left_at.sending_at desc, m.id desc limit 1`;
  return row ?? null;
}

/** The answers that the campaign of a reply's message expects (domain/campaign.ts). */
export async function expectedAnswers(
  sql: Sql,
  id: number,
  { windowDays }: { windowDays: number },
): Promise<string[]> {
  const answered = await findAnsweredMessage(sql, id, { windowDays });
  if (!answered) return [];
  const [row] = await sql<[{ answers: unknown }]>`
    select settings #> '{campaign,message,answers}' as answers from runs where id = ${answered.runId}`;
  return z.array(z.string()).parse(row.answers ?? []);
}

/** Changes the intent of a reply that has not been handled. */
export async function setReplyIntent(sql: Sql, id: number, intent: ReplyIntent): Promise<void> {
  await sql`update inbound_messages set intent = ${intent} where id = ${id}`;
}

/** The ticket that a reply opened or was added to. */
export async function ticketOfReply(sql: Sql, id: number): Promise<number | null> {
  const [row] = await sql<{ ticketId: number }[]>`
    select ticket_id from ticket_events where inbound_message_id = ${id}`;
  return row?.ticketId ?? null;
}

/** The text of a reply, and of a message as it was sent. */
export async function textsOf(
  sql: Sql,
  { inboundMessageId, messageId }: { inboundMessageId: number; messageId: number },
): Promise<{ reply: string; message: string }> {
  const [row] = await sql<[{ reply: string; message: string | null }]>`
    select text as reply, (select text from messages where id = ${messageId}) as message
    from inbound_messages where id = ${inboundMessageId}`;
  return { reply: row.reply, message: row.message ?? '' };
}

/**
 * Whether a message to the phone may later turn out to have been delivered before the reply: a queued message may have
 * left before the database was restored from a backup, and its receipt arrives later.
 */
export async function mayMatchLater(
  sql: Sql,
  id: number,
  { windowDays }: { windowDays: number },
): Promise<boolean> {
  const [row] = await sql<[{ may: boolean }]>`
    select exists (
      select from inbound_messages as i join messages as m on m.phone = i.phone join runs on runs.id = m.run_id
      where i.id = ${id} and m.status = 'queued' and runs.mailing_at <= i.received_at
        and runs.mailing_at > i.received_at - make_interval(days => ${windowDays})) as may`;
  return row.may;
}

/** Records which message the reply answers; null: none of ours. */
export async function matchReply(sql: Sql, id: number, answered: AnsweredMessage | null): Promise<void> {
  await sql`
    update inbound_messages as i set
      message_id = ${answered?.messageId ?? null}, run_id = ${answered?.runId ?? null},
      campaign_id = ${answered?.campaignId ?? null},
      customer_id = coalesce(${answered?.customerId ?? null}::bigint, (
        select c.id from customers as c where i.phone in (c.mobile, c.phone, c.phone2) order by c.id desc limit 1))
    where id = ${id}`;
}

export async function finishReply(sql: Sql, id: number, effect: ReplyEffect): Promise<void> {
  await sql`update inbound_messages set handled_at = coalesce(handled_at, now()), effect = ${effect} where id = ${id}`;
}

/** A reply, as the API returns it. */
export interface ReplyRow {
  id: number;
  providerId: number;
  providerMessageId: string;
  phone: string;
  recipient: string;
  text: string;
  receivedAt: Date;
  handledAt: Date | null;
  effect: ReplyEffect | null;
  messageId: number | null;
  campaignId: number | null;
  campaignName: string | null;
  runId: number | null;
  customerId: number | null;
  /** The ticket that it opened or was added to. */
  ticketId: number | null;
  /** The automatic text that answered it, if nobody knows whether it was sent. */
  unknownAnswerId: number | null;
}

export interface ReplyFilter {
  campaignId?: number | undefined;
  runId?: number | undefined;
  messageId?: number | undefined;
  customerId?: number | undefined;
  /** E.164 */
  phone?: readonly string[] | undefined;
  effect?: ReplyEffect | undefined;
  /** True: only those that answer no message of ours. False: only those that do. */
  unmatched?: boolean | undefined;
}

const selected = (sql: Sql, replies = sql`inbound_messages`) => sql`
  select i.id, i.provider_id, i.provider_message_id, i.phone, i.recipient, i.text, i.received_at, i.handled_at, i.effect,
    i.message_id, i.campaign_id, campaigns.name as campaign_name, i.run_id, i.customer_id, ticket.ticket_id,
    (select min(a.id) from answers as a where a.inbound_message_id = i.id and a.status = 'unknown') as unknown_answer_id
  from ${replies} as i left join campaigns on campaigns.id = i.campaign_id
    left join ticket_events as ticket on ticket.inbound_message_id = i.id`;

/** Columns with an index of their own together with the id, most selective first. */
const leading = ['runId', 'campaignId', 'effect'] as const;

/**
 * A page of replies, newest first; `before`: only smaller ids.
 *
 * The order names the leading column of the index, and `any` hides from PostgreSQL that it is constant. Otherwise it
 * scans back from the newest reply, expecting to fill a page soon, and reads the whole table for an old campaign.
 */
export async function listReplies(
  sql: Sql,
  filter: ReplyFilter,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<ReplyRow[]> {
  const lead =
    filter.phone === undefined && filter.messageId === undefined
      ? leading.find((field) => filter[field] !== undefined)
      : undefined;
  const first = {
    runId: sql`i.run_id desc,`,
    campaignId: sql`i.campaign_id desc,`,
    effect: sql`i.effect desc,`,
    none: sql``,
  }[lead ?? 'none'];
  const ofPhone =
    filter.phone &&
    sql`(select * from inbound_messages where phone = any(${[...filter.phone]}::text[]) offset 0)`;
  return sql<ReplyRow[]>`
    ${selected(sql, ofPhone)} where true
      ${filter.campaignId === undefined ? sql`` : sql`and i.campaign_id = any(${[filter.campaignId]}::bigint[])`}
      ${filter.runId === undefined ? sql`` : sql`and i.run_id = any(${[filter.runId]}::bigint[])`}
      ${filter.messageId === undefined ? sql`` : sql`and i.message_id = ${filter.messageId}`}
      ${filter.customerId === undefined ? sql`` : sql`and i.customer_id = ${filter.customerId}`}
      ${filter.effect === undefined ? sql`` : sql`and i.effect = any(${[filter.effect]}::text[])`}
      ${filter.unmatched === undefined ? sql`` : filter.unmatched ? sql`and i.message_id is null` : sql`and i.message_id is not null`}
      ${before === undefined ? sql`` : sql`and i.id < ${before}`}
    order by ${first} i.id desc limit ${limit}`;
}

export async function getReply(sql: Sql, id: number): Promise<ReplyRow | null> {
  const [row] = await sql<ReplyRow[]>`${selected(sql)} where i.id = ${id}`;
  return row ?? null;
}
