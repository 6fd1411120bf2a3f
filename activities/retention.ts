import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { deleteForgottenRetries } from '../db/core/retries.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import {
  deleteAudit,
  deleteFileContent,
  deleteInboundEvents,
  deleteTicketPosts,
  nextRunToPurge,
  purgeReplies,
  purgeRun,
  purgeTickets,
} from '../db/core/retention.ts';

/** Rows that lost what tells of people, or were deleted. */
export type Purged = Record<
  'messages' | 'replies' | 'tickets' | 'ticketPosts' | 'inboundEvents' | 'mailingFiles' | 'auditEntries',
  number
>;

/** The sweep of what is older than an admin lets it be kept. */
export function createRetention({ sql }: { sql: Database }) {
  const alive = (): void => {
    heartbeat();
    cancellationSignal().throwIfAborted();
  };
  const all = async (days: number | null, next: (days: number) => Promise<number>): Promise<number> => {
    let total = 0;
    if (days === null) return total;
    for (;;) {
      alive();
      const count = await next(days);
      if (count === 0) return total;
      total += count;
    }
  };

  return {
    async applyRetention(): Promise<Purged> {
      await deleteForgottenRetries(sql);
      const settings = await getPrivacySettings(sql);
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
      };
    },
  };
}
