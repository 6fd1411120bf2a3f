import type { Sql } from './client.ts';

/**
 * Deletes what is older than an admin lets it be kept (domain/privacy.ts), in small statements: each of these does one
 * portion and says how many rows it was, to be called until it says 0. Days count by the database's clock.
 */

const portion = 5_000;
const eventPortion = 50_000;
const before = (sql: Sql, days: number) => sql`now() - make_interval(days => ${days})`;

/** A run that ended so long ago and whose messages still tell of people. */
export async function nextRunToPurge(sql: Sql, days: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select id from runs
    where status in ('finished', 'cancelled') and purged_at is null and finished_at < ${before(sql, days)}
    order by id limit 1`;
  return row?.id ?? null;
}

/** A run that failed so long ago, and that nobody has retried or cancelled since. */
export async function nextFailedRun(sql: Sql, days: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select id from runs where status = 'failed' and finished_at < ${before(sql, days)} order by id limit 1`;
  return row?.id ?? null;
}

/** Takes from the messages of a run what tells of people; statuses, segments and times stay. */
export async function purgeRun(sql: Sql, runId: number, progress: () => void): Promise<number> {
  let messages = 0;
  for (let after = 0; ;) {
    const [row] = await sql<[{ n: number; last: number | null }]>`
      with portion as (
        select id, line from messages where run_id = ${runId} and line > ${after} order by line limit ${portion}
        for no key update
      ), purged as (
        update messages as m set code = null, name = null, phone = null, text = null, extra = null, extra_phones = null, fault = null, warnings = null,
          provider_code = null
        from portion where m.id = portion.id
      )
      select count(*)::int as n, max(line) as last from portion`;
    messages += row.n;
    progress();
    if (row.last === null) break;
    after = row.last;
  }
  await sql`
    update runs set purged_at = now(),
      -- It may quote what could not be read.
      reason = case when reason ? 'detail' then reason || '{"detail": "…"}' else reason end
    where id = ${runId}`;
  return messages;
}

export async function purgeReplies(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    update inbound_messages set phone = '', text = '' where id in (
      select id from (
        select id, received_at, handled_at from inbound_messages where phone <> '' order by id limit ${portion}
      ) as oldest
      where received_at < ${before(sql, days)} and handled_at is not null)`;
  return rows.count;
}

export async function purgeTickets(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    with oldest as (
      select id from tickets where phone is not null and finished_at < ${before(sql, days)}
      order by finished_at limit ${portion}
    ), held as (
      select id from tickets join oldest using (id) order by id for no key update of tickets
    ), purged as (
      update tickets set phone = null, name = null, code = null, extra = '{}', note = '', version = version + 1
      from held where tickets.id = held.id
      returning tickets.id
    ), silenced as (
      update ticket_posts set answer = null from purged where ticket_id = purged.id
    )
    select from purged`;
  return rows.count;
}

/** Of posts that the helpdesk has taken. What waits, and what was given up and may be posted again, stays. */
export async function deleteTicketPosts(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from ticket_posts where event_id in (
      select event_id from (
        select event_id, answered_at from ticket_posts where state = 'delivered' order by event_id limit ${portion}
      ) as oldest
      where answered_at < ${before(sql, days)})`;
  return rows.count;
}

/** No index knows their age (it would cost every receipt): the oldest are mostly found at the beginning of the table. */
export async function deleteInboundEvents(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from inbound_events where ctid = any(array(
      select ctid from inbound_events where received_at < ${before(sql, days)} limit ${eventPortion}))`;
  return rows.count;
}

/** The oldest come first by id: the rest is not looked at. */
export async function deleteAudit(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from audit_log where id in (
      select id from (select id, at from audit_log order by id limit ${portion}) as oldest
      where at < ${before(sql, days)})`;
  return rows.count;
}

/** Deletes the content of a file that nothing reads any more; that there was one stays with its runs. */
export async function deleteFileContent(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    with unread as (
      select f.id from mailing_files as f
      where f.uploaded_at < ${before(sql, days)}
        and exists (select from mailing_file_chunks where file_id = f.id)
        and not exists (select from campaigns where mailing_file_id = f.id)
        and not exists (
          select from runs where mailing_file_id = f.id
            and status not in ('finished', 'cancelled', 'skipped', 'missed'))
      order by f.id limit 1
    ), deleted as (
      delete from mailing_file_chunks using unread where file_id = unread.id
    )
    select from unread`;
  return rows.count;
}
