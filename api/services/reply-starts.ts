import type { FastifyBaseLogger } from 'fastify';
import type { Sql } from '../../db/core/client.ts';
import { unhandledReplyIds } from '../../db/replies/replies.ts';
import { createOutbox } from './outbox.ts';
import type { Temporal } from './temporal.ts';

const idsPerQuery = 1_000;

/** Has every reply handled by a workflow of its own: those that come, and those that nobody has handled (outbox.ts). */
export function createReplyStarts({
  sql,
  temporal,
  log,
  lookEveryMs = 60_000,
  firstRetryMs,
}: {
  sql: Sql;
  temporal: Pick<Temporal, 'startReply'>;
  log: FastifyBaseLogger;
  lookEveryMs?: number;
  firstRetryMs?: number;
}) {
  /** Temporal has these; a look forgets those that are handled. */
  let started = new Set<number>();

  const findUnstarted = async (): Promise<number[]> => {
    const unhandled = new Set<number>();
    for (let after = 0, more = true; more;) {
      const ids = await unhandledReplyIds(sql, { after, limit: idsPerQuery });
      for (const id of ids) unhandled.add(id);
      more = ids.length === idsPerQuery;
      after = ids.at(-1) ?? 0;
    }
    started = new Set([...started].filter((id) => unhandled.has(id)));
    return [...unhandled].filter((id) => !started.has(id));
  };

  const outbox = createOutbox<number>({
    find: findUnstarted,
    async deliver(id) {
      await temporal.startReply(id);
      started.add(id);
    },
    log,
    what: 'replies',
    // Some hundred a second, and no more than that of a server that is slow.
    concurrency: 8,
    lookEveryMs,
    ...(firstRetryMs === undefined ? {} : { firstRetryMs }),
  });

  return {
    /** Call once these replies are committed. Returns at once. */
    start: (ids: readonly number[]): void => outbox.add(ids),
    /** Finds what is left from before, now and from now on. */
    lookRegularly: (): void => outbox.look(),
    /** Temporal has lost what it was told: all that nobody has handled is started again. */
    startAgain(): void {
      started = new Set();
      outbox.look();
    },
    close: (): Promise<void> => outbox.close(),
  };
}
export type ReplyStarts = ReturnType<typeof createReplyStarts>;
