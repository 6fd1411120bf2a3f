import { randomUUID } from 'node:crypto';
import { type AlertsDeps, createAlerts } from './alerts.ts';
import { type AnswersDeps, createAnswers } from './answers.ts';
import { createCosts, type CostsDeps } from './costs.ts';
import { createFailOver } from './fail-over.ts';
import { createLanes } from './lane.ts';
import { createHousekeeping, type HousekeepingDeps } from './housekeeping.ts';
import { createMailing, type MailingDeps } from './mailing.ts';
import { createSending, type SendingDeps } from './sending.ts';
import { createReplies, type RepliesDeps } from './replies.ts';
import { createReports, type ReportsDeps } from './reports.ts';
import { createResends } from './resends.ts';
import { createRetention } from './retention.ts';
import { createRunLooks } from './run-looks.ts';
import { createRuns, type RunsDeps } from './runs.ts';
import { createTicketPosts, type TicketPostsDeps } from './ticket-posts.ts';
import { createTickets } from './tickets.ts';
import { createSchedule, type ScheduleDeps } from './schedule.ts';
import { createUnknown } from './unknown.ts';

export type { HandledReply } from './replies.ts';
export type { SendingPlan } from './sending-plan.ts';
export type { HoursState } from './runs.ts';
export type { OpenedRun, Wait } from './schedule.ts';

type Deps = Omit<MailingDeps, 'planSending' | 'costs'> &
  Omit<SendingDeps, 'lanes' | 'looks' | 'costs'> &
  ScheduleDeps &
  RepliesDeps &
  Omit<HousekeepingDeps, 'costs'> &
  TicketPostsDeps &
  ReportsDeps &
  AlertsDeps &
  Omit<RunsDeps, 'costs'> &
  CostsDeps &
  Omit<AnswersDeps, 'lanes'>;

/**
 * All side effects that workflows call, on the worker's own connections: `sql` for quick statements, `bulkSql` for
 * those that read a whole run or table (db/core/limits.ts).
 */
export const createActivities = (given: Deps) => {
  const costs = createCosts(given);
  const deps = { ...given, costs };
  const lanes = createLanes({ sql: deps.sql, worker: randomUUID() });
  const looks = createRunLooks(deps);
  const sending = createSending({ ...deps, lanes, looks });
  const bulk = {
    ...deps,
    sql: deps.bulkSql,
    planSending: (run: { runId: number }) => sending.planSending(run),
  };
  return {
    ...createSchedule(deps),
    ...createRuns(deps),
    ...createMailing(bulk),
    ...createResends(bulk),
    ...sending,
    ...createFailOver(bulk),
    ...createTickets(bulk),
    ...createTicketPosts(deps),
    ...createAlerts(deps),
    ...createHousekeeping(bulk),
    ...createRetention(bulk),
    ...createReplies(deps),
    ...createAnswers({ ...deps, lanes }),
    ...createUnknown(bulk),
    ...createReports(bulk),
  };
};
export type Activities = ReturnType<typeof createActivities>;
