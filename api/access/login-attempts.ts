/** People mistype: so many failures cost no wait. */
const freeFailures = 10;
/** The wait after the first failure beyond these; each further one doubles it. */
const firstDelayMs = 5_000;
const longestDelayMs = 15 * 60_000;
/** A key without an attempt for so long begins anew. */
const forgetAfterMs = 60 * 60_000;
/** Each costs a hashed password to make: it takes hours to push one's own failures out. */
const maxKeys = 50_000;

interface Entry {
  failures: number;
  /** No attempt before this. */
  notBefore: number;
  lastAt: number;
}

/**
 * Slows guessing down: the more attempts of a key have failed, the longer the next one has to wait. A key names who
 * guesses and at what (address and login), so that nobody's failures keep anyone else out.
 *
 * Kept in this process: behind several API processes each counts by itself.
 */
export function createLoginAttempts({ now = Date.now }: { now?: () => number } = {}) {
  const entries = new Map<string, Entry>();

  return {
    /**
     * Begins an attempt, which counts as failed until `succeed` or `withdraw`: many at once find no gap. The wait for the
     * next one begins with `fail`. Returns the milliseconds to wait instead; 0: go ahead.
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
      // The longest unused is first.
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

    /** The attempt was right: its key begins anew. */
    succeed(key: string): void {
      entries.delete(key);
    },

    /** The attempt was not judged: it does not count. */
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
