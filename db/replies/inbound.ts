import type { Sql } from '../core/client.ts';

/** What a provider told us of one message, verified, as it came. */
export interface InboundEvent {
  providerId: number;
  /** The same when the provider repeats itself, so that it is kept once. */
  eventKey: string;
  /** `look_up`: the provider was asked; `settled`: a person said it in its place. */
  kind: 'receipt' | 'message' | 'other' | 'look_up' | 'settled';
  messageId: number | null;
  /** The text of a JSON object. */
  payload: string;
}

/** Keeps the events that are new. In the order of their keys, so that two groups never wait for each other. */
export async function insertInboundEvents(sql: Sql, events: readonly InboundEvent[]): Promise<void> {
  if (events.length === 0) return;
  const sorted = events.toSorted((a, b) => (a.eventKey < b.eventKey ? -1 : 1));
  // The payloads as one value: a tenth less for both sides than an array, whose elements are quoted and read twice.
  await sql`
    insert into inbound_events (provider_id, event_key, kind, message_id, payload)
    select * from rows from (
      unnest(
        ${sorted.map((e) => e.providerId)}::bigint[], ${sorted.map((e) => e.eventKey)}::text[],
        ${sorted.map((e) => e.kind)}::text[], ${sorted.map((e) => e.messageId)}::bigint[]),
      jsonb_array_elements(${`[${sorted.map((e) => e.payload).join(',')}]`}::text::jsonb))
    on conflict (provider_id, event_key) do nothing`;
}

/** What a provider has said of one message, as it came. */
export interface InboundEventRow {
  id: number;
  kind: InboundEvent['kind'];
  payload: Record<string, unknown>;
  receivedAt: Date;
}

/** The first `limit` events of a message, in the order of their arrival. */
export async function listInboundEvents(
  sql: Sql,
  messageId: number,
  { limit }: { limit: number },
): Promise<InboundEventRow[]> {
  return sql<InboundEventRow[]>`
    select id, kind, payload, received_at from inbound_events where message_id = ${messageId} order by id limit ${limit}`;
}
