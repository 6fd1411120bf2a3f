import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createOutbox } from '../../api/services/outbox.ts';
import { until } from '../kit/until.ts';

const log = pino({ level: 'silent' });

/** An outbox with a server that can be down or refuse some keys. */
function startOutbox({ found = [] as number[], checkEveryMs = null as number | null } = {}) {
  const server = { isDown: false, refused: new Set<number>(), delivered: [] as number[], attempts: 0 };
  const outbox = createOutbox<number>({
    find: () => Promise.resolve(found),
    async deliver(key) {
      server.attempts++;
      await Promise.resolve();
      if (server.isDown || server.refused.has(key)) throw new Error('down');
      server.delivered.push(key);
    },
    log,
    what: 'numbers',
    concurrency: 2,
    checkEveryMs,
    firstRetryMs: 5,
  });
  onTestFinished(() => outbox.close());
  return { outbox, server };
}

test('each added key is delivered once', async () => {
  const { outbox, server } = startOutbox();
  outbox.add([1, 2, 3]);
  outbox.add([3]);
  await until('all are delivered', () => server.delivered.length >= 3);
  expect(server.delivered.toSorted()).toEqual([1, 2, 3]);
});

test('few keys are tried while the server is down, and all are delivered when it is back', async () => {
  const { outbox, server } = startOutbox();
  server.isDown = true;
  outbox.add(Array.from({ length: 100 }, (_, i) => i));
  await until('it was tried twice', () => server.attempts > 2);
  expect(server.attempts).toBeLessThan(20);
  server.isDown = false;
  await until('all are delivered', () => server.delivered.length === 100);
  expect(new Set(server.delivered).size).toBe(100);
});

test('a key that always fails does not block the others', async () => {
  const { outbox, server } = startOutbox();
  server.refused.add(1);
  outbox.add([1, 2, 3, 4]);
  await until('the others are delivered', () => server.delivered.length === 3);
  server.refused.clear();
  await until('it is delivered, too', () => server.delivered.includes(1));
});

test('an immediate delivery returns whether it succeeded, and a failed one is retried', async () => {
  const { outbox, server } = startOutbox();
  expect(await outbox.deliver(1)).toBe(true);
  server.isDown = true;
  expect(await outbox.deliver(2)).toBe(false);
  server.isDown = false;
  await until('it follows', () => server.delivered.includes(2));
  expect(server.delivered).toEqual([1, 2]);
});

test('a look delivers the keys that it finds, and repeats at the configured interval', async () => {
  const found = [7];
  const { outbox, server } = startOutbox({ found, checkEveryMs: 5 });
  server.isDown = true;
  outbox.look();
  await until('it was tried', () => server.attempts > 0);
  server.isDown = false;
  await until('it is found', () => server.delivered.includes(7));
  found[0] = 8;
  await until('the next one is found', () => server.delivered.includes(8));
});
