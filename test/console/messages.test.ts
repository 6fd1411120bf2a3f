import { expect, test } from 'vitest';
import { insertInboundEvents } from '../../db/replies/inbound.ts';
import { createCatalog, createRun, errorOf } from '../kit/api.ts';
import { createConsole, textOf } from '../kit/console.ts';

const ui = await createConsole();
const { sql } = ui;
const viewer = await ui.signIn('viewer');
const api = ui.as('viewer');
const catalog = await createCatalog(ui);
const mailing = { source: 'csv', sendingHoursId: catalog.hoursId };
const setting = async (path: string, name: string) =>
  (await ui.as('admin')('POST', `/api/settings/${path}`, { name })).json<{ id: number }>().id;
const phone = '+5511900000001';
const older = await createRun(ui, catalog, { phones: [phone, '+5511900000002'] });
const newer = await createRun(ui, catalog, { phones: [phone] });
await sql`update messages set status = 'failed', reason = 'number_invalid' where id = ${older.messageIds[0] ?? 0}`;

interface Found {
  messages: { id: number; runId: number; campaignId: number; campaignName: string }[];
}
const search = async (query: string) => (await api('GET', `/api/messages?${query}`)).json<Found>().messages;

test('messages of a phone are found across runs, newest first, with paging and filters', async () => {
  const [first, second] = [newer.messageIds[0], older.messageIds[0]];
  expect((await search('phone=11900000001')).map(({ id }) => id)).toEqual([first, second]);
  expect((await search('phone=11900000001&limit=1')).map(({ id }) => id)).toEqual([first]);
  expect((await search(`phone=11900000001&before=${first}`)).map(({ id }) => id)).toEqual([second]);
  expect((await search('phone=11900000001&status=failed')).map(({ id }) => id)).toEqual([second]);
  expect(await search(`phone=11900000001&campaignId=${newer.campaignId}`)).toMatchObject([
    { id: first, runId: newer.runId, campaignId: newer.campaignId },
  ]);
});

test('messages of a customer are found by the customer code', async () => {
  const made = await ui.as('admin')('POST', '/api/customers', {
    name: 'Maria',
    code: 'C-77',
    mobile: '11900000002',
  });
  const { id } = made.json<{ id: number }>();
  await sql`update messages set customer_id = ${id} where id = ${older.messageIds[1] ?? 0}`;
  expect(await search('customerCode=C-77')).toMatchObject([{ id: older.messageIds[1] }]);
  expect(await search(`customerId=${id}&status=delivered`)).toEqual([]);
  expect(await search('customerCode=nobody')).toEqual([]);
});

test('a search without a phone or a customer is refused because it would read all messages', async () => {
  for (const url of ['/api/messages', '/api/messages?status=failed', '/api/messages.csv']) {
    const answer = await api('GET', url);
    expect([answer.statusCode, errorOf(answer).problems?.[0]?.field]).toEqual([400, 'phone']);
  }
});

test('the messages found can be downloaded as a file with campaign and run', async () => {
  const file = (await api('GET', '/api/messages.csv?phone=11900000001')).body.split('\r\n');
  expect(file[0]).toMatch(/^\ufeffcampaign;run;due_at;line;status/);
  expect(file).toHaveLength(4);
  expect(file[2]).toContain(`;${older.runId};`);
  expect(file[2]).toContain(';failed;number_invalid;+5511900000001;');
});

test('a message has the region and the customer type of its run and is found by them', async () => {
  const south = await setting('regions', 'Sul');
  const north = await setting('regions', 'Norte');
  const homes = await setting('customer-types', 'Residencial');
  const phones = ['+5511900000007'];
  const classified = await createRun(ui, catalog, {
    phones,
    changes: { mailing: { ...mailing, regionId: south, customerTypeId: homes } },
  });
  const unclassified = await createRun(ui, catalog, { phones });
  const id = classified.messageIds[0] ?? 0;
  const named = {
    regionId: south,
    regionName: 'Sul',
    customerTypeId: homes,
    customerTypeName: 'Residencial',
  };
  const none = { regionId: null, regionName: null, customerTypeId: null, customerTypeName: null };

  expect(await search('phone=11900000007')).toMatchObject([none, named]);
  for (const query of [`regionId=${south}`, `customerTypeId=${homes}`]) {
    expect(await search(`phone=11900000007&${query}`)).toMatchObject([{ id, ...named }]);
  }
  expect(await search(`phone=11900000007&regionId=${north}`)).toEqual([]);
  expect((await api('GET', `/api/messages/${id}`)).json()).toMatchObject({ message: named });
  expect((await api('GET', `/api/runs/${classified.runId}/messages`)).json()).toMatchObject({
    messages: [{ id, ...named }],
  });
  const runsOf = async (query: string) =>
    (await api('GET', `/api/runs?${query}`)).json<{ runs: { id: number }[] }>().runs.map((run) => run.id);
  expect(await runsOf(`regionId=${south}`)).toEqual([classified.runId]);
  expect(await runsOf(`customerTypeId=${homes}`)).toEqual([classified.runId]);
  expect(await runsOf(`regionId=${north}`)).toEqual([]);

  for (const url of [
    `/api/runs/${classified.runId}/messages.csv`,
    `/api/messages.csv?phone=11900000007&regionId=${south}`,
  ]) {
    const [columns = [], ...rows] = (await api('GET', url)).body
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(';'));
    expect(rows.map((row) => row[columns.indexOf('region')])).toEqual(['Sul']);
    expect(rows.map((row) => row[columns.indexOf('customer_type')])).toEqual(['Residencial']);
  }

  const found = await viewer.get(`/messages?phone=11900000007&regionId=${south}`);
  expect(found.body).toContain(`href="/messages/${id}"`);
  expect(found.body).not.toContain(`href="/messages/${unclassified.messageIds[0] ?? 0}"`);
  expect(found.body).toMatch(new RegExp(`<option value="${south}" selected[^>]*>Sul</option>`));
  expect((await viewer.get(`/messages?regionId=${south}`)).headers.location).toBe(`/runs?regionId=${south}`);
  const runs = await viewer.get(`/runs?regionId=${south}`);
  expect(runs.body).toContain(`href="/runs/${classified.runId}"`);
  expect(runs.body).not.toContain(`href="/runs/${unclassified.runId}"`);
});

test.each([
  ['pt-BR', 'Região', 'Tipo de cliente'],
  ['en', 'Region', 'Customer type'],
])('the page of a message shows its region and customer type (%s)', async (locale, region, type) => {
  const changes = {
    mailing: {
      ...mailing,
      regionId: await setting('regions', `Sul ${locale}`),
      customerTypeId: await setting('customer-types', `Casa ${locale}`),
    },
  };
  const { messageIds } = await createRun(ui, catalog, { changes });
  const reader = await ui.signIn('viewer');
  await sql`update users set locale = ${locale} where id = ${reader.id}`;
  const words = textOf(await reader.get(`/messages/${messageIds[0] ?? 0}`)).replaceAll(/\s+/g, ' ');
  expect(words).toContain(`${region} Sul ${locale} ${type} Casa ${locale} `);
});

test('the search page asks for a criterion first, and shows the messages of a phone, a run or a campaign', async () => {
  expect(textOf(await viewer.get('/messages'))).toContain(
    'Procure por um celular, um cliente, uma campanha ou um dia',
  );
  const found = await viewer.get('/messages?phone=11900000001');
  expect(found.body).toContain(`href="/messages/${newer.messageIds[0] ?? 0}"`);
  expect(found.body).toContain('href="/api/messages.csv?phone=11900000001"');
  expect((await viewer.get(`/messages?runId=${older.runId}&status=failed`)).headers.location).toBe(
    `/runs/${older.runId}/messages?status=failed`,
  );
  const ofCampaign = await viewer.get(`/messages?campaignId=${older.campaignId}`);
  expect(ofCampaign.body).toContain(`href="/messages/${older.messageIds[1] ?? 0}"`);
  expect(ofCampaign.body).not.toContain(`href="/messages/${newer.messageIds[0] ?? 0}"`);
  expect(textOf(await viewer.get('/messages?phone=123'))).toContain('Telefone');
});

test('the page of a message shows its history in order', async () => {
  const id = newer.messageIds[0] ?? 0;
  const payload = JSON.stringify({ MessageStatus: 'undelivered', ErrorCode: '30003' });
  await sql`update messages set sending_at = now(), sent_at = now(), resend_of = ${older.messageIds[0] ?? 0} where id = ${id}`;
  await sql`update messages set ended_at = now() where id = ${older.messageIds[0] ?? 0}`;
  await sql.begin(async (tx) => {
    await tx`update messages set status = 'undelivered', reason = 'not_delivered', ended_at = now() where id = ${id}`;
    await insertInboundEvents(tx, [
      { providerId: catalog.providerId, eventKey: 'k', kind: 'receipt', messageId: id, payload },
    ]);
  });
  await ui.as('admin')('POST', '/api/opt-outs', { phone, note: 'Pediu' });
  const story = (await api('GET', `/api/messages/${id}`)).json<object>();
  expect(story).toMatchObject({
    run: { campaignId: newer.campaignId },
    events: [{ says: 'undelivered, 30003' }],
    resends: [{ id: older.messageIds[0], runId: older.runId, status: 'failed' }],
    optOuts: [{ kind: 'opt_out' }],
    tickets: [],
  });
  const page = textOf(await viewer.get(`/messages/${id}`));
  expect(page).toContain(`O mesmo texto na execução ${older.runId}: Com falha`);
  const positions = [
    'Mailing lido: linha 2',
    'Aceita pelo provedor',
    'Aviso do provedor: Não entregue, 30003',
    'Situação final: Não entregue',
    'O celular se descadastrou',
  ].map((words) => page.indexOf(words));
  expect(positions).not.toContain(-1);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
});
