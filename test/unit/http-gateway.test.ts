import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { httpGatewayFields } from '../../domain/http-gateway.ts';
import { z } from 'zod';
import { createTable } from '../../sms/http/table.ts';
import { createGateway } from '../adapters/http.ts';
import { call, json } from '../adapters/shapes.ts';
import { httpAnswer, startRawServer } from '../kit/raw-server.ts';

/** Settings of a gateway that the conformance tables (test/adapters/http.ts) do not cover. */

const config = z.strictObject(httpGatewayFields);
type Config = z.input<typeof config>;
const message = { messageId: 7, to: '+5511988887777', text: 'Oi' };

async function start(
  request: (baseUrl: string) => Config['request'],
  rest: Omit<Config, 'request'> = {},
  answer: string | Buffer = httpAnswer(200, 'OK'),
) {
  const server = await startRawServer((socket) => socket.write(answer));
  const provider = createGateway((baseUrl) => ({ request: request(baseUrl), ...rest }))({
    baseUrl: server.url,
    sendTimeoutMs: 5_000,
    connections: 1,
  });
  onTestFinished(async () => {
    await provider.close();
    await server.close();
  });
  return { server, provider };
}

test.each([
  ['in the URL', 'none'],
  ['in a form', 'form'],
] as const)(
  'writes ISO-8859-1 %s, with the number format and the encoding names of the gateway',
  async (_, kind) => {
    const { server, provider } = await start(
      (baseUrl) => ({
        method: kind === 'none' ? 'GET' : 'POST',
        url: `${baseUrl}/send?c={coding}&n={to}${kind === 'none' ? '&t={text}' : ''}`,
        charset: 'iso-8859-1',
        body: kind === 'none' ? { kind } : { kind, fields: { t: '{text}' } },
      }),
      { numbers: 'national', codings: { gsm: 'text', unicode: 'unicode' } },
    );
    // The charset has no curly quotes and dashes; they are replaced by plain ones.
    expect(await provider.send({ ...message, text: 'Olá “João” – até' })).toMatchObject({ kind: 'accepted' });
    const text = 't=Ol%E1%20%22Jo%E3o%22%20-%20at%E9';
    const [request] = server.requests;
    expect(request?.path).toBe(`/send?c=unicode&n=11988887777${kind === 'none' ? `&${text}` : ''}`);
    expect(request?.body).toBe(kind === 'none' ? '' : text);
    await provider.send({ ...message, text: 'Oi' });
    expect(server.requests[1]?.path).toContain('c=text&');
    expect(await provider.send({ ...message, text: 'Oi 🚀' })).toMatchObject({
      kind: 'refused',
      reason: 'content_refused',
    });
    expect(await provider.send({ ...message, to: '+14155550123' })).toMatchObject({
      kind: 'refused',
      reason: 'number_invalid',
    });
    expect(server.requests).toHaveLength(2);
  },
);

test('writes a JSON body in ISO-8859-1', async () => {
  const { server, provider } = await start(
    (baseUrl) => ({
      method: 'POST',
      url: baseUrl,
      charset: 'iso-8859-1',
      body: { kind: 'json', template: { n: '{json:to}', t: '{text}' } },
    }),
    { numbers: 'digits' },
  );
  await provider.send({ ...message, text: 'até' });
  // The server of the test reads bytes as Latin-1.
  expect(server.requests[0]?.body).toBe('{"n":5511988887777,"t":"até"}');
  expect(server.requests[0]?.headers['content-type']).toBe('application/json; charset=ISO-8859-1');
});

test('reads an answer in ISO-8859-1', async () => {
  const { provider } = await start(
    (baseUrl) => ({ method: 'GET', url: baseUrl }),
    {
      answer: { code: { in: 'text', after: '', before: '' }, codes: { 'Não enviada': { means: 'account' } } },
    },
    Buffer.from(
      httpAnswer(200, 'N\u00e3o enviada').replace('content-length: 12', 'content-length: 11'),
      'latin1',
    ),
  );
  expect(await provider.send(message)).toMatchObject({ kind: 'account' });
});

test('sends user and password as HTTP basic credentials', async () => {
  const { server, provider } = await start((baseUrl) => ({
    method: 'GET',
    url: baseUrl,
    authentication: { kind: 'basic', user: 'João' },
  }));
  expect(await provider.send(message)).toMatchObject({ kind: 'accepted' });
  // The secret `password` of createGateway.
  const expected = `Basic ${Buffer.from('João:p&ss=+%').toString('base64')}`;
  expect(server.requests[0]?.headers['authorization']).toBe(expected);
});

test('requests an access token, reuses it, and requests another when it is refused', async () => {
  let issued = 0;
  let broken = false;
  const sent: (string | undefined)[] = [];
  let acceptedToken = 'Bearer t1';
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/token') {
      response.statusCode = broken ? 503 : 200;
      response.end(JSON.stringify({ access_token: `t${++issued}`, expires_in: 3600 }));
      return;
    }
    sent.push(request.headers.authorization);
    response.statusCode = request.headers.authorization === acceptedToken ? 200 : 401;
    response.end('OK');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = createGateway((url) => ({
    request: {
      method: 'POST',
      url,
      authentication: { kind: 'oauth2', tokenUrl: `${url}/token`, clientId: 'torpedo' },
    },
  }))({ baseUrl, sendTimeoutMs: 5_000, connections: 4 });
  onTestFinished(async () => {
    await provider.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  expect(await Promise.all([provider.send(message), provider.send(message)])).toMatchObject([
    { kind: 'accepted' },
    { kind: 'accepted' },
  ]);
  expect(issued).toBe(1);
  acceptedToken = 'Bearer t2';
  expect(await provider.send(message)).toMatchObject({ kind: 'accepted' });
  expect(sent).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2']);
  // Every token is refused: an account problem, without a further retry.
  acceptedToken = 'Bearer none';
  expect(await provider.send(message)).toMatchObject({ kind: 'account', code: 'HTTP_401' });
  expect(sent).toHaveLength(6);
  broken = true;
  expect(await provider.send(message)).toMatchObject({ kind: 'temporary' });
});

test.each([
  ['NACK', 'NACK', 'exact'],
  [' nack ', ' nack ', 'exact'],
  ['NACK/11/Invalid', 'NACK/11/', 'longer'],
  ['NACK/12/Invalid', 'NACK/', 'shorter'],
  ['id:1 stat:expired err:0', 'stat:EXPIRED', 'inside'],
  ['stat:EXPIRED err:0', '', 'rest'],
  ['a-x-b', 'a- -b', 'two'],
  ['a-b', '', 'rest'],
  ['', '', 'rest'],
])('finds the entry for "%s": %s, %s', (word, label, value) => {
  const table = createTable({
    NACK: 'exact',
    'NACK/*': 'shorter',
    'NACK/11/*': 'longer',
    '* stat:EXPIRED *': 'inside',
    'a-*-b': 'two',
    '*': 'rest',
  });
  expect(table(word)).toEqual({ value, label });
});

test('rejects a long word that matches no pattern without backtracking for minutes', () => {
  const table = createTable({ [`${'*a'.repeat(40)}b`]: 1 });
  const started = performance.now();
  expect(table('a'.repeat(200_000))).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('removes its own secret from the payload of a callback', () => {
  const provider = createGateway(() => ({
    request: { method: 'POST', url: 'https://sms.example/?dlr={receiptUrl}' },
    receipts: { format: 'json', status: 'status', statuses: { x: 'sent' } },
  }))({ baseUrl: '', sendTimeoutMs: 1, connections: 1 });
  const { read, unread } = provider.readReceipts(
    call(
      'receipts',
      json(['x', 'y'].map((status) => ({ key: 'the-key-of-the-account', message: '1', status }))),
    ),
  );
  expect(read.map(({ payload }) => payload)).toEqual([{ message: '1', status: 'x' }]);
  expect(unread.map((one) => one.call.json)).toEqual([{ message: '1', status: 'y' }]);
});

test.each([
  ['{json:to} next to other text', { body: { kind: 'json', template: { to: '+{json:to}' } } }],
  ['{json:to} in a form', { body: { kind: 'form', fields: { to: '{json:to}' } } }],
  [
    'an Authorization header together with authentication',
    { headers: { Authorization: 'x' }, authentication: { kind: 'basic', user: 'a' } },
  ],
])('refuses %s', (_, request) => {
  const base = { method: 'POST', url: 'https://sms.example/send' };
  expect(config.safeParse({ request: base }).success).toBe(true);
  expect(config.safeParse({ request: { ...base, ...request } }).success).toBe(false);
});
