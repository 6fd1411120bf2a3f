import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { deleteForgottenRetries } from '../db/core/retries.ts';
import { deleteAbandonedUpload } from '../db/campaigns/mailings.ts';
import { deleteAbandonedImport } from '../db/customers/import.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import {
  deleteAudit,
  deleteFileContent,
  deleteInboundEvents,
  deleteTicketPosts,
  nextFailedRun,
  nextRunToPurge,
  purgeReplies,
  purgeRun,
  purgeTickets,
} from '../db/core/retention.ts';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import { moveRun } from '../db/runs/runs.ts';

/** Rows that lost what tells of people, or were deleted. */
export type Purged = Record<
  | 'messages'
  | 'replies'
  | 'tickets'
  | 'ticketPosts'
  | 'inboundEvents'
  | 'mailingFiles'
  | 'auditEntries'
  | 'brokenUploads',
  number
>;

/** The sweep of what is older than an admin lets it be kept. */
export function createRetention({ sql }: { sql: Database }) {
  const alive = (): void => {
    heartbeat();
    cancellationSignal().throwIfAborted();
  };
  const untilNone = async (next: () => Promise<number>): Promise<number> => {
    for (let total = 0; ;) {
      alive();
      const count = await next();
      if (count === 0) return total;
      total += count;
    }
  };
  const all = async (days: number | null, next: (days: number) => Promise<number>): Promise<number> =>
    days === null ? 0 : untilNone(() => next(days));

  /** Cancels a failed run; the day on which it failed stays its end. */
  const giveUp = async (runId: number): Promise<number> => {
    // Its senders may be frozen.
    await takeOver(sql, { runId, deduplicates: false });
    const reason = { code: 'expired', expiresAt: new Date().toISOString() } as const;
    await sql.begin(async (tx) => {
      if (await moveRun(tx, { id: runId, from: ['failed'], to: 'cancelled', reason }))
        await endRemaining(tx, runId);
    });
    return 1;
  };

  return {
    async applyRetention(): Promise<Purged> {
      await deleteForgottenRetries(sql);
      const brokenUploads =
        (await deleteAbandonedImport(sql)) + (await untilNone(() => deleteAbandonedUpload(sql)));
      const settings = await getPrivacySettings(sql);
      // Else it could be retried for ever, and what it holds of people would be kept for that.
      await all(settings.messageDays, async (days) => {
        const runId = await nextFailedRun(sql, days);
        return runId === null ? 0 : giveUp(runId);
      });
      const messages = await all(settings.messageDays, async (days) => {
        const runId = await nextRunToPurge(sql, days);
        // One without messages counts as well, or the sweep would end with it.
        return runId === null ? 0 : Math.max(1, await purgeRun(sql, runId, alive));
      });
      return {
        messages,
        replies: await all(settings.replyDays, (days) => purgeReplies(sql, days)),
        tickets: await all(settings.ticketDays, (days) => purgeTickets(sql, days)),
        ticketPosts: await all(settings.ticketPostDays, (days) => deleteTicketPosts(sql, days)),
        inboundEvents: await all(settings.inboundEventDays, (days) => deleteInboundEvents(sql, days)),
        mailingFiles: await all(settings.mailingFileDays, (days) => deleteFileContent(sql, days)),
        auditEntries: await all(settings.auditDays, (days) => deleteAudit(sql, days)),
        brokenUploads,
      };
    },
  };
}
