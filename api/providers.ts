import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../db/client.ts';
import {
  getProvider,
  getProviderSecrets,
  insertProvider,
  listProviders,
  setProviderArchived,
  setProviderSecrets,
  updateProvider,
} from '../db/providers.ts';
import type { SecretBox } from '../db/secrets.ts';
import { gatewaySecretNames } from '../domain/http-gateway.ts';
import {
  callbackPath,
  providerConfig,
  type ProviderConfig,
  providerSecrets,
  type ProviderSecrets,
} from '../domain/provider.ts';
import { segmentProfileName } from '../domain/segments.ts';
import { settingName } from '../domain/settings.ts';
import { audit } from './auth.ts';
import { ApiError, notFound } from './errors.ts';
import { instant } from './instant.ts';
import { idParams } from './parameters.ts';

const content = z.strictObject({
  name: settingName,
  config: providerConfig,
  segmentProfile: segmentProfileName.default('gsm'),
  /** Segments a second, over all workers and campaigns; null: no limit. Counts at once, for runs in progress too. */
  ratePerSecond: z.number().positive().max(100_000).nullable().default(null),
});

export const providerView = z.object({
  id: z.int(),
  name: z.string(),
  config: providerConfig,
  segmentProfile: segmentProfileName,
  ratePerSecond: z.number().nullable(),
  /** The provider that takes over what this one takes no more: PUT /api/providers/{id}/fallback. */
  fallbackId: z.int().nullable(),
  archivedAt: instant.nullable(),
  /**
   * Where the provider calls us with receipts and incoming messages. All kinds but Twilio and the sandbox add the
   * callback secret: `?key=…`, as last part of the path, in the header X-Torpedo-Key, or as password or bearer token.
   */
  callbacks: z.object({ receipts: z.string(), inbound: z.string() }),
});

interface ProvidersDeps {
  sql: Database;
  box: SecretBox;
  publicUrl: string;
}

/** SMS providers. Their secrets are written here and never shown again. */
export const providers: FastifyPluginAsyncZod<ProvidersDeps> = async (app, { sql, box, publicUrl }) => {
  const withCallbacks = <T extends { id: number }>(provider: T) => ({
    ...provider,
    callbacks: {
      receipts: publicUrl + callbackPath(provider.id, 'receipts'),
      inbound: publicUrl + callbackPath(provider.id, 'inbound'),
    },
  });
  const tags = ['providers'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List SMS providers',
        response: { 200: z.object({ providers: z.array(providerView) }) },
      },
    },
    async () => ({ providers: (await listProviders(sql)).map(withCallbacks) }),
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One SMS provider', params: idParams, response: { 200: providerView } },
    },
    async (request) => {
      const { id } = request.params;
      const provider = await getProvider(sql, id);
      if (!provider) throw notFound('provider', id);
      return withCallbacks(provider);
    },
  );

  app.post(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Add an SMS provider',
        body: content.extend({ secrets: providerSecrets }),
        response: { 201: providerView },
      },
    },
    async (request, reply) => {
      const { body } = request;
      requireSecrets(body.config, body.secrets);
      const provider = await sql.begin(async (tx) => {
        const added = await insertProvider(tx, box, body);
        await audit(
          tx,
          request,
          'provider.create',
          { kind: 'provider', id: added.id },
          { name: added.name, kind: added.config.kind },
        );
        return added;
      });
      return reply
        .code(201)
        .header('location', `/api/providers/${provider.id}`)
        .send(withCallbacks(provider));
    },
  );

  app.put(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change or archive an SMS provider',
        description:
          'Secrets that are left out stay as they are; another kind needs new ones. A new rate counts at once.',
        params: idParams,
        body: content.extend({
          // To be said: a limit that is gone because nobody named it would be noticed by the carrier first.
          ratePerSecond: content.shape.ratePerSecond.unwrap(),
          secrets: providerSecrets.optional(),
          archived: z.boolean().default(false),
        }),
        response: { 200: providerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { secrets, archived, ...provider } = request.body;
      return sql.begin(async (tx) => {
        const before = await getProvider(tx, id);
        if (!before) throw notFound('provider', id);
        const known = secrets ?? (await getProviderSecrets(tx, box, id)) ?? undefined;
        requireSecrets(provider.config, known);
        await updateProvider(tx, { id, ...provider });
        if (secrets) await setProviderSecrets(tx, box, id, secrets);
        await setProviderArchived(tx, id, archived);
        await audit(
          tx,
          request,
          'provider.update',
          { kind: 'provider', id },
          {
            name: provider.name,
            ratePerSecond: provider.ratePerSecond,
            archived,
            newSecrets: secrets !== undefined,
          },
        );
        const after = await getProvider(tx, id);
        if (!after) throw notFound('provider', id);
        return withCallbacks(after);
      });
    },
  );
};

/** Secrets are those of the config's kind, and all that the templates of a gateway name. */
function requireSecrets(config: ProviderConfig, secrets: ProviderSecrets | undefined): void {
  if (secrets?.kind !== config.kind) {
    const message = `Give the secrets of a provider of the kind ${config.kind}.`;
    throw new ApiError('invalid_fields', { problems: [{ field: 'secrets', code: 'missing', message }] });
  }
  if (config.kind !== 'http' || secrets.kind !== 'http') return;
  const missing = gatewaySecretNames(config).filter((name) => !Object.hasOwn(secrets.values, name));
  if (missing.length === 0) return;
  throw new ApiError('invalid_fields', {
    problems: missing.map((name) => ({
      field: `secrets.values.${name}`,
      code: 'missing',
      message: `A template uses {secret.${name}}: give its value.`,
    })),
  });
}
