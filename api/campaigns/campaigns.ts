import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import { brokenReferences } from '../../db/campaigns/references.ts';
import {
  deleteCampaign,
  getCampaign,
  insertCampaign,
  listCampaigns,
  lockCampaign,
  updateCampaign,
} from '../../db/campaigns/campaigns.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { type CampaignDraft, campaignDraft, campaignStates } from '../../domain/campaign.ts';
import { audit } from '../http/auth.ts';
import { campaignListView, campaignView, enablingProblems, viewCampaign, viewCampaignList } from './view.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, formatOf, isForeignKeyViolation, orNotFound } from '../http/errors.ts';
import { idParams, page } from '../http/parameters.ts';
import type { Temporal } from '../services/temporal.ts';

interface CampaignsDeps {
  sql: Database;
  sync: CampaignSync;
  temporal: Temporal;
  clock: () => Date;
}

/** Campaigns as documents: drafts that are saved, completed and changed. */
export const campaigns: FastifyPluginAsyncZod<CampaignsDeps> = async (app, deps) => {
  const { sql, sync, clock } = deps;
  const tags = ['campaigns'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List campaigns, newest first',
        querystring: page.extend({
          /** Part of the name; ignores case and accents. */
          name: z.string().trim().max(120).optional(),
          /** By default all except archived ones. */
          state: z.enum(campaignStates).optional(),
        }),
        response: { 200: campaignListView },
      },
    },
    async (request) => {
      const { before = null, limit, name, state } = request.query;
      const rows = await listCampaigns(sql, { name, state }, { before, limit });
      return viewCampaignList(deps, rows, formatOf(request));
    },
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a campaign, with its missing fields and its next run',
        params: idParams,
        response: { 200: campaignView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const row = orNotFound(await getCampaign(sql, id), 'campaign', id);
      return viewCampaign(deps, row, formatOf(request));
    },
  );

  app.post(
    '',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Create a campaign',
        description:
          'Creates a draft. Only `name` and `schedule` are required now; the other fields are required to enable the campaign.',
        body: campaignDraft,
        response: { 201: campaignView },
      },
    },
    async (request, reply) => {
      const row = await sql.begin(async (tx) => {
        await requireKnownReferences(tx, request.body);
        const added = await insertCampaign(tx, request.body);
        await audit(
          tx,
          request,
          'campaign.create',
          { kind: 'campaign', id: added.id },
          { name: added.definition.name },
        );
        return added;
      });
      return reply
        .code(201)
        .header('location', `/api/campaigns/${row.id}`)
        .send(await viewCampaign(deps, row, formatOf(request)));
    },
  );

  app.put(
    '/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Update a campaign',
        description:
          'Replaces the whole campaign. `version` is the version that you edited. An enabled campaign must stay complete. Changes apply from the next run on. The status 202 means that the campaign is saved and that Temporal will be notified as soon as it is available.',
        params: idParams,
        body: campaignDraft.safeExtend({ version: z.int().positive() }),
        response: { 200: campaignView, 202: campaignView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { version, ...definition } = request.body;
      const row = await sql.begin(async (tx) => {
        const before = orNotFound(await lockCampaign(tx, id), 'campaign', id);
        if (before.archivedAt !== null) throw new ApiError('campaign_archived');
        if (before.version !== version) {
          throw new ApiError('version_conflict', { params: { version: before.version } });
        }
        await requireKnownReferences(tx, definition);
        if (before.enabled) {
          const problems = await enablingProblems(tx, { ...before, definition }, clock());
          if (problems.length > 0) {
            throw new ApiError('incomplete_campaign', { params: { enabled: true }, problems });
          }
        }
        const changes = changesBetween(before.definition, definition);
        const after = await updateCampaign(tx, { id, version, definition });
        if (!after) throw new ApiError('version_conflict', { params: { version: null } });
        await audit(
          tx,
          request,
          'campaign.update',
          { kind: 'campaign', id },
          { changed: Object.keys(changes), version: after.version },
          changes,
        );
        return after;
      });
      const synced = !row.enabled || (await sync.sync(id));
      return reply.code(synced ? 200 : 202).send(await viewCampaign(deps, row, formatOf(request)));
    },
  );

  app.delete(
    '/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Delete a campaign that has never run',
        params: idParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      try {
        await sql.begin(async (tx) => {
          const row = orNotFound(await lockCampaign(tx, id), 'campaign', id);
          if (row.enabled) throw new ApiError('campaign_enabled');
          await audit(
            tx,
            request,
            'campaign.delete',
            { kind: 'campaign', id },
            { name: row.definition.name },
          );
          await deleteCampaign(tx, id);
        });
      } catch (error) {
        throw isForeignKeyViolation(error) ? new ApiError('has_runs') : error;
      }
      return reply.code(204).send(null);
    },
  );
};

async function requireKnownReferences(sql: Sql, definition: CampaignDraft): Promise<void> {
  const { unknown } = await brokenReferences(sql, definition);
  if (unknown.length === 0) return;
  throw new ApiError('invalid_fields', {
    problems: unknown.map((field) => problem(field, 'unknown')),
  });
}
