import { z } from 'zod';
import { lastingReasons, type MessageStatus } from '../../domain/message.ts';
import type { RunStatus } from '../../domain/run.ts';
import type { Sql } from '../core/client.ts';
import { block, providerOf } from '../customers/opt-outs.ts';
import { allHaveReasons } from '../messages/messages.ts';

/** The messages of an earlier run that a resend includes. */
export const resendScope = z.strictObject({
  /** Messages that the provider may have accepted: their recipients may get the text twice. */
  includeUnknown: z.boolean(),
  /** Only messages with one of these reasons; null: with any. */
  reasons: z.array(z.string()).nullable(),
  /** Without numbers that do not exist or take no SMS, and phones that have opted out by now. */
  onlyReachable: z.boolean().default(false),
});
export type ResendScope = z.infer<typeof resendScope>;

/**
 * The messages of a run that may be sent again. A message and all its resends form a family, and all refer to the first
 * one (`resend_of`). While one of a family is queued or being sent, has been accepted by the provider, or may have been,
 * no other is sent again.
 */
async function resendable(sql: Sql, runId: number, { includeUnknown, reasons, onlyReachable }: ResendScope) {
  const wanted = ['failed', 'undelivered', ...(includeUnknown ? ['unknown'] : [])];
  const withReason = await allHaveReasons(sql, runId, wanted);
  const family = await isInFamily(sql, runId);
  const blocking = ['queued', 'sending', 'sent', 'delivered', ...(includeUnknown ? [] : ['unknown'])];
  // Not the fragment itself: awaiting it would execute it.
  return {
    messages: sql`
    select m.* from messages as m
    where m.run_id = ${runId} and m.status = any(${wanted}::text[]) and m.phone is not null and m.text is not null
      ${withReason ? sql`and m.reason is not null` : sql``}
      ${reasons === null ? sql`` : sql`and m.reason = any(${reasons}::text[])`}
      ${
        onlyReachable
          ? sql`
      and (m.reason is null or m.reason <> all(${[...lastingReasons]}::text[]))
      and ${block(sql, sql`m.phone`, providerOf(sql, runId))} is null`
          : sql``
      }
      ${
        family
          ? sql`
      and not exists (
        select from messages as kin
        where kin.resend_of is not null and kin.resend_of = coalesce(m.resend_of, m.id) and kin.status = any(${blocking}::text[]))
      and not exists (
        select from messages as first where first.id = m.resend_of and first.status = any(${blocking}::text[]))`
          : sql``
      }`,
  };
}

/** Whether the run is a resend or has been resent: otherwise none of its messages has a family to check. */
async function isInFamily(sql: Sql, runId: number): Promise<boolean> {
  const [row] = await sql<[{ found: boolean }]>`
    select exists (select from runs where id = ${runId} and resend_of is not null)
      or exists (select from runs where resend_of = ${runId}) as found`;
  return row.found;
}

export interface ResendCount {
  status: Extract<MessageStatus, 'failed' | 'undelivered' | 'unknown'>;
  /** '' for none. */
  reason: string;
  /** The calling code. */
  country: string;
  messages: number;
  segments: number;
}

/** The failed messages of a run whose numbers cannot be reached, by reason; from the kept counts. */
export async function countUnreachable(
  sql: Sql,
  runId: number,
): Promise<{ reason: string; messages: number }[]> {
  return sql<{ reason: string; messages: number }[]>`
    select reason, sum(messages)::int as messages from run_counts
    where run_id = ${runId} and run_counts.status in ('failed', 'undelivered') and messages > 0
      and reason = any(${[...lastingReasons]}::text[])
    group by reason order by sum(messages) desc`;
}

/** The messages that a resend of the run would include, by reason and country. */
export async function countResendable(sql: Sql, runId: number, scope: ResendScope): Promise<ResendCount[]> {
  const { messages } = await resendable(sql, runId, scope);
  return sql<ResendCount[]>`
    select m.status, coalesce(m.reason, '') as reason, coalesce(calling_code(m.phone), '') as country,
      count(*)::int as messages, sum(m.segments)::int as segments
    from (${messages}) as m group by 1, 2, 3 order by 1, 2, 3`;
}

/**
 * Copies the messages to resend into the run `runId`, with their texts and lines, and updates the counts. Call it in a
 * transaction; it serializes the resends of one campaign until it ends, so that no message is resent twice.
 */
export async function copyResendable(
  sql: Sql,
  { runId, of, campaignId, scope }: { runId: number; of: number; campaignId: number; scope: ResendScope },
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('torpedo.resend'), ${campaignId}::int)`;
  const { messages } = await resendable(sql, of, scope);
  await sql`
    with copied as (
      insert into messages (run_id, line, status, code, name, phone, text, segments, customer_id, extra, extra_phones, resend_of)
      select ${runId}, line, 'queued', code, name, phone, text, segments, customer_id, extra, extra_phones,
        coalesce(resend_of, id)
      from (${messages}) as m order by line
      returning segments
    )
    insert into run_counts (run_id, status, reason, messages, segments)
    select ${runId}, 'queued', '', count(*), sum(segments) from copied having count(*) > 0`;
}

/** The resends of this run, oldest first. */
export async function listResends(sql: Sql, runId: number): Promise<{ id: number; status: RunStatus }[]> {
  return sql<{ id: number; status: RunStatus }[]>`
    select id, status from runs where resend_of = ${runId} order by id`;
}

/** A live resend of the run that has not copied its messages yet; null: none. */
export async function resendAboutToCopy(sql: Sql, runId: number): Promise<number | null> {
  const [row] = await sql<{ id: number }[]>`
    select id from runs
    where resend_of = ${runId} and mailing_at is null and status in ('running', 'paused', 'cancelling') limit 1`;
  return row?.id ?? null;
}
