import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { json } from '../../db/core/json.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { skipReasons } from '../../domain/message.ts';
import { isProblemCode, problemSentences } from '../../domain/problems/catalog.ts';
import type { ProblemCode } from '../../domain/problems/coded.ts';
import { fileSentences } from '../../domain/problems/mailings.ts';
import { webserviceSentences } from '../../domain/problems/webservices.ts';
import {
  adminPassword,
  createApi,
  createCatalog,
  createReadyCampaign,
  createRun,
  documentOf,
  sandboxProvider,
} from '../kit/api.ts';
import { customerColumns } from '../../mailing/customer-layout.ts';
import type { Role } from '../../domain/user.ts';
import { logos } from '../kit/logos.ts';
import { startRawServer } from '../kit/raw-server.ts';
import { englishWords, parametersOf } from '../kit/sentences.ts';
import { createSmtpServer, createTcpServer, smtpLogin } from '../kit/smtp.ts';
import { createTicketCatalog, insertReply, onReply } from '../kit/tickets.ts';
import { bytes, json as jsonAnswer, startWebservice, webserviceDeps } from '../kit/webservice.ts';

/**
 * Every code of the catalog of problems, as the API answers with it to somebody who reads Portuguese. What is not
 * provoked here has its reason below.
 */
const service = await startWebservice(jsonAnswer([]));
afterAll(() => service.close());
const limits = { bytes: 20_000, recordBytes: 4_000, depth: 20, idleMs: 400, totalMs: 1_500, redirects: 2 };
const api = await createApi({ webservice: webserviceDeps(limits) });
const { sql } = api;
const catalog = await createCatalog(api);
const portuguese = { 'accept-language': 'pt-BR,pt;q=0.9,en;q=0.8' };

const seen = new Map<string, string>();
/** Notes every problem in an answer, wherever it is, and that its sentence is no English one. */
function note(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if ('code' in value && 'message' in value) {
    const { code, message } = value;
    if (typeof code === 'string' && typeof message === 'string') {
      // What is quoted is not ours.
      const ours = message.replaceAll(/“[^”]*”|\{[^{}]*\}/g, '');
      expect(ours, code).not.toMatch(englishWords);
      seen.set(code, message);
    }
  }
  Object.values(value).forEach(note);
}
const call = async (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  payload?: string | Buffer | object,
  headers: Record<string, string> = {},
  role: Role = 'admin',
): Promise<{ status: number; id: number }> => {
  const answer = await api.as(role)(method, url, payload, { ...portuguese, ...headers });
  if (answer.headers['content-type']?.toString().startsWith('application/json') === true) note(answer.json());
  return {
    status: answer.statusCode,
    id: answer.statusCode === 201 ? answer.json<{ id: number }>().id : 0,
  };
};

const schedule = { recurrence: { every: 'day' }, startsAt: '2030-01-01T09:00', timezone: 'UTC' };
const campaign = (changes: object) => call('POST', '/api/campaigns', documentOf(catalog, changes));
const scheduled = (changes: object) => campaign({ schedule: { ...schedule, ...changes } });
const extraField = (name: string, more: object = {}) => ({ name, type: 'text', required: false, ...more });

test('of any field', async () => {
  await call('POST', '/api/campaigns', { name: 1, color: 'red', kind: 'fax', schedule });
  await campaign({
    name: '',
    description: 'x'.repeat(2_001),
    safeguards: { canarySize: 0, stopAtPercent: 101, monthlyBudget: 'muito' },
  });
  await campaign({ message: { maxSegments: 1.5 } });
  await call('POST', '/api/settings/regions', { name: 'a\0b' });
  await call('POST', '/api/settings/regions', { name: 'a', ['b\0']: 1 });
  await call('POST', '/api/settings/regions', { name: 'a', b: '['.repeat(70) + ']'.repeat(70) });
  await call('POST', '/api/settings/regions', `{"name":"a","b":${'['.repeat(70)}${']'.repeat(70)}}`, {
    'content-type': 'application/json',
  });
  await call('GET', '/api/messages?phone=abc');
  await call('GET', '/api/sandbox/phones/abc');
  await call('GET', '/api/messages');
  await call('GET', '/api/runs/x');
  await call('GET', '/api/runs?limit=0');
  await call('POST', '/api/runs/1/resend', { reasons: [] });
  await call('POST', '/api/campaigns/1/run-now', {}, { 'idempotency-key': 'ü' });
  await call('POST', '/api/customers/1/consents', { consent: 'granted', at: 'yesterday' });
  await call('POST', '/api/privacy/look-up', { code: 'a', phone: '11 92222-2222' });
  await call('POST', '/api/opt-outs', { phone: 'abc' });
  await call('PUT', `/api/providers/${catalog.providerId}/prices`, { prefix: '999', price: 'x' });
});

test('of users and their passwords', async () => {
  const login = await api.app.inject({
    method: 'POST',
    url: '/api/session',
    payload: { login: 'admin', password: adminPassword },
  });
  const [cookie] = login.cookies;
  const headers = { cookie: `${cookie?.name}=${cookie?.value}`, 'sec-fetch-site': 'same-origin' };
  const asUser = async (method: 'POST' | 'PUT', url: string, payload: object) =>
    note((await api.app.inject({ method, url, headers, payload })).json());
  const user = { login: 'rui', name: 'Rui', role: 'viewer', password: 'long enough for all' };
  await asUser('POST', '/api/users', { ...user, login: 'não', password: 'short' });
  await asUser('POST', '/api/users', { ...user, password: 'x'.repeat(201) });
  await asUser('POST', '/api/users', { ...user, login: 'admin' });
  for (const [current, password] of [
    ['wrong', 'another long password'],
    [adminPassword, adminPassword],
  ])
    await asUser('PUT', '/api/session/password', { current, password });
});

test('of schedules and hours', async () => {
  for (const changes of [
    { timezone: 'Brasilia' },
    { startsAt: 'tomorrow' },
    { startsAt: '2030-02-30T09:00' },
    { startsAt: '1903-02-03T09:00' },
    { endsAt: '2029-01-01T09:00' },
    { recurrence: { every: 'year' } },
    { recurrence: { every: 'day', interval: 1.5 } },
    { recurrence: { every: 'day', interval: 0 } },
    { recurrence: { every: 'day', interval: 367 } },
    { recurrence: { every: 'week', days: [] } },
    { recurrence: { every: 'week', days: ['segunda'] } },
    { recurrence: { every: 'week', days: ['monday', 'monday'] } },
    { recurrence: { every: 'month', dayOfMonth: 32 } },
    { recurrence: { every: 'rule', rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' } },
  ])
    await scheduled(changes);
  for (const rrule of [
    'x'.repeat(1_001),
    '',
    'DTSTART:20260101T090000;FREQ=DAILY',
    'FREQ=DAILY;BYSECOND=1',
    'INTERVAL=2',
    'FREQ=DAILY;A',
    'FREQ=DAILY;A=1',
    'FREQ=DAILY;FREQ=DAILY',
    'FREQ=FORTNIGHTLY',
    'FREQ=DAILY;INTERVAL=x',
    'FREQ=YEARLY;BYYEARDAY=0',
    'FREQ=WEEKLY;BYDAY=SEG',
    'FREQ=DAILY;UNTIL=x',
    'FREQ=DAILY;COUNT=1;UNTIL=20301231',
    'FREQ=DAILY;BYWEEKNO=1',
    'FREQ=WEEKLY;BYMONTHDAY=1',
    'FREQ=WEEKLY;BYDAY=1MO',
    'FREQ=YEARLY;BYYEARDAY=1;BYDAY=MO',
    'FREQ=YEARLY;BYWEEKNO=1',
    'FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1',
    'FREQ=MONTHLY;BYSETPOS=1',
    `FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join()};BYMINUTE=${Array.from({ length: 60 }, (_, minute) => minute).join()}`,
  ])
    await scheduled({ recurrence: { every: 'rule', rrule } });
  const hours = (...windows: object[]) =>
    call('POST', '/api/settings/sending-hours', { name: 'H', definition: { timezone: 'UTC', windows } });
  await hours();
  await hours(
    { days: ['monday'], from: '9h', to: '25:00' },
    { days: ['monday'], from: '09:00', to: '09:00' },
  );
  const holidays = [
    { date: '2026-12-25', name: 'Natal' },
    { date: '2026-12-25', name: 'Natal' },
    { date: '2026-02-30', name: '' },
  ];
  await call('POST', '/api/settings/holiday-calendars', { name: 'C', definition: { holidays } });
  await call('POST', '/api/settings/holiday-calendars', {
    name: 'C',
    definition: { holidays: holidays.slice(0, 2) },
  });
  const over = await scheduled({ recurrence: { every: 'once' }, startsAt: '2020-01-01T09:00' });
  await call('POST', `/api/campaigns/${over.id}/enable`);
});

test('of messages, extra fields and tickets', async () => {
  for (const template of ['', 'x'.repeat(161), 'a\u0001b', '{nomee}', 'a { b'])
    await campaign({ message: { template } });
  const undeclared = await campaign({ message: { template: 'Oi {valor}' } });
  await call('POST', `/api/campaigns/${undeclared.id}/enable`);
  await call('POST', `/api/campaigns/${undeclared.id}/preview-message`, { template: 'Oi {valor}' });
  await call('POST', `/api/campaigns/${undeclared.id}/archive`);
  await call('POST', `/api/campaigns/${undeclared.id}/dry-run`);
  await campaign({ message: { template: 'Responda CONFIRMAR ou CANCELAR' } });
  await campaign({
    mailing: {
      extraFields: [extraField('Nome!'), extraField('nome'), extraField('valor'), extraField('valor')],
    },
  });
  await call('POST', '/api/settings/extra-field-groups', {
    name: 'G',
    definition: { fields: [extraField('valor'), extraField('valor')] },
  });

  const tickets = await createTicketCatalog(sql);
  const group = await call('POST', '/api/settings/extra-field-groups', {
    name: 'G',
    definition: {
      fields: [
        extraField('valor', { type: 'money', required: true }),
        extraField('bairro', { required: true }),
      ],
    },
  });
  const subcategory = await call('POST', '/api/settings/subcategories', {
    name: 'S',
    definition: { categoryId: tickets.categoryId, extraFieldGroupId: group.id },
  });
  const open = await campaign({
    mailing: { extraFields: [extraField('valor')] },
    ticketPolicy: onReply(tickets, { subcategoryId: subcategory.id }),
  });
  await call('POST', `/api/campaigns/${open.id}/enable`);

  const { runId, messageIds } = await createRun(api, catalog);
  const inbound = await insertReply(sql, { messageId: messageIds[0] ?? 0 });
  const [ticket] = await sql<[{ id: number; version: number }]>`
    insert into tickets (cause, status, resolution_id, department_id, assignee_id, category_id, subcategory_id,
      campaign_id, run_id, message_id, inbound_message_id)
    select 'reply', 'finished', ${tickets.solvedId}, ${tickets.departmentId}, ${tickets.assigneeId},
      ${tickets.categoryId}, ${subcategory.id}, campaign_id, id, ${messageIds[0] ?? 0}, ${inbound}
    from runs where id = ${runId}
    returning id, version`;
  const change = (changes: object) =>
    call('PATCH', `/api/tickets/${ticket.id}`, { version: ticket.version, ...changes });
  await change({ status: 'waiting' });
  await change({ status: 'open', resolutionId: tickets.solvedId });
  await change({ extra: { valor: 'muito', bairro: '' } });
  const other = await call('POST', '/api/settings/categories', { name: 'Outra', definition: {} });
  await change({ categoryId: other.id });

  const ready = await createReadyCampaign(api, documentOf(catalog));
  const get = await api.as('admin')('GET', `/api/campaigns/${ready}`);
  const { definition, version } = get.json<{ definition: { mailing: object }; version: number }>();
  const saved = { ...definition, mailing: { ...definition.mailing, extraFields: [extraField('valor')] } };
  await call('PUT', `/api/campaigns/${ready}`, { ...saved, version });
  await call('POST', `/api/campaigns/${ready}/enable`);
  const file =
    'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;valor\n1;A;11900000000;;;;;1\n';
  await call('PUT', `/api/campaigns/${ready}/mailing/file`, file, { 'content-type': 'text/csv' });
  await call('PUT', `/api/campaigns/${ready}`, { ...definition, version: version + 1 });
  await call('POST', `/api/campaigns/${ready}/enable`);

  // The fallback of its provider is gone.
  const fallback = await call('POST', '/api/providers', { name: 'Reserva', ...sandboxProvider });
  const path = `/api/providers/${catalog.providerId}/fallback`;
  await call('PUT', path, { fallbackId: fallback.id });
  await call('PUT', `/api/providers/${fallback.id}/fallback`, { fallbackId: catalog.providerId });
  await sql`update providers set archived_at = now() where id = ${fallback.id}`;
  await call('POST', `/api/campaigns/${ready}/enable`);
  await campaign({ message: { template: 'Oi', providerId: fallback.id } });
  await call('PUT', path, { fallbackId: null });
  const archived = await campaign({ message: { template: 'Oi', providerId: fallback.id } });
  await call('POST', `/api/campaigns/${archived.id}/enable`);
});

test('of customers and people', async () => {
  const customer = (changes: object) =>
    call('POST', '/api/customers', { code: '1', name: 'Ana', ...changes });
  await customer({ mobile: 'abc', birthDate: '31/12/1990' });
  await customer({ birthDate: '1850-01-01' });
  await customer({ code: '' });
  const { id } = await customer({ mobile: '11 90000-0077', regionId: 999_999 });
  const kept = id === 0 ? await customer({ mobile: '11 90000-0077' }) : { id };
  await customer({});
  for (const at of ['2999-01-01T00:00:00Z', '1960-01-01T00:00:00Z'])
    await call('POST', `/api/customers/${kept.id}/consents`, { consent: 'granted', at });
  await call('POST', '/api/privacy/erase', { code: '1' });
  const { runId } = await createRun(api, catalog);
  await sql`
    insert into messages (run_id, line, status, code)
    select ${runId}, n, 'skipped', 'n/a' from generate_series(100, 10100) as n`;
  await call('POST', '/api/privacy/look-up', { code: 'n/a' });
});

test('of replies and the helpdesk', async () => {
  const words = (lists: object) => call('PUT', '/api/settings/reply-words', lists);
  await words({ optOut: [], optIn: ['?', 'x'.repeat(41), 'a\u0001'], help: ['sim', 'Sim'] });
  await words({ optOut: ['sair', 'Sair'] });
  await words({ optOut: ['sair'], optIn: Array.from({ length: 51 }, (_, index) => `w${index}`) });
  await call('PUT', '/api/settings/automatic-texts', { keywords: [{ words: ['sair'] }] });
  const posting = (changes: object) =>
    call('PUT', '/api/settings/ticket-posting', { url: 'https://helpdesk.example/', ...changes });
  await posting({ enabled: true });
  await posting({ url: 'x', events: [] });
  await posting({ url: 'https://a:b@helpdesk.example/' });
  await posting({ secret: 'short', headers: { 'a b': 'x', host: 'x', 'x-key': ' é' } });
  await posting({ enabled: true, secret: 'x'.repeat(24), headers: { 'x-key': 'hush' } });
  await posting({ url: 'https://elsewhere.example/' });
});

test('of e-mails and the webhook of alerts', async () => {
  const smtp = await createSmtpServer();
  const plain = await createSmtpServer({ disabledCommands: ['STARTTLS'] });
  const garbage = await createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const test = () => call('POST', '/api/settings/email/test', { to: 'ana@example.com' });
  const tested = async (changes: object) => {
    const email = { host: 'localhost', port: smtp.port, from: 'a@example.com', ...smtpLogin };
    await call('PUT', '/api/settings/email', { ...email, ...changes });
    await test();
  };
  await test();
  await call('PUT', '/api/settings/email', { host: 'a b', from: 'x' });
  await tested({ host: '10.0.0.1' });
  await tested({ port: plain.port });
  await tested({ port: garbage });
  await tested({ password: 'errada' });
  for (const [step, status] of [
    ['sender', 550],
    ['recipient', 550],
    ['data', 554],
    ['data', 451],
  ] as const) {
    smtp.behavior[step] = () => status;
    await tested({});
    smtp.behavior[step] = () => null;
  }
  const hook = () => call('POST', '/api/settings/alert-webhook/test', {});
  await hook();
  await call('PUT', '/api/settings/alert-webhook', { url: service.url, secret: 'x'.repeat(24) });
  service.answer(bytes('{}', {}, 404));
  await hook();
  await call('POST', '/api/password-resets/use', { token: 'x', password: 'a-new-password' });
});

test('of integrations', async () => {
  const integration = (config: object, secrets: object = { secret: 'hush' }) =>
    call('POST', '/api/integrations', {
      name: 'CRM',
      config: { authentication: { kind: 'bearer' }, origins: ['https://crm.example'], ...config },
      secrets,
    });
  await integration({ authentication: { kind: 'basic', user: 'a:b' } }, { secret: 'a\u0001' });
  await integration({ origins: [] });
  await integration({ origins: ['https://a/b'] });
  await integration({ headers: [{ name: 'a b', value: ' é' }] });
  await integration({ headers: [{ name: 'Host', value: 'x' }] });
  await integration({ headers: [{ name: 'Authorization', value: 'x' }] });
  await integration({ headers: [{ name: 'X-Key', value: null }] });
  await integration({}, { secret: 'hush', headers: { 'X-Other': 'x' } });
  await integration({ authentication: { kind: 'api_key', in: 'header', name: 'X-Key' } }, { secret: 'é' });
  await integration({}, {});
  await campaign({ mailing: { webservice: { baseUrl: 'ftp://x' } } });
  await campaign({ mailing: { webservice: { baseUrl: 'https://a:b@crm.example/' } } });
  await campaign({ mailing: { webservice: { fieldMap: { code: 'a..b' } } } });
  for (const value of ['{', '{tomorrow}', '{today:Q}'])
    await campaign({ mailing: { webservice: { params: [{ key: 'on', value }] } } });
  await campaign({ mailing: { webservice: { integrationId: 999_999 } } });
});

test('of providers and gateways', async () => {
  const provider = (config: object, secrets: object) =>
    call('POST', '/api/providers', { name: 'P', config, secrets });
  await provider({ kind: 'twilio', accountSid: 'x', from: '' }, { kind: 'twilio', authToken: 'a b' });
  await provider(
    { kind: 'twilio', accountSid: 'x', from: '', region: '1', apiKeySid: 'x', sharedKeyId: 'a b' },
    { kind: 'twilio', authToken: 'x' },
  );
  await call('POST', '/api/providers', {
    name: 'P',
    segmentProfile: 'portuguese',
    config: { kind: 'zenvia', from: 'x' },
    secrets: { kind: 'zenvia', apiToken: 'x', callbackSecret: 'x'.repeat(20) },
  });
  await provider(
    { kind: 'infobip', baseUrl: 'https://infobip.example', from: 'a\u0001' },
    { kind: 'infobip', apiKey: 'x', callbackSecret: 'short' },
  );
  await provider({ kind: 'zenvia', from: 'x' }, { kind: 'twilio', authToken: 'x' });
  await provider(
    {
      kind: 'http',
      request: { method: 'POST', url: 'https://gateway.example/' },
      inbound: { format: 'json', text: 'text' },
      callbackAnswer: { status: 204, body: 'ACK' },
    },
    { kind: 'http', callbackSecret: 'x'.repeat(20) },
  );
  const gateway = (request: object, values: object = {}) =>
    provider(
      { kind: 'http', answer: {}, request: { method: 'POST', url: 'https://gateway.example/', ...request } },
      { kind: 'http', callbackSecret: 'x'.repeat(20), values },
    );
  await gateway({ url: 'https://gateway.example/{', headers: { 'a b': '{to}', Host: 'x', 'X-A': '{text}' } });
  for (const url of [
    'https://é/',
    'ftp://gateway',
    'http://[::/',
    'https://a:b@gateway/',
    'https://gateway/#a',
  ])
    await gateway({ url });
  await gateway({ url: 'https://gateway.example/{nobody}', headers: { 'X-A': 'é' } });
  await gateway({ method: 'GET', body: { kind: 'form', fields: { to: '{to}' } } });
  await gateway({ url: 'https://gateway.example/{secret.key}' });
  await gateway({ url: 'https://gateway.example/{json:to}' });
  await gateway({}, { Ä: 'x', key: 'é' });
  await gateway({
    body: {
      kind: 'form',
      fields: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}`, 'x'])),
    },
  });
});

const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';

describe('of files', () => {
  test.each([
    [''],
    [`${header}\n`],
    ['PK\u0003\u0004'],
    ['%PDF-1.7'],
    ['a\0b'],
    [`${header.replace('nome;', '')}\n1;2\n`],
    [`${header};cor\n1;A;11900000000;;;;;x\n`],
    [`${header};nome\n1;A;11900000000;;;;;x\n`],
    [`${header}\r1;A;11900000000;;;;\r`],
    [`"${header}\n1;A;11900000000;;;;\n`],
    [`${header}\n1;${'x'.repeat(2_000_000)};11900000000;;;;\n`],
    [Buffer.concat([Buffer.from(`${header}\n2;`), Buffer.from([0x81, 0x8d, 0x0a])])],
  ])('file %#', async (content) => {
    const { id } = await campaign({});
    const answer = await call('PUT', `/api/campaigns/${id}/mailing/file`, content, {
      'content-type': 'text/csv',
    });
    expect(answer.status).toBe(422);
  });

  test('and their lines', async () => {
    await optOutPhone(sql, { phone: '+5511900000055', source: 'admin', actor: 'user:1', note: '' });
    const refused = await call('POST', '/api/customers', { code: '66', mobile: '11900000066' });
    await call('POST', `/api/customers/${refused.id}/consents`, { consent: 'refused' });
    await call('POST', '/api/customers', { code: '0077', mobile: '11900000099' });
    const { id } = await campaign({
      message: { template: '{nome}{valor}', providerId: catalog.providerId },
      mailing: {
        source: 'csv',
        sendingHoursId: catalog.hoursId,
        extraFields: [extraField('valor', { type: 'number', required: true })],
      },
    });
    const lines = [
      '1;A;;;;;;1',
      '2;A;123;;;;;1',
      '3;A;1130000001;;;;;1',
      '4;A;11900000001;;;;;1',
      '5;A;11900000001;;;;;1',
      '66;A;11900000066;;;;;1',
      '7;A;11900000055;;;;;1',
      `8;${'x'.repeat(110)};11900000008;;;;${'ç'.repeat(200)};1`,
      '9;A;11900000009;;;;;',
      '10;A;11900000010;;;31/31/1990;{tag};x',
      `11;${'x'.repeat(121)};11900000011 / 11900000012;;;;;1`,
      '1,2E+14;A;1187654321;;;;;1',
      '77;A;11900000099;;;;;1',
      '14;A;11900000014;;;;;1;beyond',
      '15;"A"x;11900000015;;;;;1',
      '16;A\ufffd;11900000016;;;;;1',
      '17;;11900000017;;;; ;1',
    ];
    const answer = await call(
      'PUT',
      `/api/campaigns/${id}/mailing/file`,
      `${header};valor\n${lines.join('\n')}\n`,
      { 'content-type': 'text/csv' },
    );
    expect(answer.status).toBe(200);
    const customers = `${customerColumns().join(';')}\n;Ana;;;;;;;;\n`;
    await call('POST', '/api/customers/import', customers, { 'content-type': 'text/csv' });
    // What only a run finds, as its messages say it.
    const { runId } = await createRun(api, catalog);
    for (const [index, reason] of skipReasons.entries())
      await sql`
        insert into messages (run_id, line, status, reason) values (${runId}, ${100 + index}, 'skipped', ${reason})`;
    await call('GET', `/api/runs/${runId}/messages`);
  });
});

describe('of web services', async () => {
  const raw = await startRawServer((socket, { path }) => {
    if (path.includes('reset')) socket.destroy();
    else if (path.includes('cut'))
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[', () => socket.destroy());
    else if (path.includes('slow')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[');
    else if (path.includes('drip')) {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n[');
      const drip = setInterval(() => socket.write(' '), 100);
      socket.on('close', () => clearInterval(drip));
    } else if (path.includes('noise')) socket.end('SMTP ready\r\n\r\n');
  });
  afterAll(() => raw.close());
  // Each account may test so many services a minute.
  const fetched = (webservice: object, role: Role = 'operator') => {
    const payload = { webservice: { baseUrl: service.url, ...webservice } };
    return call('POST', '/api/webservice/preview', payload, {}, role);
  };
  const ndjson = { 'content-type': 'application/json' };

  test.each<[string, string | undefined]>([
    ['dns_failed', 'http://nowhere.invalid/'],
    ['connection_refused', 'http://127.0.0.1:1/'],
    ['connection_lost', `${raw.url}/cut`],
    ['timed_out', `${raw.url}/silent`],
    ['not_http', `${raw.url}/noise`],
    ['tls_failed', service.url.replace('http:', 'https:')],
    ['takes_too_long', `${raw.url}/drip`],
    ['address_refused', 'http://10.0.0.1/'],
  ])('%s', async (code, baseUrl) => {
    await fetched({ baseUrl });
    expect([...seen.keys()]).toContain(code);
  });

  test.each<[ProblemCode, Parameters<typeof service.answer>[0], object?]>([
    ['server_error', bytes('', {}, 500)],
    ['too_many_requests', bytes('', {}, 429)],
    ['unauthorized', bytes('', {}, 401)],
    ['forbidden', bytes('', {}, 403)],
    ['address_not_found', bytes('', {}, 404)],
    ['request_refused', bytes('', {}, 422)],
    ['status_unexpected', bytes('', {}, 206)],
    ['too_many_redirects', bytes('', { location: '/contacts' }, 302)],
    ['redirect_broken', bytes('', {}, 302)],
    ['too_large', jsonAnswer(Array.from({ length: 2_000 }, () => ({ codigo: 'x'.repeat(100) })))],
    ['compression_broken', bytes('not gzip', { ...ndjson, 'content-encoding': 'gzip' })],
    ['compression_unknown', bytes('x', { ...ndjson, 'content-encoding': 'zstd' })],
    ['answer_encoding', bytes(Buffer.from('[]', 'utf16le'), ndjson)],
    ['html', bytes('<html>', { 'content-type': 'text/html' })],
    ['empty_answer', bytes('', ndjson)],
    ['not_json', bytes('[{"codigo": }]', ndjson)],
    ['cut_off', bytes(gzipSync('[{"codigo": 1'), { ...ndjson, 'content-encoding': 'gzip' })],
    ['too_deep', bytes('['.repeat(30), ndjson)],
    ['record_too_large', jsonAnswer([{ codigo: 'x'.repeat(5_000) }])],
    ['no_records', jsonAnswer({ a: 1 })],
    ['records_ambiguous', jsonAnswer({ a: [{ codigo: 1 }], b: [{ codigo: 1 }] })],
    ['not_records', jsonAnswer(['a', 'b'])],
    ['service_error', jsonAnswer({ success: false, message: 'Sem acesso' })],
  ])('%s', async (code, answer, webservice = {}) => {
    service.answer(answer);
    await fetched(webservice, 'admin');
    expect([...seen.keys()]).toContain(code);
  });

  test('and of records that are none', async () => {
    service.answer(jsonAnswer([{ codigo: 1 }, 'x']));
    await fetched({});
  });

  test('and of fields that they lack', async () => {
    service.answer(jsonAnswer([{ codigo: 1, celular: '11987654321' }]));
    const mailing = {
      source: 'webservice',
      sendingHoursId: catalog.hoursId,
      webservice: { baseUrl: service.url },
      extraFields: [extraField('plano')],
    };
    const { id } = await campaign({ mailing });
    await call('POST', '/api/webservice/preview', { campaignId: id });
    await call('GET', `/api/campaigns/${id}`);
  });

  test('and their integrations', async () => {
    const { id } = await call('POST', '/api/integrations', {
      name: 'Elsewhere',
      config: { authentication: { kind: 'bearer' }, origins: ['https://crm.example'] },
      secrets: { secret: 'hush' },
    });
    await fetched({ integrationId: id });
    await sql`update integrations set secrets = 'gone:' || split_part(secrets, ':', 2) where id = ${id}`;
    await fetched({ integrationId: id });
    service.answer(bytes('{"error": "invalid_client"}', ndjson, 401));
    const { origin } = new URL(service.url);
    const oauth = await call('POST', '/api/integrations', {
      name: 'OAuth',
      config: { authentication: { kind: 'oauth2', tokenUrl: service.url, clientId: 'x' }, origins: [origin] },
      secrets: { secret: 'hush' },
    });
    await fetched({ integrationId: oauth.id });
  });
});

test('of a logo', async () => {
  const wide = Buffer.from(logos['image/png']);
  wide.writeUInt32BE(2_001, 16);
  for (const content of [Buffer.from('<svg/>'), wide])
    await call('PUT', '/api/settings/company/logo', content, { 'content-type': 'image/png' });
});

/** What no request provokes, and why it is there. */
const elsewhere: Partial<Record<ProblemCode, string>> = {
  delivery_failed: 'for an error of a connection that is not known yet',
  gateway_json:
    'of a form of the console, which reads JSON from a text field: test/console/providers.test.ts',
  invalid: 'for a check that names no code of its own; all have one',
};

describe('of a run that failed', async () => {
  const failed = [...Object.keys(webserviceSentences), ...Object.keys(fileSentences)];
  const { runId } = await createRun(api, catalog);

  test.each(failed)('%s', async (mailingCode) => {
    expect(isProblemCode(mailingCode)).toBe(true);
    if (!isProblemCode(mailingCode)) return;
    const [params] = parametersOf(problemSentences[mailingCode].params);
    const code = mailingCode in fileSentences ? 'mailing_refused' : 'webservice_refused';
    await sql`
      update runs set status = 'failed', reason = ${json(sql, { code, mailingCode, params })} where id = ${runId}`;
    const answer = await api.as('viewer')('GET', `/api/runs/${runId}`, undefined, portuguese);
    const { reason } = answer.json<{ reason: { words: string } }>();
    expect(reason.words).toMatch(/^O (?:mailing|webservice) não pôde ser lido: .+\. \S/);
    note({ code: mailingCode, message: reason.words });
  });
});

test('each code of the catalog was said in Portuguese, or has a reason not to be', () => {
  const missing = Object.keys(problemSentences).filter((code) => !seen.has(code));
  expect(missing.toSorted()).toEqual(Object.keys(elsewhere).toSorted());
});
