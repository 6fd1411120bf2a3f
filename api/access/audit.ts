import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { listAudit, subjectKinds } from '../../db/access/audit.ts';
import type { Sql } from '../../db/core/client.ts';
import { instant } from '../http/instant.ts';
import { page, urlId } from '../http/parameters.ts';

export const auditEntryView = z.object({
  id: z.int(),
  at: instant,
  actor: z.string(),
  actorName: z.string(),
  action: z.string(),
  subjectKind: z.enum(subjectKinds),
  subjectId: z.int().nullable(),
  details: z.record(z.string(), z.unknown()),
});

/** Who changed what. */
export const auditLog: FastifyPluginAsyncZod<{ sql: Sql }> = async (app, { sql }) => {
  app.get(
    '',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['audit'],
        summary: 'Who changed what, newest first',
        querystring: page.extend({
          subjectKind: z.enum(subjectKinds).optional(),
          subjectId: urlId.optional(),
        }),
        response: { 200: z.object({ entries: z.array(auditEntryView) }) },
      },
    },
    async ({ query: { before = null, limit, ...filter } }) => ({
      entries: await listAudit(sql, filter, { before, limit }),
    }),
  );
};
