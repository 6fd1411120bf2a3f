import { type LeaseAnswer, trustMs } from '../db/messages/leases.ts';

/**
 * Call this before you ask for a lease: the lease is trusted for `trustMs` from then on, as the returned function
 * reports. It uses two clocks: the monotonic one advances while the process is stopped, but may stop while the machine
 * sleeps; the wall clock is corrected when the machine wakes. Where both stop, as in a virtual machine that its host
 * has paused, the process cannot detect it; the next renewal does, within a second.
 */
export function startTrust(): () => boolean {
  const steadyEnd = performance.now() + trustMs;
  const dateEnd = Date.now() + trustMs;
  return () => performance.now() < steadyEnd && Date.now() < dateEnd;
}

/** A sender's view of its lease (db/messages/leases.ts). `ask` takes it the first time, and then renews it. */
export function createLease(ask: () => Promise<LeaseAnswer>) {
  let isTrusted = (): boolean => false;
  /** The offset from `performance.now()` to the database's clock; too small by at most the duration of an answer. */
  let clockOffset = 0;
  let asking: Promise<LeaseAnswer> | null = null;

  const askNow = async (): Promise<LeaseAnswer> => {
    const trust = startTrust();
    const answer = await ask();
    isTrusted = answer.held ? trust : () => false;
    clockOffset = answer.clock - performance.now();
    return answer;
  };

  return {
    /** Whether a message may be handed to the provider now. If false, call `ask` first. */
    isValid: (): boolean => isTrusted(),

    /** Asks for more time; concurrent callers share one answer. Rejects while the database is unavailable. */
    ask(): Promise<LeaseAnswer> {
      asking ??= askNow().finally(() => (asking = null));
      return asking;
    },

    /** The database's time at a moment of `performance.now()`, in milliseconds since the epoch. */
    databaseTime: (at: number): number => at + clockOffset,
  };
}
export type Lease = ReturnType<typeof createLease>;
