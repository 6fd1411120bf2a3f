import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import { changeMailing, getRun, type RunRow } from '../../db/runs/runs.ts';
import { runStatuses, withPresentMailing } from '../../domain/run.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';
import { requireSettledRestore } from './restores.ts';
import { cancelRun } from './cancel.ts';
import type { Temporal } from '../services/temporal.ts';

interface RunActionsDeps {
  sql: Database;
  longSql: Database;
  temporal: Temporal;
}

/** What a person does with a run. */
export const runActions: FastifyPluginAsyncZod<RunActionsDeps> = async (app, { sql, longSql, temporal }) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => {
    const run = await getRun(sql, id);
    if (!run) throw notFound('run', id);
    return run;
  };

  /** A change of a live run, by its workflow: told to it, then written to the audit log. */
  const change = async (request: FastifyRequest, action: 'pause' | 'resume' | 'approve', id: number) => {
    const run = await need(id);
    const by = actorId(actorOf(request));
    await temporal[`${action}Run`](run, by);
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
    '/:id/approve',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Approve a run that waits for it after its pre-flight',
        description:
          '`not_waiting_for_approval` for every other run, a dry run among them. Who approved it is in the audit log.',
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
          'What has not left is never sent. A failed run can be cancelled, too: it is closed then, at once or, when it still has tickets to open, after that.',
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
    '/:id/retry',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Retry a failed run',
        description:
          'The same run goes on from the step that failed; what is done is not done again. If its mailing was not read, it is read from where the campaign says now.',
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
      await requireSettledRestore(sql);
      if (run.mailingAt === null && run.trigger !== 'resend') {
        const campaign = await getCampaign(sql, run.campaignId);
        const present =
          campaign && withPresentMailing(run.settings, campaign.definition, campaign.mailingFileId);
        if (present) await changeMailing(sql, id, present);
      }
      await temporal.retryRun({ ...run, name: run.settings.campaign.name });
      await audit(sql, request, 'run.retry', { kind: 'run', id });
      return reply.code(202).send(await answer(id));
    },
  );
};
