import { randomUUID } from 'node:crypto';
import type { LookUpResult, LookUpState } from '../../domain/unknown.ts';
import type { Sql } from '../core/client.ts';
import { insertInboundEvents } from '../replies/inbound.ts';
import { applyReceipts, counted, movedColumns, type MovedMessage, type ReceiptMove } from './messages.ts';
import { lockForOptOuts, optOutRecipients } from '../customers/opt-outs.ts';
import { followReceipts } from '../tickets/opening.ts';

/**
 * Settling messages that are `unknown`: by what their provider says when it is asked, or by what a person says. No index
 * knows the status of messages, so those that are to be looked up have a row each in `look_ups`.
 */

/**
 * Notes which unknown messages are to be looked up, the first time `afterMs` after they became so, and forgets those that
 * are settled. Reads the messages of a run only when its counts say that it has some that are not noted yet. Runs that
 * ended more than `forMs` ago are over.
 */
export async function noteUnknown(
  sql: Sql,
  { afterMs, forMs }: { afterMs: number; forMs: number },
): Promise<void> {
  await sql`
    delete from look_ups as l using messages as m where m.id = l.message_id and m.status <> 'unknown'`;
  const runs = await sql<{ id: number }[]>`
    select id from runs
    where (finished_at is null or finished_at > now() - make_interval(secs => ${forMs / 1000}::float8))
      and (select coalesce(sum(messages), 0) from run_counts where run_id = runs.id and status = 'unknown')
        > (select count(*) from look_ups where run_id = runs.id)`;
  // One by one: joined with all of them, the planner may read every message there is.
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

/** A message that is to be looked up. */
export interface DueLookUp {
  messageId: number;
  providerId: number;
  /** Null once the person was erased. */
  phone: string | null;
  text: string | null;
  /** If it was handed over at all, then between these instants. */
  from: Date;
  until: Date;
  /** So often it has been looked up. */
  looks: number;
}

export async function dueLookUps(sql: Sql, now: Date, limit: number): Promise<DueLookUp[]> {
  return sql<DueLookUp[]>`
    select l.message_id, l.provider_id, m.phone, m.text, coalesce(m.sending_at, runs.sending_at, runs.occurrence) as "from",
      coalesce(m.ended_at, now()) as until, l.looks
    from look_ups as l join messages as m on m.id = l.message_id join runs on runs.id = l.run_id
    where l.due_at <= ${now} and m.status = 'unknown'
    order by l.provider_id, l.due_at, l.message_id limit ${limit}`;
}

/** What a look-up ended with that settled nothing; `dueAt` null: the last one. */
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
 * The provider can't be asked: what is due of it is due again at `dueAt`; what has been unknown since before `giveUp` is
 * given up.
 */
export async function postponeLookUps(
  sql: Sql,
  { providerId, now, dueAt, giveUp }: { providerId: number; now: Date; dueAt: Date; giveUp: Date },
): Promise<void> {
  await sql`
    update look_ups as l set result = 'unavailable', looked_at = ${now},
      due_at = case when m.ended_at < ${giveUp} then null else ${dueAt}::timestamptz end
    from messages as m
    where m.id = l.message_id and l.provider_id = ${providerId} and l.due_at <= ${now}`;
}

/** Of these messages at the provider, those that are known to be others of ours: of a run, or test sends. */
export async function knownOthers(
  sql: Sql,
  { messageId, phone }: { messageId: number; phone: string },
  providerMessageIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string }[]>`
    select provider_message_id as id from messages
    where phone = ${phone} and id <> ${messageId} and provider_message_id = any(${[...providerMessageIds]}::text[])
    union all
    select outcome ->> 'providerMessageId' from test_sends
    where outcome ->> 'providerMessageId' = any(${[...providerMessageIds]}::text[])`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Whether another message of ours, with the same text to the same phone and of which we know no id at the provider, may
 * have left within the time of this one: then nobody can tell which of them the provider lists.
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
    limit 1`;
  return rows.count > 0;
}

/** Applies what the provider says of a message, as its receipt would. Call it in a transaction. */
export async function settleByLookUp(
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
  await sql`delete from look_ups where message_id = ${messageId}`;
}

/** A message in the list of its provider: one that it has taken. */
export interface ListedMove {
  messageId: number;
  providerMessageId: string;
  status: ReceiptMove['status'];
  reason: ReceiptMove['reason'];
  code: string | null;
  payload: Record<string, unknown>;
}

/**
 * Applies what a provider's list says of many messages, as their receipts would: at most one for each message. Call it in
 * a transaction.
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

/** A message that a provider's list may mean. */
export interface ListCandidate {
  id: number;
  phone: string;
  text: string | null;
  /** Null: the provider has not been heard of about it. */
  providerMessageId: string | null;
}

/**
 * Our messages to these phones that a list of the provider may mean, oldest first: those with one of its ids, and those of
 * runs that a restore has stopped, which may have been sent after the backup.
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

/** What a person says of unknown messages. */
export interface Statement {
  /** Whether it arrived. */
  arrived: boolean;
  /** `user:7`, `token:3`. */
  by: string;
  byName: string;
  /** Why, in the person's words. */
  note: string;
}

/**
 * Settles unknown messages by what a person states: one, or all of a run. Who said it is kept with each message. Returns
 * how many there were. Call it in a transaction.
 */
export async function settleByPerson(
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
      eventKey: `settled/${id}/${randomUUID()}`,
      kind: 'settled',
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

/** What looking a message up has come to; null: it is not unknown, or not noted yet. */
export async function getLookUp(
  sql: Sql,
  messageId: number,
): Promise<(LookUpState & { lookedAt: Date | null }) | null> {
  const [row] = await sql<(LookUpState & { lookedAt: Date | null })[]>`
    select l.result, l.due_at, l.looked_at from look_ups as l join messages as m on m.id = l.message_id
    where l.message_id = ${messageId} and m.status = 'unknown'`;
  return row ?? null;
}

/** The unknown messages of a run, by what their look-up has come to so far. */
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
