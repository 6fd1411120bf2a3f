import { afterAll, beforeEach, expect, test } from 'vitest';
import { createProgressHub } from '../../api/services/progress.ts';
import { deleteOldAnswers, readMailingFile } from '../../db/campaigns/mailings.ts';
import { insertIntegration } from '../../db/settings/integrations.ts';
import { integrationConfig, integrationSecrets } from '../../domain/integration.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createEnabledCampaign, phoneOf, phonesOf, readRun, startRun } from '../kit/factories.ts';
import { historyText } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem, workerApplication } from '../kit/system.ts';
import { until } from '../kit/until.ts';
import { bytes, json, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
const system = await createSystem({ webserviceRetryMs: 6_000 });
const { sql, box, client, temporal } = system;
const { workflowOf, ended, writtenTo } = createRunProbe(system);
afterAll(() => service.close());
beforeEach(() => void (service.requests.length = 0));

const contacts = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    codigo: from + i,
    nome: `Contato ${from + i}`,
    celular: Number(phoneOf(from + i).slice(1)),
  }));
const messagesOf = (runId: number) => sql<
  { line: number; status: string; reason: string | null; text: string | null }[]
>`
  select line, status, reason, text from messages where run_id = ${runId} order by line`;
async function answerOf(runId: number): Promise<string> {
  const { mailingFileId } = await readRun(sql, runId);
  if (mailingFileId === null) throw new Error('no stored answer');
  const chunks = [];
  for await (const chunk of readMailingFile(sql, mailingFileId)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
const causeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.cause : error),
  );

test('a run fetches its contacts from all pages, sends to each once and stores the answer unchanged', async () => {
  const pages = [
    { data: contacts(1, 4), next: '/contacts?page=2' },
    { data: [...contacts(5, 2), { codigo: 99, telefone: '1133334444' }, 'x', contacts(1, 1)[0]], next: null },
  ];
  service.answer((request, response) =>
    json(pages[request.url?.includes('page=2') ? 1 : 0])(request, response),
  );
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  await ended(run);
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(6));
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 6,
    'skipped: not_a_mobile': 1,
    'skipped: line_invalid': 1,
    'skipped: duplicate_phone': 1,
  });
  expect((await messagesOf(run.id)).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await answerOf(run.id)).toBe(pages.map((page) => JSON.stringify(page)).join('\n'));
  expect(await historyText(client, runWorkflowId(run))).not.toMatch(/Contato|55119/);
});

test('an answer with undeclared pages fails the run, and with the paging configured every contact gets a message', async () => {
  service.answer((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('pagina') ?? 1);
    json({ clientes: contacts(page * 2 - 1, 2), pagina: page, total_de_paginas: 3 })(request, response);
  });
  const failed = await startRun(system, { webservice: { baseUrl: service.url } });
  await causeOf(ended(failed));
  expect(await readRun(sql, failed.id)).toMatchObject({
    status: 'failed',
    reason: {
      code: 'webservice_refused',
      mailingCode: 'more_pages',
      params: { seen: [{ path: 'total_de_paginas', value: 3 }, { path: 'pagina' }] },
    },
  });
  expect(await expectCountsToMatchRows(sql, failed.id)).toEqual({});
  const paging = {
    by: 'page',
    param: 'pagina',
    end: { shown: 'total_pages', path: 'total_de_paginas' },
  } as const;
  const run = await startRun(system, { webservice: { baseUrl: service.url, paging } });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 6 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(6));
});

test('the run uses parameters, credentials, field map, extra fields and custom messages of the campaign', async () => {
  const integration = await sql.begin((tx) =>
    insertIntegration(tx, box, {
      name: 'CRM',
      config: integrationConfig.parse({
        authentication: { kind: 'bearer' },
        origins: [new URL(service.url).origin],
      }),
      secrets: integrationSecrets.parse({ secret: 'the-token' }),
    }),
  );
  const people = [
    { id: 1, person: { given: 'Ana' }, phones: [phoneOf(1)], debt: '10,50' },
    { id: 2, person: { given: 'João' }, phones: [phoneOf(2)], debt: '7', note: 'Só {nome}: {divida}' },
    { id: 3, person: { given: 'Eva' }, phones: [phoneOf(3)], debt: '7', note: 'Oi {saldo}' },
    { id: 4, person: { given: 'Ivo' }, phones: [phoneOf(4)], debt: 'muito' },
  ].map(({ debt, ...person }) => ({ ...person, Divida: debt }));
  service.answer(json({ meta: [{ a: 1 }], result: { list: people } }));
  const campaign = await createEnabledCampaign(system, {
    template: 'Ola {nome}, deve {divida}.',
    extraFields: [{ name: 'divida', type: 'number', required: true }],
    webservice: {
      baseUrl: `${service.url}?fixed=a%20b`,
      params: [
        { key: 'on', value: '{today:dd/MM/yyyy}' },
        { key: 'since', value: '{lastRunAt}' },
        { key: 'due', value: '{occurrence}' },
      ],
      integrationId: integration.id,
      recordsPath: 'result.list',
      fieldMap: { name: 'person.given', mobile: 'phones.0', customMessage: 'note' },
    },
  });
  const run = await startRun(system, { campaign });
  await ended(run);
  expect(await messagesOf(run.id)).toMatchObject([
    { status: 'sent', text: 'Ola Ana, deve 10,50.' },
    { status: 'sent', text: 'So Joao: 7' },
    { status: 'skipped', reason: 'placeholder_unknown' },
    { status: 'skipped', reason: 'value_missing' },
  ]);
  const [first] = service.requests;
  expect(first?.headers.authorization).toBe('Bearer the-token');
  const query = new URL(first?.url ?? '', service.url);
  expect(query.search).toMatch(/^\?fixed=a%20b&on=/);
  expect(query.searchParams.get('on')).toMatch(/^\d\d\/\d\d\/\d{4}$/);
  expect(query.searchParams.get('since')).toBe('1970-01-01T00:00:00+00:00');
  expect(new Date(query.searchParams.get('due') ?? '').getTime()).toBe(
    Math.floor(run.occurrence.getTime() / 1000) * 1000,
  );

  // The second run requests the changes since the fetch of the first one.
  const [kept] = await sql<[{ fetchedAt: Date }]>`select fetched_at from runs where id = ${run.id}`;
  const second = await startRun(system, { campaign });
  await ended(second);
  const since = new URL(service.requests[1]?.url ?? '', service.url).searchParams.get('since');
  expect(new Date(since ?? '').getTime()).toBe(Math.floor(kept.fetchedAt.getTime() / 1000) * 1000);
});

test('only a run that has sent messages changes {lastRunAt}', async () => {
  const campaign = await createEnabledCampaign(system, {
    webservice: { baseUrl: service.url, params: [{ key: 'since', value: '{lastRunAt}' }] },
  });
  const since = () => new URL(service.requests.at(-1)?.url ?? '', service.url).searchParams.get('since');
  const never = '1970-01-01T00:00:00+00:00';
  service.answer(bytes('<html>', { 'content-type': 'text/html' }));
  await causeOf(ended(await startRun(system, { campaign })));
  expect(since()).toBe(never);

  service.answer(json(contacts(1, 1)));
  const first = await startRun(system, { campaign });
  await ended(first);
  expect(since()).toBe(never);
  const [{ fetchedAt }] = await sql<
    [{ fetchedAt: Date }]
  >`select fetched_at from runs where id = ${first.id}`;
  const moment = Math.floor(fetchedAt.getTime() / 1000) * 1000;
  const requestedSince = () => new Date(since() ?? '').getTime();

  const { runId } = await temporal.dryRun(campaign);
  await ended(await readRun(sql, runId));
  expect(requestedSince()).toBe(moment);
  // A mailing without a usable phone.
  service.answer(json([{ codigo: 1, telefone: '1133334444' }]));
  await ended(await startRun(system, { campaign }));
  expect(requestedSince()).toBe(moment);
  // A run that is cancelled after its mailing was read.
  service.answer(json(contacts(1, 1)));
  await sql`update campaigns set definition = jsonb_set(definition, '{safeguards,approval}', 'true') where id = ${campaign.id}`;
  const cancelled = await startRun(system, { campaign });
  await until('it waits for approval', async () => (await readRun(sql, cancelled.id)).step === 'approval');
  await temporal.cancelRun(cancelled, 'user:7');
  await ended(cancelled);
  await sql`update campaigns set definition = jsonb_set(definition, '{safeguards,approval}', 'false') where id = ${campaign.id}`;
  await ended(await startRun(system, { campaign }));
  expect(requestedSince()).toBe(moment);
});

test('a run without contacts after one with many reports it, and the next empty run does not', async () => {
  const campaign = await createEnabledCampaign(system, { webservice: { baseUrl: service.url } });
  service.answer(json(contacts(1, 12)));
  const many = await startRun(system, { campaign });
  await ended(many);
  service.answer(json([]));
  const none = await startRun(system, { campaign });
  await ended(none);
  expect(await readRun(sql, none.id)).toMatchObject({
    status: 'finished',
    reason: { code: 'no_contacts', runId: many.id, lines: 12 },
  });
  const again = await startRun(system, { campaign });
  await ended(again);
  expect(await readRun(sql, again.id)).toMatchObject({ status: 'finished', reason: null });
});

test('an error that the service reports is quoted on the run and not in its history', async () => {
  service.answer(json({ success: false, mensagem: 'Cliente Maria sem acesso: 11 98765-4321' }));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await causeOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await readRun(sql, run.id)).toMatchObject({
    reason: {
      mailingCode: 'service_error',
      params: { words: 'Cliente Maria sem acesso: …' },
    },
  });
  expect(await historyText(client, runWorkflowId(run))).not.toContain('Maria');
});

test('an empty answer gives a run without lines', async () => {
  service.answer(json([]));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
});

test('a service that fails during its answer is queried again from the start, and no line is duplicated', async () => {
  service.answer((request, response) => {
    const attempt = service.requests.length;
    if (attempt === 1) response.writeHead(503).end();
    else if (attempt === 2) {
      // Different contacts than in the next attempt.
      const many = JSON.stringify(contacts(100, 3_000));
      response.writeHead(200, { 'content-length': many.length + 100 }).write(many.slice(0, -1));
      setTimeout(() => response.destroy(), 100);
    } else json(contacts(1, 8))(request, response);
  });
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  await ended(run);
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(8));
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 8 });
  expect(await answerOf(run.id)).toBe(JSON.stringify(contacts(1, 8)));
  expect(await sql`select from mailing_files where campaign_id = ${run.campaignId}`).toHaveLength(1);
});

test('slow services hold no transaction and do not block other imports', async () => {
  // As many as concurrent imports are allowed: half of the pool.
  const slow = 5;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  service.answer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('[');
    const dripping = setInterval(() => response.write(' '), 20);
    void released.then(() => {
      clearInterval(dripping);
      response.end(JSON.stringify(contacts(1, 3)).slice(1));
    });
  });
  const runs = await Promise.all(
    Array.from({ length: slow }, () => startRun(system, { webservice: { baseUrl: service.url } })),
  );
  await until('all of them have answered slowly for a while', async () => {
    const rows = await sql<{ id: number }[]>`
      select runs.id from runs join mailing_files as f on f.id = mailing_file_id
      where runs.id = any(${runs.map(({ id }) => id)}::bigint[])
        and f.bytes > 1 and fetched_at < clock_timestamp() - interval '2 seconds'`;
    return rows.length === slow;
  });
  const other = await startRun(system, { mailing: 4 });
  await ended(other);
  expect(await expectCountsToMatchRows(sql, other.id)).toEqual({ sent: 4 });
  expect(
    await sql`
      select state, query from pg_stat_activity
      where datname = current_database() and application_name = ${workerApplication}
        and xact_start < clock_timestamp() - interval '1 second'`,
  ).toEqual([]);
  const hub = createProgressHub({ sql });
  const { fetched } = (await hub.look(runs[0]?.id ?? 0)) ?? {};
  expect(fetched).toMatchObject({ records: 0, whole: false });
  expect(fetched?.bytes).toBeGreaterThan(1);
  hub.close();

  release();
  for (const run of runs) {
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 3 });
  }
}, 60_000);

test('an answer whose second page fails leaves no messages', async () => {
  service.answer((request, response) => {
    if (request.url?.includes('page=2')) response.writeHead(400).end();
    else json({ data: contacts(1, 2), next: '/contacts?page=2' })(request, response);
  });
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await causeOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await readRun(sql, run.id)).toMatchObject({ reason: { mailingCode: 'request_refused' } });
  expect(await messagesOf(run.id)).toEqual([]);
  expect(await answerOf(run.id)).toContain('Contato 2');
});

test('a record that is not JSON fails the run with its position and leaves no messages', async () => {
  service.answer(
    bytes('[{"codigo": 1}, {"codigo": 2}, {"codigo": }]', { 'content-type': 'application/json' }),
  );
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await causeOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await readRun(sql, run.id)).toMatchObject({
    reason: {
      mailingCode: 'not_json',
      params: { host: '127.0.0.1', place: { records: 2, byte: 32 } },
    },
  });
  expect(await messagesOf(run.id)).toEqual([]);

  // A retry by a user fetches again.
  service.answer(json(contacts(1, 2)));
  await temporal.retryRun({ ...run, name: 'Retried' });
  await until('it is done', async () => (await readRun(sql, run.id)).status === 'finished');
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 2 });
});

test('a service that stays down fails the run with the reason, and the run can be retried afterwards', async () => {
  service.answer(bytes('', {}, 500));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await causeOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(service.requests.length).toBeGreaterThan(1);
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    step: 'mailing',
    reason: {
      code: 'webservice_refused',
      mailingCode: 'server_error',
      params: { host: '127.0.0.1', status: 500 },
    },
  });
  service.answer(json(contacts(1, 3)));
  await temporal.retryRun({ ...run, name: 'Retried' });
  await until('it is done', async () => (await readRun(sql, run.id)).status === 'finished');
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 3 });
});

test('wrong content fails the run at once and is stored for inspection', async () => {
  service.answer(bytes('<html>Please log in, Maria</html>', { 'content-type': 'text/html' }));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  expect(await causeOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(service.requests).toHaveLength(1);
  expect(await readRun(sql, run.id)).toMatchObject({ reason: { mailingCode: 'html' } });
  expect(await answerOf(run.id)).toContain('Please log in');
  expect(await historyText(client, runWorkflowId(run))).not.toContain('Maria');
});

test('a run that is cancelled while it waits for its service ends soon', async () => {
  service.answer(() => undefined);
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  await until('the service is requested', () => service.requests.length > 0);
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  await workflowOf(run).describe();
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
});

test('answers are deleted after their retention, except for a run that is still reading', async () => {
  service.answer(json(contacts(1, 1)));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  await ended(run);
  expect(await deleteOldAnswers(sql, 30)).toBe(0);
  await sql`update mailing_files set uploaded_at = now() - interval '31 days'`;
  await sql`update runs set status = 'running', mailing_at = null where id = ${run.id}`;
  const { mailingFileId } = await readRun(sql, run.id);
  expect(await deleteOldAnswers(sql, 30)).toBeGreaterThan(0);
  expect((await readRun(sql, run.id)).mailingFileId).toBe(mailingFileId);
  await sql`update runs set status = 'finished', mailing_at = now() where id = ${run.id}`;
  expect(await deleteOldAnswers(sql, 30)).toBe(1);
  expect(await readRun(sql, run.id)).toMatchObject({ mailingFileId: null });
  expect(await messagesOf(run.id)).toHaveLength(1);
});
