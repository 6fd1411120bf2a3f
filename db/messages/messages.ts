import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { PendingQuery, Row } from 'postgres';
import type { CancelReason, FailureReason, MessageStatus, SkipReason } from '../../domain/message.ts';
import { sourcesOf } from '../../domain/message.ts';
import type { LineWarning } from '../../domain/contact.ts';
import type { SkipFault } from '../../domain/line.ts';
import type { TicketStatus } from '../../domain/ticket.ts';
import { createWarningCounts } from '../../domain/warnings.ts';
import { json } from '../core/json.ts';
import type { Sql } from '../core/client.ts';

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
  change as (
    select run_id, from_status, from_reason, to_status, to_reason, count(*) as n, sum(segments) as segments
    from moved group by run_id, from_status, from_reason, to_status, to_reason
  ), counted as (
    insert into run_counts (run_id, status, reason, messages, segments)
    select run_id, status, reason, sum(n), sum(segments)
    from (
      select run_id, case from_status when 'sending' then 'queued' else from_status end as status,
        coalesce(from_reason, '') as reason, -n as n, -segments as segments from change
      union all
      select run_id, case to_status when 'sending' then 'queued' else to_status end,
        coalesce(to_reason, ''), n, segments from change
    ) as moves
    group by run_id, status, reason
    having sum(n) <> 0
    order by run_id, status, reason
    on conflict (run_id, status, reason)
    do update set messages = run_counts.messages + excluded.messages, segments = run_counts.segments + excluded.segments
  )`;

/**
 * Locks messages (`m`) in the order of their ids, as every statement does that moves several. A transaction that moves
 * messages in more than one statement calls it first, for all of them: what others have locked then waits for no count
 * that it holds already. Foreign keys to these messages are not held up.
 */
export async function lockMessages(sql: Sql, which: PendingQuery<Row[]>): Promise<void> {
  await sql`
    select count(*) from (select m.id from messages as m where ${which} order by m.id for no key update) as held`;
}

/** What `counted` needs of each message that moved. */
export const movedColumns = (sql: Sql) => sql`
  new.run_id, new.segments, old.status as from_status, old.reason as from_reason, new.status as to_status, new.reason as to_reason`;

/** What is left of a run to send. */
export interface Remaining {
  /** Queued and attempted fewer than `maxAttempts` times, due or not. */
  queued: number;
  /** Queued and attempted at least that often: `sendMessage` tries them one by one. */
  stragglers: number;
  /** Until the first of the queued is due, by the database's clock, which claims go by; 0 when one is. */
  waitMs: number;
}

/** `triedOnly`: of those alone that a sender has claimed before. */
export async function remainingMessages(
  sql: Sql,
  { runId, maxAttempts, triedOnly }: { runId: number; maxAttempts: number; triedOnly: boolean },
): Promise<Remaining> {
  const [row] = await sql<[Remaining]>`
    select count(*) filter (where attempts < ${maxAttempts})::int as queued,
      count(*) filter (where attempts >= ${maxAttempts})::int as stragglers,
      greatest(0, extract(epoch from
        min(coalesce(not_before, now())) filter (where attempts < ${maxAttempts}) - now()) * 1000)::float8 as wait_ms
    from messages where run_id = ${runId} and status = 'queued' and (${Number(triedOnly)} = 0 or sender is not null)`;
  return row;
}

/**
 * How many of a run's messages a sender has claimed that are not over: they are to be tried again, or still in hand. Of
 * those that were claimed in the order of their lines.
 */
export async function startedMessages(sql: Sql, runId: number): Promise<number> {
  const [row] = await sql<[{ n: number }]>`
    select count(*)::int as n from messages as m
    where run_id = ${runId} and line <= (select line from send_cursors where run_id = ${runId})
      and status in ('queued', 'sending')
      and (sender is not null or exists (select from claims as c where c.run_id = m.run_id and m.id = any(c.message_ids)))`;
  return row.n;
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
        status = r.status, reason = r.reason, provider_id = r.provider_id,
        provider_message_id = coalesce(m.provider_message_id, r.provider_message_id),
        provider_code = coalesce(r.provider_code, m.provider_code), sent_at = coalesce(m.sent_at, now()),
        -- It left after its claim, which a restore has lost: a reply may have come since, and before this receipt.
        sending_at = coalesce(m.sending_at, (
          select min(claimed_at) from claims as c where c.run_id = m.run_id and m.id = any(c.message_ids)), (
          select coalesce(runs.sending_at, runs.mailing_at) from runs
          where runs.id = m.run_id and runs.restored_at is not null), now()),
        -- It overtook the outcome, which would have counted the attempt.
        attempts = m.attempts + case when m.status in ('queued', 'sending', 'skipped') then 1 else 0 end,
        ended_at = case when r.status = 'sent' then null else now() end
      from receipt as r
      where m.id = r.id
        and coalesce(m.provider_id, (select runs.provider_id from runs where runs.id = m.run_id)) = r.provider_id
        and (m.provider_message_id is null or m.provider_message_id = r.provider_message_id)
        -- What has not left can have no receipt; what a sender has in hand is queued, or skipped if it opted out since. After
        -- a restore it may have left all the same.
        and (m.status not in ('queued', 'skipped') or m.sender is not null
          or exists (select from claims as c where c.run_id = m.run_id and m.id = any(c.message_ids))
          or exists (select from runs where runs.id = m.run_id and runs.restored_at is not null))
        and (
          r.status = 'sent' and m.status = any(${receiptSources.sent}::text[])
          or r.status = 'delivered' and m.status = any(${receiptSources.delivered}::text[])
          or r.status = 'undelivered' and m.status = any(${receiptSources.undelivered}::text[])
          or r.status = 'failed' and m.status = any(${receiptSources.failed}::text[]))
      returning new.id, ${movedColumns(sql)}
    ), ${counted(sql)}
    select id, run_id, to_reason as reason from moved`;
}

/** A warning as it was kept. */
export interface KeptWarning {
  code: string;
  params: Record<string, unknown>;
  value: string;
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
  /** Of a line that was left out: what is wrong with it (`readFault` of the catalog), where more is known than the reason. */
  fault: { code: string; params: Record<string, unknown> } | null;
  /** What of its line could not be read. */
  warnings: KeptWarning[] | null;
  /** Region and type of customer are its run's. */
  regionId: number | null;
  regionName: string | null;
  customerTypeId: number | null;
  customerTypeName: string | null;
  resendOf: number | null;
  attempts: number;
  /** Who took it, refused it, or may have taken it. */
  providerId: number | null;
  providerMessageId: string | null;
  providerCode: string | null;
  sendingAt: Date | null;
  sentAt: Date | null;
  endedAt: Date | null;
}

/** The columns of a `MessageRow`, for `messagesOfRuns`. */
const messageColumns = (sql: Sql) => sql`
  m.id, m.run_id, m.line, m.status, m.reason, m.code, m.name, m.phone, m.text, m.segments, m.extra, m.fault, m.warnings,
  r.region_id, regions.name as region_name, r.customer_type_id, customer_types.name as customer_type_name,
  m.resend_of, m.attempts, m.provider_id, m.provider_message_id, m.provider_code, m.sending_at, m.sent_at, m.ended_at`;

const messagesOfRuns = (sql: Sql) => sql`
  messages as m join runs as r on r.id = m.run_id left join regions on regions.id = r.region_id
  left join customer_types on customer_types.id = r.customer_type_id`;

export interface MessageFilter {
  runId: number;
  status?: MessageStatus | undefined;
  reason?: string | undefined;
  phone?: string | undefined;
}

/**
 * Whether all of a run's messages in these statuses have a reason: then `reason is not null` finds them by an index.
 * Not of `queued`, which stands for what is being sent, too.
 */
export async function allHaveReasons(sql: Sql, runId: number, statuses: readonly string[]): Promise<boolean> {
  const [row] = await sql<[{ without: boolean }]>`
    select exists (
      select from run_counts
      where run_id = ${runId} and status = any(${[...statuses]}::text[]) and reason = '' and messages > 0
    ) as without`;
  return !row.without;
}

/**
 * A page of a run's lines in file order, from after line `after` on. The kept counts say whether there are any of the
 * status, and whether all of them have a reason: those have an index.
 */
export async function listMessages(
  sql: Sql,
  filter: MessageFilter,
  { after, limit }: { after: number; limit: number },
): Promise<MessageRow[]> {
  // What is being sent counts as queued.
  const kept =
    filter.status === undefined || filter.status === 'queued' || filter.status === 'sending'
      ? null
      : await sql<{ reason: string }[]>`
          select reason from run_counts where run_id = ${filter.runId} and status = ${filter.status} and messages > 0`;
  if (kept?.length === 0) return [];
  const withReason = kept?.every(({ reason }) => reason !== '') === true;
  return sql<MessageRow[]>`
    select ${messageColumns(sql)} from ${messagesOfRuns(sql)}
    where m.run_id = ${filter.runId} and m.line > ${after} ${withReason ? sql`and m.reason is not null` : sql``}
      ${filter.status === undefined ? sql`` : sql`and m.status = ${filter.status}`}
      ${filter.reason === undefined ? sql`` : sql`and m.reason = ${filter.reason}`}
      ${filter.phone === undefined ? sql`` : sql`and m.phone = ${filter.phone}`}
    order by m.line limit ${limit}`;
}

/**
 * The lines of a run that a person may want to correct, from after line `after` on: those that were left out, and those of
 * which something could not be read. Each kind has its index.
 */
export async function listLinesToCorrect(
  sql: Sql,
  {
    runId,
    reason,
    warnings,
  }: { runId: number; reason?: string | undefined; warnings: 'with' | 'without' | 'only' },
  { after, limit }: { after: number; limit: number },
): Promise<MessageRow[]> {
  const skipped = sql`
    (select id, line from messages
      where run_id = ${runId} and line > ${after} and reason is not null and status = 'skipped'
        ${reason === undefined ? sql`` : sql`and reason = ${reason}`}
      order by line limit ${limit})`;
  const warned = sql`
    (select id, line from messages
      where run_id = ${runId} and line > ${after} and warnings is not null and status <> 'skipped'
      order by line limit ${limit})`;
  const both = sql`${skipped} union all ${warned}`;
  return sql<MessageRow[]>`
    select ${messageColumns(sql)} from ${messagesOfRuns(sql)}
    where m.id in (
      select id from (${warnings === 'with' ? both : warnings === 'only' ? warned : skipped}) as wanted order by line limit ${limit})
    order by m.line`;
}

/** Messages across runs: by one phone or one customer, for which there are indexes. */
export interface MessageSearch {
  /** E.164 */
  phone?: string | undefined;
  customerId?: number | undefined;
  customerCode?: string | undefined;
  campaignId?: number | undefined;
  regionId?: number | undefined;
  customerTypeId?: number | undefined;
  status?: MessageStatus | undefined;
  reason?: string | undefined;
}

/** A message with the run that it is of. */
export interface FoundMessageRow extends MessageRow {
  campaignId: number;
  campaignName: string;
  occurrence: Date;
}

/** A page of the messages to a phone or a customer, newest first; `before`: only those with a smaller id. */
export async function searchMessages(
  sql: Sql,
  { phone, customerId, customerCode, campaignId, regionId, customerTypeId, status, reason }: MessageSearch,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<FoundMessageRow[]> {
  return sql<FoundMessageRow[]>`
    select ${messageColumns(sql)}, r.campaign_id, r.settings -> 'campaign' ->> 'name' as campaign_name, r.occurrence
    from ${messagesOfRuns(sql)}
    where true
      ${phone === undefined ? sql`` : sql`and m.phone = ${phone}`}
      ${customerId === undefined ? sql`` : sql`and m.customer_id = ${customerId}`}
      ${customerCode === undefined ? sql`` : sql`and m.customer_id = (select id from customers where code = ${customerCode})`}
      ${campaignId === undefined ? sql`` : sql`and r.campaign_id = ${campaignId}`}
      ${regionId === undefined ? sql`` : sql`and r.region_id = ${regionId}`}
      ${customerTypeId === undefined ? sql`` : sql`and r.customer_type_id = ${customerTypeId}`}
      ${status === undefined ? sql`` : sql`and m.status = ${status}`}
      ${reason === undefined ? sql`` : sql`and m.reason = ${reason}`}
      ${before === undefined ? sql`` : sql`and m.id < ${before}`}
    order by m.id desc limit ${limit}`;
}

/** What else belongs to the story of a message: its run, tickets, and the other sends of the same text. */
export interface MessageKin {
  campaignId: number;
  campaignName: string;
  occurrence: Date;
  mailingAt: Date | null;
  tickets: { id: number; status: TicketStatus; openedAt: string }[];
  resends: { id: number; runId: number; status: MessageStatus; at: string | null }[];
}

export async function messageKin(
  sql: Sql,
  { id, resendOf }: Pick<MessageRow, 'id' | 'resendOf'>,
): Promise<MessageKin> {
  const first = resendOf ?? id;
  const [row] = await sql<[MessageKin]>`
    select r.campaign_id, r.settings -> 'campaign' ->> 'name' as campaign_name, r.occurrence, r.mailing_at,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', t.id, 'status', t.status, 'openedAt', t.opened_at) order by t.id)
        from tickets as t where t.message_id = m.id
      ), '[]') as tickets,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', kin.id, 'runId', kin.run_id, 'status', kin.status,
          'at', coalesce(kin.sending_at, kin.ended_at)) order by kin.id)
        from (
          select * from messages where id = ${first} union all select * from messages where resend_of = ${first}
        ) as kin where kin.id <> m.id
      ), '[]') as resends
    from messages as m join runs as r on r.id = m.run_id where m.id = ${id}`;
  return row;
}

export async function getMessage(sql: Sql, messageId: number): Promise<MessageRow | null> {
  const [row] = await sql<MessageRow[]>`
    select ${messageColumns(sql)} from ${messagesOfRuns(sql)} where m.id = ${messageId}`;
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
  /** The numbers in `extra`, E.164; null: none. */
  extraPhones: string[] | null;
  fault: SkipFault | null;
  warnings: readonly LineWarning[];
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
/** A value in COPY's text format. https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS */
const copyValue = (value: string | null): string =>
  value === null
    ? '\\N'
    : /[\\\t\n\r]/.test(value)
      ? value.replace(/[\\\t\n\r]/g, (found) => escapes[found] ?? found)
      : value;
const copyJson = (value: object | null): string =>
  value === null ? '\\N' : copyValue(JSON.stringify(value));

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
  const warned = createWarningCounts();
  const copy = await sql`
    copy messages (run_id, line, status, reason, code, name, phone, text, segments, customer_id, extra, extra_phones, fault, warnings) from stdin`.writable();
  const done = finished(copy);
  done.catch(() => undefined);
  try {
    for await (const batch of batches) {
      let rows = '';
      for (const line of batch) {
        rows += `${runId}\t${line.line}\t${line.status}\t${line.reason ?? '\\N'}\t${copyValue(line.code)}\t${copyValue(line.name)}\t${line.phone ?? '\\N'}\t${copyValue(line.text)}\t${line.segments}\t${line.customerId ?? '\\N'}\t${copyJson(line.extra)}\t${line.extraPhones === null ? '\\N' : `{${line.extraPhones.join(',')}}`}\t${copyJson(line.fault)}\t${copyJson(line.warnings.length === 0 ? null : line.warnings)}\n`;
        warned.add(line.warnings);
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
      if (!copy.write(rows)) await Promise.race([once(copy, 'drain'), done]);
    }
    copy.end();
    await done;
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
  const ofLines = warned.counts();
  if (ofLines.lines > 0) await sql`update runs set warnings = ${json(sql, ofLines)} where id = ${runId}`;
}
