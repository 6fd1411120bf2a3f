import type { FastifyBaseLogger } from 'fastify';
import { enabledCampaignIds, getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Sql } from '../../db/core/client.ts';
import { liveRuns } from '../../db/runs/progress.ts';
import { liveRunKeys } from '../../db/runs/runs.ts';
import type { RunKey } from '../../domain/ids.ts';
import { isPostingEnabled } from '../../db/tickets/posts.ts';
import { createOutbox } from './outbox.ts';
import type { Temporal } from './temporal.ts';

/** One small request each time. */
const watchMs = 60_000;

/** A campaign by its id, or one of the singleton workflows. */
type Synced = number | 'ticket_posts' | 'alerts' | 'schedules' | 'runs';

/** Keeps schedules and the workflows of campaigns and of ticket posts in sync with their rows (outbox.ts). */
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
  const lookAgain = async (runs: readonly RunKey[]): Promise<void> => {
    for (const run of runs) await temporal.lookAgain(run);
  };

  const outbox = createOutbox<Synced>({
    async find() {
      const campaigns = await enabledCampaignIds(sql);
      return [
        'schedules',
        'alerts',
        ...((await isPostingEnabled(sql)) ? (['ticket_posts'] as const) : []),
        ...campaigns,
      ];
    },
    async deliver(key) {
      if (key === 'schedules') return temporal.syncSchedules();
      if (key === 'ticket_posts') return temporal.syncTicketPosts();
      if (key === 'alerts') return temporal.syncAlerts();
      if (key === 'runs') return lookAgain(await liveRunKeys(sql));
      const row = await getCampaign(sql, key);
      if (row) await temporal.syncCampaign({ id: key, name: row.definition.name });
      // Until its mailing has been read, a run follows its campaign.
      await lookAgain(await liveRuns(sql, key));
    },
    log,
    what: 'campaigns or settings that changed',
    concurrency: 8,
    checkEveryMs: null,
  });

  return {
    /** Signals the campaign's workflow, and those of its runs, to read its row. False: they are signaled later. */
    sync: (id: number): Promise<boolean> => outbox.deliver(id),

    /** Signals all live runs to check again what they wait for: hours or holidays have changed. */
    syncRuns: (): Promise<boolean> => outbox.deliver('runs'),

    /** The same for the workflow that posts tickets. */
    syncTicketPosts: (): Promise<boolean> => outbox.deliver('ticket_posts'),

    /** Signals the workflows of enabled campaigns and of ticket posts, and creates the schedules, in the background. */
    syncAll: (): void => outbox.look(),

    /**
     * Checks every `everyMs` whether Temporal still has what `syncAll` created there. If Temporal has lost its
     * databases, nothing in it would notice: everything is created again, and `onLost` is called. The first round of
     * housekeeping, which starts at once, finds the runs that have lost their workflows.
     */
    watch(onLost: () => void, everyMs = watchMs): void {
      watching = setInterval(() => {
        if (outbox.isLooking()) return;
        void temporal.hasSchedules().then(
          (known) => {
            if (known || watching === null) return;
            log.warn(
              'Temporal has lost its schedules: campaigns, schedules and replies are registered again',
            );
            outbox.look();
            onLost();
          },
          // Temporal is unavailable, which its health check shows.
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
