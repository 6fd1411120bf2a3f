import { log } from '@temporalio/activity';
import type { Database, Sql } from '../db/core/client.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { SecretKeyMissing } from '../db/core/secrets.ts';
import { recordConsents } from '../db/customers/consents.ts';
import { customerIdsByPhone } from '../db/customers/matching.ts';
import { lockMessages } from '../db/messages/messages.ts';
import {
  type AutomaticText,
  automaticTextOf,
  getAutomaticTexts,
  insertAutomaticText,
} from '../db/replies/automatic-texts.ts';
import { stateOfHold } from '../db/replies/holds.ts';
import {
  type AnsweredMessage,
  findAnsweredMessage,
  finishReply,
  type HeldReply,
  lockReply,
  matchReply,
  mayMatchLater,
  textsOf,
  ticketOfReply,
} from '../db/replies/replies.ts';
import { openReplyTicket } from '../db/tickets/opening.ts';
import { offeredAnswers } from '../domain/answer-words.ts';
import { type AutomaticTexts, keywordOf } from '../domain/automatic-texts.ts';
import { failures } from '../domain/failures.ts';
import type { ReplyEffect, ReplyIntent } from '../domain/reply.ts';
import { finalFailure } from './failure.ts';

export interface RepliesDeps {
  sql: Database;
  /** A reply that arrives later than this after our last message does not match any. */
  replyWindowDays: number;
  phoneHash: () => Promise<PhoneHash>;
}

/** Only ids: the text and the phone stay in the database. */
export interface HandledReply {
  effect: ReplyEffect;
  messageId: number | null;
  campaignId: number | null;
  runId: number | null;
  /** The ticket that it opened or was added to. */
  ticketId: number | null;
  /** The automatic text that answers it. */
  answerId: number | null;
  /** The reply matches no message yet, but may match one later: handle it again then. */
  mayMatchLater: boolean;
}

export function createReplies({ sql, replyWindowDays, phoneHash }: RepliesDeps) {
  /**
   * Records the consent of the customer to whom the phone is known to belong. The phone itself was opted out or in when
   * the reply was stored (api/services/receipts.ts). A reply from a virtual phone is stored, and changes nobody's
   * consent.
   */
  const recordIntent = async (
    tx: Sql,
    { phone, receivedAt, sandbox }: HeldReply,
    intent: 'opt_out' | 'opt_in',
  ): Promise<void> => {
    const consent = intent === 'opt_out' ? 'refused' : 'granted';
    await recordConsents(
      tx,
      (await customerIdsByPhone(tx, phone)).map((customerId) => ({ customerId, consent, at: receivedAt })),
      { source: 'reply', actor: 'system', sandbox },
    );
  };

  const isOfferedAnswer = async (tx: Sql, id: number, { messageId }: AnsweredMessage): Promise<boolean> => {
    const { message, reply } = await textsOf(tx, { inboundMessageId: id, messageId });
    return offeredAnswers(message, [reply]).length > 0;
  };
  /** All rows that a refusal and a ticket update, in the order of locks: customers, then messages by their ids. */
  const lockAnswered = async (
    tx: Sql,
    { phone }: HeldReply,
    { messageId }: AnsweredMessage,
  ): Promise<void> => {
    const customers = await customerIdsByPhone(tx, phone);
    await tx`select from customers where id = any(${customers}::bigint[]) order by id for no key update`;
    await lockMessages(
      tx,
      tx`(m.id = ${messageId} or m.status = 'queued' and m.customer_id = any(${customers}::bigint[]))`,
    );
  };
  /** A user may have decided before it is handled. */
  const effectOfHold = async (tx: Sql, reply: HeldReply, hasTicket: boolean): Promise<ReplyEffect> => {
    if (reply.effect === 'opt_out') return reply.effect;
    const state = await stateOfHold(tx, reply);
    if (state !== null) return state === 'held' ? 'probable_opt_out' : 'opt_out';
    return hasTicket ? 'ticket' : 'none';
  };

  /** Without the key, nobody knows whether the phone had opted out before its person was erased: no text. */
  const answerAutomatically = async (tx: Sql, id: number, text: AutomaticText | null): Promise<void> => {
    if (text === null) return;
    try {
      await insertAutomaticText(tx, await phoneHash(), id, text);
    } catch (error) {
      if (!(error instanceof SecretKeyMissing)) throw error;
      log.error('No automatic text is sent: the key of the phone hashes is missing', { error });
    }
  };
  const followUpsOf = async (
    tx: Sql,
    inboundMessageId: number,
  ): Promise<Pick<HandledReply, 'ticketId' | 'answerId'>> => {
    const ticketId = await ticketOfReply(tx, inboundMessageId);
    return { ticketId, answerId: await automaticTextOf(tx, { inboundMessageId, ticketId }) };
  };

  return {
    /**
     * Handles a reply in one transaction. If it was handled before and has no message yet, it is matched once more;
     * otherwise this returns the earlier result.
     */
    async handleReply({ inboundMessageId: id }: { inboundMessageId: number }): Promise<HandledReply> {
      return sql.begin(async (tx) => {
        const reply = await lockReply(tx, id);
        if (!reply) throw finalFailure(failures.notFound, `There is no reply ${id}.`);
        if (reply.effect !== null && reply.messageId !== null) {
          const { effect, messageId, campaignId, runId } = reply;
          return {
            effect,
            messageId,
            campaignId,
            runId,
            ...(await followUpsOf(tx, id)),
            mayMatchLater: false,
          };
        }
        const answered = await findAnsweredMessage(tx, id, { windowDays: replyWindowDays });
        if (answered || reply.effect === null) await matchReply(tx, id, answered);

        const { intent } = reply;
        const texts = await getAutomaticTexts(tx);
        const found = intent === null ? keywordOf(texts, reply.text) : null;
        let effect: ReplyEffect = intent ?? 'none';
        if (intent === 'opt_out' || intent === 'opt_in') {
          const isAnswer =
            intent === 'opt_out' && answered !== null && (await isOfferedAnswer(tx, id, answered));
          if (isAnswer) await lockAnswered(tx, reply, answered);
          // What another user has recorded since is newer than this.
          if (reply.effect === null) await recordIntent(tx, reply, intent);
          // The message itself offered the word, so it is also the customer's answer.
          if (isAnswer) await openReplyTicket(tx, { inboundMessageId: id });
        }
        // A call for help and a probable opt-out also open a ticket.
        else {
          const hasTicket =
            (await openReplyTicket(tx, { inboundMessageId: id, target: found?.keyword ?? null })) !== null;
          if (intent === 'probable_opt_out') effect = await effectOfHold(tx, reply, hasTicket);
          else if (hasTicket) effect = intent ?? 'ticket';
        }
        await finishReply(tx, id, effect);
        if (reply.effect === null) await answerAutomatically(tx, id, textFor(texts, intent, found));
        const { messageId = null, campaignId = null, runId = null } = answered ?? {};
        const later = !answered && (await mayMatchLater(tx, id, { windowDays: replyWindowDays }));
        return { effect, messageId, campaignId, runId, ...(await followUpsOf(tx, id)), mayMatchLater: later };
      });
    },
  };
}

/** What answers a reply by itself; null: nothing, or its text is off. */
function textFor(
  { optOut, help }: AutomaticTexts,
  intent: ReplyIntent,
  found: ReturnType<typeof keywordOf>,
): AutomaticText | null {
  const text: AutomaticText | null =
    intent === 'opt_out'
      ? { kind: 'opt_out', keyword: null, text: optOut }
      : intent === 'help'
        ? { kind: 'help', keyword: null, text: help }
        : found && { kind: 'keyword', keyword: found.word, text: found.keyword.text };
  return text === null || text.text === '' ? null : text;
}
