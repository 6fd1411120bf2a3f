import { describe, expect, test } from 'vitest';
import { createTurns } from '../../api/access/turns.ts';

/** Work that ends when the test ends it. */
function createControlledWork(options: { atOnce: number; maxWaiting: number }) {
  const inTurn = createTurns({ ...options, refusal: () => new Error('full') });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const results = new Map<string, string>();
  return {
    started,
    results,
    request: (client: string, name: string): void => {
      inTurn(client, async () => {
        started.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
      }).then(
        () => results.set(name, 'done'),
        (error: unknown) => results.set(name, error instanceof Error ? error.message : ''),
      );
    },
    /** Ends the oldest work that is running. */
    endOne: async (): Promise<void> => {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

describe('a turn queue', () => {
  test('never runs more work than its limit, and finishes all of it', async () => {
    const { request, started, results, endOne } = createControlledWork({ atOnce: 2, maxWaiting: 10 });
    for (let index = 0; index < 6; index++) request('a', String(index));
    expect(started).toEqual(['0', '1']);
    for (let done = 1; done <= 6; done++) {
      await endOne();
      expect(started.length).toBe(Math.min(6, done + 2));
    }
    expect([...results.values()]).toEqual(Array.from({ length: 6 }, () => 'done'));
    request('a', 'later');
    expect(started.at(-1)).toBe('later');
  });

  test('serves a client with one request before the many requests of another', async () => {
    const { request, started, endOne } = createControlledWork({ atOnce: 1, maxWaiting: 100 });
    for (let index = 0; index < 50; index++) request('flood', `flood ${index}`);
    request('single', 'single');
    await endOne();
    await endOne();
    expect(started).toEqual(['flood 0', 'flood 1', 'single']);
  });

  test('refuses the newest request of the client with the most waiting, not that of another client', async () => {
    const { request, started, results, endOne } = createControlledWork({ atOnce: 1, maxWaiting: 3 });
    for (let index = 0; index < 5; index++) request('flood', `flood ${index}`);
    request('single', 'single');
    await new Promise(setImmediate);
    expect(Object.fromEntries(results)).toEqual({ 'flood 4': 'full', 'flood 3': 'full' });
    for (let index = 0; index < 4; index++) await endOne();
    expect(started).toContain('single');
  });

  test('continues after work that fails', async () => {
    const inTurn = createTurns({ atOnce: 1, maxWaiting: 1, refusal: () => new Error('full') });
    await expect(inTurn('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await inTurn('a', () => Promise.resolve(7))).toBe(7);
  });
});
