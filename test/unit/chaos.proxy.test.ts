import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { startProxy } from '../../chaos/proxy.ts';

/** What the server behind the proxy has received. */
let received = '';
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    received += chunk.toString();
    socket.write(chunk);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const proxy = await startProxy((server.address() as AddressInfo).port);
afterAll(async () => {
  await proxy.close();
  server.close();
});

async function open(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
const errorOf = async (socket: Socket): Promise<string> => {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code ?? '';
};
async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let answer = '';
  while (answer.length < text.length) answer += String((await once(socket, 'data'))[0]);
  return answer;
}

test('an undisturbed link passes data in both directions, and the end of the connection', async () => {
  const socket = await open();
  expect(await echo(socket, 'x'.repeat(500_000))).toBe('x'.repeat(500_000));
  socket.end();
  await once(socket, 'close');
});

test('a reset link resets open and new connections until it is repaired', async () => {
  const before = await open();
  await echo(before, 'hello');
  const reset = errorOf(before);
  proxy.breakWith({ how: 'reset' });
  expect(await reset).toBe('ECONNRESET');
  const during = connect(proxy.port, '127.0.0.1');
  expect(await errorOf(during)).toBe('ECONNRESET');
  proxy.repair();
  const after = await open();
  expect(await echo(after, 'again')).toBe('again');
  after.destroy();
});

test('data sent into a half-open link never arrives, and its connections are reset when it is repaired', async () => {
  const socket = await open();
  await echo(socket, 'hello');
  received = '';
  proxy.breakWith({ how: 'half_open' });
  socket.write('lost');
  const other = await open();
  other.write('lost, too');
  const ends = Promise.all([errorOf(socket), errorOf(other)]);
  // Anything passed on would arrive before this.
  const undisturbed = await startProxy((server.address() as AddressInfo).port);
  const direct = connect(undisturbed.port, '127.0.0.1');
  await echo(direct, 'direct');
  expect(received).toBe('direct');
  direct.destroy();
  await undisturbed.close();
  proxy.repair();
  expect(await ends).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(received).toBe('direct');
});

test('a delayed link keeps the order, also of data sent after it is repaired', async () => {
  const socket = await open();
  received = '';
  proxy.breakWith({ how: 'delay', delayMs: 50 });
  socket.write('one,');
  while (!received.includes('one')) await once(socket, 'data');
  socket.write('two,');
  proxy.repair();
  socket.write('three');
  while (!received.includes('three')) await once(socket, 'data');
  expect(received).toBe('one,two,three');
  socket.destroy();
});
