import { type LeaseAnswer, trustMs } from '../db/messages/leases.ts';

/**
 * Call this before asking for a lease: the lease is trusted for `trustMs` from then on, as the function that is returned
 * says. By two clocks: the steady one goes on while the process is stopped, but may stand still while the machine
 * sleeps; the other is set right when the machine wakes. Where both stand still, as in a virtual machine that its host
 * has paused, nobody inside can tell: the next renewal does, within a second.
 */
export function startTrust(): () => boolean {
  const steadyEnd = performance.now() + trustMs;
  const dateEnd = Date.now() + trustMs;
  return () => performance.now() < steadyEnd && Date.now() < dateEnd;
}

/** A sender's lease (db/messages/leases.ts) as the sender knows it. `ask` takes it the first time, and renews it after that. */
export function createLease(ask: () => Promise<LeaseAnswer>) {
  let isTrusted = (): boolean => false;
  /** What to add to `performance.now()` for the database's clock; at most so much too little as an answer takes. */
  let clockOffset = 0;
  let inFlight = 1;
  let asking: Promise<LeaseAnswer> | null = null;

  const askNow = async (): Promise<LeaseAnswer> => {
    const trust = startTrust();
    const answer = await ask();
    isTrusted = answer.held ? trust : () => false;
    clockOffset = answer.clock - performance.now();
    inFlight = answer.inFlight;
    return answer;
  };

  return {
    /** Whether a message may be handed to the provider now. False: ask first. */
    isValid: (): boolean => isTrusted(),

    /** Asks for more time; a caller that comes meanwhile gets the same answer. Rejects while the database is away. */
    ask(): Promise<LeaseAnswer> {
      asking ??= askNow().finally(() => (asking = null));
      return asking;
    },

    /** So many sends may be under way. */
    inFlight: (): number => inFlight,

    /** The database's time at a moment of `performance.now()`, in milliseconds since the epoch. */
    databaseTime: (at: number): number => at + clockOffset,
  };
}
export type Lease = ReturnType<typeof createLease>;
