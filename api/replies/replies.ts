import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import { getMessage } from '../../db/messages/messages.ts';
import { getReply, listReplies, type ReplyRow } from '../../db/replies/replies.ts';
import { replyWorkflowId } from '../../domain/ids.ts';
import { replyEffects } from '../../domain/reply.ts';
import type { Format } from '../../domain/format.ts';
import { replyLabels } from '../../domain/words/replies.ts';
import { type CsvColumn, csvCode, csvPhone, csvQuery, csvRoute, sendRows } from '../http/csv.ts';
import { formatOf, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { retryingOf, retryingView } from '../http/retrying.ts';
import { idParams, page, phonesParam, urlId } from '../http/parameters.ts';

export const replyView = z.object({
  id: z.int(),
  providerId: z.int(),
  providerMessageId: z.string(),
  /** The sender: E.164 if it is a phone number. */
  phone: z.string(),
  /** The number, short code or name of ours that received it. */
  recipient: z.string(),
  text: z.string(),
  receivedAt: instant,
  /** Null, like `effect`, until it is handled. */
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
  /** An automatic text to it whose outcome is unknown: `POST /api/answers/{id}/resolve` resolves it. */
  unknownAnswerId: z.int().nullable(),
});
export const replyList = z.object({ replies: z.array(replyView) });

/** The message that a reply answers, with what is needed to understand the reply. */
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
  phone: phonesParam.optional(),
  effect: z.enum(replyEffects).optional(),
  /** `true`: only those that answer no message of ours. */
  unmatched: z.stringbool().optional(),
});

/** Incoming messages, with full phones and texts, as with messages. */
export const replies: FastifyPluginAsyncZod<{ sql: Sql; clock: () => Date }> = async (
  app,
  { sql, clock },
) => {
  const tags = ['replies'];

  app.get(
    '/replies',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List replies, newest first',
        querystring: page.extend(filter.shape),
        response: { 200: replyList },
      },
    },
    async ({ query: { before, limit, ...where } }) => ({
      replies: await listReplies(sql, where, { before, limit }),
    }),
  );

  app.get(
    '/replies.csv',
    csvRoute({
      access: 'any_role',
      tags,
      summary: 'Download replies as a CSV file',
      querystring: filter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...where } = request.query;
      return sendRows(request, reply, {
        format,
        name: { en: 'replies', 'pt-BR': 'respostas' },
        columns: columnsIn,
        read: (last, limit) => listReplies(sql, where, { before: last?.id, limit }),
      });
    },
  );

  app.get(
    '/replies/:id',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'Get a reply and the message that it answers',
        params: idParams,
        response: {
          200: z.object({
            reply: replyView,
            message: answeredView.nullable(),
            /** The failed attempt to handle it, which is retried; null: none. */
            retrying: retryingView.nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const reply = orNotFound(await getReply(sql, id), 'reply', id);
      return {
        reply,
        message: reply.messageId === null ? null : await getMessage(sql, reply.messageId),
        retrying:
          reply.handledAt === null
            ? await retryingOf(sql, replyWorkflowId(id), clock(), formatOf(request))
            : null,
      };
    },
  );
};

const columnsIn = ({ locale }: Format): readonly CsvColumn<ReplyRow>[] => {
  const t = replyLabels[locale];
  return [
    ['id', null, ({ id }) => id],
    ['received_at', t.received, ({ receivedAt }) => receivedAt],
    ['phone', t.phone, ({ phone }) => csvPhone(phone)],
    ['recipient', t.recipient, ({ recipient }) => csvPhone(recipient)],
    ['text', t.text, ({ text }) => text],
    ['effect', t.effect, ({ effect }) => csvCode(effect, t.effects)],
    ['campaign_id', null, ({ campaignId }) => campaignId],
    ['campaign', t.campaign, ({ campaignName }) => campaignName],
    ['run_id', t.run, ({ runId }) => runId],
    ['message_id', null, ({ messageId }) => messageId],
    ['ticket_id', t.ticket, ({ ticketId }) => ticketId],
  ];
};
