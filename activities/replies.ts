import type { Database, Sql } from '../db/core/client.ts';
import { recordConsents } from '../db/customers/consents.ts';
import { customerIdsByPhone } from '../db/customers/matching.ts';
import {
  findAnsweredMessage,
  finishReply,
  type HeldReply,
  lockReply,
  matchReply,
  mayMatchLater,
} from '../db/replies/replies.ts';
import { openReplyTicket } from '../db/tickets/opening.ts';
import { failures } from '../domain/failures.ts';
import type { ReplyEffect } from '../domain/reply.ts';
import { finalFailure } from './failure.ts';

export interface RepliesDeps {
  sql: Database;
  /** A reply that comes later than this after our last message answers none. */
  replyWindowDays: number;
}

/** Ids alone: what was written, and by whom, stays in the database. */
export interface HandledReply {
  effect: ReplyEffect;
  messageId: number | null;
  campaignId: number | null;
  runId: number | null;
  /** The reply answers no message yet, and may turn out to answer one: it is to be handled again later. */
  mayMatchLater: boolean;
}

export function createReplies({ sql, replyWindowDays }: RepliesDeps) {
  /**
   * Whoever the phone is known to belong to has stated their consent with that. The phone itself was opted out or in
   * when the reply was kept (api/services/receipts.ts). What a virtual phone says is kept, and changes nobody's consent.
   */
  const heed = async (
    tx: Sql,
    { phone, receivedAt, sandbox }: HeldReply,
    wish: 'opt_out' | 'opt_in',
  ): Promise<void> => {
    const consent = wish === 'opt_out' ? 'refused' : 'granted';
    await recordConsents(
      tx,
      (await customerIdsByPhone(tx, phone)).map((customerId) => ({ customerId, consent, at: receivedAt })),
      { source: 'reply', actor: 'system', sandbox },
    );
  };

  return {
    /**
     * Handles a reply in one transaction. One that was handled before is matched once more if it has no message yet; else
     * this tells what became of it.
     */
    async handleReply({ inboundMessageId: id }: { inboundMessageId: number }): Promise<HandledReply> {
      return sql.begin(async (tx) => {
        const reply = await lockReply(tx, id);
        if (!reply) throw finalFailure(failures.notFound, `There is no reply ${id}.`);
        if (reply.effect !== null && reply.messageId !== null) {
          const { effect, messageId, campaignId, runId } = reply;
          return { effect, messageId, campaignId, runId, mayMatchLater: false };
        }
        const answered = await findAnsweredMessage(tx, id, { windowDays: replyWindowDays });
        if (answered || reply.effect === null) await matchReply(tx, id, answered);

        const { wish } = reply;
        let effect: ReplyEffect = wish ?? 'none';
        if (wish === 'opt_out' || wish === 'opt_in') {
          // What somebody else has said since is newer than this.
          if (reply.effect === null) await heed(tx, reply, wish);
        }
        // Who calls for help is to be heard, too.
        else if (await openReplyTicket(tx, { inboundMessageId: id })) effect = wish ?? 'ticket';
        await finishReply(tx, id, effect);
        const { messageId = null, campaignId = null, runId = null } = answered ?? {};
        const later = !answered && (await mayMatchLater(tx, id, { windowDays: replyWindowDays }));
        return { effect, messageId, campaignId, runId, mayMatchLater: later };
      });
    },
  };
}
