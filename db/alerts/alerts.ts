import {
  type AlertKind,
  alertChoices,
  type AlertChoices,
  type AlertSettings,
  alertSettings,
  chosenAlertKinds,
} from '../../domain/alert.ts';
import type { Role } from '../../domain/user.ts';
import type { Database, Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import type { FoundConditions } from './conditions.ts';

export interface AlertRow {
  id: number;
  kind: AlertKind;
  subject: string;
  facts: unknown;
  since: Date;
}

/**
 * Opens an alert for each new condition, and ends those whose condition is over. `asOf`: the database's time before the
 * conditions were read. An alert that was ended after it (`endAlert`) is not opened again: what was read may be older.
 */
export async function recordConditions(sql: Sql, { asOf, found }: FoundConditions): Promise<void> {
  await sql`
    with found as (
      select * from jsonb_to_recordset(${json(sql, found)}::jsonb)
        as f (kind text, subject text, facts jsonb, quiet boolean)
    ), ended as (
      update alerts as a set ended_at = now()
      where a.ended_at is null and not exists (select from found as f where f.kind = a.kind and f.subject = a.subject)
    ), changed as (
      update alerts as a set facts = f.facts, quiet = coalesce(f.quiet, false) from found as f
      where a.ended_at is null and f.kind = a.kind and f.subject = a.subject
        and (a.facts, a.quiet) is distinct from (f.facts, coalesce(f.quiet, false))
    )
    insert into alerts (kind, subject, facts, quiet)
    select kind, subject, facts, coalesce(quiet, false) from found
    where not exists (
      select from alerts as a where a.kind = found.kind and a.subject = found.subject
        and (a.ended_at is null or a.ended_at >= ${asOf}))
    on conflict do nothing`;
}

/** The same as `endPastAlerts` for one alert, whose condition is known to be over. */
export async function endAlert(sql: Database, kind: AlertKind, subject: string): Promise<void> {
  await sql`update alerts set ended_at = now() where kind = ${kind} and subject = ${subject} and ended_at is null`;
}

/** A page of the open alerts of these kinds, newest first; `before`: only earlier ones. */
export async function listOpenAlerts(
  sql: Sql,
  kinds: readonly AlertKind[],
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<AlertRow[]> {
  return sql<AlertRow[]>`
    select id, kind, subject, facts, since from alerts
    where ended_at is null and kind = any(${[...kinds]}::text[])
      ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
}

export async function countOpenAlerts(sql: Sql, kinds: readonly AlertKind[]): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select count(*)::int as count from alerts where ended_at is null and kind = any(${[...kinds]}::text[])`;
  return row.count;
}

/** The kinds that each role receives: the settings of the admins, or the defaults. */
export async function getAlertSettings(sql: Sql): Promise<AlertSettings> {
  const [row] = await sql<{ definition: unknown }[]>`select definition from alert_settings`;
  return alertSettings.parse(row?.definition ?? {});
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockAlertSettings(tx: Sql): Promise<AlertSettings> {
  await tx`lock table alert_settings in share row exclusive mode`;
  return getAlertSettings(tx);
}

export async function saveAlertSettings(sql: Sql, settings: AlertSettings): Promise<void> {
  await sql`
    insert into alert_settings (definition) values (${json(sql, settings)})
    on conflict (only_row) do update set definition = excluded.definition`;
}

/** A user's choices; empty when there is no such user. */
export async function getAlertChoices(sql: Sql, userId: number): Promise<AlertChoices> {
  const [row] = await sql<{ alertChoices: unknown }[]>`select alert_choices from users where id = ${userId}`;
  return alertChoices.parse(row?.alertChoices ?? {});
}

export async function saveAlertChoices(sql: Sql, userId: number, choices: AlertChoices): Promise<void> {
  await sql`update users set alert_choices = ${json(sql, choices)} where id = ${userId}`;
}

/** The kinds that a user wants to know about. */
export async function alertKindsOf(sql: Sql, user: { id: number; role: Role }): Promise<AlertKind[]> {
  const settings = await getAlertSettings(sql);
  return chosenAlertKinds({ role: user.role, alertChoices: await getAlertChoices(sql, user.id) }, settings);
}
