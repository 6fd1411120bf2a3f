import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { readiness, readinessOf, type Servers } from '../../health/readiness.ts';
import type { ServerWatch } from '../../health/watch.ts';

interface HealthDeps {
  watch: ServerWatch<Servers>;
  /** Whether the API accepts requests: false until it has reached the database for the first time. */
  isOpen: () => boolean;
}

/** For load balancers and orchestrators, without a login. */
export const health: FastifyPluginAsyncZod<HealthDeps> = async (app, { watch, isOpen }) => {
  app.get(
    '/live',
    {
      config: { access: 'open' },
      schema: {
        tags: ['health'],
        summary: 'Check that the process responds',
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
        summary: 'Check that the database accepts writes and Temporal responds',
        description:
          'The result is at most one second old and is shared by all requests within that second. `waitingFor` lists the servers that are unavailable, with the reason and since when.',
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_, reply) => {
      const answer = readinessOf(await watch.look(), isOpen());
      return reply.code(answer.ready ? 200 : 503).send(answer);
    },
  );
};
