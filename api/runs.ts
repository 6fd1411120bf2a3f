import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../db/client.ts';
import { countsByStatusOf } from '../db/run-progress.ts';
import { getRun, listRuns, type RunRow } from '../db/runs.ts';
import { messageStatuses } from '../domain/message.ts';
import { describeRunReason, runReason, runSettings, runStatuses, runSteps } from '../domain/run.ts';
import { actorId, actorOf, audit } from './auth.ts';
import { ApiError, notFound } from './errors.ts';
import { instant } from './instant.ts';
import { idParams, page, urlId } from './parameters.ts';
import { type ProgressHub, progressView } from './progress.ts';
import { cancelRun } from './run-cancel.ts';
import type { Temporal } from './temporal.ts';

export const runSummaryView = z.object({
  id: z.int(),
  campaignId: z.int(),
  campaignName: z.string(),
  occurrence: instant,
  trigger: z.enum(['schedule', 'manual']),
  status: z.enum(runStatuses),
  step: z.enum(runSteps),
  /** The reason's code with its numbers, and in plain words. */
  reason: z.object({ words: z.string(), code: z.string(), details: runReason }).nullable(),
  counts: z.partialRecord(z.enum(messageStatuses), z.int()),
  startedAt: instant.nullable(),
  mailingAt: instant.nullable(),
  sendingAt: instant.nullable(),
  finishedAt: instant.nullable(),
  expiresAt: instant.nullable(),
  temporalUrl: z.string().nullable(),
});

export const runView = runSummaryView.extend({
  progress: progressView,
  providerId: z.int().nullable(),
  mailingFileId: z.int().nullable(),
  /** As they were when the run started. */
  settings: runSettings,
});

/** Heartbeats keep proxies from closing a quiet connection. */
const heartbeatMs = 15_000;
/** A reader that has taken nothing for so many heartbeats is gone. */
const missedHeartbeats = 4;
const maxWatchers = 500;

interface RunsDeps {
  sql: Database;
  temporal: Temporal;
  hub: ProgressHub;
}

/** Runs: what they are at, and what a person does with them. */
export const runs: FastifyPluginAsyncZod<RunsDeps> = async (app, { sql, temporal, hub }) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => {
    const run = await getRun(sql, id);
    if (!run) throw notFound('run', id);
    return run;
  };
  const summaryOf = (run: RunRow, counts: z.infer<typeof runSummaryView>['counts']) => ({
    ...run,
    campaignName: run.settings.campaign.name,
    reason: run.reason && {
      words: describeRunReason(run.reason),
      code: run.reason.code,
      details: run.reason,
    },
    counts,
    temporalUrl: temporal.runPage(run),
  });

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List runs, newest first',
        querystring: page.extend({ campaignId: urlId.optional(), status: z.enum(runStatuses).optional() }),
        response: { 200: z.object({ runs: z.array(runSummaryView) }) },
      },
    },
    async ({ query }) => {
      const rows = await listRuns(sql, query);
      const counts = await countsByStatusOf(
        sql,
        rows.map(({ id }) => id),
      );
      return { runs: rows.map((run) => summaryOf(run, counts.get(run.id) ?? {})) };
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
      return { ...summaryOf(run, progress.counts), progress, settings: run.settings };
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
    '/:id/events',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The progress of a run as server-sent events',
        description:
          'An event `progress` at once and whenever it changes, at most twice a second; an event `end` when the run is over. The data is that of `GET /api/runs/{id}/progress`.',
        produces: ['text/event-stream'],
        params: idParams,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await need(id);
      if (hub.watching() >= maxWatchers) throw new ApiError('busy');
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-cache, no-transform')
        .header('x-accel-buffering', 'no')
        .send(eventStream(id));
    },
  );

  function eventStream(runId: number): PassThrough {
    const stream = new PassThrough();
    let missed = 0;
    // A slow reader gets the newest progress once it reads again; what came between is left out.
    const stop = hub.watch(runId, {
      progress(progress) {
        if (!stream.writableNeedDrain) stream.write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`);
      },
      end() {
        if (!stream.writableEnded) stream.end('event: end\ndata: {}\n\n');
      },
    });
    const heartbeat = setInterval(() => {
      missed = stream.writableNeedDrain ? missed + 1 : 0;
      if (missed >= missedHeartbeats) stream.destroy();
      else if (missed === 0 && !stream.writableEnded) stream.write(': still here\n\n');
    }, heartbeatMs);
    stream.once('close', () => {
      stop();
      clearInterval(heartbeat);
    });
    return stream;
  }

  /** A change of a live run, by its workflow: told to it, then written to the audit log. */
  const change = async (request: FastifyRequest, action: 'pause' | 'resume', id: number) => {
    const run = await need(id);
    const by = actorId(actorOf(request));
    await (action === 'pause' ? temporal.pauseRun(run, by) : temporal.resumeRun(run, by));
    await audit(sql, request, `run.${action}`, { kind: 'run', id });
    return answer(id);
  };
  const answer = async (id: number) => {
    const { status } = await need(id);
    return { id, status };
  };
  const changed = z.object({ id: z.int(), status: z.enum(runStatuses) });

  app.post(
    '/:id/pause',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Pause a run',
        description:
          'What is on its way to the provider is still recorded; nothing else leaves until it is resumed.',
        params: idParams,
        response: { 200: changed },
      },
    },
    async (request) => change(request, 'pause', request.params.id),
  );

  app.post(
    '/:id/resume',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Resume a paused run', params: idParams, response: { 200: changed } },
    },
    async (request) => change(request, 'resume', request.params.id),
  );

  app.post(
    '/:id/cancel',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Cancel a run',
        description:
          'What has not left is never sent. A failed run can be cancelled, too: it is closed then.',
        params: idParams,
        response: { 200: changed },
      },
    },
    async (request) => {
      const { id } = request.params;
      await cancelRun({ sql, temporal }, request, await need(id));
      return answer(id);
    },
  );

  app.post(
    '/:id/retry',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Retry a failed run',
        description: 'The same run goes on from the step that failed; what is done is not done again.',
        params: idParams,
        response: { 202: changed },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const run = await need(id);
      if (run.status !== 'failed') {
        throw new ApiError('run_not_failed', {
          message: `The run is ${run.status}: only a run that failed can be retried.`,
        });
      }
      await temporal.retryRun({ ...run, name: run.settings.campaign.name });
      await audit(sql, request, 'run.retry', { kind: 'run', id });
      return reply.code(202).send(await answer(id));
    },
  );
};
