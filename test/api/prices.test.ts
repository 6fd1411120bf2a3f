import fc from 'fast-check';
import { expect, test } from 'vitest';
import { setPrice } from '../../db/money/prices.ts';
import { callingCodeOf } from '../../domain/phone.ts';
import { choosePrice, type Price } from '../../domain/price.ts';
import { createApi, createCatalog, errorOf, sandboxProvider } from '../kit/api.ts';

// December in UTC, but still November in São Paulo.
const api = await createApi({ clock: () => new Date('2026-12-01T01:00:00Z') });
const { as, sql } = api;
const { providerId } = await createCatalog(api);
const url = `/api/providers/${providerId}/prices`;
const add = (body: object) => as('admin')('PUT', url, body);

test('an admin sets prices by country and day, and each change is audited', async () => {
  expect((await as('viewer')('GET', url)).json()).toEqual({ currency: 'BRL', prices: [] });
  expect((await add({ firstDay: '2026-01-01', price: '0,085' })).statusCode).toBe(200);
  await add({ firstDay: '2026-12-01', price: '0.09' });
  await add({ prefix: '+351', firstDay: '2026-06-01', price: '0,3' });
  const answer = await add({ prefix: '351', firstDay: '2026-06-01', price: '0,31' });
  // It is still November 30 in São Paulo.
  expect(answer.json()).toEqual({
    currency: 'BRL',
    prices: [
      { prefix: '', firstDay: '2026-12-01', price: '0.09', millionths: 90_000, current: false },
      { prefix: '', firstDay: '2026-01-01', price: '0.085', millionths: 85_000, current: true },
      { prefix: '351', firstDay: '2026-06-01', price: '0.31', millionths: 310_000, current: true },
    ],
  });
  const removed = await as('admin')('DELETE', `${url}?prefix=351&firstDay=2026-06-01`);
  expect(removed.json<{ prices: unknown[] }>().prices).toHaveLength(2);
  expect((await as('admin')('DELETE', `${url}?firstDay=2020-06-01`)).statusCode).toBe(200);
  expect(
    await sql`select action, details, changes from audit_log where action like 'provider.%_price' order by id`,
  ).toEqual([
    {
      action: 'provider.set_price',
      details: { prefix: '', firstDay: '2026-01-01' },
      changes: { price: [null, '0.085'] },
    },
    {
      action: 'provider.set_price',
      details: { prefix: '', firstDay: '2026-12-01' },
      changes: { price: [null, '0.09'] },
    },
    {
      action: 'provider.set_price',
      details: { prefix: '351', firstDay: '2026-06-01' },
      changes: { price: [null, '0.30'] },
    },
    {
      action: 'provider.set_price',
      details: { prefix: '351', firstDay: '2026-06-01' },
      changes: { price: ['0.30', '0.31'] },
    },
    {
      action: 'provider.remove_price',
      details: { prefix: '351', firstDay: '2026-06-01' },
      changes: {},
    },
  ]);
});

test('an invalid price is rejected with a problem for each field', async () => {
  const wrong = await add({ prefix: '5511', firstDay: '30/11/2026', price: 'dez centavos' });
  expect(wrong.statusCode).toBe(422);
  expect(errorOf(wrong).problems).toMatchObject([
    { field: 'prefix', code: 'calling_code_unknown' },
    { field: 'firstDay', code: 'date_format' },
    { field: 'price', code: 'price_format' },
  ]);
  expect((await as('operator')('PUT', url, { firstDay: '2026-01-01', price: '1' })).statusCode).toBe(403);
  expect((await as('viewer')('GET', '/api/providers/9000000/prices')).statusCode).toBe(404);
});

test('SQL and TypeScript choose the same price, and the same country for a phone', async () => {
  const provider = await as('admin')('POST', '/api/providers', { name: 'Preços', ...sandboxProvider });
  const { id } = provider.json<{ id: number }>();
  const day = fc.constantFrom('2026-01-01', '2026-02-01', '2026-02-02', '2026-03-01');
  const prefix = fc.constantFrom('', '1', '55', '351');
  const price = fc.record({ prefix, firstDay: day, millionths: fc.integer({ min: 0, max: 500_000 }) });
  const phoneNumber = fc.stringMatching(/^\+[1-9]\d{7,13}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.array(price, { maxLength: 8 }),
      prefix,
      day,
      phoneNumber,
      async (prices, country, onDay, phone) => {
        await sql`delete from prices where provider_id = ${id}`;
        for (const entry of prices) await setPrice(sql, id, entry);
        // A later price with the same key replaces the earlier one.
        const kept = new Map<string, Price>(
          prices.map((entry) => [`${entry.prefix} ${entry.firstDay}`, entry]),
        );
        const [row] = await sql`
        select segment_price(${id}, ${country}, ${onDay}::date) as price, calling_code(${phone}) as code`;
        expect(row?.price).toBe(choosePrice([...kept.values()], { country, day: onDay }));
        expect(row?.code).toBe(callingCodeOf(phone));
      },
    ),
    { numRuns: 60 },
  );
});
