import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { listInboundEvents } from '../db/inbound.ts';
import { getMessage, listMessages, type MessageFilter, type MessageRow } from '../db/messages.ts';
import { listReplies } from '../db/replies.ts';
import { getRun } from '../db/runs.ts';
import { getLookUp } from '../db/unknown.ts';
import type { Sql } from '../db/client.ts';
import { cancelReasons, failureReasons, messageStatuses, skipReasons } from '../domain/message.ts';
import { describeLookUp, lookUpResults } from '../domain/unknown.ts';
import { csvHeader, csvLines, csvPhone } from './csv.ts';
import { notFound } from './errors.ts';
import { instant } from './instant.ts';
import { idParams, phoneParam } from './parameters.ts';
import { replyView } from './replies.ts';

export const messageView = z.object({
  id: z.int(),
  runId: z.int(),
  line: z.int(),
  status: z.enum(messageStatuses),
  reason: z.enum([...skipReasons, ...failureReasons, ...cancelReasons]).nullable(),
  code: z.string().nullable(),
  name: z.string().nullable(),
  phone: z.string().nullable(),
  text: z.string().nullable(),
  segments: z.int(),
  extra: z.record(z.string(), z.string()).nullable(),
  /** The message of an earlier run that this one sends again. */
  resendOf: z.int().nullable(),
  attempts: z.int(),
  /** The provider that took it, refused it, or may have taken it. */
  providerId: z.int().nullable(),
  providerMessageId: z.string().nullable(),
  providerCode: z.string().nullable(),
  sendingAt: instant.nullable(),
  sentAt: instant.nullable(),
  endedAt: instant.nullable(),
});

export const eventView = z.object({
  id: z.int(),
  /** `look_up`: the provider was asked; `settled`: a person said it in its place. */
  kind: z.enum(['receipt', 'message', 'other', 'look_up', 'settled']),
  payload: z.record(z.string(), z.unknown()),
  receivedAt: instant,
});

export const lookUpView = z.object({
  /** Null: it has not been looked up yet. */
  result: z.enum(lookUpResults).nullable(),
  lookedAt: instant.nullable(),
  /** Null: not looked up any more. */
  dueAt: instant.nullable(),
  words: z.string(),
});

const filter = z.strictObject({
  status: z.enum(messageStatuses).optional(),
  reason: z.enum([...skipReasons, ...failureReasons, ...cancelReasons]).optional(),
  phone: phoneParam.optional(),
});

const linesPerQuery = 1_000;
const eventsShown = 200;
const repliesShown = 200;

/**
 * Messages, with phones in full for every role: who looks into a complaint has a phone to look for, and who may see no
 * phone has no business here.
 */
export const messages: FastifyPluginAsyncZod<{ sql: Sql }> = async (app, { sql }) => {
  const tags = ['messages'];

  app.get(
    '/runs/:id/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The messages of a run, in the order of its mailing',
        params: idParams,
        querystring: filter.extend({
          /** The last line of the page before. */
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: { 200: z.object({ messages: z.array(messageView) }) },
      },
    },
    async ({ params, query: { after, limit, ...where } }) => {
      await needRun(params.id);
      return { messages: await listMessages(sql, { runId: params.id, ...where }, { after, limit }) };
    },
  );

  app.get(
    '/runs/:id/messages.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The messages of a run as a CSV file',
        description:
          'For Excel as it is set up in Brazil: semicolons, UTF-8 with a byte order mark. Phones stand without their +, and what a spreadsheet would take for a formula has an apostrophe before it.',
        produces: ['text/csv'],
        params: idParams,
        querystring: filter,
      },
    },
    async ({ params: { id }, query }, reply) => {
      const run = await needRun(id);
      const extraFields = run.settings.campaign.mailing.extraFields.map(({ name }) => name);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="run-${id}-messages.csv"`)
        .send(Readable.from(csvOf({ runId: id, ...query }, extraFields)));
    },
  );

  app.get(
    '/messages/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One message, all that the provider has said of it, and what was answered to it',
        params: idParams,
        response: {
          200: z.object({
            message: messageView,
            events: z.array(eventView),
            replies: z.array(replyView),
            /** Of an unknown message: what looking it up at the provider has come to; null: not noted for it yet. */
            lookUp: lookUpView.nullable(),
          }),
        },
      },
    },
    async ({ params: { id } }) => {
      const message = await getMessage(sql, id);
      if (!message) throw notFound('message', id);
      const [events, replies, lookUp] = await Promise.all([
        listInboundEvents(sql, id, { limit: eventsShown }),
        listReplies(sql, { messageId: id }, { limit: repliesShown }),
        getLookUp(sql, id),
      ]);
      return { message, events, replies, lookUp: lookUp && { ...lookUp, words: describeLookUp(lookUp) } };
    },
  );

  async function needRun(id: number) {
    const run = await getRun(sql, id);
    if (!run) throw notFound('run', id);
    return run;
  }

  /** A query for each thousand lines: a slow reader holds neither a connection nor memory. */
  async function* csvOf(where: MessageFilter, extraFields: readonly string[]): AsyncGenerator<string> {
    yield csvHeader([...columns.map(([name]) => name), ...extraFields]);
    for (let after = 0; ;) {
      const rows = await listMessages(sql, where, { after, limit: linesPerQuery });
      if (rows.length > 0) {
        yield csvLines(
          rows.map((row) => [
            ...columns.map(([, value]) => value(row)),
            ...extraFields.map((name) => row.extra?.[name] ?? ''),
          ]),
        );
      }
      const last = rows.at(-1);
      if (!last || rows.length < linesPerQuery) return;
      after = last.line;
    }
  }
};

const columns: readonly (readonly [string, (row: MessageRow) => string | number])[] = [
  ['line', ({ line }) => line],
  ['status', ({ status }) => status],
  ['reason', ({ reason }) => reason ?? ''],
  ['phone', ({ phone }) => csvPhone(phone)],
  ['code', ({ code }) => code ?? ''],
  ['name', ({ name }) => name ?? ''],
  ['text', ({ text }) => text ?? ''],
  ['segments', ({ segments }) => segments],
  ['attempts', ({ attempts }) => attempts],
  ['provider_message_id', ({ providerMessageId }) => providerMessageId ?? ''],
  ['provider_code', ({ providerCode }) => providerCode ?? ''],
  ['sent_at', ({ sentAt }) => sentAt?.toISOString() ?? ''],
  ['ended_at', ({ endedAt }) => endedAt?.toISOString() ?? ''],
  ['problem', ({ status, extra }) => (status === 'skipped' && extra?.problem) || ''],
];
