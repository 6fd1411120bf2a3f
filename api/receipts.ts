import postgres from 'postgres';
import type { Database } from '../db/client.ts';
import { type InboundEvent, insertInboundEvents } from '../db/inbound.ts';
import { applyReceipts, type ReceiptMove } from '../db/messages.ts';
import { optOutRecipients } from '../db/opt-outs.ts';
import { insertReplies, type NewReply } from '../db/replies.ts';
import { followReceipts } from '../db/ticket-opening.ts';

/** A verified call of a provider: the raw event, and what it says of a message or what a person says, if anything. */
export interface Arrival {
  event: InboundEvent;
  move: ReceiptMove | null;
  reply: NewReply | null;
}

interface Waiting {
  arrival: Arrival;
  done: () => void;
  failed: (error: unknown) => void;
}

/** Receipts in one transaction. More would hold the locks on messages and counts for longer than it saves. */
const groupSize = 500;
/** A first receipt waits so long for others; those that come while a group is being written wait for that anyway. */
const gatherMs = 3;
/** Two groups that lock the same messages in another order than a sender: one of them is asked to try again. */
const deadlock = '40P01';
const maxAttempts = 3;

/**
 * Writes what providers call us with, in groups: one transaction for what arrived in some milliseconds, or while the
 * last one was written. Each raw event is kept once, and applied when it is new, in the same transaction.
 */
export function createReceiptWriter({
  sql,
  onReplies,
}: {
  sql: Database;
  /** Called with the ids of new replies, once they are committed. */
  onReplies: (ids: readonly number[]) => void;
}) {
  let queue: Waiting[] = [];
  let writing = false;
  let timer: NodeJS.Timeout | null = null;

  const drain = async (): Promise<void> => {
    timer = null;
    writing = true;
    while (queue.length > 0) {
      const group = queue.slice(0, groupSize);
      queue = queue.slice(groupSize);
      await settle(group);
    }
    writing = false;
  };

  const settle = async (group: readonly Waiting[]): Promise<void> => {
    try {
      await write(group.map(({ arrival }) => arrival));
      for (const { done } of group) done();
    } catch (error) {
      // One that PostgreSQL refuses does not take the others with it.
      if (group.length > 1 && error instanceof postgres.PostgresError) {
        for (const one of group) await settle([one]);
      } else {
        for (const { failed } of group) failed(error);
      }
    }
  };

  const write = async (arrivals: readonly Arrival[]): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const replies = await sql.begin(async (tx) => {
          const fresh = await insertInboundEvents(
            tx,
            arrivals.map(({ event }) => event),
          );
          const moves = arrivals.flatMap(({ move }, index) => (move && fresh.has(index) ? [move] : []));
          const strongest = strongestMoves(moves);
          const moved = new Set(await applyReceipts(tx, strongest));
          await followReceipts(tx, [...moved]);
          const optedOut = strongest.filter(
            ({ messageId, reason }) => reason === 'number_opted_out' && moved.has(messageId),
          );
          await optOutRecipients(
            tx,
            optedOut.map(({ messageId }) => messageId),
          );
          return insertReplies(
            tx,
            arrivals.flatMap(({ reply }, index) => (reply && fresh.has(index) ? [reply] : [])),
          );
        });
        if (replies.length > 0) onReplies(replies);
        return;
      } catch (error) {
        const again = error instanceof postgres.PostgresError && error.code === deadlock;
        if (!again || attempt === maxAttempts) throw error;
      }
    }
  };

  return {
    /** Resolves once the event is durable and applied. */
    write: (arrival: Arrival): Promise<void> =>
      new Promise((done, failed) => {
        queue.push({ arrival, done, failed });
        if (!writing) timer ??= setTimeout(() => void drain(), gatherMs);
      }),
  };
}

/** For each message the one that says most: an end before `sent`, and of two ends the first. */
export function strongestMoves(moves: readonly ReceiptMove[]): ReceiptMove[] {
  const strongest = new Map<number, ReceiptMove>();
  for (const move of moves) {
    const known = strongest.get(move.messageId);
    if (!known || (known.status === 'sent' && move.status !== 'sent')) strongest.set(move.messageId, move);
  }
  return [...strongest.values()];
}
