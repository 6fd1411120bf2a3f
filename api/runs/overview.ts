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
import { otherRetrying, otherRetryingView } from '../http/retrying.ts';
import { retryingRuns, runSummaryView, viewRunSummary } from './view.ts';
import type { Temporal } from '../services/temporal.ts';

export const overviewView = z.object({
  /** Runs at work, waiting for what comes by itself, or trying again what failed, newest first. */
  running: z.array(runSummaryView),
  /** Runs that wait for a person, have failed, or have tried again for two minutes what failed, newest first. */
  attention: z.array(runSummaryView),
  /** Of each campaign the newest run of the last seven days that was missed or skipped. */
  notExecuted: z.array(runSummaryView),
  /** What else is tried again after a failure: planning runs, replies, posts of tickets, longest first. */
  retrying: z.array(otherRetryingView),
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
/** What fails for so long may need somebody. */
const longRetryMs = 2 * 60_000;

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
      const [unfinished, notExecuted, next, byDay, progress, others] = await Promise.all([
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
        otherRetrying(sql, now),
      ]);
      const retryingOf = await retryingRuns(sql, unfinished.runs, now);
      const counts = await countsByStatusOf(
        sql,
        [...unfinished.runs, ...notExecuted].map(({ id }) => id),
      );
      const view = (run: RunRow) =>
        viewRunSummary(run, counts.get(run.id) ?? {}, { temporal, now, retrying: retryingOf(run) });
      const runs = unfinished.runs.map(view);
      const isWaiting = (run: z.infer<typeof runSummaryView>): boolean =>
        needsPerson(run) ||
        (run.retrying !== null && now.getTime() - run.retrying.since.getTime() > longRetryMs);
      return {
        running: runs.filter((run) => !isWaiting(run)),
        attention: runs.filter(isWaiting),
        notExecuted: notExecuted.map(view),
        retrying: others,
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
