import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import { getMessage } from '../../db/messages/messages.ts';
import { getReply, listReplies, type ReplyRow } from '../../db/replies/replies.ts';
import { replyWorkflowId } from '../../domain/ids.ts';
import { replyEffects } from '../../domain/reply.ts';
import { type CsvColumn, csvDescription, csvOf, csvPhone, sendCsv } from '../http/csv.ts';
import { notFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { retryingOf, retryingView } from '../http/retrying.ts';
import { idParams, page, phoneParam, urlId } from '../http/parameters.ts';

export const replyView = z.object({
  id: z.int(),
  providerId: z.int(),
  providerMessageId: z.string(),
  /** Who wrote: E.164 where it can be read so. */
  phone: z.string(),
  /** The number, short code or name of ours that it was written to. */
  recipient: z.string(),
  text: z.string(),
  receivedAt: instant,
  /** Null, with `effect`: it is waiting to be handled. */
  handledAt: instant.nullable(),
  effect: z.enum(replyEffects).nullable(),
  /** Null: it answers no message of ours. */
  messageId: z.int().nullable(),
  campaignId: z.int().nullable(),
  campaignName: z.string().nullable(),
  runId: z.int().nullable(),
  customerId: z.int().nullable(),
  /** The ticket that it opened, or that it was added to. */
  ticketId: z.int().nullable(),
});

/** The message that a reply answers, as far as it helps to understand the reply. */
export const answeredView = z.object({
  id: z.int(),
  line: z.int(),
  code: z.string().nullable(),
  name: z.string().nullable(),
  text: z.string().nullable(),
  sentAt: instant.nullable(),
});

const filter = z.strictObject({
  campaignId: urlId.optional(),
  runId: urlId.optional(),
  customerId: urlId.optional(),
  phone: phoneParam.optional(),
  effect: z.enum(replyEffects).optional(),
  /** `true`: only those that answer no message of ours. */
  unmatched: z.stringbool().optional(),
});

/** What people wrote to us. With phones and texts in full, as messages have them. */
export const replies: FastifyPluginAsyncZod<{ sql: Sql; clock: () => Date }> = async (
  app,
  { sql, clock },
) => {
  const tags = ['replies'];

  app.get(
    '/replies',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What people wrote to us, newest first',
        querystring: page.extend(filter.shape),
        response: { 200: z.object({ replies: z.array(replyView) }) },
      },
    },
    async ({ query: { before, limit, ...where } }) => ({
      replies: await listReplies(sql, where, { before, limit }),
    }),
  );

  app.get(
    '/replies.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What people wrote to us as a CSV file',
        description: csvDescription,
        produces: ['text/csv'],
        querystring: filter,
      },
    },
    async ({ query }, reply) =>
      sendCsv(
        reply,
        'replies.csv',
        csvOf(columns, (last, limit) => listReplies(sql, query, { before: last?.id, limit })),
      ),
  );

  app.get(
    '/replies/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One reply, and the message that it answers',
        params: idParams,
        response: {
          200: z.object({
            reply: replyView,
            message: answeredView.nullable(),
            /** Handling it failed and is tried again. */
            retrying: retryingView.nullable(),
          }),
        },
      },
    },
    async ({ params: { id } }) => {
      const reply = await getReply(sql, id);
      if (!reply) throw notFound('reply', id);
      return {
        reply,
        message: reply.messageId === null ? null : await getMessage(sql, reply.messageId),
        retrying: reply.handledAt === null ? await retryingOf(sql, replyWorkflowId(id), clock()) : null,
      };
    },
  );
};

const columns: readonly CsvColumn<ReplyRow>[] = [
  ['id', ({ id }) => id],
  ['received_at', ({ receivedAt }) => receivedAt.toISOString()],
  ['phone', ({ phone }) => csvPhone(phone)],
  ['recipient', ({ recipient }) => csvPhone(recipient)],
  ['text', ({ text }) => text],
  ['effect', ({ effect }) => effect ?? ''],
  ['campaign_id', ({ campaignId }) => campaignId ?? ''],
  ['campaign', ({ campaignName }) => campaignName ?? ''],
  ['run_id', ({ runId }) => runId ?? ''],
  ['message_id', ({ messageId }) => messageId ?? ''],
  ['ticket_id', ({ ticketId }) => ticketId ?? ''],
];
