/** Users mistype: this many failures cause no wait. */
const freeFailures = 10;
/** The wait after the first failure beyond these; each further failure doubles it. */
const firstDelayMs = 5_000;
const longestDelayMs = 15 * 60_000;
/** A key without an attempt for this long starts over. */
const forgetAfterMs = 60 * 60_000;
/** Each key costs an attacker one password hash, so it takes hours to evict a key by adding others. */
const maxKeys = 50_000;

interface Entry {
  failures: number;
  /** No attempt is allowed before this time. */
  notBefore: number;
  lastAt: number;
}

/**
 * Slows down guessing: the more attempts of a key have failed, the longer the wait before the next one. A key combines
 * the client's address and the login, so that one client's failures lock out nobody else.
 *
 * Kept in this process: with several API processes, each counts separately.
 */
export function createLoginAttempts({ now = Date.now }: { now?: () => number } = {}) {
  const entries = new Map<string, Entry>();

  return {
    /**
     * Begins an attempt, which counts as failed until `succeed` or `withdraw`, so that parallel attempts cannot bypass
     * the limit. The wait for the next attempt begins with `fail`. Returns the milliseconds to wait instead; 0: go
     * ahead.
     */
    begin(key: string): number {
      const at = now();
      const known = entries.get(key);
      const entry =
        known && at - known.lastAt < forgetAfterMs ? known : { failures: 0, notBefore: 0, lastAt: at };
      if (entry.notBefore > at) return entry.notBefore - at;
      entry.failures++;
      entry.lastAt = at;
      entry.notBefore = at + delayAfter(entry.failures);
      // The least recently used is first.
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > maxKeys && oldest !== undefined) entries.delete(oldest);
      return 0;
    },

    fail(key: string): void {
      const entry = entries.get(key);
      if (entry) entry.notBefore = now() + delayAfter(entry.failures);
    },

    /** The attempt was right: its key starts over. */
    succeed(key: string): void {
      entries.delete(key);
    },

    /** The attempt was not checked: it does not count. */
    withdraw(key: string): void {
      const entry = entries.get(key);
      if (!entry) return;
      entry.failures--;
      entry.notBefore = 0;
    },
  };
}

const delayAfter = (failures: number): number =>
  failures < freeFailures ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - freeFailures));
