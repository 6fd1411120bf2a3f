import type { ClaimedMessage, Outcome } from '../db/messages/claims.ts';
import type { ProviderAccountError, ProviderUnavailableError } from './provider-health.ts';

/**
 * `nothing_due`: the run has no message left that is due now and that this sender may claim. `not_running`: it was paused,
 * cancelled or ended. `superseded`: others have taken over from this sender. `threshold`: too many have failed.
 */
export type SenderStop = 'nothing_due' | 'not_running' | 'superseded' | 'threshold' | 'deadline' | 'shutdown';

/** A claim that has a row of its own in the database. */
export interface OpenClaim {
  id: number;
  /** So many of its messages have no durable outcome yet. */
  open: number;
}

/** A message that this sender has claimed. */
export interface Held {
  message: ClaimedMessage;
  claim: OpenClaim | null;
}

export interface Waiting extends Held {
  /** Its place in the provider's rate (activities/pace.ts): it leaves then. Null: as soon as there is room. */
  at: number | null;
}

export interface Settled extends Held {
  outcome: Outcome;
}

/** Wakes all that wait, each time something has changed. */
export function createSignal() {
  let waiters: (() => void)[] = [];
  const notify = (): void => {
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  };
  return {
    notify,
    /** Until the next `notify`, or for so long at most. */
    async wait(atMostMs?: number): Promise<void> {
      const timer = atMostMs === undefined ? undefined : setTimeout(notify, atMostMs);
      await new Promise<void>((resolve) => waiters.push(resolve));
      clearTimeout(timer);
    },
  };
}

/**
 * What the parts of a sender share: messages go from `waiting` through the sends in flight to `settled`, and are gone when
 * their outcomes are durable.
 */
export function createFlow({ until, signal }: { until: Date; signal: AbortSignal }) {
  /** Outcomes may have to be written. */
  const outcomesReady = createSignal();
  /** There may be room for another claim. */
  const roomFreed = createSignal();
  let stop: SenderStop | ProviderAccountError | ProviderUnavailableError | null = null;

  const flow = {
    outcomesReady,
    roomFreed,
    waiting: [] as Waiting[],
    /** These have lost their places in the rate, and get others. */
    late: [] as Waiting[],
    settled: [] as Settled[],
    /** Since when the first of the settled waits, in `performance.now()` milliseconds. */
    settledSince: 0,
    inFlight: 0,
    /** Claimed, and without a durable outcome. */
    held: 0,
    isClaiming: true,

    /** Why the sender stops; null while it goes on. */
    why: (): typeof stop => stop,
    /** The first reason counts. */
    stopFor(reason: NonNullable<typeof stop>): void {
      stop ??= reason;
      flow.wakeAll();
    },
    wakeAll(): void {
      outcomesReady.notify();
      roomFreed.notify();
    },
    isStopping(): boolean {
      if (stop === null && signal.aborted) flow.stopFor('shutdown');
      if (stop === null && Date.now() >= until.getTime()) flow.stopFor('deadline');
      return stop !== null;
    },
    settle(settled: Settled): void {
      if (flow.settled.push(settled) === 1) flow.settledSince = performance.now();
    },
  };
  return flow;
}
export type Flow = ReturnType<typeof createFlow>;
