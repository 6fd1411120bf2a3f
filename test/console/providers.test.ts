import { expect, test } from 'vitest';
import { openIntegration } from '../../db/settings/integrations.ts';
import { getProvider, getProviderSecrets } from '../../db/providers/providers.ts';
import { box, createCatalog, createReadyCampaign, documentOf } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

/** Settings of providers and integrations. */
const ui = await createConsole();
const { sql } = ui;
const catalog = await createCatalog(ui);
const admin = await ui.signIn('admin');
const viewer = await ui.signIn('viewer');
await createReadyCampaign(ui, documentOf(catalog, { name: 'Cobrança de novembro' }));

const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const secret = 'um-segredo-de-retorno-longo';
const idOf = async (table: 'providers' | 'integrations', name: string): Promise<number> => {
  const [row] = await sql<[{ id: number }]>`select id from ${sql(table)} where name = ${name}`;
  return row.id;
};

test('a provider is added with the form of its kind, and its secret is never shown again', async () => {
  expect(textOf(await admin.get('/settings/providers/new'))).toContain('Zenvia');
  const form = { name: 'Twilio BR', segmentProfile: 'twilio', 'config.from': '+5511999990000' };
  const refused = await admin.post('/settings/providers/new/twilio', { ...form, 'config.accountSid': 'x' });
  expect(refused.statusCode).toBe(422);
  expect(textOf(refused)).toContain('O account SID é AC e 32 dígitos hexadecimais.');
  expect(refused.body).toMatch(/name="secrets\.authToken"[^>]*aria-invalid="true"/);

  const whole = { ...form, 'config.accountSid': accountSid, 'secrets.authToken': 'muito-secreto' };
  const answer = await admin.post('/settings/providers/new/twilio', { ...whole, ratePerSecond: '12,5' });
  const id = await idOf('providers', 'Twilio BR');
  const address = `/settings/providers/${id}`;
  expect(answer.headers.location).toBe(address);
  expect(await getProvider(sql, id)).toMatchObject({ ratePerSecond: 12.5 });
  const page = await admin.get(address);
  expect(page.body).not.toContain('muito-secreto');
  expect(textOf(page)).toContain('Já salvo. Deixe em branco para manter.');
  expect(page.body).toContain(`value="http://127.0.0.1:3000/webhooks/providers/${id}/inbound"`);

  const kept = { ...whole, name: 'Twilio', 'secrets.authToken': '' };
  expect((await admin.post(address, kept)).headers.location).toBe(address);
  expect(await getProvider(sql, id)).toMatchObject({ name: 'Twilio', ratePerSecond: 12.5 });
  expect(await getProviderSecrets(sql, box, id)).toMatchObject({ authToken: 'muito-secreto' });
});

test('a Twilio account can use an API key and a region, and a missing part is reported beside its field', async () => {
  const form = {
    ...{ name: 'Twilio da Irlanda', segmentProfile: 'twilio', 'config.from': '+5511999990000' },
    ...{ 'config.accountSid': accountSid, 'secrets.authToken': 'muito-secreto' },
    ...{ 'config.region': 'ie1', 'config.edge': '', 'config.apiKeySid': `SK${accountSid.slice(2)}` },
  };
  const page = await admin.get('/settings/providers/new/twilio');
  expect(textOf(page)).toContain('também é necessário com uma chave de API');
  expect(page.body).not.toMatch(/name="config\.region"[^>]*aria-required/);
  const refused = await admin.post('/settings/providers/new/twilio', form);
  expect(textOf(refused)).toContain('Informe a região e a borda (edge), ou nenhuma das duas.');
  expect(refused.body).toMatch(/name="config\.edge"[^>]*aria-invalid="true"/);
  const keyless = { ...form, 'config.edge': 'dublin' };
  expect(textOf(await admin.post('/settings/providers/new/twilio', keyless))).toContain(
    'Informe o segredo da chave de API.',
  );
  await admin.post('/settings/providers/new/twilio', { ...keyless, 'secrets.apiKeySecret': 'chave' });
  const id = await idOf('providers', 'Twilio da Irlanda');
  expect(await getProvider(sql, id)).toMatchObject({ config: { region: 'ie1', edge: 'dublin' } });
  const storedHints = async () =>
    textOf(await admin.get(`/settings/providers/${id}`)).split('Já salvo.').length - 1;
  expect(await storedHints()).toBe(2);
  const withoutKey = { ...form, 'config.region': '', 'config.apiKeySid': '', 'secrets.authToken': '' };
  await admin.post(`/settings/providers/${id}`, withoutKey);
  expect(await getProviderSecrets(sql, box, id)).toEqual({ kind: 'twilio', authToken: 'muito-secreto' });
  expect(await storedHints()).toBe(1);
});

test('only Infobip offers the Portuguese tables', async () => {
  const offered = async (kind: string) =>
    textOf(await admin.get(`/settings/providers/new/${kind}`)).includes('com as tabelas do português');
  expect([await offered('infobip'), await offered('zenvia'), await offered('http')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('callback URLs with their secret are shown only once', async () => {
  const blank = await admin.get('/settings/providers/new/zenvia');
  expect(blank.body).toMatch(/name="secrets\.callbackSecret"[^>]*value="[A-Za-z0-9_-]{32}"/);
  const answer = await admin.post('/settings/providers/new/zenvia', {
    name: 'Zenvia',
    segmentProfile: 'zenvia',
    'config.from': 'loja',
    'secrets.apiToken': 'token',
    'secrets.callbackSecret': secret,
  });
  const id = await idOf('providers', 'Zenvia');
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(answer.body).toContain(`/webhooks/providers/${id}/receipts?key=${secret}`);
  const page = await admin.get(`/settings/providers/${id}`);
  expect(page.body).not.toContain(secret);
  expect(page.body).toContain(`/webhooks/providers/${id}/receipts?key=…`);
});

const gateway = {
  name: 'Kannel',
  segmentProfile: 'gsm',
  'config.from': '12345',
  'config.numbers': 'national',
  'config.codings.gsm': 'texto',
  'config.codings.unicode': '',
  'config.request.charset': 'iso-8859-1',
  'config.request.authentication.kind': 'basic',
  'config.request.authentication.user': 'loja',
  'config.request.method': 'POST',
  'config.request.url': 'https://sms.example/send?key={secret.key}',
  'config.request.headers.2.name': 'X-Ref',
  'config.request.headers.2.value': '{reference}',
  'config.request.body.kind': 'json',
  'config.request.body.template': '{"to": "{to}", "text": "{text}"}',
  'config.answer.messageId.in': 'json',
  'config.answer.messageId.path': 'data.id',
  'config.answer.code.in': '',
  'config.answer.codes.0.name': '42',
  'config.answer.codes.0.value.means': 'refused',
  'config.answer.codes.0.value.reason': 'number_invalid',
  'config.answer.codes.1.name': '50',
  'config.answer.codes.1.value.means': 'temporary',
  'config.answer.codes.1.value.reason': 'number_invalid',
  hasReceipts: 'on',
  'config.receipts.format': 'query',
  'config.receipts.status': 'status',
  'config.receipts.statuses.0.name': '1',
  'config.receipts.statuses.0.value': 'delivered',
  'config.inbound.format': 'form',
  'secrets.callbackSecret': secret,
  'secrets.values.0.name': 'key',
  'secrets.values.0.value': 'segredo-do-gateway',
  'secrets.values.1.name': 'password',
  'secrets.values.1.value': 'senha-do-gateway',
};

test('the form of a gateway saves its configuration and shows it again', async () => {
  await admin.post('/settings/providers/new/http', gateway);
  const id = await idOf('providers', 'Kannel');
  const { config } = (await getProvider(sql, id)) ?? {};
  expect(config).toMatchObject({
    numbers: 'national',
    codings: { gsm: 'texto', unicode: '2' },
    request: {
      authentication: { kind: 'basic', user: 'loja' },
      charset: 'iso-8859-1',
      headers: { 'X-Ref': '{reference}' },
      body: { kind: 'json', template: { to: '{to}', text: '{text}' } },
    },
    answer: {
      messageId: { in: 'json', path: 'data.id' },
      code: null,
      codes: { 42: { means: 'refused', reason: 'number_invalid' }, 50: { means: 'temporary' } },
    },
    receipts: { messageId: 'message', status: 'status', statuses: { 1: 'delivered' } },
    inbound: null,
  });
  const address = `/settings/providers/${id}`;
  const page = await admin.get(address);
  expect(page.body).not.toContain('segredo-do-gateway');
  expect(page.body).toContain('value="{reference}"');
  expect(page.body).toContain('name="secrets.values.0.name"');
  expect(page.body).toContain('value="loja"');
  const kept = {
    ...gateway,
    'secrets.callbackSecret': '',
    'secrets.values.0.value': '',
    'secrets.values.1.value': '',
  };
  expect((await admin.post(address, kept)).headers.location).toBe(address);
  expect((await getProvider(sql, id))?.config).toEqual(config);
  expect(await getProviderSecrets(sql, box, id)).toMatchObject({
    values: { key: 'segredo-do-gateway', password: 'senha-do-gateway' },
  });
});

test('a problem of a gateway is shown at its row', async () => {
  const answer = await admin.post('/settings/providers/new/http', {
    ...gateway,
    name: 'Torto',
    'config.request.headers.2.value': '{nome}',
    'secrets.values.0.name': 'outro',
  });
  expect(answer.statusCode).toBe(422);
  expect(answer.body).toMatch(/name="config\.request\.headers\.0\.value"[^>]*aria-invalid="true"/);
  const json = await admin.post('/settings/providers/new/http', {
    ...gateway,
    name: 'Torto',
    'config.request.body.template': '{to}',
  });
  expect(json.statusCode).toBe(422);
  expect(textOf(json)).toContain('Isto não é um JSON.');
  const unnamed = await admin.post('/settings/providers/new/http', {
    ...gateway,
    name: 'Torto',
    'secrets.values.0.value': '',
  });
  expect(unnamed.body).toMatch(/name="secrets\.values\.0\.value"[^>]*aria-invalid="true"/);
});

test('the rate can be changed alone, and the page shows the current rate', async () => {
  const id = await idOf('providers', 'Sandbox');
  const address = `/settings/providers/${id}`;
  expect((await admin.post(`${address}/rate`, { ratePerSecond: '-1' })).statusCode).toBe(422);
  expect((await admin.post(`${address}/rate`, { maxInFlight: '5001' })).statusCode).toBe(422);
  await admin.post(`${address}/rate`, { ratePerSecond: '30', maxInFlight: '70' });
  expect(await getProvider(sql, id)).toMatchObject({
    ratePerSecond: 30,
    maxInFlight: 70,
    config: { kind: 'sandbox' },
  });
  expect(textOf(await viewer.get('/settings/providers'))).toContain('Sandbox Sandbox 30/s Nada saindo');
  expect(textOf(await viewer.get(`${address}/rate-now`)).trim()).toBe('Nada saindo');
  expect((await viewer.post(`${address}/rate`, { ratePerSecond: '1' })).statusCode).toBe(403);
});

test('a provider can have a fallback, but not in a cycle', async () => {
  const [sandbox, twilio] = [await idOf('providers', 'Sandbox'), await idOf('providers', 'Twilio')];
  const fallback = (id: number, to: number) =>
    admin.post(`/settings/providers/${id}/fallback`, { fallbackId: String(to) });
  // Two users open the page before either saves.
  const page = (await admin.get(`/settings/providers/${sandbox}`)).body;
  const part = page.slice(page.indexOf(`/settings/providers/${sandbox}/fallback`));
  const version = /name="if-match" value="([^"]+)"/.exec(part)?.[1]?.replaceAll('&quot;', '"') ?? '';
  await fallback(sandbox, twilio);
  const late = await admin.post(`/settings/providers/${sandbox}/fallback`, {
    fallbackId: '',
    'if-match': version,
  });
  expect(late.statusCode).toBe(409);
  expect(await getProvider(sql, sandbox)).toMatchObject({ fallbackId: twilio });
  expect(textOf(await fallback(twilio, sandbox))).toContain('levariam de volta ao próprio provedor');
  expect(textOf(await viewer.get(`/settings/providers/${twilio}`))).toContain('o provedor “Sandbox”');
});

test('a provider in use lists its uses and can be archived instead of deleted', async () => {
  const address = `/settings/providers/${await idOf('providers', 'Sandbox')}`;
  const page = await admin.get(`${address}/delete`);
  expect(textOf(page)).toContain('a campanha “Cobrança de novembro”');
  expect(page.body).toContain(`action="${address}/archive"`);
  const refused = await admin.post(`${address}/delete`);
  const notice = await admin.get(refused.headers.location ?? '', {
    cookie: `${admin.cookie}; ${String(refused.headers['set-cookie']).split(';')[0] ?? ''}`,
  });
  expect(textOf(notice)).toContain('porque está em uso: a campanha “Cobrança de novembro”');
  await admin.post(`${address}/archive`);
  expect(textOf(await viewer.get('/settings/providers'))).toContain('Arquivado');
  await admin.post(`${address}/restore`);
  expect(textOf(await viewer.get('/settings/providers'))).not.toContain('Arquivado');
});

const integration = {
  name: 'CRM',
  'config.authentication.kind': 'bearer',
  'config.authentication.user': 'de outro tipo',
  'config.origins': 'crm.example.com.br\nhttp://API.example.com.br:8080/',
  'config.headers.1.name': 'X-Sign',
  'config.headers.1.value': 'assinatura',
  'config.headers.1.secret': 'on',
  'config.headers.4.name': 'X-Loja',
  'config.headers.4.value': '7',
  'secrets.secret': 'o-token',
};

test('an integration keeps its secrets, and each of them can be changed alone', async () => {
  const empty = await admin.post('/settings/integrations', { ...integration, 'config.headers.1.value': '' });
  expect(empty.statusCode).toBe(422);
  expect(empty.body).toMatch(/name="config\.headers\.0\.value"[^>]*aria-invalid="true"/);

  const answer = await admin.post('/settings/integrations', integration);
  const id = await idOf('integrations', 'CRM');
  const address = `/settings/integrations/${id}`;
  expect(answer.headers.location).toBe(address);
  expect(await openIntegration(sql, box, id)).toMatchObject({
    config: {
      authentication: { kind: 'bearer' },
      origins: ['https://crm.example.com.br', 'http://api.example.com.br:8080'],
      headers: [
        { name: 'X-Sign', value: null },
        { name: 'X-Loja', value: '7' },
      ],
    },
    secrets: { secret: 'o-token', headers: { 'X-Sign': 'assinatura' } },
  });
  const page = await viewer.get(address);
  expect(page.body).not.toMatch(/o-token|assinatura/);
  await admin.post(address, { ...integration, 'secrets.secret': '', 'config.headers.1.value': 'nova' });
  expect((await openIntegration(sql, box, id))?.secrets).toEqual({
    secret: 'o-token',
    headers: { 'X-Sign': 'nova' },
  });
  const elsewhere = { ...integration, 'secrets.secret': '', 'config.origins': 'evil.example' };
  expect(textOf(await admin.post(address, elsewhere))).toContain(
    'Informe-o de novo para que seja enviado a este.',
  );
});

test.each([
  ['none', {}],
  ['basic', { 'config.authentication.user': 'loja', 'secrets.secret': 'senha' }],
  [
    'api_key',
    { 'config.authentication.in': 'query', 'config.authentication.name': 'key', 'secrets.secret': 'chave' },
  ],
  [
    'oauth2',
    {
      'config.authentication.tokenUrl': 'https://id.example/token',
      'config.authentication.clientId': 'loja',
      'config.authentication.clientAuthentication': 'form',
      'secrets.secret': 'segredo',
    },
  ],
])('an integration of kind %s is added, archived and deleted', async (kind, fields) => {
  const form = { name: kind, 'config.authentication.kind': kind, 'config.origins': 'a.example', ...fields };
  const { location = '' } = (await admin.post('/settings/integrations', form)).headers;
  expect(location).toMatch(/^\/settings\/integrations\/\d+$/);
  expect(textOf(await admin.get(`${location}/delete`))).toContain('serão excluídos definitivamente');
  await admin.post(`${location}/archive`);
  expect(textOf(await viewer.get('/settings/integrations'))).toContain('Arquivado');
  await admin.post(`${location}/delete`);
  expect((await viewer.get(location)).statusCode).toBe(404);
});
