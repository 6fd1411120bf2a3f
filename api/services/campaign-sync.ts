import type { FastifyBaseLogger } from 'fastify';
import { enabledCampaignIds, getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { isPostingEnabled } from '../../db/tickets/posts.ts';
import { ApiError } from '../http/errors.ts';
import type { Temporal } from './temporal.ts';

const firstRetryMs = 2_000;
const longestRetryMs = 60_000;
/** One small request each time. */
const watchMs = 60_000;

/**
 * Keeps the workflows of campaigns and of ticket posts true to their rows. The row is changed first, and is the truth; if Temporal can't be
 * told at once it is told later, from here or by the next start of the API.
 */
export function createCampaignSync({
  sql,
  temporal,
  log,
}: {
  sql: Sql;
  temporal: Temporal;
  log: FastifyBaseLogger;
}) {
  const owed = new Set<number>();
  let all = false;
  /** Whether the workflow that posts tickets is to be told, too. */
  let postsOwed = false;
  let timer: NodeJS.Timeout | null = null;
  let retryMs = firstRetryMs;
  let closed = false;
  let watching: NodeJS.Timeout | null = null;

  const tell = async (id: number): Promise<void> => {
    const row = await getCampaign(sql, id);
    if (row) await temporal.syncCampaign({ id, name: row.definition.name });
    owed.delete(id);
  };

  const tellTicketPosts = async (): Promise<void> => {
    await temporal.syncTicketPosts();
    postsOwed = false;
  };

  const retryLater = (error: unknown): void => {
    log.warn(
      { err: error, campaigns: owed.size },
      'Temporal does not know yet of campaigns or settings that changed',
    );
    if (closed || timer) return;
    timer = setTimeout(() => {
      timer = null;
      void settle();
    }, retryMs);
    timer.unref();
    retryMs = Math.min(longestRetryMs, retryMs * 2);
  };

  const settle = async (): Promise<void> => {
    let failure: unknown = null;
    try {
      if (all) {
        for (const id of await enabledCampaignIds(sql)) owed.add(id);
        postsOwed ||= await isPostingEnabled(sql);
        await temporal.syncSchedules();
        all = false;
      }
      if (postsOwed && !closed) await tellTicketPosts();
    } catch (error) {
      failure = error;
    }
    for (const id of [...owed]) {
      // Temporal is away: each of the others would wait for its time-out, too.
      if (closed || failure instanceof ApiError) break;
      await tell(id).catch((error: unknown) => {
        failure = error;
      });
    }
    if (failure === null) retryMs = firstRetryMs;
    else retryLater(failure);
  };

  return {
    /** Tells the campaign's workflow to look at its row. False: not yet, it will be told later. */
    async sync(id: number): Promise<boolean> {
      owed.add(id);
      try {
        await tell(id);
        return true;
      } catch (error) {
        retryLater(error);
        return false;
      }
    },

    /** The same for the workflow that posts tickets. */
    async syncTicketPosts(): Promise<boolean> {
      postsOwed = true;
      try {
        await tellTicketPosts();
        return true;
      } catch (error) {
        retryLater(error);
        return false;
      }
    },

    /** Tells the workflows of all enabled campaigns and of ticket posts, and creates the schedules: in the background and until it has succeeded. */
    syncAll(): void {
      all = true;
      void settle();
    },

    /**
     * Looks each `everyMs` whether Temporal still has what `syncAll` made there. When it has lost its databases, nothing in
     * it would notice: all is made anew, and `onLost` is called. The first round of housekeeping, which comes at once, finds
     * the runs that have lost their workflows.
     */
    watch(onLost: () => void, everyMs = watchMs): void {
      watching = setInterval(() => {
        if (all) return;
        void temporal.hasSchedules().then(
          (known) => {
            if (known || closed) return;
            log.warn(
              'Temporal has lost its schedules: campaigns, schedules and replies are made known to it again',
            );
            all = true;
            void settle();
            onLost();
          },
          // It is away, which its health shows.
          () => undefined,
        );
      }, everyMs);
      watching.unref();
    },

    close(): void {
      closed = true;
      if (timer) clearTimeout(timer);
      if (watching) clearInterval(watching);
    },
  };
}
export type CampaignSync = ReturnType<typeof createCampaignSync>;
