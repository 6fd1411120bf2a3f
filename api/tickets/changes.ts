import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { listTicketUsers } from '../../db/access/users.ts';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import { getSetting, getTicketSubcategory } from '../../db/settings/settings.ts';
import { addTicketNote, lockTicket, type TicketRow, updateTicket } from '../../db/tickets/tickets.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { changedTicket, type TicketChange, ticketChange, ticketNote } from '../../domain/ticket-change.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError, notFound, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';
import { readStory, ticketStoryView } from './tickets.ts';

const version = z.int().positive();
const mostAtOnce = 100;

/** One change of several tickets, each with the version that the caller has read. */
export const manyTicketsChange = z.strictObject({
  tickets: z
    .array(z.strictObject({ id: z.int().positive(), version }))
    .min(1)
    .max(mostAtOnce),
  change: ticketChange.pick({ userId: true, status: true, resolutionId: true }),
});

export const manyTicketsResult = z.object({
  changed: z.array(z.int()),
  /** Tickets that were not changed. `version_conflict`: changed since they were read. `invalid_fields`: not allowed. */
  refused: z.array(
    z.object({ id: z.int(), code: z.enum(['version_conflict', 'invalid_fields', 'not_found']) }),
  ),
});

/** Changes of tickets by users: one, several at once, and notes. */
export const ticketChanges: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['tickets'];

  app.patch(
    '/tickets/:id',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Update a ticket',
        description:
          'Send the fields to change, and the `version` that you have read. Finishing a ticket requires a resolution; reopening it removes the resolution. If the customer has written again to a finished ticket, send the status `finished` to finish it again.',
        params: idParams,
        body: ticketChange.extend({ version }),
        response: { 200: ticketStoryView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { version, ...change } = request.body;
      await sql.begin((tx) => changeTicket(tx, request, { id, version }, change));
      await endPastAlerts(sql, 'ticket_overdue');
      return readStory(sql, id);
    },
  );

  app.patch(
    '/tickets',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Assign or finish several tickets at once',
        description:
          'Changes each ticket that still has the given version, if the change is allowed. The response lists the tickets that were not changed.',
        body: manyTicketsChange,
        response: { 200: manyTicketsResult },
      },
    },
    async (request) => {
      const { tickets, change } = request.body;
      const result = await sql.begin(async (tx) => {
        const result: z.output<typeof manyTicketsResult> = { changed: [], refused: [] };
        // In the order of their ids, so that two such requests cannot deadlock.
        for (const ticket of tickets.toSorted((a, b) => a.id - b.id)) {
          try {
            await changeTicket(tx, request, ticket, change);
            result.changed.push(ticket.id);
          } catch (error) {
            const code = error instanceof ApiError ? refusals.find((one) => one === error.code) : undefined;
            if (code === undefined) throw error;
            result.refused.push({ id: ticket.id, code });
          }
        }
        return result;
      });
      await endPastAlerts(sql, 'ticket_overdue');
      return result;
    },
  );

  app.post(
    '/tickets/:id/notes',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Add an internal note to a ticket',
        description: 'Only users see notes; the customer never does. A note cannot be changed or deleted.',
        params: idParams,
        body: ticketNote,
        response: { 201: ticketStoryView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const actor = actorOf(request);
      await sql.begin(async (tx) => {
        const { text } = request.body;
        if (!(await addTicketNote(tx, id, { actor: actorId(actor), actorName: actor.name, text })))
          throw notFound('ticket', id);
        await audit(tx, request, 'ticket.note', { kind: 'ticket', id });
      });
      return reply.code(201).send(await readStory(sql, id));
    },
  );
};

const refusals = manyTicketsResult.shape.refused.element.shape.code.options;

/** Throws an `ApiError` before it writes anything if the change is not allowed. */
async function changeTicket(
  tx: Sql,
  request: FastifyRequest,
  { id, version }: { id: number; version: number },
  change: TicketChange,
): Promise<void> {
  const before = orNotFound(await lockTicket(tx, id), 'ticket', id);
  if (before.version !== version) {
    throw new ApiError('version_conflict', { params: { version: before.version } });
  }
  await requireReferences(tx, before, change);
  const subcategory = await getTicketSubcategory(tx, change.subcategoryId ?? before.subcategoryId);
  if (!subcategory) throw new Error(`Ticket ${id} names a subcategory that is not there.`);
  const changed = changedTicket(contentOf(before), change, subcategory);
  if (!changed.ok) throw new ApiError('invalid_fields', { problems: changed.problems });
  const { content, changes } = changed;
  // The customer wrote to a finished ticket, and a user has dealt with it.
  if (before.unanswered && before.status === 'finished' && change.status === 'finished')
    changes.status = ['finished', 'finished'];
  const fields = Object.keys(changes);
  if (fields.length === 0) return;
  const actor = actorOf(request);
  await updateTicket(tx, id, content, { actor: actorId(actor), actorName: actor.name, changes });
  const details = { changed: fields, version: version + 1 };
  await audit(tx, request, 'ticket.update', { kind: 'ticket', id }, details);
}

const contentOf = ({
  departmentId,
  assigneeId,
  userId,
  categoryId,
  subcategoryId,
  status,
  resolutionId,
  extra,
}: TicketRow) => ({
  departmentId,
  assigneeId,
  userId,
  categoryId,
  subcategoryId,
  status,
  resolutionId,
  extra,
});

const references = [
  ['departmentId', 'departments'],
  ['assigneeId', 'assignees'],
  ['categoryId', 'categories'],
  ['subcategoryId', 'subcategories'],
  ['resolutionId', 'resolutions'],
] as const;

/** Newly referenced entries must exist and must not be archived; a user must be available. */
async function requireReferences(sql: Sql, before: TicketRow, change: TicketChange): Promise<void> {
  const problems: Problem[] = [];
  for (const [field, kind] of references) {
    const id = change[field];
    if (id === undefined || id === null || id === before[field]) continue;
    const entry = await getSetting(sql, kind, id);
    if (!entry) problems.push(problem(field, 'unknown'));
    else if (entry.archivedAt) problems.push(problem(field, 'archived'));
  }
  const { userId } = change;
  if (userId !== undefined && userId !== null && userId !== before.userId) {
    const user = (await listTicketUsers(sql)).find(({ id }) => id === userId);
    if (!user?.available) problems.push(problem('userId', 'unknown'));
  }
  if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
}
