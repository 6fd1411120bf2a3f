import type { TicketEventKind, TicketPostState } from '../domain/ticket-posting.ts';
import type { Sql } from './client.ts';

/**
 * Queues the events that a statement has just written for posting: `event` is their CTE and gives id, ticket_id and
 * kind. In the same statement, so that each event is posted exactly if it happened.
 */
export const posted = (sql: Sql) => sql`
  posted as (
    insert into ticket_posts (event_id, ticket_id)
    select event.id, event.ticket_id from event join ticket_posting as p
      on (p.config ->> 'enabled')::boolean and p.config -> 'events' ? event.kind
  )`;

export interface TicketPostRow {
  eventId: number;
  ticketId: number;
  kind: TicketEventKind;
  state: TicketPostState;
  attempts: number;
  notBefore: Date;
  queuedAt: Date;
  answerStatus: number | null;
  answer: string | null;
  answeredAt: Date | null;
}
