import type { Database } from '../db/core/client.ts';
import { checkBudgets } from '../db/money/costs.ts';
import { renewLeases } from '../db/messages/leases.ts';
import { getHoursOfRuns, measureRuns } from '../db/runs/runs.ts';
import { sampleRuns } from '../db/runs/samples.ts';
import { hoursAt } from '../domain/hours.ts';
import type { Costs } from './costs.ts';
import { createGather } from './gather.ts';
import { createTicks } from './ticks.ts';

/**
 * What all senders of this process check each second, in one statement for all of them. A waiting sender costs almost
 * nothing, so a process can have many.
 */
export function createRunLooks({ sql, clock, costs }: { sql: Database; clock: () => Date; costs: Costs }) {
  return {
    everySecond: createTicks(),
    renewLease: createGather((leases: readonly { runId: number; sender: string }[]) =>
      renewLeases(sql, leases),
    ),
    sample: createGather(async (runIds: readonly number[]) => {
      await sampleRuns(sql, runIds);
      return runIds;
    }),
    /** By the current settings: a user may have narrowed them since the run began. */
    areHoursOpen: createGather(async (runIds: readonly number[]) => {
      const open = new Set<number>();
      for (const { ids, hours, holidays } of await getHoursOfRuns(sql, runIds))
        if (hoursAt(hours, clock(), new Set(holidays)).open) for (const id of ids) open.add(id);
      return runIds.map((id) => open.has(id));
    }),
    /** Counts what the runs have cost so far, and checks that against their budgets. */
    checkBudget: createGather(async (runIds: readonly number[]) => {
      await costs.sync(sql, runIds);
      return checkBudgets(sql, runIds, costs.month());
    }),
    measure: createGather((runIds: readonly number[]) => measureRuns(sql, runIds)),
  };
}
export type RunLooks = ReturnType<typeof createRunLooks>;
