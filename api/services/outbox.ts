import type { FastifyBaseLogger } from 'fastify';

const longestRetryMs = 60_000;

export interface OutboxOptions<K> {
  /** What the database knows and Temporal may not. */
  find: () => Promise<Iterable<K>>;
  /** Tells Temporal of one. Idempotent. */
  deliver: (key: K) => Promise<void>;
  log: FastifyBaseLogger;
  /** What Temporal does not know yet, in the log's words. */
  what: string;
  /** Deliveries under way at once. */
  concurrency: number;
  /** How often to look for more; null: only when asked. */
  lookEveryMs: number | null;
  firstRetryMs?: number;
}

/**
 * Tells Temporal what it has to know of rows. A row is written first, and is the truth: what Temporal was not told then,
 * because it or this process was away, is delivered later. Deliveries that fail are repeated after 2 seconds, then less and
 * less often, until one each minute.
 */
export function createOutbox<K>({
  find,
  deliver,
  log,
  what,
  concurrency,
  lookEveryMs,
  firstRetryMs = 2_000,
}: OutboxOptions<K>) {
  const owed = new Set<K>();
  let isLookOwed = false;
  let delivering: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let retryMs = firstRetryMs;
  let isClosed = false;

  /** Each that is owed now, once. */
  const deliverOwed = async (): Promise<void> => {
    const waiting = [...owed];
    let hasFailed = false;
    const deliverSome = async (): Promise<void> => {
      // After one failure the others would wait for their time-outs, too: most often Temporal is away.
      for (let key = waiting.shift(); key !== undefined && !hasFailed && !isClosed; key = waiting.shift()) {
        owed.delete(key);
        try {
          await deliver(key);
        } catch (error) {
          hasFailed = true;
          // At the end now, if it should be this one alone.
          owed.add(key);
          throw error;
        }
      }
    };
    const results = await Promise.allSettled(Array.from({ length: concurrency }, deliverSome));
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  };

  const round = async (): Promise<void> => {
    let isDone = false;
    try {
      do {
        if (isLookOwed) for (const key of await find()) owed.add(key);
        isLookOwed = false;
        await deliverOwed();
      } while (owed.size > 0 && !isClosed);
      isDone = true;
    } catch (error) {
      log.warn({ err: error, owed: owed.size }, `Temporal does not know yet of ${what}`);
    }
    delivering = null;
    if (isDone) {
      retryMs = firstRetryMs;
      if (lookEveryMs !== null) goAfter(lookEveryMs, true);
    } else {
      goAfter(retryMs, false);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    }
  };

  const go = (): void => {
    if (!isClosed) delivering ??= round();
  };

  const goAfter = (ms: number, withLook: boolean): void => {
    if (timer) clearTimeout(timer);
    if (isClosed) return;
    timer = setTimeout(() => {
      isLookOwed ||= withLook;
      go();
    }, ms);
    timer.unref();
  };

  return {
    /** Delivers these in the background, until it has succeeded. Call it once their rows are committed. */
    add(keys: Iterable<K>): void {
      for (const key of keys) owed.add(key);
      if (owed.size > 0) go();
    },

    /** Delivers one at once. False: Temporal can't be told now, and will be told later. */
    async deliver(key: K): Promise<boolean> {
      try {
        await deliver(key);
        owed.delete(key);
        return true;
      } catch (error) {
        log.warn({ err: error, owed: owed.size }, `Temporal does not know yet of ${what}`);
        owed.add(key);
        if (!delivering) goAfter(retryMs, false);
        return false;
      }
    },

    /** Delivers all that `find` finds, in the background. */
    look(): void {
      isLookOwed = true;
      go();
    },

    /** Whether a look was asked for and has not succeeded yet. */
    isLooking: (): boolean => isLookOwed,

    async close(): Promise<void> {
      isClosed = true;
      if (timer) clearTimeout(timer);
      await delivering;
    },
  };
}
