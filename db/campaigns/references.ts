import type { CampaignDraft } from '../../domain/campaign.ts';
import type { Sql } from '../core/client.ts';

/** The references in a campaign's document: its field, the table, and the generated column of `campaigns`. */
const references = [
  { field: 'message.providerId', table: 'providers', column: 'provider_id' },
  { field: 'schedule.holidayCalendarId', table: 'holiday_calendars', column: 'holiday_calendar_id' },
  { field: 'mailing.sendingHoursId', table: 'sending_hours', column: 'sending_hours_id' },
  { field: 'mailing.regionId', table: 'regions', column: 'region_id' },
  { field: 'mailing.customerTypeId', table: 'customer_types', column: 'customer_type_id' },
  { field: 'mailing.webservice.integrationId', table: 'integrations', column: 'integration_id' },
  { field: 'ticketPolicy.departmentId', table: 'departments', column: 'department_id' },
  { field: 'ticketPolicy.assigneeId', table: 'assignees', column: 'assignee_id' },
  { field: 'ticketPolicy.categoryId', table: 'categories', column: 'category_id' },
  { field: 'ticketPolicy.subcategoryId', table: 'subcategories', column: 'subcategory_id' },
  { field: 'ticketPolicy.resolutionId', table: 'resolutions', column: 'resolution_id' },
  { field: 'ticketPolicy.resolutionOnSuccessId', table: 'resolutions', column: 'resolution_on_success_id' },
  { field: 'ticketPolicy.resolutionOnFailureId', table: 'resolutions', column: 'resolution_on_failure_id' },
] as const;

/** The value at a dotted path of the document. */
const valueAt = (document: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce(
      (value, key) =>
        typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined,
      document,
    );

/** Fields whose entry does not exist, fields whose entry is archived, and the names of all entries. */
export interface BrokenReferences {
  unknown: string[];
  archived: string[];
  /** The names of the entries, by field. */
  names: Record<string, string>;
}

export async function brokenReferences(sql: Sql, draft: CampaignDraft): Promise<BrokenReferences> {
  const broken: BrokenReferences = { unknown: [], archived: [], names: {} };
  for (const { field, table } of references) {
    const id = valueAt(draft, field);
    if (typeof id !== 'number') continue;
    const name: string = table;
    const [row] = await sql<{ archived: boolean; name: string }[]>`
      select archived_at is not null as archived, name from ${sql(name)} where id = ${id}`;
    if (!row) {
      broken.unknown.push(field);
      continue;
    }
    broken.names[field] = row.name;
    if (row.archived) broken.archived.push(field);
  }
  return broken;
}

/** The fields of each document whose entry is archived, in one query for all documents. */
export async function archivedReferences(sql: Sql, drafts: readonly CampaignDraft[]): Promise<string[][]> {
  const archived = new Map<string, ReadonlySet<number>>();
  for (const table of new Set<string>(references.map((one) => one.table))) {
    const fields = references.filter((one) => one.table === table).map(({ field }) => field);
    const ids = drafts.flatMap((draft) => fields.map((field) => valueAt(draft, field)));
    const named = [...new Set(ids.filter((id) => typeof id === 'number'))];
    if (named.length === 0) continue;
    const rows = await sql<{ id: number }[]>`
      select id from ${sql(table)} where id = any(${named}) and archived_at is not null`;
    archived.set(table, new Set(rows.map(({ id }) => id)));
  }
  return drafts.map((draft) =>
    references
      .filter(({ field, table }) => {
        const id = valueAt(draft, field);
        return typeof id === 'number' && archived.get(table)?.has(id) === true;
      })
      .map(({ field }) => field),
  );
}

/** The campaigns that refer to an entry, by id; at most 20. */
export async function campaignsUsing(
  sql: Sql,
  table: string,
  id: number,
): Promise<{ id: number; name: string }[]> {
  const columns: string[] = references.filter((one) => one.table === table).map(({ column }) => column);
  const uses = columns.map((column) => sql`${sql(column)} = ${id}`);
  const [first] = uses;
  if (!first) return [];
  const used = uses.slice(1).reduce((all, use) => sql`${all} or ${use}`, first);
  return sql<{ id: number; name: string }[]>`
    select id, name from campaigns where ${used} order by id limit 20`;
}

/** The enabled campaigns that leave out the dates of a holiday calendar. */
export async function enabledCampaignsWithCalendar(sql: Sql, calendarId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from campaigns where holiday_calendar_id = ${calendarId} and enabled order by id`;
  return rows.map((row) => row.id);
}
