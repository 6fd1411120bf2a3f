import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import {
  getOptOut,
  listOptOutEvents,
  listOptOuts,
  optOutPhone,
  type OptOutRow,
  optOutSources,
  removeOptOut,
} from '../../db/customers/opt-outs.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import type { Format } from '../../domain/format.ts';
import { customerLabels } from '../../domain/words/customers.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { type CsvColumn, csvCode, csvPhone, csvQuery, csvRoute, sendRows } from '../http/csv.ts';
import { optOutEventView } from './customers.ts';
import { coded } from '../../domain/problems/coded.ts';
import { ApiError, notFound, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { anyPhoneParam, idParams, page } from '../http/parameters.ts';

export const optOutView = z.object({
  id: z.int(),
  /** E.164; null if the customer was erased: then only a keyed hash is stored. */
  phone: z.string().nullable(),
  source: z.enum(optOutSources),
  /** From a virtual phone: it applies to what the sandbox sends, and to nothing else. */
  sandbox: z.boolean(),
  at: instant,
});

export const optOutList = z.object({ optOuts: z.array(optOutView) });

const optOutFilter = z.strictObject({
  phone: anyPhoneParam.optional(),
  source: z.enum(optOutSources).optional(),
});

const note = z.string().trim().min(1, coded('missing')).max(500);
export const newOptOut = z.strictObject({ phone: anyPhoneParam, note });
export const optOutRemoval = z.strictObject({ note });

interface OptOutsDeps {
  sql: Database;
  phoneHash: () => Promise<PhoneHash>;
}

/** The phones that have opted out. Nothing overrides an opt-out. */
export const optOuts: FastifyPluginAsyncZod<OptOutsDeps> = async (app, { sql, phoneHash }) => {
  const tags = ['opt-outs'];

  const filterOf = async ({ phone: e164, source }: z.output<typeof optOutFilter>) => ({
    phone: e164 === undefined ? undefined : { e164, hash: (await phoneHash())(e164) },
    source,
  });

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List current opt-outs, newest first',
        description: 'A search by phone also finds opt-outs of erased customers.',
        querystring: page.extend(optOutFilter.shape),
        response: { 200: optOutList },
      },
    },
    async ({ query: { before, limit, ...query } }) => ({
      optOuts: await listOptOuts(sql, await filterOf(query), { before, limit }),
    }),
  );

  app.get(
    '.csv',
    csvRoute({
      access: 'viewer',
      tags,
      summary: 'Download current opt-outs as a CSV file',
      querystring: optOutFilter.extend(csvQuery),
    }),
    async (request, reply) => {
      const { format, ...query } = request.query;
      const where = await filterOf(query);
      return sendRows(request, reply, {
        format,
        name: { en: 'opt-outs', 'pt-BR': 'descadastros' },
        columns: columnsIn,
        read: (last, limit) => listOptOuts(sql, where, { before: last?.id, limit }),
      });
    },
  );

  app.get(
    '/:id/history',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the opt-outs and opt-ins of a phone, newest first',
        params: idParams,
        response: { 200: z.object({ events: z.array(optOutEventView) }) },
      },
    },
    async ({ params: { id } }) => {
      const optOut = orNotFound(await getOptOut(sql, id), 'opt_out', id);
      return { events: optOut.phone === null ? [] : await listOptOutEvents(sql, [optOut.phone]) };
    },
  );

  app.post(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Opt a phone out',
        description: 'Takes effect at once: all runs skip their queued messages to the phone.',
        body: newOptOut,
        response: { 201: optOutView },
      },
    },
    async (request, reply) => {
      const { phone, note } = request.body;
      const hash = (await phoneHash())(phone);
      const optOut = await sql.begin(async (tx) => {
        const added = await optOutPhone(tx, {
          phone,
          source: 'admin',
          actor: actorId(actorOf(request)),
          note,
        });
        const [optOut] = await listOptOuts(tx, { phone: { e164: phone, hash } }, { limit: 1 });
        if (!added || !optOut) throw new ApiError('already_opted_out');
        await audit(tx, request, 'opt_out.create', { kind: 'opt_out', id: optOut.id });
        return optOut;
      });
      await endPastAlerts(sql, 'holds');
      return reply.code(201).send(optOut);
    },
  );

  // Not DELETE: a reason is required, and proxies may drop the body of a DELETE.
  app.post(
    '/:id/remove',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove an opt-out',
        description:
          'Remove an opt-out only if the customer has asked for it, and describe in `note` how. Applies to runs that read their mailing from now on.',
        params: idParams,
        body: optOutRemoval,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const actor = actorId(actorOf(request));
        if (!(await removeOptOut(tx, id, { actor, note: request.body.note }))) throw notFound('opt_out', id);
        await audit(tx, request, 'opt_out.remove', { kind: 'opt_out', id });
      });
      return reply.code(204).send(null);
    },
  );
};

function columnsIn({ locale }: Format): readonly CsvColumn<OptOutRow>[] {
  const t = customerLabels[locale];
  return [
    ['id', null, ({ id }) => id],
    ['phone', t.anyPhone, ({ phone }) => csvPhone(phone)],
    ['source', t.source, ({ source }) => csvCode(source, t.sources)],
    ['sandbox', t.sandbox, ({ sandbox }) => sandbox],
    ['at', t.since, ({ at }) => at],
  ];
}
