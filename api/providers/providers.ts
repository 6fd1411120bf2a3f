import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { omitUndefined } from '../http/omit-undefined.ts';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import {
  deleteProvider,
  getProvider,
  getProviderSecrets,
  insertProvider,
  listProviders,
  lockProvider,
  type ProviderRow,
  providerUses,
  setProviderArchived,
  setProviderSecrets,
  updateProvider,
} from '../../db/providers/providers.ts';
import { providerTroubles, releaseProvider } from '../../db/providers/trouble.ts';
import { countUnread } from '../../db/replies/inbound.ts';
import { sendingRuns } from '../../db/runs/progress.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { askedAgain, hasNewOrigin } from '../../domain/destination.ts';
import { gatewaySecretNames } from '../../domain/http-gateway.ts';
import {
  callbackPath,
  changedSecrets,
  profilesOf,
  providerConfig,
  type ProviderConfig,
  providerSecretChanges,
  providerSecrets,
  type ProviderSecrets,
  secretAddresses,
  secretsAskedFor,
  mostInFlight,
  usedSecrets,
} from '../../domain/provider.ts';
import { segmentProfileName } from '../../domain/segments.ts';
import { settingName } from '../../domain/settings.ts';
import { audit } from '../http/auth.ts';
import { ApiError, isForeignKeyViolation, notFound, orNotFound } from '../http/errors.ts';
import { parseInput } from '../http/input.ts';
import { instant } from '../http/instant.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';
import { idParams } from '../http/parameters.ts';
import type { ProgressHub } from '../services/progress.ts';
import { inUse, usesView } from '../settings/uses.ts';

/** The fields of a provider, besides its secrets. */
export const providerContent = z.strictObject({
  name: settingName,
  config: providerConfig,
  segmentProfile: segmentProfileName.default('gsm'),
  /** Segments per second, across all workers and campaigns; null: no limit. Applies at once, also to live runs. */
  ratePerSecond: z.number().positive().max(100_000).nullable().default(null),
  /**
   * Concurrent sends, across all workers and campaigns: at least the rate times the response time of the provider. If
   * omitted, it stays unchanged; for a new provider it is the default of its kind.
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
  /** The fallback of the provider: `PUT /api/providers/{id}/fallback`. */
  fallbackId: z.int().nullable(),
  archivedAt: instant.nullable(),
  /** What holds its messages back; null: nothing. `POST /api/providers/{id}/release` lifts it. */
  trouble: z
    .object({
      /** It asked us to wait (429, Retry-After); `code`: its answer. */
      pause: z.object({ until: instant, code: z.string() }).nullable(),
      /**
       * The number of consecutive answers with an unknown outcome. `nextAt`: when one message tests the provider again;
       * null: when a user decides.
       */
      doubt: z.object({ answers: z.int(), code: z.string(), nextAt: instant.nullable() }).nullable(),
    })
    .nullable(),
  /** The number of unread calls, up to 10,000. `GET /api/providers/{id}/unread` lists them. */
  unreadCalls: z.int(),
  /**
   * Where the provider sends receipts and incoming messages. All kinds except Twilio and the sandbox must add the
   * callback secret: as `?key=…`, as the last segment of the path, in the header X-Torpedo-Key, or as a password or
   * bearer token.
   */
  callbacks: z.object({ receipts: z.string(), inbound: z.string() }),
});

/** The current throughput of each provider; a provider that sends nothing is omitted. */
export const providerRates = z.object({
  rates: z.array(
    z.object({
      providerId: z.int(),
      /** Runs that are sending through it. */
      runs: z.int(),
      /** Over about the last 10 seconds, all runs together; null: until it was measured twice. */
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

/** SMS providers. Their secrets are write-only. */
export const providers: FastifyPluginAsyncZod<ProvidersDeps> = async (app, { sql, box, hub, publicUrl }) => {
  const view = async (providers: readonly ProviderRow[]) => {
    const troubles = await providerTroubles(
      sql,
      providers.map(({ id }) => id),
    );
    const unread = new Map((await countUnread(sql)).map(({ providerId, count }) => [providerId, count]));
    return providers.map((provider) => ({
      ...withCallbacks(provider),
      trouble: troubles.get(provider.id) ?? null,
      unreadCalls: unread.get(provider.id) ?? 0,
    }));
  };
  const viewOne = async (id: number) => {
    const provider = await getProvider(sql, id);
    const [viewed] = provider ? await view([provider]) : [];
    if (!viewed) throw notFound('provider', id);
    return viewed;
  };
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
    async () => ({ providers: await view(await listProviders(sql)) }),
  );

  app.get(
    '/rates',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the current rate of each provider',
        description: 'Computed from the stored counts of the runs. Suitable for polling every few seconds.',
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
      schema: { tags, summary: 'List what uses a provider', params: idParams, response: { 200: usesView } },
    },
    async ({ params: { id } }) => ({ usedBy: await providerUses(sql, id) }),
  );

  app.get(
    '/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Get an SMS provider', params: idParams, response: { 200: providerView } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const provider = orNotFound(await getProvider(sql, id), 'provider', id);
      nameVersion(reply, editedOf(provider));
      return viewOne(id);
    },
  );

  app.post(
    '/:id/release',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'End a pause requested by the provider, or test a provider in doubt with one message',
        description:
          'Applies at once to all runs of the provider. If the provider requests another pause, Torpedo pauses again. A paused run must be resumed separately.',
        params: idParams,
        response: { 200: providerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await viewOne(id);
      await sql.begin(async (tx) => {
        await releaseProvider(tx, id);
        await audit(tx, request, 'provider.release', { kind: 'provider', id });
      });
      return viewOne(id);
    },
  );

  app.post(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Create an SMS provider',
        body: providerContent.extend({ secrets: providerSecrets }),
        response: { 201: providerView },
      },
    },
    async (request, reply) => {
      const { body } = request;
      requireProfile(body);
      requireSecrets(body.config, body.secrets);
      const provider = await sql.begin(async (tx) => {
        const secrets = usedSecrets(body.config, body.secrets);
        const added = await insertProvider(tx, box, { ...body, secrets });
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
        .send({ ...withCallbacks(provider), trouble: null, unreadCalls: 0 });
    },
  );

  app.put(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Update or archive an SMS provider',
        description:
          'If you omit a secret, it stays unchanged. Changing the kind or the origin (scheme, host, port) requires all secrets again. A new rate applies at once.',
        params: idParams,
        headers: versionHeaders,
        body: providerContent.extend({
          // Required, because a client that forgets it would remove the limit.
          ratePerSecond: providerContent.shape.ratePerSecond.unwrap(),
          secrets: providerSecretChanges.optional(),
          archived: z.boolean().default(false),
        }),
        response: { 200: providerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { secrets, archived, ...provider } = request.body;
      requireProfile(provider);
      await sql.begin(async (tx) => {
        const before = orNotFound(await lockProvider(tx, id), 'provider', id);
        requireVersion(request, editedOf(before));
        const { config } = provider;
        const complete = providerSecrets.safeParse(secrets);
        if (complete.success && secretProblems(config, complete.data).length === 0) {
          // The stored secret may be sealed with a key that is gone.
          await setProviderSecrets(tx, box, id, usedSecrets(config, complete.data));
        } else {
          const isElsewhere = hasNewOrigin(secretAddresses(before.config), secretAddresses(config));
          const stored = isElsewhere ? null : await getProviderSecrets(tx, box, id);
          const known = secrets ? changedSecrets(stored, secrets) : (stored ?? { kind: config.kind });
          const checked = checkedSecrets(config, known, before.config.kind === config.kind && isElsewhere);
          const used = usedSecrets(config, checked);
          if (secrets || used !== checked) await setProviderSecrets(tx, box, id, used);
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
          changesBetween(
            { ...editedOf(before), archived: before.archivedAt !== null },
            { ...editedOf(before), ...omitUndefined(provider), archived },
          ),
        );
      });
      return viewOne(id);
    },
  );

  app.delete(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete a provider that was never used',
        description: 'If the provider is in use, the error `in_use` lists what uses it. Archive it instead.',
        params: idParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      try {
        await sql.begin(async (tx) => {
          if (!(await getProvider(tx, id))) throw notFound('provider', id);
          await audit(tx, request, 'provider.delete', { kind: 'provider', id });
          if (!(await deleteProvider(tx, id))) throw inUse([]);
        });
      } catch (error) {
        if (!isForeignKeyViolation(error)) throw error;
        throw inUse(await providerUses(sql, id));
      }
      return reply.code(204).send(null);
    },
  );
};

/** The fields that a change of a provider replaces. */
const editedOf = ({ name, config, segmentProfile, ratePerSecond, maxInFlight, archivedAt }: ProviderRow) => ({
  ...{ name, config, segmentProfile, ratePerSecond, maxInFlight },
  archivedAt,
});

const missingSecret = { apiKeySecret: 'api_key_secret', sharedKeySecret: 'shared_key_secret' } as const;

/** Checks that the secrets are those of the kind, and that all secrets in the description are there. */
function secretProblems(config: ProviderConfig, secrets: ProviderSecrets): Problem[] {
  if (secrets.kind !== config.kind) return [problem('secrets', 'missing', { what: 'provider_secrets' })];
  if (secrets.kind === 'twilio') {
    return secretsAskedFor(config)
      .filter((name) => secrets[name] === undefined)
      .map((name) => problem(`secrets.${name}`, 'missing', { what: missingSecret[name] }));
  }
  if (config.kind !== 'http' || secrets.kind !== 'http') return [];
  return gatewaySecretNames(config)
    .filter((name) => !Object.hasOwn(secrets.values, name))
    .map((name) => problem(`secrets.values.${name}`, 'missing_template_secret', { name }));
}

function requireProfile({ config, segmentProfile }: z.output<typeof providerContent>): void {
  if (profilesOf(config.kind).includes(segmentProfile)) return;
  throw new ApiError('invalid_fields', { problems: [problem('segmentProfile', 'profile_of_infobip')] });
}

/** @param isElsewhere the secrets would be sent to another origin: all of them must be entered again */
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
