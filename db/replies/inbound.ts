import { type UnreadFault, readUnreadFault } from '../../domain/problems/callbacks.ts';
import type { Sql } from '../core/client.ts';

/** No provider's ids or numbers are longer; an index entry holds only a few thousand bytes. Longer values are cut. */
export const longestKey = 200;

/** What a provider reported about one message: verified and stored unchanged. */
export interface InboundEvent {
  providerId: number;
  /** The same for each repetition, so that the event is stored once. */
  eventKey: string;
  /** `look_up`: an answer of the provider's look-up; `resolved`: a user's statement instead. */
  kind: 'receipt' | 'message' | 'other' | 'look_up' | 'resolved';
  messageId: number | null;
  /** The text of a JSON object. */
  payload: string;
  /** Why it could not be read. */
  unread?: UnreadFault | null;
  /** When it arrived, if that is long ago; otherwise now. */
  receivedAt?: Date | null;
}

/** Stores the events that are new, in the order of their keys, so that two groups cannot deadlock. */
export async function insertInboundEvents(sql: Sql, events: readonly InboundEvent[]): Promise<void> {
  if (events.length === 0) return;
  const sorted = events.toSorted((a, b) => (a.eventKey < b.eventKey ? -1 : 1));
  // Few events are unread or old: the others do not pay for these columns.
  const isPlain = events.every(({ unread, receivedAt }) => !unread && !receivedAt);
  // The payloads as one value: a tenth less for both sides than an array, whose elements are quoted and parsed twice.
  await sql`
    insert into inbound_events (provider_id, event_key, kind, message_id, payload ${isPlain ? sql`` : sql`, unread, received_at`})
    select provider_id, event_key, kind, message_id, payload
      ${isPlain ? sql`` : sql`, unread::jsonb, coalesce(received_at::timestamptz, now())`}
    from rows from (
      unnest(
        ${sorted.map((e) => e.providerId)}::bigint[], ${sorted.map((e) => e.eventKey)}::text[],
        ${sorted.map((e) => e.kind)}::text[], ${sorted.map((e) => e.messageId)}::bigint[]
        ${
          isPlain
            ? sql``
            : sql`, ${sorted.map((e) => (e.unread ? JSON.stringify(e.unread) : null))}::text[],
                ${sorted.map((e) => e.receivedAt?.toISOString() ?? null)}::text[]`
        }),
      jsonb_array_elements(${`[${sorted.map((e) => e.payload).join(',')}]`}::text::jsonb))
      as e (provider_id, event_key, kind, message_id ${isPlain ? sql`` : sql`, unread, received_at`}, payload)
    on conflict (provider_id, event_key) do nothing`;
}

/** What a provider reported about one message, unchanged. */
export interface InboundEventRow {
  id: number;
  kind: InboundEvent['kind'];
  payload: Record<string, unknown>;
  receivedAt: Date;
}

/** The first `limit` events of a message, in order of arrival. */
export async function listInboundEvents(
  sql: Sql,
  messageId: number,
  { limit }: { limit: number },
): Promise<InboundEventRow[]> {
  return sql<InboundEventRow[]>`
    select id, kind, payload, received_at from inbound_events where message_id = ${messageId} order by id limit ${limit}`;
}

/** A verified provider callback, or a part of one, that could not be read. */
export interface UnreadRow {
  id: number;
  eventKey: string;
  kind: 'receipt' | 'message';
  messageId: number | null;
  /** Null: stored by another version. */
  fault: UnreadFault | null;
  /** The part to read again (`keptCall`). */
  payload: Record<string, unknown>;
  receivedAt: Date;
}

/** A page of unreadable parts of a provider's callbacks, oldest first. */
export async function listUnread(
  sql: Sql,
  providerId: number,
  {
    after = 0,
    upTo,
    ids,
    early = false,
    limit,
  }: {
    after?: number | undefined;
    upTo?: number | undefined;
    ids?: readonly number[] | undefined;
    /** Only those that may have arrived too early. */
    early?: boolean;
    limit: number;
  },
): Promise<UnreadRow[]> {
  const rows = await sql<(Omit<UnreadRow, 'fault'> & { unread: unknown })[]>`
    select id, event_key, kind, message_id, unread, payload, received_at from inbound_events
    where provider_id = ${providerId} and unread is not null and id > ${after}
      ${upTo === undefined ? sql`` : sql`and id <= ${upTo}`}
      ${ids === undefined ? sql`` : sql`and id = any(${[...ids]}::bigint[])`}
      ${early ? sql`and ${resolvesItself(sql)}` : sql``}
    order by id limit ${limit}`;
  return rows.map(({ unread, ...row }) => ({ ...row, fault: readUnreadFault(unread) }));
}

/** The newest of them; null: there is none. */
export async function lastUnreadId(sql: Sql, providerId: number): Promise<number | null> {
  const [row] = await sql<[{ last: number | null }]>`
    select max(id) as last from inbound_events where provider_id = ${providerId} and unread is not null`;
  return row.last;
}

/** Counting stops here. */
export const mostUnreadCounted = 10_000;
/** A receipt may arrive before the outcome of its send is recorded: it is read again automatically. */
const resolvesItself = (sql: Sql) => sql`
  unread ->> 'code' = 'message_unknown' and received_at > now() - interval '1 minute'`;

/** Providers with unreadable callbacks: how many, and since when. */
export async function countUnread(
  sql: Sql,
): Promise<{ providerId: number; providerName: string; count: number; since: Date }[]> {
  return sql<{ providerId: number; providerName: string; count: number; since: Date }[]>`
    select p.id as provider_id, p.name as provider_name, counted.count, counted.since
    from providers as p cross join lateral (
      select count(*)::int as count, min(received_at) as since from (
        select received_at from inbound_events
        where provider_id = p.id and unread is not null and not (${resolvesItself(sql)})
        limit ${mostUnreadCounted}
      ) as unread
    ) as counted
    where counted.count > 0 order by p.name`;
}

/** Dismisses callbacks without reading them; without `ids`, all of the provider up to the last one seen. */
export async function setAsideUnread(
  sql: Sql,
  providerId: number,
  which: { ids: readonly number[] } | { upTo: number },
): Promise<number> {
  const rows = await sql`
    update inbound_events set unread = null
    where provider_id = ${providerId} and unread is not null
      ${'upTo' in which ? sql`and id <= ${which.upTo}` : sql`and id = any(${[...which.ids]}::bigint[])`}`;
  return rows.count;
}

/** Deletes those that are read again in the same transaction. */
export async function deleteUnread(
  tx: Sql,
  events: readonly Pick<InboundEvent, 'providerId' | 'eventKey'>[],
): Promise<void> {
  await tx`
    delete from inbound_events where unread is not null and (provider_id, event_key) in (
      select * from unnest(
        ${events.map(({ providerId }) => providerId)}::bigint[], ${events.map(({ eventKey }) => eventKey)}::text[]))`;
}

/** Records why events that were stored in the same transaction could not be read. */
export async function markUnread(
  tx: Sql,
  events: readonly (Pick<InboundEvent, 'providerId' | 'eventKey' | 'payload'> & { unread: UnreadFault })[],
): Promise<void> {
  for (const { providerId, eventKey, payload, unread } of events)
    await tx`
      update inbound_events set message_id = null, payload = ${payload}::text::jsonb, unread = ${JSON.stringify(unread)}::text::jsonb
      where provider_id = ${providerId} and event_key = ${eventKey} and message_id is not null`;
}

/** The messages that a gateway's own ids belong to; null: a test send's. Omits unknown ids. */
export async function messagesById(
  sql: Sql,
  asked: readonly { providerId: number; providerMessageId: string }[],
): Promise<{ providerId: number; providerMessageId: string; messageId: number | null }[]> {
  return sql<{ providerId: number; providerMessageId: string; messageId: number | null }[]>`
    select provider_id, provider_message_id, message_id from provider_message_ids
    where (provider_id, provider_message_id) in (
      select * from unnest(
        ${asked.map(({ providerId }) => providerId)}::bigint[], ${asked.map((one) => one.providerMessageId)}::text[]))`;
}

/** The phones of those messages and answers that a provider sends, or sent before another took over. */
export async function phonesOfMessages(
  sql: Sql,
  asked: readonly { providerId: number; messageId: number }[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await sql<{ id: number; phone: string }[]>`
    select m.id, m.phone from unnest(
      ${asked.map(({ providerId }) => providerId)}::bigint[], ${asked.map(({ messageId }) => messageId)}::bigint[]
    ) as asked (provider_id, message_id)
      join messages as m on m.id = asked.message_id join runs on runs.id = m.run_id
    where m.phone is not null and (coalesce(m.provider_id, runs.provider_id) = asked.provider_id or runs.failovers <> '[]')
    union all
    select a.id, a.phone from answers as a
    where a.id = any(${asked.map(({ messageId }) => messageId)}::bigint[]) and a.phone is not null`;
  return new Map(rows.map(({ id, phone }) => [id, phone]));
}

/** Those of the messages and answers that a provider sends, or sent before another took over. */
export async function ownMessages(
  sql: Sql,
  asked: readonly { providerId: number; messageId: number }[],
): Promise<ReadonlySet<number>> {
  const rows = await sql<{ id: number }[]>`
    select m.id from unnest(
      ${asked.map(({ providerId }) => providerId)}::bigint[], ${asked.map(({ messageId }) => messageId)}::bigint[]
    ) as asked (provider_id, message_id)
      join messages as m on m.id = asked.message_id join runs on runs.id = m.run_id
    where coalesce(m.provider_id, runs.provider_id) = asked.provider_id or runs.failovers <> '[]'
    union all
    select id from answers where id = any(${asked.map(({ messageId }) => messageId)}::bigint[])`;
  return new Set(rows.map(({ id }) => id));
}
