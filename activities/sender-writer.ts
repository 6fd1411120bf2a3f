import { recordOutcomes } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { optOutRecipients } from '../db/customers/opt-outs.ts';
import { unsent } from './outcome.ts';
import { persistently } from './persistently.ts';
import type { Flow, Settled } from './sender-flow.ts';

/** Outcomes are written when there are so many, or the first of them has waited for so long: fewer, larger writes. */
export const writeSize = 100;
const gatherMs = 5;

interface WriterTask {
  runId: number;
  sender: string;
  signal: AbortSignal;
  /** Told of each write that failed and is tried again: the database is away. */
  onTrouble: (error: unknown) => void;
}

/**
 * Writes outcomes behind the sends, until the sender stops and all that it holds has one. `onWritten` is told how many, and
 * awaited before there is room for other claims.
 */
export async function writeOutcomes({
  sql,
  task,
  flow,
  onWritten,
}: {
  sql: Database;
  task: WriterTask;
  flow: Flow;
  onWritten: (count: number) => Promise<void>;
}): Promise<void> {
  const { runId, sender } = task;

  const write = async (batch: readonly Settled[]): Promise<void> => {
    const endedClaims: number[] = [];
    for (const { claim } of batch) if (claim && --claim.open === 0) endedClaims.push(claim.id);
    const outcomes = batch.map(({ outcome }) => outcome);
    const refused = outcomes.filter(({ reason }) => reason === 'number_opted_out').map(({ id }) => id);
    // Before the outcome: nobody would say it again if this process ended between the two.
    if (refused.length > 0) await persistently(task, () => optOutRecipients(sql, refused));
    await persistently(task, () => recordOutcomes(sql, { runId, sender, outcomes, endedClaims }));
    await onWritten(batch.length);
    flow.held -= batch.length;
    flow.roomFreed.notify();
  };

  for (;;) {
    if (flow.why() !== null) {
      for (const { message, claim } of [...flow.waiting.splice(0), ...flow.late.splice(0)])
        flow.settled.push({ message, claim, outcome: unsent(message) });
    }
    if (flow.settled.length > 0) {
      const gather = flow.settledSince + gatherMs - performance.now();
      const isWorthIt = flow.settled.length >= writeSize || flow.inFlight === 0 || gather <= 0;
      if (isWorthIt || flow.why() !== null) await write(flow.settled.splice(0));
      else await flow.outcomesReady.wait(gather);
    } else if (flow.isClaiming || flow.held > 0) {
      await flow.outcomesReady.wait();
    } else return;
  }
}
