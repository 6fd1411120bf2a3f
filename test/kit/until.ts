import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks again and again until there is something to see: anything but undefined, null and false. Fails with what was
 * seen last, so that the test says what it waited for in vain.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { withinMs = 30_000, everyMs = 25 } = {},
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
