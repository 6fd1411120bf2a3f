import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import { campaignsUsing } from '../../db/campaigns/references.ts';
import type { Database } from '../../db/core/client.ts';
import {
  deleteIntegration,
  getIntegration,
  insertIntegration,
  listIntegrations,
  lockIntegration,
  openIntegration,
  setIntegrationSecrets,
  updateIntegration,
} from '../../db/settings/integrations.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import type { EntryUse } from '../../domain/problems/errors.ts';
import { askedAgain } from '../../domain/destination.ts';
import {
  changedSecrets,
  type IntegrationConfig,
  integrationConfig,
  type IntegrationSecrets,
  integrationSecrets,
  needsNewSecrets,
  secretProblems,
} from '../../domain/integration.ts';
import { settingName } from '../../domain/settings.ts';
import { audit } from '../http/auth.ts';
import { ApiError, isForeignKeyViolation, notFound, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import { idParams } from '../http/parameters.ts';
import { inUse, usesView } from './uses.ts';

/** The fields of an integration, besides its secrets. */
export const integrationContent = z.strictObject({ name: settingName, config: integrationConfig });

export const integrationView = z.object({
  id: z.int(),
  name: z.string(),
  config: integrationConfig,
  archivedAt: instant.nullable(),
});
export const integrationListView = z.object({ integrations: z.array(integrationView) });

interface IntegrationsDeps {
  sql: Database;
  box: SecretBox;
}

/** Stored authentication for calls to customers' systems. The secrets are write-only. */
export const integrations: FastifyPluginAsyncZod<IntegrationsDeps> = async (app, { sql, box }) => {
  const tags = ['integrations'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'List integrations', response: { 200: integrationListView } },
    },
    async () => ({ integrations: await listIntegrations(sql) }),
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Get an integration', params: idParams, response: { 200: integrationView } },
    },
    async ({ params: { id } }, reply) => {
      const integration = orNotFound(await getIntegration(sql, id), 'integration', id);
      nameVersion(reply, integration);
      return integration;
    },
  );

  app.get(
    '/:id/uses',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List what uses an integration',
        params: idParams,
        response: { 200: usesView },
      },
    },
    async ({ params: { id } }) => ({ usedBy: await usesOf(id) }),
  );

  app.post(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Create an integration',
        description:
          'The credentials are sent only to `config.origins`. If the value of a header in `config` is null, its value is in `secrets.headers`.',
        body: integrationContent.extend({ secrets: integrationSecrets.prefault({}) }),
        response: { 201: integrationView },
      },
    },
    async (request, reply) => {
      const { body } = request;
      requireSecrets(body.config, body.secrets);
      const integration = await sql.begin(async (tx) => {
        const added = await insertIntegration(tx, box, body);
        const details = {
          name: added.name,
          kind: added.config.authentication.kind,
          origins: added.config.origins,
        };
        await audit(tx, request, 'integration.create', { kind: 'integration', id: added.id }, details);
        return added;
      });
      return reply.code(201).header('location', `/api/integrations/${integration.id}`).send(integration);
    },
  );

  app.put(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Update or archive an integration',
        description:
          'If you omit a secret, it stays unchanged. Changing the type of authentication, the origins (scheme, host, port) or the secret headers requires all secrets again. Applies at once, also to runs in progress.',
        params: idParams,
        headers: versionHeaders,
        body: integrationContent.extend({
          secrets: integrationSecrets.optional(),
          archived: z.boolean().default(false),
        }),
        response: { 200: integrationView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { name, config, secrets, archived } = request.body;
      return sql.begin(async (tx) => {
        const before = orNotFound(await lockIntegration(tx, id), 'integration', id);
        requireVersion(request, before);
        const needsNew = needsNewSecrets(before.config, config);
        const isKept = needsNew === 'no';
        const isComplete = secrets && secretProblems(config, secrets).length === 0;
        const stored = isKept && secrets && !isComplete ? await openIntegration(tx, box, id) : null;
        const given = changedSecrets(config, stored?.secrets, secrets);
        if (secrets || !isKept) requireSecrets(config, given, needsNew);
        const changed = orNotFound(
          await updateIntegration(tx, { id, name, config, archived }),
          'integration',
          id,
        );
        if (secrets) await setIntegrationSecrets(tx, box, id, given);
        const details = {
          name,
          kind: config.authentication.kind,
          origins: config.origins,
          archived,
          newSecrets: secrets !== undefined,
        };
        const changes = changesBetween(
          { name: before.name, config: before.config, archived: before.archivedAt !== null },
          { name, config, archived },
        );
        await audit(tx, request, 'integration.update', { kind: 'integration', id }, details, changes);
        return changed;
      });
    },
  );

  app.delete(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete an unused integration',
        description:
          'If the integration is in use, the error `in_use` lists what uses it. Archive it instead.',
        params: idParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      try {
        await sql.begin(async (tx) => {
          await audit(tx, request, 'integration.delete', { kind: 'integration', id });
          if (!(await deleteIntegration(tx, id))) throw notFound('integration', id);
        });
      } catch (error) {
        if (!isForeignKeyViolation(error)) throw error;
        throw inUse(await usesOf(id));
      }
      return reply.code(204).send(null);
    },
  );

  async function usesOf(id: number): Promise<EntryUse[]> {
    const campaigns = await campaignsUsing(sql, 'integrations', id);
    return campaigns.map((campaign) => ({ kind: 'campaign', ...campaign }));
  }
};

function requireSecrets(
  config: IntegrationConfig,
  secrets: IntegrationSecrets,
  needsNew: ReturnType<typeof needsNewSecrets> = 'no',
): void {
  const problems = secretProblems(config, secrets);
  if (problems.length === 0) return;
  throw new ApiError('invalid_fields', {
    problems: needsNew === 'elsewhere' ? askedAgain(problems) : problems,
  });
}
