import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { listInboundEvents } from '../../db/replies/inbound.ts';
import {
  type FoundMessageRow,
  getMessage,
  listMessages,
  messageKin,
  type MessageRow,
  searchMessages,
} from '../../db/messages/messages.ts';
import { listReplies } from '../../db/replies/replies.ts';
import { listOptOutEvents } from '../../db/customers/opt-outs.ts';
import { getRun } from '../../db/runs/runs.ts';
import { ticketStatuses } from '../../domain/ticket.ts';
import { getLookUp } from '../../db/messages/unknown.ts';
import type { Sql } from '../../db/core/client.ts';
import type { Format } from '../../domain/format.ts';
import { cancelReasons, failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { describeLookUp, lookUpResults } from '../../domain/unknown.ts';
import { saidIn } from '../../sms/said.ts';
import { type CsvColumn, csvDescription, csvOf, csvPhone, sendCsv } from '../http/csv.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, formatOf, notFound } from '../http/errors.ts';
import { keptProblem, lineProblemView } from '../campaigns/mailing-check.ts';
import { instant } from '../http/instant.ts';
import { idParams, phoneParam, urlId } from '../http/parameters.ts';
import { replyView } from '../replies/replies.ts';

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
  /** Of a line that was left out: why. */
  problem: lineProblemView.nullable(),
  /** What of its line could not be read. */
  warnings: z.array(lineProblemView),
  /** Region and type of customer are those of its run: of the campaign's mailing as it was then. */
  regionId: z.int().nullable(),
  regionName: z.string().nullable(),
  customerTypeId: z.int().nullable(),
  customerTypeName: z.string().nullable(),
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
  /** What it says, in the provider's own words; null where that is not known. */
  says: z.string().nullable(),
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

/** A message as it is shown, its problems in the language of the request. */
export function viewMessage<Row extends MessageRow>(row: Row, format: Format) {
  const { fault, warnings, status, reason, line } = row;
  const problem = fault ?? (status === 'skipped' && reason !== null ? { code: reason, params: {} } : null);
  return {
    ...row,
    problem: problem && keptProblem(line, problem, format),
    warnings: (warnings ?? []).map((warning) => keptProblem(line, warning, format)),
  };
}

const filter = z.strictObject({
  status: z.enum(messageStatuses).optional(),
  reason: z.enum([...skipReasons, ...failureReasons, ...cancelReasons]).optional(),
  phone: phoneParam.optional(),
});

/** A message and all that has happened to it. */
export const messageStoryView = z.object({
  message: messageView,
  events: z.array(eventView),
  replies: z.array(replyView),
  /** Of an unknown message: what looking it up at the provider has come to; null: not noted for it yet. */
  lookUp: lookUpView.nullable(),
  run: z.object({
    campaignId: z.int(),
    campaignName: z.string(),
    occurrence: instant,
    mailingAt: instant.nullable(),
  }),
  tickets: z.array(z.object({ id: z.int(), status: z.enum(ticketStatuses), openedAt: instant })),
  /** The other sends of the same text: what it sends again, and what sends it again. */
  resends: z.array(
    z.object({
      id: z.int(),
      runId: z.int(),
      status: z.enum(messageStatuses),
      at: instant.nullable(),
    }),
  ),
  /** What its phone has opted out of and back in since the mailing was read. */
  optOuts: z.array(z.object({ kind: z.enum(['opt_out', 'opt_in']), at: instant })),
});

export const foundMessageView = messageView.extend({
  campaignId: z.int(),
  campaignName: z.string(),
  /** When its run was due. */
  occurrence: instant,
});

const search = filter.extend({
  customerId: urlId.optional(),
  customerCode: z.string().trim().min(1).max(100).optional(),
  campaignId: urlId.optional(),
  regionId: urlId.optional(),
  customerTypeId: urlId.optional(),
});

/** Without one of them the search would read all messages that there ever were. */
function requireSubject({ phone, customerId, customerCode }: z.infer<typeof search>): void {
  if (phone !== undefined || customerId !== undefined || customerCode !== undefined) return;
  throw new ApiError('invalid_parameters', {
    problems: [problem('phone', 'missing', { what: 'phone_or_customer' })],
  });
}

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
          after: z.coerce
            .number()
            .int()
            .min(0)
            .max(2 ** 31 - 1)
            .default(0),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: { 200: z.object({ messages: z.array(messageView) }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { after, limit, ...where } = request.query;
      await needRun(id);
      const rows = await listMessages(sql, { runId: id, ...where }, { after, limit });
      return { messages: rows.map((row) => viewMessage(row, formatOf(request))) };
    },
  );

  app.get(
    '/runs/:id/messages.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The messages of a run as a CSV file',
        description: csvDescription,
        produces: ['text/csv'],
        params: idParams,
        querystring: filter,
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { id } = request.params;
      const run = await needRun(id);
      const extraFields = run.settings.campaign.mailing.extraFields.map(({ name }) => name);
      const extra = extraFields.map((name): CsvColumn<MessageRow> => [
        name,
        (row) => row.extra?.[name] ?? '',
      ]);
      const file = csvOf([...columnsIn(formatOf(request)), ...extra], (last, limit) =>
        listMessages(sql, { runId: id, ...query }, { after: last?.line ?? 0, limit }),
      );
      return sendCsv(reply, `run-${id}-messages.csv`, file);
    },
  );

  app.get(
    '/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Search messages across runs by phone or customer, newest first',
        description:
          'Give a `phone`, a `customerId` or a `customerCode`; the others narrow it down. All of a run: `GET /api/runs/{id}/messages`.',
        querystring: search.extend({
          before: urlId.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: z.object({ messages: z.array(foundMessageView) }) },
      },
    },
    async (request) => {
      const { before, limit, ...where } = request.query;
      requireSubject(where);
      const rows = await searchMessages(sql, where, { before, limit });
      return { messages: rows.map((row) => viewMessage(row, formatOf(request))) };
    },
  );

  app.get(
    '/messages.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The messages that a search across runs finds, as a CSV file',
        description: 'Newest first, in the form of the messages of a run.',
        produces: ['text/csv'],
        querystring: search,
      },
    },
    async (request, reply) => {
      const { query } = request;
      requireSubject(query);
      const file = csvOf([...runColumns, ...columnsIn(formatOf(request))], (last, limit) =>
        searchMessages(sql, query, { before: last?.id, limit }),
      );
      return sendCsv(reply, 'messages.csv', file);
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
          200: messageStoryView,
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const message = await getMessage(sql, id);
      if (!message) throw notFound('message', id);
      const [events, replies, lookUp, kin, optOuts] = await Promise.all([
        listInboundEvents(sql, id, { limit: eventsShown }),
        listReplies(sql, { messageId: id }, { limit: repliesShown }),
        getLookUp(sql, id),
        messageKin(sql, message),
        message.phone === null ? [] : listOptOutEvents(sql, [message.phone]),
      ]);
      const { tickets, resends, ...run } = kin;
      return {
        message: viewMessage(message, formatOf(request)),
        events: events.map((event) => ({ ...event, says: saidIn(event.payload) })),
        replies,
        lookUp: lookUp && { ...lookUp, words: describeLookUp(lookUp) },
        run,
        tickets: tickets.map((ticket) => ({ ...ticket, openedAt: new Date(ticket.openedAt) })),
        resends: resends.map((one) => ({ ...one, at: one.at === null ? null : new Date(one.at) })),
        optOuts: optOuts.filter(({ at }) => at >= (run.mailingAt ?? run.occurrence)).toReversed(),
      };
    },
  );

  async function needRun(id: number) {
    const run = await getRun(sql, id);
    if (!run) throw notFound('run', id);
    return run;
  }
};

const runColumns: readonly CsvColumn<FoundMessageRow>[] = [
  ['campaign', ({ campaignName }) => campaignName],
  ['run', ({ runId }) => runId],
  ['due_at', ({ occurrence }) => occurrence.toISOString()],
];

const columnsIn = (format: Format): readonly CsvColumn<MessageRow>[] => [
  ['line', ({ line }) => line],
  ['status', ({ status }) => status],
  ['reason', ({ reason }) => reason ?? ''],
  ['phone', ({ phone }) => csvPhone(phone)],
  ['code', ({ code }) => code ?? ''],
  ['name', ({ name }) => name ?? ''],
  ['region', ({ regionName }) => regionName ?? ''],
  ['customer_type', ({ customerTypeName }) => customerTypeName ?? ''],
  ['text', ({ text }) => text ?? ''],
  ['segments', ({ segments }) => segments],
  ['attempts', ({ attempts }) => attempts],
  ['provider_message_id', ({ providerMessageId }) => providerMessageId ?? ''],
  ['provider_code', ({ providerCode }) => providerCode ?? ''],
  ['sent_at', ({ sentAt }) => sentAt?.toISOString() ?? ''],
  ['ended_at', ({ endedAt }) => endedAt?.toISOString() ?? ''],
  [
    'problem',
    (row) => {
      const { problem, warnings } = viewMessage(row, format);
      return [problem, ...warnings]
        .map((one) => one?.message ?? '')
        .filter(Boolean)
        .join(' ');
    },
  ],
];
