import { type TicketAutomation, ticketAutomation } from '../../domain/ticket-automation.ts';
import type { Sql } from '../core/client.ts';
import { posted } from './posts.ts';

/** The admins' settings, or the defaults. */
export async function getTicketAutomation(sql: Sql): Promise<TicketAutomation> {
  const [row] = await sql<TicketAutomation[]>`
    select reopen_on_reply, wait_on_answer, finish_after_days, finish_resolution_id from ticket_automation`;
  return row ?? ticketAutomation.parse({});
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockTicketAutomation(tx: Sql): Promise<TicketAutomation> {
  await tx`lock table ticket_automation in share row exclusive mode`;
  return getTicketAutomation(tx);
}

export async function saveTicketAutomation(sql: Sql, automation: TicketAutomation): Promise<void> {
  await sql`
    insert into ticket_automation ${sql(automation)}
    on conflict (only_row) do update set reopen_on_reply = excluded.reopen_on_reply,
      wait_on_answer = excluded.wait_on_answer, finish_after_days = excluded.finish_after_days,
      finish_resolution_id = excluded.finish_resolution_id`;
}

/** A user has answered a ticket, which the transaction has locked: it waits for the customer now. */
export async function waitAfterAnswer(
  sql: Sql,
  ticketId: number,
  { actor, actorName }: { actor: string; actorName: string },
): Promise<void> {
  await sql`
    with changed as (
      update tickets set status = 'waiting', version = version + 1
      where id = ${ticketId} and status in ('open', 'in_progress')
        and coalesce((select wait_on_answer from ticket_automation), true)
      returning old.status as was, new.status
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, actor_name, changes)
      select ${ticketId}, 'changed', ${actor}, ${actorName},
        jsonb_build_object('status', jsonb_build_array(was, status)) from changed
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
}

/** Finishes up to `limit` tickets that have waited long enough without any change. Returns how many. */
export async function finishQuietTickets(sql: Sql, limit: number): Promise<number> {
  const rows = await sql`
    with quiet as (
      select t.id, a.finish_resolution_id from ticket_automation as a join tickets as t
        on t.updated_at < now() - make_interval(days => a.finish_after_days)
      where t.status = 'waiting' and not t.unanswered
      order by t.updated_at limit ${limit} for no key update of t skip locked
    ), changed as (
      update tickets as t set status = 'finished', resolution_id = finish_resolution_id, finished_at = now(),
        updated_at = now(), version = version + 1
      from quiet where t.id = quiet.id
      returning t.id, old.resolution_id as was, new.resolution_id
    ), event as (
      insert into ticket_events (ticket_id, kind, actor, changes)
      select id, 'changed', 'system', jsonb_build_object('status', jsonb_build_array('waiting', 'finished'),
        'resolutionId', jsonb_build_array(was, resolution_id))
      from changed order by id
      returning id, ticket_id, kind
    ), ${posted(sql)}
    select from event`;
  return rows.count;
}
