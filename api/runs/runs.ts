import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { countsByStatusOf } from '../../db/runs/progress.ts';
import { keptFileOfRun } from '../../db/campaigns/mailings.ts';
import { listResends } from '../../db/runs/resends.ts';
import { listRunSamples } from '../../db/runs/samples.ts';
import { getRun, listRuns, type RunRow } from '../../db/runs/runs.ts';
import { runStatuses, runTriggers } from '../../domain/run.ts';
import { type Actor, actorOf } from '../http/auth.ts';
import { ApiError, formatOf, notFound } from '../http/errors.ts';
import { viewWarnings } from '../campaigns/mailing-check.ts';
import { instant } from '../http/instant.ts';
import { idParams, page, urlId } from '../http/parameters.ts';
import { type ProgressHub, progressView } from '../services/progress.ts';
import {
  retryingRuns,
  runSummaryView,
  runView,
  viewFailovers,
  viewPreflight,
  viewRunSummary,
} from './view.ts';
import type { StreamGuard } from '../services/stream-guard.ts';
import type { Temporal } from '../services/temporal.ts';

/** Heartbeats keep proxies from closing a quiet connection. */
const heartbeatMs = 15_000;
/** A reader that has taken nothing for so many heartbeats is gone. */
const missedHeartbeats = 4;
const maxWatchers = 500;

export const runSampleView = z.object({
  at: instant,
  /** Handed to the provider by then, whatever became of them. */
  messages: z.int(),
  /** Of these failed or undelivered by then. */
  failed: z.int(),
});

interface RunsDeps {
  sql: Database;
  temporal: Temporal;
  hub: ProgressHub;
  guard: StreamGuard;
  clock: () => Date;
}

/** Runs: what they are at. */
export const runs: FastifyPluginAsyncZod<RunsDeps> = async (app, { sql, temporal, hub, guard, clock }) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => {
    const run = await getRun(sql, id);
    if (!run) throw notFound('run', id);
    return run;
  };

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List runs, newest first',
        querystring: page.extend({
          campaignId: urlId.optional(),
          status: z.enum(runStatuses).optional(),
          trigger: z.enum(runTriggers).optional(),
          regionId: urlId.optional(),
          customerTypeId: urlId.optional(),
        }),
        response: { 200: z.object({ runs: z.array(runSummaryView) }) },
      },
    },
    async ({ query }) => {
      const rows = await listRuns(sql, query);
      const counts = await countsByStatusOf(
        sql,
        rows.map(({ id }) => id),
      );
      const now = clock();
      const retryingOf = await retryingRuns(sql, rows, now);
      return {
        runs: rows.map((run) =>
          viewRunSummary(run, counts.get(run.id) ?? {}, { temporal, now, retrying: retryingOf(run) }),
        ),
      };
    },
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One run', params: idParams, response: { 200: runView } },
    },
    async (request) => {
      const { id } = request.params;
      const run = await need(id);
      const progress = await hub.look(id);
      if (!progress) throw notFound('run', id);
      return {
        ...run,
        ...viewRunSummary(run, progress.counts, { temporal, now: clock(), retrying: progress.retrying }),
        progress,
        preflight: viewPreflight(run),
        warnings: viewWarnings(run.warnings, formatOf(request)),
        failovers: viewFailovers(run),
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
        summary: 'How far a run is',
        description: 'Small, to be asked for again and again; `GET /api/runs/{id}/events` tells by itself.',
        params: idParams,
        response: { 200: progressView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const progress = await hub.look(id);
      if (!progress) throw notFound('run', id);
      return progress;
    },
  );

  app.get(
    '/:id/samples',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'How far a run was over the time of its sending',
        description:
          'Oldest first, kept by the workers: each second at first, then ever more rarely, so that a run of a day has some 1,500.',
        params: idParams,
        response: { 200: z.object({ samples: z.array(runSampleView) }) },
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
        summary: 'The progress of a run as server-sent events',
        description:
          'An event `progress` at once and whenever it changes, at most twice a second; an event `end` when the run is over. The data is that of `GET /api/runs/{id}/progress`. An event `signed_out` ends it when the session or token has ended.',
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
          // Ended with the API's own end, an idle connection would keep the process waiting for more requests.
          .header('connection', 'close')
          .send(eventStream(id, actorOf(request)))
      );
    },
  );

  function eventStream(runId: number, actor: Actor): PassThrough {
    const stream = new PassThrough();
    const endWith = (event: 'end' | 'signed_out'): void => {
      if (!stream.writableEnded) stream.end(`event: ${event}\ndata: {}\n\n`);
    };
    let missed = 0;
    // A slow reader gets the newest progress once it reads again; what came between is left out.
    const stop = hub.watch(runId, {
      progress(progress) {
        if (!stream.writableNeedDrain) stream.write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`);
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
