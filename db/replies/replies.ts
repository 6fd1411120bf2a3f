import type { ReplyEffect, ReplyWish } from '../../domain/reply.ts';
import type { Sql } from '../core/client.ts';

/** A message of a person to us as the provider delivered it. */
export interface NewReply {
  providerId: number;
  providerMessageId: string;
  phone: string;
  recipient: string;
  text: string;
  /** When it was written, where that is long ago; otherwise now. */
  receivedAt?: Date;
}

/** A reply that was new. */
export interface KeptReply {
  id: number;
  phone: string;
  wish: ReplyWish;
  /** Written by a virtual phone. */
  sandbox: boolean;
}

/** Keeps those that are new, whatever the provider repeats, and returns these in the order in which they came. */
export async function insertReplies(
  sql: Sql,
  replies: readonly (NewReply & { wish: ReplyWish })[],
): Promise<KeptReply[]> {
  const rows = await sql<KeptReply[]>`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, wish, received_at)
    select r.provider_id, r.id, r.phone, r.recipient, r.text, r.wish, coalesce(r.received_at, now()) from unnest(
      ${replies.map((r) => r.providerId)}::bigint[], ${replies.map((r) => r.providerMessageId)}::text[],
      ${replies.map((r) => r.phone)}::text[], ${replies.map((r) => r.recipient)}::text[], ${replies.map((r) => r.text)}::text[],
      ${replies.map((r) => r.wish)}::text[], ${replies.map((r) => r.receivedAt?.toISOString() ?? null)}::timestamptz[]
    ) as r (provider_id, id, phone, recipient, text, wish, received_at)
    on conflict (provider_id, provider_message_id) do nothing
    returning id, phone, wish, (select sandbox from providers where providers.id = provider_id) as sandbox`;
  return rows.toSorted((a, b) => a.id - b.id);
}

/** The oldest replies after `after` that nobody has handled yet. */
export async function unhandledReplyIds(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from inbound_messages where handled_at is null and id > ${after} order by id limit ${limit}`;
  return rows.map(({ id }) => id);
}

/** A reply that is about to be handled. */
export interface HeldReply {
  phone: string;
  /** Written by a virtual phone. */
  sandbox: boolean;
  /** What it asks for, by the words of the moment when it came. */
  wish: ReplyWish;
  receivedAt: Date;
  /** Null: nobody has handled it yet. */
  effect: ReplyEffect | null;
  messageId: number | null;
  campaignId: number | null;
  runId: number | null;
}

/** The row, locked until the transaction ends. */
export async function lockReply(sql: Sql, id: number): Promise<HeldReply | null> {
  const [row] = await sql<HeldReply[]>`
    select phone, wish, received_at, effect, message_id, campaign_id, run_id,
      (select sandbox from providers where providers.id = provider_id) as sandbox
    from inbound_messages where id = ${id} for no key update`;
  return row ?? null;
}

/** What a reply answers. */
export interface AnsweredMessage {
  messageId: number;
  runId: number;
  campaignId: number;
  customerId: number | null;
}

/**
 * The newest message that may have been on the phone when the reply came, sent at most `windowDays` before: by the
 * provider that delivered the reply, or by another that sends under the number it was written to. Virtual phones answer
 * only what the sandbox sent.
 *
 * A message whose sender has not written its outcome yet counts, too: people answer within the second.
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

/**
 * Whether a message to the phone may turn out to have been on it when the reply came: one that is queued may have left
 * before the database was restored from a backup, and its receipt says so later.
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

/** Records which message the reply answers; null: it answers none of ours. */
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

/** A reply as the API shows it. */
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
  /** The ticket that it opened, or that it was added to. */
  ticketId: number | null;
}

export interface ReplyFilter {
  campaignId?: number | undefined;
  runId?: number | undefined;
  messageId?: number | undefined;
  customerId?: number | undefined;
  phone?: string | undefined;
  effect?: ReplyEffect | undefined;
  /** True: only those that answer no message of ours. False: only those that do. */
  unmatched?: boolean | undefined;
}

const selected = (sql: Sql) => sql`
  select i.id, i.provider_id, i.provider_message_id, i.phone, i.recipient, i.text, i.received_at, i.handled_at, i.effect,
    i.message_id, i.campaign_id, campaigns.name as campaign_name, i.run_id, i.customer_id, ticket.ticket_id
  from inbound_messages as i left join campaigns on campaigns.id = i.campaign_id
    left join ticket_events as ticket on ticket.inbound_message_id = i.id`;

/** What has an index of its own together with the id, the narrowest first. */
const leading = ['runId', 'campaignId', 'effect'] as const;

/**
 * A page of replies, newest first; `before`: only those with a smaller id.
 *
 * The order names what leads the index, and `any` keeps PostgreSQL from seeing that it is constant: else it walks back
 * from the newest reply, expects to find a page of matches soon, and reads all where the campaign is an old one.
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
  return sql<ReplyRow[]>`
    ${selected(sql)} where true
      ${filter.campaignId === undefined ? sql`` : sql`and i.campaign_id = any(${[filter.campaignId]}::bigint[])`}
      ${filter.runId === undefined ? sql`` : sql`and i.run_id = any(${[filter.runId]}::bigint[])`}
      ${filter.messageId === undefined ? sql`` : sql`and i.message_id = ${filter.messageId}`}
      ${filter.customerId === undefined ? sql`` : sql`and i.customer_id = ${filter.customerId}`}
      ${filter.phone === undefined ? sql`` : sql`and i.phone = ${filter.phone}`}
      ${filter.effect === undefined ? sql`` : sql`and i.effect = any(${[filter.effect]}::text[])`}
      ${filter.unmatched === undefined ? sql`` : filter.unmatched ? sql`and i.message_id is null` : sql`and i.message_id is not null`}
      ${before === undefined ? sql`` : sql`and i.id < ${before}`}
    order by ${first} i.id desc limit ${limit}`;
}

export async function getReply(sql: Sql, id: number): Promise<ReplyRow | null> {
  const [row] = await sql<ReplyRow[]>`${selected(sql)} where i.id = ${id}`;
  return row ?? null;
}
