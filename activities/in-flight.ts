import { probeInFlight } from './provider-health.ts';

/** Up to so many, latency is not looked at: on a fast way it says more of our own process than of the provider. */
const alwaysFine = 50;
/** The latency holds while answers take at most this many times the fastest of late. */
const holdsBelow = 2;
/** Answers that take so many times the fastest, in the mean, wait in a queue of the provider, or of ours. */
const queuesAbove = 4;
/** The fastest answer is forgotten after two of these spans: a way that has become slower is no queue. */
const spanMs = 15_000;
/** Of the mean, what each answer adds. */
const weight = 0.05;

/**
 * How many sends a sender keeps in flight. By Little's law a rate needs as many as rate times latency: with 150 ms, 50 in
 * flight are 333 a second at most, and 5,000 a second need 750.
 *
 * - It doubles with each round of answers, as long as all are used and the latency holds; after it had to shrink once it
 *   grows by one in each round.
 * - It shrinks by a tenth when answers queue, and by half when the provider asks to slow down or does not answer; once in a
 *   round, as all that was under way says the same.
 *
 * The idea is that of TCP Vegas and of Netflix's concurrency-limits (https://github.com/Netflix/concurrency-limits).
 * Times are in milliseconds, of one steady clock.
 */
export function createInFlightLimit() {
  let limit = probeInFlight;
  let hasShrunk = false;
  let mean = 0;
  let fastest = Infinity;
  let fastestBefore = Infinity;
  let spanEnds = 0;
  /** What was handed over before this says nothing new about trouble. */
  let roundBegan = 0;

  const shrink = (now: number, share: number, atLeast: number): void => {
    hasShrunk = true;
    roundBegan = now;
    limit = Math.max(Math.min(limit, atLeast), limit * share);
  };

  return {
    limit: (): number => Math.floor(limit),

    /** The provider has answered clearly. `inFlight`: with the one that it answers. */
    answered({ handedOverAt, now, inFlight }: { handedOverAt: number; now: number; inFlight: number }): void {
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
      if (isFine && inFlight >= 0.9 * Math.floor(limit))
        limit += hasShrunk && limit >= alwaysFine ? 1 / limit : 1;
      else if (limit > alwaysFine && mean > queuesAbove * least && handedOverAt >= roundBegan)
        shrink(now, 0.9, alwaysFine);
    },

    /** It asked to slow down, or gave no answer in time. */
    troubled({ handedOverAt, now }: { handedOverAt: number; now: number }): void {
      if (handedOverAt >= roundBegan) shrink(now, 0.5, probeInFlight);
    },
  };
}
