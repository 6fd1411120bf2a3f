import { describe, expect, test } from 'vitest';
import { openIntegration } from '../../db/settings/integrations.ts';
import { getProviderSecrets } from '../../db/providers/providers.ts';
import { openTicketPosting } from '../../db/tickets/posts.ts';
import { box, createApi, errorOf } from '../kit/api.ts';

/** A stored secret is sent only to the address for which it was entered. Tests each owner of an address and a secret. */
const api = await createApi();
const { sql } = api;
const admin = api.as('admin');

interface Owner {
  put: (address: string, secrets?: object) => ReturnType<typeof admin>;
  /** All secrets, as they must be entered again for another address. */
  all: object;
  /** Only some of the secrets. */
  some: object;
  missing: string[];
  stored: () => Promise<unknown>;
}
let names = 0;
const callbackSecret = 'a-secret-of-more-than-20';

async function gateway(): Promise<Owner> {
  const body = (address: string) => ({
    name: `Gateway ${names}`,
    config: {
      kind: 'http',
      request: { method: 'POST', url: `${address}/send?to={to}`, headers: { 'X-Key': '{secret.key}' } },
    },
    ratePerSecond: null,
  });
  names++;
  const all = { kind: 'http', callbackSecret, values: { key: 'hush' } };
  const added = await admin('POST', '/api/providers', { ...body('https://sms.example'), secrets: all });
  const { id } = added.json<{ id: number }>();
  return {
    put: (address, secrets) =>
      admin('PUT', `/api/providers/${id}`, { ...body(address), ...(secrets ? { secrets } : {}) }),
    all,
    some: { kind: 'http', callbackSecret },
    missing: ['secrets.values.key'],
    stored: () => getProviderSecrets(sql, box, id),
  };
}

async function integration(): Promise<Owner> {
  const body = (address: string) => ({
    name: `CRM ${names}`,
    config: {
      authentication: { kind: 'bearer' },
      origins: [address],
      headers: [{ name: 'X-Sign', value: null }],
    },
  });
  names++;
  const all = { secret: 'the-token', headers: { 'X-Sign': 'hush' } };
  const added = await admin('POST', '/api/integrations', { ...body('https://sms.example'), secrets: all });
  const { id } = added.json<{ id: number }>();
  return {
    put: (address, secrets) =>
      admin('PUT', `/api/integrations/${id}`, { ...body(address), ...(secrets ? { secrets } : {}) }),
    all,
    some: { secret: 'the-token' },
    missing: ['secrets.headers.X-Sign'],
    stored: async () => (await openIntegration(sql, box, id))?.secrets,
  };
}

async function tokenServer(): Promise<Owner> {
  const body = (address: string) => ({
    name: `OAuth ${names}`,
    config: {
      authentication: { kind: 'oauth2', tokenUrl: `${address}/token`, clientId: 'torpedo' },
      origins: [
        'https://crm.example',
        'http://sms.example',
        'https://sms.example:8443',
        'https://evil.example',
      ],
    },
  });
  names++;
  const all = { secret: 'the-client-secret' };
  const added = await admin('POST', '/api/integrations', { ...body('https://sms.example'), secrets: all });
  const { id } = added.json<{ id: number }>();
  return {
    put: (address, secrets) =>
      admin('PUT', `/api/integrations/${id}`, { ...body(address), ...(secrets ? { secrets } : {}) }),
    all,
    some: {},
    missing: ['secrets.secret'],
    stored: async () => (await openIntegration(sql, box, id))?.secrets,
  };
}

async function helpdesk(): Promise<Owner> {
  const put = (address: string, secrets: object = {}) =>
    admin('PUT', '/api/settings/ticket-posting', { url: `${address}/hook`, ...secrets });
  const all = {
    secret: 'a secret of 24 characters'.replaceAll(' ', '-'),
    headers: { Authorization: 'hush' },
  };
  await put('https://sms.example', all);
  return {
    put,
    all,
    some: { secret: all.secret },
    missing: ['headers.Authorization'],
    stored: async () => {
      const posting = await openTicketPosting(sql, box);
      return posting && { secret: posting.secret, headers: posting.headers };
    },
  };
}

describe.each([
  ['an HTTP gateway', gateway],
  ['an integration', integration],
  ['the token server of an integration', tokenServer],
  ['the helpdesk', helpdesk],
])('the secrets of %s', (_, make) => {
  test('are kept when the origin of the address stays the same', async () => {
    const { put, stored } = await make();
    const before = await stored();
    expect((await put('https://sms.example')).statusCode).toBeLessThan(300);
    expect((await put('https://SMS.example:443')).statusCode).toBeLessThan(300);
    expect(await stored()).toEqual(before);
  });

  test.each([
    ['host', 'https://evil.example'],
    ['scheme', 'http://sms.example'],
    ['port', 'https://sms.example:8443'],
  ])('must all be entered again for another %s', async (_, address) => {
    const { put, all, some, missing, stored } = await make();
    const before = await stored();
    expect(errorOf(await put(address)).problems?.map(({ code }) => code)).toContain('enter_again');
    const half = errorOf(await put(address, some));
    expect(half.problems).toMatchObject(missing.map((field) => ({ field, code: 'enter_again' })));
    expect(half.message).not.toMatch(/hush|the-token|the-client-secret/);
    expect(await stored()).toEqual(before);
    expect((await put(address, all)).statusCode).toBeLessThan(300);
    expect(await stored()).toMatchObject(all);
  });
});

test('a gateway secret that its templates no longer use is dropped when the address changes', async () => {
  const { put, some, stored } = await gateway();
  // The new configuration does not use the key at the other address …
  const bare = { kind: 'http', request: { method: 'GET', url: 'https://evil.example/{to}' } };
  const { id } = (await admin('GET', '/api/providers'))
    .json<{ providers: { id: number; name: string }[] }>()
    .providers.find(({ name }) => name === `Gateway ${names}`) ?? { id: 0 };
  const change = (config: object, secrets?: object) =>
    admin('PUT', `/api/providers/${id}`, {
      name: `Gateway ${names}`,
      config,
      ratePerSecond: null,
      ...(secrets ? { secrets } : {}),
    });
  expect((await change(bare)).statusCode).toBe(422);
  expect((await change(bare, some)).statusCode).toBe(200);
  // … so the key is gone, and a later template cannot use it.
  const usingKey = { ...bare, request: { ...bare.request, url: 'https://evil.example/{to}?k={secret.key}' } };
  expect(errorOf(await change(usingKey)).problems).toMatchObject([{ field: 'secrets.values.key' }]);
  expect(await stored()).not.toHaveProperty('values.key');
  expect((await put('https://evil.example')).statusCode).toBe(422);
});

test('the API key of an Infobip account is bound to its address', async () => {
  const body = (host: string) => ({
    name: 'Infobip',
    config: { kind: 'infobip', baseUrl: `https://${host}.api.infobip.com`, from: 'loja' },
    ratePerSecond: null,
  });
  const secrets = { kind: 'infobip', apiKey: 'the-key', callbackSecret };
  const added = await admin('POST', '/api/providers', { ...body('mine'), secrets });
  const { id } = added.json<{ id: number }>();
  expect(errorOf(await admin('PUT', `/api/providers/${id}`, body('other'))).problems).toMatchObject([
    { field: 'secrets.apiKey', code: 'enter_again' },
    { field: 'secrets.callbackSecret', code: 'enter_again' },
  ]);
  const complete = await admin('PUT', `/api/providers/${id}`, { ...body('other'), secrets });
  expect(complete.statusCode).toBe(200);
});
