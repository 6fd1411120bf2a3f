import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import {
  archiveCampaign,
  disableCampaign,
  enableCampaign,
  getCampaign,
  lockCampaign,
  restoreCampaign,
} from '../../db/campaigns/campaigns.ts';
import type { Format } from '../../domain/format.ts';
import type { Database } from '../../db/core/client.ts';
import { liveRuns } from '../../db/runs/progress.ts';
import { schedule } from '../../domain/schedule.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { campaignView, enablingProblems, lookAhead, occurrencesView, viewCampaign } from './view.ts';
import { ApiError, formatOf, orNotFound } from '../http/errors.ts';
import { idempotencyHeaders, idParams } from '../http/parameters.ts';
import { cancelRun } from '../runs/cancel.ts';
import { requireCompleteRestore } from '../runs/restores.ts';
import type { Temporal } from '../services/temporal.ts';

interface CampaignActionsDeps {
  sql: Database;
  longSql: Database;
  sync: CampaignSync;
  temporal: Temporal;
  clock: () => Date;
}

/** Actions on a campaign: enable, disable, preview, run now. */
export const campaignActions: FastifyPluginAsyncZod<CampaignActionsDeps> = async (app, deps) => {
  const { sql, longSql, sync, temporal, clock } = deps;
  const tags = ['campaigns'];

  app.post(
    '/:id/enable',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Enable a campaign',
        description:
          'If the campaign is incomplete, the error `incomplete_campaign` lists everything that is missing. Enabling an enabled campaign changes nothing. The status 202 means that the campaign is enabled and that Temporal will be notified as soon as it is available.',
        params: idParams,
        response: { 200: campaignView, 202: campaignView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const row = orNotFound(await lockCampaign(tx, id), 'campaign', id);
        if (row.enabled) return;
        if (row.archivedAt !== null) throw new ApiError('campaign_archived');
        const problems = await enablingProblems(tx, row, clock());
        if (problems.length > 0)
          throw new ApiError('incomplete_campaign', { params: { enabled: false }, problems });
        await enableCampaign(tx, id);
        await audit(tx, request, 'campaign.enable', { kind: 'campaign', id });
      });
      return answer(id, formatOf(request), reply);
    },
  );

  app.post(
    '/:id/disable',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Disable a campaign',
        description: 'A run in progress continues, unless `cancelRun` is true.',
        params: idParams,
        body: z.strictObject({ cancelRun: z.boolean().default(false) }).nullish(),
        response: { 200: campaignView, 202: campaignView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const row = orNotFound(await lockCampaign(tx, id), 'campaign', id);
        if (!row.enabled) return;
        await disableCampaign(tx, id);
        await audit(tx, request, 'campaign.disable', { kind: 'campaign', id });
      });
      if (request.body?.cancelRun === true) {
        for (const run of await liveRuns(sql, id)) await cancelRun({ sql, longSql, temporal }, request, run);
      }
      return answer(id, formatOf(request), reply);
    },
  );

  app.post(
    '/:id/archive',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Archive a campaign',
        description:
          'Removes a disabled campaign from the lists. Its runs, messages and tickets stay, and you can restore it. Archiving an archived campaign changes nothing.',
        params: idParams,
        response: { 200: campaignView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const row = orNotFound(await lockCampaign(tx, id), 'campaign', id);
        if (row.enabled) throw new ApiError('campaign_enabled');
        if (row.archivedAt !== null) return;
        await archiveCampaign(tx, id);
        await audit(tx, request, 'campaign.archive', { kind: 'campaign', id });
      });
      return present(id, formatOf(request));
    },
  );

  app.post(
    '/:id/restore',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Restore an archived campaign',
        description:
          'The campaign is disabled or a draft again, as before. Restoring a campaign that is not archived changes nothing.',
        params: idParams,
        response: { 200: campaignView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const row = orNotFound(await lockCampaign(tx, id), 'campaign', id);
        if (row.archivedAt === null) return;
        await restoreCampaign(tx, id);
        await audit(tx, request, 'campaign.restore', { kind: 'campaign', id });
      });
      return present(id, formatOf(request));
    },
  );

  const present = async (id: number, format: Format): Promise<z.infer<typeof campaignView>> => {
    const row = orNotFound(await getCampaign(sql, id), 'campaign', id);
    return viewCampaign(deps, row, format);
  };

  /** Notifies Temporal, then returns the campaign's present state. */
  async function answer<T>(
    id: number,
    format: Format,
    reply: { code(status: 200 | 202): { send(view: z.infer<typeof campaignView>): T } },
  ): Promise<T> {
    const synced = await sync.sync(id);
    return reply.code(synced ? 200 : 202).send(await present(id, format));
  }

  app.post(
    '/:id/run-now',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Run an enabled campaign at once',
        description:
          'Returns the error `run_pending` if an earlier run still has unsent messages, unless the campaign allows runs despite a pending one.',
        params: idParams,
        headers: idempotencyHeaders,
        response: { 201: z.object({ runId: z.int() }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = orNotFound(await getCampaign(sql, id), 'campaign', id);
      if (!row.enabled) throw new ApiError('not_enabled');
      await requireCompleteRestore(sql);
      const { runId } = await temporal.runNow(
        { id, name: row.definition.name },
        request.headers['idempotency-key'],
      );
      request.log.info({ campaign: id, run: runId, actor: actorId(actorOf(request)) }, 'run now');
      await audit(sql, request, 'campaign.run_now', { kind: 'campaign', id }, { runId });
      return reply.code(201).header('location', `/api/runs/${runId}`).send({ runId });
    },
  );

  app.post(
    '/:id/dry-run',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Start a dry run',
        description:
          'Reads the mailing and reports what a run would do, without sending anything. The campaign must be complete, but need not be enabled. The run has the `trigger` `dry_run` and ends after its pre-flight. It ignores sending hours and pending runs, and delays no other run.',
        params: idParams,
        headers: idempotencyHeaders,
        response: { 201: z.object({ runId: z.int() }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = orNotFound(await getCampaign(sql, id), 'campaign', id);
      if (row.archivedAt !== null) throw new ApiError('campaign_archived');
      // A dry run does not depend on whether the schedule has another occurrence.
      const problems = (await enablingProblems(sql, row, clock())).filter(
        ({ code }) => code !== 'no_next_occurrence',
      );
      if (problems.length > 0)
        throw new ApiError('incomplete_campaign', { params: { enabled: false }, problems });
      const { runId } = await temporal.dryRun(
        { id, name: row.definition.name },
        request.headers['idempotency-key'],
      );
      await audit(sql, request, 'campaign.dry_run', { kind: 'campaign', id }, { runId });
      return reply.code(201).header('location', `/api/runs/${runId}`).send({ runId });
    },
  );

  app.get(
    '/:id/occurrences',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the next occurrences of a campaign',
        params: idParams,
        querystring: z.strictObject({ count: z.coerce.number().int().min(1).max(50).default(5) }),
        response: { 200: occurrencesView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const row = orNotFound(await getCampaign(sql, id), 'campaign', id);
      const { count } = request.query;
      return lookAhead(sql, row.definition.schedule, { now: clock(), count });
    },
  );

  app.post(
    '/preview-occurrences',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the next occurrences of an unsaved schedule',
        body: z.strictObject({ schedule, count: z.int().min(1).max(20).default(5) }),
        response: { 200: occurrencesView },
      },
    },
    async (request) => {
      const { schedule, count } = request.body;
      return lookAhead(sql, schedule, { now: clock(), count });
    },
  );
};
