import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { insertToken, listTokens, revokeToken } from '../../db/access/tokens.ts';
import { role } from '../../domain/user.ts';
import { actorOf, audit, hashSecret, newToken } from '../http/auth.ts';
import { coded } from '../../domain/problems/coded.ts';
import { orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams, page } from '../http/parameters.ts';

export const tokenView = z.object({
  id: z.int(),
  name: z.string(),
  role,
  createdBy: z.int(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
  revokedAt: instant.nullable(),
});
export const tokenList = z.object({ tokens: z.array(tokenView) });

/** The fields of a token. */
export const tokenContent = z.strictObject({
  name: z.string().trim().min(1, coded('missing')).max(100),
  role,
  /** Null: never. */
  expiresInDays: z.int().min(1).max(3650).nullable().default(365),
});

/**
 * Tokens for programs. Only users create and revoke them: a token that creates tokens or users would outlive its own
 * revocation.
 */
export const tokens: FastifyPluginAsyncZod<{ sql: Database; clock: () => Date }> = async (
  app,
  { sql, clock },
) => {
  app.get(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['tokens'],
        summary: 'List API tokens',
        querystring: page,
        response: { 200: tokenList },
      },
    },
    async ({ query: { before = null, limit } }) => ({ tokens: await listTokens(sql, { before, limit }) }),
  );

  app.post(
    '',
    {
      config: { access: 'admin', usersOnly: true },
      schema: {
        tags: ['tokens'],
        summary: 'Create an API token',
        description: 'The token is returned only in this response.',
        body: tokenContent,
        response: { 201: tokenView.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { name, role, expiresInDays } = request.body;
      const expiresAt =
        expiresInDays === null ? null : new Date(clock().getTime() + expiresInDays * 86_400_000);
      const token = newToken();
      const row = await sql.begin(async (tx) => {
        const added = await insertToken(tx, {
          name,
          role,
          tokenHash: hashSecret(token),
          createdBy: actor.id,
          expiresAt,
        });
        await audit(tx, request, 'token.create', { kind: 'token', id: added.id }, { name, role });
        return added;
      });
      return reply.code(201).send({ ...row, token });
    },
  );

  app.delete(
    '/:id',
    {
      config: { access: 'admin', usersOnly: true },
      schema: {
        tags: ['tokens'],
        summary: 'Revoke an API token',
        params: idParams,
        response: { 200: tokenView },
      },
    },
    async (request) => {
      const { id } = request.params;
      return sql.begin(async (tx) => {
        const row = orNotFound(await revokeToken(tx, id), 'token', id);
        await audit(tx, request, 'token.revoke', { kind: 'token', id }, { name: row.name });
        return row;
      });
    },
  );
};
