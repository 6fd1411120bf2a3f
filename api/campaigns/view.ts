import { z } from 'zod';
import { archivedReferences, brokenReferences } from '../../db/campaigns/references.ts';
import type { CampaignListRow, CampaignRow } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { isFallbackArchived } from '../../db/providers/fallbacks.ts';
import { extraFieldsOfFiles, getMailingFile, type MailingFileRow } from '../../db/campaigns/mailings.ts';
import { lastRuns } from '../../db/runs/progress.ts';
import {
  getSetting,
  getTicketSubcategory,
  holidayDates,
  holidayDatesOf,
} from '../../db/settings/settings.ts';
import {
  type CampaignDraft,
  campaignDraft,
  completeCampaign,
  type EnablingFacts,
} from '../../domain/campaign.ts';
import type { Format } from '../../domain/format.ts';
import { campaignWorkflowId } from '../../domain/ids.ts';
import type { Problem } from '../../domain/problems/coded.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import {
  holidaysLeftOut,
  isOver,
  nextOccurrences,
  type Occurrence,
  type Schedule,
} from '../../domain/schedule.ts';
import type { TicketPolicy, TicketSubcategory } from '../../domain/ticket.ts';
import { answered, answeredProblem } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { retryingOf, retryingView } from '../http/retrying.ts';
import type { Temporal } from '../services/temporal.ts';

export const occurrenceView = z.object({
  at: instant,
  /** As the clocks of the schedule's zone show it. */
  local: z.string(),
  offset: z.string(),
});

export const occurrencesView = z.object({
  occurrences: z.array(occurrenceView),
  /** Holidays up to the last of them on which something would be due otherwise. */
  leftOut: z.array(z.object({ date: z.string(), name: z.string() })),
});

export const mailingFileView = z.object({
  id: z.int(),
  bytes: z.int(),
  sha256: z.string(),
  lines: z.int(),
  badLines: z.int(),
  uploadedBy: z.string(),
  uploadedAt: instant,
});

export const mailingFileOf = ({ sha256, ...file }: MailingFileRow): z.infer<typeof mailingFileView> => ({
  ...file,
  sha256: sha256.toString('hex'),
});

const lastRunView = z.object({
  id: z.int(),
  occurrence: instant,
  trigger: z.enum(runTriggers),
  status: z.enum(runStatuses),
  finishedAt: instant.nullable(),
});

export const campaignView = z.object({
  id: z.int(),
  /** Give it back with a change. */
  version: z.int(),
  enabled: z.boolean(),
  enabledAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  definition: campaignDraft,
  /** All that keeps it from being enabled; empty for a complete campaign. */
  problems: z.array(answeredProblem),
  /** Of its schedule, enabled or not. */
  nextOccurrences: z.array(occurrenceView),
  mailingFile: mailingFileView.nullable(),
  lastRun: lastRunView.nullable(),
  /** What its workflow failed to do and tries again: no run starts meanwhile. Null: nothing. */
  retrying: retryingView.nullable(),
  /** The page of its workflow in Temporal's UI. */
  temporalUrl: z.string().nullable(),
});

export const campaignListView = z.object({
  campaigns: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      enabled: z.boolean(),
      /** How many things keep it from being enabled; 0 for one that is. */
      problemCount: z.int(),
      /** When its workflow starts the next run; null for one that is not enabled, or not planned yet. */
      nextAt: instant.nullable(),
      lastRun: lastRunView.nullable(),
    }),
  ),
});

interface ViewDeps {
  sql: Sql;
  temporal: Temporal;
  clock: () => Date;
}

/** The next occurrences of a schedule from `now` on, its holidays left out. */
export async function occurrencesOf(
  sql: Sql,
  schedule: Schedule,
  { now, count }: { now: Date; count: number },
): Promise<Occurrence[]> {
  const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
  return nextOccurrences(schedule, { after: now, count, holidays });
}

/** The same, with the holidays that made it leave something out. */
export async function lookAhead(
  sql: Sql,
  schedule: Schedule,
  { now, count }: { now: Date; count: number },
): Promise<z.infer<typeof occurrencesView>> {
  const { holidayCalendarId } = schedule;
  const calendar =
    holidayCalendarId === null ? null : await getSetting(sql, 'holidayCalendars', holidayCalendarId);
  const holidays = calendar?.definition.holidays ?? [];
  const dates = new Set(holidays.map(({ date }) => date));
  const occurrences = nextOccurrences(schedule, { after: now, count, holidays: dates });
  const until = occurrences.length < count ? null : (occurrences.at(-1)?.at ?? null);
  return { occurrences, leftOut: holidaysLeftOut(schedule, { after: now, until, holidays }) };
}

/** All that enabling has to know of a campaign beyond its document. */
async function enablingFacts(
  sql: Sql,
  { definition, mailingFileId }: { definition: CampaignDraft; mailingFileId: number | null },
  now: Date,
): Promise<EnablingFacts> {
  const { schedule } = definition;
  const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
  const { archived } = await brokenReferences(sql, definition);
  const { message } = definition;
  return {
    fallbackArchived: message.providerId !== null && (await isFallbackArchived(sql, message.providerId)),
    hasMailingFile: mailingFileId !== null,
    fileExtraFields: (await extraFieldsOfFiles(sql, [mailingFileId])).get(mailingFileId) ?? null,
    isOver: isOver(schedule, { after: now, holidays }),
    archived,
    subcategory: await getTicketSubcategory(sql, subcategoryOf(definition.ticketPolicy)),
  };
}

/** All that keeps a campaign from being enabled, at once; none for a complete one. */
export async function enablingProblems(
  sql: Sql,
  campaign: { definition: CampaignDraft; mailingFileId: number | null },
  now: Date,
): Promise<Problem[]> {
  const completed = completeCampaign(campaign.definition, await enablingFacts(sql, campaign, now));
  return completed.ok ? [] : completed.problems;
}

export async function viewCampaign(
  { sql, temporal, clock }: ViewDeps,
  row: CampaignRow,
  format: Format,
): Promise<z.infer<typeof campaignView>> {
  const now = clock();
  const { id, version, enabled, enabledAt, createdAt, updatedAt, definition } = row;
  const file = row.mailingFileId === null ? null : await getMailingFile(sql, row.mailingFileId);
  const last = await lastRuns(sql, [id]);
  return {
    id,
    version,
    enabled,
    enabledAt,
    createdAt,
    updatedAt,
    definition,
    problems: (await enablingProblems(sql, row, now)).map((problem) => answered(problem, format)),
    nextOccurrences: await occurrencesOf(sql, definition.schedule, { now, count: 5 }),
    mailingFile: file && mailingFileOf(file),
    lastRun: last.get(id) ?? null,
    retrying: enabled ? await retryingOf(sql, campaignWorkflowId(id), now) : null,
    temporalUrl: temporal.campaignPage(id),
  };
}

export async function viewCampaignList(
  { sql, clock }: ViewDeps,
  rows: readonly CampaignListRow[],
): Promise<z.infer<typeof campaignListView>> {
  const last = await lastRuns(
    sql,
    rows.map(({ id }) => id),
  );
  const drafts = rows.flatMap(({ id, definition, mailingFileId }) =>
    definition === null ? [] : [{ id, definition, mailingFileId }],
  );
  const problemCounts = await problemCountsOf(sql, drafts, clock());
  return {
    campaigns: rows.map(({ id, name, enabled, nextAt }) => ({
      id,
      name,
      enabled,
      problemCount: problemCounts.get(id) ?? 0,
      nextAt: enabled ? nextAt : null,
      lastRun: last.get(id) ?? null,
    })),
  };
}

/** How many things keep each of the drafts from being enabled, by id; what they share is asked for once. */
async function problemCountsOf(
  sql: Sql,
  drafts: readonly { id: number; definition: CampaignDraft; mailingFileId: number | null }[],
  now: Date,
): Promise<ReadonlyMap<number, number>> {
  const definitions = drafts.map(({ definition }) => definition);
  const archived = await archivedReferences(sql, definitions);
  const holidays = await holidayDatesOf(
    sql,
    definitions.map(({ schedule }) => schedule.holidayCalendarId),
  );
  const inFiles = await extraFieldsOfFiles(
    sql,
    drafts.map(({ mailingFileId }) => mailingFileId),
  );
  const subcategories = new Map<number | null, TicketSubcategory | null>();
  for (const { ticketPolicy } of definitions) {
    const id = subcategoryOf(ticketPolicy);
    if (!subcategories.has(id)) subcategories.set(id, await getTicketSubcategory(sql, id));
  }
  return new Map(
    drafts.map(({ id, definition, mailingFileId }, index) => {
      const { schedule, ticketPolicy } = definition;
      const completed = completeCampaign(definition, {
        hasMailingFile: mailingFileId !== null,
        fileExtraFields: inFiles.get(mailingFileId) ?? null,
        isOver: isOver(schedule, { after: now, holidays: holidays.get(schedule.holidayCalendarId) }),
        archived: archived[index] ?? [],
        subcategory: subcategories.get(subcategoryOf(ticketPolicy)) ?? null,
      });
      return [id, completed.ok ? 0 : completed.problems.length];
    }),
  );
}

const subcategoryOf = (policy: TicketPolicy): number | null =>
  policy.when === 'never' ? null : policy.subcategoryId;
