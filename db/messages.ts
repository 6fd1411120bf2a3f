import type { CancelReason, FailureReason, MessageStatus, SkipReason } from '../domain/message.ts';
import { sourcesOf } from '../domain/message.ts';
import type { Sql } from './client.ts';

/**
 * Every change of a message's status goes through one statement of this shape, so that the run's counts move with it:
 *
 *     with moved as (update messages … returning m.run_id, m.segments, old.status as from_status, …)
 *     , counted as (<counted>) select … from moved
 *
 * The counts are locked in key order, after the messages, by every statement: no two of them can wait for each other.
 *
 * What is being sent counts as `queued`: a claim then touches no count, and does not wait for the write of outcomes
 * that holds the row until it is on disk (measured: a third of the rate).
 */
export const counted = (sql: Sql) => sql`
  counted as (
    insert into run_counts (run_id, status, reason, messages, segments)
    select run_id, status, reason, sum(n), sum(n * segments)
    from (
      select run_id, case from_status when 'sending' then 'queued' else from_status end as status,
        coalesce(from_reason, '') as reason, -1 as n, segments from moved
      union all
      select run_id, case to_status when 'sending' then 'queued' else to_status end,
        coalesce(to_reason, ''), 1, segments from moved
    ) as change
    group by run_id, status, reason
    having sum(n) <> 0
    order by run_id, status, reason
    on conflict (run_id, status, reason)
    do update set messages = run_counts.messages + excluded.messages, segments = run_counts.segments + excluded.segments
  )`;

/** What `counted` needs of each message that moved. */
export const movedColumns = (sql: Sql) => sql`
  new.run_id, new.segments, old.status as from_status, old.reason as from_reason, new.status as to_status, new.reason as to_reason`;

/** A message that a sender has taken: its intent to send is durable. */
export interface ClaimedMessage {
  id: number;
  line: number;
  phone: string;
  text: string;
  segments: number;
  attempts: number;
}

/**
 * Takes up to `limit` queued messages of a running run for `sender`, in the order of their lines from after line
 * `after` on (`queued → sending`). A phone that has opted out meanwhile is skipped instead. Empty when nothing is due,
 * or when the run is not `running`.
 *
 * `after` is the highest line this sender has claimed: without it, each claim would read again all that was sent
 * before.
 */
export async function claimMessages(
  sql: Sql,
  {
    runId,
    sender,
    limit,
    after,
    maxAttempts,
  }: { runId: number; sender: string; limit: number; after: number; maxAttempts: number },
): Promise<ClaimedMessage[]> {
  return sql<ClaimedMessage[]>`
    with due as (
      select id, phone from messages
      where run_id = ${runId} and status = 'queued' and line > ${after}
        and (not_before is null or not_before <= now()) and attempts < ${maxAttempts}
        and exists (select from runs where runs.id = ${runId} and runs.status = 'running')
      order by line limit ${limit}
      for update skip locked
    ), moved as (
      update messages as m set
        status = case when o.phone is null then 'sending' else 'skipped' end,
        reason = case when o.phone is null then null else 'opted_out' end,
        ended_at = case when o.phone is null then null else now() end,
        sender = ${sender}, sending_at = now(), attempts = m.attempts + 1
      from due left join opt_outs as o on o.phone = due.phone
      where m.id = due.id
      returning new.id, new.line, new.phone, new.text, new.attempts, ${movedColumns(sql)}
    ), ${counted(sql)}
    select id, line, phone, text, segments, attempts from moved where to_status = 'sending' order by line`;
}

/** Takes one message, if it is queued and its run is running; null otherwise. */
export async function claimMessage(
  sql: Sql,
  { messageId, sender }: { messageId: number; sender: string },
): Promise<ClaimedMessage | null> {
  const [message] = await sql<ClaimedMessage[]>`
    with moved as (
      update messages as m set
        status = case when o.phone is null then 'sending' else 'skipped' end,
        reason = case when o.phone is null then null else 'opted_out' end,
        ended_at = case when o.phone is null then null else now() end,
        sender = ${sender}, sending_at = now(), attempts = m.attempts + 1
      from messages as d left join opt_outs as o on o.phone = d.phone
      where m.id = ${messageId} and d.id = m.id and m.status = 'queued'
        and exists (select from runs where runs.id = m.run_id and runs.status = 'running')
      returning new.id, new.line, new.phone, new.text, new.attempts, ${movedColumns(sql)}
    ), ${counted(sql)}
    select id, line, phone, text, segments, attempts from moved where to_status = 'sending'`;
  return message ?? null;
}

/** What became of a claimed message, as its sender writes it. */
export interface Outcome {
  id: number;
  status: Extract<MessageStatus, 'sent' | 'failed' | 'unknown' | 'queued'>;
  reason: FailureReason | null;
  providerMessageId: string | null;
  providerCode: string | null;
  /** For `queued`: not before. */
  notBefore: Date | null;
  /** For `queued`: give the attempt back, because it says nothing about this message. */
  uncounted: boolean;
}

/**
 * Writes a batch of outcomes in one statement. A message that is no longer this sender's to decide is left alone: a
 * receipt overtook it, or it was given up as `unknown` while the sender was thought dead; from that, too, the sender
 * that comes back settles it.
 */
export async function recordOutcomes(sql: Sql, sender: string, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await sql`
    with outcome as (
      select * from unnest(
        ${outcomes.map((o) => o.id)}::bigint[], ${outcomes.map((o) => o.status)}::text[],
        ${outcomes.map((o) => o.reason)}::text[], ${outcomes.map((o) => o.providerMessageId)}::text[],
        ${outcomes.map((o) => o.providerCode)}::text[], ${outcomes.map((o) => o.notBefore?.toISOString() ?? null)}::timestamptz[],
        ${outcomes.map((o) => Number(o.uncounted))}::int[]
      ) as o (id, status, reason, provider_message_id, provider_code, not_before, uncounted)
    ), moved as (
      update messages as m set
        status = o.status, reason = o.reason, provider_message_id = o.provider_message_id, provider_code = o.provider_code,
        not_before = o.not_before, attempts = m.attempts - o.uncounted,
        sent_at = case when o.status = 'sent' then now() else m.sent_at end,
        ended_at = case when o.status in ('failed', 'unknown') then now() else null end
      from outcome as o
      where m.id = o.id and m.sender = ${sender} and m.status in ('sending', 'unknown') and m.status <> o.status
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/**
 * Takes up what dead senders left in `sending`: `unknown`, because the provider may have taken it; `queued` again
 * only where the provider itself refuses a second message with the same reference.
 *
 * `activity`: only what earlier attempts of this activity left (`senderName`). Without it, all of the run: call it
 * only while no activity that sends for the run is under way.
 */
export async function settleDeadSenders(
  sql: Sql,
  { runId, activity, deduplicates }: { runId: number; activity?: string; deduplicates: boolean },
): Promise<number> {
  const rows = await sql`
    with moved as (
      update messages as m set
        status = ${deduplicates ? 'queued' : 'unknown'}, reason = ${deduplicates ? null : 'sender_died'},
        ended_at = ${deduplicates ? null : sql`now()`}
      where m.run_id = ${runId} and m.status = 'sending'
        ${activity === undefined ? sql`` : sql`and starts_with(m.sender, ${`${activity}#`})`}
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/** Queues again what this sender has claimed and not sent: only for a sender that knows that it sent none of it. */
export async function releaseClaims(
  sql: Sql,
  { runId, sender }: { runId: number; sender: string },
): Promise<void> {
  await sql`
    with moved as (
      update messages as m set status = 'queued', attempts = m.attempts - 1
      where m.run_id = ${runId} and m.status = 'sending' and m.sender = ${sender}
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** One attempt of one activity. An attempt begins by settling what those before it left. */
export const senderName = (activity: string, attempt: number): string => `${activity}#${attempt}`;

/** Cancels all of a run that has not left. Returns how many. */
export async function cancelQueued(
  sql: Sql,
  runId: number,
  reason: CancelReason | null = null,
): Promise<number> {
  const rows = await sql`
    with moved as (
      update messages as m set status = 'cancelled', reason = ${reason}, ended_at = now()
      where m.run_id = ${runId} and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/**
 * Ends all of a run that has not ended: what has not left is cancelled, what a dead sender left is unknown. Call it once
 * nobody sends for the run any more.
 */
export async function cancelRemaining(sql: Sql, runId: number): Promise<void> {
  await settleDeadSenders(sql, { runId, deduplicates: false });
  await cancelQueued(sql, runId);
}

/** What is left of a run to send. */
export interface Remaining {
  /** Queued and attempted fewer than `maxAttempts` times, due or not. */
  queued: number;
  /** Queued and attempted at least that often: `sendMessage` tries them one by one. */
  stragglers: number;
  /** Until the first of the queued is due, by the database's clock, which claims go by; 0 when one is. */
  waitMs: number;
}

export async function remainingMessages(sql: Sql, runId: number, maxAttempts: number): Promise<Remaining> {
  const [row] = await sql<[Remaining]>`
    select count(*) filter (where attempts < ${maxAttempts})::int as queued,
      count(*) filter (where attempts >= ${maxAttempts})::int as stragglers,
      greatest(0, extract(epoch from
        min(coalesce(not_before, now())) filter (where attempts < ${maxAttempts}) - now()) * 1000)::float8 as wait_ms
    from messages where run_id = ${runId} and status = 'queued'`;
  return row;
}

/** The ids of up to `limit` queued messages attempted at least `minAttempts` times. */
export async function queuedMessageIds(
  sql: Sql,
  { runId, minAttempts, limit }: { runId: number; minAttempts: number; limit: number },
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from messages where run_id = ${runId} and status = 'queued' and attempts >= ${minAttempts}
    order by line limit ${limit}`;
  return rows.map((row) => row.id);
}

/** A receipt to apply: which message, and what the provider says of it. */
export interface ReceiptMove {
  providerId: number;
  messageId: number;
  providerMessageId: string;
  status: Extract<MessageStatus, 'sent' | 'delivered' | 'undelivered' | 'failed'>;
  reason: FailureReason | null;
  providerCode: string | null;
}

/** A message that a receipt has moved. */
export interface MovedMessage {
  id: number;
  runId: number;
  reason: FailureReason | null;
}

const receiptSources = {
  sent: sourcesOf('sent'),
  delivered: sourcesOf('delivered'),
  undelivered: sourcesOf('undelivered'),
  failed: sourcesOf('failed'),
} as const;

/**
 * Applies receipts in one statement, forward only (domain/message.ts `moves`): at most one for each message; of
 * several for one message, give the one that says most. Those for a message of another provider are ignored. Returns
 * the messages that moved.
 *
 * In the order of their ids, so that two groups do not wait for each other.
 */
export async function applyReceipts(sql: Sql, receipts: readonly ReceiptMove[]): Promise<MovedMessage[]> {
  if (receipts.length === 0) return [];
  const sorted = receipts.toSorted((a, b) => a.messageId - b.messageId);
  return sql<MovedMessage[]>`
    with receipt as (
      select * from unnest(
        ${sorted.map((r) => r.messageId)}::bigint[], ${sorted.map((r) => r.providerId)}::bigint[],
        ${sorted.map((r) => r.providerMessageId)}::text[], ${sorted.map((r) => r.status)}::text[],
        ${sorted.map((r) => r.reason)}::text[], ${sorted.map((r) => r.providerCode)}::text[]
      ) as r (id, provider_id, provider_message_id, status, reason, provider_code)
    ), moved as (
      update messages as m set
        status = r.status, reason = r.reason, provider_message_id = coalesce(m.provider_message_id, r.provider_message_id),
        provider_code = coalesce(r.provider_code, m.provider_code), sent_at = coalesce(m.sent_at, now()),
        ended_at = case when r.status = 'sent' then null else now() end
      from receipt as r
      where m.id = r.id
        and coalesce(m.provider_id, (select runs.provider_id from runs where runs.id = m.run_id)) = r.provider_id
        and (m.provider_message_id is null or m.provider_message_id = r.provider_message_id)
        and (
          r.status = 'sent' and m.status = any(${receiptSources.sent}::text[])
          or r.status = 'delivered' and m.status = any(${receiptSources.delivered}::text[])
          or r.status = 'undelivered' and m.status = any(${receiptSources.undelivered}::text[])
          or r.status = 'failed' and m.status = any(${receiptSources.failed}::text[]))
      returning new.id, ${movedColumns(sql)}
    ), ${counted(sql)}
    select id, run_id, to_reason as reason from moved`;
}

/** One line of a run as the API shows it. */
export interface MessageRow {
  id: number;
  runId: number;
  line: number;
  status: MessageStatus;
  reason: SkipReason | FailureReason | CancelReason | null;
  code: string | null;
  name: string | null;
  phone: string | null;
  text: string | null;
  segments: number;
  extra: Record<string, string> | null;
  resendOf: number | null;
  attempts: number;
  providerMessageId: string | null;
  providerCode: string | null;
  sendingAt: Date | null;
  sentAt: Date | null;
  endedAt: Date | null;
}

export interface MessageFilter {
  runId: number;
  status?: MessageStatus | undefined;
  reason?: string | undefined;
  phone?: string | undefined;
}

/** A page of a run's lines in file order, from after line `after` on. */
export async function listMessages(
  sql: Sql,
  filter: MessageFilter,
  { after, limit }: { after: number; limit: number },
): Promise<MessageRow[]> {
  return sql<MessageRow[]>`
    select id, run_id, line, status, reason, code, name, phone, text, segments, extra, resend_of, attempts,
      provider_message_id, provider_code, sending_at, sent_at, ended_at
    from messages
    where run_id = ${filter.runId} and line > ${after}
      ${filter.status === undefined ? sql`` : sql`and status = ${filter.status}`}
      ${filter.reason === undefined ? sql`` : sql`and reason = ${filter.reason}`}
      ${filter.phone === undefined ? sql`` : sql`and phone = ${filter.phone}`}
    order by line limit ${limit}`;
}

export async function getMessage(sql: Sql, messageId: number): Promise<MessageRow | null> {
  const [row] = await sql<MessageRow[]>`
    select id, run_id, line, status, reason, code, name, phone, text, segments, extra, resend_of, attempts,
      provider_message_id, provider_code, sending_at, sent_at, ended_at
    from messages where id = ${messageId}`;
  return row ?? null;
}

/** A line of the mailing on its way into `messages`. */
export interface ImportedLine {
  line: number;
  status: 'queued' | 'skipped';
  reason: SkipReason | null;
  code: string | null;
  name: string | null;
  phone: string | null;
  text: string | null;
  segments: number;
  customerId: number | null;
  extra: Record<string, string> | null;
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
/** A value in COPY's text format. https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS */
const copyValue = (value: string | null): string =>
  value === null
    ? '\\N'
    : /[\\\t\n\r]/.test(value)
      ? value.replace(/[\\\t\n\r]/g, (found) => escapes[found] ?? found)
      : value;

/**
 * Writes the lines of a mailing as the run's messages, streaming through COPY, and their counts. Call it in a
 * transaction in which the run has no messages yet: all the lines arrive, or none.
 */
export async function importMessages(
  sql: Sql,
  runId: number,
  batches: AsyncIterable<readonly ImportedLine[]>,
): Promise<void> {
  const counts = new Map<string, { status: string; reason: string; messages: number; segments: number }>();
  const copy = await sql`
    copy messages (run_id, line, status, reason, code, name, phone, text, segments, customer_id, extra) from stdin`.writable();
  const failed = new Promise<never>((_, reject) => copy.once('error', reject));
  failed.catch(() => undefined);
  try {
    for await (const batch of batches) {
      let rows = '';
      for (const line of batch) {
        rows += `${runId}\t${line.line}\t${line.status}\t${line.reason ?? '\\N'}\t${copyValue(line.code)}\t${copyValue(line.name)}\t${line.phone ?? '\\N'}\t${copyValue(line.text)}\t${line.segments}\t${line.customerId ?? '\\N'}\t${copyValue(line.extra === null ? null : JSON.stringify(line.extra))}\n`;
        const key = `${line.status}/${line.reason ?? ''}`;
        const count = counts.get(key);
        if (count) {
          count.messages++;
          count.segments += line.segments;
        } else
          counts.set(key, {
            status: line.status,
            reason: line.reason ?? '',
            messages: 1,
            segments: line.segments,
          });
      }
      if (!copy.write(rows))
        await Promise.race([new Promise((resolve) => copy.once('drain', resolve)), failed]);
    }
    await Promise.race([new Promise<void>((resolve) => copy.end(resolve)), failed]);
  } catch (error) {
    // Else the connection stays in the copy: it can't be rolled back, and keeps its locks until the process ends.
    copy.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  for (const count of [...counts.values()].sort((a, b) =>
    `${a.status}/${a.reason}` < `${b.status}/${b.reason}` ? -1 : 1,
  )) {
    await sql`insert into run_counts ${sql({ runId, ...count })}`;
  }
}
