import { expect, onTestFinished, test } from 'vitest';
import { createServerWatch, ServerError, type ServerProblem, whenReachable } from '../../health/watch.ts';
import { until } from '../kit/until.ts';

/** A watch on one server whose state the test sets, with the messages that it has logged. */
function watched(
  options: { cacheMs?: number; everyMs?: number; repeatMs?: number; timeoutMs?: number } = {},
) {
  const server: { problem: ServerProblem | null; probes: number; answer: Promise<void> } = {
    problem: null,
    probes: 0,
    answer: Promise.resolve(),
  };
  const logged: string[] = [];
  const watch = createServerWatch({
    probes: {
      database: async () => {
        server.probes++;
        await server.answer;
        if (server.problem) throw new ServerError(server.problem, new Error('in detail'));
      },
    },
    labels: { database: 'PostgreSQL' },
    log: { warn: (_, message) => logged.push(message) },
    ...options,
  });
  onTestFinished(() => watch.close());
  return { server, watch, logged };
}

test('callers share one probe of a server while its result is cached', async () => {
  const { server, watch } = watched({ cacheMs: 60_000 });
  const states = await Promise.all(Array.from({ length: 50 }, () => watch.look()));
  expect(new Set(states.map(({ database }) => database.problem))).toEqual(new Set([null]));
  await watch.look();
  expect(server.probes).toBe(1);
});

test('the log reports an unavailable server at once and repeatedly, and its return once', async () => {
  const { server, watch, logged } = watched({ cacheMs: 0, everyMs: 1, repeatMs: 50 });
  watch.start();
  await until('it has been probed', () => server.probes > 3);
  expect(logged).toEqual([]);

  server.problem = 'unreachable';
  await until('it is logged again', () => logged.length >= 2);
  expect((await watch.look()).database).toMatchObject({ problem: 'unreachable' });
  server.problem = null;
  await until('it is back', () => logged.at(-1) === 'PostgreSQL can be used again');
  const { probes } = server;
  await until('it has been probed again', () => server.probes > probes + 3);
  expect(logged[0]).toBe('Waiting for PostgreSQL');
  expect(new Set(logged.slice(1, -1))).toEqual(new Set(['Still waiting for PostgreSQL']));
  expect(logged.filter((message) => message === 'PostgreSQL can be used again')).toHaveLength(1);
});

test('a server that does not answer in time is probed again only after it has answered', async () => {
  const { server, watch } = watched({ cacheMs: 0, timeoutMs: 20 });
  let answer = (): void => undefined;
  server.answer = new Promise((resolve) => (answer = resolve));
  for (let look = 0; look < 3; look++) expect((await watch.look()).database.problem).toBe('silent');
  expect(server.probes).toBe(1);
  answer();
  await until('it can be used', async () => (await watch.look()).database.problem === null);
});

test('a start waits until its server is reachable or the signal aborts', async () => {
  let attempts = 0;
  const attempt = async (): Promise<string> => {
    if (++attempts < 2) throw new Error('unreachable');
    return 'connected';
  };
  const isUnreachable = (error: unknown): boolean =>
    error instanceof Error && error.message === 'unreachable';
  expect(await whenReachable(attempt, isUnreachable)).toBe('connected');
  const failing = async (): Promise<never> => Promise.reject(new Error('another version'));
  await expect(whenReachable(failing, isUnreachable)).rejects.toThrow('another version');

  const stopping = new AbortController();
  const waiting = whenReachable(
    async () => Promise.reject(new Error('unreachable')),
    isUnreachable,
    stopping.signal,
  );
  stopping.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
