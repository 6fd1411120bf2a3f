import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  countPerson,
  customersWithPhone,
  customerWithCode,
  erasePerson,
  exportPerson,
  findCustomerPerson,
  findHoldings,
  findMentions,
  isCodeOfMany,
  lineIdentity,
  type Person,
} from '../../db/customers/people.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { getPrivacySettings, lockPrivacySettings, savePrivacySettings } from '../../db/customers/privacy.ts';
import { privacySettings } from '../../domain/privacy.ts';
import { audit } from '../http/auth.ts';
import { coded, problem } from '../../domain/problems/coded.ts';
import { addSettingsDocument } from '../http/document.ts';
import { ApiError, notFound, orNotFound } from '../http/errors.ts';
import { anyPhoneParam, idParams } from '../http/parameters.ts';

/** A code that more lines than this have is a placeholder and identifies nobody. */
const linesOfOnePerson = 10_000;

/**
 * A customer, a phone or code that belongs to no customer, or a line of a mailing. In the body, because URLs end up in
 * logs.
 */
const asked = z
  .strictObject({
    customerId: z.int().positive().optional(),
    phone: anyPhoneParam.optional(),
    code: z.string().trim().min(1).max(60).optional(),
    messageId: z.int().positive().optional(),
  })
  .refine((keys) => Object.keys(keys).length === 1, {
    path: ['phone'],
    error: coded('which_person'),
  });
type Asked = z.infer<typeof asked>;

export const erasedView = z.object({
  messages: z.int(),
  replies: z.int(),
  tickets: z.int(),
  /** Calls of providers, unchanged. */
  providerEvents: z.int(),
  /** Files that still contain the person, because they are stored as uploaded. Replace those that are current. */
  mailingFiles: z.array(
    z.object({
      campaignId: z.int(),
      campaignName: z.string(),
      fileId: z.int(),
      /** The next run of the campaign would send to them again. */
      current: z.boolean(),
    }),
  ),
});

export const personView = z.object({
  /** Null: the person is not a customer. */
  customer: z.object({ id: z.int(), name: z.string() }).nullable(),
  /** The customer's phones or the requested one, and those of their lines. */
  phones: z.array(z.string()),
  /** The codes of their lines. Other records with one of these codes can be found by it. */
  codes: z.array(z.string()),
  messages: z.int(),
  /** How many of these have not left. Erasing cancels them. */
  queued: z.int(),
  replies: z.int(),
  tickets: z.int(),
  optOuts: z.int(),
});

interface PrivacyDeps {
  sql: Database;
  /** Searches all stored data for a person. */
  longSql: Database;
  phoneHash: () => Promise<PhoneHash>;
}

/** Requests of data subjects, and the retention of personal data. */
export const privacy: FastifyPluginAsyncZod<PrivacyDeps> = async (app, { sql, longSql, phoneHash }) => {
  const tags = ['privacy'];

  addSettingsDocument(
    app,
    { sql, url: '/settings' },
    {
      schema: privacySettings,
      subject: 'privacy',
      access: 'viewer',
      get: getPrivacySettings,
      lock: lockPrivacySettings,
      save: savePrivacySettings,
      tags,
      read: { summary: 'Get the privacy settings' },
      change: {
        summary: 'Set the privacy settings',
        description:
          'Retention periods are in days; null means forever. Older data is deleted within an hour. `consentRequired` applies to runs that read their mailing from now on.',
      },
    },
  );

  app.post(
    '/look-up',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Count the stored data of a person',
        description:
          'Identify the person by `customerId`, by the `phone` or `code` of a person who is not a customer, or by the `messageId` of a line of a mailing. `messageId` stands for the customer or phone of that line, or for the line alone if it has neither. The search includes lines that contain the phone, also in an extra field, or the code, unless they belong to another customer.',
        body: asked,
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
        summary: 'Count the stored data of a customer',
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
        summary: 'Export the stored data of a person as JSON',
        description: 'Does not search the files of mailings.',
        body: asked,
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async (request, reply) => {
      const data = await longSql.begin('isolation level repeatable read', async (tx) => {
        const person = await find(tx, request.body);
        const holdings = await findHoldings(tx, person);
        const mentions = await findMentions(tx, person, holdings);
        await audit(tx, request, 'person.export', subjectOf(person));
        return exportPerson(tx, person, holdings, mentions);
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
          'Removes the person from the customers, messages, replies, tickets and provider calls that `POST /api/privacy/look-up` finds, and cancels queued messages. An opt-out stays in effect: a keyed hash of the phone is stored.',
        body: asked,
        response: { 200: erasedView },
      },
    },
    async (request) => {
      const hash = await phoneHash();
      const before = await find(longSql, request.body);
      const mentions = await findMentions(longSql, before, await findHoldings(longSql, before));
      return longSql.begin(async (tx) => {
        const person = await find(tx, request.body);
        const erased = await erasePerson(tx, hash, person, mentions);
        if (erased === null) {
          throw new ApiError('busy', { params: { with: 'person' } });
        }
        const { messages, replies, tickets } = erased;
        await audit(tx, request, 'person.erase', subjectOf(person), { messages, replies, tickets });
        return erased;
      });
    },
  );

  const lookUp = (keys: Asked): Promise<z.output<typeof personView>> =>
    longSql.begin('isolation level repeatable read read only', async (tx) => {
      const person = await find(tx, keys);
      const holdings = await findHoldings(tx, person);
      const counts = await countPerson(tx, holdings);
      const { customer } = person;
      const { phones, codes } = holdings;
      return { customer: customer && { id: customer.id, name: customer.name }, phones, codes, ...counts };
    });
};

const nobody: Person = { customer: null, phones: [], code: null, messageId: null };

async function find(tx: Sql, keys: Asked): Promise<Person> {
  const { customerId, phone, code, messageId } = keys;
  if (customerId !== undefined) {
    return orNotFound(await findCustomerPerson(tx, customerId), 'customer', customerId);
  }
  if (phone !== undefined) {
    refuseCustomers('phone', await customersWithPhone(tx, phone));
    return { ...nobody, phones: [phone] };
  }
  if (code !== undefined) {
    const id = await customerWithCode(tx, code);
    refuseCustomers('code', id === null ? [] : [id]);
    if (await isCodeOfMany(tx, code, linesOfOnePerson)) {
      throw new ApiError('invalid_fields', { problems: [problem('code', 'code_of_many')] });
    }
    return { ...nobody, code };
  }
  const line = messageId === undefined ? null : await lineIdentity(tx, messageId);
  if (line === null) throw notFound('message', messageId ?? 0);
  if (line.customerId !== null) return find(tx, { customerId: line.customerId });
  if (line.phone !== null) {
    const customerIds = await customersWithPhone(tx, line.phone);
    const [only] = customerIds;
    if (only !== undefined && customerIds.length === 1) return find(tx, { customerId: only });
    refuseCustomers('messageId', customerIds);
    return { ...nobody, phones: [line.phone] };
  }
  return { ...nobody, messageId: messageId ?? null };
}

function refuseCustomers(field: 'phone' | 'code' | 'messageId', customerIds: readonly number[]): void {
  if (customerIds.length === 0) return;
  throw new ApiError('invalid_fields', {
    problems: [problem(field, 'is_customer', { customerIds: [...customerIds] })],
  });
}

const subjectOf = ({ customer }: Person) => ({ kind: 'customer' as const, id: customer?.id ?? null });
