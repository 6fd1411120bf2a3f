import { randomUUID } from 'node:crypto';
import type { AnswerKind, AnswerReason, AnswerStatus } from '../../domain/answer.ts';
import type { FailureReason } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { block } from '../customers/opt-outs.ts';
import type { Outcome } from '../messages/claims.ts';
import { type ReceiptMove, receiptMoves, receiptRows } from '../messages/receipts.ts';
import { insertInboundEvents, longestKey } from '../replies/inbound.ts';
import { waitAfterAnswer } from './automation.ts';
import { posted } from './posts.ts';

/**
 * SMS that answer a customer. Each is a row before anything leaves, and is sent by a workflow of its own
 * (workflows/answer.ts). They share the ids of messages, because providers return one number.
 */
export interface AnswerRow {
  id: number;
  kind: AnswerKind;
  ticketId: number | null;
  /** The reply that caused an automatic text. */
  inboundMessageId: number | null;
  actor: string;
  actorName: string;
  providerId: number;
  /** Null once the person was erased, like the text. */
  phone: string | null;
  text: string | null;
  segments: number;
  status: AnswerStatus;
  reason: AnswerReason | null;
  providerCode: string | null;
  createdAt: Date;
  sendingAt: Date | null;
  sentAt: Date | null;
  endedAt: Date | null;
}

const columns = (sql: Sql) => sql`
  id, kind, ticket_id, inbound_message_id, actor, actor_name, provider_id, phone, text, segments, status, reason,
  provider_code, created_at, sending_at, sent_at, ended_at`;

export interface NewAnswer {
  kind: AnswerKind;
  /** Of the kind `keyword` only. */
  keyword?: string | null;
  ticketId: number | null;
  inboundMessageId: number | null;
  requestKey: string | null;
  actor: string;
  actorName: string;
  providerId: number;
  phone: string;
  text: string;
  segments: number;
}

/**
 * Stores an answer to be sent, with the event of its ticket. `isNew` false: the same request, or the same reply, already
 * has this answer. A user's answer is also noted on its ticket, which the transaction has locked.
 */
export async function insertAnswer(
  sql: Sql,
  answer: NewAnswer,
): Promise<{ answer: AnswerRow; isNew: boolean }> {
  const { kind, keyword = null, ticketId, inboundMessageId, requestKey } = answer;
  const [row] = await sql<AnswerRow[]>`
    insert into answers (kind, keyword, ticket_id, inbound_message_id, request_key, actor, actor_name, provider_id, phone, text, segments)
    values (${kind}, ${keyword}, ${ticketId}, ${inboundMessageId}, ${requestKey}, ${answer.actor}, ${answer.actorName},
      ${answer.providerId}, ${answer.phone}, ${answer.text}, ${answer.segments})
    on conflict do nothing returning ${columns(sql)}`;
  if (!row) {
    const [known] = await sql<[AnswerRow]>`
      select ${columns(sql)} from answers
      where ${requestKey === null ? sql`inbound_message_id = ${inboundMessageId} and kind = ${kind}` : sql`ticket_id = ${ticketId} and request_key = ${requestKey}`}`;
    return { answer: known, isNew: false };
  }
  if (ticketId !== null) {
    await sql`
      with event as (
        insert into ticket_events (ticket_id, kind, actor, actor_name, answer_id)
        values (${ticketId}, 'answer', ${answer.actor}, ${answer.actorName}, ${row.id})
        returning id, ticket_id, kind
      ), ${posted(sql)}
      select from event`;
  }
  if (kind === 'user') {
    await sql`
      update tickets set answered_at = now(), first_answered_at = coalesce(first_answered_at, now()), updated_at = now()
      where id = ${ticketId}`;
    if (ticketId !== null) await waitAfterAnswer(sql, ticketId, answer);
  }
  return { answer: row, isNew: true };
}

export async function getAnswer(sql: Sql, id: number): Promise<AnswerRow | null> {
  const [row] = await sql<AnswerRow[]>`select ${columns(sql)} from answers where id = ${id}`;
  return row ?? null;
}

/** The last `limit` answers of a ticket, oldest first. */
export async function listAnswers(
  sql: Sql,
  ticketId: number,
  { limit }: { limit: number },
): Promise<AnswerRow[]> {
  const rows = await sql<AnswerRow[]>`
    select ${columns(sql)} from answers where ticket_id = ${ticketId} order by id desc limit ${limit}`;
  return rows.toReversed();
}

/** Where an answer to a ticket goes. */
export interface AnswerTarget {
  providerId: number;
  /** Null once the customer was erased. */
  phone: string | null;
}

/**
 * The provider and the phone for an answer to a ticket: those of the customer's last reply; without one, those of its
 * message.
 */
export async function answerTarget(sql: Sql, ticketId: number): Promise<AnswerTarget | null> {
  const [row] = await sql<AnswerTarget[]>`
    select coalesce(reply.provider_id, m.provider_id, runs.provider_id) as provider_id, t.phone
    from tickets as t join messages as m on m.id = t.message_id join runs on runs.id = t.run_id
      left join lateral (
        select i.provider_id from ticket_events as e join inbound_messages as i on i.id = e.inbound_message_id
        where e.ticket_id = t.id order by e.id desc limit 1
      ) as reply on true
    where t.id = ${ticketId}`;
  return row ?? null;
}

/** Answers that have no outcome yet: their workflows send them. */
export async function unsentAnswers(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<AnswerKey[]> {
  return sql<AnswerKey[]>`
    select id, ticket_id, inbound_message_id from answers
    where status in ('queued', 'sending') and id > ${after} order by id limit ${limit}`;
}
/** What the id of an answer's workflow is made of (domain/ids.ts). */
export type AnswerKey = Pick<AnswerRow, 'id' | 'ticketId' | 'inboundMessageId'>;

/** Whether an answer waits for a free slot of a worker. */
export async function countAnswersWithoutSender(sql: Sql): Promise<number> {
  const [row] = await sql<[{ n: number }]>`
    select count(*)::int as n from answers
    where status = 'queued' and sender is null
      and created_at between now() - interval '30 seconds' and now() - interval '0.3 seconds'`;
  return row.n;
}

/** An answer about to be sent: the intent is durable. */
export interface ClaimedAnswer {
  id: number;
  phone: string;
  text: string;
  segments: number;
  /** Including the send that follows. */
  attempts: number;
  createdAt: Date;
}

/**
 * Claims an answer (`queued → sending`) for one attempt to send it. Null if it is not queued, or may not leave: the
 * phone has opted out or is held since (`failed`). The confirmation of an opt-out goes to a phone that has opted out.
 */
export async function claimAnswer(
  sql: Sql,
  { id, sender }: { id: number; sender: string },
): Promise<ClaimedAnswer | null> {
  const [row] = await sql<(ClaimedAnswer & { status: AnswerStatus })[]>`
    with due as materialized (
      select id, case kind when 'opt_out' then null else ${block(sql, sql`answers.phone`, sql`answers.provider_id`)} end as left_alone
      from answers where id = ${id} and status = 'queued' and phone is not null for no key update
    )
    update answers as a set
      status = case when left_alone is null then 'sending' else 'failed' end, reason = left_alone,
      ended_at = case when left_alone is not null then now() end,
      sender = ${sender}, sending_at = now(), attempts = attempts + 1
    from due where a.id = due.id
    returning new.id, new.phone, new.text, new.segments, new.attempts, new.created_at, new.status`;
  return row?.status === 'sending' ? row : null;
}

/**
 * Closes an answer that an earlier attempt claimed and left without an outcome, because its worker was killed. It
 * becomes `unknown`, because the provider may have accepted it, or `queued` if the provider refuses a second SMS with the
 * same reference.
 */
export async function closeStoppedAnswer(
  sql: Sql,
  { id, deduplicates, sender = null }: { id: number; deduplicates: boolean; sender?: string | null },
): Promise<boolean> {
  const rows = await sql`
    update answers set perhaps_taken = true,
      status = ${deduplicates ? 'queued' : 'unknown'}, reason = ${deduplicates ? null : 'sender_died'},
      ended_at = ${deduplicates ? null : sql`now()`}
    where id = ${id} and status = 'sending' ${sender === null ? sql`` : sql`and sender <> ${sender}`}`;
  return rows.count > 0;
}

/**
 * Records the outcome of one attempt. Ignored if this attempt can no longer decide it, because a receipt came first. An
 * attempt that was considered stopped still decides the outcome of its own send; what it did not send has failed then,
 * because its workflow has ended.
 */
export async function recordAnswerOutcome(
  sql: Sql,
  {
    outcome,
    sender,
    providerId,
    receiptsById,
  }: { outcome: Outcome; sender: string; providerId: number; receiptsById: boolean },
): Promise<void> {
  const { id, status, reason, providerMessageId, providerCode, uncounted, elapsedMs } = outcome;
  const isTaken = status === 'sent' && providerMessageId !== null;
  await sql`
    with ${
      receiptsById && isTaken
        ? sql`known as (
            insert into provider_message_ids (provider_id, provider_message_id, message_id)
            values (${providerId}, left(${providerMessageId}, ${longestKey}), ${id}) on conflict do nothing
          ),`
        : sql``
    } held as (
      select id, status as from_status, status = 'unknown' and ${status} = 'queued' as too_late from answers where id = ${id} for no key update
    )
    update answers as a set
      status = case when too_late then 'failed' else ${status} end,
      reason = case when too_late then 'not_sent' else ${reason}::text end,
      provider_message_id = coalesce(${providerMessageId}::text, a.provider_message_id), provider_code = ${providerCode},
      perhaps_taken = a.perhaps_taken or ${Number(status === 'queued' && outcome.providerId !== null)} = 1,
      attempts = a.attempts - ${Number(uncounted)},
      sent_at = case when ${status} = 'sent' then a.sending_at + ${Math.round(elapsedMs)} * interval '1 ms' else a.sent_at end,
      ended_at = case when ${status} in ('failed', 'unknown') or too_late then a.sending_at + ${Math.round(elapsedMs)} * interval '1 ms' end
    from held where a.id = held.id and a.sender = ${sender}
      and (a.status = 'sending' or a.status = 'unknown' and ${status} <> 'unknown')`;
}

/** Gives up an answer that the provider has not accepted for too long. */
export async function giveUpAnswer(sql: Sql, id: number, reason: AnswerReason): Promise<void> {
  await sql`
    update answers set ended_at = now(), status = case when perhaps_taken then 'unknown' else 'failed' end,
      reason = case when perhaps_taken then 'no_answer' else ${reason} end
    where id = ${id} and status = 'queued'`;
}

/** A user's statement about an unknown answer. */
export interface AnswerStatement {
  /** Whether the provider took it. */
  sent: boolean;
  /** `user:7`, `token:3` */
  by: string;
  byName: string;
}

/**
 * Resolves an unknown answer by a user's statement: `sent`, which a receipt may still move, or `failed`. The statement
 * is kept as an event of the SMS. Null: the answer is not unknown. Call it in a transaction.
 */
export async function resolveAnswer(
  sql: Sql,
  id: number,
  { sent, by, byName }: AnswerStatement,
): Promise<AnswerRow | null> {
  const [row] = await sql<AnswerRow[]>`
    update answers set status = ${sent ? 'sent' : 'failed'}, reason = ${sent ? null : 'stated_unsent'},
      sent_at = case when ${Number(sent)} = 1 then coalesce(sent_at, sending_at, now()) else sent_at end,
      ended_at = case when ${Number(sent)} = 1 then null else now() end
    where id = ${id} and status = 'unknown' returning ${columns(sql)}`;
  if (!row) return null;
  await insertInboundEvents(sql, [
    {
      providerId: row.providerId,
      eventKey: `resolved/${id}/${randomUUID()}`,
      kind: 'resolved',
      messageId: id,
      payload: JSON.stringify({ sent, by, byName }),
    },
  ]);
  await sql`delete from look_ups where message_id = ${id}`;
  return row;
}

/**
 * Applies receipts to answers, forward only, as `applyReceipts` does to messages: pass those that moved none. Call it
 * after that, in the same transaction. Returns the answers that changed.
 */
export async function applyAnswerReceipts(
  sql: Sql,
  receipts: readonly ReceiptMove[],
): Promise<{ id: number; reason: FailureReason | null }[]> {
  if (receipts.length === 0) return [];
  return sql<{ id: number; reason: FailureReason | null }[]>`
    with receipt as (
      ${receiptRows(sql, receipts)}
    ), held as (
      select receipt.* from receipt join answers as a using (id) order by a.id for no key update of a
    )
    update answers as a set
      status = case when a.status = 'delivered' then 'undelivered' else r.status end, reason = r.reason,
      provider_message_id = coalesce(a.provider_message_id, r.provider_message_id),
      provider_code = coalesce(r.provider_code, a.provider_code), sent_at = coalesce(a.sent_at, r.at, now()),
      ended_at = case when r.status <> 'sent' then coalesce(r.at, now()) end
    from held as r
    where a.id = r.id and a.provider_id = r.provider_id
      and (r.is_sure = 1 or a.provider_message_id is null or a.provider_message_id = r.provider_message_id)
      -- What no attempt has claimed has not left.
      and (a.status <> 'queued' or a.sender is not null)
      and ${receiptMoves(sql, sql`a.status`)}
      and (a.status <> 'delivered' or a.segments > 1)
    returning new.id, new.reason`;
}

/** Answers without an outcome for some minutes: their workflows should have sent them. */
export async function oldUnsentAnswers(sql: Sql, limit: number): Promise<AnswerKey[]> {
  return sql<AnswerKey[]>`
    select id, ticket_id, inbound_message_id from answers
    where status = 'sending' and sending_at < now() - interval '10 minutes' order by id limit ${limit}`;
}
