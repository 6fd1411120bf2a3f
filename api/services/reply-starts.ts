import type { FastifyBaseLogger } from 'fastify';
import type { Sql } from '../../db/core/client.ts';
import { unhandledReplyIds } from '../../db/replies/replies.ts';
import type { Temporal } from './temporal.ts';

/** Starts under way at once: some hundred a second, and no more than that of a server that is slow. */
const startsAtOnce = 8;
const longestRetryMs = 60_000;
const idsPerQuery = 1_000;

/**
 * Has every reply handled. The row is written first, and is the truth: what Temporal was not told when the reply came,
 * because it or this process was away, is found there at the start of the API and every `lookEveryMs`.
 */
export function createReplyStarts({
  sql,
  temporal,
  log,
  lookEveryMs = 60_000,
  firstRetryMs = 2_000,
}: {
  sql: Sql;
  temporal: Pick<Temporal, 'startReply'>;
  log: FastifyBaseLogger;
  lookEveryMs?: number;
  firstRetryMs?: number;
}) {
  const owed = new Set<number>();
  /** Temporal has these; a look forgets those that are handled. */
  let told = new Set<number>();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let retryMs = firstRetryMs;
  let closed = false;

  /** Starts what is owed. False: one failed. Temporal is away, and each of the others would wait for its time-out, too. */
  const startOwed = async (): Promise<boolean> => {
    const waiting = [...owed];
    let failed = false;
    const starter = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined && !failed && !closed; id = waiting.shift()) {
        try {
          await temporal.startReply(id);
          owed.delete(id);
          told.add(id);
        } catch (error) {
          failed = true;
          // To the end, if it should be this one alone.
          owed.delete(id);
          owed.add(id);
          log.warn({ err: error, replies: owed.size }, 'Temporal does not know yet of replies');
        }
      }
    };
    await Promise.all(Array.from({ length: startsAtOnce }, starter));
    return !failed;
  };

  const settle = async (): Promise<void> => {
    let known: boolean;
    do known = await startOwed();
    while (known && owed.size > 0 && !closed);
    running = null;
    lookAfter(known ? lookEveryMs : retryMs);
    retryMs = known ? firstRetryMs : Math.min(longestRetryMs, retryMs * 2);
  };

  /** All that nobody has handled and Temporal has not been told of by us. */
  const look = async (): Promise<void> => {
    try {
      const unhandled = new Set<number>();
      for (let after = 0, more = true; more;) {
        const ids = await unhandledReplyIds(sql, { after, limit: idsPerQuery });
        for (const id of ids) unhandled.add(id);
        more = ids.length === idsPerQuery;
        after = ids.at(-1) ?? 0;
      }
      told = new Set([...told].filter((id) => unhandled.has(id)));
      for (const id of unhandled) if (!told.has(id)) owed.add(id);
    } catch (error) {
      log.warn({ err: error }, 'Replies that wait could not be read');
    }
    go();
  };

  const go = (): void => {
    if (!closed) running ??= settle();
  };

  const lookAfter = (ms: number): void => {
    if (timer) clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => void look(), ms);
    timer.unref();
  };

  return {
    /** Call once these replies are committed. Returns at once. */
    start(ids: readonly number[]): void {
      for (const id of ids) owed.add(id);
      if (owed.size > 0) go();
    },

    /** Finds what is left from before, now and from now on. */
    lookRegularly(): void {
      void look();
    },

    /** Temporal has lost what it was told: all that nobody has handled is started again. */
    startAgain(): void {
      told = new Set();
      void look();
    },

    async close(): Promise<void> {
      closed = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
}
export type ReplyStarts = ReturnType<typeof createReplyStarts>;
