import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 200;

/** Polls until there is a result. Throws after `patienceMs`. */
export async function until<T>(look: () => Promise<T | undefined>, patienceMs = 5 * 60_000): Promise<T> {
  const giveUpAt = Date.now() + patienceMs;
  while (Date.now() < giveUpAt) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await sleep(pollMs);
  }
  throw new Error(`Gave up waiting after ${patienceMs / 1000} seconds.`);
}
