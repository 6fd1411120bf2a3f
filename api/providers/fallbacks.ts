import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { setFallback } from '../../db/providers/fallbacks.ts';
import { getProvider } from '../../db/providers/providers.ts';
import { audit } from '../http/auth.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

const body = z.strictObject({ fallbackId: z.int().positive().nullable() });

/** Which provider takes over what another one has certainly not taken. */
export const providerFallbacks: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  app.put(
    '/:id/fallback',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['providers'],
        summary: 'Set the provider that takes over when this one takes nothing any more',
        description:
          'Null: none, a run then pauses or waits. Counts at once, for runs in progress too. A run goes back to its own provider never, the next run of its campaign always.',
        params: idParams,
        body,
        response: { 200: z.object({ id: z.int(), fallbackId: z.int().nullable() }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { fallbackId } = request.body;
      await sql.begin(async (tx) => {
        if (!(await getProvider(tx, id))) throw notFound('provider', id);
        const fallback = fallbackId === null ? null : await getProvider(tx, fallbackId);
        if (fallbackId !== null && !fallback) throw refused('unknown');
        if (fallback?.archivedAt) throw refused('archived');
        if (!(await setFallback(tx, id, fallbackId))) throw refused('cycle');
        await audit(tx, request, 'provider.fallback', { kind: 'provider', id }, { fallbackId });
      });
      return { id, fallbackId };
    },
  );
};

const refused = (code: 'unknown' | 'archived' | 'cycle'): ApiError =>
  new ApiError('invalid_fields', { problems: [problem('fallbackId', code)] });
