import { z } from 'zod';
import type { CampaignDraft } from '../../domain/campaign.ts';
import { keptDraft } from '../../domain/campaign.ts';
import { schedule } from '../../domain/schedule.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

const previousSchedules = z.array(z.object({ schedule, until: z.coerce.date() }));
/** A schedule, and when another took its place. */
export type PreviousSchedule = z.infer<typeof previousSchedules>[number];

export interface CampaignRow {
  id: number;
  definition: CampaignDraft;
  version: number;
  enabled: boolean;
  enabledAt: Date | null;
  /** The last occurrence that was dealt with; the next one is after it. */
  scheduledThrough: Date | null;
  /** The schedule counts from here on; null: from enabling. */
  scheduleSince: Date | null;
  /** The schedules before the last edits, oldest first, as long as something that was due by them may be owed. */
  previousSchedules: PreviousSchedule[];
  mailingFileId: number | null;
  createdAt: Date;
  updatedAt: Date;
}

const columns = (sql: Sql) => sql`
  id, definition, version, enabled, enabled_at, scheduled_through, schedule_since, previous_schedules,
  mailing_file_id, created_at, updated_at`;

/** Parsed on the way out too: a document of an older version gains the defaults of the fields added since. */
const parsed = (row: CampaignRow): CampaignRow => ({
  ...row,
  definition: keptDraft.parse(row.definition),
  previousSchedules: previousSchedules.parse(row.previousSchedules),
});

export async function insertCampaign(sql: Sql, definition: CampaignDraft): Promise<CampaignRow> {
  const [row] = await sql<[CampaignRow]>`
    insert into campaigns (definition) values (${json(sql, definition)}) returning ${columns(sql)}`;
  return parsed(row);
}

/** Replaces the document if the version is still the one that was edited; null when it is not, or there is no such campaign. */
export async function updateCampaign(
  sql: Sql,
  { id, version, definition }: { id: number; version: number; definition: CampaignDraft },
): Promise<CampaignRow | null> {
  const schedule = sql`${json(sql, definition)}::jsonb -> 'schedule'`;
  const [row] = await sql<CampaignRow[]>`
    update campaigns set definition = ${json(sql, definition)}, version = version + 1, updated_at = now(),
      previous_schedules = case when enabled and definition -> 'schedule' <> ${schedule}
        then previous_schedules || jsonb_build_object('schedule', definition -> 'schedule', 'until', now())
        else previous_schedules end,
      schedule_since = case when enabled and definition -> 'schedule' <> ${schedule} then now() else schedule_since end
    where id = ${id} and version = ${version} returning ${columns(sql)}`;
  return row ? parsed(row) : null;
}

export async function getCampaign(sql: Sql, id: number): Promise<CampaignRow | null> {
  const [row] = await sql<CampaignRow[]>`select ${columns(sql)} from campaigns where id = ${id}`;
  return row ? parsed(row) : null;
}

/**
 * The row, locked until the transaction ends: whoever opens a run or switches the campaign holds it. Rows that refer to
 * the campaign can be added meanwhile.
 */
export async function lockCampaign(sql: Sql, id: number): Promise<CampaignRow | null> {
  const [row] = await sql<
    CampaignRow[]
  >`select ${columns(sql)} from campaigns where id = ${id} for no key update`;
  return row ? parsed(row) : null;
}

export interface CampaignFilter {
  /** In the name, whatever the case and accents. */
  name?: string | undefined;
  enabled?: boolean | undefined;
}

/** A campaign as lists show it. Reading fifty documents takes longer than all else of a page: only drafts have theirs. */
export interface CampaignListRow {
  id: number;
  name: string;
  enabled: boolean;
  /** When its workflow starts the next run; null: never, or not planned yet. */
  nextAt: Date | null;
  /** Of one that is not enabled. */
  definition: CampaignDraft | null;
  mailingFileId: number | null;
}

/** The names of those of the campaigns that are enabled, by id. */
export async function enabledCampaignNames(
  sql: Sql,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: number; name: string }[]>`
    select id, name from campaigns where enabled and id = any(${[...ids]}::bigint[])`;
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** A page of campaigns by id, newest first; `before`: only those with a smaller id. */
export async function listCampaigns(
  sql: Sql,
  { name, enabled }: CampaignFilter,
  { before, limit }: { before: number | null; limit: number },
): Promise<CampaignListRow[]> {
  const rows = await sql<CampaignListRow[]>`
    select id, name, enabled, next_at, case when not enabled then definition end as definition, mailing_file_id
    from campaigns where true
      ${name === undefined ? sql`` : sql`and position(folded(${name}) in folded(name)) > 0`}
      ${enabled === undefined ? sql`` : sql`and enabled = ${enabled}`}
      ${before === null ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`;
  return rows.map((row) => ({ ...row, definition: keptDraft.nullable().parse(row.definition) }));
}

export async function enabledCampaignIds(sql: Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`select id from campaigns where enabled order by id`;
  return rows.map((row) => row.id);
}

export async function enabledCampaigns(sql: Sql): Promise<{ id: number; name: string }[]> {
  return sql<{ id: number; name: string }[]>`select id, name from campaigns where enabled order by id`;
}

/** Occurrences before the moment of enabling are none of its business. */
export async function enableCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set enabled = true, enabled_at = now(), scheduled_through = null, schedule_since = null,
    previous_schedules = '[]', next_at = null, updated_at = now()
    where id = ${id} and not enabled`;
}

export async function disableCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set enabled = false, enabled_at = null, next_at = null, updated_at = now() where id = ${id} and enabled`;
}

/** Moves forward only: a repeated activity can't bring an occurrence back. */
export async function setScheduledThrough(sql: Sql, id: number, occurrence: Date): Promise<void> {
  await sql`update campaigns set scheduled_through = greatest(scheduled_through, ${occurrence}) where id = ${id}`;
}

/** Keeps when the campaign's workflow starts its next run; null: never, unless it changes. */
export async function setNextAt(sql: Sql, id: number, at: Date | null): Promise<void> {
  await sql`update campaigns set next_at = ${at} where id = ${id} and next_at is distinct from ${at}`;
}

/** All that was due by the schedules before the last edits is dealt with. */
export async function clearPreviousSchedules(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set previous_schedules = '[]' where id = ${id}`;
}

export async function setMailingFile(sql: Sql, id: number, fileId: number): Promise<void> {
  await sql`update campaigns set mailing_file_id = ${fileId}, updated_at = now() where id = ${id}`;
}

/** Deletes a campaign with its mailing files. False when there is none. Throws PostgreSQL's 23503 when it has run. */
export async function deleteCampaign(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`delete from campaigns where id = ${id}`;
  return rows.count > 0;
}
