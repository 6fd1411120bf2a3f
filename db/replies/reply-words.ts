import { type ReplyWords, replyWords } from '../../domain/reply.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';

/** The admins' settings, or the defaults. */
export async function getReplyWords(sql: Sql): Promise<ReplyWords> {
  const [row] = await sql<{ definition: unknown }[]>`select definition from reply_words`;
  return replyWords.parse(row?.definition ?? {});
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockReplyWords(tx: Sql): Promise<ReplyWords> {
  await tx`lock table reply_words in share row exclusive mode`;
  return getReplyWords(tx);
}

export async function saveReplyWords(sql: Sql, words: ReplyWords): Promise<void> {
  await sql`
    insert into reply_words (definition) values (${json(sql, words)})
    on conflict (only_row) do update set definition = excluded.definition`;
}
