import type { FastifyBaseLogger } from 'fastify';

const longestRetryMs = 60_000;

export interface OutboxOptions<K> {
  /** State in the database that Temporal may not have yet. */
  find: () => Promise<Iterable<K>>;
  /** Delivers one item to Temporal. Idempotent. */
  deliver: (key: K) => Promise<void>;
  log: FastifyBaseLogger;
  /** The name of the undelivered items in the log. */
  what: string;
  /** Concurrent deliveries. */
  concurrency: number;
  /** How often to search for more; null: only on request. */
  checkEveryMs: number | null;
  firstRetryMs?: number;
}

/**
 * Delivers row changes to Temporal. The row is written first, and is the source of truth: a change that could not be
 * delivered then, because Temporal or this process was unavailable, is delivered later. Failed deliveries are retried
 * after 2 seconds, then less and less often, down to once a minute.
 */
export function createOutbox<K>({
  find,
  deliver,
  log,
  what,
  concurrency,
  checkEveryMs,
  firstRetryMs = 2_000,
}: OutboxOptions<K>) {
  const owed = new Set<K>();
  let isLookOwed = false;
  let delivering: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let retryMs = firstRetryMs;
  let isClosed = false;

  /** The items that are due now, each once. */
  const deliverOwed = async (): Promise<void> => {
    const waiting = [...owed];
    let hasFailed = false;
    const deliverSome = async (): Promise<void> => {
      // After one failure the others would time out, too: usually Temporal is unavailable.
      for (let key = waiting.shift(); key !== undefined && !hasFailed && !isClosed; key = waiting.shift()) {
        owed.delete(key);
        try {
          await deliver(key);
        } catch (error) {
          hasFailed = true;
          // Moved to the end, in case this one alone is the problem.
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
      log.warn({ err: error, owed: owed.size }, `Not delivered to Temporal yet: ${what}`);
    }
    delivering = null;
    if (isDone) {
      retryMs = firstRetryMs;
      if (checkEveryMs !== null) goAfter(checkEveryMs, true);
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
    /** Delivers these in the background, until it succeeds. Call it once their rows are committed. */
    add(keys: Iterable<K>): void {
      for (const key of keys) owed.add(key);
      if (owed.size > 0) go();
    },

    /** Delivers one at once. False: Temporal is unavailable now, and it is delivered later. */
    async deliver(key: K): Promise<boolean> {
      try {
        await deliver(key);
        owed.delete(key);
        return true;
      } catch (error) {
        log.warn({ err: error, owed: owed.size }, `Not delivered to Temporal yet: ${what}`);
        owed.add(key);
        if (!delivering) goAfter(retryMs, false);
        return false;
      }
    },

    /** Delivers everything that `find` returns, in the background. */
    look(): void {
      isLookOwed = true;
      go();
    },

    /** Whether a requested search has not succeeded yet. */
    isLooking: (): boolean => isLookOwed,

    async close(): Promise<void> {
      isClosed = true;
      if (timer) clearTimeout(timer);
      await delivering;
    },
  };
}
