import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { recordSent } from '../kit/sending.ts';

/** The ready-made gateway descriptions (examples/gateways), from the callback to the row. */
const api = await createApi();
const { app, as, sql } = api;
const catalog = await createCatalog(api);

async function addExample(name: string): Promise<{ id: number; reference: string }> {
  const file: unknown = JSON.parse(await readFile(`examples/gateways/${name}.json`, 'utf8'));
  const added = await as('admin')('POST', '/api/providers', z.looseObject({}).parse(file));
  expect(added.statusCode, added.body).toBe(201);
  const { id } = added.json<{ id: number }>();
  const [row] = await sql<[{ reference: string }]>`select reference from providers where id = ${id}`;
  return { id, ...row };
}
const call = (providerId: number, kind: 'receipts' | 'inbound', payload: object) =>
  app.inject({
    method: 'POST',
    url: `/webhooks/providers/${providerId}/${kind}?key=replace-it-with-20-or-more-letters`,
    payload,
  });
/** Messages that the gateway has accepted under these ids. */
async function sentThrough(providerId: number, ids: readonly string[]) {
  const phones = ids.map((_, index) => `+551190000${providerId % 10}${String(index).padStart(3, '0')}`);
  const { runId, messageIds } = await createRun(api, { ...catalog, providerId }, { phones });
  await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
  const sidOf = (id: number): string => ids[messageIds.indexOf(id)] ?? '';
  await recordSent(sql, { runId, count: ids.length, sidOf, providerId, receiptsById: true });
  return { messageIds, phones };
}

test('receipts and replies of TotalVoice are matched by its own message id', async () => {
  const { id } = await addExample('totalvoice');
  const { messageIds, phones } = await sentThrough(id, ['4921', '4922']);
  await call(id, 'receipts', { id: '4922', status_envio: 'entregue', respostas: [] });
  const statuses = await sql`select status from messages where id = any(${messageIds}) order by id`;
  expect(statuses.map(({ status }): unknown => status)).toEqual(['sent', 'delivered']);

  await call(id, 'inbound', { id: 16347, sms_id: 4921, resposta: 'SAIR', data_resposta: '' });
  const [phone = ''] = phones;
  expect(await sql`select phone, text from inbound_messages where provider_id = ${id}`).toEqual([
    { phone, text: 'SAIR' },
  ]);
  // The opt-out takes effect immediately, as for every provider.
  expect(await sql`select phone from opt_outs where phone = ${phone}`).toHaveLength(1);

  // A reply to an unknown message is kept and listed as unread.
  await call(id, 'inbound', { id: 16348, sms_id: 1, resposta: 'SIM', data_resposta: '' });
  const unread = await as('viewer')('GET', `/api/providers/${id}/unread`);
  expect(unread.json()).toMatchObject({
    unread: [{ kind: 'message', problem: { code: 'message_unknown', params: { reference: '1' } } }],
  });
});

test('a reply through Comtele is matched whether `Sender` is the phone or our reference', async () => {
  const { id, reference } = await addExample('comtele');
  const { messageIds, phones } = await sentThrough(id, ['a', 'b']);
  const [messageId = 0] = messageIds;
  await call(id, 'inbound', { Sender: `${reference}-${messageId}`, ReceivedContent: 'Quero' });
  await call(id, 'inbound', { Sender: (phones[1] ?? '').slice(3), ReceivedContent: 'Também' });
  expect(await sql`select phone, text from inbound_messages where provider_id = ${id} order by id`).toEqual([
    { phone: phones[0], text: 'Quero' },
    { phone: phones[1], text: 'Também' },
  ]);
});

/** A gateway that no ready-made description covers, with its own receipts and replies. */
async function addGateway(changes: object): Promise<number> {
  const file: unknown = JSON.parse(await readFile('examples/gateways/comtele.json', 'utf8'));
  const { config, ...rest } = z.looseObject({ config: z.looseObject({}) }).parse(file);
  const added = await as('admin')('POST', '/api/providers', {
    ...rest,
    name: `Described ${JSON.stringify(changes).length}`,
    config: { ...config, from: '28123', ...changes },
  });
  expect(added.statusCode, added.body).toBe(201);
  return added.json<{ id: number }>().id;
}
const receipts = {
  format: 'json',
  list: null,
  messageId: 'reference',
  providerMessageId: null,
  status: 'status',
  statuses: { DELIVRD: 'delivered' },
  code: null,
  reasons: {},
};
const inbound = { format: 'json', list: null, from: 'sender', to: null, text: 'text', id: null };

test('a described gateway can send replies and receipts to either callback URL', async () => {
  const id = await addGateway({ receipts, inbound });
  const { messageIds, phones } = await sentThrough(id, ['a', 'b']);
  const [phone = ''] = phones;
  await call(id, 'receipts', { sender: phone.slice(1), text: 'SAIR' });
  await call(id, 'receipts', [
    { sender: phone.slice(1), text: 'quero sair' },
    { sender: phones[1], text: 'Oi' },
  ]);
  expect(
    await sql`select text, effect from inbound_messages where provider_id = ${id} order by id`,
  ).toMatchObject([{ text: 'SAIR' }, { text: 'quero sair' }, { text: 'Oi' }]);
  expect(await sql`select phone from opt_outs where phone = ${phone}`).toHaveLength(1);

  const [row] = await sql<[{ reference: string }]>`select reference from providers where id = ${id}`;
  await call(id, 'inbound', { reference: `${row.reference}-${messageIds[1]}`, status: 'delivrd' });
  expect(await sql`select status from messages where id = ${messageIds[1] ?? 0}`).toEqual([
    { status: 'delivered' },
  ]);

  // A receipt without a status that repeats our own text is not a reply.
  await call(id, 'receipts', { sender: '28123', text: 'Para sair, responda SAIR' });
  await call(id, 'receipts', { reference: `${row.reference}-${messageIds[1]}`, sender: phone, text: 'Oi' });
  expect(await sql`select from inbound_messages where provider_id = ${id}`).toHaveLength(3);
  const unread = await as('viewer')('GET', `/api/providers/${id}/unread`);
  expect(unread.json()).toMatchObject({
    unread: [{ problem: { code: 'field_missing' } }, { problem: { code: 'field_missing' } }],
  });
});

test('replies to the receipt URL are read even when the gateway describes no receipts', async () => {
  const id = await addGateway({ receipts: null, inbound });
  await call(id, 'receipts', { sender: '11 90000-0077', text: 'PARE' });
  expect(await sql`select phone from opt_outs where phone = '+5511900000077'`).toHaveLength(1);
});
