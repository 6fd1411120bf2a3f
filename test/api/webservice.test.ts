import { afterAll, beforeEach, expect, test } from 'vitest';
import { createApi, createCatalog, documentOf, errorOf } from '../kit/api.ts';
import { bytes, json, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());
const api = await createApi();
const admin = api.as('admin');
const operator = api.as('operator');
const catalog = await createCatalog(api);
beforeEach(() => void (service.requests.length = 0));

const records = [
  { codigo: 1, nome: 'João', contato: { celular: 5511987654321 } },
  { codigo: 2, contato: { celular: '1133334444' } },
  { codigo: 3, nome: 'Ana', contato: { celular: '(11) 98765-4321' } },
  { codigo: 4, contato: { celular: '11987650000' }, mensagem: 'Oi {saldo}' },
  'x',
];
const webservice = {
  baseUrl: service.url,
  fieldMap: { mobile: 'contato.celular', customMessage: 'mensagem' },
};
const integration = {
  name: 'CRM',
  config: {
    authentication: { kind: 'bearer' },
    origins: [new URL(service.url).origin],
    headers: [{ name: 'X-Sign', value: null }],
  },
  secrets: { secret: 'the-token', headers: { 'X-Sign': 'hush' } },
};

test('an integration never shows its secrets, and all missing secrets are reported at once', async () => {
  const missing = await admin('POST', '/api/integrations', { ...integration, name: 'Half', secrets: {} });
  expect(missing.statusCode).toBe(422);
  expect(errorOf(missing).problems?.map(({ field }) => field)).toEqual([
    'secrets.secret',
    'secrets.headers.X-Sign',
  ]);
  const added = await admin('POST', '/api/integrations', integration);
  expect(added.statusCode).toBe(201);
  const { id } = added.json<{ id: number }>();
  for (const answer of [
    added,
    await api.as('viewer')('GET', `/api/integrations/${id}`),
    await api.as('viewer')('GET', '/api/integrations'),
    await admin('GET', '/api/audit'),
  ])
    expect(answer.body).not.toMatch(/the-token|hush/);
  const [row] = await api.sql<[{ secrets: string }]>`select secrets from integrations where id = ${id}`;
  expect(row.secrets).toMatch(/^test:/);
  expect((await operator('POST', '/api/integrations', { ...integration, name: 'Other' })).statusCode).toBe(
    403,
  );

  // Another origin requires the secrets again.
  const { name, config } = integration;
  const elsewhere = { name, config: { ...config, origins: ['https://evil.example'] } };
  expect((await admin('PUT', `/api/integrations/${id}`, elsewhere)).statusCode).toBe(422);
  expect((await admin('PUT', `/api/integrations/${id}`, { name: 'CRM 2', config })).json()).toMatchObject({
    name: 'CRM 2',
  });

  const document = documentOf(catalog, {
    mailing: {
      source: 'webservice',
      sendingHoursId: catalog.hoursId,
      webservice: { ...webservice, integrationId: id },
    },
  });
  expect((await operator('POST', '/api/campaigns', document)).statusCode).toBe(201);
  const inUse = await admin('DELETE', `/api/integrations/${id}`);
  expect(inUse.statusCode).toBe(409);
  expect(errorOf(inUse)).toMatchObject({ code: 'in_use', params: { usedBy: [{ kind: 'campaign' }] } });
  const archived = await admin('PUT', `/api/integrations/${id}`, { name: 'CRM 2', config, archived: true });
  expect(archived.json<{ archivedAt: string | null }>().archivedAt).not.toBeNull();
});

test('the response is downloaded unchanged, with the integration of the saved campaign', async () => {
  const added = await admin('POST', '/api/integrations', { ...integration, name: 'CRM 3' });
  const { id } = added.json<{ id: number }>();
  const saved = await operator(
    'POST',
    '/api/campaigns',
    documentOf(catalog, {
      mailing: { source: 'webservice', webservice: { ...webservice, integrationId: id } },
    }),
  );
  service.answer(json({ error: null, result: { items: records } }));
  const answer = await operator('POST', '/api/webservice/answer', {
    campaignId: saved.json<{ id: number }>().id,
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-disposition']).toBe('attachment; filename="answer.json"');
  expect(answer.json()).toEqual({ error: null, result: { items: records } });
  expect(service.requests[0]?.headers).toMatchObject({ authorization: 'Bearer the-token', 'x-sign': 'hush' });
  expect((await api.as('viewer')('POST', '/api/webservice/answer', { webservice })).statusCode).toBe(403);
});

test('a preview shows the first contacts as mapped, with their text or the reason for skipping them', async () => {
  service.answer(json([...records, ...Array.from({ length: 20 }, () => ({ codigo: 9 }))]));
  const answer = await operator('POST', '/api/webservice/preview', {
    webservice,
    message: { template: 'Olá, {nome}!' },
  });
  const { contacts, more, attributes } = answer.json<{
    contacts: object[];
    more: boolean;
    attributes: string[];
  }>();
  expect(contacts).toHaveLength(10);
  expect(contacts.slice(0, 5)).toMatchObject([
    { line: 1, phone: '+5511987654321', text: 'Ola, Joao!', segments: 1, encoding: 'GSM-7', skipped: null },
    { line: 2, skipped: 'not_a_mobile', text: null },
    { line: 3, skipped: 'duplicate_phone', phone: '+5511987654321' },
    { line: 4, skipped: 'placeholder_unknown', contact: { customMessage: 'Oi {saldo}' } },
    {
      line: 5,
      skipped: 'line_invalid',
      contact: null,
      problem: { code: 'not_an_object', message: 'The element is a text, not an object.' },
    },
  ]);
  expect(more).toBe(true);
  expect(attributes).toEqual(['codigo', 'nome', 'contato.celular', 'mensagem']);
});

test('a preview proposes paging when the response shows pages, and follows it once it is configured', async () => {
  service.answer((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('pagina') ?? 1);
    json({ clientes: [{ codigo: page }], pagina: page, total_de_paginas: 2 })(request, response);
  });
  const shown = await operator('POST', '/api/webservice/preview', { webservice });
  const proposed = {
    by: 'page',
    param: 'pagina',
    first: 1,
    end: { shown: 'total_pages', path: 'total_de_paginas' },
  };
  expect(shown.json()).toMatchObject({
    more: true,
    pages: {
      seen: [
        { path: 'total_de_paginas', value: 2 },
        { path: 'pagina', value: 1 },
      ],
      proposed,
    },
  });
  const followed = await operator('POST', '/api/webservice/preview', {
    webservice: { ...webservice, paging: proposed },
  });
  expect(followed.json()).toMatchObject({ contacts: [{ line: 1 }, { line: 2 }], more: false, pages: null });
  const wrong = await operator('POST', '/api/webservice/preview', {
    webservice: { ...webservice, paging: { ...proposed, param: '', end: { shown: 'has_next' } } },
  });
  expect(errorOf(wrong).problems).toMatchObject([
    { field: 'webservice.paging.param' },
    { field: 'webservice.paging.end.path' },
  ]);
});

test('a saved campaign has notices for attributes that the last test response lacked, without blocking the save', async () => {
  service.answer(json([{ codigo: 1, nome: 'Ana', contato: { celular: '11987654321' }, Valor_Divida: 10 }]));
  const mailing = (names: string[], mobile: string) => ({
    source: 'webservice',
    sendingHoursId: catalog.hoursId,
    webservice: { baseUrl: service.url, fieldMap: { mobile, customMessage: 'x + nome' } },
    extraFields: names.map((name) => ({ name, type: 'text', required: false })),
  });
  const document = documentOf(catalog, { mailing: mailing(['valor_divida', 'plano'], 'contato.fone') });
  const saved = (await operator('POST', '/api/campaigns', document)).json<{
    id: number;
    version: number;
    notices: [];
  }>();
  expect(saved.notices).toEqual([]);
  const tested = await operator('POST', '/api/webservice/preview', { campaignId: saved.id });
  expect(tested.statusCode).toBe(200);
  const noticesOf = (answer: { json: () => unknown }) =>
    (answer.json() as { notices: { field: string; code: string }[] }).notices.map(({ field, code }) => [
      field,
      code,
    ]);
  const code = 'attribute_not_in_answer';
  expect(noticesOf(await operator('GET', `/api/campaigns/${saved.id}`))).toEqual([
    ['mailing.extraFields.1.name', code],
    ['mailing.webservice.fieldMap.mobile', code],
    ['mailing.webservice.fieldMap.customMessage', code],
  ]);
  const right = mailing(['valor_divida'], 'contato.celular');
  const webservice = { ...right.webservice, fieldMap: { mobile: 'contato.celular' } };
  const changed = await operator('PUT', `/api/campaigns/${saved.id}`, {
    ...document,
    mailing: { ...right, webservice },
    version: saved.version,
  });
  expect([changed.statusCode, noticesOf(changed)]).toEqual([200, []]);
  // The response of another address is unknown.
  const elsewhere = await operator('PUT', `/api/campaigns/${saved.id}`, {
    ...document,
    mailing: {
      ...right,
      webservice: { ...webservice, baseUrl: `${service.url}/other`, fieldMap: { mobile: 'x' } },
    },
    version: saved.version + 1,
  });
  expect([elsewhere.statusCode, noticesOf(elsewhere)]).toEqual([200, []]);
});

test('a problem of a web service is reported with a code and a field', async () => {
  service.answer(bytes('<html>', { 'content-type': 'text/html' }));
  for (const path of ['answer', 'preview']) {
    const answer = await operator('POST', `/api/webservice/${path}`, { webservice });
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({
      code: 'webservice_refused',
      problems: [{ field: 'webservice.baseUrl', code: 'html', params: { host: '127.0.0.1' } }],
    });
  }
  const privateAddress = await operator('POST', '/api/webservice/answer', {
    webservice: { baseUrl: 'http://10.0.0.1/' },
  });
  expect(errorOf(privateAddress)).toMatchObject({ problems: [{ code: 'address_refused' }] });
  const unknown = await operator('POST', '/api/webservice/preview', {
    webservice: { ...webservice, params: [{ key: 'on', value: '{tomorrow}' }] },
  });
  expect(errorOf(unknown).problems).toMatchObject([
    { field: 'webservice.params.0.value', code: 'placeholder_unknown' },
  ]);
  expect(errorOf(await operator('POST', '/api/webservice/preview', {})).problems).toMatchObject([
    { field: 'webservice.baseUrl', code: 'missing' },
  ]);
});
