import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database, Sql } from '../../db/core/client.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { readRetries } from '../../db/core/retries.ts';
import { sendBlockOf } from '../../db/customers/opt-outs.ts';
import { profileOf } from '../../db/providers/providers.ts';
import {
  type AnswerRow,
  answerTarget,
  getAnswer,
  insertAnswer,
  listAnswers,
  resolveAnswer,
} from '../../db/tickets/answers.ts';
import { getTicket, lockTicket, type TicketRow } from '../../db/tickets/tickets.ts';
import { answerKinds, answerReasons, answerStatuses, maxAnswerSegments } from '../../domain/answer.ts';
import { answerWorkflowId } from '../../domain/ids.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { type Segmentation, type SegmentProfile, segmentsOf } from '../../domain/segments.ts';
import { compose, missingPlaceholder, parseTemplate } from '../../domain/template.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError, formatOf, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idempotencyHeaders, idParams } from '../http/parameters.ts';
import { retryingView, viewRetrying } from '../http/retrying.ts';

export const answerView = z.object({
  id: z.int(),
  /** `user`: written by a user. The others are automatic texts. */
  kind: z.enum(answerKinds),
  /** `user:7`, `token:3`, `system` */
  actor: z.string(),
  /** The name of a user; empty otherwise. */
  actorName: z.string(),
  /** Null once the customer was erased. */
  text: z.string().nullable(),
  segments: z.int(),
  status: z.enum(answerStatuses),
  reason: z.enum(answerReasons).nullable(),
  createdAt: instant,
  sendingAt: instant.nullable(),
  sentAt: instant.nullable(),
  /** When it was delivered, or its last status became known. */
  endedAt: instant.nullable(),
  /** Why it has not been sent yet; null: nothing has failed. */
  retrying: retryingView.nullable(),
});

/** Why a ticket cannot be answered: the code of the refusal. */
export const answerBlocks = ['opted_out', 'phone_held', 'customer_erased', 'ticket_finished'] as const;
export type AnswerBlock = (typeof answerBlocks)[number];

/** The data that is needed to answer. */
export const answeringView = z.object({
  blocked: z.enum(answerBlocks).nullable(),
  /** The provider that the customer wrote to. */
  providerId: z.int(),
});

const answerText = {
  /** At most 160 characters. Placeholders as in a campaign: code, name, and the ticket's extra fields. */
  text: z.string().max(1000),
  /** Replaces characters outside GSM-7 where that makes the text cheaper. */
  removeAccents: z.boolean().default(true),
};

export const answerPreview = z.object({
  text: z.string(),
  encoding: z.enum(['GSM-7', 'UCS-2']),
  /** Septets of GSM-7, or UTF-16 units of UCS-2. */
  characters: z.int(),
  segments: z.int(),
  /** Characters left in the last segment. */
  remaining: z.int(),
});

interface AnswersDeps {
  sql: Database;
  phoneHash: () => Promise<PhoneHash>;
  /** Starts the workflows of answers that are committed. */
  onAnswers: (ids: readonly number[]) => void;
  clock: () => Date;
}

/** Answers by SMS to the customer of a ticket. */
export const answers: FastifyPluginAsyncZod<AnswersDeps> = async (
  app,
  { sql, phoneHash, onAnswers, clock },
) => {
  const tags = ['tickets'];

  app.get(
    '/tickets/:id/answers',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List the answers to the customer of a ticket, oldest first',
        description: '`blocked` is the reason why the ticket cannot be answered, or null.',
        params: idParams,
        response: { 200: z.object({ answers: z.array(answerView), answering: answeringView }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const ticket = orNotFound(await getTicket(sql, id), 'ticket', id);
      const rows = await listAnswers(sql, id, { limit: answersShown });
      return { answers: await viewsOf(request, rows), answering: await answeringOf(sql, ticket) };
    },
  );

  app.post(
    '/tickets/:id/answers',
    {
      config: { access: 'agent', rateLimit: { max: 120, timeWindow: '1 minute' } },
      schema: {
        tags,
        summary: 'Answer the customer of a ticket by SMS',
        description:
          'Sends the answer through the provider that the customer wrote to, before the messages of campaigns. The answer is sent at most once: the status `unknown` means that the provider may have accepted it. With an `Idempotency-Key`, you can repeat the request safely.',
        params: idParams,
        headers: idempotencyHeaders,
        body: z.strictObject(answerText),
        response: { 200: answerView, 201: answerView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const actor = actorOf(request);
      const requestKey = `${actorId(actor)}/${request.headers['idempotency-key'] ?? randomUUID()}`;
      const written = await sql.begin(async (tx) => {
        const ticket = orNotFound(await lockTicket(tx, id), 'ticket', id);
        const { blocked, providerId } = await answeringOf(tx, ticket);
        if (blocked !== null) throw new ApiError(blocked);
        if (ticket.phone === null) throw new ApiError('customer_erased');
        const composed = composeAnswer(request.body, ticket, await profileOf(tx, providerId));
        const { answer, isNew } = await insertAnswer(tx, {
          ...{ kind: 'user', ticketId: id, inboundMessageId: null, requestKey, providerId },
          actor: actorId(actor),
          actorName: actor.name,
          phone: ticket.phone,
          ...composed,
        });
        if (isNew) await audit(tx, request, 'ticket.answer', { kind: 'ticket', id }, { answerId: answer.id });
        return { answer, isNew };
      });
      if (written.isNew) {
        onAnswers([written.answer.id]);
        await endPastAlerts(sql, 'ticket_overdue');
      }
      return reply
        .code(written.isNew ? 201 : 200)
        .header('location', `/api/tickets/${id}/answers`)
        .send(await viewOf(request, written.answer));
    },
  );

  app.post(
    '/tickets/:id/answers/preview',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Preview the text of an answer and its segments',
        description: 'Returns the text with its placeholders filled in. Sends nothing.',
        params: idParams,
        body: z.strictObject(answerText),
        response: { 200: answerPreview },
      },
    },
    async (request) => {
      const { id } = request.params;
      const ticket = orNotFound(await getTicket(sql, id), 'ticket', id);
      const profile = await profileOf(sql, (await targetOf(sql, id)).providerId);
      const { text } = composeAnswer(request.body, ticket, profile);
      return { text, ...segmentsOf(text, profile) };
    },
  );

  app.post(
    '/answers/:id/resolve',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Resolve an unknown answer',
        description:
          'States whether the answer was sent. If `sent` is true, the answer becomes `sent`, and a later receipt can still change it. If `sent` is false, it becomes `failed`, which is final. Nothing is sent again: write a new answer instead. If the answer is no longer unknown, for example because of a receipt, the error is `not_unknown`.',
        params: idParams,
        body: z.strictObject({
          /** Whether the provider accepted it, by the provider's own records. */
          sent: z.boolean(),
        }),
        response: { 200: answerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { sent } = request.body;
      const actor = actorOf(request);
      const resolved = await sql.begin(async (tx) => {
        const row = await resolveAnswer(tx, id, { sent, by: actorId(actor), byName: actor.name });
        if (row) {
          await audit(
            tx,
            request,
            'answer.resolve',
            { kind: 'answer', id },
            { ticketId: row.ticketId, sent },
          );
          return row;
        }
        const known = orNotFound(await getAnswer(tx, id), 'answer', id);
        throw new ApiError('not_unknown', { params: { status: known.status } });
      });
      return viewOf(request, resolved);
    },
  );

  async function viewOf(request: FastifyRequest, row: AnswerRow) {
    const [view] = await viewsOf(request, [row]);
    if (!view) throw new Error('The answer has no view.');
    return view;
  }

  /** A repeated request returns the existing answer in its current state. */
  async function viewsOf(request: FastifyRequest, rows: readonly AnswerRow[]) {
    const passing = rows.filter(({ status }) => status === 'queued' || status === 'sending');
    const retries = await readRetries(sql, passing.map(answerWorkflowId));
    return rows.map((row) => {
      const retrying = retries.get(answerWorkflowId(row));
      return { ...row, retrying: retrying ? viewRetrying(retrying, clock(), formatOf(request)) : null };
    });
  }

  async function targetOf(tx: Sql, id: number) {
    return orNotFound(await answerTarget(tx, id), 'ticket', id);
  }

  async function answeringOf(
    tx: Sql,
    { id, phone, status }: TicketRow,
  ): Promise<{ blocked: AnswerBlock | null; providerId: number }> {
    const { providerId } = await targetOf(tx, id);
    if (phone === null) return { blocked: 'customer_erased', providerId };
    const block = await sendBlockOf(tx, await phoneHash(), phone, providerId);
    if (block !== null) return { blocked: block === 'held' ? 'phone_held' : 'opted_out', providerId };
    return { blocked: status === 'finished' ? 'ticket_finished' : null, providerId };
  }
};

/** No conversation has more answers. */
const answersShown = 500;

/** The final text. Throws the problems of the written text. */
function composeAnswer(
  { text, removeAccents }: { text: string; removeAccents: boolean },
  { code, name, extra }: Pick<TicketRow, 'code' | 'name' | 'extra'>,
  profile: SegmentProfile,
): { text: string; segments: Segmentation['segments'] } {
  const refuse = (problems: readonly Problem[]): never => {
    throw new ApiError('invalid_fields', { problems });
  };
  const extraFieldNames = Object.keys(extra);
  const parsed = parseTemplate(text, extraFieldNames);
  if (!parsed.ok) return refuse(parsed.problems.map((found) => ({ ...found, field: 'text' })));
  const contact = { code: code ?? '', name: name ?? '', extra, customMessage: '' };
  const missing = missingPlaceholder(parsed.template, contact, extraFieldNames);
  if (missing !== null) return refuse([problem('text', 'placeholder_missing', { column: missing })]);
  const options = { removeAccents, maxSegments: maxAnswerSegments, profile, extraFieldNames };
  const composed = compose(parsed.template, contact, options);
  return 'skip' in composed ? refuse([problem('text', composed.skip)]) : composed;
}
