import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';
import { listConsents, recordConsents } from '../../db/customers/consents.ts';
import {
  customerUses,
  type CustomerRow,
  emptyCustomer,
  getCustomer,
  insertCustomer,
  searchCustomers,
  lockCustomer,
  updateCustomer,
} from '../../db/customers/customers.ts';
import { searchMessages } from '../../db/messages/messages.ts';
import { listOptOutEvents, optOutEventKinds, optOutSources } from '../../db/customers/opt-outs.ts';
import { consent, type CustomerContent, consentSource, customerContent } from '../../domain/customer.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, formatOf, isForeignKeyViolation, notFound, orNotFound } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import { messageView, viewMessage } from '../messages/messages.ts';
import { idParams, page, phonesParam, urlId } from '../http/parameters.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

export const customerView = z.object({
  id: z.int(),
  code: z.string().nullable(),
  name: z.string(),
  /** E.164, as are the other phones. */
  mobile: z.string().nullable(),
  phone: z.string().nullable(),
  phone2: z.string().nullable(),
  birthDate: z.string().nullable(),
  regionId: z.int().nullable(),
  regionName: z.string().nullable(),
  customerTypeId: z.int().nullable(),
  customerTypeName: z.string().nullable(),
  consent,
  consentSource: consentSource.nullable(),
  consentAt: instant.nullable(),
  /** Whether any of the phones has opted out. */
  optedOut: z.boolean(),
  /** Whether any of the phones is held because of a probable opt-out. */
  held: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
});

export const optOutEventView = z.object({
  id: z.int(),
  phone: z.string(),
  kind: z.enum(optOutEventKinds),
  source: z.enum(optOutSources),
  actor: z.string(),
  /** From a virtual phone: it applies to what the sandbox sends, and to nothing else. */
  sandbox: z.boolean(),
  note: z.string(),
  inboundMessageId: z.int().nullable(),
  at: instant,
});

export const consentHistoryView = z.object({
  consents: z.array(
    z.object({
      id: z.int(),
      consent,
      source: consentSource,
      note: z.string(),
      actor: z.string(),
      /** From a virtual phone of the sandbox: it has no effect. */
      sandbox: z.boolean(),
      /** When the customer stated it. */
      at: instant,
      recordedAt: instant,
    }),
  ),
  /** Of any of the current phones. */
  optOuts: z.array(optOutEventView),
});

export const consentStatement = z.strictObject({
  consent,
  /** When the customer stated it; the default is now. */
  at: z.iso.datetime({ offset: true }).optional(),
  note: z.string().trim().max(500).default(''),
});
export const customerList = z.object({
  customers: z.array(customerView),
  /** More customers match these words than a search reads: add another word. */
  more: z.boolean(),
});
export const customerMessages = z.object({ messages: z.array(messageView) });

export const customerFilter = z.strictObject({
  code: z.string().trim().min(1).max(60).optional(),
  /** Words of the name, or their beginnings, in any order; ignores case, accents and punctuation. */
  name: z.string().trim().min(1).max(120).optional(),
  phone: phonesParam.optional(),
});

export const phonesOf = ({ mobile, phone, phone2 }: CustomerRow): string[] =>
  [mobile, phone, phone2].filter((one) => one !== null);

/** The customers in the database. All roles see full phones, as with messages. */
export const customers: FastifyPluginAsyncZod<{ sql: Database; clock: () => Date }> = async (
  app,
  { sql, clock },
) => {
  const tags = ['customers'];

  app.get(
    '',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'Search customers',
        description:
          'Returns customers by name. For the next page, pass the last id of the current page as `after`.',
        querystring: customerFilter.extend({ after: urlId.optional(), limit: page.shape.limit }),
        response: { 200: customerList },
      },
    },
    async ({ query: { after, limit, ...where } }) => searchCustomers(sql, where, { after, limit }),
  );

  app.get(
    '/:id',
    {
      config: { access: 'any_role' },
      schema: { tags, summary: 'Get a customer', params: idParams, response: { 200: customerView } },
    },
    async ({ params: { id } }, reply) => {
      const customer = await need(id);
      nameVersion(reply, editedOf(customer));
      return customer;
    },
  );

  app.post(
    '',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Create a customer',
        description:
          'Accepts phones in any common format, including landlines. The initial consent is `not_stated`.',
        body: customerContent,
        response: { 201: customerView },
      },
    },
    async (request, reply) => {
      const id = await knownSettings(() =>
        sql.begin(async (tx) => {
          const id = await insertCustomer(tx, request.body);
          await audit(tx, request, 'customer.create', { kind: 'customer', id });
          return id;
        }),
      );
      return reply
        .code(201)
        .header('location', `/api/customers/${id}`)
        .send(await need(id));
    },
  );

  app.put(
    '/:id',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Update a customer',
        description: 'Replaces all fields except the consent.',
        params: idParams,
        headers: versionHeaders,
        body: customerContent,
        response: { 200: customerView },
      },
    },
    async (request) => {
      const { id } = request.params;
      await knownSettings(() =>
        sql.begin(async (tx) => {
          await lockCustomer(tx, id);
          const before = await getCustomer(tx, id);
          if (before) requireVersion(request, editedOf(before));
          if (!before || !(await updateCustomer(tx, id, request.body))) throw notFound('customer', id);
          await audit(
            tx,
            request,
            'customer.update',
            { kind: 'customer', id },
            { fields: changed(before, request.body) },
          );
        }),
      );
      return need(id);
    },
  );

  app.delete(
    '/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete a customer that has no messages, replies or tickets',
        description: 'For any other customer, use `POST /api/privacy/erase`.',
        params: idParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await sql.begin(async (tx) => {
        const uses = await customerUses(tx, id);
        const usedBy = (['messages', 'replies', 'tickets'] as const).filter((noun) => uses[noun]);
        if (usedBy.length > 0) throw new ApiError('customer_in_use', { params: { usedBy } });
        if (!(await emptyCustomer(tx, id))) throw notFound('customer', id);
        await audit(tx, request, 'customer.delete', { kind: 'customer', id });
      });
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/:id/messages',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List the messages to a customer, newest first',
        params: idParams,
        querystring: page,
        response: { 200: customerMessages },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { before, limit } = request.query;
      await need(id);
      const rows = await searchMessages(sql, { customerId: id }, { before, limit });
      return { messages: rows.map((row) => viewMessage(row, formatOf(request))) };
    },
  );

  app.get(
    '/:id/consents',
    {
      config: { access: 'any_role' },
      schema: {
        tags,
        summary: 'List the consent statements of a customer, newest first',
        description: 'Also returns the opt-outs and opt-ins of the current phones.',
        params: idParams,
        response: { 200: consentHistoryView },
      },
    },
    async ({ params: { id } }) => history(id),
  );

  app.post(
    '/:id/consents',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Record a consent statement of a customer',
        description:
          'The statement with the latest date applies. When a customer refuses, all runs that require consent skip their queued messages to the customer at once.',
        params: idParams,
        body: consentStatement,
        response: { 201: consentHistoryView },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { note, ...stated } = request.body;
      const at = stated.at === undefined ? clock() : new Date(stated.at);
      if (at > clock() || at.getTime() < 0) {
        const code = at > clock() ? 'date_in_future' : 'date_before_1970';
        throw new ApiError('invalid_fields', { problems: [problem('at', code)] });
      }
      const actor = actorOf(request);
      await sql.begin(async (tx) => {
        if (!(await getCustomer(tx, id))) throw notFound('customer', id);
        await recordConsents(tx, [{ customerId: id, consent: stated.consent, at }], {
          source: actor.kind === 'user' ? 'admin' : 'api',
          actor: actorId(actor),
          note,
        });
        await audit(tx, request, 'customer.consent', { kind: 'customer', id }, { consent: stated.consent });
      });
      return reply.code(201).send(await history(id));
    },
  );

  async function need(id: number): Promise<CustomerRow> {
    return orNotFound(await getCustomer(sql, id), 'customer', id);
  }

  async function history(id: number): Promise<z.output<typeof consentHistoryView>> {
    const customer = await need(id);
    return {
      consents: await listConsents(sql, id),
      optOuts: await listOptOutEvents(sql, phonesOf(customer)),
    };
  }
};

/** The names of the fields that differ. */
const changed = (before: CustomerRow, after: CustomerContent): string[] =>
  Object.entries(after).flatMap(([field, value]) =>
    Object.entries(before).some(([name, was]) => name === field && was === value) ? [] : [field],
  );

/** Reports a region or type that does not exist, which the database checks. */
async function knownSettings<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    throw new ApiError('invalid_fields', {
      problems: [problem('regionId', 'unknown'), problem('customerTypeId', 'unknown')],
    });
  }
}

/** The fields that a change of a customer replaces. */
const editedOf = ({
  code,
  name,
  mobile,
  phone,
  phone2,
  birthDate,
  regionId,
  customerTypeId,
}: CustomerContent): CustomerContent => ({
  code,
  name,
  mobile,
  phone,
  phone2,
  birthDate,
  regionId,
  customerTypeId,
});
