import type { FastifyBaseLogger } from 'fastify';
import postgres from 'postgres';
import type { Database, Sql } from '../../db/core/client.ts';
import { type InboundEvent, insertInboundEvents } from '../../db/replies/inbound.ts';
import { applyReceipts, type MovedMessage, type ReceiptMove } from '../../db/messages/messages.ts';
import { lockForOptOuts, optInPhone, optOutPhone, optOutRecipients } from '../../db/customers/opt-outs.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { SecretKeyMissing } from '../../db/core/secrets.ts';
import { databaseProblem } from '../../health/database.ts';
import { insertReplies, type KeptReply, type NewReply } from '../../db/replies/replies.ts';
import { getReplyWords } from '../../db/replies/reply-words.ts';
import { followReceipts, runsWithSendTickets } from '../../db/tickets/opening.ts';
import { createReplyReader } from '../../domain/reply.ts';

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
/** A group waits so long for as many as were under way with the last one: alone, a receipt waits for nobody. */
const gatherMs = 20;
/** No two transactions of ours lock in different orders (docs/architecture.md): asked for again all the same. */
/** A deadlock, and a lock that was not had in time: as while a run of a million messages is cancelled. */
const passing = new Set(['40P01', '55P03']);
const isPassing = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && passing.has(error.code);
const maxAttempts = 3;
const maxKnownRuns = 1_000;

/**
 * Writes what providers call us with, in groups: one transaction for what arrived while the last one was written, or in
 * some milliseconds. In it each raw event is kept once, and what it says is applied. A reply that opts its phone out or
 * in does so here, in the order of their arrival: it must not wait for the workflow that does all else.
 */
export function createReceiptWriter({
  sql,
  log,
  phoneHash,
  onReplies,
}: {
  sql: Database;
  log: FastifyBaseLogger;
  phoneHash: () => Promise<PhoneHash>;
  /** Called with the ids of new replies, once they are committed. */
  onReplies: (ids: readonly number[]) => void;
}) {
  /** Whether a run opens tickets on send: its policy is frozen. */
  const withTickets = new Map<number, boolean>();
  let queue: Waiting[] = [];
  let writing = false;
  let timer: NodeJS.Timeout | null = null;
  /**
   * How many were under way when the last group was done: those that it had, whose senders come again, and those that
   * waited. Without the latter, two groups of half the size would take turns for ever.
   */
  let expected = 1;

  /** One group at a time: two share what comes, and half the size costs more than the wait (measured: a quarter). */
  const writeGroup = async (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = true;
    const group = queue.slice(0, groupSize);
    queue = queue.slice(groupSize);
    await settle(group);
    expected = Math.min(groupSize, group.length + queue.length);
    writing = false;
    gather();
  };

  const gather = (): void => {
    if (writing || queue.length === 0) return;
    if (queue.length >= expected) void writeGroup();
    else timer ??= setTimeout(() => void writeGroup(), gatherMs);
  };

  const settle = async (group: readonly Waiting[]): Promise<void> => {
    try {
      await write(group.map(({ arrival }) => arrival));
      for (const { done } of group) done();
    } catch (error) {
      // One that cannot be written does not take the others with it.
      if (group.length > 1 && databaseProblem(error) !== 'unreachable' && !isPassing(error)) {
        for (const one of group) await settle([one]);
      } else {
        for (const { failed } of group) failed(error);
      }
    }
  };

  /** Without its key, a reply is kept and opts in its phone; what an erased person had opted out of stays. */
  const hashIfKeyed = async (): Promise<PhoneHash | null> => {
    try {
      return await phoneHash();
    } catch (error) {
      if (!(error instanceof SecretKeyMissing)) throw error;
      log.error({ err: error }, 'Opt-outs of erased people cannot be found');
      return null;
    }
  };

  const write = async (arrivals: readonly Arrival[]): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const replies = await sql.begin(async (tx) => {
          const strongest = strongestMoves(arrivals.flatMap(({ move }) => move ?? []));
          const refused = strongest.filter(({ reason }) => reason === 'number_opted_out');
          const written = arrivals.flatMap(({ reply }) => reply ?? []);
          const keepEvents = () =>
            insertInboundEvents(
              tx,
              arrivals.map(({ event }) => event),
            );
          if (written.length + refused.length === 0) {
            // Sent together. A repeated event is kept once, and moves nothing for the second time.
            const [, moved] = await Promise.all([keepEvents(), applyReceipts(tx, strongest)]);
            await follow(tx, moved);
            return [];
          }
          await keepEvents();
          const replies = await writeReplies(tx, written);
          const asking = replies.filter(({ wish }) => wish === 'opt_out' || wish === 'opt_in');
          if (asking.length + refused.length > 0) {
            await lockForOptOuts(tx, {
              moving: strongest.map(({ messageId }) => messageId),
              refused: refused.map(({ messageId }) => messageId),
              phones: asking.map(({ phone }) => phone),
            });
          }
          const moved = await applyReceipts(tx, strongest);
          await follow(tx, moved);
          for (const { id: inboundMessageId, phone, wish, sandbox } of asking) {
            const told = { phone, source: 'reply', inboundMessageId, sandbox } as const;
            if (wish === 'opt_out') await optOutPhone(tx, told);
            if (wish === 'opt_in') await optInPhone(tx, await hashIfKeyed(), told);
          }
          return replies;
        });
        if (replies.length > 0) onReplies(replies.map(({ id }) => id));
        return;
      } catch (error) {
        if (!isPassing(error) || attempt === maxAttempts) throw error;
      }
    }
  };

  /** Reads them by the words of this moment. The words are asked for only when somebody has written. */
  const writeReplies = async (tx: Sql, replies: readonly NewReply[]): Promise<KeptReply[]> => {
    if (replies.length === 0) return [];
    const wishOf = createReplyReader(await getReplyWords(tx));
    return insertReplies(
      tx,
      replies.map((reply) => ({ ...reply, wish: wishOf(reply.text) })),
    );
  };

  /** What else changes with messages that have moved. */
  const follow = async (tx: Sql, moved: readonly MovedMessage[]): Promise<void> => {
    const optedOut = moved.filter(({ reason }) => reason === 'number_opted_out');
    await optOutRecipients(
      tx,
      optedOut.map(({ id }) => id),
    );
    const unknown = new Set(moved.map(({ runId }) => runId).filter((runId) => !withTickets.has(runId)));
    if (unknown.size > 0) {
      if (withTickets.size > maxKnownRuns) withTickets.clear();
      const found = new Set(await runsWithSendTickets(tx, [...unknown]));
      for (const runId of unknown) withTickets.set(runId, found.has(runId));
    }
    await followReceipts(
      tx,
      moved.filter(({ runId }) => withTickets.get(runId)).map(({ id }) => id),
    );
  };

  return {
    /** Resolves once the event is durable and applied. */
    write: (arrival: Arrival): Promise<void> =>
      new Promise((done, failed) => {
        queue.push({ arrival, done, failed });
        gather();
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
