import { afterAll, describe, expect, test } from 'vitest';
import { json } from '../../db/core/json.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { skipReasons } from '../../domain/message.ts';
import { isProblemCode, problemSentences } from '../../domain/problems/catalog.ts';
import type { ProblemCode } from '../../domain/problems/coded.ts';
import { fileSentences } from '../../domain/problems/mailings.ts';
import { webserviceSentences } from '../../domain/problems/webservices.ts';
import type { Role } from '../../domain/user.ts';
import { customerColumns } from '../../mailing/customer-layout.ts';
import { adminPassword, createApi, createCatalog, createRun, documentOf } from '../kit/api.ts';
import { createCampaignRequests, extraField } from '../kit/invalid-campaigns.ts';
import { badResponses, header, invalidFiles, invalidLines } from '../kit/invalid-mailings.ts';
import { invalidGateways, invalidIntegrations, invalidProviders } from '../kit/invalid-providers.ts';
import { invalidRules, invalidSchedules } from '../kit/invalid-schedules.ts';
import { logos } from '../kit/logos.ts';
import { createProblemRecorder, inPortuguese } from '../kit/problem-recorder.ts';
import { startRawServer } from '../kit/raw-server.ts';
import { parametersOf } from '../kit/sentences.ts';
import { createSmtpServer, createTcpServer, smtpLogin } from '../kit/smtp.ts';
import { bytes, json as jsonAnswer, startWebservice, webserviceDeps } from '../kit/webservice.ts';

/** The API reports every code of the problem catalog in Portuguese. Codes that no request provokes are listed at the end. */
const service = await startWebservice(jsonAnswer([]));
afterAll(() => service.close());
const limits = { bytes: 20_000, recordBytes: 4_000, depth: 20, idleMs: 400, totalMs: 1_500, redirects: 2 };
const api = await createApi({ webservice: webserviceDeps(limits) });
const { sql } = api;
const catalog = await createCatalog(api);

const { seen, note, call } = createProblemRecorder(api);

const schedule = { recurrence: { every: 'day' }, startsAt: '2030-01-01T09:00', timezone: 'UTC' };
const campaign = (changes: object) => call('POST', '/api/campaigns', documentOf(catalog, changes));
const scheduled = (changes: object) => campaign({ schedule: { ...schedule, ...changes } });

test('problems of fields are in Portuguese', async () => {
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

test('problems of users and passwords are in Portuguese', async () => {
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

test('problems of schedules and sending hours are in Portuguese', async () => {
  for (const changes of invalidSchedules) await scheduled(changes);
  for (const rrule of invalidRules) await scheduled({ recurrence: { every: 'rule', rrule } });
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

const campaignRequests = createCampaignRequests(api, catalog, call);
test.each(Object.entries(campaignRequests))(
  'problems of campaigns are in Portuguese: %s',
  async (_, send) => {
    await send();
  },
);

test('problems of customers and erasures are in Portuguese', async () => {
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

test('problems of reply words and the helpdesk are in Portuguese', async () => {
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

test('problems of e-mails and the alert webhook are in Portuguese', async () => {
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

test('problems of integrations are in Portuguese', async () => {
  for (const { config = {}, secrets = { secret: 'hush' } } of invalidIntegrations)
    await call('POST', '/api/integrations', {
      name: 'CRM',
      config: { authentication: { kind: 'bearer' }, origins: ['https://crm.example'], ...config },
      secrets,
    });
  await campaign({ mailing: { webservice: { baseUrl: 'ftp://x' } } });
  await campaign({ mailing: { webservice: { baseUrl: 'https://a:b@crm.example/' } } });
  await campaign({ mailing: { webservice: { fieldMap: { code: 'a..b' } } } });
  for (const value of ['{', '{tomorrow}', '{today:Q}'])
    await campaign({ mailing: { webservice: { params: [{ key: 'on', value }] } } });
  await campaign({ mailing: { webservice: { integrationId: 999_999 } } });
});

test('problems of providers and gateways are in Portuguese', async () => {
  for (const provider of invalidProviders) await call('POST', '/api/providers', provider);
  for (const { request, values = {} } of invalidGateways)
    await call('POST', '/api/providers', {
      name: 'P',
      config: {
        kind: 'http',
        answer: {},
        request: { method: 'POST', url: 'https://gateway.example/', ...request },
      },
      secrets: { kind: 'http', callbackSecret: 'x'.repeat(20), values },
    });
});

describe('problems of mailings are in Portuguese', () => {
  test.each(invalidFiles.map((content) => [content] as const))('file %#', async (content) => {
    const { id } = await campaign({});
    const answer = await call('PUT', `/api/campaigns/${id}/mailing/file`, content, {
      'content-type': 'text/csv',
    });
    expect(answer.status).toBe(422);
  });

  test('lines of a file', async () => {
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
    const answer = await call(
      'PUT',
      `/api/campaigns/${id}/mailing/file`,
      `${header};valor\n${invalidLines.join('\n')}\n`,
      { 'content-type': 'text/csv' },
    );
    expect(answer.status).toBe(200);
    const customers = `${customerColumns().join(';')}\n;Ana;;;;;;;;\n`;
    await call('POST', '/api/customers/import', customers, { 'content-type': 'text/csv' });
    // Skip reasons that only a run finds are in its messages.
    const { runId } = await createRun(api, catalog);
    for (const [index, reason] of skipReasons.entries())
      await sql`
        insert into messages (run_id, line, status, reason) values (${runId}, ${100 + index}, 'skipped', ${reason})`;
    await call('GET', `/api/runs/${runId}/messages`);
  });
});

describe('problems of web services are in Portuguese', async () => {
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
  // The tests per minute are limited per account, so they are split between two roles.
  const fetched = (webservice: object, role: Role = 'operator') => {
    const payload = { webservice: { baseUrl: service.url, ...webservice } };
    return call('POST', '/api/webservice/preview', payload, {}, role);
  };

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

  test.each(badResponses)('%s', async (code, answer) => {
    service.answer(answer);
    await fetched({}, 'admin');
    expect([...seen.keys()]).toContain(code);
  });

  test('an invalid record', async () => {
    service.answer(jsonAnswer([{ codigo: 1 }, 'x']));
    await fetched({});
  });

  test('missing attributes', async () => {
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

  test('their integrations', async () => {
    const { id } = await call('POST', '/api/integrations', {
      name: 'Elsewhere',
      config: { authentication: { kind: 'bearer' }, origins: ['https://crm.example'] },
      secrets: { secret: 'hush' },
    });
    await fetched({ integrationId: id });
    await sql`update integrations set secrets = 'gone:' || split_part(secrets, ':', 2) where id = ${id}`;
    await fetched({ integrationId: id });
    service.answer(bytes('{"error": "invalid_client"}', { 'content-type': 'application/json' }, 401));
    const { origin } = new URL(service.url);
    const oauth = await call('POST', '/api/integrations', {
      name: 'OAuth',
      config: { authentication: { kind: 'oauth2', tokenUrl: service.url, clientId: 'x' }, origins: [origin] },
      secrets: { secret: 'hush' },
    });
    await fetched({ integrationId: oauth.id });
  });
});

test('problems of the logo are in Portuguese', async () => {
  const wide = Buffer.from(logos['image/png']);
  wide.writeUInt32BE(2_001, 16);
  for (const content of [Buffer.from('<svg/>'), wide])
    await call('PUT', '/api/settings/company/logo', content, { 'content-type': 'image/png' });
});

/** Codes that no request of this file provokes, with the reason. */
const exceptions: Partial<Record<ProblemCode, string>> = {
  delivery_failed: 'fallback for unknown connection errors',
  gateway_json: 'only in a console form that contains JSON in a text field: test/console/providers.test.ts',
  invalid: 'fallback for a check without its own code; every check has one',
};

describe('the reason of a failed run is in Portuguese', async () => {
  const failed = [...Object.keys(webserviceSentences), ...Object.keys(fileSentences)];
  const { runId } = await createRun(api, catalog);

  test.each(failed)('%s', async (mailingCode) => {
    expect(isProblemCode(mailingCode)).toBe(true);
    if (!isProblemCode(mailingCode)) return;
    const [params] = parametersOf(problemSentences[mailingCode].params);
    const code = mailingCode in fileSentences ? 'mailing_refused' : 'webservice_refused';
    await sql`
      update runs set status = 'failed', reason = ${json(sql, { code, mailingCode, params })} where id = ${runId}`;
    const answer = await api.as('viewer')('GET', `/api/runs/${runId}`, undefined, inPortuguese);
    const { reason } = answer.json<{ reason: { words: string } }>();
    expect(reason.words).toMatch(/^O (?:mailing|webservice) não pôde ser lido: .+\. \S/);
    note({ code: mailingCode, message: reason.words });
  });
});

test('every code of the catalog was reported in Portuguese or is a listed exception', () => {
  const missing = Object.keys(problemSentences).filter((code) => !seen.has(code));
  expect(missing.toSorted()).toEqual(Object.keys(exceptions).toSorted());
});
