import { expect, test, vi } from 'vitest';
import { openIntegration } from '../../db/settings/integrations.ts';
import { getProviderSecrets } from '../../db/providers/providers.ts';
import {
  box,
  createApi,
  createCatalog,
  createRun,
  documentOf,
  errorOf,
  sandboxProvider,
} from '../kit/api.ts';

const api = await createApi();
const { as, sql } = api;
const admin = as('admin');
const catalog = await createCatalog(api);

async function add(body: object): Promise<number> {
  const answer = await admin('POST', '/api/providers', body);
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json<{ id: number }>().id;
}
const callbackSecret = 'a-secret-of-more-than-20';
const zenvia = {
  name: 'Zenvia',
  config: { kind: 'zenvia', from: 'loja' },
  secrets: { kind: 'zenvia', apiToken: 'the-token', callbackSecret },
};
const gateway = {
  name: 'Gateway',
  config: {
    kind: 'http',
    request: { method: 'GET', url: 'http://gateway.example/send?user={secret.user}&key={secret.key}' },
  },
  secrets: { kind: 'http', callbackSecret, values: { user: 'me', key: 'hush' } },
};

test('one of several provider secrets can be changed without the others', async () => {
  const id = await add(zenvia);
  const url = `/api/providers/${id}`;
  const body = { ...zenvia, ratePerSecond: null };
  await admin('PUT', url, { ...body, secrets: { kind: 'zenvia', apiToken: 'another' } });
  expect(await getProviderSecrets(sql, box, id)).toEqual({ ...zenvia.secrets, apiToken: 'another' });
  const bad = await admin('PUT', url, { ...body, secrets: { kind: 'zenvia', callbackSecret: 'short' } });
  expect(errorOf(bad).problems?.map(({ field }) => field)).toEqual(['secrets.callbackSecret']);

  const http = await add(gateway);
  const answer = await admin('PUT', `/api/providers/${http}`, {
    ...gateway,
    ratePerSecond: null,
    secrets: { kind: 'http', values: { key: 'new' } },
  });
  expect(answer.statusCode).toBe(200);
  expect(await getProviderSecrets(sql, box, http)).toEqual({
    kind: 'http',
    callbackSecret,
    values: { user: 'me', key: 'new' },
  });
});

test('a Twilio account keeps the secret of an API key only while it uses the key', async () => {
  const twilio = {
    name: 'Twilio',
    config: {
      ...sandboxProvider.config,
      kind: 'twilio',
      apiKeySid: `SK${'c'.repeat(32)}`,
      sharedKeyId: 'key_1',
    },
    secrets: { kind: 'twilio', authToken: 'the-token' },
  };
  const refused = await admin('POST', '/api/providers', twilio);
  expect(errorOf(refused).problems).toMatchObject([
    { field: 'secrets.apiKeySecret', code: 'missing', params: { what: 'api_key_secret' } },
    { field: 'secrets.sharedKeySecret', code: 'missing', params: { what: 'shared_key_secret' } },
  ]);
  const secrets = { ...twilio.secrets, apiKeySecret: 'key', sharedKeySecret: 'shared' };
  const id = await add({ ...twilio, secrets });
  const stored = async () => getProviderSecrets(sql, box, id);
  const put = (config: object, changes?: object) =>
    admin('PUT', `/api/providers/${id}`, {
      ...{ name: 'Twilio', config, ratePerSecond: null },
      ...(changes && { secrets: { kind: 'twilio', ...changes } }),
    });

  expect((await put(twilio.config, { authToken: 'another' })).statusCode).toBe(200);
  expect(await stored()).toEqual({ ...secrets, authToken: 'another' });
  const withoutKey = { ...twilio.config, apiKeySid: undefined };
  expect((await put(withoutKey)).statusCode).toBe(200);
  expect(await stored()).toEqual({ kind: 'twilio', authToken: 'another', sharedKeySecret: 'shared' });
  expect(errorOf(await put(twilio.config)).problems).toMatchObject([{ field: 'secrets.apiKeySecret' }]);
  expect(errorOf(await put({ ...withoutKey, region: 'ie1' })).problems).toMatchObject([
    { field: 'config.edge', code: 'missing', params: { what: 'region_and_edge' } },
  ]);
  const elsewhere = { ...withoutKey, region: 'evil.example/', edge: 'a' };
  expect(errorOf(await put(elsewhere)).problems).toMatchObject([{ field: 'config.region' }]);
});

test('only Infobip supports the Portuguese segment profile', async () => {
  const portuguese = { ...zenvia, name: 'Portuguese', segmentProfile: 'portuguese' };
  const refused = await admin('POST', '/api/providers', portuguese);
  expect(errorOf(refused).problems).toMatchObject([{ field: 'segmentProfile', code: 'profile_of_infobip' }]);
  const infobip = {
    ...portuguese,
    config: { kind: 'infobip', baseUrl: 'https://x1.api.infobip.com', from: 'loja' },
    secrets: { kind: 'infobip', apiKey: 'key', callbackSecret },
  };
  const id = await add(infobip);
  const { config, secrets } = zenvia;
  const changed = await admin('PUT', `/api/providers/${id}`, {
    ...{ ...infobip, config, secrets, ratePerSecond: null },
  });
  expect(errorOf(changed).problems).toMatchObject([{ field: 'segmentProfile' }]);
});

test('a provider that changes its kind keeps no secret of its former kind', async () => {
  const id = await add({ ...zenvia, name: 'Was Zenvia' });
  const config = { kind: 'infobip', baseUrl: 'https://x1.api.infobip.com', from: 'loja' };
  const secrets = { kind: 'infobip', apiKey: 'key' };
  const url = `/api/providers/${id}`;
  const answer = await admin('PUT', url, { name: 'Infobip', config, secrets, ratePerSecond: null });
  expect(errorOf(answer).problems).toMatchObject([{ field: 'secrets.callbackSecret', code: 'missing' }]);
});

test('a provider lists its uses, and only an unused provider can be deleted', async () => {
  const unused = await add({ ...sandboxProvider, name: 'Unused' });
  expect((await admin('GET', `/api/providers/${unused}/uses`)).json()).toEqual({ usedBy: [] });
  expect((await as('operator')('DELETE', `/api/providers/${unused}`)).statusCode).toBe(403);
  expect((await admin('DELETE', `/api/providers/${unused}`)).statusCode).toBe(204);
  expect((await admin('GET', `/api/providers/${unused}`)).statusCode).toBe(404);

  const providerId = await add({ ...sandboxProvider, name: 'Used' });
  const document = documentOf({ ...catalog, providerId }, { name: 'Cobrança' });
  const saved = await as('operator')('POST', '/api/campaigns', document);
  const { id } = saved.json<{ id: number }>();
  const { runId, campaignId } = await createRun(api, { ...catalog, providerId });
  await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
  const refused = await admin('DELETE', `/api/providers/${providerId}`);
  expect([refused.statusCode, errorOf(refused)]).toMatchObject([
    409,
    {
      code: 'in_use',
      params: {
        usedBy: [
          { kind: 'campaign', id, name: 'Cobrança' },
          { kind: 'campaign', id: campaignId },
          { kind: 'runs', count: 1 },
        ],
      },
    },
  ]);

  const withEvents = await add({ ...sandboxProvider, name: 'Has called' });
  await sql`
    insert into inbound_events (provider_id, event_key, kind, payload) values (${withEvents}, 'a', 'other', '{}')`;
  expect((await admin('DELETE', `/api/providers/${withEvents}`)).statusCode).toBe(409);
  await sql`update runs set step = 'done', status = 'finished' where id = ${runId}`;
});

test('the current rate of a provider is the sum of its sending runs', async () => {
  const providerId = await add({ ...sandboxProvider, name: 'Busy' });
  const runs = [];
  for (let n = 0; n < 3; n++) {
    const { runId } = await createRun(api, { ...catalog, providerId });
    await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
    runs.push(runId);
  }
  await sql`update runs set status = 'paused' where id = ${runs[2] ?? 0}`;
  const rates = async () =>
    (await as('viewer')('GET', '/api/providers/rates')).json<{ rates: object[] }>().rates;
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    expect(await rates()).toEqual([{ providerId, runs: 2, segmentsPerSecond: null }]);
    for (const runId of runs)
      await sql`insert into run_counts (run_id, status, messages, segments) values (${runId}, 'sent', 10, 20)`;
    vi.advanceTimersByTime(10_000);
    expect(await rates()).toEqual([{ providerId, runs: 2, segmentsPerSecond: 4 }]);
  } finally {
    vi.useRealTimers();
  }
  await sql`update runs set step = 'done', status = 'finished' where provider_id = ${providerId}`;
  expect(await rates()).toEqual([]);
});

test('one secret of an integration can be changed, and the secret of a removed header is deleted', async () => {
  const header = (name: string) => ({ name, value: null });
  const config = {
    authentication: { kind: 'bearer' },
    origins: ['https://crm.example'],
    headers: [header('X-Sign'), header('X-Shop')],
  };
  const secrets = { secret: 'the-token', headers: { 'X-Sign': 'hush', 'X-Shop': '7' } };
  const added = await admin('POST', '/api/integrations', { name: 'CRM', config, secrets });
  const { id } = added.json<{ id: number }>();
  const change = (changes: object) =>
    admin('PUT', `/api/integrations/${id}`, { name: 'CRM', config, ...changes });
  const stored = async () => (await openIntegration(sql, box, id))?.secrets;

  expect((await change({ secrets: { headers: { 'X-Sign': 'new' } } })).statusCode).toBe(200);
  expect(await stored()).toEqual({ secret: 'the-token', headers: { 'X-Sign': 'new', 'X-Shop': '7' } });
  await change({ config: { ...config, headers: [header('X-Sign')] }, secrets: { secret: 'other' } });
  expect(await stored()).toEqual({ secret: 'other', headers: { 'X-Sign': 'new' } });
  // Another origin requires all secrets again.
  const elsewhere = { ...config, origins: ['https://evil.example'], headers: [header('X-Sign')] };
  const refused = await change({ config: elsewhere, secrets: { secret: 'other' } });
  expect(errorOf(refused).problems?.map(({ field }) => field)).toEqual(['secrets.headers.X-Sign']);
  expect((await admin('GET', `/api/integrations/${id}/uses`)).json()).toEqual({ usedBy: [] });
});
