import type { Database } from '../db/core/client.ts';
import { confirmLane } from '../db/providers/lanes.ts';
import { type Reservation, reserveRate } from '../db/providers/providers.ts';
import { doubtsAllowed, longestPauseInSenderMs } from '../domain/provider-trouble.ts';
import { createSignal } from './sender-flow.ts';
import { createTimeLine } from './time-line.ts';

/** A reservation is at most this much of the rate, so that processes that share it alternate often. */
const reserveSpanMs = 250;
/** The next reservation is made this long before the last one ends, so that a slow statement leaves no gap. */
const aheadMs = 500;
/** For a provider without a limit, this is how often we check whether it now has a limit or wants a pause. */
const lookMs = 200;
/** What is known of a provider expires after this time. */
const knownMs = 2_000;
/** How often the lane confirms that it sends, and reads its share of what may be in flight. */
const confirmMs = 1_000;
/** The wait after a failed statement. */
const retryMs = 200;
/** An answer slower than the fastest by this much means that a clock was adjusted, not that the connection is slow. */
const clockSetMs = 100;
/** The fastest answer is used for this long: clocks drift. */
const clockSpanMs = 60_000;

/** The interface of a sender to its lane. */
export interface LaneSender {
  /** The next message to send; null if none may leave now. The sender calls `wake` when that changes. */
  next: () => { segments: number; /** Its part of the rate is already reserved. */ isPaid?: boolean } | null;
  /** Sends that message now. Call `done` once it is answered. */
  leave: () => void;
  /** The number of segments that wait in this sender. */
  waiting: () => number;
  /** `pause`: the provider wants a long pause. `doubt`: its answers leave the outcome of its messages unknown. */
  onProviderTrouble: (what: 'pause' | 'doubt') => void;
}

/**
 * The order of first messages: an answer to a customer goes first, then a run that a user waits for, then any other
 * run. All later messages take turns.
 */
export type Urgency = 'user' | 'first' | null;
const headStarts = { answer: -3e15, user: -2e15, first: -1e15 };

interface Member {
  sender: LaneSender;
  /** Segments sent, as if all senders had begun together. The sender with the fewest goes first. */
  served: number;
  hasLeft: boolean;
}

/**
 * Everything that this process sends through one provider. Its senders share what the database assigns to the process:
 * intervals of the provider's rate, and a part of its `maxInFlight`. They take turns by segments, whatever the number
 * of senders.
 */
export function createLane({
  reserve,
  confirm,
}: {
  reserve: (segments: number) => Promise<Reservation>;
  confirm: (senders: number) => Promise<{ inFlight: number; senders: number }>;
}) {
  const members = new Set<Member>();
  /** Senders that may have a message to send. */
  const ready = new Set<Member>();
  const line = createTimeLine();
  let share = { inFlight: 0, senders: 1 };
  let confirmedAt = -Infinity;
  let inFlight = 0;
  /** How much was sent for each active sender. */
  let served = 0;
  let ratePerSecond: number | null = null;
  let lookedAt = -Infinity;
  /** No message leaves before this time: the provider asked for a pause. */
  let heldUntil = 0;
  /** The offset to the database's clock. Taken from the fastest answer, because a slow one would shift all slots. */
  let clockOffset = Infinity;
  let clockSpanEnds = 0;
  let asking: Promise<void> | null = null;
  /** The database failed. We query it again at this time. */
  let askAgainAt = 0;
  let confirming: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;
  let ticking: NodeJS.Timeout | undefined;

  const pumpAt = (at: number): void => {
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(
      () => {
        timerAt = Infinity;
        pump();
      },
      Math.max(0, at - performance.now()),
    );
  };

  /** Reserves this many segments, and reads what the provider wants. */
  const ask = (segments: number): Promise<void> => {
    if (performance.now() < askAgainAt) {
      pumpAt(askAgainAt);
      return Promise.resolve();
    }
    asking ??= reserve(segments)
      .then(
        (answer) => {
          const now = performance.now();
          lookedAt = now;
          const offset = now - answer.clock;
          if (offset < clockOffset || offset > clockOffset + clockSetMs || now > clockSpanEnds) {
            clockOffset = offset;
            clockSpanEnds = now + clockSpanMs;
          }
          ratePerSecond = answer.ratePerSecond;
          const heldMs = Math.min(answer.heldMs, longestPauseInSenderMs);
          if (heldMs > 0) heldUntil = Math.max(heldUntil, now + heldMs);
          if (ratePerSecond === null) line.clear();
          else if (segments > 0) {
            const from = Math.max(answer.clock + answer.waitMs + clockOffset, now);
            line.add({ from, segments, ratePerSecond });
          }
          const isPaused = answer.heldMs > longestPauseInSenderMs;
          // It is reserved again once the pause is over or lifted.
          if (isPaused) line.clear();
          if (isPaused || answer.doubts >= doubtsAllowed)
            for (const { sender } of [...members]) sender.onProviderTrouble(isPaused ? 'pause' : 'doubt');
        },
        () => {
          askAgainAt = performance.now() + retryMs;
        },
      )
      .finally(() => {
        asking = null;
        pump();
      });
    return asking;
  };

  const confirmNow = (): Promise<void> => {
    confirming ??= confirm(members.size)
      .then(
        (answer) => {
          share = answer;
          confirmedAt = performance.now();
        },
        // The next tick asks again.
        () => undefined,
      )
      .finally(() => {
        confirming = null;
        pump();
      });
    return confirming;
  };

  /** The ready sender that was served least. */
  const first = (): Member | undefined => {
    let least: Member | undefined;
    for (const member of ready) if (!least || member.served < least.served) least = member;
    return least;
  };

  /** Reads the provider's state, or reserves for waiting messages, ahead of time. */
  const askAhead = (now: number): void => {
    if (asking || ready.size === 0) return;
    if (ratePerSecond === null) {
      if (now - lookedAt >= lookMs) void ask(0);
      return;
    }
    // Reserving what cannot be sent would waste it for others.
    if (inFlight >= share.inFlight) return;
    let wanted = -line.segments();
    for (const { sender } of members) wanted += sender.waiting();
    if (wanted < 1e-6) return;
    const due = line.end() - aheadMs;
    if (due > now) {
      pumpAt(due);
      return;
    }
    const all = Math.max(members.size, share.senders);
    const most = Math.ceil((ratePerSecond * reserveSpanMs * members.size) / 1000 / all);
    void ask(Math.ceil(Math.min(wanted, Math.max(1, most))));
  };

  /** Sends every message that may leave now. */
  const pump = (): void => {
    while (inFlight < share.inFlight) {
      const now = performance.now();
      if (now - lookedAt > knownMs) {
        if (ready.size > 0) void ask(0);
        return;
      }
      if (heldUntil - now > 0.5) {
        if (ready.size > 0) pumpAt(heldUntil);
        return;
      }
      const member = first();
      if (!member) return;
      const message = member.sender.next();
      if (!message) {
        ready.delete(member);
        continue;
      }
      if (ratePerSecond !== null && message.isPaid !== true) {
        const at = line.next(now);
        if (at === null) break;
        if (at - now > 0.5) {
          pumpAt(at);
          break;
        }
        line.use(message.segments);
      }
      if (member.hasLeft) served = member.served;
      else member.hasLeft = true;
      member.served = served + message.segments;
      inFlight++;
      member.sender.leave();
    }
    askAhead(performance.now());
  };

  const join = (sender: LaneSender, urgency: Urgency | 'answer') => {
    const member: Member = {
      sender,
      served: urgency === null ? served : headStarts[urgency],
      hasLeft: urgency === null,
    };
    members.add(member);
    if (performance.now() - confirmedAt > confirmMs) void confirmNow();
    ticking ??= setInterval(() => void confirmNow(), confirmMs);
    const wake = (): void => {
      if (!ready.has(member)) {
        // A sender that was idle gets no extra share for that time.
        if (member.hasLeft) member.served = Math.max(member.served, served);
        ready.add(member);
      }
      pump();
    };
    return {
      /** The sender may have a message to send. */
      wake,
      /** One of its messages was answered. */
      done: (): void => {
        inFlight--;
        wake();
      },
      quit: (): void => {
        members.delete(member);
        ready.delete(member);
        if (members.size > 0) return;
        clearInterval(ticking);
        clearTimeout(timer);
        ticking = undefined;
        timerAt = Infinity;
      },
    };
  };

  return {
    join,

    /** Call it before the first claim. Otherwise that claim is too large for a slow provider. */
    async look(): Promise<void> {
      if (performance.now() - lookedAt > lookMs) await ask(0);
    },

    /** The number of this process's senders. */
    senders: (): number => members.size,

    /** How many messages this process may have in flight. */
    inFlight: (): number => share.inFlight,

    /** How many segments a sender may have waiting, as its part of the rate; null: no limit. */
    appetite: (): { claim: number; waiting: number } | null => {
      if (ratePerSecond === null) return null;
      const each = ratePerSecond / Math.max(members.size, share.senders) / 1000;
      return { claim: each * reserveSpanMs, waiting: each * aheadMs };
    },

    /** The provider asks everyone that sends through it for a pause. */
    hold(ms: number): void {
      heldUntil = Math.max(heldUntil, performance.now() + Math.min(ms, longestPauseInSenderMs));
    },

    /**
     * Waits for the turn of a single message; call the returned function once it is answered. Null if the turn did not
     * come before `until` aborts, or if the provider wants a long pause. Rejects when `signal` aborts.
     */
    async turn(
      segments: number,
      {
        urgency,
        until,
        signal,
      }: {
        /** `answer`: the caller has reserved its part of the rate (`reserveAnswerRate`). */
        urgency: Urgency | 'answer';
        until: AbortSignal;
        signal: AbortSignal;
      },
    ): Promise<(() => void) | null> {
      signal.throwIfAborted();
      const isPaid = urgency === 'answer';
      const changed = createSignal();
      let state: 'waits' | 'left' | 'gave_up' = 'waits';
      const is = (one: typeof state): boolean => state === one;
      const enter = (next: 'left' | 'gave_up'): void => {
        if (is('waits')) state = next;
        changed.notify();
      };
      const giveUp = (): void => enter('gave_up');
      const member = join(
        {
          next: () => (is('waits') ? { segments: isPaid ? 0 : segments, isPaid } : null),
          leave: () => enter('left'),
          waiting: () => (is('waits') && !isPaid ? segments : 0),
          onProviderTrouble: (what) => {
            if (what === 'pause') giveUp();
          },
        },
        urgency,
      );
      const ends = AbortSignal.any([signal, until]);
      ends.addEventListener('abort', giveUp, { once: true });
      member.wake();
      if (is('waits') && !until.aborted) await changed.wait();
      giveUp();
      ends.removeEventListener('abort', giveUp);
      const end = (): void => {
        if (is('left')) member.done();
        member.quit();
      };
      if (is('left') && !signal.aborted) return end;
      end();
      signal.throwIfAborted();
      return null;
    },
  };
}
export type Lane = ReturnType<typeof createLane>;

/** The lanes of a worker process, one for each provider that it has sent through. */
export function createLanes({ sql, worker }: { sql: Database; worker: string }) {
  const lanes = new Map<number, Lane>();
  return (providerId: number): Lane => {
    const lane =
      lanes.get(providerId) ??
      createLane({
        reserve: (segments) => reserveRate(sql, providerId, segments),
        confirm: (senders) => confirmLane(sql, { providerId, worker, senders }),
      });
    lanes.set(providerId, lane);
    return lane;
  };
}
export type Lanes = ReturnType<typeof createLanes>;
