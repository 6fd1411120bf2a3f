import { expect, test } from 'vitest';
import { insertInboundEvents } from '../db/inbound.ts';
import { createCatalogue, createRun, errorOf } from './api.ts';
import { createConsole, textOf } from './console.ts';

const ui = await createConsole();
const { sql } = ui;
const viewer = await ui.person('viewer');
const api = ui.as('viewer');
const catalogue = await createCatalogue(ui);
const phone = '+5511900000001';
const older = await createRun(ui, catalogue, { phones: [phone, '+5511900000002'] });
const newer = await createRun(ui, catalogue, { phones: [phone] });
await sql`update messages set status = 'failed', reason = 'number_invalid' where id = ${older.messageIds[0] ?? 0}`;

interface Found {
  messages: { id: number; runId: number; campaignId: number; campaignName: string }[];
}
const search = async (query: string) => (await api('GET', `/api/messages?${query}`)).json<Found>().messages;

test('Messages of a phone are found across runs, newest first, a page at a time, and narrowed down', async () => {
  const [first, second] = [newer.messageIds[0], older.messageIds[0]];
  expect((await search('phone=11900000001')).map(({ id }) => id)).toEqual([first, second]);
  expect((await search('phone=11900000001&limit=1')).map(({ id }) => id)).toEqual([first]);
  expect((await search(`phone=11900000001&before=${first}`)).map(({ id }) => id)).toEqual([second]);
  expect((await search('phone=11900000001&status=failed')).map(({ id }) => id)).toEqual([second]);
  expect(await search(`phone=11900000001&campaignId=${newer.campaignId}`)).toMatchObject([
    { id: first, runId: newer.runId, campaignId: newer.campaignId },
  ]);
});

test('Messages of a customer are found by its code', async () => {
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

test('A search for nobody in particular is refused: it would read all messages that there are', async () => {
  for (const url of ['/api/messages', '/api/messages?status=failed', '/api/messages.csv']) {
    const answer = await api('GET', url);
    expect([answer.statusCode, errorOf(answer).problems?.[0]?.field]).toEqual([400, 'phone']);
  }
});

test('What was found is downloaded as a file, with campaign and run', async () => {
  const file = (await api('GET', '/api/messages.csv?phone=11900000001')).body.split('\r\n');
  expect(file[0]).toMatch(/^\ufeffcampaign;run;due_at;line;status/);
  expect(file).toHaveLength(4);
  expect(file[2]).toContain(`;${older.runId};`);
  expect(file[2]).toContain(';failed;number_invalid;5511900000001;');
});

test('The page asks for a phone or a customer first, and leads from a run or a campaign to theirs', async () => {
  expect(textOf(await viewer.get('/messages'))).toContain('Procure por um celular ou um cliente');
  const found = await viewer.get('/messages?phone=11900000001');
  expect(found.body).toContain(`href="/messages/${newer.messageIds[0] ?? 0}"`);
  expect(found.body).toContain('href="/api/messages.csv?phone=11900000001"');
  expect((await viewer.get(`/messages?runId=${older.runId}&status=failed`)).headers.location).toBe(
    `/runs/${older.runId}/messages?status=failed`,
  );
  expect((await viewer.get(`/messages?campaignId=${older.campaignId}`)).headers.location).toBe(
    `/runs?campaignId=${older.campaignId}`,
  );
  expect(textOf(await viewer.get('/messages?phone=123'))).toContain('Telefone');
});

test("A message's page tells its whole story", async () => {
  const id = newer.messageIds[0] ?? 0;
  await sql`update messages set status = 'undelivered', reason = 'not_delivered', sending_at = now(), sent_at = now(), ended_at = now(),
    resend_of = ${older.messageIds[0] ?? 0} where id = ${id}`;
  await sql`update messages set ended_at = now() where id = ${older.messageIds[0] ?? 0}`;
  const payload = JSON.stringify({ MessageStatus: 'undelivered', ErrorCode: '30003' });
  await insertInboundEvents(sql, [
    { providerId: catalogue.providerId, eventKey: 'k', kind: 'receipt', messageId: id, payload },
  ]);
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
  for (const words of [
    'Mailing lido: linha 2',
    'Aceita pelo provedor',
    'Aviso do provedor: undelivered, 30003',
    'O celular se descadastrou',
    `O mesmo texto na execução ${older.runId}: Com falha`,
  ]) {
    expect(page).toContain(words);
  }
});
