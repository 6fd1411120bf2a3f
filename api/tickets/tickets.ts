import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import { getMessage } from '../../db/messages/messages.ts';
import { getSetting, getTicketSubcategory } from '../../db/settings/settings.ts';
import {
  getTicket,
  lockTicket,
  searchTickets,
  ticketHistory,
  type TicketRow,
  updateTicket,
} from '../../db/tickets/tickets.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { cancelReasons, failureReasons, messageStatuses, skipReasons } from '../../domain/message.ts';
import { changedTicket, type TicketChange, ticketChange } from '../../domain/ticket-change.ts';
import { ticketEventKinds, ticketPostStates } from '../../domain/ticket-posting.ts';
import { ticketStatuses } from '../../domain/ticket.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { type CsvColumn, csvDescription, csvOf, csvPhone, sendCsv } from '../http/csv.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams, page, phoneParam, urlId } from '../http/parameters.ts';

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
  /** E.164; null, like name and code, once the person was erased. */
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
  note: z.string(),
  /** Give it back with a change. */
  version: z.int(),
  openedAt: instant,
  updatedAt: instant,
  finishedAt: instant.nullable(),
});

export const ticketEventView = z.object({
  id: z.int(),
  kind: z.enum(ticketEventKinds),
  /** `user:7`, `token:3`, `campaign:3`, `customer`, `receipt` */
  actor: z.string(),
  /** Of a person; empty otherwise. */
  actorName: z.string(),
  /** By field what it was and is; two nulls for free text. */
  changes: z.record(
    z.string(),
    z.tuple([z.union([z.string(), z.number(), z.null()]), z.union([z.string(), z.number(), z.null()])]),
  ),
  at: instant,
  /** What the customer wrote. */
  reply: z.object({ id: z.int(), text: z.string(), receivedAt: instant }).nullable(),
  /** Whether the helpdesk has been told of it; null: it is not posted. */
  postState: z.enum(ticketPostStates).nullable(),
});

/** The SMS that a ticket is about. */
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

export const ticketFilter = z.strictObject({
  status: z.enum(ticketStatuses).optional(),
  campaignId: urlId.optional(),
  runId: urlId.optional(),
  customerId: urlId.optional(),
  phone: phoneParam.optional(),
  departmentId: urlId.optional(),
  assigneeId: urlId.optional(),
  categoryId: urlId.optional(),
  subcategoryId: urlId.optional(),
  /** Words of the name or the code, or their beginnings; case and accents don't count. */
  text: z.string().trim().min(1).max(100).optional(),
});

/** A ticket with more has been answered by a machine. */
const eventsShown = 500;

/** Tickets: found, read, changed, exported. With phones in full, as messages have them. */
export const tickets: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['tickets'];

  app.get(
    '/tickets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Search tickets, newest first',
        querystring: page.extend(ticketFilter.shape),
        response: { 200: z.object({ tickets: z.array(ticketView) }) },
      },
    },
    async ({ query: { before, limit, ...where } }) => ({
      tickets: await searchTickets(sql, where, { before, limit }),
    }),
  );

  app.get(
    '/tickets.csv',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The tickets of a search as a CSV file',
        description: csvDescription,
        produces: ['text/csv'],
        querystring: ticketFilter,
      },
    },
    async ({ query }, reply) =>
      sendCsv(
        reply,
        'tickets.csv',
        csvOf(columns, (last, limit) => searchTickets(sql, query, { before: last?.id, limit })),
      ),
  );

  app.get(
    '/tickets/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One ticket, its message and its history',
        params: idParams,
        response: { 200: ticketStoryView },
      },
    },
    async ({ params: { id } }) => story(id),
  );

  app.patch(
    '/tickets/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Change a ticket, or move it to another status',
        description:
          'The fields that change, and the `version` that was read. A ticket is finished with a resolution; taken up again, it has none.',
        params: idParams,
        body: ticketChange.extend({ version: z.int().positive() }),
        response: { 200: ticketStoryView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { version, ...change } = request.body;
      const actor = actorOf(request);
      await sql.begin(async (tx) => {
        const before = await lockTicket(tx, id);
        if (!before) throw notFound('ticket', id);
        if (before.version !== version) {
          throw new ApiError('version_conflict', { params: { version: before.version } });
        }
        await requireReferences(tx, before, change);
        const subcategory = await getTicketSubcategory(tx, change.subcategoryId ?? before.subcategoryId);
        if (!subcategory) throw new Error(`Ticket ${id} names a subcategory that is not there.`);
        const changed = changedTicket(contentOf(before), change, subcategory);
        if (!changed.ok) throw new ApiError('invalid_fields', { problems: changed.problems });
        const { content, changes } = changed;
        const fields = Object.keys(changes);
        if (fields.length === 0) return;
        await updateTicket(tx, id, content, { actor: actorId(actor), actorName: actor.name, changes });
        await audit(
          tx,
          request,
          'ticket.update',
          { kind: 'ticket', id },
          { changed: fields, version: version + 1 },
        );
      });
      return story(id);
    },
  );

  async function story(id: number) {
    const ticket = await getTicket(sql, id);
    if (!ticket) throw notFound('ticket', id);
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
};

const contentOf = ({
  departmentId,
  assigneeId,
  categoryId,
  subcategoryId,
  status,
  resolutionId,
  note,
  extra,
}: TicketRow) => ({
  departmentId,
  assigneeId,
  categoryId,
  subcategoryId,
  status,
  resolutionId,
  note,
  extra,
});

const references = [
  ['departmentId', 'departments'],
  ['assigneeId', 'assignees'],
  ['categoryId', 'categories'],
  ['subcategoryId', 'subcategories'],
  ['resolutionId', 'resolutions'],
] as const;

/** Entries that a change names anew have to be there, and not archived. */
async function requireReferences(sql: Sql, before: TicketRow, change: TicketChange): Promise<void> {
  const problems: Problem[] = [];
  for (const [field, kind] of references) {
    const id = change[field];
    if (id === undefined || id === null || id === before[field]) continue;
    const entry = await getSetting(sql, kind, id);
    if (!entry) problems.push(problem(field, 'unknown'));
    else if (entry.archivedAt) problems.push(problem(field, 'archived'));
  }
  if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
}

const columns: readonly CsvColumn<TicketRow>[] = [
  ['id', ({ id }) => id],
  ['status', ({ status }) => status],
  ['opened_at', ({ openedAt }) => openedAt.toISOString()],
  ['updated_at', ({ updatedAt }) => updatedAt.toISOString()],
  ['finished_at', ({ finishedAt }) => finishedAt?.toISOString() ?? ''],
  ['cause', ({ cause }) => cause],
  ['phone', ({ phone }) => csvPhone(phone)],
  ['code', ({ code }) => code ?? ''],
  ['name', ({ name }) => name ?? ''],
  ['department', ({ departmentName }) => departmentName],
  ['assignee', ({ assigneeName }) => assigneeName],
  ['category', ({ categoryName }) => categoryName],
  ['subcategory', ({ subcategoryName }) => subcategoryName],
  ['resolution', ({ resolutionName }) => resolutionName ?? ''],
  ['note', ({ note }) => note],
  ['extra', ({ extra }) => extraInWords(extra)],
  ['campaign_id', ({ campaignId }) => campaignId],
  ['campaign', ({ campaignName }) => campaignName],
  ['run_id', ({ runId }) => runId],
  ['message_id', ({ messageId }) => messageId],
  ['customer_id', ({ customerId }) => customerId ?? ''],
];

/** `valor: 12,50 | vencimento: 01/12/2026`: each ticket has fields of its own, which make no columns. */
const extraInWords = (extra: TicketRow['extra']): string =>
  Object.entries(extra)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' | ');
