import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { changesBetween } from '../../domain/changes.ts';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { setFallback } from '../../db/providers/fallbacks.ts';
import { getProvider, lockProvider } from '../../db/providers/providers.ts';
import { audit } from '../http/auth.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

const body = z.strictObject({ fallbackId: z.int().positive().nullable() });

export const fallbackView = z.object({ id: z.int(), fallbackId: z.int().nullable() });

/** The fallback of a provider: it sends the messages that the provider has certainly not accepted. */
export const providerFallbacks: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  app.get(
    '/:id/fallback',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['providers'],
        summary: 'Get the fallback of a provider',
        params: idParams,
        response: { 200: fallbackView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const provider = orNotFound(await getProvider(sql, id), 'provider', id);
      const { fallbackId } = provider;
      nameVersion(reply, { fallbackId });
      return { id, fallbackId };
    },
  );

  app.put(
    '/:id/fallback',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['providers'],
        summary: 'Set the fallback of a provider',
        description:
          'Runs switch to the fallback when the provider accepts no messages. Null means no fallback: a run then pauses or waits. Applies at once, also to runs in progress. A run that has switched never returns; the next run of its campaign starts with the original provider.',
        params: idParams,
        headers: versionHeaders,
        body,
        response: { 200: fallbackView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { fallbackId } = request.body;
      await sql.begin(async (tx) => {
        const before = orNotFound(await lockProvider(tx, id), 'provider', id);
        requireVersion(request, { fallbackId: before.fallbackId });
        const fallback = fallbackId === null ? null : await getProvider(tx, fallbackId);
        if (fallbackId !== null && !fallback) throw refused('unknown');
        if (fallback?.archivedAt) throw refused('archived');
        if (!(await setFallback(tx, id, fallbackId))) throw refused('cycle');
        const changes = changesBetween({ fallbackId: before.fallbackId }, { fallbackId });
        await audit(tx, request, 'provider.fallback', { kind: 'provider', id }, { fallbackId }, changes);
      });
      return { id, fallbackId };
    },
  );
};

const refused = (code: 'unknown' | 'archived' | 'cycle'): ApiError =>
  new ApiError('invalid_fields', { problems: [problem('fallbackId', code)] });
