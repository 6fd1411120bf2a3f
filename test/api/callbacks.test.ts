import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { recordSent } from '../kit/sending.ts';
import { inboundForm, postSigned } from '../kit/webhooks.ts';
import { eventually } from '../kit/until.ts';

const api = await createApi();
const { app, as, sql } = api;
const catalog = await createCatalog(api);
const admin = as('admin');
const callbackSecret = 'a-secret-of-twenty-letters';

let gateways = 0;
const documentOf = (config: object) => ({
  name: `Gateway ${gateways}`,
  config: {
    kind: 'http',
    request: { method: 'POST', url: 'http://gateway.example/send?to={to}&text={text}&dlr={receiptUrl}' },
    ...config,
  },
});
/** Adds an HTTP gateway; `config` describes everything except its request. */
async function addGateway(config: object): Promise<number> {
  gateways++;
  const secrets = { kind: 'http', callbackSecret };
  const answer = await admin('POST', '/api/providers', { ...documentOf(config), secrets });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json<{ id: number }>().id;
}

const changeDescription = async (providerId: number, config: object): Promise<void> => {
  const body = { ...documentOf(config), name: `Anew ${providerId}`, ratePerSecond: null };
  const answer = await admin('PUT', `/api/providers/${providerId}`, body);
  if (answer.statusCode !== 200) throw new Error(answer.body);
};

const call = (
  providerId: number,
  kind: 'receipts' | 'inbound',
  { query = {}, ...options }: { query?: Record<string, string> } & Pick<InjectOptions, 'payload' | 'headers'>,
) =>
  app.inject({
    method: options.payload === undefined ? 'GET' : 'POST',
    url: `/webhooks/providers/${providerId}/${kind}?${new URLSearchParams({ key: callbackSecret, ...query }).toString()}`,
    ...options,
  });

const receipts = { format: 'query', status: 'status', statuses: { DELIVRD: 'delivered' } };
const inbound = { format: 'json', id: 'id', from: 'from', to: 'to', text: 'text' };

interface UnreadCall {
  id: number;
  kind: string;
  receivedAt: string;
  messageId: number | null;
  problem: { code: string; params: object; message: string };
  payload: object;
}
const unreadOf = async (providerId: number, headers = {}): Promise<UnreadCall[]> => {
  const answer = await as('viewer')('GET', `/api/providers/${providerId}/unread`, undefined, headers);
  expect(answer.statusCode).toBe(200);
  return answer.json<{ unread: UnreadCall[] }>().unread;
};
const readAgain = async (providerId: number, body: object = {}) => {
  const answer = await as('operator')('POST', `/api/providers/${providerId}/unread/read-again`, body);
  expect(answer.statusCode).toBe(200);
  return answer.json<{ read: number; unread: number; more: boolean }>();
};
const setAside = async (providerId: number, body: object) =>
  (await as('operator')('POST', `/api/providers/${providerId}/unread/set-aside`, body)).json<object>();

const idOf = (messageId: number): string => `gw-${messageId}`;
/** A message that the gateway has accepted. */
async function sentThrough(
  providerId: number,
  { phone = '+5511900000001', receiptsById = false, segments = 1 } = {},
): Promise<number> {
  const { runId, messageIds } = await createRun(api, { ...catalog, providerId }, { phones: [phone] });
  await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
  await sql`update messages set segments = ${segments} where run_id = ${runId}`;
  await sql`update run_counts set segments = ${segments} where run_id = ${runId}`;
  await recordSent(sql, { runId, count: 1, sidOf: idOf, providerId, receiptsById });
  return messageIds[0] ?? 0;
}
const runOf = async (id: number): Promise<number> => {
  const [row] = await sql<{ runId: number }[]>`select run_id from messages where id = ${id}`;
  return row?.runId ?? 0;
};
const messageOf = async (id: number) => {
  const [row] = await sql<
    { status: string; reason: string | null; endedAt: Date | null; providerMessageId: string }[]
  >`
    select status, reason, ended_at, provider_message_id from messages where id = ${id}`;
  return row;
};

describe('a callback is answered', () => {
  test('with 204 by default', async () => {
    const id = await addGateway({ receipts });
    const answer = await call(id, 'receipts', { query: { message: '1', status: 'DELIVRD' } });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
  });

  test.each([
    [{ status: 200, body: 'ACK/Jasmin' }, 'text/plain; charset=utf-8'],
    [{ status: 202, body: '{"ok":true}' }, 'application/json; charset=utf-8'],
    [{ status: 200, body: '' }, 'text/plain; charset=utf-8'],
  ])('as described: %o', async (callbackAnswer, type) => {
    const id = await addGateway({ receipts, inbound, callbackAnswer });
    const message = { id: '1', from: '5511900000001', to: '28282', text: 'Oi' };
    const answers = [
      await call(id, 'receipts', { query: { message: '1', status: 'DELIVRD' } }),
      await call(id, 'inbound', { payload: [message, { ...message, id: '2' }] }),
      await call(id, 'inbound', { payload: 'what is this?' }),
    ];
    for (const answer of answers) {
      expect([answer.statusCode, answer.body]).toEqual([callbackAnswer.status, callbackAnswer.body]);
      expect(answer.headers['content-type']).toBe(type);
    }
  });

  test('with 403 instead of the described response when its secret is wrong', async () => {
    const id = await addGateway({ receipts, callbackAnswer: { status: 200, body: 'ACK' } });
    const answer = await call(id, 'receipts', { query: { key: 'another-secret-of-20-letters' } });
    expect([answer.statusCode, answer.body]).toEqual([403, '']);
  });
});

describe('an unreadable call', () => {
  test('is listed with its problem, and is applied with its original time after the description is corrected', async () => {
    const providerId = await addGateway({ receipts });
    const id = await sentThrough(providerId);
    const query = { message: String(id), status: 'ENTREGUE' };
    expect((await call(providerId, 'receipts', { query })).statusCode).toBe(204);
    await call(providerId, 'receipts', { query });
    expect(await messageOf(id)).toMatchObject({ status: 'sent' });

    const [unread, ...others] = await unreadOf(providerId);
    expect(others).toEqual([]);
    expect(unread).toMatchObject({
      kind: 'receipt',
      messageId: id,
      problem: { code: 'status_unknown', params: { status: 'ENTREGUE' } },
      payload: { query },
    });
    expect(JSON.stringify(unread)).not.toContain(callbackSecret);
    const [portuguese] = await unreadOf(providerId, { 'accept-language': 'pt-BR' });
    expect(portuguese?.problem.message).toBe('O status “ENTREGUE” é desconhecido.');

    // The description is still wrong.
    expect(await readAgain(providerId)).toEqual({ read: 0, unread: 1, more: false });
    expect(await unreadOf(providerId)).toMatchObject([{ id: unread?.id }]);

    await sql`update inbound_events set received_at = '2026-01-02T03:04:05Z' where id = ${unread?.id ?? 0}`;
    await changeDescription(providerId, { receipts: { ...receipts, statuses: { entregue: 'delivered' } } });
    expect(await readAgain(providerId)).toEqual({ read: 1, unread: 0, more: false });
    expect(await messageOf(id)).toMatchObject({
      status: 'delivered',
      endedAt: new Date('2026-01-02T03:04:05Z'),
    });
    expect(await unreadOf(providerId)).toEqual([]);
    expect(await sql`select kind, payload, received_at from inbound_events where message_id = ${id}`).toEqual(
      [{ kind: 'receipt', payload: query, receivedAt: new Date('2026-01-02T03:04:05Z') }],
    );
    expect(
      await sql`
      select action, details from audit_log where action = 'provider.read_again' order by id desc limit 1`,
    ).toMatchObject([{ details: { read: 1, unread: 0 } }]);
    await expectCountsToMatchRows(sql, await runOf(id));
  });

  test('with an opt-out takes effect once it can be read, but an opt-in older than an opt-out does not', async () => {
    const providerId = await addGateway({ inbound: { ...inbound, text: 'texto' } });
    const message = { to: '28282', from: '5511955550001' };
    await call(providerId, 'inbound', { payload: { ...message, id: '1', text: 'SAIR' } });
    await call(providerId, 'inbound', {
      payload: { ...message, id: '2', from: '5511955550002', text: 'VOLTAR' },
    });
    await call(providerId, 'inbound', {
      payload: { ...message, id: '3', from: '5511955550003', text: 'SAIR' },
    });
    await call(providerId, 'inbound', {
      payload: { ...message, id: '4', from: '5511955550003', text: 'VOLTAR' },
    });
    await optOutPhone(sql, { phone: '+5511955550002', source: 'admin' });
    expect((await unreadOf(providerId)).map(({ problem }) => problem)).toMatchObject(
      Array.from({ length: 4 }, () => ({ code: 'field_missing', params: { field: 'texto' } })),
    );
    await changeDescription(providerId, { inbound });
    expect(await readAgain(providerId)).toMatchObject({ read: 4, unread: 0 });
    const optedOut =
      await sql`select phone, state from opt_outs where phone like '+551195555000%' order by phone`;
    expect(optedOut).toEqual([
      { phone: '+5511955550001', state: 'opted_out' },
      { phone: '+5511955550002', state: 'opted_out' },
    ]);
    // A repetition is recognized as the same reply.
    await call(providerId, 'inbound', { payload: { ...message, id: '1', text: 'SAIR' } });
    expect((await sql`select from inbound_messages where provider_id = ${providerId}`).count).toBe(4);
  });

  test('is applied as far as it can be read', async () => {
    const list = { ...receipts, format: 'json', list: 'events' };
    const providerId = await addGateway({ receipts: list });
    const id = await sentThrough(providerId);
    const events = [
      { message: id, status: 'DELIVRD' },
      { message: id, state: 'DELIVRD' },
      { message: 'other-1', status: 'DELIVRD' },
      { message: 2 ** 40, status: 'DELIVRD' },
      'what?',
    ];
    await call(providerId, 'receipts', { payload: { events } });
    expect(await messageOf(id)).toMatchObject({ status: 'delivered' });
    const unread = await unreadOf(providerId);
    expect(unread.map(({ problem }) => problem.code).toSorted()).toEqual([
      'field_missing',
      'field_missing',
      'message_unknown',
      'reference_unknown',
    ]);
    // Each event is stored separately, so that it can be read again separately.
    expect(unread.map(({ payload }) => payload)).toEqual(
      expect.arrayContaining(events.slice(1).map((json) => ({ json }))),
    );
    await changeDescription(providerId, { receipts: { ...list, status: 'state' } });
    expect(await readAgain(providerId, { ids: [unread[0]?.id] })).toMatchObject({ read: 0, unread: 1 });
    expect(await readAgain(providerId)).toMatchObject({ read: 1, unread: 3 });
  });

  test('is stored unchanged whatever its body', async () => {
    const providerId = await addGateway({});
    await call(providerId, 'inbound', {
      payload: '<sms from="5511988887777">SAIR</sms>',
      headers: { 'content-type': 'text/xml' },
    });
    await call(providerId, 'receipts', { query: { a: '\0' }, payload: 'x=1&x=2' });
    // Empty calls are probes, and are not stored.
    await call(providerId, 'receipts', {});
    await call(providerId, 'receipts', { payload: ' ' });
    expect(await unreadOf(providerId)).toMatchObject([
      { problem: { code: 'not_described' }, payload: { text: '<sms from="5511988887777">SAIR</sms>' } },
      { problem: { code: 'not_described' }, payload: { query: { a: '\ufffd' }, form: { x: ['1', '2'] } } },
    ]);
  });

  test('does not result from a reply to the receipt URL, which is read as a reply', async () => {
    const phone = '+5511944440001';
    const form = inboundForm({ From: phone, Body: 'SAIR' });
    await postSigned(app, `/webhooks/providers/${catalog.providerId}/receipts`, form);
    expect((await sql`select from opt_outs where phone = ${phone}`).count).toBe(1);
    expect(await unreadOf(catalog.providerId)).toEqual([]);
  });

  test('is counted in the overview and the metrics until it is dismissed', async () => {
    const providerId = await addGateway({ receipts });
    for (const n of [1, 2, 3]) await call(providerId, 'receipts', { query: { status: String(n) } });
    const overviewCount = async () => {
      const overview = (await as('viewer')('GET', '/api/overview')).json<{
        unreadCalls: { providerId: number; count: number }[];
      }>();
      return overview.unreadCalls.find((one) => one.providerId === providerId)?.count ?? 0;
    };
    const metric = async (): Promise<number> =>
      Number(/^torpedo_unread_calls (\d+)/m.exec((await as('viewer')('GET', '/api/metrics')).body)?.[1]);
    const before = await metric();
    expect(await overviewCount()).toBe(3);
    const [first, second] = await unreadOf(providerId);
    expect(await setAside(providerId, { ids: [first?.id] })).toEqual({ setAside: 1 });
    expect(await overviewCount()).toBe(2);
    expect(await setAside(providerId, { upTo: second?.id })).toEqual({ setAside: 1 });
    // Calls of another provider are not affected.
    expect(await setAside(catalog.providerId, { upTo: 1e9 })).toEqual({ setAside: 0 });
    const [third] = await unreadOf(providerId);
    expect(third?.payload).toEqual({ query: { status: '3' } });
    await setAside(providerId, { upTo: third?.id });
    expect([await overviewCount(), await metric()]).toEqual([0, before - 3]);
    // A repetition on the same day is not counted again.
    await call(providerId, 'receipts', { query: { status: '3' } });
    expect(await overviewCount()).toBe(0);
  });

  test('is deleted when the customer whom it mentions is erased', async () => {
    const providerId = await addGateway({ inbound: { ...inbound, text: 'texto' } });
    const message = { to: '28282', id: '1', text: 'Sou eu', from: '5511966660001' };
    await call(providerId, 'inbound', { payload: message });
    const erased = await admin('POST', '/api/privacy/erase', { phone: '+5511966660001' });
    expect([erased.statusCode, erased.body]).toMatchObject([200, expect.anything()]);
    expect(await unreadOf(providerId)).toEqual([]);
    expect((await sql`select from inbound_events where payload::text like '%66660001%'`).count).toBe(0);
  });
});

describe('a receipt with our reference', () => {
  test.each([
    ['has another id of the gateway', { id: 'another' }],
    ['has no id', {}],
  ])('is matched even if it %s', async (_, more) => {
    const providerId = await addGateway({ receipts: { ...receipts, providerMessageId: 'id' } });
    const id = await sentThrough(providerId);
    await call(providerId, 'receipts', { query: { message: String(id), status: 'DELIVRD', ...more } });
    expect(await messageOf(id)).toMatchObject({ status: 'delivered', providerMessageId: idOf(id) });
  });

  test('is not confused with a number that is an id of the gateway', async () => {
    const providerId = await addGateway({
      request: { method: 'POST', url: 'http://gateway.example/send?to={to}&text={text}&ref={reference}' },
      receipts: { ...receipts, messageId: 'id' },
    });
    const id = await sentThrough(providerId);
    await call(providerId, 'receipts', { query: { id: String(id), status: 'DELIVRD' } });
    expect(await messageOf(id)).toMatchObject({ status: 'sent' });
    expect(await unreadOf(providerId)).toMatchObject([{ problem: { code: 'reference_unknown' } }]);
  });
});

describe('a receipt with only the id of the gateway', () => {
  const byId = {
    answer: { messageId: { in: 'json', path: 'id' } },
    receipts: { ...receipts, providerMessageId: 'id' },
  };

  test('is matched to its message', async () => {
    const providerId = await addGateway(byId);
    const id = await sentThrough(providerId, { receiptsById: true });
    await call(providerId, 'receipts', { query: { id: idOf(id), status: 'DELIVRD' } });
    expect(await messageOf(id)).toMatchObject({ status: 'delivered' });
    expect(await sql`select kind from inbound_events where message_id = ${id}`).toEqual([
      { kind: 'receipt' },
    ]);
    // The same id at another gateway is another message.
    const other = await addGateway(byId);
    await call(other, 'receipts', { query: { id: idOf(id), status: 'DELIVRD' } });
    expect(await unreadOf(other)).toMatchObject([
      { problem: { code: 'message_unknown', params: { reference: idOf(id) } }, payload: { query: {} } },
    ]);
  });

  test('can arrive before the outcome of its send is recorded', async () => {
    const providerId = await addGateway(byId);
    const { runId, messageIds } = await createRun(api, { ...catalog, providerId });
    await sql`update runs set provider_id = ${providerId} where id = ${runId}`;
    const [id = 0] = messageIds;
    await call(providerId, 'receipts', { query: { id: idOf(id), status: 'DELIVRD' } });
    expect(await unreadOf(providerId)).toHaveLength(1);
    // This needs no attention.
    const { unreadCalls } = (await as('viewer')('GET', '/api/overview')).json<{
      unreadCalls: { providerId: number }[];
    }>();
    expect(unreadCalls.filter((one) => one.providerId === providerId)).toEqual([]);
    await recordSent(sql, { runId, count: 1, sidOf: idOf, providerId, receiptsById: true });
    await eventually(async () => expect(await messageOf(id)).toMatchObject({ status: 'delivered' }));
    expect(await unreadOf(providerId)).toEqual([]);
  });
});

describe('a reply with the id of another reply', () => {
  test('is a separate reply if its sender or its text differs', async () => {
    const providerId = await addGateway({ inbound });
    const reply = { id: '0', to: '28282', from: '5511933330001', text: 'Oi' };
    const all = [reply, { ...reply, text: 'SAIR' }, { ...reply, from: '5511933330002' }, reply];
    for (const payload of all) await call(providerId, 'inbound', { payload });
    expect(
      await sql`select phone, text from inbound_messages where provider_id = ${providerId} order by id`,
    ).toEqual([
      { phone: '+5511933330001', text: 'Oi' },
      { phone: '+5511933330001', text: 'SAIR' },
      { phone: '+5511933330002', text: 'Oi' },
    ]);
    expect((await sql`select from opt_outs where phone = '+5511933330001'`).count).toBe(1);
  });
});

describe('receipts for the parts of a message', () => {
  const statuses = { D: 'delivered', U: 'undelivered', F: 'failed', S: 'sent' };
  const inParts = { ...receipts, statuses, list: 'parts', format: 'json' };

  test.each([
    ['D', 'D', 'U'],
    ['U', 'D', 'D'],
    ['D', 'F', 'D'],
    ['S', 'D', 'U'],
  ])('make it undelivered if any part failed, in any order: %s %s %s', async (...words) => {
    const providerId = await addGateway({ receipts: inParts });
    const [together, apart] = [
      await sentThrough(providerId, { segments: 3 }),
      await sentThrough(providerId, { segments: 3 }),
    ];
    const part = (message: number) => (status: string, index: number) => ({ message, status, index });
    await call(providerId, 'receipts', { payload: { parts: words.map(part(together)) } });
    for (const one of words.map(part(apart))) await call(providerId, 'receipts', { payload: one });
    for (const id of [together, apart])
      expect(await messageOf(id)).toMatchObject({ reason: 'not_delivered', status: 'undelivered' });
    for (const id of [together, apart]) await expectCountsToMatchRows(sql, await runOf(id));
  });

  test('do not change a delivered message of a single part', async () => {
    const providerId = await addGateway({ receipts: inParts });
    const id = await sentThrough(providerId);
    for (const status of ['D', 'U']) await call(providerId, 'receipts', { payload: { message: id, status } });
    await call(providerId, 'receipts', { payload: { parts: [{ message: id, status: 'F' }] } });
    expect(await messageOf(id)).toMatchObject({ reason: null, status: 'delivered' });
  });
});
