import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import { decideHold, holdDecisions, type HoldRow, listHolds } from '../../db/replies/holds.ts';
import { getReplyWords } from '../../db/replies/reply-words.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { idParams, urlId } from '../http/parameters.ts';

export const holdView = z.object({
  id: z.int(),
  /** E.164. */
  phone: z.string(),
  /** From a virtual phone: it applies to what the sandbox sends, and to nothing else. */
  sandbox: z.boolean(),
  at: instant,
  /** When it becomes an opt-out automatically. */
  dueAt: instant,
  /** The reply for which it is held; null once that is deleted. */
  replyId: z.int().nullable(),
  text: z.string().nullable(),
  /** The message that the reply answers; null: none of ours, or the reply is not handled yet. */
  messageId: z.int().nullable(),
  messageText: z.string().nullable(),
  campaignId: z.int().nullable(),
  campaignName: z.string().nullable(),
  ticketId: z.int().nullable(),
});

export const holdList = z.object({ holds: z.array(holdView) });

const dayMs = 24 * 3_600_000;

/** Phones that have probably opted out: not contacted until a user decides, or until the decision period ends. */
export const holds: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['replies'];

  const view = ({ inboundMessageId, at, ...hold }: HoldRow, holdDays: number): z.output<typeof holdView> => ({
    ...hold,
    at,
    dueAt: new Date(at.getTime() + holdDays * dayMs),
    replyId: inboundMessageId,
  });

  app.get(
    '',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List phones that are held because of a probable opt-out, oldest first',
        description: 'For the next page, pass the last id of the current page as `after`.',
        querystring: z.strictObject({
          after: urlId.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: holdList },
      },
    },
    async ({ query }) => {
      const [rows, { holdDays }] = await Promise.all([listHolds(sql, query), getReplyWords(sql)]);
      return { holds: rows.map((row) => view(row, holdDays)) };
    },
  );

  app.post(
    '/:id/decide',
    {
      config: { access: 'agent' },
      schema: {
        tags,
        summary: 'Decide whether a held phone has opted out',
        description:
          '`opt_out` opts the phone out, like a reply with an opt-out word. `release` means that the reply was not an opt-out: campaigns may write to the phone again. Messages that were skipped stay skipped.',
        params: idParams,
        body: z.strictObject({
          decision: z.enum(holdDecisions),
          note: z.string().trim().max(500).default(''),
        }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { decision, note } = request.body;
      await sql.begin(async (tx) => {
        const actor = actorId(actorOf(request));
        if (!(await decideHold(tx, id, { decision, actor, note }))) throw new ApiError('hold_decided');
        await audit(tx, request, `hold.${decision}`, { kind: 'opt_out', id });
      });
      await endPastAlerts(sql, 'holds');
      return reply.code(204).send(null);
    },
  );
};
