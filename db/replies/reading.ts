import { createReplyReader } from '../../domain/reply.ts';
import type { Sql } from '../core/client.ts';
import { asksForPhone } from '../customers/opt-outs.ts';
import { expectedAnswers, insertReplies, type KeptReply, type NewReply, setReplyIntent } from './replies.ts';
import { getReplyWords } from './reply-words.ts';

/**
 * Stores the replies that are new, with their intent by the current reply words. A reply with an answer that its
 * campaign expects has no intent: this looks up the answered message of the few replies that would opt in or out.
 */
export async function keepReplies(
  tx: Sql,
  replies: readonly NewReply[],
  { windowDays }: { windowDays: number },
): Promise<KeptReply[]> {
  // Usually there are none: the words are read only when there is a reply.
  if (replies.length === 0) return [];
  const intentOf = createReplyReader(await getReplyWords(tx));
  const inserted = await insertReplies(
    tx,
    replies.map((reply) => ({ ...reply, intent: intentOf(reply) })),
  );
  const kept: KeptReply[] = [];
  for (const reply of inserted) {
    const answers = asksForPhone(reply) ? await expectedAnswers(tx, reply.id, { windowDays }) : [];
    const intent = answers.length === 0 ? reply.intent : intentOf(reply, answers);
    if (intent !== reply.intent) await setReplyIntent(tx, reply.id, intent);
    kept.push({ ...reply, intent });
  }
  return kept;
}
