import type { FastifyBaseLogger } from 'fastify';
import { enabledCampaignIds, getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { isPostingEnabled } from '../../db/tickets/posts.ts';
import { createOutbox } from './outbox.ts';
import type { Temporal } from './temporal.ts';

/** One small request each time. */
const watchMs = 60_000;

/** A campaign by its id, or one of the workflows that there is one of. */
type Synced = number | 'ticket_posts' | 'schedules';

/** Keeps schedules and the workflows of campaigns and of ticket posts true to their rows (outbox.ts). */
export function createCampaignSync({
  sql,
  temporal,
  log,
}: {
  sql: Sql;
  temporal: Temporal;
  log: FastifyBaseLogger;
}) {
  let watching: NodeJS.Timeout | null = null;

  const outbox = createOutbox<Synced>({
    async find() {
      const campaigns = await enabledCampaignIds(sql);
      return [
        'schedules',
        ...((await isPostingEnabled(sql)) ? (['ticket_posts'] as const) : []),
        ...campaigns,
      ];
    },
    async deliver(key) {
      if (key === 'schedules') return temporal.syncSchedules();
      if (key === 'ticket_posts') return temporal.syncTicketPosts();
      const row = await getCampaign(sql, key);
      if (row) await temporal.syncCampaign({ id: key, name: row.definition.name });
    },
    log,
    what: 'campaigns or settings that changed',
    concurrency: 8,
    lookEveryMs: null,
  });

  return {
    /** Tells the campaign's workflow to look at its row. False: not yet, it will be told later. */
    sync: (id: number): Promise<boolean> => outbox.deliver(id),

    /** The same for the workflow that posts tickets. */
    syncTicketPosts: (): Promise<boolean> => outbox.deliver('ticket_posts'),

    /** Tells the workflows of all enabled campaigns and of ticket posts, and creates the schedules, in the background. */
    syncAll: (): void => outbox.look(),

    /**
     * Looks each `everyMs` whether Temporal still has what `syncAll` made there. When it has lost its databases, nothing in
     * it would notice: all is made anew, and `onLost` is called. The first round of housekeeping, which comes at once, finds
     * the runs that have lost their workflows.
     */
    watch(onLost: () => void, everyMs = watchMs): void {
      watching = setInterval(() => {
        if (outbox.isLooking()) return;
        void temporal.hasSchedules().then(
          (known) => {
            if (known || watching === null) return;
            log.warn(
              'Temporal has lost its schedules: campaigns, schedules and replies are made known to it again',
            );
            outbox.look();
            onLost();
          },
          // It is away, which its health shows.
          () => undefined,
        );
      }, everyMs);
      watching.unref();
    },

    async close(): Promise<void> {
      if (watching) clearInterval(watching);
      watching = null;
      await outbox.close();
    },
  };
}
export type CampaignSync = ReturnType<typeof createCampaignSync>;
