import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import { countsByStatusOf } from '../../db/runs/progress.ts';
import { keptFileOfRun } from '../../db/campaigns/mailings.ts';
import { decisionsOf } from '../../db/runs/decisions.ts';
import { listResends } from '../../db/runs/resends.ts';
import { listRunSamples } from '../../db/runs/samples.ts';
import { getRun, listRuns, runCounts, type RunRow } from '../../db/runs/runs.ts';
import type { Format } from '../../domain/format.ts';
import { type MessageStatus, messageStatuses } from '../../domain/message.ts';
import { runReasonWords } from '../../domain/problems/runs.ts';
import { messagesStatusWords, runStatusWords, runStepWords } from '../../domain/problems/states.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import { isWaitingFor, type WaitingFilter, waitingFilters, waitingOf } from '../../domain/waiting.ts';
import { runLabels } from '../../domain/words/runs.ts';
import {
  type CsvColumn,
  csvCode,
  csvDescription,
  csvQuery,
  csvRoute,
  csvSentence,
  sendRows,
} from '../http/csv.ts';
import { type Actor, actorOf } from '../http/auth.ts';
import { ApiError, dayOf, formatOf, orNotFound } from '../http/errors.ts';
import { viewWarnings } from '../campaigns/mailing-check.ts';
import { costsSoFar, estimateOfRun, type MoneySettings } from '../money/costs-of-runs.ts';
import { instant } from '../http/instant.ts';
import { dayParam, idParams, page, urlId } from '../http/parameters.ts';
import { providerTrouble, providerTroubles } from '../../db/providers/trouble.ts';
import { type ProgressHub, progressView, viewProgress } from '../services/progress.ts';
import { runList, runView, troublesOfRuns, viewFailovers, viewPreflight, viewRunSummary } from './view.ts';
import type { StreamGuard } from '../services/stream-guard.ts';
import type { Temporal } from '../services/temporal.ts';

/** Heartbeats keep proxies from closing a quiet connection. */
const heartbeatMs = 15_000;
/** A reader that has read nothing for this many heartbeats is gone. */
const missedHeartbeats = 4;
const maxWatchers = 500;

export const runSampleView = z.object({
  at: instant,
  /** Passed to the provider by then, whatever their outcome. */
  messages: z.int(),
  /** How many of these had failed or were undelivered by then. */
  failed: z.int(),
});
export const runSampleList = z.object({ samples: z.array(runSampleView) });

const runFilter = z.strictObject({
  campaignId: urlId.optional(),
  status: z.enum(runStatuses).optional(),
  trigger: z.enum(runTriggers).optional(),
  regionId: urlId.optional(),
  customerTypeId: urlId.optional(),
  day: dayParam,
  /** What a live run waits for; `nothing`: runs that do not wait. */
  waiting: z.enum(waitingFilters).optional(),
});

/** Live runs are few: what they wait for depends on the clock and on their provider, so they are filtered here. */
const mostLiveRuns = 10_000;

async function findRuns(
  sql: Sql,
  { waiting, ...query }: Parameters<typeof listRuns>[1] & { waiting?: WaitingFilter | undefined },
  now: Date,
): Promise<RunRow[]> {
  if (waiting === undefined) return listRuns(sql, query);
  const live = await listRuns(sql, { ...query, live: true, limit: mostLiveRuns });
  const troubles = await providerTroubles(sql, [...new Set(live.flatMap((run) => run.providerId ?? []))]);
  return live
    .filter((run) => {
      const trouble = (run.providerId === null ? null : troubles.get(run.providerId)) ?? null;
      return isWaitingFor(waiting, waitingOf(run, now, trouble));
    })
    .slice(0, query.limit);
}

interface CountedRun extends RunRow {
  counts: Partial<Record<MessageStatus, number>>;
}

function columnsIn(format: Format): readonly CsvColumn<CountedRun>[] {
  const { locale } = format;
  const t = runLabels[locale];
  const sum = ({ counts }: CountedRun): number =>
    messageStatuses.reduce((total, status) => total + (counts[status] ?? 0), 0);
  return [
    ['id', t.number, ({ id }) => id],
    ['campaign_id', null, ({ campaignId }) => campaignId],
    ['campaign', t.campaign, ({ settings }) => settings.campaign.name],
    ['due_at', t.occurrence, ({ occurrence }) => occurrence],
    ['trigger', t.how, ({ trigger }) => csvCode(trigger, t.trigger)],
    ['status', t.state, ({ status }) => csvCode(status, runStatusWords[locale])],
    ['step', t.currentStep, ({ step }) => csvCode(step, runStepWords[locale])],
    ['reason', t.why, ({ reason }) => reason && csvSentence(reason.code, runReasonWords(reason, format))],
    ['lines', t.lines, sum],
    ...messageStatuses.map((status): CsvColumn<CountedRun> => [
      status,
      messagesStatusWords[locale][status],
      ({ counts }) => counts[status] ?? 0,
    ]),
    ['started_at', t.started, ({ startedAt }) => startedAt],
    ['mailing_at', t.mailingRead, ({ mailingAt }) => mailingAt],
    ['sending_at', t.sendingBegan, ({ sendingAt }) => sendingAt],
    ['finished_at', t.finished, ({ finishedAt }) => finishedAt],
  ];
}

interface RunsDeps {
  sql: Database;
  temporal: Temporal;
  hub: ProgressHub;
  guard: StreamGuard;
  clock: () => Date;
  money: MoneySettings;
}

/** Runs and their progress. */
export const runs: FastifyPluginAsyncZod<RunsDeps> = async (
  app,
  { sql, temporal, hub, guard, clock, money },
) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => orNotFound(await getRun(sql, id), 'run', id);

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List runs, newest first',
        querystring: page.extend(runFilter.shape),
        response: { 200: runList },
      },
    },
    async (request) => {
      const { query } = request;
      const format = formatOf(request);
      const rows = await findRuns(sql, { ...query, day: dayOf(request, query.day) }, clock());
      const counts = await countsByStatusOf(
        sql,
        rows.map(({ id }) => id),
      );
      const now = clock();
      const troublesOf = await troublesOfRuns(sql, rows, now, format);
      const costOf = await costsSoFar(sql, rows, money);
      return {
        runs: rows.map((run) =>
          viewRunSummary(run, counts.get(run.id) ?? {}, {
            ...{ temporal, now, format, cost: costOf(run) },
            ...troublesOf(run),
          }),
        ),
      };
    },
  );

  app.get(
    '.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download runs as a CSV file',
      description: `${csvDescription} The counts of a run add up to its lines.`,
      querystring: runFilter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, day, ...where } = request.query;
      return sendRows(request, reply, {
        format,
        name: { en: 'runs', 'pt-BR': 'execucoes' },
        columns: columnsIn,
        read: async (last, limit) => {
          const page = { day: dayOf(request, day), before: last?.id, limit };
          const rows = await findRuns(sql, { ...where, ...page }, clock());
          const counts = await countsByStatusOf(
            sql,
            rows.map(({ id }) => id),
          );
          return rows.map((run) => ({ ...run, counts: counts.get(run.id) ?? {} }));
        },
      });
    },
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Get a run', params: idParams, response: { 200: runView } },
    },
    async (request) => {
      const { id } = request.params;
      const run = await need(id);
      const found = orNotFound(await hub.look(id), 'run', id);
      const now = clock();
      const format = formatOf(request);
      const progress = viewProgress(found, now, format);
      const decided = await decisionsOf(sql, [id]);
      const costOf = await costsSoFar(sql, [run], money);
      const { planned, inDoubt } = await estimateOfRun(sql, run, {
        counts: await runCounts(sql, id),
        now,
        money,
      });
      return {
        ...run,
        ...viewRunSummary(run, progress.counts, {
          temporal,
          now,
          format,
          cost: costOf(run),
          retrying: progress.retrying,
          trouble: run.providerId === null ? null : await providerTrouble(sql, run.providerId),
          decided,
        }),
        progress,
        preflight: viewPreflight(run, planned, format),
        costInDoubt: inDoubt,
        warnings: viewWarnings(run.warnings, format),
        failovers: viewFailovers(run, format),
        approvedByName: decided(id, 'approve')?.name ?? null,
        hasAnswer: (await keptFileOfRun(sql, id, 'webservice')) !== null,
        resends: await listResends(sql, id),
      };
    },
  );

  app.get(
    '/:id/progress',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get the progress of a run',
        description:
          'Returns a small response, suitable for polling. To receive changes instead, use `GET /api/runs/{id}/events`.',
        params: idParams,
        response: { 200: progressView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const progress = orNotFound(await hub.look(id), 'run', id);
      return viewProgress(progress, clock(), formatOf(request));
    },
  );

  app.get(
    '/:id/samples',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get the progress of a run over time',
        description:
          'Returns samples, oldest first. The interval is one second at first and grows later; a run of one day has about 1,500 samples.',
        params: idParams,
        response: { 200: runSampleList },
      },
    },
    async ({ params: { id } }) => {
      await need(id);
      return { samples: await listRunSamples(sql, id) };
    },
  );

  app.get(
    '/:id/events',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Stream the progress of a run as server-sent events',
        description:
          'Sends an event `progress` at once and after each change, at most twice a second, and an event `end` when the run is over. The data is the same as in `GET /api/runs/{id}/progress`. When the session or token expires, the stream ends with an event `signed_out`.',
        produces: ['text/event-stream'],
        params: idParams,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await need(id);
      if (hub.watching() >= maxWatchers) throw new ApiError('busy', { params: { with: 'requests' } });
      return (
        reply
          .type('text/event-stream')
          .header('cache-control', 'no-cache, no-transform')
          .header('x-accel-buffering', 'no')
          // If it ended only with the API, an idle connection would keep the process waiting for more requests.
          .header('connection', 'close')
          .send(eventStream(id, actorOf(request), formatOf(request)))
      );
    },
  );

  function eventStream(runId: number, actor: Actor, format: Format): PassThrough {
    const stream = new PassThrough();
    const endWith = (event: 'end' | 'signed_out'): void => {
      if (!stream.writableEnded) stream.end(`event: ${event}\ndata: {}\n\n`);
    };
    let missed = 0;
    // A slow reader gets the newest progress when it reads again. Updates in between are dropped.
    const stop = hub.watch(runId, {
      progress(progress) {
        if (stream.writableNeedDrain) return;
        const data = JSON.stringify(viewProgress(progress, clock(), format));
        stream.write(`event: progress\ndata: ${data}\n\n`);
      },
      end: () => endWith('end'),
    });
    const release = guard.watch(actor, 'viewer', () => endWith('signed_out'));
    const heartbeat = setInterval(() => {
      missed = stream.writableNeedDrain ? missed + 1 : 0;
      if (missed >= missedHeartbeats) stream.destroy();
      else if (missed === 0 && !stream.writableEnded) stream.write(': still here\n\n');
    }, heartbeatMs);
    stream.once('close', () => {
      stop();
      release();
      clearInterval(heartbeat);
    });
    return stream;
  }
};
