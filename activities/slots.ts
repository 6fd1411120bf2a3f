import type { Database } from '../db/core/client.ts';
import { countRunsWithoutSender } from '../db/runs/runs.ts';
import { countAnswersWithoutSender } from '../db/tickets/answers.ts';
import type { EverySecond } from './ticks.ts';

/** A sender that has just begun keeps its slot for this long. */
const shortestSliceMs = 2_000;
/** How many give up their slots in a second: each costs another plan and another sender. */
const mostAtOnce = 4;

/**
 * The sender slots of this process. While all are in use and runs or answers wait for one, the senders that have run
 * longest give up theirs; their runs wait for the next.
 */
export function createSlots({
  sql,
  slots,
  everySecond,
}: {
  sql: Database;
  slots: number;
  everySecond: EverySecond;
}) {
  /** In the order in which they began. */
  const inUse = new Set<{ since: number; giveUp: AbortController }>();
  let stopLooking: (() => void) | null = null;

  const look = async (): Promise<void> => {
    if (inUse.size < slots) return;
    let wanted = Math.min(
      mostAtOnce,
      (await countRunsWithoutSender(sql)) + (await countAnswersWithoutSender(sql)),
    );
    for (const { since, giveUp } of inUse) {
      if (wanted === 0 || performance.now() - since < shortestSliceMs) return;
      // Some were already asked to.
      if (!giveUp.signal.aborted) giveUp.abort();
      wanted--;
    }
  };

  return {
    /** How many are in use. */
    inUse: (): number => inUse.size,

    /** The signal aborts when the slot has to be given up. Call `leave` at the end. */
    take(): { signal: AbortSignal; leave: () => void } {
      const slot = { since: performance.now(), giveUp: new AbortController() };
      inUse.add(slot);
      // While the database is unavailable, none is asked to.
      stopLooking ??= everySecond(() => void look().catch(() => undefined));
      return {
        signal: slot.giveUp.signal,
        leave() {
          inUse.delete(slot);
          if (inUse.size > 0) return;
          stopLooking?.();
          stopLooking = null;
        },
      };
    },
  };
}
export type Slots = ReturnType<typeof createSlots>;
