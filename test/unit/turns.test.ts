import { describe, expect, test } from 'vitest';
import { createTurns } from '../../api/access/turns.ts';

/** Work that is done when it is told to be. */
function createWorkshop(options: { atOnce: number; maxWaiting: number }) {
  const inTurn = createTurns({ ...options, refusal: () => new Error('full') });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const results = new Map<string, string>();
  return {
    begun,
    results,
    ask: (client: string, name: string): void => {
      inTurn(client, async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
      }).then(
        () => results.set(name, 'done'),
        (error: unknown) => results.set(name, error instanceof Error ? error.message : ''),
      );
    },
    /** Ends the oldest piece of work that is under way. */
    endOne: async (): Promise<void> => {
      ends.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

describe('work in turns', () => {
  test('never has more under way than it may, and all of it is done', async () => {
    const { ask, begun, results, endOne } = createWorkshop({ atOnce: 2, maxWaiting: 10 });
    for (let index = 0; index < 6; index++) ask('a', String(index));
    expect(begun).toEqual(['0', '1']);
    for (let done = 1; done <= 6; done++) {
      await endOne();
      expect(begun.length).toBe(Math.min(6, done + 2));
    }
    expect([...results.values()]).toEqual(Array.from({ length: 6 }, () => 'done'));
    ask('a', 'later');
    expect(begun.at(-1)).toBe('later');
  });

  test('lets a client that asks once go before the many of another', async () => {
    const { ask, begun, endOne } = createWorkshop({ atOnce: 1, maxWaiting: 100 });
    for (let index = 0; index < 50; index++) ask('flood', `flood ${index}`);
    ask('person', 'person');
    await endOne();
    await endOne();
    expect(begun).toEqual(['flood 0', 'flood 1', 'person']);
  });

  test('refuses the newest of the client that has the most waiting, and not the one who comes', async () => {
    const { ask, begun, results, endOne } = createWorkshop({ atOnce: 1, maxWaiting: 3 });
    for (let index = 0; index < 5; index++) ask('flood', `flood ${index}`);
    ask('person', 'person');
    await new Promise(setImmediate);
    expect(Object.fromEntries(results)).toEqual({ 'flood 4': 'full', 'flood 3': 'full' });
    for (let index = 0; index < 4; index++) await endOne();
    expect(begun).toContain('person');
  });

  test('goes on after work that fails', async () => {
    const inTurn = createTurns({ atOnce: 1, maxWaiting: 1, refusal: () => new Error('full') });
    await expect(inTurn('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await inTurn('a', () => Promise.resolve(7))).toBe(7);
  });
});
