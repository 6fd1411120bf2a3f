import { describe, expect, test } from 'vitest';
import { getProviderAccount } from '../../db/providers/providers.ts';
import { box, createApi, createCatalog, documentOf, errorOf, sandboxProvider } from '../kit/api.ts';

const api = await createApi();
const { as, sql } = api;
const admin = as('admin');
const catalog = await createCatalog(api);

describe.each([
  ['regions', {}],
  ['customer-types', {}],
  ['holiday-calendars', { definition: { holidays: [{ date: '2030-04-21', name: 'Tiradentes' }] } }],
  [
    'sending-hours',
    {
      definition: {
        timezone: 'America/Sao_Paulo',
        windows: [{ days: ['monday'], from: '08:00', to: '18:00' }],
      },
    },
  ],
])('%s', (path, content) => {
  const url = `/api/settings/${path}`;

  test('can be added, changed, archived, listed and deleted', async () => {
    const added = await admin('POST', url, { name: 'Sul', ...content });
    expect(added.statusCode).toBe(201);
    const { id } = added.json<{ id: number }>();
    expect(added.headers.location).toBe(`${url}/${id}`);
    const changed = await admin('PUT', `${url}/${id}`, { name: 'Sudeste', ...content, archived: true });
    expect(changed.json()).toMatchObject({ id, name: 'Sudeste', archivedAt: expect.any(String) as string });
    expect((await as('viewer')('GET', url)).json()).toMatchObject({
      entries: expect.arrayContaining([changed.json()]) as unknown[],
    });
    expect((await admin('DELETE', `${url}/${id}`)).statusCode).toBe(204);
    expect((await as('viewer')('GET', `${url}/${id}`)).statusCode).toBe(404);
    expect((await admin('DELETE', `${url}/${id}`)).statusCode).toBe(404);
  });

  test('have unique names', async () => {
    await admin('POST', url, { name: 'Norte', ...content });
    const again = await admin('POST', url, { name: 'Norte', ...content });
    expect([again.statusCode, errorOf(again)]).toMatchObject([
      409,
      { code: 'name_taken', problems: [{ field: 'name', code: 'taken', message: 'This name is taken.' }] },
    ]);
  });
});

describe('an entry', () => {
  test('with several invalid fields gets all problems at once', async () => {
    const answer = await admin('POST', '/api/settings/sending-hours', {
      name: '',
      definition: { timezone: 'Nowhere', windows: [{ days: ['monday'], from: '25:00', to: '18:00' }] },
    });
    expect(errorOf(answer).problems?.map(({ field }) => field)).toEqual([
      'name',
      'definition.timezone',
      'definition.windows.0.from',
    ]);
  });

  test('in use cannot be deleted, and the error lists its uses', async () => {
    const saved = await as('operator')('POST', '/api/campaigns', documentOf(catalog, { name: 'Cobrança' }));
    const { id } = saved.json<{ id: number }>();
    const answer = await admin('DELETE', `/api/settings/sending-hours/${catalog.hoursId}`);
    expect(answer.statusCode).toBe(409);
    expect(errorOf(answer)).toMatchObject({
      code: 'in_use',
      params: { usedBy: [{ kind: 'campaign', id, name: 'Cobrança' }], refused: 'delete' },
      message: 'It cannot be deleted, because it is in use: the campaign “Cobrança”. Archive it instead.',
    });
  });
});

describe('a provider', () => {
  const { providerId } = catalog;
  const url = `/api/providers/${providerId}`;

  test('never shows its secrets, and shows its callback URLs', async () => {
    const answer = await as('viewer')('GET', url);
    expect(answer.body).not.toContain(sandboxProvider.secrets.authToken);
    expect(answer.json()).toMatchObject({
      name: 'Sandbox',
      config: sandboxProvider.config,
      callbacks: {
        receipts: `https://torpedo.example/webhooks/providers/${providerId}/receipts`,
        inbound: `https://torpedo.example/webhooks/providers/${providerId}/inbound`,
      },
    });
    expect((await as('operator')('GET', '/api/audit')).body).not.toContain(sandboxProvider.secrets.authToken);
  });

  test('takes a new rate, and keeps secrets that an update leaves out', async () => {
    const { config, secrets } = sandboxProvider;
    const answer = await admin('PUT', url, { name: 'Sandbox', config, ratePerSecond: 12.5 });
    expect(answer.json()).toMatchObject({ ratePerSecond: 12.5 });
    expect(await getProviderAccount(sql, box, providerId)).toMatchObject({ authToken: secrets.authToken });
    await admin('PUT', url, {
      name: 'Sandbox',
      config,
      ratePerSecond: null,
      secrets: { ...secrets, authToken: 'new' },
    });
    expect(await getProviderAccount(sql, box, providerId)).toMatchObject({ authToken: 'new' });
  });

  test('cannot change its kind without the secrets of the new kind', async () => {
    const config = { ...sandboxProvider.config, kind: 'twilio' };
    for (const secrets of [undefined, sandboxProvider.secrets]) {
      const answer = await admin('PUT', url, { name: 'Twilio', config, ratePerSecond: null, secrets });
      expect([answer.statusCode, errorOf(answer).problems]).toEqual([
        422,
        [
          {
            field: 'secrets',
            code: 'missing',
            params: { what: 'provider_secrets' },
            message: 'Enter the secrets of this kind of provider.',
          },
        ],
      ]);
    }
  });

  test('with an invalid account gets a problem for each field', async () => {
    const answer = await admin('POST', '/api/providers', {
      name: 'Bad',
      config: { kind: 'twilio', accountSid: 'nope', from: '@@' },
      secrets: { kind: 'twilio', authToken: 'with space' },
      ratePerSecond: 0,
    });
    expect(errorOf(answer).problems?.map(({ field }) => field)).toEqual([
      'config.accountSid',
      'config.from',
      'ratePerSecond',
      'secrets.authToken',
    ]);
  });
});

describe('a provider', () => {
  const change = { name: 'Limited', ...sandboxProvider };

  test('loses its rate only when an update sets it to null', async () => {
    const added = await as('admin')('POST', '/api/providers', { ...change, ratePerSecond: 30 });
    const { id } = added.json<{ id: number }>();
    const withoutRate = await as('admin')('PUT', `/api/providers/${id}`, change);
    expect([withoutRate.statusCode, errorOf(withoutRate).problems]).toMatchObject([
      422,
      [{ field: 'ratePerSecond', code: 'missing' }],
    ]);
    expect((await as('admin')('GET', `/api/providers/${id}`)).json()).toMatchObject({ ratePerSecond: 30 });
    const withNullRate = await as('admin')('PUT', `/api/providers/${id}`, { ...change, ratePerSecond: null });
    expect(withNullRate.json()).toMatchObject({ ratePerSecond: null });
  });

  test('whose secrets are sealed with a missing key returns an error that explains the fix', async () => {
    const added = await as('admin')('POST', '/api/providers', { ...change, name: 'Sealed' });
    const { id: providerId } = added.json<{ id: number }>();
    const saved = await as('operator')(
      'POST',
      '/api/campaigns',
      documentOf(catalog, { message: { template: 'Oi', providerId } }),
    );
    const { id } = saved.json<{ id: number }>();
    await sql`update providers set secrets = 'old:' || split_part(secrets, ':', 2) where id = ${providerId}`;
    const answer = await as('operator')('POST', `/api/campaigns/${id}/test-send`, { phone: '11900000001' });
    expect([answer.statusCode, errorOf(answer)]).toMatchObject([
      409,
      {
        code: 'secret_key_missing',
        message:
          'Its secrets are sealed with the key “old”, which is not configured. Add the key to SECRET_KEYS, or enter the secrets again.',
      },
    ]);
  });
});
