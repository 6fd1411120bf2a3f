import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { listInboundEvents } from '../../db/replies/inbound.ts';
import {
  type FoundMessageRow,
  getMessage,
  relatedRecords,
  type MessageRow,
  type MessageSearch,
  searchMessages,
} from '../../db/messages/messages.ts';
import { findMessagesInRuns, ofRun, type Place, type RunsSearch } from '../../db/messages/search.ts';
import { listReplies } from '../../db/replies/replies.ts';
import { listOptOutEvents, optOutEventKinds } from '../../db/customers/opt-outs.ts';
import { getRun } from '../../db/runs/runs.ts';
import { ticketStatuses } from '../../domain/ticket.ts';
import { getLookUp } from '../../db/messages/unknown.ts';
import type { Sql } from '../../db/core/client.ts';
import type { Format } from '../../domain/format.ts';
import { cancelReasons, failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { lookUpWords } from '../../domain/problems/runs.ts';
import { messageReasonWords, messageStatusWords } from '../../domain/problems/states.ts';
import { customerLabels } from '../../domain/words/customers.ts';
import { messageLabels } from '../../domain/words/messages.ts';
import { lookUpResults } from '../../domain/unknown.ts';
import { providerStatusText } from '../../sms/provider-status-text.ts';
import { type CsvColumn, csvCode, csvPhone, csvQuery, csvRoute, sendRows } from '../http/csv.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, dayOf, formatOf, orNotFound } from '../http/errors.ts';
import { keptProblem, lineProblemView } from '../campaigns/mailing-check.ts';
import { instant } from '../http/instant.ts';
import { dayParam, idParams, phonesParam, urlId } from '../http/parameters.ts';
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
  /** Why its line was skipped. */
  problem: lineProblemView.nullable(),
  /** The values of its line that could not be read. */
  warnings: z.array(lineProblemView),
  /** The region and customer type of the mailing when the run read it. */
  regionId: z.int().nullable(),
  regionName: z.string().nullable(),
  customerTypeId: z.int().nullable(),
  customerTypeName: z.string().nullable(),
  /** The message of an earlier run that this one resends. */
  resendOf: z.int().nullable(),
  attempts: z.int(),
  /** The provider that accepted it, refused it, or may have accepted it. */
  providerId: z.int().nullable(),
  providerMessageId: z.string().nullable(),
  providerCode: z.string().nullable(),
  sendingAt: instant.nullable(),
  sentAt: instant.nullable(),
  endedAt: instant.nullable(),
});

export const eventView = z.object({
  id: z.int(),
  /** `look_up`: the message was looked up at the provider; `resolved`: a user resolved it. */
  kind: z.enum(['receipt', 'message', 'other', 'look_up', 'resolved']),
  payload: z.record(z.string(), z.unknown()),
  /** The provider's own status text; null if unknown. */
  says: z.string().nullable(),
  receivedAt: instant,
});

export const lookUpView = z.object({
  /** Null: it has not been looked up yet. */
  result: z.enum(lookUpResults).nullable(),
  lookedAt: instant.nullable(),
  /** Null: it is no longer looked up. */
  dueAt: instant.nullable(),
  words: z.string(),
});

/** A message for display, its problems in the language of the request. */
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
  phone: phonesParam.optional(),
  /** Words in the text; ignores case, accents and punctuation. */
  text: z.string().trim().min(1).max(160).optional(),
});

/** A message with its history. */
export const messageStoryView = z.object({
  message: messageView,
  events: z.array(eventView),
  replies: z.array(replyView),
  /** For an unknown message: the result of its lookup at the provider; null: none recorded yet. */
  lookUp: lookUpView.nullable(),
  run: z.object({
    campaignId: z.int(),
    campaignName: z.string(),
    occurrence: instant,
    mailingAt: instant.nullable(),
  }),
  tickets: z.array(z.object({ id: z.int(), status: z.enum(ticketStatuses), openedAt: instant })),
  /** The other sends of the same text: the message that it resends, and those that resend it. */
  resends: z.array(
    z.object({
      id: z.int(),
      runId: z.int(),
      status: z.enum(messageStatuses),
      at: instant.nullable(),
    }),
  ),
  /** The opt-outs and opt-ins of its phone since the mailing was read. */
  optOuts: z.array(z.object({ kind: z.enum(optOutEventKinds), at: instant })),
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
  day: dayParam,
});

/** A position in a search across runs: `41:2000` is after line 2000 of run 41. */
const place = z
  .string()
  .regex(/^[1-9]\d{0,15}:\d{1,9}$/)
  .transform((text): Place => {
    const [runId = 0, line = 0] = text.split(':').map(Number);
    return { runId, line };
  });
const placeOf = (at: Place | null): string | null => at && `${at.runId}:${at.line}`;

const isOfPerson = ({ phone, customerId, customerCode }: z.infer<typeof search>): boolean =>
  phone !== undefined || customerId !== undefined || customerCode !== undefined;

/** Throws if the search names no subject: it would read all stored messages. */
function requireSubject(where: z.infer<typeof search>): void {
  const { campaignId, day, text } = where;
  if (isOfPerson(where) || day !== undefined) return;
  const missing =
    text !== undefined
      ? problem('day', 'missing', { what: 'day_of_text' })
      : campaignId === undefined
        ? problem('phone', 'missing', { what: 'phone_customer_campaign_or_day' })
        : null;
  if (missing) throw new ApiError('invalid_parameters', { problems: [missing] });
}

const eventsShown = 200;
const repliesShown = 200;

/**
 * Messages, with full phones for every role: to answer a complaint, a user searches for a phone, and a user who may not
 * see phones does not need messages.
 */
export const messages: FastifyPluginAsyncZod<{ sql: Sql }> = async (app, { sql }) => {
  const tags = ['messages'];

  app.get(
    '/runs/:id/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the messages of a run, in the order of its mailing',
        params: idParams,
        querystring: filter.extend({
          /** The last line of the previous page. */
          after: z.coerce
            .number()
            .int()
            .min(0)
            .max(2 ** 31 - 1)
            .default(0),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: {
          200: z.object({
            messages: z.array(messageView),
            /** The `after` of the next page; null on the last page. A search for a text stops after 50,000 lines. */
            next: z.int().nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { after, limit, ...where } = request.query;
      await needRun(id);
      const { messages, next } = await ofRun(sql, { runId: id, ...where }, { after, limit });
      return { messages: messages.map((row) => viewMessage(row, formatOf(request))), next };
    },
  );

  app.get(
    '/runs/:id/messages.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download the messages of a run as a CSV file',
      params: idParams,
      querystring: filter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...where } = request.query;
      const { id } = request.params;
      const run = await needRun(id);
      const extraFields = run.settings.campaign.mailing.extraFields.map(({ name }) => name);
      const extra = extraFields.map((name): CsvColumn<MessageRow> => [
        name,
        name,
        (row) => row.extra?.[name] ?? null,
      ]);
      return sendRows(request, reply, {
        format,
        name: { en: `run-${id}-messages`, 'pt-BR': `execucao-${id}-mensagens` },
        columns: (inFormat) => [...columnsIn(inFormat), ...extra],
        read: (last, limit) =>
          filled(last?.line ?? 0, limit, (after, left) =>
            ofRun(sql, { runId: id, ...where }, { after, limit: left }),
          ),
      });
    },
  );

  app.get(
    '/messages',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Search messages across runs',
        description:
          'There are two ways to search. By `phone`, `customerId` or `customerCode`: returns the newest messages first, and `before` gets the next page. By `campaignId` or `day` (of the run): returns the messages run by run, the newest run first, and `after` gets the next page. `text` requires a day, phone or customer. All other parameters narrow the search. To list all messages of a run, use `GET /api/runs/{id}/messages`.',
        querystring: search.extend({
          before: urlId.optional(),
          after: place.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: {
          200: z.object({
            messages: z.array(foundMessageView),
            /** The `after` of the next page of a search by campaign or day; null on the last page. */
            next: z.string().nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { before, after, limit, ...where } = request.query;
      requireSubject(where);
      const format = formatOf(request);
      if (isOfPerson(where)) {
        const rows = await searchMessages(sql, personSearch(request, where), { before, limit });
        return { messages: rows.map((row) => viewMessage(row, format)), next: null };
      }
      const found = await findMessagesInRuns(sql, runsSearch(request, where), { after, limit });
      return {
        messages: found.messages.map((row) => viewMessage(row, format)),
        next: placeOf(found.next),
      };
    },
  );

  app.get(
    '/messages.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download the messages of a search across runs as a CSV file',
      description: 'Has the columns of `GET /api/runs/{id}/messages.csv`, newest first.',
      querystring: search.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...where } = request.query;
      requireSubject(where);
      return sendRows(request, reply, {
        format,
        name: { en: 'messages', 'pt-BR': 'mensagens' },
        columns: foundColumnsIn,
        read: (last, limit) =>
          isOfPerson(where)
            ? searchMessages(sql, personSearch(request, where), { before: last?.id, limit })
            : filled<FoundMessageRow, Place | undefined>(last, limit, async (after, left) =>
                findMessagesInRuns(sql, runsSearch(request, where), { after, limit: left }),
              ),
      });
    },
  );

  app.get(
    '/messages/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a message, with its provider events and replies',
        params: idParams,
        response: {
          200: messageStoryView,
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const message = orNotFound(await getMessage(sql, id), 'message', id);
      const [events, replies, lookUp, kin, optOuts] = await Promise.all([
        listInboundEvents(sql, id, { limit: eventsShown }),
        listReplies(sql, { messageId: id }, { limit: repliesShown }),
        getLookUp(sql, id),
        relatedRecords(sql, message),
        message.phone === null ? [] : listOptOutEvents(sql, [message.phone]),
      ]);
      const { tickets, resends, ...run } = kin;
      return {
        message: viewMessage(message, formatOf(request)),
        events: events.map((event) => ({ ...event, says: providerStatusText(event.payload) })),
        replies,
        lookUp: lookUp && { ...lookUp, words: lookUpWords(lookUp, formatOf(request)) },
        run,
        tickets: tickets.map((ticket) => ({ ...ticket, openedAt: new Date(ticket.openedAt) })),
        resends: resends.map((one) => ({ ...one, at: one.at === null ? null : new Date(one.at) })),
        optOuts: optOuts.filter(({ at }) => at >= (run.mailingAt ?? run.occurrence)).toReversed(),
      };
    },
  );

  async function needRun(id: number) {
    return orNotFound(await getRun(sql, id), 'run', id);
  }
};

/** Reads pages until `limit` rows are found: a page may have fewer rows although more exist. */
async function filled<Row, At>(
  start: At,
  limit: number,
  read: (after: At, left: number) => Promise<{ messages: Row[]; next: NonNullable<At> | null }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after = start; ;) {
    const { messages, next } = await read(after, limit - rows.length);
    rows.push(...messages);
    if (next === null || rows.length === limit) return rows;
    after = next;
  }
}

const personSearch = (request: FastifyRequest, { day, ...where }: z.infer<typeof search>): MessageSearch => ({
  ...where,
  day: dayOf(request, day),
});

const runsSearch = (
  request: FastifyRequest,
  { campaignId, regionId, customerTypeId, status, reason, text, day }: z.infer<typeof search>,
): RunsSearch => ({
  ...{ campaignId, regionId, customerTypeId, status, reason, text },
  day: dayOf(request, day),
});

const foundColumnsIn = (format: Format): readonly CsvColumn<FoundMessageRow>[] => {
  const t = messageLabels[format.locale];
  return [
    ['campaign', t.campaign, ({ campaignName }) => campaignName],
    ['run', t.runNumber, ({ runId }) => runId],
    ['due_at', t.due, ({ occurrence }) => occurrence],
    ...columnsIn(format),
  ];
};

function columnsIn(format: Format): readonly CsvColumn<MessageRow>[] {
  const { locale } = format;
  const t = messageLabels[locale];
  const ofCustomer = customerLabels[locale].fields;
  const reasons = messageReasonWords[locale];
  return [
    ['line', t.line, ({ line }) => line],
    ['status', t.status, ({ status }) => csvCode(status, messageStatusWords[locale])],
    ['reason', t.reason, ({ reason }) => csvCode(reason, reasons)],
    ['phone', t.phone, ({ phone }) => csvPhone(phone)],
    ['code', t.code, ({ code }) => code],
    ['name', t.name, ({ name }) => name],
    ['region', ofCustomer.regionId, ({ regionName }) => regionName],
    ['customer_type', ofCustomer.customerTypeId, ({ customerTypeName }) => customerTypeName],
    ['text', t.text, ({ text }) => text],
    ['segments', t.segments, ({ segments }) => segments],
    ['attempts', t.attempts, ({ attempts }) => attempts],
    ['provider_message_id', t.provider, ({ providerMessageId }) => providerMessageId],
    ['provider_code', t.providerCode, ({ providerCode }) => providerCode],
    ['sent_at', t.accepted, ({ sentAt }) => sentAt],
    ['ended_at', t.ended, ({ endedAt }) => endedAt],
    [
      'problem',
      t.problem,
      (row) => {
        const { problem, warnings } = viewMessage(row, format);
        return [problem, ...warnings]
          .map((one) => one?.message ?? '')
          .filter(Boolean)
          .join(' ');
      },
    ],
  ];
}
