import { type Claim, claimLines, claimRetries, nextLine } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { runStatus } from '../db/runs/runs.ts';
import type { Lane } from './lane.ts';
import type { Flow } from './sender-flow.ts';

/** The size of a claim: small enough that the next ones fit into the window while the last is being sent. */
const claimSize = 125;
/**
 * While the last messages are in flight, this is how often we look for messages to retry. Each answer makes room,
 * and a look for each took 7 of the 31 statements with which 50 messages are sent.
 */
const retriesEveryMs = 500;

interface ClaimTask {
  runId: number;
  sender: string;
  maxAttempts: number;
  /** Claims at most this many messages that were never claimed; null: all. */
  limit: number | null;
}

/**
 * Claims messages ahead of the sends, as long as at most `maxHeld()` are held. Under a rate limit, only as many wait
 * as leave soon. Claims lines that were never claimed first, then messages that were returned to the queue. Calls
 * `mayClaim` before each claim.
 */
export function createClaiming({
  sql,
  task: { runId, sender, maxAttempts, limit },
  flow,
  lane,
  maxHeld,
  mayClaim,
  onClaimed,
}: {
  sql: Database;
  task: ClaimTask;
  flow: Flow;
  lane: Pick<Lane, 'look' | 'appetite'>;
  maxHeld: () => number;
  mayClaim: () => boolean;
  /** The messages are in `flow.waiting`. */
  onClaimed: () => void;
}) {
  /** How many never-claimed messages may be claimed. */
  let unclaimed = limit ?? Infinity;
  let afterLine = 0;
  let fromLine: number | null = unclaimed === 0 ? null : 1;
  let hasClaimed = false;
  /** When the last look for messages to retry found none. */
  let noRetriesAt = -Infinity;
  /** The size of messages in the last claim: campaigns share a rate by segments. */
  let segmentsEach = 1;

  /** How many messages to claim now; 0: enough are waiting. */
  const claimNow = (): number => {
    const appetite = lane.appetite();
    if (appetite === null) return claimSize;
    if (flow.waitingSegments > 0 && flow.waitingSegments >= appetite.waiting) return 0;
    return Math.max(1, Math.min(claimSize, Math.ceil(appetite.claim / segmentsEach)));
  };

  /** The next batch; null if there is nothing to claim now. */
  const claimNext = async (size: number): Promise<Claim | null> => {
    if (fromLine !== null) {
      const lines = Math.min(unclaimed, size);
      const claim = await claimLines(sql, { runId, sender, from: fromLine, lines });
      unclaimed -= claim.messages.length;
      if (unclaimed === 0 || claim.isLast) fromLine = null;
      if (claim.id !== null) return claim;
      fromLine = await nextLine(sql, runId);
      if (fromLine !== null && (await runStatus(sql, runId)) !== 'running') flow.stopFor('not_running');
      return null;
    }
    if (flow.held > 0 && performance.now() - noRetriesAt < retriesEveryMs) {
      // Notified at least each second.
      await flow.roomFreed.wait();
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
    noRetriesAt = performance.now();
    // Messages that failed temporarily meanwhile are behind this point, and some may not be written yet.
    if (flow.held > 0) await flow.roomFreed.wait();
    else if (afterLine > 0) afterLine = 0;
    else flow.stopFor('nothing_due');
    return null;
  };

  return {
    /** Runs until the sender stops. Rejects with an error of the database. */
    async run(): Promise<void> {
      await lane.look();
      while (!flow.isStopping()) {
        const size = claimNow();
        if (size === 0 || !mayClaim() || flow.held + size > maxHeld()) {
          await flow.roomFreed.wait();
          continue;
        }
        const batch = await claimNext(size);
        if (!batch) continue;
        hasClaimed = true;
        const { id, messages } = batch;
        const segments = messages.reduce((sum, message) => sum + message.segments, 0);
        segmentsEach = segments / messages.length;
        flow.held += messages.length;
        flow.waitingSegments += segments;
        const claim = id === null ? null : { id, open: messages.length };
        for (const message of messages) flow.waiting.push({ message, claim });
        onClaimed();
      }
    },
    hasClaimed: (): boolean => hasClaimed,
  };
}
