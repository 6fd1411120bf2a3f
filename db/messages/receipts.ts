import type { PendingQuery, Row } from 'postgres';
import { type FailureReason, type MessageStatus, sourcesOf } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { counted, movedColumns } from './messages.ts';

/** A receipt to apply: the message, and the status that the provider reports. */
export interface ReceiptMove {
  providerId: number;
  messageId: number;
  /** The provider's own id; null: the receipt has none. */
  providerMessageId: string | null;
  /** The message is certain, even if the provider gave another id before. */
  isSure?: boolean;
  /** When it arrived, if that may be long ago; otherwise now. */
  at?: Date | null;
  status: Extract<MessageStatus, 'sent' | 'delivered' | 'undelivered' | 'failed'>;
  reason: FailureReason | null;
  providerCode: string | null;
}

/** A message whose status a receipt changed. */
export interface MovedMessage {
  id: number;
  runId: number;
  reason: FailureReason | null;
}

const receiptSources = {
  sent: sourcesOf('sent'),
  delivered: sourcesOf('delivered'),
  undelivered: sourcesOf('undelivered'),
  // For a delivered message, which becomes undelivered.
  failed: [...sourcesOf('failed'), 'delivered'],
} as const;

/** Receipts as rows, in the order of their ids, so that two groups cannot deadlock. */
export function receiptRows(sql: Sql, receipts: readonly ReceiptMove[]) {
  const sorted = receipts.toSorted((a, b) => a.messageId - b.messageId);
  return sql`
      select * from unnest(
        ${sorted.map((r) => r.messageId)}::bigint[], ${sorted.map((r) => r.providerId)}::bigint[],
        ${sorted.map((r) => r.providerMessageId)}::text[], ${sorted.map((r) => r.status)}::text[],
        ${sorted.map((r) => r.reason)}::text[], ${sorted.map((r) => r.providerCode)}::text[],
        ${sorted.map((r) => Number(r.isSure ?? false))}::int[], ${sorted.map((r) => r.at?.toISOString() ?? null)}::timestamptz[]
      ) as r (id, provider_id, provider_message_id, status, reason, provider_code, is_sure, at)`;
}

/** Whether the receipt `r` may change the status `from`: forward only. */
export const receiptMoves = (sql: Sql, from: PendingQuery<Row[]>) => sql`(
          r.status = 'sent' and ${from} = any(${receiptSources.sent}::text[])
          or r.status = 'delivered' and ${from} = any(${receiptSources.delivered}::text[])
          or r.status = 'undelivered' and ${from} = any(${receiptSources.undelivered}::text[])
          or r.status = 'failed' and ${from} = any(${receiptSources.failed}::text[]))`;

/**
 * Applies receipts in one statement, forward only (domain/message.ts `moves`). Pass at most one for each message: of
 * several, the most advanced. Receipts for another provider's message are ignored. Returns the messages that changed.
 */
export async function applyReceipts(sql: Sql, receipts: readonly ReceiptMove[]): Promise<MovedMessage[]> {
  if (receipts.length === 0) return [];
  return sql<MovedMessage[]>`
    with receipt as (
      ${receiptRows(sql, receipts)}
    ), held as (
      select receipt.* from receipt join messages as m using (id) order by m.id for no key update of m
    ), moved as (
      update messages as m set
        status = case when m.status = 'delivered' then 'undelivered' else r.status end, reason = r.reason, provider_id = r.provider_id,
        provider_message_id = coalesce(m.provider_message_id, r.provider_message_id),
        provider_code = coalesce(r.provider_code, m.provider_code), sent_at = coalesce(m.sent_at, r.at, now()),
        -- It was sent after its claim, which a restore has lost: a reply may have arrived before this receipt.
        sending_at = coalesce(m.sending_at, (
          select min(claimed_at) from claims as c where c.run_id = m.run_id and m.id = any(c.message_ids)), (
          select coalesce(runs.sending_at, runs.mailing_at) from runs
          where runs.id = m.run_id and runs.restored_at is not null), now()),
        -- It arrived before the outcome, which would have counted the attempt.
        attempts = m.attempts + case when m.status in ('queued', 'sending', 'skipped') then 1 else 0 end,
        ended_at = case when r.status <> 'sent' then coalesce(r.at, now()) end
      from held as r
      where m.id = r.id
        and coalesce(m.provider_id, (select runs.provider_id from runs where runs.id = m.run_id)) = r.provider_id
        and (r.is_sure = 1 or m.provider_message_id is null or m.provider_message_id = r.provider_message_id)
        -- A message that was not sent has no receipt. A claimed one is queued, or skipped if its phone opted out since. After a
        -- restore, a queued one may have been sent.
        and (m.status not in ('queued', 'skipped') or m.sender is not null
          or exists (select from claims as c where c.run_id = m.run_id and m.id = any(c.message_ids))
          or exists (select from runs where runs.id = m.run_id and runs.restored_at is not null))
        and ${receiptMoves(sql, sql`m.status`)}
        -- Each segment may have its receipt: a message with a failed segment cannot be read.
        and (m.status <> 'delivered' or m.segments > 1)
      returning new.id, ${movedColumns(sql)}
    ), ${counted(sql)}
    select id, run_id, to_reason as reason from moved`;
}
