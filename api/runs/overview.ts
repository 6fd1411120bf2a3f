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
import { countHolds } from '../../db/replies/holds.ts';
import { countUnread } from '../../db/replies/inbound.ts';
import { countsByStatusOf } from '../../db/runs/progress.ts';
import type { RunRow } from '../../db/runs/runs.ts';
import { lastDays, timezone } from '../../domain/calendar.ts';
import { messageStatuses } from '../../domain/message.ts';
import { budgetsNear, nearBudgetView } from '../money/budgets.ts';
import { costsSoFar, type MoneySettings } from '../money/costs-of-runs.ts';
import { instant } from '../http/instant.ts';
import { formatOf } from '../http/errors.ts';
import { otherRetrying, otherRetryingView } from '../http/retrying.ts';
import { runSummaryView, troublesOfRuns, viewRunSummary } from './view.ts';
import type { Temporal } from '../services/temporal.ts';

export const overviewView = z.object({
  /** Runs that work, wait for an automatic event, or retry after a failure, newest first. */
  running: z.array(runSummaryView),
  /** Runs that wait for a user, have failed, or have retried for two minutes, newest first. */
  attention: z.array(runSummaryView),
  /**
   * The newest run of each campaign within seven days, if it was missed or skipped, or found or reached nobody, until a
   * user has seen it.
   */
  notExecuted: z.array(runSummaryView),
  /** Everything else that is retried after a failure (planning of runs, replies, posts of tickets), longest first. */
  retrying: z.array(otherRetryingView),
  /** Phones that are held because of a probable opt-out, until a user has decided. */
  holds: z.object({ count: z.int(), since: instant.nullable() }),
  /** Provider calls that could not be read; `count` of 10,000 means at least that many. */
  unreadCalls: z.array(
    z.object({ providerId: z.int(), providerName: z.string(), count: z.int(), since: instant }),
  ),
  /** The monthly budgets that are at least 80 % spent. */
  budgets: z.array(nearBudgetView),
  /** Unfinished runs that are in none of these lists, because there are too many. */
  moreRuns: z.int(),
  /** The next runs, soonest first: what the campaigns' workflows wait for. */
  next: z.array(
    z.object({ campaignId: z.int(), campaignName: z.string(), at: instant, timezone: z.string() }),
  ),
  /** Messages by the day for which their run was due, oldest first, without those of dry runs. */
  days: z.array(z.object({ day: z.iso.date(), counts: z.partialRecord(z.enum(messageStatuses), z.int()) })),
  /** The setup progress of a new deployment. */
  setUp: z.object({
    providers: z.int(),
    campaigns: z.int(),
    enabledCampaigns: z.int(),
    /** The newest campaign that is not enabled. */
    nextCampaignId: z.int().nullable(),
    /** Whether anything has ever run, apart from dry runs. */
    hasRun: z.boolean(),
  }),
});

const runsShown = 50;
const notExecutedShown = 10;
const notExecutedForMs = 7 * 24 * 3_600_000;
const upcomingShown = 8;
/** A failure that lasts this long may need a user. */
const longRetryMs = 2 * 60_000;

interface OverviewDeps {
  sql: Sql;
  temporal: Temporal;
  clock: () => Date;
  money: MoneySettings;
}

/** The state of the deployment, for one page. */
export const overview: FastifyPluginAsyncZod<OverviewDeps> = async (app, { sql, temporal, clock, money }) => {
  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['overview'],
        summary: 'Get an overview of the deployment',
        description:
          'Returns live runs, the next runs, everything that requires a user, and messages by day. All messages of a run count on the day on which the run was due, in `timezone`.',
        querystring: z.strictObject({
          timezone: timezone.default('UTC'),
          days: z.coerce.number().int().min(1).max(90).default(14),
        }),
        response: { 200: overviewView },
      },
    },
    async (request) => {
      const { timezone: zone, days } = request.query;
      const format = formatOf(request);
      const now = clock();
      const dates = lastDays(now.getTime(), zone, days);
      const [unfinished, notExecuted, next, byDay, progress, others, holds, unreadCalls, budgets] =
        await Promise.all([
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
          otherRetrying(sql, now, format),
          countHolds(sql),
          countUnread(sql),
          budgetsNear(sql, now, money),
        ]);
      const troublesOf = await troublesOfRuns(sql, unfinished.runs, now, format);
      const counts = await countsByStatusOf(
        sql,
        [...unfinished.runs, ...notExecuted].map(({ id }) => id),
      );
      const costOf = await costsSoFar(sql, [...unfinished.runs, ...notExecuted], money);
      const view = (run: RunRow) =>
        viewRunSummary(run, counts.get(run.id) ?? {}, {
          ...{ temporal, now, format, cost: costOf(run) },
          ...troublesOf(run),
        });
      const runs = unfinished.runs.map(view);
      const isWaiting = (run: z.infer<typeof runSummaryView>): boolean =>
        needsPerson(run) ||
        (run.retrying !== null && now.getTime() - run.retrying.since.getTime() > longRetryMs);
      return {
        running: runs.filter((run) => !isWaiting(run)),
        attention: runs.filter(isWaiting),
        notExecuted: notExecuted.map(view),
        retrying: others,
        holds,
        unreadCalls,
        budgets,
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
