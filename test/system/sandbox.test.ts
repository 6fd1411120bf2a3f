import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseForm } from 'node:querystring';
import { createInterface } from 'node:readline';
import { onTestFinished, describe, expect, test } from 'vitest';
import twilio from 'twilio';
import { buildSandbox, type SandboxOptions } from '../../sandbox/index.ts';
import { eventually } from '../kit/until.ts';

/** Tests the sandbox with Twilio's own library, which sends, parses errors and validates signatures. */
const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const authToken = 'the-token';
const from = '+5511999990000';
const to = '+5511988887777';

async function start(options: Partial<SandboxOptions> = {}) {
  const sandbox = await buildSandbox({ accountSid, authToken, ...options });
  const url = await sandbox.listen(0);
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= sandbox.close());
  onTestFinished(close);
  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/sandbox/${path}`, {
      method,
      headers: { authorization: `Bearer ${authToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, json: () => JSON.parse(text) as Record<string, unknown> };
  };
  return { url, control, client: clientOf(url), close };
}

/** Twilio's client with its requests redirected to the sandbox. */
function clientOf(url: string, token = authToken) {
  const httpClient = new twilio.RequestClient();
  const original = httpClient.request.bind(httpClient);
  httpClient.request = (request) =>
    original({ ...request, uri: request.uri.replace('https://api.twilio.com', url) });
  return twilio(accountSid, token, { httpClient });
}

interface Callback {
  url: string;
  signature: string;
  form: Record<string, string>;
}

/** The webhooks of an application: records its calls and answers with the given statuses, then with 204. */
async function startApplication(statuses: number[] = []) {
  const callbacks: Callback[] = [];
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      const { port } = server.address() as AddressInfo;
      callbacks.push({
        url: `http://127.0.0.1:${port}${request.url ?? ''}`,
        signature: String(request.headers['x-twilio-signature']),
        form: { ...parseForm(body) } as Record<string, string>,
      });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/application`, callbacks };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function newLedger(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-ledger-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'ledger.ndjson');
}

const hasValidSignature = ({ signature, url, form }: Callback) =>
  twilio.validateRequest(authToken, signature, url, form);
const statusesOf = (callbacks: Callback[]) => callbacks.map(({ form }) => form.MessageStatus);

describe("Twilio's library", () => {
  test('sends, fetches and lists messages', async () => {
    const { client } = await start();
    const sent = await client.messages.create({ from, to, body: 'Olá, Ana' });
    expect(sent).toMatchObject({ accountSid, status: 'queued', to, from, body: 'Olá, Ana', errorCode: null });
    expect(sent.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(sent.numSegments).toBe('1');
    expect(Math.abs(sent.dateCreated.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await client.messages(sent.sid).fetch()).toMatchObject({ sid: sent.sid, body: 'Olá, Ana' });

    await client.messages.create({ from, to: '+5511977776666', body: 'Rui' });
    const listed = await client.messages.list({ to, dateSent: new Date() });
    expect(listed.map(({ sid }) => sid)).toEqual([sent.sid]);
  });

  test('lists messages page by page, newest first', async () => {
    const { client } = await start();
    for (const body of ['1', '2', '3', '4', '5']) await client.messages.create({ from, to, body });
    const listed = await client.messages.list({ pageSize: 2 });
    expect(listed.map(({ body }) => body)).toEqual(['5', '4', '3', '2', '1']);
  });

  test('lists the messages to a number since and until an instant, page by page', async () => {
    const { client } = await start();
    for (const body of ['1', '2', '3']) await client.messages.create({ from, to, body });
    await client.messages.create({ from, to: '+5511977776666', body: 'Rui' });
    const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds);
    const bodies = async (filter: object) =>
      (await client.messages.list({ to, pageSize: 2, ...filter })).map(({ body }) => body);
    expect(await bodies({ dateSentAfter: ago(60) })).toEqual(['3', '2', '1']);
    expect(await bodies({ dateSentAfter: ago(60), dateSentBefore: ago(-60) })).toEqual(['3', '2', '1']);
    expect(await bodies({ dateSentAfter: ago(-60) })).toEqual([]);
    expect(await bodies({ dateSentBefore: ago(60) })).toEqual([]);
    // Whole seconds, both ends included.
    const [last] = await client.messages.list({ to, limit: 1 });
    const at = last?.dateCreated ?? new Date(0);
    expect(await bodies({ dateSentAfter: at, dateSentBefore: at })).toContain('3');
  });

  test.each([
    [{ to: '11988887777', body: 'x' }, 400, 21211],
    [{ to: '+551134567890', body: 'x' }, 400, 21614],
    [{ to, body: '' }, 400, 21602],
    [{ to, body: 'x'.repeat(1601) }, 400, 21617],
    [{ to, body: 'x', statusCallback: 'nowhere' }, 400, 21609],
    [{ to: '+15005550002', body: 'x' }, 400, 21612],
    [{ to: '+15005550003', body: 'x' }, 400, 21408],
    [{ to: '+15005550004', body: 'x' }, 400, 21610],
    [{ to, body: 'x', from: '+15005550007' }, 400, 21606],
  ])('raises its RestException for %j', async (message, status, code) => {
    const { client, control } = await start();
    const failure: unknown = await client.messages
      .create({ from, ...message })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(twilio.RestException);
    expect(failure).toMatchObject({ status, code });
    expect((await control('GET', 'ledger')).json()).toMatchObject({ accepted: 0 });
  });

  test('is refused with a wrong token, and gets 404 for unknown resources', async () => {
    const { url, client } = await start();
    await expect(clientOf(url, 'wrong').messages.create({ from, to, body: 'x' })).rejects.toMatchObject({
      status: 401,
      code: 20003,
    });
    await expect(client.messages(`SM${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({
      status: 404,
      code: 20404,
    });
    await expect(client.calls.list()).rejects.toMatchObject({ status: 404, code: 20404 });
  });
});

describe('receipts', () => {
  test('are signed, report sent and then delivered, and contain our reference', async () => {
    const application = await startApplication();
    const { client, control } = await start({ faults: { receiptDelayMs: 20 } });
    const statusCallback = `${application.url}/receipts?key=a%20b&message=123`;
    const { sid } = await client.messages.create({ from, to, body: 'Oi', statusCallback });
    await eventually(() => expect(statusesOf(application.callbacks)).toEqual(['sent', 'delivered']));
    expect(application.callbacks.every(hasValidSignature)).toBe(true);
    expect(application.callbacks[0]).toMatchObject({
      url: statusCallback,
      form: { MessageSid: sid, AccountSid: accountSid, To: to, From: from, SmsStatus: 'sent' },
    });
    expect((await client.messages(sid).fetch()).status).toBe('delivered');
    await eventually(async () =>
      expect((await control('GET', 'ledger')).json().receipts).toEqual({
        pending: 0,
        done: 2,
        failed: 0,
        repeated: 0,
      }),
    );
  });

  test('report undelivered with a code, for a share of messages or for chosen numbers', async () => {
    const application = await startApplication();
    const refuse = [{ endsWith: '0003', code: 30003 }];
    const { client, control } = await start({ faults: { receiptDelayMs: 0, refuse } });
    await client.messages.create({ from, to: '+5511988880003', body: 'Oi', statusCallback: application.url });
    await eventually(() => expect(statusesOf(application.callbacks)).toEqual(['sent', 'undelivered']));
    expect(application.callbacks[1]?.form.ErrorCode).toBe('30003');

    await control('PUT', 'faults', { receiptDelayMs: 0, undeliveredRate: 1 });
    await client.messages.create({ from, to, body: 'Oi', statusCallback: application.url });
    await eventually(() => expect(application.callbacks).toHaveLength(4));
    expect(application.callbacks[3]?.form).toMatchObject({
      MessageStatus: 'undelivered',
      ErrorCode: expect.stringMatching(/^3000\d$/) as string,
    });
    expect(application.callbacks.every(hasValidSignature)).toBe(true);
  });

  test('are repeated and reordered on request', async () => {
    const application = await startApplication();
    const faults = { receiptDelayMs: 5, duplicateReceipts: 1, reorderReceipts: 1 };
    const { client } = await start({ faults, callbackConnections: 1 });
    await client.messages.create({ from, to, body: 'Oi', statusCallback: application.url });
    await eventually(() =>
      expect(statusesOf(application.callbacks)).toEqual(['delivered', 'delivered', 'sent', 'sent']),
    );
  });

  test('are retried when the application fails', async () => {
    const application = await startApplication([500]);
    const { client } = await start({ faults: { receiptDelayMs: 0 }, callbackConnections: 1 });
    await client.messages.create({ from, to, body: 'Oi', statusCallback: application.url });
    await eventually(() =>
      expect(statusesOf(application.callbacks).toSorted()).toEqual(['delivered', 'sent', 'sent']),
    );
  });

  test('wait while receipts are off, and are sent afterwards', async () => {
    const application = await startApplication();
    const { client, control } = await start({ faults: { receiptDelayMs: 0, receipts: false } });
    await client.messages.create({ from, to, body: 'Oi', statusCallback: application.url });
    expect((await control('GET', 'ledger')).json().receipts).toMatchObject({ pending: 2 });
    expect(application.callbacks).toEqual([]);
    await control('PUT', 'faults', { receiptDelayMs: 0 });
    await eventually(() => expect(application.callbacks).toHaveLength(2));
  });
});

describe('a restart on the same ledger', () => {
  const sendAll = (client: ReturnType<typeof clientOf>, url: string, references: number[]) =>
    Promise.all(
      references.map((reference) =>
        client.messages.create({
          ...{ from, to, body: `\u2028 ${reference}` },
          statusCallback: `${url}?message=${reference}`,
        }),
      ),
    );
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
  const finals = (callbacks: Callback[]) =>
    callbacks
      .filter(({ form }) => form.MessageStatus !== 'sent')
      .map(({ form }) => form.MessageSid ?? '')
      .toSorted();
  const pending = async (control: Awaited<ReturnType<typeof start>>['control']) =>
    (await control('GET', 'ledger')).json().receipts;

  test('sends only the receipts that are still pending', async () => {
    const ledgerFile = await newLedger();
    const application = await startApplication();
    const first = await start({ ledgerFile, faults: { receiptDelayMs: 0 } });
    const done = await sendAll(first.client, application.url, upTo(3));
    await eventually(async () => expect(await pending(first.control)).toMatchObject({ pending: 0, done: 6 }));
    await first.control('PUT', 'faults', { receipts: false });
    const owed = await sendAll(first.client, application.url, upTo(40));
    await first.client.messages.create({ from, to, body: 'no callback' });
    await first.close();
    application.callbacks.length = 0;

    const second = await start({ ledgerFile, faults: { receipts: false } });
    expect(await pending(second.control)).toEqual({ pending: 80, done: 0, failed: 0, repeated: 0 });
    const [one, { sid } = { sid: '' }] = owed;
    expect(await second.client.messages(sid).fetch()).toMatchObject({
      sid,
      body: '\u2028 1',
      numSegments: '1',
    });
    await expect(second.client.messages(done[0]?.sid ?? '').fetch()).rejects.toMatchObject({ status: 404 });
    const fresh = await sendAll(second.client, application.url, [99]);
    expect(application.callbacks).toEqual([]);
    await second.control('PUT', 'faults', { receiptDelayMs: 20 });
    await eventually(async () =>
      expect(await pending(second.control)).toMatchObject({ pending: 0, done: 82 }),
    );
    expect(finals(application.callbacks)).toEqual([...owed, ...fresh].map(({ sid }) => sid).toSorted());
    expect(application.callbacks.every(hasValidSignature)).toBe(true);
    expect(application.callbacks.find(({ form }) => form.MessageSid === one?.sid)).toMatchObject({
      url: `${application.url}?message=0`,
    });
    await second.close();

    expect(await pending((await start({ ledgerFile })).control)).toMatchObject({ pending: 0 });
  });

  test('keeps the receipt delay, counted from the acceptance of the message', async () => {
    const ledgerFile = await newLedger();
    const application = await startApplication();
    const first = await start({ ledgerFile, faults: { receiptDelayMs: 3_600_000 } });
    await sendAll(first.client, application.url, [1]);
    await first.close();
    const second = await start({ ledgerFile, faults: { receiptDelayMs: 3_600_000 } });
    expect(await pending(second.control)).toMatchObject({ pending: 2 });
    expect(application.callbacks).toEqual([]);
    await second.control('PUT', 'faults', { receiptDelayMs: 1 });
    await eventually(() =>
      expect(statusesOf(application.callbacks).toSorted()).toEqual(['delivered', 'sent']),
    );
  });

  test('retries receipts that the application refused, with the same final outcome', async () => {
    const ledgerFile = await newLedger();
    const refusing = Array.from({ length: 40 }, () => 500);
    const application = await startApplication(refusing);
    const faults = { receiptDelayMs: 0, undeliveredRate: 0.5 };
    const first = await start({ ledgerFile, faults });
    await sendAll(first.client, application.url, upTo(20));
    const outcomes = () =>
      new Set(
        application.callbacks
          .filter(({ form }) => form.MessageStatus !== 'sent')
          .map(({ form }) => [form.MessageSid, form.MessageStatus, form.ErrorCode].join(' ')),
      );
    await eventually(() => expect(outcomes().size).toBe(20));
    await first.close();
    const before = outcomes();
    refusing.length = 0;

    const second = await start({ ledgerFile, faults });
    await eventually(async () => expect(await pending(second.control)).toMatchObject({ pending: 0 }));
    expect(outcomes()).toEqual(before);
  });

  test('loses no answered message after SIGKILL, and drops an incomplete line', async () => {
    const ledgerFile = await newLedger();
    const application = await startApplication();
    const child = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', 'sandbox/main.ts', '--port', '0', '--ledger', ledgerFile],
        ...['--account-sid', accountSid, '--auth-token', authToken],
        ...['--faults', JSON.stringify({ receiptDelayMs: 30 })],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const [ready] = (await once(createInterface(child.stdout), 'line')) as [string];
    const client = clientOf(/http:\S+/.exec(ready)?.[0] ?? '');
    const answered: string[] = [];
    const sending = upTo(20).map(async (lane) => {
      for (let reference = lane; ; reference += 20) {
        const [{ sid } = { sid: '' }] = await sendAll(client, application.url, [reference]);
        answered.push(sid);
      }
    });
    await eventually(() => expect(finals(application.callbacks).length).toBeGreaterThan(20));
    child.kill('SIGKILL');
    await Promise.allSettled(sending);
    await appendFile(ledgerFile, '{"at":"2026-11-25T12:00:00.000Z","sid":"SM');
    await appendFile(`${ledgerFile}.finished`, 'SM0123');

    const second = await start({ ledgerFile, faults: { receiptDelayMs: 0 } });
    await eventually(async () => expect(await pending(second.control)).toMatchObject({ pending: 0 }));
    expect(answered.filter((sid) => !finals(application.callbacks).includes(sid))).toEqual([]);
    await sendAll(second.client, application.url, [1_000_000]);
    const lines = (await readFile(ledgerFile, 'utf8')).split('\n').filter(Boolean);
    expect(lines.map((line) => JSON.parse(line) as unknown).at(-1)).toMatchObject({ reference: '1000000' });
  });
});

describe('virtual phones', () => {
  test('reply to the last sender with a signed webhook', async () => {
    const application = await startApplication();
    const { client, control } = await start({ inboundUrl: `${application.url}/inbound` });
    await client.messages.create({ from, to, body: 'Oi, Ana. Responda SAIR para sair.' });
    const reply = await control('POST', 'replies', { from: to, body: 'SAIR é + ou =?' });
    expect(reply.status).toBe(201);
    expect(reply.json()).toMatchObject({ from: to, to: from, status: 204 });
    expect(application.callbacks).toHaveLength(1);
    expect(application.callbacks.every(hasValidSignature)).toBe(true);
    expect(application.callbacks[0]?.form).toMatchObject({
      From: to,
      To: from,
      Body: 'SAIR é + ou =?',
      NumMedia: '0',
      SmsStatus: 'received',
    });
    expect((await control('GET', `phones/${encodeURIComponent(to)}`)).json()).toMatchObject({
      phone: to,
      messages: [
        { direction: 'written', body: 'SAIR é + ou =?' },
        { direction: 'received', body: 'Oi, Ana. Responda SAIR para sair.', status: 'queued' },
      ],
    });
    expect((await control('GET', 'phones')).json()).toMatchObject({ phones: [{ phone: to }] });
  });

  test('report why they cannot reply', async () => {
    const { control } = await start();
    expect(await control('POST', 'replies', { from: to, body: 'SAIR' })).toMatchObject({ status: 409 });
    expect(await control('POST', 'replies', { from: to, to: from, body: 'SAIR' })).toMatchObject({
      status: 409,
    });
    expect(await control('POST', 'replies', { from: 'Ana' })).toMatchObject({ status: 422 });
    await control('PUT', 'inbound', { url: 'http://127.0.0.1:1/inbound' });
    expect(await control('POST', 'replies', { from: to, to: from, body: 'SAIR' })).toMatchObject({
      status: 502,
    });
  });
});

describe('the ledger', () => {
  test('counts references and numbers that were accepted twice, in total or since a moment', async () => {
    const { client, control } = await start();
    const send = (number: string, reference: string) =>
      client.messages.create({
        from,
        to: number,
        body: 'Oi',
        statusCallback: `http://127.0.0.1:1/?message=${reference}`,
      });
    await send(to, '1');
    await send(to, '2');
    await send('+5511977776666', '2');
    await client.messages.create({ from, to: '+5511977775555', body: 'no callback' });
    const { sid } = await send('+5511966665555', 'odd');
    await send('+5511966664444', 'odd');
    await send('+5511966663333', '007');
    expect((await control('GET', 'ledger')).json()).toMatchObject({
      accepted: 7,
      withoutReference: 1,
      distinctReferences: 4,
      duplicateReferences: 2,
      distinctNumbers: 6,
      duplicateNumbers: 1,
      examples: { references: ['2', 'odd'], numbers: [to] },
    });
    const since = (moment: string) => control('GET', `ledger?since=${encodeURIComponent(moment)}`);
    expect((await since(sid)).json()).toMatchObject({
      accepted: 2,
      duplicateReferences: 0,
      duplicateNumbers: 0,
    });
    expect((await since(new Date(Date.now() + 60_000).toISOString())).json()).toMatchObject({ accepted: 0 });
    expect(await since('yesterday')).toMatchObject({ status: 422 });
  });

  test('contains every accepted message unchanged, over the API and in the file', async () => {
    const file = await newLedger();
    const { client, control } = await start({ ledgerFile: file });
    const bodies = ['Olá 🚀', 'x'.repeat(1600), 'ç'.repeat(1600)];
    const sids: string[] = [];
    for (const [index, body] of bodies.entries()) {
      const statusCallback = `http://127.0.0.1:1/?message=${index}&x=1`;
      sids.push((await client.messages.create({ from, to, body, statusCallback })).sid);
    }
    const expected = bodies.map((body, index) => ({
      sid: sids[index],
      to,
      from,
      body,
      reference: String(index),
    }));
    const lines = (text: string): unknown[] =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown);
    expect(lines((await control('GET', 'ledger?format=ndjson')).text)).toMatchObject(expected);
    expect(lines((await control('GET', `ledger?format=ndjson&since=${sids[0]}&limit=1`)).text)).toMatchObject(
      expected.slice(1, 2),
    );
    await eventually(async () => expect(lines(await readFile(file, 'utf8'))).toMatchObject(expected));
  });

  test('requires the token', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/sandbox/ledger`, { headers: { authorization: 'Bearer wrong' } });
    expect(response.status).toBe(401);
  });
});

describe('faults', () => {
  const post = (url: string, signal?: AbortSignal) =>
    fetch(`${url}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` },
      body: new URLSearchParams({ To: to, From: from, Body: 'Oi' }),
      ...(signal ? { signal } : {}),
    });

  test.each([
    ['http429', 429, 0],
    ['http503', 503, 0],
    ['http500', 500, 0],
    ['http500_after_accept', 500, 1],
  ])('%s answers %i with %i accepted', async (fault, status, accepted) => {
    const { url, control } = await start({ faults: { errorRate: { [fault]: 1 }, retryAfterSeconds: 3 } });
    const response = await post(url);
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(status === 500 ? null : '3');
    expect((await control('GET', 'ledger')).json()).toMatchObject({ accepted, answers: { [fault]: 1 } });
  });

  test.each([
    ['drop_before_accept', 0],
    ['drop_after_accept', 1],
  ])('%s closes the connection with %i accepted', async (fault, accepted) => {
    const { url, control } = await start({ faults: { errorRate: { [fault]: 1 } } });
    await expect(post(url)).rejects.toThrow();
    expect((await control('GET', 'ledger')).json()).toMatchObject({ accepted });
  });

  test('hang_after_accept accepts the message and never answers', async () => {
    const { url, control } = await start({ faults: { errorRate: { hang_after_accept: 1 } } });
    const aborting = new AbortController();
    const hanging = post(url, aborting.signal);
    await eventually(async () =>
      expect((await control('GET', 'ledger')).json()).toMatchObject({ accepted: 1 }),
    );
    aborting.abort();
    await expect(hanging).rejects.toThrow();
  });

  test('affect the same messages under the same seed, at about their rate', async () => {
    const outcomes = async () => {
      const { url } = await start({ seed: 42, faults: { errorRate: { http500: 0.3, http429: 0.2 } } });
      const statuses: number[] = [];
      for (let sent = 0; sent < 200; sent++) statuses.push((await post(url)).status);
      return statuses;
    };
    const first = await outcomes();
    expect(await outcomes()).toEqual(first);
    expect(first.filter((status) => status === 500).length).toBeGreaterThan(35);
    expect(first.filter((status) => status === 500).length).toBeLessThan(85);
  });

  test('refuse chosen numbers with a chosen code', async () => {
    const { client } = await start({ faults: { refuse: [{ endsWith: '7777', code: 21610 }] } });
    await expect(client.messages.create({ from, to, body: 'Oi' })).rejects.toMatchObject({ code: 21610 });
  });

  test.each([
    { errorRate: { http500: 0.6, http429: 0.6 } },
    { errorRate: { nonsense: 1 } },
    { latencyMs: -1 },
  ])('with invalid values are refused: %j', async (faults) => {
    const { control } = await start();
    expect(await control('PUT', 'faults', faults)).toMatchObject({ status: 422 });
  });
});
