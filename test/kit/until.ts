import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';

/** The longest wait for a condition. It does not slow down a test, and a busy machine needs it. */
const timeoutMs = 100_000;
const pollEveryMs = 25;

/**
 * Polls `read` until it returns something other than undefined, null and false. Fails with the description and the last
 * value.
 */
export async function until<T>(
  what: string,
  read: () => T | Promise<T>,
  { withinMs = timeoutMs, everyMs = pollEveryMs } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await read();
    // The compiler does not narrow a type parameter.
    if (value !== undefined && value !== null && value !== false)
      return value as Exclude<T, undefined | null | false>;
    if (Date.now() > deadline)
      throw new Error(`Waited ${withinMs} ms in vain until ${what}. Last value: ${String(value)}`);
    await sleep(everyMs);
  }
}

/** Repeats an assertion until it passes, and fails with its last error. The default timeout of `vi.waitFor` is one second. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: timeoutMs, interval: pollEveryMs });
