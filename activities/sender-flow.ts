import type { ClaimedMessage, Outcome } from '../db/messages/claims.ts';
import type { ProviderAccountError, ProviderUnavailableError } from './provider-health.ts';

/**
 * `nothing_due`: the run has no message left that is due now and that this sender may claim. `not_running`: it was
 * paused, cancelled or ended. `superseded`: other senders have replaced this one. `threshold`: too many messages have
 * failed, or none was accepted. `budget`: the month's budget is used up. `trouble`: the provider asked for a long pause,
 * or its answers do not show whether it accepts messages (domain/provider-trouble.ts). `yielded`: another run waits for
 * the slot (slots.ts).
 */
export type SenderStop =
  | 'nothing_due'
  | 'not_running'
  | 'superseded'
  | 'threshold'
  | 'budget'
  | 'trouble'
  | 'deadline'
  | 'yielded'
  | 'shutdown';

/** A claim that has its own row in the database. */
export interface OpenClaim {
  id: number;
  /** How many of its messages have no durable outcome yet. */
  open: number;
}

/** A message that this sender has claimed. */
export interface Held {
  message: ClaimedMessage;
  claim: OpenClaim | null;
}

export interface SendResult extends Held {
  outcome: Outcome;
}

/** Wakes all waiters each time something has changed. */
export function createSignal() {
  let waiters: (() => void)[] = [];
  const notify = (): void => {
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  };
  return {
    notify,
    /** Waits until the next `notify`, or at most this long. */
    async wait(atMostMs?: number): Promise<void> {
      const timer = atMostMs === undefined ? undefined : setTimeout(notify, atMostMs);
      await new Promise<void>((resolve) => waiters.push(resolve));
      clearTimeout(timer);
    },
  };
}

/**
 * The state that the parts of a sender share: a message moves from `waiting` through the sends in flight to `results`,
 * and leaves when its outcome is durable.
 */
export function createFlow({ until, signal }: { until: Date; signal: AbortSignal }) {
  /** Notifies that outcomes may have to be written. */
  const outcomesReady = createSignal();
  /** Notifies that there may be room for another claim. */
  const roomFreed = createSignal();
  let stop: SenderStop | ProviderAccountError | ProviderUnavailableError | null = null;

  const flow = {
    outcomesReady,
    roomFreed,
    /** Claimed, and not handed over. */
    waiting: [] as Held[],
    /** The segments of these. */
    waitingSegments: 0,
    results: [] as SendResult[],
    /** When the first of the results began to wait, in `performance.now()` milliseconds. */
    resultsSince: 0,
    inFlight: 0,
    /** Claimed, and without a durable outcome. */
    held: 0,
    isClaiming: true,

    /** Why the sender stops; null while it runs. */
    why: (): typeof stop => stop,
    /** The first reason wins. */
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
    /** The next message to hand over. */
    takeNext(): Held | undefined {
      const next = flow.waiting.shift();
      if (next) flow.waitingSegments -= next.message.segments;
      return next;
    },
    /** The message was not handed over after all. */
    putBack(held: Held): void {
      flow.waiting.unshift(held);
      flow.waitingSegments += held.message.segments;
    },
    addResult(result: SendResult): void {
      if (flow.results.push(result) === 1) flow.resultsSince = performance.now();
    },
  };
  return flow;
}
export type Flow = ReturnType<typeof createFlow>;
