import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { countResendable, countUnreachable, resendAboutToCopy } from '../../db/runs/resends.ts';
import { getRun, type RunRow } from '../../db/runs/runs.ts';
import { failureReasons } from '../../domain/message.ts';
import { cost } from '../../domain/price.ts';
import { resendableRunStatuses } from '../../domain/run.ts';
import { audit } from '../http/auth.ts';
import { ApiError, orNotFound } from '../http/errors.ts';
import { estimate, type MoneySettings } from '../money/costs-of-runs.ts';
import { idempotencyHeaders, idParams } from '../http/parameters.ts';
import { requireCompleteRestore } from './restores.ts';
import { runAddress } from './view.ts';
import type { Temporal } from '../services/temporal.ts';

const reason = z.enum(failureReasons);

export const resendView = z.object({
  /** What a resend would send. */
  messages: z.int(),
  segments: z.int(),
  /** At today's prices. */
  cost,
  byReason: z.array(
    z.object({
      status: z.enum(['failed', 'undelivered', 'unknown']),
      reason: z.string(),
      messages: z.int(),
      segments: z.int(),
    }),
  ),
  /** Failed messages whose numbers cannot be reached: `onlyReachable` leaves them out. */
  unreachable: z.array(z.object({ reason: z.string(), messages: z.int() })),
});

interface ResendsDeps {
  sql: Database;
  temporal: Temporal;
  money: MoneySettings;
  clock: () => Date;
}

/** Resends messages of an ended run: one route counts them, one starts a new run. */
export const resends: FastifyPluginAsyncZod<ResendsDeps> = async (app, { sql, temporal, money, clock }) => {
  const tags = ['runs'];

  const need = async (id: number): Promise<RunRow> => orNotFound(await getRun(sql, id), 'run', id);

  app.get(
    '/:id/resend',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Count the messages that a resend would send',
        description:
          'Counts failed and undelivered messages; with `includeUnknown`, also those that the provider may have accepted. Excludes messages whose resend is in progress or was accepted by the provider.',
        params: idParams,
        querystring: z.strictObject({
          includeUnknown: z.stringbool().default(false),
          /** Separated by commas; by default any. */
          reasons: z
            .string()
            .transform((text) => text.split(','))
            .pipe(z.array(reason))
            .nullable()
            .default(null),
          /** Excludes numbers that do not exist or accept no SMS, and phones that have opted out. */
          onlyReachable: z.stringbool().default(false),
        }),
        response: { 200: resendView },
      },
    },
    async ({ params: { id }, query }) => {
      return count(await need(id), query);
    },
  );

  app.post(
    '/:id/resend',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Resend the failed messages of an ended run',
        description:
          'Starts a new run with the texts, sending hours and provider of the original run, and checks opt-outs and consent again. `messages` is the expected number of messages. If the number has changed, nothing starts and the error is `resend_changed`.',
        params: idParams,
        headers: idempotencyHeaders,
        body: z
          .strictObject({
            /** Also messages that the provider may have accepted: their recipients may receive the text twice. */
            includeUnknown: z.boolean().default(false),
            /** Only those that ended with one of these reasons. */
            reasons: z.array(reason).min(1).nullable().default(null),
            /** As in the preceding count. */
            onlyReachable: z.boolean().default(false),
            messages: z.int().min(0).optional(),
          })
          .prefault({}),
        response: { 201: z.object({ runId: z.int(), messages: z.int() }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { messages: seen, ...scope } = request.body;
      const run = await need(id);
      if (!resendableRunStatuses.has(run.status)) {
        throw new ApiError('run_not_over', {
          params: { status: run.status },
        });
      }
      const other = await resendAboutToCopy(sql, id);
      if (other !== null) {
        throw new ApiError('resend_pending', { params: { runId: other } });
      }
      const { messages } = await count(run, scope);
      if (seen !== undefined && seen !== messages) {
        throw new ApiError('resend_changed', {
          params: { messages, seen },
        });
      }
      if (messages === 0) throw new ApiError('nothing_to_resend');
      await requireCompleteRestore(sql);
      const { runId } = await temporal.resend(
        { id: run.campaignId, name: run.settings.campaign.name },
        { of: id, scope },
        request.headers['idempotency-key'],
      );
      await audit(sql, request, 'run.resend', { kind: 'run', id }, { runId, messages, ...scope });
      return reply.code(201).header('location', runAddress(runId)).send({ runId, messages });
    },
  );

  async function count(
    { id, settings }: RunRow,
    scope: Parameters<typeof countResendable>[2],
  ): Promise<z.infer<typeof resendView>> {
    const counts = await countResendable(sql, id, scope);
    const byReason = new Map<string, typeof counts>();
    for (const one of counts) {
      const key = `${one.status} ${one.reason}`;
      byReason.set(key, [...(byReason.get(key) ?? []), one]);
    }
    const { providerId } = settings.campaign.message;
    return {
      ...sumOf(counts),
      cost: await estimate(sql, { segments: counts, providerId, at: clock() }, money),
      byReason: [...byReason.values()].flatMap((some) =>
        some.slice(0, 1).map(({ status, reason }) => ({ status, reason, ...sumOf(some) })),
      ),
      unreachable: await countUnreachable(sql, id),
    };
  }
};

const sumOf = (counts: readonly { messages: number; segments: number }[]) => ({
  messages: counts.reduce((sum, { messages }) => sum + messages, 0),
  segments: counts.reduce((sum, { segments }) => sum + segments, 0),
});
