import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { listTicketUsers } from '../../db/access/users.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { getMessage } from '../../db/messages/messages.ts';
import { countTickets, searchTickets, type TicketFilter } from '../../db/tickets/search.ts';
import { getTicket, notesOf, ticketHistory, type TicketRow } from '../../db/tickets/tickets.ts';
import { cancelReasons, failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { ticketEventKinds, ticketPostStates } from '../../domain/ticket-posting.ts';
import { mostTicketsCounted, ticketStatuses, ticketViews } from '../../domain/ticket.ts';
import type { Format } from '../../domain/format.ts';
import { ticketLabels } from '../../domain/words/tickets.ts';
import { actorOf } from '../http/auth.ts';
import { type CsvColumn, csvCode, csvPhone, csvQuery, csvRoute, sendRows } from '../http/csv.ts';
import { orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams, page, phonesParam, urlId } from '../http/parameters.ts';

export const ticketView = z.object({
  id: z.int(),
  /** What opened it: a reply of the customer, or the sending of the SMS. */
  cause: z.enum(['reply', 'send']),
  status: z.enum(ticketStatuses),
  channel: z.literal('sms'),
  campaignId: z.int(),
  campaignName: z.string(),
  runId: z.int(),
  messageId: z.int(),
  customerId: z.int().nullable(),
  /** E.164. Null, like name and code, after the customer was erased. */
  phone: z.string().nullable(),
  name: z.string().nullable(),
  code: z.string().nullable(),
  /** Values of the mailing's extra fields. */
  extra: z.record(z.string(), z.string()),
  departmentId: z.int(),
  departmentName: z.string(),
  assigneeId: z.int(),
  assigneeName: z.string(),
  categoryId: z.int(),
  categoryName: z.string(),
  subcategoryId: z.int(),
  subcategoryName: z.string(),
  resolutionId: z.int().nullable(),
  resolutionName: z.string().nullable(),
  /** The user who works on it. */
  userId: z.int().nullable(),
  userName: z.string().nullable(),
  /** The customer's last and first reply; null: none. */
  customerWroteAt: instant.nullable(),
  customerFirstWroteAt: instant.nullable(),
  /** Our last and our first answer by SMS. */
  answeredAt: instant.nullable(),
  firstAnsweredAt: instant.nullable(),
  /** When the first answer is due, by the target of the subcategory. */
  answerDueAt: instant.nullable(),
  /** The customer wrote after our last answer, and the ticket has not been finished since. */
  unanswered: z.boolean(),
  /** Unanswered, has no answer at all, and `answerDueAt` has passed. */
  overdue: z.boolean(),
  /** Pass it with a change. */
  version: z.int(),
  openedAt: instant,
  updatedAt: instant,
  finishedAt: instant.nullable(),
});
export const foundTickets = z.object({ tickets: z.array(ticketView) });

export const ticketEventView = z.object({
  id: z.int(),
  kind: z.enum(ticketEventKinds),
  /** `user:7`, `token:3`, `campaign:3`, `customer`, `receipt` */
  actor: z.string(),
  /** The name of a user; empty otherwise. */
  actorName: z.string(),
  /** The old and new value of each field; two nulls for free text. */
  changes: z.record(
    z.string(),
    z.tuple([z.union([z.string(), z.number(), z.null()]), z.union([z.string(), z.number(), z.null()])]),
  ),
  at: instant,
  /** The customer's text. */
  reply: z.object({ id: z.int(), text: z.string(), receivedAt: instant }).nullable(),
  /** The internal note of a user; null also once the customer was erased. */
  note: z.string().nullable(),
  /** Of the kind `answer`: `GET /api/tickets/{id}/answers` has its text and status. */
  answerId: z.int().nullable(),
  /** Whether the helpdesk has received it; null: it is not posted. */
  postState: z.enum(ticketPostStates).nullable(),
});

/** The SMS that a ticket refers to. */
export const ticketMessageView = z.object({
  id: z.int(),
  line: z.int(),
  status: z.enum(messageStatuses),
  reason: z.enum([...skipReasons, ...failureReasons, ...cancelReasons]).nullable(),
  text: z.string().nullable(),
  sentAt: instant.nullable(),
});

export const ticketStoryView = z.object({
  ticket: ticketView,
  message: ticketMessageView.nullable(),
  /** Oldest first. */
  history: z.array(ticketEventView),
});

/** The number of tickets in each view. */
export const ticketCounts = z.record(z.enum(ticketViews), z.int());

export const ticketFilter = z.strictObject({
  /** `mine`: unfinished tickets of the current user. `unanswered` and `overdue`: the longest waiting come first. */
  view: z.enum(ticketViews).optional(),
  status: z.enum(ticketStatuses).optional(),
  campaignId: urlId.optional(),
  runId: urlId.optional(),
  customerId: urlId.optional(),
  phone: phonesParam.optional(),
  departmentId: urlId.optional(),
  assigneeId: urlId.optional(),
  userId: urlId.optional(),
  categoryId: urlId.optional(),
  subcategoryId: urlId.optional(),
  /** Words of the name or the code, or their beginnings; ignores case and accents. */
  text: z.string().trim().min(1).max(100).optional(),
});

/** More replies than this come from a machine. */
const eventsShown = 500;

/** Tickets: search, read, export. With full phones, as with messages. */
export const tickets: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['tickets'];

  app.get(
    '/tickets',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'Search tickets, newest first',
        description: 'For the next page, pass the last id of the current page as `before`.',
        querystring: page.extend(ticketFilter.shape),
        response: { 200: foundTickets },
      },
    },
    async (request) => {
      const { before, limit, ...where } = request.query;
      return { tickets: await searchTickets(sql, filterOf(request, where), { before, limit }) };
    },
  );

  app.get(
    '/tickets.csv',
    csvRoute({
      access: 'any_role',
      tags,
      summary: 'Download the tickets of a search as a CSV file',
      querystring: ticketFilter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...where } = request.query;
      const filter = filterOf(request, where);
      return sendRows(request, reply, {
        format,
        name: { en: 'tickets', 'pt-BR': 'atendimentos' },
        columns: columnsIn,
        read: async (last, limit) => {
          const rows = await searchTickets(sql, filter, { before: last?.id, limit });
          const notes = await notesOf(
            sql,
            rows.map(({ id }) => id),
          );
          return rows.map((row) => ({ ...row, notes: notes.get(row.id) ?? '' }));
        },
      });
    },
  );

  app.get(
    '/tickets/counts',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'Count the tickets of each view',
        description: `\`${mostTicketsCounted}\` means that many or more.`,
        response: { 200: ticketCounts },
      },
    },
    async (request) => countTickets(sql, callerOf(request)),
  );

  app.get(
    '/tickets/users',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List users to whom tickets can be assigned',
        description:
          'Returns all users, by name. If `available` is true, tickets can be assigned to the user now.',
        response: {
          200: z.object({
            users: z.array(z.object({ id: z.int(), name: z.string(), available: z.boolean() })),
          }),
        },
      },
    },
    async () => ({ users: await listTicketUsers(sql) }),
  );

  app.get(
    '/tickets/:id',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'Get a ticket, with its message and history',
        params: idParams,
        response: { 200: ticketStoryView },
      },
    },
    async ({ params: { id } }) => readStory(sql, id),
  );
};

const callerOf = (request: FastifyRequest): number | null => {
  const { kind, id } = actorOf(request);
  return kind === 'user' ? id : null;
};

/** No user has this id: tokens own no tickets, so `mine` finds none for them. */
const nobody = 0;

function filterOf(request: FastifyRequest, { view, ...where }: z.output<typeof ticketFilter>): TicketFilter {
  return view === 'mine'
    ? { ...where, view: 'open', userId: callerOf(request) ?? nobody }
    : { ...where, view };
}

/** A ticket with its message and its history. */
export async function readStory(sql: Sql, id: number) {
  const ticket = orNotFound(await getTicket(sql, id), 'ticket', id);
  const events = await ticketHistory(sql, id, { limit: eventsShown });
  return {
    ticket,
    message: await getMessage(sql, ticket.messageId),
    history: events.map(({ replyId, replyText, replyReceivedAt, ...event }) => ({
      ...event,
      reply:
        replyId === null || replyText === null || replyReceivedAt === null
          ? null
          : { id: replyId, text: replyText, receivedAt: replyReceivedAt },
    })),
  };
}

type NotedTicket = TicketRow & { notes: string };
const columnsIn = ({ locale }: Format): readonly CsvColumn<NotedTicket>[] => {
  const t = ticketLabels[locale];
  return [
    ['id', t.number, ({ id }) => id],
    ['status', t.fields.status, ({ status }) => csvCode(status, t.statuses)],
    ['opened_at', t.opened, ({ openedAt }) => openedAt],
    ['updated_at', t.updated, ({ updatedAt }) => updatedAt],
    ['finished_at', t.finished, ({ finishedAt }) => finishedAt],
    ['customer_first_wrote_at', t.firstWrote, ({ customerFirstWroteAt }) => customerFirstWroteAt],
    ['first_answered_at', t.firstAnswered, ({ firstAnsweredAt }) => firstAnsweredAt],
    ['answer_due_at', t.answerDue, ({ answerDueAt }) => answerDueAt],
    ['cause', t.cause, ({ cause }) => csvCode(cause, t.causes)],
    ['phone', t.phone, ({ phone }) => csvPhone(phone)],
    ['code', t.code, ({ code }) => code],
    ['name', t.name, ({ name }) => name],
    ['department', t.fields.departmentId, ({ departmentName }) => departmentName],
    ['assignee', t.fields.assigneeId, ({ assigneeName }) => assigneeName],
    ['user', t.fields.userId, ({ userName }) => userName],
    ['category', t.fields.categoryId, ({ categoryName }) => categoryName],
    ['subcategory', t.fields.subcategoryId, ({ subcategoryName }) => subcategoryName],
    ['resolution', t.fields.resolutionId, ({ resolutionName }) => resolutionName],
    ['notes', t.notes, ({ notes }) => notes],
    ['extra', t.extra, ({ extra }) => extraInWords(extra)],
    ['campaign_id', null, ({ campaignId }) => campaignId],
    ['campaign', t.campaign, ({ campaignName }) => campaignName],
    ['run_id', t.run, ({ runId }) => runId],
    ['message_id', null, ({ messageId }) => messageId],
    ['customer_id', null, ({ customerId }) => customerId],
  ];
};

/** `valor: 12,50 | vencimento: 01/12/2026`: each ticket has its own fields, which make no columns. */
const extraInWords = (extra: TicketRow['extra']): string =>
  Object.entries(extra)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' | ');
