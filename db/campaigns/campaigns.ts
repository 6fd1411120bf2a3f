import { z } from 'zod';
import type { CampaignDraft, CampaignState } from '../../domain/campaign.ts';
import { type AnswerAttributes, answerAttributes, keptDraft } from '../../domain/campaign.ts';
import { schedule } from '../../domain/schedule.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

const previousSchedules = z.array(z.object({ schedule, until: z.coerce.date() }));
/** A previous schedule, and when it was replaced. */
export type PreviousSchedule = z.infer<typeof previousSchedules>[number];

export interface CampaignRow {
  id: number;
  definition: CampaignDraft;
  version: number;
  enabled: boolean;
  enabledAt: Date | null;
  /** Null: it has never been enabled. */
  firstEnabledAt: Date | null;
  archivedAt: Date | null;
  /** The last occurrence that was processed; the next one is later. */
  scheduledThrough: Date | null;
  /** The schedule applies from here on; null: from enabling. */
  scheduleSince: Date | null;
  /** The schedules before the last edits, oldest first, while they may have unprocessed occurrences. */
  previousSchedules: PreviousSchedule[];
  mailingFileId: number | null;
  answerAttributes: AnswerAttributes | null;
  createdAt: Date;
  updatedAt: Date;
}

const columns = (sql: Sql) => sql`
  id, definition, version, enabled, enabled_at, first_enabled_at, archived_at, scheduled_through, schedule_since, previous_schedules,
  mailing_file_id, answer_attributes, created_at, updated_at`;

/** Parsed on reading too: a document of an older version gets the defaults of newer fields. */
const parsed = (row: CampaignRow): CampaignRow => ({
  ...row,
  definition: keptDraft.parse(row.definition),
  previousSchedules: previousSchedules.parse(row.previousSchedules),
  answerAttributes: answerAttributes.nullable().parse(row.answerAttributes),
});

/** Stores the attributes found at the last test of the campaign's web service. Not an edit: the version stays. */
export async function keepAnswerAttributes(sql: Sql, id: number, found: AnswerAttributes): Promise<void> {
  await sql`update campaigns set answer_attributes = ${json(sql, found)} where id = ${id}`;
}

export async function insertCampaign(sql: Sql, definition: CampaignDraft): Promise<CampaignRow> {
  const [row] = await sql<[CampaignRow]>`
    insert into campaigns (definition) values (${json(sql, definition)}) returning ${columns(sql)}`;
  return parsed(row);
}

/** Replaces the document if it still has the version that was edited; null when it does not, or does not exist. */
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
 * The row, locked until the transaction ends: opening a run and enabling or disabling the campaign lock it. Rows that
 * refer to the campaign can still be inserted.
 */
export async function lockCampaign(sql: Sql, id: number): Promise<CampaignRow | null> {
  const [row] = await sql<
    CampaignRow[]
  >`select ${columns(sql)} from campaigns where id = ${id} for no key update`;
  return row ? parsed(row) : null;
}

export interface CampaignFilter {
  /** A part of the name; case and accents do not matter. */
  name?: string | undefined;
  /** Undefined: all but the archived ones. */
  state?: CampaignState | undefined;
}

const inState = (sql: Sql, state: CampaignState | undefined) => {
  switch (state) {
    case undefined:
      return sql`and archived_at is null`;
    case 'archived':
      return sql`and archived_at is not null`;
    case 'enabled':
      return sql`and enabled`;
    case 'disabled':
      return sql`and archived_at is null and not enabled and first_enabled_at is not null`;
    case 'draft':
      return sql`and archived_at is null and first_enabled_at is null`;
  }
};

/** A campaign in a list. Parsing fifty documents takes longer than the rest of a page: only drafts include theirs. */
export interface CampaignListRow {
  id: number;
  name: string;
  enabled: boolean;
  firstEnabledAt: Date | null;
  archivedAt: Date | null;
  /** When its workflow starts the next run; null: never, or not planned yet. */
  nextAt: Date | null;
  /** Only for a campaign that is not enabled. */
  definition: CampaignDraft | null;
  mailingFileId: number | null;
}

/** The names of the enabled campaigns among these, by id. */
export async function enabledCampaignNames(
  sql: Sql,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: number; name: string }[]>`
    select id, name from campaigns where enabled and id = any(${[...ids]}::bigint[])`;
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** A page of campaigns by id, newest first; `before`: only smaller ids. */
export async function listCampaigns(
  sql: Sql,
  { name, state }: CampaignFilter,
  { before, limit }: { before: number | null; limit: number },
): Promise<CampaignListRow[]> {
  const rows = await sql<CampaignListRow[]>`
    select id, name, enabled, first_enabled_at, archived_at, next_at, case when not enabled then definition end as definition, mailing_file_id
    from campaigns where true
      ${name === undefined ? sql`` : sql`and position(folded(${name}) in folded(name)) > 0`}
      ${inState(sql, state)}
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

/** Occurrences before the moment of enabling do not run. */
export async function enableCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set enabled = true, enabled_at = now(), first_enabled_at = coalesce(first_enabled_at, now()), scheduled_through = null, schedule_since = null,
    previous_schedules = '[]', next_at = null, updated_at = now()
    where id = ${id} and not enabled and archived_at is null`;
}

export async function disableCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set enabled = false, enabled_at = null, next_at = null, updated_at = now() where id = ${id} and enabled`;
}

/** Takes a campaign that is not enabled out of the lists; its runs, messages and tickets stay. */
export async function archiveCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set archived_at = now(), updated_at = now() where id = ${id} and not enabled and archived_at is null`;
}

/** Brings an archived campaign back, disabled. */
export async function restoreCampaign(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set archived_at = null, updated_at = now() where id = ${id} and archived_at is not null`;
}

/** Moves forward only: a repeated activity cannot bring an occurrence back. */
export async function setScheduledThrough(sql: Sql, id: number, occurrence: Date): Promise<void> {
  await sql`update campaigns set scheduled_through = greatest(scheduled_through, ${occurrence}) where id = ${id}`;
}

/** Stores when the campaign's workflow starts its next run; null: never, unless the campaign changes. */
export async function setNextAt(sql: Sql, id: number, at: Date | null): Promise<void> {
  await sql`update campaigns set next_at = ${at} where id = ${id} and next_at is distinct from ${at}`;
}

/** All occurrences of the previous schedules have been processed. */
export async function clearPreviousSchedules(sql: Sql, id: number): Promise<void> {
  await sql`update campaigns set previous_schedules = '[]' where id = ${id}`;
}

export async function setMailingFile(sql: Sql, id: number, fileId: number): Promise<void> {
  await sql`update campaigns set mailing_file_id = ${fileId}, updated_at = now() where id = ${id}`;
}

/** Deletes a campaign and its mailing files. False when there is none. Throws PostgreSQL's 23503 when it has run. */
export async function deleteCampaign(sql: Sql, id: number): Promise<boolean> {
  const rows = await sql`delete from campaigns where id = ${id}`;
  return rows.count > 0;
}
