import type { FastifyBaseLogger } from 'fastify';
import { createOutbox } from './outbox.ts';

const idsPerQuery = 1_000;

export interface StartsOptions {
  log: FastifyBaseLogger;
  checkEveryMs?: number;
  firstRetryMs?: number;
}

/** Starts a workflow for each row that needs one: the new ones, and those that a search finds (outbox.ts). */
export function createWorkflowStarts({
  find,
  start,
  log,
  what,
  checkEveryMs = 60_000,
  firstRetryMs,
}: {
  /** The ids of the next rows whose workflow has not done its work, in their order. */
  find: (page: { after: number; limit: number }) => Promise<number[]>;
  /** Idempotent. */
  start: (id: number) => Promise<void>;
  /** The name of the rows in the log. */
  what: string;
} & StartsOptions) {
  /** Temporal has these; a search removes those whose work is done. */
  let started = new Set<number>();

  const findUnstarted = async (): Promise<number[]> => {
    const undone = new Set<number>();
    for (let after = 0, more = true; more;) {
      const ids = await find({ after, limit: idsPerQuery });
      for (const id of ids) undone.add(id);
      more = ids.length === idsPerQuery;
      after = ids.at(-1) ?? 0;
    }
    started = new Set([...started].filter((id) => undone.has(id)));
    return [...undone].filter((id) => !started.has(id));
  };

  const outbox = createOutbox<number>({
    find: findUnstarted,
    async deliver(id) {
      await start(id);
      started.add(id);
    },
    log,
    what,
    // Some hundred per second; fewer on a slow server.
    concurrency: 8,
    checkEveryMs,
    ...(firstRetryMs === undefined ? {} : { firstRetryMs }),
  });

  return {
    /** Call once these rows are committed. Returns at once. */
    start: (ids: readonly number[]): void => outbox.add(ids),
    /** Finds rows without a workflow, at the start and periodically. */
    lookRegularly: (): void => outbox.look(),
    /** Temporal has lost its data: starts all workflows again. */
    startAgain(): void {
      started = new Set();
      outbox.look();
    },
    close: (): Promise<void> => outbox.close(),
  };
}
