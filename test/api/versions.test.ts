import { expect, test } from 'vitest';
import { createApi, createCatalog, errorOf, sandboxProvider } from '../kit/api.ts';

/** Concurrent edits: no save is lost silently. */
const api = await createApi();
const admin = api.as('admin');
const catalog = await createCatalog(api);
const create = async (path: string, body: object): Promise<string> =>
  `${path}/${(await admin('POST', path, body)).json<{ id: number }>().id}`;

const helpdesk = { enabled: true, url: 'https://helpdesk.example/a', events: ['opened'] };
await admin('PUT', '/api/settings/ticket-posting', { ...helpdesk, secret: 'a-secret-of-24-characters' });
const { config } = sandboxProvider;
const integration = {
  authentication: { kind: 'none' },
  origins: ['https://crm.example'],
};
const category = { name: 'Cobrança', definition: {} };
const hours = {
  timezone: 'America/Sao_Paulo',
  windows: [{ days: ['monday'], from: '08:00', to: '18:00' }],
};

const kinds: [string, 'PUT' | 'PATCH', string, (text: string) => object][] = [
  ...['regions', 'customer-types', 'departments', 'assignees', 'resolutions', 'categories'].map(
    (path): (typeof kinds)[number] => [path, 'PUT', `/api/settings/${path}`, (name) => ({ name })],
  ),
  ['sending-hours', 'PUT', '/api/settings/sending-hours', (name) => ({ name, definition: hours })],
  [
    'holiday-calendars',
    'PUT',
    '/api/settings/holiday-calendars',
    (name) => ({ name, definition: { holidays: [] } }),
  ],
  [
    'extra-field-groups',
    'PUT',
    '/api/settings/extra-field-groups',
    (name) => ({ name, definition: { fields: [{ name: 'valor', type: 'number', required: false }] } }),
  ],
  ['integrations', 'PUT', '/api/integrations', (name) => ({ name, config: integration })],
  ['customers', 'PUT', '/api/customers', (name) => ({ name, code: 'c-1' })],
];

/** Of two saves of the same version the second is rejected, and succeeds after the new version is read. */
async function expectOneSave(
  url: string,
  method: 'PUT' | 'PATCH',
  change: (text: string) => object,
  textOf: (read: Record<string, unknown>) => unknown = (read) => JSON.stringify(read),
) {
  const read = async () => String((await admin('GET', url)).headers['etag']);
  const save = (text: string, version: string) => admin(method, url, change(text), { 'if-match': version });
  const version = await read();
  expect(version).toMatch(/^"[\w-]{22}"$/);
  const first = await save('Primeira', version);
  expect(first.statusCode, first.body).toBeLessThan(300);
  const second = await save('Segunda', version);
  expect([second.statusCode, errorOf(second).code]).toEqual([409, 'version_conflict']);
  expect(textOf((await admin('GET', url)).json())).not.toContain('Segunda');
  const afterReading = await save('Segunda', `W/${await read()}`);
  expect(afterReading.statusCode, afterReading.body).toBeLessThan(300);
  // Without If-Match a save replaces the current version.
  const without = await admin(method, url, change('Terceira'));
  expect(without.statusCode, without.body).toBeLessThan(300);
}

test.each(kinds)(
  'a save of an outdated version is rejected for %s',
  async (path, method, address, change) => {
    await expectOneSave(await create(address, change(`Nova ${path}`)), method, change);
  },
);

test('a save of an outdated version is rejected for subcategories', async () => {
  const categoryId = Number((await create('/api/settings/categories', category)).split('/').at(-1));
  const definition = { categoryId, extraFieldGroupId: null };
  const url = await create('/api/settings/subcategories', { name: 'Nova', definition });
  await expectOneSave(url, 'PUT', (name) => ({ name, definition }));
});

test('a save of an outdated version is rejected for providers', async () => {
  const change = (name: string) => ({ name, config, ratePerSecond: null });
  await expectOneSave(`/api/providers/${catalog.providerId}`, 'PUT', change);
});

test('a save of an outdated version is rejected for the fallback of a provider', async () => {
  const add = async (name: string) =>
    Number((await create('/api/providers', { ...sandboxProvider, name })).split('/').at(-1));
  const url = `/api/providers/${await add('Taken over')}/fallback`;
  // By the texts that expectOneSave saves.
  const others: Record<string, number> = {};
  for (const name of ['Primeira', 'Segunda', 'Terceira']) others[name] = await add(`Reserva ${name}`);
  await expectOneSave(
    url,
    'PUT',
    (name) => ({ fallbackId: others[name] }),
    ({ fallbackId }) => Object.keys(others).find((name) => others[name] === fallbackId),
  );
});

test('a save of an outdated version is rejected for reply words, starting with the first save', async () => {
  await expectOneSave('/api/settings/reply-words', 'PUT', (text) => ({ optOut: ['SAIR', text] }));
});

test('a save of an outdated version is rejected for automatic texts, starting with the first save', async () => {
  await expectOneSave('/api/settings/automatic-texts', 'PUT', (text) => ({ help: text }));
});

test('a save of an outdated version is rejected for privacy settings, starting with the first save', async () => {
  const days: Record<string, number> = { Primeira: 100, Segunda: 200, Terceira: 300 };
  await expectOneSave('/api/privacy/settings', 'PUT', (text) => ({ messageDays: days[text] }));
});

test('a save of an outdated version is rejected for ticket posting', async () => {
  await expectOneSave('/api/settings/ticket-posting', 'PUT', (text) => ({
    ...helpdesk,
    url: `https://helpdesk.example/${text}`,
  }));
});

test('the rejection is in the language of the request', async () => {
  const url = await create('/api/settings/regions', { name: 'Leste' });
  const refused = async (language: string) =>
    errorOf(await admin('PUT', url, { name: 'L' }, { 'if-match': '"another"', 'accept-language': language }))
      .message;
  expect(await refused('pt-BR')).toBe(
    'Outro usuário fez uma alteração nesse meio-tempo. Abra de novo e repita a sua.',
  );
  expect(await refused('en')).toContain('Another user has changed it');
});

test('only one of several concurrent saves of the same version succeeds', async () => {
  const url = await create('/api/settings/regions', { name: 'Norte' });
  const version = String((await admin('GET', url)).headers['etag']);
  const names = ['A', 'B', 'C', 'D'];
  const answers = await Promise.all(
    names.map((name) => admin('PUT', url, { name }, { 'if-match': version })),
  );
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409, 409, 409]);
});
