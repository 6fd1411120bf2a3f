import { type Day, isOnDay } from '../core/day.ts';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { PendingQuery, Row } from 'postgres';
import type { CancelReason, FailureReason, MessageStatus, SkipReason } from '../../domain/message.ts';
import type { LineWarning } from '../../domain/contact.ts';
import type { SkipFault } from '../../domain/line.ts';
import type { TicketStatus } from '../../domain/ticket.ts';
import { createWarningCounts } from '../../domain/warnings.ts';
import { json } from '../core/json.ts';
import type { Sql } from '../core/client.ts';

/**
 * Every change of a message's status goes through one statement of this shape, so that the run's counts change with it:
 *
 *     with moved as (update messages … returning m.run_id, m.segments, old.status as from_status, …)
 *     , counted as (<counted>) select … from moved
 *
 * Every statement locks the counts in key order, after the messages: no two statements can wait for each other.
 *
 * A message being sent counts as `queued`: a claim then updates no count, and does not wait for the transaction that
 * writes outcomes and holds the row until it is on disk (measured: a third of the rate).
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
 * Locks messages (`m`) in the order of their ids, as every statement does that changes several. A transaction that
 * changes messages in more than one statement calls it first, for all of them: it then never waits for a locked message
 * while it holds a count. Foreign key checks on these messages do not wait.
 */
export async function lockMessages(sql: Sql, which: PendingQuery<Row[]>): Promise<void> {
  await sql`
    select count(*) from (select m.id from messages as m where ${which} order by m.id for no key update) as held`;
}

/** The columns that `counted` needs of each changed message. */
export const movedColumns = (sql: Sql) => sql`
  new.run_id, new.segments, old.status as from_status, old.reason as from_reason, new.status as to_status, new.reason as to_reason`;

/**
 * Ends the queued messages in `held`, a query that locks them in the order of their ids, and updates the counts. The
 * expressions of `to` may use the message `m` and the columns of `held`. Returns how many have ended.
 */
export async function endQueuedIn(
  sql: Sql,
  held: PendingQuery<Row[]>,
  to: Record<'status' | 'reason', PendingQuery<Row[]>>,
): Promise<number> {
  const rows = await sql`
    with held as (${held}), moved as (
      update messages as m set status = ${to.status}, reason = ${to.reason}, ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/** The messages of a run that remain to be sent. */
export interface Remaining {
  /** Queued and attempted fewer than `maxAttempts` times, due or not. */
  queued: number;
  /** Queued and attempted at least that often: `sendMessage` tries them one by one. */
  stragglers: number;
  /** Milliseconds until the first queued message is due, by the database's clock, as for claims; 0 when one is due. */
  waitMs: number;
}

/** `triedOnly`: count only messages that a sender has claimed before. */
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

/** Whether a run has no queued message, no claim and no lease. */
export async function isAllSent(sql: Sql, runId: number): Promise<boolean> {
  const [row] = await sql<[{ allSent: boolean }]>`
    select not exists (select from run_counts where run_id = ${runId} and status = 'queued' and messages > 0)
      and not exists (select from claims where run_id = ${runId})
      and not exists (select from sender_leases where run_id = ${runId}) as all_sent`;
  return row.allSent;
}

/**
 * The number of a run's claimed messages without a final outcome: to be retried, or still in a claim. Counts those that
 * were claimed in line order.
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

/** A stored warning. */
export interface KeptWarning {
  code: string;
  params: Record<string, unknown>;
  value: string;
}

/** A line of a run, as the API returns it. */
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
  /** The problem of a skipped line (`readFault` of the catalog), if more is known than the reason. */
  fault: { code: string; params: Record<string, unknown> } | null;
  /** Values of the line that could not be read. */
  warnings: KeptWarning[] | null;
  /** Region and customer type are those of the run. */
  regionId: number | null;
  regionName: string | null;
  customerTypeId: number | null;
  customerTypeName: string | null;
  resendOf: number | null;
  attempts: number;
  /** The provider that accepted or refused it, or may have accepted it. */
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

const messagesOfRuns = (sql: Sql, messages = sql`messages`) => sql`
  ${messages} as m join runs as r on r.id = m.run_id left join regions on regions.id = r.region_id
  left join customer_types on customer_types.id = r.customer_type_id`;

export interface MessageFilter {
  runId: number;
  status?: MessageStatus | undefined;
  reason?: string | undefined;
  /** E.164 */
  phone?: readonly string[] | undefined;
  /** Words in the text; case, accents and punctuation do not matter. Give `until` with it: every line is read. */
  text?: string | undefined;
}

/**
 * Whether all of a run's messages in these statuses have a reason: then `reason is not null` finds them by an index.
 * Always false for `queued`, which includes messages being sent.
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
 * A page of a run's lines in file order, after line `after`, up to line `until`. The counts show whether any have the status, and whether
 * all of those have a reason and so can use the index.
 */
export async function listMessages(
  sql: Sql,
  filter: MessageFilter,
  { after, until, limit }: { after: number; until?: number; limit: number },
): Promise<MessageRow[]> {
  // Messages being sent count as queued.
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
      ${filter.phone === undefined ? sql`` : sql`and m.phone = any(${[...filter.phone]}::text[])`}
      ${until === undefined ? sql`` : sql`and m.line <= ${until}`}
      ${filter.text === undefined ? sql`` : sql`and position(folded(${filter.text}) in folded(m.text)) > 0`}
    order by m.line limit ${limit}`;
}

/**
 * The lines of a run that a user may want to correct, after line `after`: skipped lines, and lines with warnings. Each
 * kind has an index.
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

/** Messages across runs, by phone or customer; both have an index. */
export interface MessageSearch {
  /** E.164 */
  phone?: readonly string[] | undefined;
  customerId?: number | undefined;
  customerCode?: string | undefined;
  campaignId?: number | undefined;
  regionId?: number | undefined;
  customerTypeId?: number | undefined;
  /** When its run was due. */
  day?: Day | undefined;
  status?: MessageStatus | undefined;
  reason?: string | undefined;
  /** Words in the text; case, accents and punctuation do not matter. */
  text?: string | undefined;
}

/** A message with its run. */
export interface FoundMessageRow extends MessageRow {
  campaignId: number;
  campaignName: string;
  occurrence: Date;
}

/** A page of the messages to a phone or a customer, newest first; `before`: only smaller ids. */
export async function searchMessages(
  sql: Sql,
  {
    phone,
    customerId,
    customerCode,
    campaignId,
    regionId,
    customerTypeId,
    day,
    status,
    reason,
    text,
  }: MessageSearch,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<FoundMessageRow[]> {
  // The index on the phone finds them; the order by id would read all messages back to a rare one.
  const ofPhone = phone && sql`(select * from messages where phone = any(${[...phone]}::text[]) offset 0)`;
  return sql<FoundMessageRow[]>`
    select ${messageColumns(sql)}, r.campaign_id, r.settings -> 'campaign' ->> 'name' as campaign_name, r.occurrence
    from ${messagesOfRuns(sql, ofPhone)}
    where true
      ${customerId === undefined ? sql`` : sql`and m.customer_id = ${customerId}`}
      ${customerCode === undefined ? sql`` : sql`and m.customer_id = (select id from customers where code = ${customerCode})`}
      ${campaignId === undefined ? sql`` : sql`and r.campaign_id = ${campaignId}`}
      ${regionId === undefined ? sql`` : sql`and r.region_id = ${regionId}`}
      ${customerTypeId === undefined ? sql`` : sql`and r.customer_type_id = ${customerTypeId}`}
      ${day === undefined ? sql`` : sql`and ${isOnDay(sql, 'occurrence', day)}`}
      ${status === undefined ? sql`` : sql`and m.status = ${status}`}
      ${reason === undefined ? sql`` : sql`and m.reason = ${reason}`}
      ${text === undefined ? sql`` : sql`and position(folded(${text}) in folded(m.text)) > 0`}
      ${before === undefined ? sql`` : sql`and m.id < ${before}`}
    order by m.id desc limit ${limit}`;
}

/** The records related to a message: its run, tickets, and other sends of the same text. */
export interface RelatedRecords {
  campaignId: number;
  campaignName: string;
  occurrence: Date;
  mailingAt: Date | null;
  tickets: { id: number; status: TicketStatus; openedAt: string }[];
  resends: { id: number; runId: number; status: MessageStatus; at: string | null }[];
}

export async function relatedRecords(
  sql: Sql,
  { id, resendOf }: Pick<MessageRow, 'id' | 'resendOf'>,
): Promise<RelatedRecords> {
  const first = resendOf ?? id;
  const [row] = await sql<[RelatedRecords]>`
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

/** A mailing line to be inserted into `messages`. */
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
 * Inserts the lines of a mailing as the run's messages, streaming through COPY, with their counts. Call it in a
 * transaction while the run has no messages: it inserts all lines or none.
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
    // Otherwise the connection stays in COPY: it cannot be rolled back, and keeps its locks until the process ends.
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
