import type { Sql } from '../core/client.ts';

export const subjectKinds = [
  'campaign',
  'run',
  'restore',
  'message',
  'user',
  'token',
  'provider',
  'sending_hours',
  'holiday_calendar',
  'region',
  'customer_type',
  'department',
  'assignee',
  'category',
  'subcategory',
  'extra_field_group',
  'resolution',
  'integration',
  'customer',
  'opt_out',
  'reply_words',
  'privacy',
  'ticket',
  'ticket_posting',
] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** One change, as the audit log keeps it. Ids, names of fields and of settings: no personal data and no secret. */
export interface AuditEntry {
  /** `user:7`, `token:3`, `system` */
  actor: string;
  actorName: string;
  /** `campaign.enable` */
  action: string;
  subjectKind: SubjectKind;
  subjectId: number | null;
  details: Record<string, AuditValue>;
}
type AuditValue = string | number | boolean | null | readonly string[] | readonly number[];

export interface AuditRow extends AuditEntry {
  id: number;
  at: Date;
}

/** Writes an entry; call it in the transaction of the change it tells of. */
export async function insertAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  await sql`
    insert into audit_log (actor, actor_name, action, subject_kind, subject_id, details)
    values (${entry.actor}, ${entry.actorName}, ${entry.action}, ${entry.subjectKind}, ${entry.subjectId},
      ${sql.json(entry.details)})`;
}

export interface AuditFilter {
  subjectKind?: SubjectKind | undefined;
  subjectId?: number | undefined;
}

/** A page of entries, newest first; `before`: only those with a smaller id. */
export async function listAudit(
  sql: Sql,
  filter: AuditFilter,
  { before, limit }: { before: number | null; limit: number },
): Promise<AuditRow[]> {
  return sql<AuditRow[]>`
    select id, at, actor, actor_name, action, subject_kind, subject_id, details from audit_log where true
      ${filter.subjectKind === undefined ? sql`` : sql`and subject_kind = ${filter.subjectKind}`}
      ${filter.subjectId === undefined ? sql`` : sql`and subject_id = ${filter.subjectId}`}
      ${before === null ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
}
