import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { deleteForgottenRetries } from '../db/core/retries.ts';
import { deleteAbandonedUpload } from '../db/campaigns/mailings.ts';
import { deleteAbandonedImport } from '../db/customers/import.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import {
  deleteAudit,
  deleteFileContent,
  deleteInboundEvents,
  deleteOldAlerts,
  deleteProviderMessageIds,
  deleteTicketPosts,
  nextFailedRun,
  nextRunToPurge,
  purgeAnswers,
  purgeReplies,
  purgeRun,
  purgeTickets,
} from '../db/core/retention.ts';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import { countRun, isCounted } from '../db/reports/roll-up.ts';
import { moveRun } from '../db/runs/runs.ts';
import type { ReportsDeps } from './reports.ts';

/** Rows whose personal data was removed, or that were deleted. */
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

/** Deletes what is older than the retention that an admin has set. */
export function createRetention({ sql, timezone }: ReportsDeps) {
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

  /** Cancels a failed run; its end remains the day on which it failed. */
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
      await untilNone(() => deleteProviderMessageIds(sql));
      await untilNone(() => deleteOldAlerts(sql));
      const settings = await getPrivacySettings(sql);
      // Otherwise it could be retried forever, and its personal data would be kept as long.
      await all(settings.messageDays, async (days) => {
        const runId = await nextFailedRun(sql, days);
        return runId === null ? 0 : giveUp(runId);
      });
      const messages = await all(settings.messageDays, async (days) => {
        const runId = await nextRunToPurge(sql, days);
        if (runId === null) return 0;
        // Without phones, messages have no country any more.
        if (!(await isCounted(sql, runId))) await countRun(sql, { runId, timezone });
        // A run without messages counts as well; otherwise the sweep would end with it.
        return Math.max(1, await purgeRun(sql, runId, alive));
      });
      return {
        messages,
        replies:
          (await all(settings.replyDays, (days) => purgeReplies(sql, days))) +
          (await all(settings.replyDays, (days) => purgeAnswers(sql, days))),
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
