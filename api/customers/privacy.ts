import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  countPerson,
  customersWithPhone,
  erasePerson,
  exportPerson,
  findCustomerPerson,
  findLaterMentions,
  findMentions,
  isBusyWith,
  type Person,
} from '../../db/customers/people.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { getPrivacySettings, savePrivacySettings } from '../../db/customers/privacy.ts';
import { type PrivacySettings, privacySettings } from '../../domain/privacy.ts';
import { audit } from '../http/auth.ts';
import { coded, problem } from '../../domain/problems/coded.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { anyPhoneParam, idParams } from '../http/parameters.ts';

/** A customer, or a phone of somebody who is none. In the body: addresses of requests end up in logs. */
const person = z
  .strictObject({ customerId: z.int().positive().optional(), phone: anyPhoneParam.optional() })
  .refine(({ customerId, phone }) => (customerId === undefined) !== (phone === undefined), {
    path: ['phone'],
    error: coded('phone_or_customer'),
  });

export const erasedView = z.object({
  messages: z.int(),
  replies: z.int(),
  tickets: z.int(),
  /** Calls of providers, as they came. */
  providerEvents: z.int(),
  /** Files that still hold the person: they are kept as they were uploaded. Replace those that are current. */
  mailingFiles: z.array(
    z.object({
      campaignId: z.int(),
      campaignName: z.string(),
      fileId: z.int(),
      /** The next run of the campaign would write to them again. */
      current: z.boolean(),
    }),
  ),
});

export const personView = z.object({
  /** Null: the phone is of no customer. */
  customer: z.object({ id: z.int(), name: z.string() }).nullable(),
  phones: z.array(z.string()),
  messages: z.int(),
  /** Of these, how many have not left: erasing cancels them. */
  queued: z.int(),
  replies: z.int(),
  tickets: z.int(),
  optOuts: z.int(),
});

interface PrivacyDeps {
  sql: Database;
  /** A person is looked for in everything that is kept. */
  longSql: Database;
  phoneHash: () => Promise<PhoneHash>;
}

/** What a person may ask of us, and for how long we keep what we have. */
export const privacy: FastifyPluginAsyncZod<PrivacyDeps> = async (app, { sql, longSql, phoneHash }) => {
  const tags = ['privacy'];

  app.get(
    '/settings',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Whether consent is demanded, and for how long personal data is kept',
        response: { 200: privacySettings },
      },
    },
    async () => getPrivacySettings(sql),
  );

  app.put(
    '/settings',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change whether consent is demanded, and for how long personal data is kept',
        description:
          'Days; null: for ever. What is older is deleted within an hour. `consentRequired` counts for runs that read their mailing from now on.',
        body: privacySettings,
        response: { 200: privacySettings },
      },
    },
    async (request) => {
      await sql.begin(async (tx) => {
        const before = await getPrivacySettings(tx);
        await savePrivacySettings(tx, request.body);
        await audit(
          tx,
          request,
          'privacy.update',
          { kind: 'privacy', id: null },
          changes(before, request.body),
        );
      });
      return request.body;
    },
  );

  app.post(
    '/look-up',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'How much is kept of a person',
        body: person,
        response: { 200: personView },
      },
    },
    async (request) => lookUp(request.body),
  );

  app.get(
    '/customers/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'How much is kept of a customer',
        params: idParams,
        response: { 200: personView },
      },
    },
    async (request) => lookUp({ customerId: request.params.id }),
  );

  app.post(
    '/export',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Everything that is kept of a person, as one JSON document',
        description: 'The files of mailings are not searched.',
        body: person,
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async (request, reply) => {
      const data = await longSql.begin('isolation level repeatable read', async (tx) => {
        const person = await find(tx, request.body);
        await audit(tx, request, 'person.export', { kind: 'customer', id: person.customer?.id ?? null });
        return exportPerson(tx, person);
      });
      return reply.header('content-disposition', 'attachment; filename="person.json"').send(data);
    },
  );

  app.post(
    '/erase',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Erase a person',
        description:
          'From the customers, messages, replies, tickets and calls of providers. What is queued for them is cancelled. An opt-out stays in force: of the phone a keyed hash is kept.',
        body: person,
        response: { 200: erasedView },
      },
    },
    async (request) => {
      const hash = await phoneHash();
      const mentions = await findMentions(longSql, await find(longSql, request.body));
      return longSql.begin(async (tx) => {
        const person = await find(tx, request.body);
        const mentioning = await findLaterMentions(tx, person, mentions);
        if (mentioning === null || (await isBusyWith(tx, person))) {
          throw new ApiError('busy', { params: { with: 'person' } });
        }
        const erased = await erasePerson(tx, hash, person, mentioning);
        const { messages, replies, tickets } = erased;
        await audit(
          tx,
          request,
          'person.erase',
          { kind: 'customer', id: person.customer?.id ?? null },
          { messages, replies, tickets },
        );
        return erased;
      });
    },
  );

  const lookUp = (asked: z.infer<typeof person>): Promise<z.output<typeof personView>> =>
    longSql.begin('isolation level repeatable read read only', async (tx) => {
      const { customer, phones } = await find(tx, asked);
      const counts = await countPerson(tx, { customer, phones });
      return { customer: customer && { id: customer.id, name: customer.name }, phones, ...counts };
    });
};

async function find(tx: Sql, { customerId, phone = '' }: z.infer<typeof person>): Promise<Person> {
  if (customerId !== undefined) {
    const person = await findCustomerPerson(tx, customerId);
    if (!person) throw notFound('customer', customerId);
    return person;
  }
  const customerIds = await customersWithPhone(tx, phone);
  if (customerIds.length > 0) {
    throw new ApiError('invalid_fields', { problems: [problem('phone', 'is_customer', { customerIds })] });
  }
  return { customer: null, phones: [phone] };
}

const changes = (before: PrivacySettings, after: PrivacySettings) =>
  Object.fromEntries(
    Object.entries(after).filter(([field, value]) =>
      Object.entries(before).some(([name, was]) => name === field && was !== value),
    ),
  );
