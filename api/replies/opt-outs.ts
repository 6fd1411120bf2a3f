import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { phoneOfReply, phoneOfTicket, type WrittenPhone } from '../../db/replies/opt-outs.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

const subjects = [
  { noun: 'reply', path: '/replies', tag: 'replies', phoneOf: phoneOfReply },
  { noun: 'ticket', path: '/tickets', tag: 'tickets', phoneOf: phoneOfTicket },
] as const;

/** Opts out the phone of a reply or ticket, for a user who reads that the customer wants no more messages. */
export const optOutsOfReaders: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  for (const { noun, path, tag, phoneOf } of subjects) {
    app.post(
      `${path}/:id/opt-out`,
      {
        config: { access: 'agent' },
        schema: {
          tags: [tag],
          summary: `Opt out the phone of a ${noun}`,
          description:
            'Takes effect at once: all runs skip their queued messages to the phone. The opt-out is stored with the source `agent` and the user. Only an admin can remove it.',
          params: idParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const found = orNotFound(await phoneOf(sql, id), noun, id);
        await optOut(request, found, noun === 'ticket' ? { ticketId: id } : { replyId: id });
        return reply.code(204).send(null);
      },
    );
  }

  async function optOut(
    request: FastifyRequest,
    { phone, ...found }: WrittenPhone,
    read: Record<string, number>,
  ): Promise<void> {
    if (phone === null || phone === '') throw new ApiError('customer_erased');
    await sql.begin(async (tx) => {
      const actor = actorId(actorOf(request));
      if (!(await optOutPhone(tx, { phone, ...found, source: 'agent', actor })))
        throw new ApiError('already_opted_out');
      const [row] = await tx<[{ id: number }]>`
        select id from opt_outs where phone = ${phone} and sandbox = (${Number(found.sandbox)} = 1)`;
      await audit(tx, request, 'opt_out.create', { kind: 'opt_out', id: row.id }, read);
    });
    await endPastAlerts(sql, 'holds');
  }
};
