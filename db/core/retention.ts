import type { Sql } from './client.ts';

/**
 * Deletes data older than its retention period (domain/privacy.ts), in small statements: each call deletes one portion
 * and returns the number of rows; call it until it returns 0. Days count by the database's clock.
 */

const portion = 5_000;
const eventPortion = 50_000;
const before = (sql: Sql, days: number) => sql`now() - make_interval(days => ${days})`;

/** A run whose retention period has passed and whose messages still contain personal data. */
export async function nextRunToPurge(sql: Sql, days: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select id from runs
    where status in ('finished', 'cancelled') and purged_at is null and finished_at < ${before(sql, days)}
    order by id limit 1`;
  return row?.id ?? null;
}

/** A run that failed before the retention period and was not retried or cancelled since. */
export async function nextFailedRun(sql: Sql, days: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select id from runs where status = 'failed' and finished_at < ${before(sql, days)} order by id limit 1`;
  return row?.id ?? null;
}

/** Deletes the personal data in the messages of a run; statuses, segments and times stay. */
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

/** Automatic texts that belong to no ticket. */
export async function purgeAnswers(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    update answers set phone = null, text = null, provider_code = null where id in (
      select id from answers
      where phone is not null and ticket_id is null and created_at < ${before(sql, days)} and status not in ('queued', 'sending')
      order by id limit ${portion})`;
  return rows.count;
}

/** With their answers. */
export async function purgeTickets(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    with oldest as (
      select id from tickets where phone is not null and finished_at < ${before(sql, days)}
      order by finished_at limit ${portion}
    ), held as (
      select id from tickets join oldest using (id) order by id for no key update of tickets
    ), purged as (
      update tickets set phone = null, name = null, code = null, extra = '{}', version = version + 1
      from held where tickets.id = held.id
      returning tickets.id
    ), unspoken as (
      update answers set phone = null, text = null, provider_code = null from purged where ticket_id = purged.id
    ), silenced as (
      update ticket_posts set answer = null from purged where ticket_id = purged.id
    ), forgotten as (
      update ticket_events set note = null from purged where ticket_id = purged.id and note is not null
    )
    select from purged`;
  return rows.count;
}

/** Deletes posts that the helpdesk has accepted. Waiting posts, and failed ones that may be posted again, stay. */
export async function deleteTicketPosts(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from ticket_posts where event_id in (
      select event_id from (
        select event_id, answered_at from ticket_posts where state = 'delivered' order by event_id limit ${portion}
      ) as oldest
      where answered_at < ${before(sql, days)})`;
  return rows.count;
}

/** No index on their age, which would slow every receipt: the oldest are usually at the start of the table. */
export async function deleteInboundEvents(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from inbound_events where ctid = any(array(
      select ctid from inbound_events where received_at < ${before(sql, days)} limit ${eventPortion}))`;
  return rows.count;
}

/** No gateway sends a receipt later than this. */
const receiptDays = 30;

/** Deletes the mapping from a gateway's own id to a message, once no receipt can be expected. */
export async function deleteProviderMessageIds(sql: Sql): Promise<number> {
  const rows = await sql`
    delete from provider_message_ids where ctid = any(array(
      select ctid from provider_message_ids where sent_at < ${before(sql, receiptDays)} limit ${eventPortion}))`;
  return rows.count;
}

/** Alerts that ended, and the messages that reported them, are of no use after this time. */
const alertDays = 30;

/** Deletes messages to users first: they refer to the alerts. */
export async function deleteOldAlerts(sql: Sql): Promise<number> {
  const messages = await sql`
    delete from notifications where id in (
      select id from notifications where ended_at < ${before(sql, alertDays)} limit ${portion})`;
  const alerts = await sql`
    delete from alerts where id in (
      select id from alerts where ended_at < ${before(sql, alertDays)} limit ${portion})`;
  return messages.count + alerts.count;
}

/** The oldest come first by id: the scan stops there. */
export async function deleteAudit(sql: Sql, days: number): Promise<number> {
  const rows = await sql`
    delete from audit_log where id in (
      select id from (select id, at from audit_log order by id limit ${portion}) as oldest
      where at < ${before(sql, days)})`;
  return rows.count;
}

/** Deletes the content of a file that is no longer read; its runs keep the reference to the file. */
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
