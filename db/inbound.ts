import type { Sql } from './client.ts';

/** What a provider told us of one message, verified, as it came. */
export interface InboundEvent {
  providerId: number;
  /** The same when the provider repeats itself, so that it is kept once. */
  eventKey: string;
  kind: 'receipt' | 'message' | 'other';
  messageId: number | null;
  /** The text of a JSON object. */
  payload: string;
}

/** Keeps the events that are new, in their order, and returns the indexes of those in `events`. */
export async function insertInboundEvents(sql: Sql, events: readonly InboundEvent[]): Promise<Set<number>> {
  if (events.length === 0) return new Set();
  const rows = await sql<{ position: number }[]>`
    with event as (
      select * from unnest(
        ${events.map((e) => e.providerId)}::bigint[], ${events.map((e) => e.eventKey)}::text[],
        ${events.map((e) => e.kind)}::text[], ${events.map((e) => e.messageId)}::bigint[],
        ${events.map((e) => e.payload)}::text[]
      ) with ordinality as e (provider_id, event_key, kind, message_id, payload, position)
    ), kept as (
      insert into inbound_events (provider_id, event_key, kind, message_id, payload)
      select provider_id, event_key, kind, message_id, payload::jsonb
      from (select distinct on (provider_id, event_key) * from event order by provider_id, event_key, position) as first
      order by position
      on conflict (provider_id, event_key) do nothing
      returning provider_id, event_key
    )
    select min(position)::int - 1 as position from event join kept using (provider_id, event_key) group by provider_id, event_key`;
  return new Set(rows.map((row) => row.position));
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
