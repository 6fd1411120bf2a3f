import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { getMessage } from '../../db/messages/messages.ts';
import { getRun } from '../../db/runs/runs.ts';
import { countUnknown, resolveByUser, type Statement } from '../../db/messages/unknown.ts';
import { messageStatuses } from '../../domain/message.ts';
import { lookUpWords } from '../../domain/problems/runs.ts';
import { lookUpResults } from '../../domain/unknown.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { coded } from '../../domain/problems/coded.ts';
import { ApiError, formatOf, notFound, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

const statementBody = z.strictObject({
  /** True: the message arrived and becomes `delivered`. False: it did not arrive and becomes `undelivered`. */
  arrived: z.boolean(),
  /** The user's evidence. Stored with the message; the audit log has only the user who decided. */
  note: z.string().trim().min(1, coded('missing')).max(500),
});

export const unknownView = z.object({
  messages: z.int(),
  /** By the result of their lookup; `result` null: not looked up yet. */
  byLookUp: z.array(
    z.object({ result: z.enum(lookUpResults).nullable(), messages: z.int(), words: z.string() }),
  ),
});

/** Resolving unknown messages by what a user knows about them. */
export const unknown: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const statementOf = (request: FastifyRequest, body: z.infer<typeof statementBody>): Statement => {
    const actor = actorOf(request);
    return { arrived: body.arrived, note: body.note, by: actorId(actor), byName: actor.name };
  };

  app.post(
    '/messages/:id/resolve',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['messages'],
        summary: 'Resolve an unknown message',
        description:
          'States whether the message arrived. The statement is final: a later receipt changes nothing. If the message is no longer unknown, for example because of a receipt, the error is `not_unknown`.',
        params: idParams,
        body: statementBody,
        response: { 200: z.object({ id: z.int(), status: z.enum(messageStatuses) }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const statement = statementOf(request, request.body);
      await sql.begin(async (tx) => {
        if ((await resolveByUser(tx, { messageId: id }, statement)) === 1) {
          const { arrived } = statement;
          await audit(tx, request, 'message.resolve', { kind: 'message', id }, { arrived });
          return;
        }
        const message = orNotFound(await getMessage(tx, id), 'message', id);
        throw new ApiError('not_unknown', {
          params: { status: message.status },
        });
      });
      const message = orNotFound(await getMessage(sql, id), 'message', id);
      return { id, status: message.status };
    },
  );

  app.get(
    '/runs/:id/unknown',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['runs'],
        summary: 'Count the unknown messages of a run by the result of their lookup',
        params: idParams,
        response: { 200: unknownView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await needRun(id);
      const { messages, byLookUp } = await countUnknown(sql, id);
      return {
        messages,
        byLookUp: byLookUp.map((group) => ({
          ...group,
          words: lookUpWords({ result: group.result, dueAt: null }, formatOf(request)),
        })),
      };
    },
  );

  app.post(
    '/runs/:id/resolve',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['runs'],
        summary: 'Resolve all unknown messages of a run',
        description:
          'States whether they arrived. `messages` is the expected number of unknown messages. If the number has changed, nothing is resolved and the error is `unknown_changed`.',
        params: idParams,
        body: statementBody.extend({ messages: z.int().min(1) }),
        response: { 200: z.object({ id: z.int(), messages: z.int() }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { messages: seen, ...body } = request.body;
      await needRun(id);
      await sql.begin(async (tx) => {
        const messages = await resolveByUser(tx, { runId: id }, statementOf(request, body));
        if (messages !== seen) {
          throw new ApiError('unknown_changed', {
            params: { messages, seen },
          });
        }
        await audit(tx, request, 'run.resolve', { kind: 'run', id }, { arrived: body.arrived, messages });
      });
      return { id, messages: seen };
    },
  );

  async function needRun(id: number): Promise<void> {
    if (!(await getRun(sql, id))) throw notFound('run', id);
  }
};
