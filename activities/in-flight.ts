import { probeInFlight } from './provider-health.ts';

/** Up to this many, latency is ignored: on a fast connection it measures our own process rather than the provider. */
const alwaysFine = 50;
/** The latency is stable while answers take at most this multiple of the recent minimum. */
const holdsBelow = 2;
/** When the mean answer takes this multiple of the minimum, answers wait in a queue of the provider, or in ours. */
const queuesAbove = 4;
/** The minimum expires after two of these spans: a connection that became slower is not a queue. */
const spanMs = 15_000;
/** The weight of each answer in the mean. */
const weight = 0.05;

/**
 * How many sends a sender keeps in flight. By Little's law a rate needs as many as rate times latency: with 150 ms, 50
 * in flight are at most 333 a second, and 5,000 a second need 750.
 *
 * - It begins with four. The first answer raises it to 50. Then it doubles with each round of answers, as long as half
 *   of them are used and the latency is stable; after the first decrease it grows by one in each round.
 * - It shrinks by a tenth when answers queue, and by half when the provider asks to slow down or does not answer; at
 *   most once in a round, because all sends that were in flight report the same problem.
 *
 * The idea is that of TCP Vegas and of Netflix's concurrency-limits (https://github.com/Netflix/concurrency-limits).
 * Times are in milliseconds, from one monotonic clock.
 */
export function createInFlightLimit() {
  let limit = probeInFlight;
  let hasAnswered = false;
  let hasShrunk = false;
  /**
   * The most in flight in this round, and when. Under a rate limit a sender hands over its messages in bursts, and few
   * are in flight when the answers arrive.
   */
  let peak = 0;
  let peakAt = -Infinity;
  let mean = 0;
  let fastest = Infinity;
  let fastestBefore = Infinity;
  let spanEnds = 0;
  /** A message handed over before this reports no new problem. */
  let roundBegan = 0;

  const shrink = (now: number, share: number, atLeast: number): void => {
    hasShrunk = true;
    roundBegan = now;
    const used = peak === 0 ? limit : Math.min(peak, limit);
    limit = Math.max(Math.min(limit, atLeast), used * share);
  };

  return {
    limit: (): number => Math.floor(limit),

    /** The recent mean; 0 before the first answer. */
    latencyMs: (): number => mean,

    /** A message is handed over; `inFlight` includes it. */
    handedOver({ now, inFlight }: { now: number; inFlight: number }): void {
      if (inFlight < peak) return;
      peak = inFlight;
      peakAt = now;
    },

    /** The provider returned a clear answer. */
    answered({ handedOverAt, now }: { handedOverAt: number; now: number }): void {
      const latency = now - handedOverAt;
      mean = mean === 0 ? latency : mean + weight * (latency - mean);
      if (now > spanEnds) {
        fastestBefore = fastest;
        fastest = Infinity;
        spanEnds = now + spanMs;
      }
      fastest = Math.min(fastest, latency);
      const least = Math.min(fastest, fastestBefore);
      const isFine = limit < alwaysFine || latency <= holdsBelow * least;
      if (peakAt < handedOverAt) peak = 0;
      if (!hasAnswered && !hasShrunk) limit = alwaysFine;
      else if (isFine && peak >= limit / 2) limit += hasShrunk && limit >= alwaysFine ? 1 / limit : 1;
      else if (limit > alwaysFine && mean > queuesAbove * least && handedOverAt >= roundBegan)
        shrink(now, 0.9, alwaysFine);
      hasAnswered = true;
    },

    /** The provider asked to slow down, or did not answer in time. */
    troubled({ handedOverAt, now }: { handedOverAt: number; now: number }): void {
      if (handedOverAt >= roundBegan) shrink(now, 0.5, probeInFlight);
    },
  };
}
