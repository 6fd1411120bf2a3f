import { createFailOver } from './fail-over.ts';
import { createHousekeeping, type HousekeepingDeps } from './housekeeping.ts';
import { createMailing, type MailingDeps } from './mailing.ts';
import { createMessages, type MessagesDeps } from './messages.ts';
import { createReplies, type RepliesDeps } from './replies.ts';
import { createResends } from './resends.ts';
import { createRetention } from './retention.ts';
import { createRuns, type RunsDeps } from './runs.ts';
import { createTicketPosts, type TicketPostsDeps } from './ticket-posts.ts';
import { createTickets } from './tickets.ts';
import { createSchedule, type ScheduleDeps } from './schedule.ts';
import { createUnknown } from './unknown.ts';

export type { HandledReply } from './replies.ts';
export type { OpenedRun } from './schedule.ts';

type Deps = MailingDeps &
  MessagesDeps &
  ScheduleDeps &
  RepliesDeps &
  HousekeepingDeps &
  TicketPostsDeps &
  RunsDeps;

/**
 * Everything with a side effect that workflows call, on the worker's own connections: `sql` for what is quick, `bulkSql`
 * for what goes through a whole run or table (db/core/limits.ts).
 */
export const createActivities = (deps: Deps) => {
  const bulk = { ...deps, sql: deps.bulkSql };
  return {
    ...createSchedule(deps),
    ...createRuns(deps),
    ...createMailing(bulk),
    ...createResends(bulk),
    ...createMessages(deps),
    ...createFailOver(bulk),
    ...createTickets(bulk),
    ...createTicketPosts(deps),
    ...createHousekeeping(bulk),
    ...createRetention(bulk),
    ...createReplies(deps),
    ...createUnknown(bulk),
  };
};
export type Activities = ReturnType<typeof createActivities>;
