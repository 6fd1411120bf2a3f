import type { Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { userAgent } from '../../domain/user-agent.ts';
import { type LookUpRequest, type SendOutcome, type SendRequest, withheld } from '../../sms/provider.ts';
import { twilioUrl } from '../../sms/twilio/twilio.ts';
import { createGateway } from '../adapters/http.ts';
import { createInfobip } from '../../sms/infobip/infobip.ts';
import { infobip, infobipOptions } from '../adapters/infobip.ts';
import { accountSid, adapters, twilio } from '../adapters/index.ts';
import { httpAnswer, type RawRequest, startRawServer } from '../kit/raw-server.ts';

const message: SendRequest = { messageId: 7, to: '+5511988887777', text: 'Oi' };

const lostMessage: LookUpRequest = {
  ...message,
  messageId: 7,
  from: new Date('2026-11-25T12:00:00.500Z'),
  until: new Date('2026-11-25T12:00:10.500Z'),
};

/** What a server can do with a connection after it has read the request. */
const connectionFaults: {
  name: string;
  act: (socket: Socket, accepts: string) => void;
  kind: SendOutcome['kind'];
  /** Only the time limit of the send ends it. */
  stalls?: true;
}[] = [
  { name: 'closes the connection without an answer', act: (socket) => socket.end(), kind: 'ambiguous' },
  { name: 'resets the connection', act: (socket) => socket.resetAndDestroy(), kind: 'ambiguous' },
  { name: 'sends nothing', act: () => undefined, kind: 'ambiguous', stalls: true },
  { name: 'answers garbage', act: (socket) => socket.write('SMTP ready\r\n\r\n'), kind: 'ambiguous' },
  {
    name: 'stops in the middle of the headers',
    act: (socket) => socket.write('HTTP/1.1 201 Created\r\ncontent-'),
    kind: 'ambiguous',
    stalls: true,
  },
  {
    name: 'closes the connection in the middle of the body',
    act: (socket, accepts) => socket.end(accepts.slice(0, -5)),
    kind: 'ambiguous',
  },
  {
    name: 'resets the connection in the middle of the body',
    act: (socket, accepts) => socket.write(accepts.slice(0, -5), () => socket.resetAndDestroy()),
    kind: 'ambiguous',
  },
  {
    name: 'stops in the middle of the body',
    act: (socket, accepts) => socket.write(accepts.slice(0, -5)),
    kind: 'ambiguous',
    stalls: true,
  },
  { name: 'sends an endless body byte by byte', act: sendEndlessBody, kind: 'ambiguous', stalls: true },
  {
    name: 'answers with 200 kB',
    act: (socket) => socket.write(httpAnswer(201, 'x'.repeat(200_000))),
    kind: 'ambiguous',
  },
  {
    name: 'answers 429 and closes the connection in the middle of the body',
    act: (socket) => socket.end('HTTP/1.1 429 Too Many\r\ncontent-length: 100\r\n\r\n{'),
    kind: 'temporary',
  },
  {
    name: 'answers completely and closes its side of the connection',
    act: (socket, accepts) => socket.end(accepts),
    kind: 'accepted',
  },
  {
    name: 'sends its answer byte by byte',
    act: (socket, accepts) => {
      socket.setNoDelay(true);
      for (const byte of accepts) socket.write(byte);
    },
    kind: 'accepted',
  },
  {
    name: 'answers 103 Early Hints first',
    act: (socket, accepts) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${accepts}`),
    kind: 'accepted',
  },
];

function sendEndlessBody(socket: Socket): void {
  socket.write('HTTP/1.1 201 Created\r\ncontent-length: 60000\r\n\r\n');
  const timer = setInterval(() => socket.write(' '), 50);
  socket.on('close', () => clearInterval(timer));
}

function onlyRequest({ requests }: { requests: RawRequest[] }): RawRequest {
  const [request] = requests;
  if (!request || requests.length > 1) throw new Error(`Expected one request, got ${requests.length}.`);
  return request;
}

/** The fields of a form, or parsed JSON. */
function bodyOf(request: RawRequest | undefined): unknown {
  const utf8 = Buffer.from(request?.body ?? '', 'latin1').toString();
  if (request?.headers['content-type']?.startsWith('application/json')) return JSON.parse(utf8);
  return Object.fromEntries(new URLSearchParams(utf8));
}

// Closed at the end of the file: `onTestFinished` does not work in concurrent tests.
const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

describe.concurrent.each(Object.entries(adapters))('%s', (_name, adapter) => {
  async function start(
    answer: Parameters<typeof startRawServer>[0],
    { sendTimeoutMs = 5000, connections = 4 } = {},
  ) {
    const server = await startRawServer(answer);
    const provider = adapter.create({ baseUrl: server.url, sendTimeoutMs, connections });
    closing.push(
      () => server.close(),
      () => provider.close(),
    );
    return { server, provider };
  }

  describe.each(adapter.requests)('sends $name', ({ send, request: expected }) => {
    test('as the provider expects it', async () => {
      const { server, provider } = await start((socket) => socket.write(adapter.accepts.answer));
      const outcome = await provider.send(send);
      expect(outcome).toEqual({ kind: 'accepted', providerMessageId: adapter.accepts.providerMessageId });
      expect(server.requests).toHaveLength(1);
      const [request] = server.requests;
      const { headers, body, ...line } = expected;
      expect(request).toMatchObject({ ...line, headers: { 'user-agent': userAgent, ...headers } });
      expect(bodyOf(request)).toEqual(body);
    });
  });

  test.each(adapter.answers)('reads $name', async ({ answer, outcome: expected }) => {
    const { provider } = await start((socket) => socket.write(answer));
    const outcome = await provider.send(message);
    expect(outcome).toMatchObject(expected);
    expect(JSON.stringify(outcome)).not.toContain(message.to);
  });

  test('withholds a message that may no longer be sent, checked when the connection is open', async () => {
    const { server, provider } = await start((socket) => socket.write(adapter.accepts.answer));
    expect(await provider.send(message)).toMatchObject({ kind: 'accepted' });
    // Checked after the call and once for each send, on an open connection and on a new one.
    for (let checks = 0; checks < 2;) {
      const answer = provider.send({ ...message, mayLeave: () => ++checks < 0 });
      const before = checks;
      expect(await answer).toMatchObject({ kind: 'temporary', code: withheld });
      expect(checks).toBe(before + 1);
    }
    expect(server.requests).toHaveLength(1);
    expect(await provider.send({ ...message, mayLeave: () => true })).toMatchObject({ kind: 'accepted' });
    expect(server.requests).toHaveLength(2);
  });

  test.each(connectionFaults)('is $kind when the provider $name', async ({ act, kind, stalls }) => {
    // A send that gets its answer must not reach the time limit, even on a slow machine.
    const limit = stalls ? { sendTimeoutMs: 300 } : {};
    const { provider } = await start((socket) => act(socket, adapter.accepts.answer), limit);
    expect(await provider.send(message)).toMatchObject({ kind });
  });

  const unconnected = () =>
    adapter.create({ baseUrl: 'http://127.0.0.1:1', sendTimeoutMs: 1, connections: 1 });

  test.each(adapter.receipts)('reads the receipt $name', ({ callback, receipts, unread = [] }) => {
    const reading = unconnected().readReceipts(callback);
    expect(reading.read.map(({ call: _, ...read }) => read)).toEqual(
      receipts.map((one) => ({ ...one, payload: expect.any(Object) as unknown })),
    );
    expect(reading.unread.map(({ fault }) => fault.code)).toEqual(unread);
  });

  test.each(adapter.inbound)('reads an incoming message $name', ({ callback, messages, unread = [] }) => {
    const reading = unconnected().readInbound(callback);
    const any = expect.any(Object) as unknown;
    expect(reading.read).toEqual(
      messages.map((one) => ({ ...one, payload: any, ...(one.from === null ? { call: any } : {}) })),
    );
    expect(reading.unread.map(({ fault }) => fault.code)).toEqual(unread);
  });

  test.each(adapter.verification)('verifies a callback $name: $genuine', ({ callback, genuine }) => {
    expect(unconnected().verify(callback)).toBe(genuine);
  });

  test.each(adapter.lookUps ?? [])('looks up $name', async ({ answers, paths, found }) => {
    const left = [...answers];
    const { server, provider } = await start((socket) => socket.write(left.shift() ?? ''));
    const answer = await provider.lookUp?.(lostMessage);
    if (found === 'unavailable') expect(answer).toMatchObject({ kind: 'unavailable' });
    else
      expect(answer).toEqual({
        kind: 'listed',
        messages: found.map((one) => ({ ...one, payload: expect.any(Object) as unknown })),
      });
    expect(server.requests).toHaveLength(answers.length);
    if (paths) expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(paths);
  });

  test('has the look-up that its table declares', () => {
    expect(unconnected().lookUp === undefined).toBe(adapter.lookUps === null);
  });

  test.each([
    ['nothing listens on the port', 'http://127.0.0.1:1'],
    ['the host name does not resolve', 'http://nowhere.invalid'],
  ])('is temporary when %s', async (_case, baseUrl) => {
    const provider = adapter.create({ baseUrl, sendTimeoutMs: 5000, connections: 1 });
    expect(await provider.send(message)).toMatchObject({ kind: 'temporary', retryAfterMs: null });
    await provider.close();
  });

  test('is temporary when TLS fails', async () => {
    const { server } = await start(() => undefined);
    const provider = adapter.create({
      baseUrl: server.url.replace('http:', 'https:'),
      sendTimeoutMs: 500,
      connections: 1,
    });
    expect(await provider.send(message)).toMatchObject({ kind: 'temporary' });
    await provider.close();
  });

  test('sends a lone surrogate as a replacement character', async () => {
    const { server, provider } = await start((socket) => socket.write(adapter.accepts.answer));
    expect(await provider.send({ ...message, text: 'a\ud800b' })).toMatchObject({
      kind: 'accepted',
    });
    const { path, body } = onlyRequest(server);
    const { written = (text: string) => text } = adapter;
    expect(decodeURIComponent(path) + decodeURIComponent(Buffer.from(body, 'latin1').toString())).toContain(
      written('a\ufffdb'),
    );
  });

  test('uses a new connection when the provider has closed an idle one', async () => {
    let closed = Promise.resolve();
    const { server, provider } = await start(
      (socket) => {
        closed = new Promise((resolve) => socket.once('close', () => resolve()));
        socket.end(adapter.accepts.answer);
      },
      { connections: 1 },
    );
    for (let sent = 0; sent < 20; sent++) {
      expect(await provider.send(message)).toMatchObject({ kind: 'accepted' });
      await closed;
    }
    expect(server.requests).toHaveLength(20);
  });

  test('sends a test message without a reference and without requesting receipts', async () => {
    const { server, provider } = await start((socket) => socket.write(adapter.accepts.answer));
    await provider.send({ ...message, messageId: null });
    const { path, body } = onlyRequest(server);
    expect(path + body).not.toContain('torpedo.example');
  });

  test('waits for the sends in flight when it closes, and refuses new ones', async () => {
    const { server, provider } = await start((socket) =>
      setImmediate(() => {
        socket.write(adapter.accepts.answer);
      }),
    );
    const inFlight = provider.send(message);
    const closing = provider.close();
    expect(await inFlight).toMatchObject({ kind: 'accepted' });
    await closing;
    expect(await provider.send(message)).toMatchObject({ kind: 'temporary' });
    expect(server.requests).toHaveLength(1);
  });
});

test('Twilio gets a Messaging Service, and a status callback URL that has a query', async () => {
  const server = await startRawServer((socket) => socket.write(adapters.twilio?.accepts.answer ?? ''));
  const service = `MG${'b'.repeat(32)}`;
  const create = twilio({ from: service, statusCallbackUrl: 'https://torpedo.example/receipts?key=1' });
  const provider = create({ baseUrl: `${server.url}/gateway/`, sendTimeoutMs: 5000, connections: 1 });
  await provider.send(message);
  const form = new URLSearchParams(server.requests[0]?.body);
  expect(form.get('MessagingServiceSid')).toBe(service);
  expect(form.has('From')).toBe(false);
  expect(form.get('StatusCallback')).toBe('https://torpedo.example/receipts?key=1&message=7');
  expect(server.requests[0]?.path).toBe(`/gateway/2010-04-01/Accounts/${accountSid}/Messages.json`);
  await server.close();
  await provider.close();
});

test('Twilio is called with the API key when there is one, while the auth token verifies its callbacks', async () => {
  const server = await startRawServer((socket) => socket.write(adapters.twilio?.accepts.answer ?? ''));
  const apiKeySid = `SK${'c'.repeat(32)}`;
  const create = twilio({ apiKeySid, apiKeySecret: 'the-secret' });
  const provider = create({ baseUrl: server.url, sendTimeoutMs: 5000, connections: 1 });
  await provider.send(message);
  const { path, headers } = onlyRequest(server);
  const credentials = Buffer.from(`${apiKeySid}:the-secret`).toString('base64');
  expect([path, headers['authorization']]).toEqual([
    `/2010-04-01/Accounts/${accountSid}/Messages.json`,
    `Basic ${credentials}`,
  ]);
  for (const { callback, genuine } of adapters.twilio?.verification ?? [])
    expect(provider.verify(callback)).toBe(genuine);
  await server.close();
  await provider.close();
});

test('Infobip gets no language tables when the provider counts segments without them', async () => {
  const server = await startRawServer((socket) => socket.write(infobip.accepts.answer));
  const options = { baseUrl: server.url, sendTimeoutMs: 5000, connections: 1 };
  const provider = createInfobip({ ...infobipOptions, ...options, portuguese: false });
  await provider.send({ ...message, text: 'São João' });
  expect(bodyOf(onlyRequest(server))).toMatchObject({ messages: [{ content: { text: 'São João' } }] });
  expect(onlyRequest(server).body).not.toContain('language');
  await server.close();
  await provider.close();
});

test('Twilio has a host for each region and edge', () => {
  expect(twilioUrl({})).toBe('https://api.twilio.com');
  expect(twilioUrl({ region: 'ie1', edge: 'dublin' })).toBe('https://api.dublin.ie1.twilio.com');
});

test('a gateway that configures a User-Agent is called with it', async () => {
  const server = await startRawServer((socket) => socket.write(httpAnswer(200, '')));
  const provider = createGateway((url) => ({
    request: { method: 'GET', url: `${url}/send`, headers: { 'User-Agent': 'Loja' } },
  }))({ baseUrl: server.url, sendTimeoutMs: 5000, connections: 1 });
  await provider.send(message);
  expect(onlyRequest(server).headers['user-agent']).toBe('Loja');
  await server.close();
  await provider.close();
});

test.each([
  ['accepted', 'PENDING', 'PENDING_ENROUTE', { kind: 'accepted', providerMessageId: 'r1-7' }],
  ['refused', 'REJECTED', 'REJECTED_NOT_ENOUGH_CREDITS', { kind: 'refused', reason: 'sender_refused' }],
  ['refused as a duplicate, too', 'REJECTED', 'REJECTED_DUPLICATE_MESSAGE_ID', { kind: 'accepted' }],
  ['opted out', 'REJECTED', 'REJECTED_DND', { kind: 'refused', reason: 'number_opted_out' }],
])(
  'a message that Infobip refuses as a duplicate has the outcome of the first one: %s',
  async (_case, groupName, name, outcome) => {
    const server = await startRawServer((socket, { path }) => {
      const status = path.startsWith('/sms/3/logs')
        ? {
            results: [
              { messageId: 'r1-7', status: { groupName: 'REJECTED', name: 'REJECTED_DUPLICATE_MESSAGE_ID' } },
              { messageId: 'r1-7', status: { groupName, name } },
            ],
          }
        : {
            messages: [
              { messageId: 'r1-7', status: { groupName: 'REJECTED', name: 'REJECTED_DUPLICATE_MESSAGE_ID' } },
            ],
          };
      socket.write(httpAnswer(200, JSON.stringify(status)));
    });
    const provider = infobip.create({ baseUrl: server.url, sendTimeoutMs: 5000, connections: 1 });
    expect(await provider.send(message)).toMatchObject(outcome);
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/sms/3/messages',
      '/sms/3/logs?messageId=r1-7',
    ]);
    await server.close();
    await provider.close();
  },
);
