/** A message that is later than this has missed its slot in the rate: sending it late would be a burst. */
const lateMs = 25;

interface Stretch {
  from: number;
  until: number;
  ratePerSecond: number;
}

/**
 * The intervals of a provider's rate that this process has reserved (`reserveRate`). Messages use them in order, each
 * as much as its segments need. Instants are `performance.now()` milliseconds.
 */
export function createTimeLine() {
  let stretches: Stretch[] = [];
  /** Segments sent before their interval was reserved: a message is not divided. */
  let owed = 0;

  const use = (segments: number): void => {
    owed += segments;
    for (let first = stretches[0]; first && owed > 0; first = stretches[0]) {
      const left = ((first.until - first.from) * first.ratePerSecond) / 1000;
      if (owed < left) {
        first.from += (owed / first.ratePerSecond) * 1000;
        owed = 0;
        return;
      }
      owed -= left;
      stretches.shift();
    }
    // A remainder of a floating-point division is not a segment.
    if (owed < 1e-6) owed = 0;
  };

  return {
    add({ from, segments, ratePerSecond }: { from: number; segments: number; ratePerSecond: number }): void {
      stretches.push({ from, until: from + (segments / ratePerSecond) * 1000, ratePerSecond });
      use(0);
    },

    /** When the next message may leave; null: nothing is reserved. An interval that was not used in time is lost. */
    next(now: number): number | null {
      for (let first = stretches[0]; first; first = stretches[0]) {
        first.from = Math.max(first.from, now - lateMs);
        if (first.from < first.until) return first.from;
        stretches.shift();
      }
      return null;
    },

    use,

    /** The segments that are reserved and not used. */
    segments: (): number =>
      stretches.reduce(
        (sum, { from, until, ratePerSecond }) => sum + ((until - from) * ratePerSecond) / 1000,
        0,
      ) - owed,

    /** The end of the reserved time; 0: nothing is reserved. */
    end: (): number => stretches.at(-1)?.until ?? 0,

    clear(): void {
      stretches = [];
      owed = 0;
    },
  };
}
