import { z } from 'zod';
import {
  archivedReferences,
  type BrokenReferences,
  brokenReferences,
} from '../../db/campaigns/references.ts';
import { lastChangeOf } from '../../db/campaigns/changes.ts';
import type { CampaignListRow, CampaignRow } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { isFallbackArchived } from '../../db/providers/fallbacks.ts';
import { extraFieldsOfFiles, getMailingFile, type MailingFileRow } from '../../db/campaigns/mailings.ts';
import { getReplyWords } from '../../db/replies/reply-words.ts';
import { lastRuns } from '../../db/runs/progress.ts';
import { getRuns } from '../../db/runs/runs.ts';
import {
  getSetting,
  getTicketSubcategory,
  holidayDates,
  holidayDatesOf,
} from '../../db/settings/settings.ts';
import { campaignWarnings } from '../../domain/answer-words.ts';
import {
  answerNotices,
  type CampaignDraft,
  campaignDraft,
  campaignStateOf,
  campaignStates,
  completeCampaign,
  type EnablingFacts,
} from '../../domain/campaign.ts';
import type { Format } from '../../domain/format.ts';
import { hoursAt } from '../../domain/hours.ts';
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
import { troublesOfRuns, viewWaiting, waitingView } from '../runs/view.ts';
import type { Temporal } from '../services/temporal.ts';

export const occurrenceView = z.object({
  at: instant,
  /** In the time zone of the schedule. */
  local: z.string(),
  offset: z.string(),
});

export const occurrencesView = z.object({
  occurrences: z.array(occurrenceView),
  /** Holidays until the last of these occurrences that prevent an occurrence. */
  leftOut: z.array(z.object({ date: z.string(), name: z.string() })),
});

export const mailingFileView = z.object({
  id: z.int(),
  bytes: z.int(),
  sha256: z.string(),
  lines: z.int(),
  badLines: z.int(),
  /** The name of the uploaded file, if it was given. */
  name: z.string().nullable(),
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
  /** What it waits for; null: it is working, or over. */
  waiting: waitingView.nullable(),
  /** What failed in it and is retried. */
  retrying: retryingView.nullable(),
});

export const campaignView = z.object({
  id: z.int(),
  /** Send it back with a change. */
  version: z.int(),
  enabled: z.boolean(),
  /** A draft has never been enabled; an archived one is not in the list. */
  state: z.enum(campaignStates),
  enabledAt: instant.nullable(),
  archivedAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  /** Who changed it last, and when, as in the audit log. */
  lastChange: z.object({ name: z.string(), at: instant }).nullable(),
  definition: campaignDraft,
  /** The names of the entries that it refers to, by field: `message.providerId`. */
  names: z.record(z.string(), z.string()),
  /** Whether messages may leave now by its sending hours and holidays, or when they may next. Null: no sending hours. */
  hours: z.object({ open: z.boolean(), opensAt: instant.nullable() }).nullable(),
  /** Everything that prevents enabling; empty for a complete campaign. */
  problems: z.array(answeredProblem),
  /** Problems that affect runs but do not prevent enabling: fields that are missing in the tested answer. */
  notices: z.array(answeredProblem),
  /** Possible mistakes; none of them prevents the campaign from running. */
  warnings: z.array(answeredProblem),
  /** From its schedule, enabled or not. */
  nextOccurrences: z.array(occurrenceView),
  mailingFile: mailingFileView.nullable(),
  lastRun: lastRunView.nullable(),
  /** What its workflow failed to do and retries: no run starts meanwhile. Null: nothing. */
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
      state: z.enum(campaignStates),
      /** The number of problems that prevent enabling; 0 for one that is enabled. */
      problemCount: z.int(),
      /** When its workflow starts the next run; null if it is not enabled, or not planned yet. */
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

/** The next occurrences of a schedule from `now` on, without its holidays. */
export async function occurrencesOf(
  sql: Sql,
  schedule: Schedule,
  { now, count }: { now: Date; count: number },
): Promise<Occurrence[]> {
  const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
  return nextOccurrences(schedule, { after: now, count, holidays });
}

/** The same, with the holidays that were left out. */
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

/** All data besides its document that is needed to enable a campaign. */
async function enablingFacts(
  sql: Sql,
  { definition, mailingFileId }: { definition: CampaignDraft; mailingFileId: number | null },
  now: Date,
  { archived }: BrokenReferences,
): Promise<EnablingFacts> {
  const { schedule } = definition;
  const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
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

/** All problems that prevent enabling a campaign; none for a complete one. */
export async function enablingProblems(
  sql: Sql,
  campaign: { definition: CampaignDraft; mailingFileId: number | null },
  now: Date,
  /** The problems of its document, if they are already known. */
  references?: BrokenReferences,
): Promise<Problem[]> {
  const known = references ?? (await brokenReferences(sql, campaign.definition));
  const completed = completeCampaign(campaign.definition, await enablingFacts(sql, campaign, now, known));
  return completed.ok ? [] : completed.problems;
}

/** Whether its messages may leave now; null: it has no sending hours. */
async function hoursOf(
  sql: Sql,
  { mailing, schedule }: CampaignDraft,
  now: Date,
): Promise<z.infer<typeof campaignView>['hours']> {
  if (mailing.sendingHoursId === null) return null;
  const hours = await getSetting(sql, 'sendingHours', mailing.sendingHoursId);
  if (hours === null) return null;
  const holidays = new Set(await holidayDates(sql, schedule.holidayCalendarId));
  const found = hoursAt(hours.definition, now, holidays);
  return { open: found.open, opensAt: found.open ? null : found.opensAt };
}

export async function viewCampaign(
  { sql, temporal, clock }: ViewDeps,
  row: CampaignRow,
  format: Format,
): Promise<z.infer<typeof campaignView>> {
  const now = clock();
  const { id, version, enabled, enabledAt, archivedAt, createdAt, updatedAt, definition } = row;
  const references = await brokenReferences(sql, definition);
  const file = row.mailingFileId === null ? null : await getMailingFile(sql, row.mailingFileId);
  const last = await lastRunsOf(sql, [id], now, format);
  return {
    id,
    version,
    enabled,
    state: campaignStateOf(row),
    enabledAt,
    archivedAt,
    createdAt,
    updatedAt,
    lastChange: await lastChangeOf(sql, id),
    definition,
    names: references.names,
    hours: await hoursOf(sql, definition, now),
    problems: (await enablingProblems(sql, row, now, references)).map((problem) => answered(problem, format)),
    notices: answerNotices(definition, row.answerAttributes).map((notice) => answered(notice, format)),
    warnings: campaignWarnings(definition, (await getReplyWords(sql)).optOut).map((problem) =>
      answered(problem, format),
    ),
    nextOccurrences: await occurrencesOf(sql, definition.schedule, { now, count: 5 }),
    mailingFile: file && mailingFileOf(file),
    lastRun: last.get(id) ?? null,
    retrying: enabled ? await retryingOf(sql, campaignWorkflowId(id), now, format) : null,
    temporalUrl: temporal.campaignPage(id),
  };
}

/** The last run of each campaign, with what it waits for; by campaign. */
async function lastRunsOf(
  sql: Sql,
  campaignIds: readonly number[],
  now: Date,
  format: Format,
): Promise<ReadonlyMap<number, z.infer<typeof lastRunView>>> {
  const last = await lastRuns(sql, campaignIds);
  const live = await getRuns(
    sql,
    [...last.values()].flatMap(({ id, status }) => (status === 'running' || status === 'paused' ? [id] : [])),
  );
  const troublesOf = await troublesOfRuns(sql, live, now, format);
  const states = new Map(
    live.map((run) => {
      const { retrying, trouble } = troublesOf(run);
      return [run.id, { waiting: viewWaiting(run, now, { trouble, format }), retrying }];
    }),
  );
  const none = { waiting: null, retrying: null };
  return new Map([...last].map(([id, run]) => [id, { ...run, ...(states.get(run.id) ?? none) }]));
}

export async function viewCampaignList(
  { sql, clock }: ViewDeps,
  rows: readonly CampaignListRow[],
  format: Format,
): Promise<z.infer<typeof campaignListView>> {
  const now = clock();
  const last = await lastRunsOf(
    sql,
    rows.map(({ id }) => id),
    now,
    format,
  );
  const drafts = rows.flatMap(({ id, definition, mailingFileId }) =>
    definition === null ? [] : [{ id, definition, mailingFileId }],
  );
  const problemCounts = await problemCountsOf(sql, drafts, now);
  return {
    campaigns: rows.map(({ id, name, enabled, nextAt, firstEnabledAt, archivedAt }) => ({
      id,
      name,
      enabled,
      state: campaignStateOf({ enabled, firstEnabledAt, archivedAt }),
      problemCount: problemCounts.get(id) ?? 0,
      nextAt: enabled ? nextAt : null,
      lastRun: last.get(id) ?? null,
    })),
  };
}

/** The number of problems that prevent enabling each of the drafts, by id; shared data is queried once. */
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
