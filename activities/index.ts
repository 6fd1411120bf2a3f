import { createFailOver } from './fail-over.ts';
import { createHousekeeping, type HousekeepingDeps } from './housekeeping.ts';
import { createMailing, type MailingDeps } from './mailing.ts';
import { createMessages, type MessagesDeps } from './messages.ts';
import { createReplies, type RepliesDeps } from './replies.ts';
import { createResends } from './resends.ts';
import { createRetention } from './retention.ts';
import { createRuns } from './runs.ts';
import { createTicketPosts, type TicketPostsDeps } from './ticket-posts.ts';
import { createTickets } from './tickets.ts';
import { createSchedule, type ScheduleDeps } from './schedule.ts';
import { createUnknown } from './unknown.ts';

export type { HandledReply } from './replies.ts';
export type { OpenedRun } from './schedule.ts';

/** Everything with a side effect that workflows call, on the worker's own connections. */
export const createActivities = (
  deps: MailingDeps & MessagesDeps & ScheduleDeps & RepliesDeps & HousekeepingDeps & TicketPostsDeps,
) => ({
  ...createSchedule(deps),
  ...createRuns(deps),
  ...createMailing(deps),
  ...createResends(deps),
  ...createMessages(deps),
  ...createFailOver(deps),
  ...createTickets(deps),
  ...createTicketPosts(deps),
  ...createHousekeeping(deps),
  ...createRetention(deps),
  ...createReplies(deps),
  ...createUnknown(deps),
});
export type Activities = ReturnType<typeof createActivities>;
