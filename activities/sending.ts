import { createSendMessage } from './send-message.ts';
import { createSendMessages } from './send-messages.ts';
import { createSendingPlan } from './sending-plan.ts';
import { createSendingRuns, type SendingDeps } from './sending-runs.ts';
import { createSlots } from './slots.ts';

export type { SendingDeps } from './sending-runs.ts';

/** The activities that send the messages of runs: the plan, the stream, and single messages. */
export function createSending(deps: SendingDeps) {
  const runs = createSendingRuns(deps);
  const slots = createSlots({ sql: deps.sql, slots: deps.senderSlots, everySecond: deps.looks.everySecond });
  return {
    ...createSendingPlan(deps, runs),
    ...createSendMessages(deps, runs, slots),
    ...createSendMessage(deps, runs, slots),
  };
}
