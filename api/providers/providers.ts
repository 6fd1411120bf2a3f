import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import {
  deleteProvider,
  getProvider,
  getProviderSecrets,
  insertProvider,
  listProviders,
  lockProvider,
  providerUses,
  setProviderArchived,
  setProviderSecrets,
  updateProvider,
} from '../../db/providers/providers.ts';
import { sendingRuns } from '../../db/runs/progress.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { askedAgain, leadsElsewhere } from '../../domain/destination.ts';
import { gatewaySecretNames } from '../../domain/http-gateway.ts';
import {
  callbackPath,
  changedSecrets,
  providerConfig,
  type ProviderConfig,
  providerSecretChanges,
  providerSecrets,
  type ProviderSecrets,
  secretAddresses,
  mostInFlight,
} from '../../domain/provider.ts';
import { segmentProfileName } from '../../domain/segments.ts';
import { settingName } from '../../domain/settings.ts';
import { audit } from '../http/auth.ts';
import { ApiError, isForeignKeyViolation, notFound } from '../http/errors.ts';
import { parseInput } from '../http/input.ts';
import { instant } from '../http/instant.ts';
import { idParams } from '../http/parameters.ts';
import type { ProgressHub } from '../services/progress.ts';
import { inUse, usesView } from '../settings/uses.ts';

const content = z.strictObject({
  name: settingName,
  config: providerConfig,
  segmentProfile: segmentProfileName.default('gsm'),
  /** Segments a second, over all workers and campaigns; null: no limit. Counts at once, for runs in progress too. */
  ratePerSecond: z.number().positive().max(100_000).nullable().default(null),
  /**
   * Sends under way at once, over all workers and campaigns. What a provider far away needs is its rate times the time
   * that an answer takes. Left out: what suits its kind, or what it was.
   */
  maxInFlight: z.int().min(1).max(mostInFlight).optional(),
});

export const providerView = z.object({
  id: z.int(),
  name: z.string(),
  config: providerConfig,
  segmentProfile: segmentProfileName,
  ratePerSecond: z.number().nullable(),
  maxInFlight: z.int(),
  /** The provider that takes over what this one takes no more: PUT /api/providers/{id}/fallback. */
  fallbackId: z.int().nullable(),
  archivedAt: instant.nullable(),
  /**
   * Where the provider calls us with receipts and incoming messages. All kinds but Twilio and the sandbox add the
   * callback secret: `?key=…`, as last part of the path, in the header X-Torpedo-Key, or as password or bearer token.
   */
  callbacks: z.object({ receipts: z.string(), inbound: z.string() }),
});

/** What leaves through each provider now; one through which nothing is being sent is left out. */
export const providerRates = z.object({
  rates: z.array(
    z.object({
      providerId: z.int(),
      /** Runs that are sending through it. */
      runs: z.int(),
      /** Over about the last 10 seconds, all runs together; null: until it has been looked at twice. */
      segmentsPerSecond: z.number().nullable(),
    }),
  ),
});

interface ProvidersDeps {
  sql: Database;
  box: SecretBox;
  hub: ProgressHub;
  publicUrl: string;
}

/** SMS providers. Their secrets are written here and never shown again. */
export const providers: FastifyPluginAsyncZod<ProvidersDeps> = async (app, { sql, box, hub, publicUrl }) => {
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
    '/rates',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What leaves through each provider now',
        description: 'From the counts that its runs keep. Meant to be asked again every few seconds.',
        response: { 200: providerRates },
      },
    },
    async () => {
      const sending = await sendingRuns(sql);
      const looks = await Promise.all(
        sending.map(async ({ id, providerId }) => ({ providerId, progress: await hub.look(id) })),
      );
      const rates = [...new Set(sending.map(({ providerId }) => providerId))].map((providerId) => {
        const own = looks.filter((look) => look.providerId === providerId);
        const known = own.flatMap(({ progress }) => progress?.segmentsPerSecond ?? []);
        const sum = known.reduce((all, rate) => all + rate, 0);
        return {
          providerId,
          runs: own.length,
          segmentsPerSecond: known.length === 0 ? null : Math.round(sum * 10) / 10,
        };
      });
      return { rates };
    },
  );

  app.get(
    '/:id/uses',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'What uses a provider', params: idParams, response: { 200: usesView } },
    },
    async ({ params: { id } }) => ({ usedBy: await providerUses(sql, id) }),
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
          'Each secret that is left out stays as it is; another kind, and another origin (scheme, host, port) that they are sent to, need all of them again. A new rate counts at once.',
        params: idParams,
        body: content.extend({
          // To be said: a limit that is gone because nobody named it would be noticed by the carrier first.
          ratePerSecond: content.shape.ratePerSecond.unwrap(),
          secrets: providerSecretChanges.optional(),
          archived: z.boolean().default(false),
        }),
        response: { 200: providerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { secrets, archived, ...provider } = request.body;
      return sql.begin(async (tx) => {
        const before = await lockProvider(tx, id);
        if (!before) throw notFound('provider', id);
        const { config } = provider;
        const complete = providerSecrets.safeParse(secrets);
        if (complete.success && secretProblems(config, complete.data).length === 0) {
          // What is stored may be sealed with a key that is gone.
          await setProviderSecrets(tx, box, id, complete.data);
        } else {
          const isElsewhere = leadsElsewhere(secretAddresses(before.config), secretAddresses(config));
          const stored = isElsewhere ? null : await getProviderSecrets(tx, box, id);
          const known = secrets ? changedSecrets(stored, secrets) : (stored ?? { kind: config.kind });
          const checked = checkedSecrets(config, known, before.config.kind === config.kind && isElsewhere);
          if (secrets) await setProviderSecrets(tx, box, id, checked);
        }
        await updateProvider(tx, { id, ...provider });
        await setProviderArchived(tx, id, archived);
        await audit(
          tx,
          request,
          'provider.update',
          { kind: 'provider', id },
          {
            name: provider.name,
            ratePerSecond: provider.ratePerSecond,
            ...(provider.maxInFlight === undefined ? {} : { maxInFlight: provider.maxInFlight }),
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

  app.delete(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete a provider through which nothing was ever sent',
        description: 'Of one in use the answer (`in_use`) names what uses it; archive it instead.',
        params: idParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      try {
        await sql.begin(async (tx) => {
          if (!(await getProvider(tx, id))) throw notFound('provider', id);
          if (!(await deleteProvider(tx, id))) throw inUse([]);
          await audit(tx, request, 'provider.delete', { kind: 'provider', id });
        });
      } catch (error) {
        if (!isForeignKeyViolation(error)) throw error;
        throw inUse(await providerUses(sql, id));
      }
      return reply.code(204).send(null);
    },
  );
};

/** Secrets are those of the config's kind, and all that the templates of a gateway name. */
function secretProblems(config: ProviderConfig, secrets: ProviderSecrets): Problem[] {
  if (secrets.kind !== config.kind) return [problem('secrets', 'missing', { what: 'provider_secrets' })];
  if (config.kind !== 'http' || secrets.kind !== 'http') return [];
  return gatewaySecretNames(config)
    .filter((name) => !Object.hasOwn(secrets.values, name))
    .map((name) => problem(`secrets.values.${name}`, 'missing_template_secret', { name }));
}

/** @param isElsewhere nothing that is stored may be used: what is missing is asked for again */
function checkedSecrets(config: ProviderConfig, known: unknown, isElsewhere: boolean): ProviderSecrets {
  try {
    const { secrets } = parseInput(z.object({ secrets: providerSecrets }), { secrets: known });
    requireSecrets(config, secrets);
    return secrets;
  } catch (error) {
    if (!isElsewhere || !(error instanceof ApiError)) throw error;
    throw new ApiError('invalid_fields', { problems: askedAgain(error.content.problems ?? []) });
  }
}

function requireSecrets(config: ProviderConfig, secrets: ProviderSecrets): void {
  const problems = secretProblems(config, secrets);
  if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
}
