import { alertChoices, type AlertKind, type AlertTiming, chosenAlertKinds } from '../../domain/alert.ts';
import type { Fault } from '../../domain/problems/coded.ts';
import type { Locale, Role } from '../../domain/user.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import { type AlertRow, getAlertSettings } from './alerts.ts';
import { enabledAlertWebhook, isEmailEnabled } from './channels.ts';

/** A message to a recipient: a user by e-mail, or the webhook. */
export interface NotificationRow {
  id: number;
  purpose: 'alerts' | 'password_reset';
  channel: 'email' | 'webhook';
  userId: number | null;
  attempts: number;
  createdAt: Date;
}

interface Recipient {
  channel: 'email' | 'webhook';
  userId: number | null;
  kinds: AlertKind[];
}

/** All current recipients. */
async function recipients(sql: Sql): Promise<Recipient[]> {
  const settings = await getAlertSettings(sql);
  const webhook = await enabledAlertWebhook(sql);
  const users = (await isEmailEnabled(sql))
    ? await sql<{ id: number; role: Role; alertChoices: unknown }[]>`
        select id, role, alert_choices from users where enabled and email is not null`
    : [];
  return [
    ...users.map(({ id, role, alertChoices: choices }) => ({
      channel: 'email' as const,
      userId: id,
      kinds: chosenAlertKinds({ role, alertChoices: alertChoices.parse(choices) }, settings),
    })),
    ...(webhook ? [{ channel: 'webhook' as const, userId: null, kinds: webhook.kinds }] : []),
  ];
}

/**
 * The alerts that a recipient has not received: open ones of its kinds, without those that a user caused. A condition
 * that began again is reported again only `repeatMs` after its last report.
 */
const unreported = (sql: Sql, { repeatMs }: Pick<AlertTiming, 'repeatMs'>) => sql`
  alerts.ended_at is null and not alerts.quiet and alerts.kind = any(r.kinds) and not exists (
    select from alerts as earlier
      join notification_alerts as reported on reported.alert_id = earlier.id
      join notifications as n on n.id = reported.notification_id
    where earlier.kind = alerts.kind and earlier.subject = alerts.subject
      and n.channel = r.channel and n.user_id is not distinct from r.user_id
      and (earlier.id = alerts.id or n.ended_at > now() - ${repeatMs} * interval '1 ms'))`;

const asRecipients = (sql: Sql, all: readonly Recipient[]) => sql`
  (select channel, user_id, array(select jsonb_array_elements_text(kinds)) as kinds
   from jsonb_to_recordset(${json(
     sql,
     all.map(({ channel, userId, kinds }) => ({ channel, user_id: userId, kinds })),
   )}::jsonb) as f (channel text, user_id bigint, kinds jsonb)) as r`;

/**
 * Writes a message for each recipient with something to report: `gatherMs` after the first of it began, and
 * `quietMs` after the last message. A recipient has one waiting message at most.
 */
export async function queueNotifications(sql: Sql, timing: AlertTiming): Promise<void> {
  const all = await recipients(sql);
  if (all.length === 0) return;
  await sql`
    insert into notifications (purpose, channel, user_id)
    select 'alerts', r.channel, r.user_id from ${asRecipients(sql, all)}
    where (select min(since) from alerts where ${unreported(sql, timing)}) <= now() - ${timing.gatherMs} * interval '1 ms'
      and not exists (
        select from notifications as n
        where n.purpose = 'alerts' and n.channel = r.channel and n.user_id is not distinct from r.user_id
          and (n.state = 'waiting'
            or n.state <> 'dropped' and n.ended_at > now() - ${timing.quietMs} * interval '1 ms'))
    on conflict do nothing`;
}

/** The alerts that a message reports now, oldest first. Empty: nothing, or it is no recipient any more. */
export async function untoldAlerts(
  sql: Sql,
  { channel, userId }: Pick<NotificationRow, 'channel' | 'userId'>,
  timing: Pick<AlertTiming, 'repeatMs'>,
): Promise<AlertRow[]> {
  const all = (await recipients(sql)).filter((one) => one.channel === channel && one.userId === userId);
  if (all.length === 0) return [];
  return sql<AlertRow[]>`
    select alerts.id, alerts.kind, alerts.subject, alerts.facts, alerts.since
    from alerts cross join ${asRecipients(sql, all)} where ${unreported(sql, timing)} order by alerts.id`;
}

/** Messages that no workflow has begun yet, or whose workflow has not tried for long: it was lost. */
export async function unbegunNotifications(sql: Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from notifications
    where state = 'waiting' and coalesce(begun_at, '-infinity') < now() - interval '20 minutes' order by id limit 500`;
  return rows.map(({ id }) => id);
}

/** Writes a message that resets the user's password; null: the user has had several within the last hour. */
export async function queuePasswordReset(sql: Sql, userId: number, perHour: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    insert into notifications (purpose, channel, user_id)
    select 'password_reset', 'email', ${userId}
    where (
      select count(*) from notifications
      where user_id = ${userId} and purpose = 'password_reset' and created_at > now() - interval '1 hour') < ${perHour}
    returning id`;
  return row?.id ?? null;
}

/** Begins an attempt; null if the message has ended. */
export async function beginNotification(sql: Sql, id: number): Promise<NotificationRow | null> {
  const [row] = await sql<NotificationRow[]>`
    update notifications set begun_at = now(), attempts = attempts + 1 where id = ${id} and state = 'waiting'
    returning id, purpose, channel, user_id, attempts, created_at`;
  return row ?? null;
}

/** The attempt failed, and another follows. */
export async function noteProblem(sql: Sql, id: number, problem: Fault): Promise<void> {
  await sql`update notifications set problem = ${json(sql, problem)} where id = ${id}`;
}

/** Ends a message, with the alerts that it reported. Call it in a transaction. */
export async function endNotification(
  tx: Sql,
  id: number,
  {
    state,
    alertIds = [],
    problem = null,
  }: {
    state: 'delivered' | 'failed' | 'dropped';
    alertIds?: readonly number[];
    problem?: Fault | null;
  },
): Promise<void> {
  await tx`
    update notifications set state = ${state}, ended_at = now(), problem = ${problem && json(tx, problem)}
    where id = ${id} and state = 'waiting'`;
  if (alertIds.length === 0) return;
  await tx`
    insert into notification_alerts (notification_id, alert_id)
    select ${id}, id from alerts where id = any(${[...alertIds]}::bigint[]) on conflict do nothing`;
}

/** The user to whom an e-mail goes; null: no such user, disabled, or without an address. */
export async function mailRecipient(
  sql: Sql,
  userId: number,
): Promise<{ email: string; name: string; locale: Locale; timezone: string } | null> {
  const [row] = await sql<{ email: string; name: string; locale: Locale; timezone: string }[]>`
    select email, name, locale, timezone from users where id = ${userId} and enabled and email is not null`;
  return row ?? null;
}

/** The messages that wait after a failure, those given up within a day, and the last problem. */
export async function countUndelivered(
  sql: Sql,
): Promise<{ waiting: number; failed: number; problem: unknown }> {
  const [row] = await sql<[{ waiting: number; failed: number; problem: unknown }]>`
    with recent as (
      select id, state, problem from notifications where state = 'waiting' and problem is not null
      union all
      select id, state, problem from notifications where state = 'failed' and ended_at > now() - interval '1 day'
    )
    select count(*) filter (where state = 'waiting')::int as waiting,
      count(*) filter (where state = 'failed')::int as failed,
      (select problem from recent order by id desc limit 1) as problem
    from recent`;
  return row;
}
