import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { endAlert } from '../../db/alerts/alerts.ts';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import { tryInDoubt } from '../../db/providers/trouble.ts';
import { markSeen } from '../../db/runs/overview.ts';
import { getRun, type RunRow, runStatus } from '../../db/runs/runs.ts';
import { runStatuses } from '../../domain/run.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';
import { requireCompleteRestore } from './restores.ts';
import { cancelRun } from './cancel.ts';
import type { Temporal } from '../services/temporal.ts';

/** How long the response waits for a retried run to begin, which needs a worker. */
const longestBeginMs = 2_000;
const beginPollMs = 50;

interface RunActionsDeps {
  sql: Database;
  longSql: Database;
  temporal: Temporal;
}

/** Actions of a user on a run. */
export const runActions: FastifyPluginAsyncZod<RunActionsDeps> = async (app, { sql, longSql, temporal }) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => orNotFound(await getRun(sql, id), 'run', id);

  /** Changes a live run: requests the change from its workflow, then writes it to the audit log. */
  const change = async (request: FastifyRequest, action: 'pause' | 'resume' | 'approve', id: number) => {
    const run = await need(id);
    const by = actorId(actorOf(request));
    // A user who resumes the run wants to try the provider again.
    if (action === 'resume' && run.reason?.code === 'provider_in_doubt' && run.providerId !== null)
      await tryInDoubt(sql, run.providerId);
    await temporal[`${action}Run`](run, by);
    // Both permit the run to exceed the budget that it waits for.
    const beyondBudget =
      action === 'resume'
        ? run.reason?.code === 'budget_used_up'
        : action === 'approve' && (run.preflight?.overBudget ?? null) !== null;
    await audit(sql, request, `run.${action}`, { kind: 'run', id }, beyondBudget ? { beyondBudget } : {});
    await endPastAlerts(sql, 'run_approval', 'run_paused');
    return answer(id);
  };
  const answer = async (id: number) => {
    const { status } = await need(id);
    return { id, status };
  };
  const changed = z.object({ id: z.int(), status: z.enum(runStatuses) });

  /** Waits until the first step of a retried run has updated its row, so that the response is not `failed`. */
  const untilBegun = async (id: number): Promise<void> => {
    const deadline = performance.now() + longestBeginMs;
    while (performance.now() < deadline && (await runStatus(sql, id)) === 'failed') await sleep(beginPollMs);
  };

  app.post(
    '/:id/pause',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Pause a run',
        description:
          'Nothing more is sent until you resume the run. The outcomes of messages in flight are still recorded.',
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
    '/:id/approve',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Approve a run that waits for approval',
        description:
          'If the run waits because of a budget, it may then exceed the budget. For a run that does not wait for approval, and for a dry run, the error is `not_waiting_for_approval`. The audit log shows who approved the run.',
        params: idParams,
        response: { 200: changed },
      },
    },
    async (request) => change(request, 'approve', request.params.id),
  );

  app.post(
    '/:id/cancel',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Cancel a run',
        description:
          'Messages that have not been sent are never sent. You can also cancel a failed run: it is closed at once, or as soon as its remaining tickets are open.',
        params: idParams,
        response: { 200: changed },
      },
    },
    async (request) => {
      const { id } = request.params;
      await cancelRun({ sql, longSql, temporal }, request, await need(id));
      return answer(id);
    },
  );

  app.post(
    '/:id/seen',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Mark a run as seen',
        description:
          'For a run that did not execute or reached nobody: removes it from `notExecuted` of `GET /api/overview` and ends its alert. For a live or failed run, the error is `run_not_ended`: retry or cancel a failed run instead.',
        params: idParams,
        response: { 200: changed },
      },
    },
    async (request) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        if (!(await markSeen(tx, id))) {
          const { status } = await need(id);
          throw new ApiError('run_not_ended', { params: { status } });
        }
        await audit(tx, request, 'run.seen', { kind: 'run', id });
      });
      // After the commit: a check that begins later finds the run seen.
      await endAlert(sql, 'run_not_executed', String(id));
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
        description:
          'The run continues with the step that failed and repeats no earlier step. If its mailing was not read, it reads the current mailing of the campaign.',
        params: idParams,
        response: { 202: changed },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const run = await need(id);
      if (run.status !== 'failed') {
        throw new ApiError('run_not_failed', {
          params: { status: run.status },
        });
      }
      await requireCompleteRestore(sql);
      await temporal.retryRun({ ...run, name: run.settings.campaign.name });
      await audit(sql, request, 'run.retry', { kind: 'run', id });
      await untilBegun(id);
      await endPastAlerts(sql, 'run_failed');
      return reply.code(202).send(await answer(id));
    },
  );
};
