import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import type { Temporal } from '../services/temporal.ts';

const readiness = z.object({ ready: z.boolean(), database: z.boolean(), temporal: z.boolean() });

/** How long the database may take to say that it is there. */
const databaseTimeoutMs = 2_000;

/** For load balancers and orchestrators; nobody logs in for these. */
export const health: FastifyPluginAsyncZod<{ sql: Sql; temporal: Temporal }> = async (
  app,
  { sql, temporal },
) => {
  app.get(
    '/live',
    {
      config: { access: 'open' },
      schema: {
        tags: ['health'],
        summary: 'Whether the process answers',
        response: { 200: z.object({ live: z.literal(true) }) },
      },
    },
    async () => ({ live: true as const }),
  );

  app.get(
    '/ready',
    {
      config: { access: 'open' },
      schema: {
        tags: ['health'],
        summary: 'Whether the database and Temporal answer, too',
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_, reply) => {
      const [database, temporalReady] = await Promise.all([isDatabaseReady(sql), temporal.isReady()]);
      const ready = database && temporalReady;
      return reply.code(ready ? 200 : 503).send({ ready, database, temporal: temporalReady });
    },
  );
};

async function isDatabaseReady(sql: Sql): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), databaseTimeoutMs);
  });
  const answered = sql`select 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}
