import type { Reservation } from '../db/providers/providers.ts';

/** Under a rate limit a claim holds what leaves in this time, so that campaigns that share the rate alternate often. */
const claimSpanMs = 250;
/** The next is made once the last messages leave within this time, so that a slow claim leaves no gap in the rate. */
const claimAheadMs = 500;
/** What can't leave within this time after its place in the rate has lost it: caught up later it would be a burst. */
export const lateMs = 25;
/** A provider without a limit is asked this often whether it has got one, or wants a pause. */
const lookMs = 200;
/** An answer that took so much longer than the fastest tells of a clock that was set, not of a slow way. */
const clockSetMs = 100;

/**
 * A sender's part of its provider's rate: how much to claim when, and the place of each message, as an instant in
 * `performance.now()` milliseconds; null: no limit. `reserve` takes so many segments of the rate (db/providers/providers.ts).
 */
export function createPace(reserve: (segments: number) => Promise<Reservation>) {
  let ratePerSecond: number | null = null;
  /** Of the last claim: campaigns share a rate by segments. */
  let segmentsEach = 1;
  let leavesUntil = 0;
  let lookAt = 0;
  /** What to add to the database's clock. Taken from the fastest answer, as a slow one would put all its places off. */
  let clockOffset = Infinity;

  const start = ({ clock, waitMs }: Reservation, now: number): number => {
    const offset = now - clock;
    if (offset < clockOffset || offset > clockOffset + clockSetMs) clockOffset = offset;
    return Math.max(clock + waitMs + clockOffset, leavesUntil, now);
  };

  return {
    /** Call it before the first claim: without, that would reserve minutes of a slow provider's rate. */
    async look(): Promise<void> {
      ({ ratePerSecond } = await reserve(0));
    },

    /** How many messages to claim, of at most `most`. */
    claimSize(most: number): number {
      if (ratePerSecond === null) return most;
      return Math.max(1, Math.min(most, Math.ceil((ratePerSecond * claimSpanMs) / 1000 / segmentsEach)));
    },

    /** So long the next claim has time. */
    claimInMs: (): number =>
      ratePerSecond === null ? 0 : Math.max(0, leavesUntil - performance.now() - claimAheadMs),

    /** Reserves the places of these messages, behind all that were placed before. */
    async place(messages: readonly { segments: number }[]): Promise<(number | null)[]> {
      if (ratePerSecond === null && performance.now() < lookAt) return messages.map(() => null);
      const segments = messages.reduce((sum, message) => sum + message.segments, 0);
      const reservation = await reserve(segments);
      const now = performance.now();
      lookAt = now + lookMs;
      const rate = reservation.ratePerSecond;
      ratePerSecond = rate;
      // A provider without a limit may want a pause all the same.
      if (rate === null) return messages.map(() => (reservation.waitMs > 0 ? start(reservation, now) : null));
      segmentsEach = segments / messages.length;
      leavesUntil = start(reservation, now);
      return messages.map((message) => {
        const at = leavesUntil;
        leavesUntil += (message.segments / rate) * 1000;
        return at;
      });
    },
  };
}
export type Pace = ReturnType<typeof createPace>;
