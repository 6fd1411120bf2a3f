import { z } from 'zod';
import type { MessageStatus } from '../../domain/message.ts';
import type { RunStatus } from '../../domain/run.ts';
import type { Sql } from '../core/client.ts';
import { allHaveReasons } from '../messages/messages.ts';

/** What a resend takes up of an earlier run. */
export const resendScope = z.strictObject({
  /** Messages that the provider may have taken: their people may get the text twice. */
  includeUnknown: z.boolean(),
  /** Only messages that ended with one of these reasons; null: with any. */
  reasons: z.array(z.string()).nullable(),
});
export type ResendScope = z.infer<typeof resendScope>;

/**
 * The messages of a run that may be sent again. A message, its resends and theirs are one family, and all of them point
 * to its first (`resend_of`): while one of a family is on its way, has been taken by the provider, or may have been, no
 * other is sent again.
 */
async function resendable(sql: Sql, runId: number, { includeUnknown, reasons }: ResendScope) {
  const wanted = ['failed', 'undelivered', ...(includeUnknown ? ['unknown'] : [])];
  const withReason = await allHaveReasons(sql, runId, wanted);
  const family = await isInFamily(sql, runId);
  const blocking = ['queued', 'sending', 'sent', 'delivered', ...(includeUnknown ? [] : ['unknown'])];
  // Not the fragment alone: it would be sent as it is awaited.
  return {
    messages: sql`
    select m.* from messages as m
    where m.run_id = ${runId} and m.status = any(${wanted}::text[]) and m.phone is not null and m.text is not null
      ${withReason ? sql`and m.reason is not null` : sql``}
      ${reasons === null ? sql`` : sql`and m.reason = any(${reasons}::text[])`}
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

/** Whether the run resends another or has been resent itself: else none of its messages has kin to look for. */
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
  messages: number;
  segments: number;
}

/** How many messages a resend of the run would take up. */
export async function countResendable(sql: Sql, runId: number, scope: ResendScope): Promise<ResendCount[]> {
  const { messages } = await resendable(sql, runId, scope);
  return sql<ResendCount[]>`
    select m.status, coalesce(m.reason, '') as reason, count(*)::int as messages, sum(m.segments)::int as segments
    from (${messages}) as m group by 1, 2 order by 1, 2`;
}

/**
 * Copies what is to be sent again into the messages of `runId`, with their texts and their lines, and keeps the counts.
 * Call it in a transaction; resends of one campaign come one after the other until it ends, so that no message is taken
 * up by two.
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

/** The runs that took up messages of this one, oldest first. */
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
