import type { CampaignDraft } from '../domain/campaign.ts';
import type { Sql } from './client.ts';

/** What a campaign's document refers to: its field, the table, and the generated column of `campaigns`. */
const references = {
  'message.providerId': { table: 'providers', column: 'provider_id' },
  'schedule.holidayCalendarId': { table: 'holiday_calendars', column: 'holiday_calendar_id' },
  'mailing.sendingHoursId': { table: 'sending_hours', column: 'sending_hours_id' },
  'mailing.regionId': { table: 'regions', column: 'region_id' },
  'mailing.customerTypeId': { table: 'customer_types', column: 'customer_type_id' },
} as const;
type ReferenceField = keyof typeof references;
export type ReferencedTable = (typeof references)[ReferenceField]['table'];

const idsOf = ({ message, schedule, mailing }: CampaignDraft): Record<ReferenceField, number | null> => ({
  'message.providerId': message.providerId,
  'schedule.holidayCalendarId': schedule.holidayCalendarId,
  'mailing.sendingHoursId': mailing.sendingHoursId,
  'mailing.regionId': mailing.regionId,
  'mailing.customerTypeId': mailing.customerTypeId,
});

/** Fields whose id names no entry, and those whose entry is archived. */
export interface BrokenReferences {
  unknown: string[];
  archived: string[];
}

export async function brokenReferences(sql: Sql, draft: CampaignDraft): Promise<BrokenReferences> {
  const ids = idsOf(draft);
  const rows = await sql<{ table: string; archived: boolean }[]>`
    select 'providers' as "table", archived_at is not null as archived from providers where id = ${ids['message.providerId']}
    union all select 'holiday_calendars', archived_at is not null from holiday_calendars where id = ${ids['schedule.holidayCalendarId']}
    union all select 'sending_hours', archived_at is not null from sending_hours where id = ${ids['mailing.sendingHoursId']}
    union all select 'regions', archived_at is not null from regions where id = ${ids['mailing.regionId']}
    union all select 'customer_types', archived_at is not null from customer_types where id = ${ids['mailing.customerTypeId']}`;
  const found = new Map(rows.map((row) => [row.table, row.archived]));
  const broken: BrokenReferences = { unknown: [], archived: [] };
  for (const [field, { table }] of Object.entries(references)) {
    const archived = found.get(table);
    if (archived === true) broken.archived.push(field);
    if (archived === undefined && Object.entries(ids).some(([name, id]) => name === field && id !== null)) {
      broken.unknown.push(field);
    }
  }
  return broken;
}

/** The campaigns that refer to an entry, by id; at most 20 of them. */
export async function campaignsUsing(
  sql: Sql,
  table: ReferencedTable,
  id: number,
): Promise<{ id: number; name: string }[]> {
  const reference = Object.values(references).find((one) => one.table === table);
  if (!reference) return [];
  const column: string = reference.column;
  return sql<{ id: number; name: string }[]>`
    select id, name from campaigns where ${sql(column)} = ${id} order by id limit 20`;
}

/** The enabled campaigns that leave out the dates of a holiday calendar. */
export async function enabledCampaignsWithCalendar(sql: Sql, calendarId: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from campaigns where holiday_calendar_id = ${calendarId} and enabled order by id`;
  return rows.map((row) => row.id);
}
