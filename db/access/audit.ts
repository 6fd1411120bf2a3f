import { settingKindNames, settingKinds } from '../../domain/settings.ts';
import type { Change, Changes, ChangeValue } from '../../domain/changes.ts';
import type { AuditAction } from '../../domain/words/audit.ts';
import type { Sql } from '../core/client.ts';
import { type Day, isOnDay } from '../core/day.ts';
import { json } from '../core/json.ts';

export const subjectKinds = [
  'campaign',
  'run',
  'restore',
  'message',
  'user',
  'token',
  'provider',
  ...settingKindNames.map((kind) => settingKinds[kind].subject),
  'integration',
  'customer',
  'opt_out',
  'reply_words',
  'automatic_texts',
  'privacy',
  'ticket',
  'answer',
  'budget',
  'ticket_posting',
  'ticket_automation',
  'alert_settings',
  'email_settings',
  'alert_webhook',
  'company',
] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** One change in the audit log. Ids, names and values of settings: no personal data of contacts and no secret. */
export interface AuditEntry {
  /** `user:7`, `token:3`, `system` */
  actor: string;
  actorName: string;
  /** `campaign.enable` */
  action: AuditAction;
  subjectKind: SubjectKind;
  subjectId: number | null;
  details: Record<string, AuditValue>;
  changes?: Changes | undefined;
}
type AuditValue = string | number | boolean | null | readonly string[] | readonly number[];

export interface AuditRow extends Omit<AuditEntry, 'action'> {
  id: number;
  action: string;
  at: Date;
  subjectName: string | null;
  changes: Changes;
}

/** The tables of the subjects that have a name. A run has that of its campaign. */
const named: ReadonlyMap<string, string> = new Map([
  ['campaign', 'campaigns'],
  ['user', 'users'],
  ['token', 'api_tokens'],
  ['provider', 'providers'],
  ['integration', 'integrations'],
  ...settingKindNames.map((kind): [string, string] => [settingKinds[kind].subject, settingKinds[kind].table]),
]);

/**
 * Writes an entry; call it in the transaction of the change, and before a subject is deleted. Ids in `changes` become the
 * names of what they refer to.
 */
export async function insertAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  const { subjectKind, subjectId, details } = entry;
  const table = named.get(subjectKind);
  const name =
    table !== undefined
      ? sql`(select name from ${sql(table)} where id = ${subjectId})`
      : subjectKind === 'run'
        ? sql`(select settings -> 'campaign' ->> 'name' from runs where id = ${subjectId})`
        : sql`null`;
  const changes = await withNames(sql, entry.changes ?? {});
  await sql`
    insert into audit_log (actor, actor_name, action, subject_kind, subject_id, subject_name, details, changes)
    values (${entry.actor}, ${entry.actorName}, ${entry.action}, ${subjectKind}, ${subjectId}, ${name},
      ${sql.json(details)}, ${json(sql, changes)})`;
}

/** The tables that fields refer to, by the end of their paths. */
const referred: ReadonlyMap<string, string> = new Map([
  ['providerId', 'providers'],
  ['fallbackId', 'providers'],
  ['integrationId', 'integrations'],
  ['sendingHoursId', 'sending_hours'],
  ['holidayCalendarId', 'holiday_calendars'],
  ['regionId', 'regions'],
  ['customerTypeId', 'customer_types'],
  ['departmentId', 'departments'],
  ['assigneeId', 'assignees'],
  ['categoryId', 'categories'],
  ['subcategoryId', 'subcategories'],
  ['extraFieldGroupId', 'extra_field_groups'],
  ['resolutionId', 'resolutions'],
  ['finishResolutionId', 'resolutions'],
  ['resolutionOnSuccessId', 'resolutions'],
  ['resolutionOnFailureId', 'resolutions'],
]);

async function withNames(sql: Sql, changes: Changes): Promise<Changes> {
  const entries = await Promise.all(
    Object.entries(changes).map(async ([field, [from, to]]): Promise<[string, Change]> => {
      const table = referred.get(field.split('.').at(-1) ?? '');
      if (table === undefined) return [field, [from, to]];
      const nameOf = async (id: ChangeValue): Promise<ChangeValue> => {
        if (typeof id !== 'number') return id;
        const [row] = await sql<{ name: string }[]>`select name from ${sql(table)} where id = ${id}`;
        return row?.name ?? id;
      };
      return [field, [await nameOf(from), await nameOf(to)]];
    }),
  );
  return Object.fromEntries(entries);
}

export interface AuditFilter {
  subjectKind?: SubjectKind | undefined;
  subjectId?: number | undefined;
  actor?: string | undefined;
  day?: Day | undefined;
}

/**
 * A page of entries, newest first; `before`: only smaller ids.
 *
 * The order names the leading column of the index, and `any` hides from PostgreSQL that it is constant: see
 * db/replies/replies.ts. A day is read in the order of time, by its index.
 */
export async function listAudit(
  sql: Sql,
  { subjectKind, subjectId, actor, day }: AuditFilter,
  { before, limit }: { before: number | null; limit: number },
): Promise<AuditRow[]> {
  const ofSubject = subjectKind !== undefined && subjectId !== undefined;
  const order = day
    ? sql`at desc, id desc`
    : ofSubject
      ? sql`subject_kind desc, subject_id desc, id desc`
      : actor === undefined
        ? sql`id desc`
        : sql`actor desc, id desc`;
  return sql<AuditRow[]>`
    select id, at, actor, actor_name, action, subject_kind, subject_id, subject_name, details, changes
    from audit_log where true
      ${subjectKind === undefined ? sql`` : sql`and subject_kind = any(${[subjectKind]}::text[])`}
      ${subjectId === undefined ? sql`` : sql`and subject_id = any(${[subjectId]}::bigint[])`}
      ${actor === undefined ? sql`` : sql`and actor = any(${[actor]}::text[])`}
      ${day === undefined ? sql`` : sql`and ${isOnDay(sql, 'at', day)}`}
      ${before === null ? sql`` : day ? sql`and (at, id) < ((select at from audit_log where id = ${before}), ${before}::bigint)` : sql`and id < ${before}`}
    order by ${order} limit ${limit}`;
}

/** Everyone who is in the log, by name. */
export async function listActors(sql: Sql): Promise<{ actor: string; name: string }[]> {
  return sql<{ actor: string; name: string }[]>`
    select 'user:' || id as actor, name from users
    union all select 'token:' || id, name from api_tokens order by name limit 500`;
}
