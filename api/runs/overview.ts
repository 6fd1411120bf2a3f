import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import {
  messagesBySpan,
  runsNotExecuted,
  setUp,
  unfinishedRuns,
  upcomingRuns,
} from '../../db/runs/overview.ts';
import { countsByStatusOf } from '../../db/runs/progress.ts';
import type { RunRow } from '../../db/runs/runs.ts';
import { lastDays, timezone } from '../../domain/calendar.ts';
import { messageStatuses } from '../../domain/message.ts';
import { instant } from '../http/instant.ts';
import { runSummaryView, viewRunSummary } from './view.ts';
import type { Temporal } from '../services/temporal.ts';

export const overviewView = z.object({
  /** Runs at work or waiting for what comes by itself, newest first. */
  running: z.array(runSummaryView),
  /** Runs that wait for a person or have failed, newest first. */
  attention: z.array(runSummaryView),
  /** Of each campaign the newest run of the last seven days that was missed or skipped. */
  notExecuted: z.array(runSummaryView),
  /** Unfinished runs that are in none of these lists, because there are too many. */
  moreRuns: z.int(),
  /** What runs next, soonest first: what the campaigns' workflows wait for. */
  next: z.array(
    z.object({ campaignId: z.int(), campaignName: z.string(), at: instant, timezone: z.string() }),
  ),
  /** Messages by the day for which their run was due, oldest first, without those of dry runs. */
  days: z.array(z.object({ day: z.iso.date(), counts: z.partialRecord(z.enum(messageStatuses), z.int()) })),
  /** How far the deployment has come since it was new. */
  setUp: z.object({
    providers: z.int(),
    campaigns: z.int(),
    enabledCampaigns: z.int(),
    /** The newest campaign that is not enabled. */
    nextCampaignId: z.int().nullable(),
    /** Whether anything has ever run, dry runs aside. */
    hasRun: z.boolean(),
  }),
});

const runsShown = 50;
const notExecutedShown = 10;
const notExecutedForMs = 7 * 24 * 3_600_000;
const upcomingShown = 8;

interface OverviewDeps {
  sql: Sql;
  temporal: Temporal;
  clock: () => Date;
}

/** What the deployment is at, on one page. */
export const overview: FastifyPluginAsyncZod<OverviewDeps> = async (app, { sql, temporal, clock }) => {
  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['overview'],
        summary: 'What runs, what runs next, what waits for a person, and messages by day',
        description:
          'Counts by day are those of the runs that were due on it, in `timezone`: a message of a run that lasts for days counts for its first, and a receipt changes the day of its run.',
        querystring: z.strictObject({
          timezone: timezone.default('UTC'),
          days: z.coerce.number().int().min(1).max(90).default(14),
        }),
        response: { 200: overviewView },
      },
    },
    async ({ query: { timezone: zone, days } }) => {
      const now = clock();
      const dates = lastDays(now.getTime(), zone, days);
      const [unfinished, notExecuted, next, byDay, progress] = await Promise.all([
        unfinishedRuns(sql, runsShown),
        runsNotExecuted(sql, {
          since: new Date(now.getTime() - notExecutedForMs),
          limit: notExecutedShown,
        }),
        upcomingRuns(sql, upcomingShown),
        messagesBySpan(
          sql,
          dates.map(({ startsAt }) => startsAt),
        ),
        setUp(sql),
      ]);
      const counts = await countsByStatusOf(
        sql,
        [...unfinished.runs, ...notExecuted].map(({ id }) => id),
      );
      const view = (run: RunRow) => viewRunSummary(run, counts.get(run.id) ?? {}, { temporal, now });
      const runs = unfinished.runs.map(view);
      return {
        running: runs.filter((run) => !needsPerson(run)),
        attention: runs.filter(needsPerson),
        notExecuted: notExecuted.map(view),
        moreRuns: unfinished.total - runs.length,
        next,
        days: dates.map(({ day }, index) => ({ day, counts: byDay.get(index) ?? {} })),
        setUp: progress,
      };
    },
  );
};

const needsPerson = ({ status, waiting }: z.infer<typeof runSummaryView>): boolean =>
  status === 'failed' || waiting?.code === 'approval' || waiting?.code === 'resume';
