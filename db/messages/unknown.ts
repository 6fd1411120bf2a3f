import { randomUUID } from 'node:crypto';
import type { LookUpResult, LookUpState } from '../../domain/unknown.ts';
import type { Sql } from '../core/client.ts';
import { insertInboundEvents } from '../replies/inbound.ts';
import { counted, movedColumns } from './messages.ts';
import { applyReceipts, type MovedMessage, type ReceiptMove } from './receipts.ts';
import { lockForOptOuts, optOutRecipients } from '../customers/opt-outs.ts';
import { applyAnswerReceipts } from '../tickets/answers.ts';
import { followReceipts } from '../tickets/opening.ts';

/**
 * Resolving `unknown` messages: by the answer of their provider's look-up, or by a user's statement. No index contains
 * the status of messages, so each one to look up has a row in `look_ups`.
 */

/**
 * Schedules look-ups of unknown messages, the first `afterMs` after they became unknown, and deletes those of resolved
 * messages. Reads the messages of a run only if its counts show some without a look-up. Ignores runs that ended more
 * than `forMs` ago.
 */
export async function noteUnknown(
  sql: Sql,
  { afterMs, forMs }: { afterMs: number; forMs: number },
): Promise<void> {
  await sql`
    delete from look_ups as l using messages as m where m.id = l.message_id and m.status <> 'unknown'`;
  await sql`
    delete from look_ups as l where run_id is null
      and not exists (select from answers as a where a.id = l.message_id and a.status = 'unknown')`;
  await sql`
    insert into look_ups (message_id, provider_id, due_at)
    select id, provider_id, coalesce(ended_at, now()) + make_interval(secs => ${afterMs / 1000}::float8)
    from answers where status = 'unknown' and phone is not null
      and ended_at > now() - make_interval(secs => ${forMs / 1000}::float8)
    on conflict do nothing`;
  const runs = await sql<{ id: number }[]>`
    select id from runs
    where (finished_at is null or finished_at > now() - make_interval(secs => ${forMs / 1000}::float8))
      and (select coalesce(sum(messages), 0) from run_counts where run_id = runs.id and status = 'unknown')
        > (select count(*) from look_ups where run_id = runs.id)`;
  // One by one: with a join over all runs, the planner may read every message.
  for (const { id } of runs) {
    await sql`
      insert into look_ups (message_id, run_id, provider_id, due_at)
      select m.id, m.run_id, coalesce(m.provider_id, runs.provider_id),
        coalesce(m.ended_at, now()) + make_interval(secs => ${afterMs / 1000}::float8)
      from messages as m join runs on runs.id = m.run_id
      where m.run_id = ${id} and m.status = 'unknown' and coalesce(m.provider_id, runs.provider_id) is not null
      on conflict do nothing`;
  }
}

/** A message to look up. */
export interface DueLookUp {
  messageId: number;
  providerId: number;
  /** Null once the person was erased. */
  phone: string | null;
  text: string | null;
  /** If it was handed over at all, this was between these instants. */
  from: Date;
  until: Date;
  /** The number of look-ups so far. */
  looks: number;
}

export async function dueLookUps(sql: Sql, now: Date, limit: number): Promise<DueLookUp[]> {
  return sql<DueLookUp[]>`
    select l.message_id, l.provider_id, m.phone, m.text, coalesce(m.sending_at, runs.sending_at, runs.occurrence) as "from",
      coalesce(m.ended_at, now()) as until, l.looks
    from look_ups as l join messages as m on m.id = l.message_id join runs on runs.id = l.run_id
    where l.due_at <= ${now} and m.status = 'unknown'
    union all
    select l.message_id, l.provider_id, a.phone, a.text, coalesce(a.sending_at, a.created_at), coalesce(a.ended_at, now()), l.looks
    from look_ups as l join answers as a on a.id = l.message_id
    where l.due_at <= ${now} and a.status = 'unknown'
    order by provider_id, until, message_id limit ${limit}`;
}

/** Records a look-up that resolved nothing; `dueAt` null: it was the last one. */
export async function noteLookUp(
  sql: Sql,
  { messageId, result, at, dueAt }: { messageId: number; result: LookUpResult; at: Date; dueAt: Date | null },
): Promise<void> {
  await sql`
    update look_ups set result = ${result}, looked_at = ${at}, due_at = ${dueAt},
      looks = looks + ${result === 'unavailable' ? 0 : 1}
    where message_id = ${messageId}`;
}

/**
 * For a provider that cannot be asked: postpones its due look-ups to `dueAt`, and gives up messages that became unknown
 * before `giveUp`.
 */
export async function postponeLookUps(
  sql: Sql,
  { providerId, now, dueAt, giveUp }: { providerId: number; now: Date; dueAt: Date; giveUp: Date },
): Promise<void> {
  await sql`
    update look_ups as l set result = 'unavailable', looked_at = ${now},
      due_at = case when sms.ended_at < ${giveUp} then null else ${dueAt}::timestamptz end
    from (
      select l.message_id, coalesce(m.ended_at, a.ended_at) as ended_at
      from look_ups as l left join messages as m on m.id = l.message_id left join answers as a on a.id = l.message_id
      where l.provider_id = ${providerId} and l.due_at <= ${now}
    ) as sms
    where sms.message_id = l.message_id`;
}

/** Of these provider messages, those known to belong to other messages of ours: in a run, or test sends. */
export async function knownOthers(
  sql: Sql,
  { messageId, phone }: { messageId: number; phone: string },
  providerMessageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string }[]>`
    select provider_message_id as id from messages
    where phone = ${phone} and id <> ${messageId} and provider_message_id = any(${[...providerMessageIds]}::text[])
    union all
    select provider_message_id from answers
    where phone = ${phone} and id <> ${messageId} and provider_message_id = any(${[...providerMessageIds]}::text[])
    union all
    select outcome ->> 'providerMessageId' from test_sends
    where outcome ->> 'providerMessageId' = any(${[...providerMessageIds]}::text[])`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Whether another message of ours with the same text and phone, and without a known provider id, may have left in the
 * same period: the provider's list then cannot distinguish them.
 */
export async function hasTwin(
  sql: Sql,
  { messageId, phone, text, from, until }: DueLookUp & { phone: string; text: string },
  slackMs: number,
): Promise<boolean> {
  const rows = await sql`
    select from messages as m join runs on runs.id = m.run_id
    where m.phone = ${phone} and m.id <> ${messageId} and m.text = ${text} and m.provider_message_id is null
      and m.status not in ('failed', 'cancelled', 'skipped')
      and coalesce(m.sending_at, runs.sending_at) <= ${until}::timestamptz + make_interval(secs => ${slackMs / 1000}::float8)
      and coalesce(m.ended_at, now()) >= ${from}::timestamptz - make_interval(secs => ${slackMs / 1000}::float8)
    union all
    select from answers as a
    where a.phone = ${phone} and a.id <> ${messageId} and a.text = ${text} and a.provider_message_id is null
      and a.status <> 'failed' and a.sending_at <= ${until}::timestamptz + make_interval(secs => ${slackMs / 1000}::float8)
      and coalesce(a.ended_at, now()) >= ${from}::timestamptz - make_interval(secs => ${slackMs / 1000}::float8)
    limit 1`;
  return rows.count > 0;
}

/** Applies the provider's answer about a message, as a receipt would. Call it in a transaction. */
export async function resolveByLookUp(
  sql: Sql,
  { messageId, providerId }: { messageId: number; providerId: number },
  {
    providerMessageId,
    status,
    reason,
    code,
    payload,
  }: Pick<ReceiptMove, 'providerMessageId' | 'status' | 'reason'> & {
    code: string | null;
    payload: Record<string, unknown>;
  },
): Promise<void> {
  if (reason === 'number_opted_out')
    await lockForOptOuts(sql, { moving: [messageId], refused: [messageId], phones: [] });
  await insertInboundEvents(sql, [
    {
      providerId,
      eventKey: `look-up/${messageId}/${providerMessageId}/${status}`,
      kind: 'look_up',
      messageId,
      payload: JSON.stringify(payload),
    },
  ]);
  const moved = await applyReceipts(sql, [
    { providerId, messageId, providerMessageId, status, reason, providerCode: code },
  ]);
  await follow(sql, moved);
  if (moved.length === 0) {
    const answers = await applyAnswerReceipts(sql, [
      { providerId, messageId, providerMessageId, status, reason, providerCode: code },
    ]);
    await optOutRecipients(
      sql,
      answers.filter((one) => one.reason === 'number_opted_out').map(({ id }) => id),
    );
  }
  await sql`delete from look_ups where message_id = ${messageId}`;
}

/** A message in its provider's list, which means that the provider took it. */
export interface ListedMove {
  messageId: number;
  providerMessageId: string;
  status: ReceiptMove['status'];
  reason: ReceiptMove['reason'];
  code: string | null;
  payload: Record<string, unknown>;
}

/**
 * Applies a provider's list to many messages, as receipts would: at most one entry for each message. Call it in a
 * transaction.
 */
export async function recordListed(
  sql: Sql,
  providerId: number,
  listed: readonly ListedMove[],
): Promise<void> {
  if (listed.length === 0) return;
  const ids = listed.map(({ messageId }) => messageId);
  const refused = listed.filter(({ reason }) => reason === 'number_opted_out');
  if (refused.length > 0) {
    await lockForOptOuts(sql, {
      moving: ids,
      refused: refused.map(({ messageId }) => messageId),
      phones: [],
    });
  }
  await insertInboundEvents(
    sql,
    listed.map(({ messageId, providerMessageId, status, payload }) => ({
      providerId,
      eventKey: `look-up/${messageId}/${providerMessageId}/${status}`,
      kind: 'look_up',
      messageId,
      payload: JSON.stringify(payload),
    })),
  );
  const moved = await applyReceipts(
    sql,
    listed.map(({ code, ...move }) => ({ ...move, providerId, providerCode: code })),
  );
  await follow(sql, moved);
  await sql`delete from look_ups where message_id = any(${ids}::bigint[])`;
}

/** A message that an entry of a provider's list may refer to. */
export interface ListCandidate {
  id: number;
  phone: string;
  text: string | null;
  /** Null: the provider has reported nothing about it. */
  providerMessageId: string | null;
}

/**
 * Our messages to these phones that a provider's list may refer to, oldest first: those with one of its ids, and those
 * of runs stopped by a restore, which may have been sent after the backup.
 */
export async function listCandidates(
  sql: Sql,
  providerId: number,
  listed: { phones: readonly string[]; providerMessageIds: readonly string[] },
): Promise<ListCandidate[]> {
  return sql<ListCandidate[]>`
    select m.id, m.phone, m.text, m.provider_message_id from messages as m join runs on runs.id = m.run_id
    where m.phone = any(${[...listed.phones]}::text[])
      and coalesce(m.provider_id, runs.provider_id) = ${providerId}
      and (m.provider_message_id = any(${[...listed.providerMessageIds]}::text[])
        or m.provider_message_id is null and runs.restored_at is not null
          and m.status in ('queued', 'sending', 'unknown', 'skipped', 'cancelled'))
    order by m.id`;
}

/** A user's statement about unknown messages. */
export interface Statement {
  /** Whether it arrived. */
  arrived: boolean;
  /** `user:7`, `token:3`. */
  by: string;
  byName: string;
  /** The user's reason. */
  note: string;
}

/**
 * Resolves unknown messages by a user's statement: one message, or all of a run. Stores the user with each message.
 * Returns how many there were. Call it in a transaction.
 */
export async function resolveByUser(
  sql: Sql,
  which: { messageId: number } | { runId: number },
  { arrived, by, byName, note }: Statement,
): Promise<number> {
  const where = 'messageId' in which ? sql`id = ${which.messageId}` : sql`run_id = ${which.runId}`;
  const moved = await sql<(MovedMessage & { providerId: number })[]>`
    with held as (
      select id from messages where ${where} and status = 'unknown' order by id for no key update
    ), moved as (
      update messages as m set status = ${arrived ? 'delivered' : 'undelivered'},
        reason = ${arrived ? null : 'not_delivered'}, ended_at = now()
      from held where m.id = held.id and m.status = 'unknown'
      returning new.id, new.provider_id, ${movedColumns(sql)}
    ), ${counted(sql)}
    select moved.id, moved.run_id, moved.to_reason as reason, coalesce(moved.provider_id, runs.provider_id) as provider_id
    from moved join runs on runs.id = moved.run_id`;
  await insertInboundEvents(
    sql,
    moved.map(({ id, providerId }) => ({
      providerId,
      eventKey: `resolved/${id}/${randomUUID()}`,
      kind: 'resolved',
      messageId: id,
      payload: JSON.stringify({ arrived, by, byName, note }),
    })),
  );
  await follow(sql, moved);
  await sql`delete from look_ups where message_id = any(${moved.map(({ id }) => id)}::bigint[])`;
  return moved.length;
}

const follow = async (sql: Sql, moved: readonly MovedMessage[]): Promise<void> => {
  await optOutRecipients(
    sql,
    moved.filter(({ reason }) => reason === 'number_opted_out').map(({ id }) => id),
  );
  await followReceipts(
    sql,
    moved.map(({ id }) => id),
  );
};

/** The result of looking a message up; null: it is not unknown, or has no look-up yet. */
export async function getLookUp(
  sql: Sql,
  messageId: number,
): Promise<(LookUpState & { lookedAt: Date | null }) | null> {
  const [row] = await sql<(LookUpState & { lookedAt: Date | null })[]>`
    select l.result, l.due_at, l.looked_at from look_ups as l join messages as m on m.id = l.message_id
    where l.message_id = ${messageId} and m.status = 'unknown'`;
  return row ?? null;
}

/** The unknown messages of a run, by the result of their look-up so far. */
export async function countUnknown(
  sql: Sql,
  runId: number,
): Promise<{ messages: number; byLookUp: { result: LookUpResult | null; messages: number }[] }> {
  const [{ messages }] = await sql<[{ messages: number }]>`
    select coalesce(sum(messages), 0)::int as messages from run_counts
    where run_id = ${runId} and status = 'unknown'`;
  const byLookUp = await sql<{ result: LookUpResult | null; messages: number }[]>`
    select l.result, count(*)::int as messages from look_ups as l join messages as m on m.id = l.message_id
    where l.run_id = ${runId} and m.status = 'unknown' group by l.result order by l.result nulls first`;
  return { messages, byLookUp };
}
