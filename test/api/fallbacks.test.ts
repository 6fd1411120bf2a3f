import { expect, test } from 'vitest';
import {
  createApi,
  createCatalog,
  createReadyCampaign,
  documentOf,
  errorOf,
  sandboxProvider,
} from '../kit/api.ts';

const api = await createApi();
const { as, sql } = api;
const catalog = await createCatalog(api);

const createProvider = async (name: string): Promise<number> =>
  (await as('admin')('POST', '/api/providers', { name, ...sandboxProvider })).json<{ id: number }>().id;
const setFallback = (id: number, fallbackId: number | null) =>
  as('admin')('PUT', `/api/providers/${id}/fallback`, { fallbackId });
const archive = async (id: number, archived: boolean): Promise<void> => {
  const { name, config, segmentProfile, ratePerSecond } = (
    await as('viewer')('GET', `/api/providers/${id}`)
  ).json<Record<string, unknown>>();
  const changed = { name, config, segmentProfile, ratePerSecond, archived };
  expect((await as('admin')('PUT', `/api/providers/${id}`, changed)).statusCode).toBe(200);
};

test('a provider can have a fallback, and fallbacks cannot form a cycle', async () => {
  const [a, b, c] = [await createProvider('A'), await createProvider('B'), await createProvider('C')];
  expect((await as('operator')('PUT', `/api/providers/${a}/fallback`, { fallbackId: b })).statusCode).toBe(
    403,
  );
  expect((await setFallback(a, b)).json()).toEqual({ id: a, fallbackId: b });
  expect((await setFallback(b, c)).statusCode).toBe(200);
  expect((await as('viewer')('GET', `/api/providers/${a}`)).json()).toMatchObject({ fallbackId: b });
  for (const [id, fallbackId] of [
    [a, a],
    [b, a],
    [c, a],
  ] as const) {
    expect(errorOf(await setFallback(id, fallbackId)).problems).toMatchObject([
      { field: 'fallbackId', code: 'cycle' },
    ]);
  }
  expect(errorOf(await setFallback(a, 9_000_000)).problems).toMatchObject([{ code: 'unknown' }]);
  expect((await setFallback(9_000_000, a)).statusCode).toBe(404);
  expect((await setFallback(a, null)).json()).toEqual({ id: a, fallbackId: null });
  expect((await setFallback(c, a)).statusCode).toBe(200);
  expect(
    await sql`select details from audit_log where action = 'provider.fallback' and subject_id = ${c}`,
  ).toEqual([{ details: { fallbackId: a } }]);
  // An update of the provider keeps its fallback.
  await archive(c, false);
  expect((await as('viewer')('GET', `/api/providers/${c}`)).json()).toMatchObject({ fallbackId: a });
});

test('an archived provider cannot become a fallback, and a campaign that depends on it cannot be enabled', async () => {
  const [own, fallback] = [await createProvider('Own'), await createProvider('Fallback')];
  await setFallback(own, fallback);
  await archive(fallback, true);
  expect(errorOf(await setFallback(catalog.providerId, fallback)).problems).toMatchObject([
    { field: 'fallbackId', code: 'archived' },
  ]);
  const id = await createReadyCampaign(api, documentOf({ ...catalog, providerId: own }));
  const refused = await as('operator')('POST', `/api/campaigns/${id}/enable`);
  expect([refused.statusCode, errorOf(refused).problems]).toMatchObject([
    422,
    [{ field: 'message.providerId', code: 'fallback_archived' }],
  ]);
  await archive(fallback, false);
  expect((await as('operator')('POST', `/api/campaigns/${id}/enable`)).statusCode).toBeLessThan(300);
});
