import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { startProxy } from '../../chaos/proxy.ts';

/** What the server behind the proxy was sent. */
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

test('A whole link passes everything in both directions, and its end', async () => {
  const socket = await open();
  expect(await echo(socket, 'x'.repeat(500_000))).toBe('x'.repeat(500_000));
  socket.end();
  await once(socket, 'close');
});

test('A reset link resets what is open and what is opened, until it is whole again', async () => {
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

test('What is sent into a half-open link never arrives, and its connections are reset at the end', async () => {
  const socket = await open();
  await echo(socket, 'hello');
  received = '';
  proxy.breakWith({ how: 'half_open' });
  socket.write('lost');
  const other = await open();
  other.write('lost, too');
  const ends = Promise.all([errorOf(socket), errorOf(other)]);
  // Whatever were passed on would arrive before this.
  const whole = await startProxy((server.address() as AddressInfo).port);
  const direct = connect(whole.port, '127.0.0.1');
  await echo(direct, 'direct');
  expect(received).toBe('direct');
  direct.destroy();
  await whole.close();
  proxy.repair();
  expect(await ends).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(received).toBe('direct');
});

test('A delayed link keeps the order, also of what is sent after it is whole again', async () => {
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
