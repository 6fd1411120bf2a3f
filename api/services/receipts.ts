import type { FastifyBaseLogger } from 'fastify';
import postgres from 'postgres';
import type { Database, Sql } from '../../db/core/client.ts';
import {
  deleteUnread,
  type InboundEvent,
  insertInboundEvents,
  markUnread,
  messagesById,
  ownMessages,
  phonesOfMessages,
} from '../../db/replies/inbound.ts';
import { lockMessages } from '../../db/messages/messages.ts';
import { applyReceipts, type MovedMessage, type ReceiptMove } from '../../db/messages/receipts.ts';
import {
  asksForPhone,
  recordReplyIntents,
  lockForOptOuts,
  optOutRecipients,
} from '../../db/customers/opt-outs.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { SecretKeyMissing } from '../../db/core/secrets.ts';
import { databaseProblem } from '../../health/database.ts';
import { keepReplies } from '../../db/replies/reading.ts';
import type { NewReply } from '../../db/replies/replies.ts';
import { applyAnswerReceipts } from '../../db/tickets/answers.ts';
import { followReceipts, runsWithSendTickets } from '../../db/tickets/opening.ts';
import { defaultReplyWindowDays } from '../../domain/reply.ts';
import { quoted } from '../../sms/callback.ts';
import type { Answered } from '../../sms/provider.ts';

/** A verified call of a provider: the raw event, and the receipt or reply in it, if any. */
export interface Arrival {
  event: InboundEvent;
  move: PendingMove | null;
  reply: PendingReply | null;
  /** The call as it is stored if its message is not found; null: it belongs to another system and is ignored. */
  call?: (() => string) | null;
}

/** For a message that has yet to be found by the provider's own id. */
type ByProviderId = Omit<ReceiptMove, 'messageId' | 'providerMessageId'> & {
  messageId: null;
  providerMessageId: string;
};
type PendingMove = ReceiptMove | ByProviderId;
/** For the recipient of a message that has yet to be found. */
type AnswerWithoutPhone = Omit<NewReply, 'phone'> & { phone: null; answers: Answered };
type PendingReply = NewReply | AnswerWithoutPhone;

interface Written {
  /** New replies. */
  replyIds: number[];
  /** The keys of the calls that could not be read, or that refer to unknown messages. */
  unread: ReadonlySet<string>;
}

interface Waiting {
  arrival: Arrival;
  done: () => void;
  failed: (error: unknown) => void;
}

/** Receipts in one transaction. More would hold the locks on messages and counts for longer than it saves. */
const groupSize = 500;
/** A group waits at most this long for as many receipts as were in progress before: a single one never waits. */
const gatherMs = 20;
/**
 * A deadlock, and a lock timeout, for example while a run of a million messages is cancelled. Our transactions all lock
 * in the same order (docs/architecture.md); these errors are retried anyway.
 */
const passing = new Set(['40P01', '55P03']);
const isPassing = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && passing.has(error.code);
const maxAttempts = 3;
const maxKnownRuns = 1_000;

/**
 * Writes provider calls in groups: one transaction for those that arrived while the last one was written, or within
 * some milliseconds. The transaction stores each raw event once, and applies its content. A reply that opts its phone
 * out or in, or has it held, takes effect here, in order of arrival: it must not wait for the workflow that does
 * everything else.
 */
export function createReceiptWriter({
  sql,
  log,
  phoneHash,
  replyWindowDays = defaultReplyWindowDays,
  onReplies,
  onUnknown,
}: {
  sql: Database;
  log: FastifyBaseLogger;
  phoneHash: () => Promise<PhoneHash>;
  /** A reply that arrives later than this after our last message does not match any. */
  replyWindowDays?: number | undefined;
  /** Called with the ids of new replies, once they are committed. */
  onReplies: (ids: readonly number[]) => void;
  /** Called with a provider whose receipt has an unknown id: it may have arrived before the outcome of its send. */
  onUnknown?: (providerId: number) => void;
}) {
  /** Whether a run opens tickets on send: its policy is frozen. */
  const withTickets = new Map<number, boolean>();
  let queue: Waiting[] = [];
  let writing = false;
  let timer: NodeJS.Timeout | null = null;
  /**
   * The number of calls in progress when the last group finished: those in it, whose senders come again, and those that
   * waited. Without the latter, two groups of half the size would alternate forever.
   */
  let expected = 1;

  /** One group at a time: two share the calls, and half the size costs more than the wait (measured: a quarter). */
  const writeGroup = async (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = true;
    const group = queue.slice(0, groupSize);
    queue = queue.slice(groupSize);
    await writeOrSplit(group);
    expected = Math.min(groupSize, group.length + queue.length);
    writing = false;
    gather();
  };

  const gather = (): void => {
    if (writing || queue.length === 0) return;
    if (queue.length >= expected) void writeGroup();
    else timer ??= setTimeout(() => void writeGroup(), gatherMs);
  };

  const writeOrSplit = async (group: readonly Waiting[]): Promise<void> => {
    try {
      await write(group.map(({ arrival }) => arrival));
      for (const { done } of group) done();
    } catch (error) {
      // A call that cannot be written must not fail the others.
      if (group.length > 1 && databaseProblem(error) !== 'unreachable' && !isPassing(error)) {
        for (const one of group) await writeOrSplit([one]);
      } else {
        for (const { failed } of group) failed(error);
      }
    }
  };

  /** Without its key, a reply is stored and opts in its phone; the opt-out of an erased customer remains. */
  const hashIfKeyed = async (): Promise<PhoneHash | null> => {
    try {
      return await phoneHash();
    } catch (error) {
      if (!(error instanceof SecretKeyMissing)) throw error;
      log.error({ err: error }, 'Opt-outs of erased customers cannot be found');
      return null;
    }
  };

  const write = async (
    arrivals: readonly Arrival[],
    replaced: readonly Pick<InboundEvent, 'providerId' | 'eventKey'>[] = [],
  ): Promise<Written> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const written = await sql.begin(async (tx) => {
          if (replaced.length > 0) await deleteUnread(tx, replaced);
          const { known, moves, texts } = await findMessages(tx, arrivals);
          const strongest = strongestMoves(moves);
          const contrary = contraryMoves(moves, strongest);
          const refused = [...strongest, ...contrary].filter(({ reason }) => reason === 'number_opted_out');
          const keepEvents = () =>
            insertInboundEvents(
              tx,
              known.map(({ event }) => event),
            );
          if (texts.length + refused.length + contrary.length === 0) {
            // Sent together. A repeated event is stored once, and moves nothing the second time.
            const [, moved] = await Promise.all([keepEvents(), applyReceipts(tx, strongest)]);
            await follow(tx, moved);
            const answers = await moveAnswers(tx, strongest, moved);
            return { replyIds: [], unread: await markUnknown(tx, known, [...moved, ...answers]) };
          }
          await keepEvents();
          const replies = await keepReplies(tx, texts, { windowDays: replyWindowDays });
          const asking = replies.filter(asksForPhone);
          const moving = strongest.map(({ messageId }) => messageId);
          if (asking.length + refused.length > 0) {
            await lockForOptOuts(tx, {
              moving,
              refused: refused.map(({ messageId }) => messageId),
              phones: asking.map(({ phone }) => phone),
            });
          } else if (contrary.length > 0) await lockMessages(tx, tx`m.id = any(${moving}::bigint[])`);
          const moved = await applyReceipts(tx, strongest);
          if (contrary.length > 0) moved.push(...(await applyReceipts(tx, contrary)));
          await follow(tx, moved);
          const answers = [
            ...(await moveAnswers(tx, strongest, moved)),
            ...(await moveAnswers(tx, contrary, moved)),
          ];
          await recordReplyIntents(tx, asking, hashIfKeyed);
          return {
            replyIds: replies.map(({ id }) => id),
            unread: await markUnknown(tx, known, [...moved, ...answers]),
          };
        });
        if (written.replyIds.length > 0) onReplies(written.replyIds);
        return written;
      } catch (error) {
        if (!isPassing(error) || attempt === maxAttempts) throw error;
      }
    }
  };

  /**
   * Finds the messages of receipts that contain only the provider's own id, and the senders of replies that only name
   * the message that they answer. Most contain more.
   */
  const findMessages = async (
    tx: Sql,
    arrivals: readonly Arrival[],
  ): Promise<{ known: readonly Arrival[]; moves: ReceiptMove[]; texts: NewReply[] }> => {
    const asked = arrivals.flatMap(({ move, reply }) => [
      ...(move?.messageId === null ? [move] : []),
      ...answeredById(reply),
    ]);
    const found = asked.length === 0 ? [] : await messagesById(tx, asked);
    const keyOf = (one: { providerId: number; providerMessageId: string | null }): string =>
      `${one.providerId} ${one.providerMessageId}`;
    const byId = new Map(found.map((one) => [keyOf(one), one]));
    const phones = await answeredPhones(tx, arrivals, (reply) => {
      const { messageId, providerMessageId } = reply.answers;
      return (
        messageId ?? byId.get(keyOf({ providerId: reply.providerId, providerMessageId }))?.messageId ?? null
      );
    });
    const moves: ReceiptMove[] = [];
    const texts: NewReply[] = [];
    const unknown = ({ event, call }: Arrival, reference: string): Arrival => {
      onUnknown?.(event.providerId);
      const unread = { code: 'message_unknown', params: { reference: quoted(reference) } } as const;
      const payload = call?.() ?? event.payload;
      return { event: { ...event, unread, payload }, move: null, reply: null, call: call ?? null };
    };
    const known = arrivals.map((arrival): Arrival => {
      const { event, move, reply } = arrival;
      if (reply !== null && reply.phone === null) {
        const phone = phones.get(reply);
        const { messageId, providerMessageId } = reply.answers;
        if (phone === undefined) return unknown(arrival, providerMessageId ?? String(messageId));
        texts.push({ ...reply, phone });
      } else if (reply !== null) texts.push(reply);
      if (move === null) return arrival;
      if (move.messageId !== null) {
        moves.push(move);
        return arrival;
      }
      const message = byId.get(keyOf(move));
      if (!message) return unknown(arrival, move.providerMessageId);
      const { messageId } = message;
      if (messageId !== null) moves.push({ ...move, messageId });
      return { ...arrival, event: { ...event, messageId } };
    });
    return { known, moves, texts };
  };

  /** Marks receipts of nonexistent messages as unread, so that they are shown. Returns the keys of all unread calls. */
  const markUnknown = async (
    tx: Sql,
    arrivals: readonly Arrival[],
    moved: readonly { id: number }[],
  ): Promise<Set<string>> => {
    const unread = new Set(arrivals.flatMap(({ event }) => (event.unread ? event.eventKey : [])));
    const isMoved = new Set(moved.map(({ id }) => id));
    const ends = arrivals.flatMap(({ event, move, call }) =>
      !call ||
      move === null ||
      move.messageId === null ||
      move.status === 'sent' ||
      isMoved.has(move.messageId)
        ? []
        : { event, call, providerId: move.providerId, messageId: move.messageId },
    );
    // Most of these are duplicates, or arrived too late.
    if (ends.length === 0) return unread;
    const own = await ownMessages(tx, ends);
    const unknown = ends.filter(({ messageId }) => !own.has(messageId));
    await markUnread(
      tx,
      unknown.map(({ event: { providerId, eventKey }, call, messageId }) => ({
        providerId,
        eventKey,
        payload: call(),
        unread: { code: 'message_unknown', params: { reference: String(messageId) } },
      })),
    );
    for (const { event } of unknown) unread.add(event.eventKey);
    return unread;
  };

  /** The other changes that follow from moved messages. */
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

  /** Applies the receipts that moved no message: they may be of answers to customers. */
  const moveAnswers = async (
    tx: Sql,
    moves: readonly ReceiptMove[],
    moved: readonly MovedMessage[],
  ): Promise<{ id: number }[]> => {
    const done = new Set(moved.map(({ id }) => id));
    const answers = await applyAnswerReceipts(
      tx,
      moves.filter(({ messageId }) => !done.has(messageId)),
    );
    await optOutRecipients(
      tx,
      answers.filter(({ reason }) => reason === 'number_opted_out').map(({ id }) => id),
    );
    return answers;
  };

  return {
    /** Resolves once the event is durable and applied. */
    write: (arrival: Arrival): Promise<void> =>
      new Promise((done, failed) => {
        queue.push({ arrival, done, failed });
        gather();
      }),

    /**
     * Writes events that were read again, in place of the old ones. Returns the keys of those that are still unread.
     */
    replace: async (
      replaced: readonly Pick<InboundEvent, 'providerId' | 'eventKey'>[],
      arrivals: readonly Arrival[],
    ): Promise<ReadonlySet<string>> => (await write(arrivals, replaced)).unread,
  };
}

function answeredById(reply: PendingReply | null): { providerId: number; providerMessageId: string }[] {
  if (reply === null || reply.phone !== null) return [];
  const { messageId, providerMessageId } = reply.answers;
  return messageId === null && providerMessageId !== null
    ? [{ providerId: reply.providerId, providerMessageId }]
    : [];
}

/** The senders of replies that only name what they answer: the recipients of those messages. Usually none. */
async function answeredPhones(
  tx: Sql,
  arrivals: readonly Arrival[],
  messageIdOf: (reply: AnswerWithoutPhone) => number | null,
): Promise<ReadonlyMap<PendingReply, string>> {
  const named = arrivals.flatMap(({ reply }) => {
    if (reply === null || reply.phone !== null) return [];
    const messageId = messageIdOf(reply);
    return messageId === null ? [] : [{ reply, messageId, providerId: reply.providerId }];
  });
  if (named.length === 0) return new Map();
  const phones = await phonesOfMessages(tx, named);
  return new Map(
    named.flatMap(({ reply, messageId }) => {
      const phone = phones.get(messageId);
      return phone === undefined ? [] : [[reply, phone]];
    }),
  );
}

export type ReceiptWriter = ReturnType<typeof createReceiptWriter>;

/** For each message the most significant receipt: a final status before `sent`, and of two final ones the first. */
export function strongestMoves(moves: readonly ReceiptMove[]): ReceiptMove[] {
  const strongest = new Map<number, ReceiptMove>();
  for (const move of moves) {
    const known = strongest.get(move.messageId);
    if (!known || (known.status === 'sent' && move.status !== 'sent')) strongest.set(move.messageId, move);
  }
  return [...strongest.values()];
}

/** Messages for which a group has receipts of both delivery and failure: a part of the text has failed. */
export function contraryMoves(
  moves: readonly ReceiptMove[],
  strongest: readonly ReceiptMove[],
): ReceiptMove[] {
  if (moves.length === strongest.length) return [];
  const delivered = new Set(
    strongest.filter(({ status }) => status === 'delivered').map(({ messageId }) => messageId),
  );
  return strongestMoves(
    moves.filter(
      ({ messageId, status }) =>
        delivered.has(messageId) && (status === 'undelivered' || status === 'failed'),
    ),
  );
}
