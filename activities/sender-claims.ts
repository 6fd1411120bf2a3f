import { type Claim, claimLines, claimRetries, nextLine } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { runStatus } from '../db/runs/runs.ts';
import type { Pace } from './pace.ts';
import type { Flow } from './sender-flow.ts';

/** A claim's size: small enough that the next ones fit into the window while the last is being sent. */
const claimSize = 125;

interface ClaimTask {
  runId: number;
  sender: string;
  maxAttempts: number;
  /** Claims no more than so many that nobody has claimed before; null: all there are. */
  limit: number | null;
}

/**
 * Claims messages ahead of the sends, as long as no more than `mostHeld()` are held: first the lines that nobody has claimed,
 * then what has come back. `place` gives each its place in the provider's rate; `mayClaim` is asked before each claim.
 */
export function createClaiming({
  sql,
  task: { runId, sender, maxAttempts, limit },
  flow,
  pace,
  mostHeld,
  mayClaim,
  onClaimed,
}: {
  sql: Database;
  task: ClaimTask;
  flow: Flow;
  pace: Pace;
  mostHeld: () => number;
  mayClaim: () => boolean;
  /** The messages are in `flow.waiting`. */
  onClaimed: () => void;
}) {
  /** So many may be claimed that nobody has claimed before. */
  let unclaimed = limit ?? Infinity;
  let afterLine = 0;
  let fromLine: number | null = unclaimed === 0 ? null : 1;
  let hasClaimed = false;

  /** The next batch; null when there is nothing to claim now. */
  const claimNext = async (size: number): Promise<Claim | null> => {
    if (fromLine !== null) {
      const lines = Math.min(unclaimed, size);
      const claim = await claimLines(sql, { runId, sender, from: fromLine, lines });
      unclaimed -= claim.messages.length;
      if (unclaimed === 0) fromLine = null;
      if (claim.id !== null) return claim;
      fromLine = await nextLine(sql, runId);
      if (fromLine !== null && (await runStatus(sql, runId)) !== 'running') flow.stopFor('not_running');
      return null;
    }
    const retries = await claimRetries(sql, {
      ...{ runId, sender, limit: size, after: afterLine, maxAttempts, triedOnly: limit !== null },
    });
    const last = retries.messages.at(-1);
    if (last) {
      afterLine = last.line;
      return retries;
    }
    // What failed temporarily meanwhile lies behind, and some of it may not be written yet.
    if (flow.held > 0) await flow.roomFreed.wait();
    else if (afterLine > 0) afterLine = 0;
    else flow.stopFor('nothing_due');
    return null;
  };

  return {
    /** Until the sender stops. Rejects with an error of the database. */
    async run(): Promise<void> {
      await pace.look();
      while (!flow.isStopping()) {
        const size = pace.claimSize(claimSize);
        if (!mayClaim() || flow.held + size > mostHeld()) {
          await flow.roomFreed.wait();
          continue;
        }
        const early = pace.claimInMs();
        if (early > 0) {
          await flow.roomFreed.wait(early);
          continue;
        }
        const batch = await claimNext(size);
        if (!batch) continue;
        hasClaimed = true;
        const { id, messages } = batch;
        const places = await pace.place(messages);
        // Not before this: if the reservation fails, nobody settles the batch, and `releaseClaims` queues it again.
        flow.held += messages.length;
        const claim = id === null ? null : { id, open: messages.length };
        for (const [index, message] of messages.entries())
          flow.waiting.push({ message, claim, at: places[index] ?? null });
        onClaimed();
      }
    },
    hasClaimed: (): boolean => hasClaimed,
  };
}
