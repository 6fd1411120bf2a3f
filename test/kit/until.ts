import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';

/** How long a condition may take to come true: no test is slower for it, and a busy machine needs it. */
const patienceMs = 100_000;
const lookEveryMs = 25;

/**
 * Looks again and again until there is something to see: anything but undefined, null and false. Fails with what was
 * seen last, so that the test says what it waited for in vain.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { withinMs = patienceMs, everyMs = lookEveryMs } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    // What is left out of T is what was asked for here; the compiler does not follow that through a type parameter.
    if (seen !== undefined && seen !== null && seen !== false)
      return seen as Exclude<T, undefined | null | false>;
    if (Date.now() > deadline)
      throw new Error(`Waited ${withinMs} ms in vain until ${what}. Last seen: ${String(seen)}`);
    await sleep(everyMs);
  }
}

/** Repeats an assertion until it holds; fails as it did last. The default of `vi.waitFor` is one second. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: patienceMs, interval: lookEveryMs });
