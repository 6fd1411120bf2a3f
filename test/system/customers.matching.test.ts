import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordConsents } from '../../db/customers/consents.ts';
import { type ArrivedCustomer, findCustomers, registerCustomers } from '../../db/customers/matching.ts';
import { createDatabase } from '../kit/database.ts';

const { sql } = await createDatabase();

const [a, b, c, d] = ['+5511900000001', '+5511900000002', '+551130000003', '+5511900000004'] as const;
const nothing: ArrivedCustomer = {
  code: null,
  name: null,
  mobile: null,
  phone: null,
  phone2: null,
  birthDate: null,
  regionId: null,
  customerTypeId: null,
};
const arrived = (given: Partial<ArrivedCustomer>): ArrivedCustomer => ({ ...nothing, ...given });
const register = (...all: Partial<ArrivedCustomer>[]) =>
  sql.begin((tx) => registerCustomers(tx, all.map(arrived)));
const empty = () => sql`truncate customers restart identity cascade`;
const rows = () =>
  sql<ArrivedCustomer[]>`
    select code, name, mobile, phone, phone2, birth_date::text, region_id, customer_type_id from customers order by id`;

describe('registering customers', () => {
  test('creates new ones and never erases a value that is missing in the mailing', async () => {
    await empty();
    const [first] = await register({ code: '1', name: 'Maria', mobile: a, birthDate: '1980-12-25' });
    expect(first).toMatchObject({ outcome: 'inserted', consent: 'not_stated' });
    expect(await register({ code: '1', phone: c })).toMatchObject([{ id: first?.id, outcome: 'updated' }]);
    expect(await register({ code: '1', name: 'Maria' })).toMatchObject([{ outcome: 'unchanged' }]);
    expect(await rows()).toEqual([
      arrived({ code: '1', name: 'Maria', mobile: a, phone: c, birthDate: '1980-12-25' }),
    ]);
  });

  test('matches by any of the three phones when the code is missing or unknown', async () => {
    await empty();
    const [first] = await register({ name: 'Ana', mobile: a, phone2: b });
    expect(await register({ phone: b, name: 'Ana B' })).toMatchObject([{ id: first?.id }]);
    expect(await register({ code: '7', mobile: a })).toMatchObject([{ id: first?.id }]);
    expect(await rows()).toEqual([arrived({ code: '7', name: 'Ana B', mobile: a, phone2: b })]);
  });

  test('never merges customers with different codes that share a phone', async () => {
    await empty();
    const ids = (await register({ code: '1', mobile: a }, { code: '2', mobile: a })).map((one) => one?.id);
    expect(new Set(ids).size).toBe(2);
    expect(await register({ mobile: a })).toMatchObject([{ id: Math.min(...ids.map(Number)) }]);
  });

  test('merges duplicates in one mailing and skips contacts without code and phone', async () => {
    await empty();
    const registered = await register(
      { code: '1', name: 'Maria', mobile: a },
      { name: 'nobody' },
      { code: '1', name: 'Maria Silva' },
      { mobile: b, name: 'Rui' },
      { mobile: b },
      { phone: b, code: '3' },
    );
    expect(registered.map((one) => one?.id ?? null)).toEqual([1, null, 1, 2, 2, 2]);
    expect(await rows()).toEqual([
      arrived({ code: '1', name: 'Maria Silva', mobile: a }),
      arrived({ code: '3', name: 'Rui', mobile: b }),
    ]);
  });

  test('creates a customer once when two runs register it concurrently', async () => {
    await empty();
    const people = Array.from({ length: 200 }, (_, i) => ({ mobile: `+55119${String(i).padStart(8, '0')}` }));
    const both = await Promise.all([register(...people), register(...people.toReversed())]);
    expect(both[0].map((one) => one?.id)).toEqual(both[1].toReversed().map((one) => one?.id));
    expect(await rows()).toHaveLength(200);
  });

  test('keeps codes separate in any mailing and creates no duplicates when it is read again', async () => {
    const contact = fc.record({
      code: fc.option(fc.constantFrom('1', '2', '3'), { nil: null }),
      mobile: fc.option(fc.constantFrom(a, b, c), { nil: null }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(contact, { maxLength: 6 }), async (contacts) => {
        await empty();
        const atOnce = await register(...contacts);
        const size = (await rows()).length;
        // Each contact with a code or a phone is registered, and two codes are equal only for the same customer.
        contacts.forEach(({ code, mobile }, i) => {
          const customer = atOnce[i];
          expect(customer === null).toBe(code === null && mobile === null);
          contacts.forEach((other, k) => {
            if (code !== null && other.code !== null)
              expect(customer?.id === atOnce[k]?.id).toBe(code === other.code);
          });
        });
        await register(...contacts);
        expect(await rows()).toHaveLength(size);
        const all = await sql<{ code: string | null }[]>`select code from customers where code is not null`;
        expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('finding customers', () => {
  test('matches by code, otherwise by phone, and prefers a customer who refused consent', async () => {
    await empty();
    const registered = await register(
      { code: '1', mobile: a },
      { code: '2', mobile: b, phone: d },
      { code: '3', phone2: b },
    );
    await register({ code: '4', mobile: d });
    const [one, two, three] = registered.map((customer) => customer?.id ?? 0);
    await sql.begin((tx) =>
      recordConsents(tx, [{ customerId: Number(three), consent: 'refused', at: new Date() }], {
        source: 'api',
        actor: 'token:1',
      }),
    );
    expect(
      await findCustomers(sql, [
        { code: '1', phone: b },
        { code: '9', phone: a },
        { code: null, phone: b },
        { code: '9', phone: null },
        { code: null, phone: c },
        { code: '2', phone: null },
        { code: null, phone: d },
      ]),
    ).toEqual([
      { id: one, code: '1', consent: 'not_stated' },
      { id: one, code: '1', consent: 'not_stated' },
      { id: three, code: '3', consent: 'refused' },
      null,
      null,
      { id: two, code: '2', consent: 'not_stated' },
      { id: two, code: '2', consent: 'not_stated' },
    ]);
  });

  test('the latest consent applies, in any order of recording', async () => {
    await empty();
    const [customer] = await register({ code: '1' });
    const state = (consent: 'granted' | 'refused', at: string) =>
      sql.begin((tx) =>
        recordConsents(tx, [{ customerId: customer?.id ?? 0, consent, at: new Date(at) }], {
          source: 'import',
          actor: 'user:1',
        }),
      );
    await state('refused', '2026-05-01');
    await state('granted', '2026-04-01');
    expect(await sql`select consent, consent_source from customers`).toEqual([
      { consent: 'refused', consentSource: 'import' },
    ]);
    expect(await sql`select from consents`).toHaveLength(2);
  });
});
