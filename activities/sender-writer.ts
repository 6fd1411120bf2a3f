import { recordOutcomes } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import type { Flow, SendResult } from './sender-flow.ts';

/** Outcomes are written when there are this many, or when the first has waited long enough: fewer, larger writes. */
export const writeSize = 100;
/**
 * An outcome waits for others for this part of the provider's answer time, within these bounds. A message that waited
 * for its answer can wait a little more for its outcome; otherwise many senders through a slow provider would write
 * often.
 */
const gatherShare = 1 / 5;
const shortestGatherMs = 5;
const longestGatherMs = 50;
/** Added for each sender that shares the provider in this process, because each writes for itself; up to a limit. */
const gatherMsEach = 5;
const longestSharedGatherMs = 250;

interface WriterTask {
  runId: number;
  sender: string;
  signal: AbortSignal;
  /** Called for each write that failed and is retried: the database is unavailable. */
  onWriteRetry: (error: unknown) => void;
}

/**
 * Writes outcomes behind the sends, until the sender stops and every message that it holds has one. `onWritten`
 * receives their number, and is awaited before there is room for other claims.
 */
export async function writeOutcomes({
  sql,
  task,
  flow,
  receiptsById,
  latencyMs,
  senders,
  onWritten,
}: {
  sql: Database;
  task: WriterTask;
  flow: Flow;
  /** Of the provider. */
  receiptsById: boolean;
  /** Of the provider. */
  latencyMs: () => number;
  /** Of this process, through the provider. */
  senders: () => number;
  onWritten: (count: number) => Promise<void>;
}): Promise<void> {
  const { runId, sender } = task;

  const write = async (batch: readonly SendResult[]): Promise<void> => {
    const endedClaims: number[] = [];
    for (const { claim } of batch) if (claim && --claim.open === 0) endedClaims.push(claim.id);
    const outcomes = batch.map(({ outcome }) => outcome);
    const refused = outcomes.filter(({ reason }) => reason === 'number_opted_out').map(({ id }) => id);
    // Before the outcome: if this process ended between the two, nobody would report it again.
    if (refused.length > 0) await persistently(task, () => optOutRecipients(sql, refused));
    await persistently(task, () =>
      recordOutcomes(sql, { runId, sender, outcomes, endedClaims, receiptsById }),
    );
    await onWritten(batch.length);
    flow.held -= batch.length;
    flow.roomFreed.notify();
  };

  for (;;) {
    if (flow.why() !== null) {
      flow.waitingSegments = 0;
      for (const { message, claim } of flow.waiting.splice(0))
        flow.results.push({ message, claim, outcome: unsent(message) });
    }
    if (flow.results.length > 0) {
      const gatherMs =
        Math.min(longestGatherMs, Math.max(shortestGatherMs, latencyMs() * gatherShare)) +
        Math.min(longestSharedGatherMs, gatherMsEach * (senders() - 1));
      const gather = flow.resultsSince + gatherMs - performance.now();
      // While others wait for their turn, more outcomes follow.
      const isLast = flow.inFlight === 0 && flow.waiting.length === 0;
      const isWorthIt = flow.results.length >= writeSize || isLast || gather <= 0;
      if (isWorthIt || flow.why() !== null) await write(flow.results.splice(0));
      else await flow.outcomesReady.wait(gather);
    } else if (flow.isClaiming || flow.held > 0) {
      await flow.outcomesReady.wait();
    } else return;
  }
}
