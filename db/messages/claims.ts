import type { PendingQuery, Row } from 'postgres';
import type { CancelReason, FailureReason, MessageStatus } from '../../domain/message.ts';
import { resendableRunStatuses } from '../../domain/run.ts';
import type { Database, Sql } from '../core/client.ts';
import { longestKey } from '../replies/inbound.ts';
import { block } from '../customers/opt-outs.ts';
import { awaitSilence, isAmong, leaseUntil, type Senders } from './leases.ts';
import { counted, endQueuedIn, lockMessages, movedColumns } from './messages.ts';

/**
 * A claim is the stored intent to send: no message leaves without one.
 *
 * At the first attempt, one row in `claims` names the whole batch: one insert instead of an update of each message. The
 * messages stay `queued` without a sender until they have an outcome, and the last outcome deletes the claim. A run
 * hands out its lines once and in order (`send_cursors`), so no two senders get the same line.
 *
 * Retries, and messages sent one by one, are claimed message by message (`queued → sending`).
 */
export interface Claim {
  /** Null: claimed by the message's own row. */
  id: number | null;
  messages: ClaimedMessage[];
}

/** A claimed message: the intent to send it is durable. */
export interface ClaimedMessage {
  id: number;
  line: number;
  phone: string;
  text: string;
  segments: number;
  /** Including the send that follows. */
  attempts: number;
  /** The provider that may have accepted it at an earlier attempt; null: none. */
  providerId: number | null;
}

/**
 * Claims the messages to send among the next `lines` lines that no sender has received, starting at line `from` or
 * later. Skips phones that have opted out or are held. Empty when these lines contain nothing to send (`nextLine`
 * returns where to continue), or when the run is not `running`.
 *
 * The order and the limit are for the planner: it estimates a range of lines as a ninth of the run, and would read all
 * messages for each claim.
 */
export async function claimLines(
  sql: Sql,
  { runId, sender, from, lines }: { runId: number; sender: string; from: number; lines: number },
): Promise<Claim & { /** It is known that no line is left. */ isLast: boolean }> {
  const rows = await sql<(ClaimedMessage & { claimId: number; isLast: boolean })[]>`
    with handed_out as (
      insert into send_cursors as c (run_id, line)
      select id, ${from}::int - 1 + ${lines}::int from runs where id = ${runId} and status = 'running'
      on conflict (run_id) do update set line = greatest(c.line, ${from}::int - 1) + ${lines}::int
      returning line - ${lines}::int as after, line as through
    ), due as materialized (
      select m.*, ${block(sql, sql`m.phone`, providerOf(sql, sql`${runId}`))} as left_alone
      from handed_out cross join lateral (
        select id, line, phone, text, segments, attempts + 1 as attempts, provider_id from messages
        where run_id = ${runId} and line > after and line <= through and status = 'queued' and sender is null
        order by line limit ${lines}
      ) as m
    ), claim as (
      insert into claims (run_id, sender, message_ids)
      select ${runId}, ${sender}, array_agg(id) from due where left_alone is null having count(*) > 0
      returning id
    ), moved as (
      update messages as m set status = 'skipped', reason = due.left_alone, ended_at = now()
      from due where due.left_alone is not null and m.id = due.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select claim.id as claim_id, due.id, line, phone, text, segments, attempts, provider_id,
      (select count(*) from due) < ${lines}::int and (
        select line from messages where run_id = ${runId} and line > (select through from handed_out)
          and status = 'queued' and sender is null
        order by line limit 1) is null as is_last
    from due, claim where left_alone is null order by line`;
  return { id: rows[0]?.claimId ?? null, messages: rows, isLast: rows[0]?.isLast ?? false };
}

/** The first line to send that no sender has received; null when none is left. */
export async function nextLine(sql: Sql, runId: number): Promise<number | null> {
  const [row] = await sql<{ line: number }[]>`
    select line from messages where run_id = ${runId} and status = 'queued' and sender is null
      and line > coalesce((select line from send_cursors where run_id = ${runId}), 0)
    order by line limit 1`;
  return row?.line ?? null;
}

/**
 * Claims up to `limit` messages that are due for a retry, in line order after line `after` (`queued → sending`), once
 * all lines have been handed out. Skips a phone that has opted out meanwhile. Empty when nothing is due, or when the
 * run is not `running`.
 *
 * A queued message without a sender is in another sender's claim. One that no claim contains is claimed too: all lines
 * have been handed out, so no new claim can contain it. `triedOnly`: do not claim those, because lines are left.
 *
 * `after` is the highest line that this sender has claimed: without it, each claim would read all sent messages again.
 */
export async function claimRetries(
  sql: Sql,
  {
    runId,
    sender,
    limit,
    after,
    maxAttempts,
    triedOnly,
  }: {
    runId: number;
    sender: string;
    limit: number;
    after: number;
    maxAttempts: number;
    triedOnly: boolean;
  },
): Promise<Claim> {
  const messages = await sql<ClaimedMessage[]>`
    with due as (
      select id, phone, run_id from messages
      where run_id = ${runId} and status = 'queued' and line > ${after}
        and (sender is not null
          or ${Number(triedOnly)} = 0 and not exists (select from claims where claims.run_id = ${runId}))
        and (not_before is null or not_before <= now()) and attempts < ${maxAttempts}
        and exists (select from runs where runs.id = ${runId} and runs.status = 'running')
      order by line limit ${limit}
      for no key update skip locked
    ), ${takenFromDue(sql, sender)} ${taken(sql)}`;
  return { id: null, messages };
}

/**
 * Claims one message if it is queued and its run is running with this provider; null otherwise. Use it only while
 * nobody streams the run. The sender also gets a lease for this one send (db/messages/leases.ts); `recordOutcomes` ends
 * it.
 */
export async function claimMessage(
  sql: Sql,
  { messageId, sender, providerId }: { messageId: number; sender: string; providerId: number },
): Promise<ClaimedMessage | null> {
  const [message] = await sql<ClaimedMessage[]>`
    with due as (
      select m.id, m.phone, m.run_id from messages as m join runs on runs.id = m.run_id
      where m.id = ${messageId} and m.status = 'queued' and runs.status = 'running' and runs.provider_id = ${providerId}
      for no key update of m
    ), ${takenFromDue(sql, sender)}, lease as (
      insert into sender_leases (sender, run_id, expires_at)
      select ${sender}, run_id, ${leaseUntil(sql)} from moved where to_status = 'sending'
    ) ${taken(sql)}`;
  return message ?? null;
}

const providerOf = (sql: Sql, runId: PendingQuery<Row[]>) =>
  sql`(select provider_id from runs where id = ${runId})`;

const takenFromDue = (sql: Sql, sender: string) => sql`
  judged as materialized (
    select id, ${block(sql, sql`due.phone`, providerOf(sql, sql`due.run_id`))} as left_alone from due
  ), moved as (
    update messages as m set
      status = case when left_alone is null then 'sending' else 'skipped' end,
      reason = left_alone,
      ended_at = case when left_alone is not null then now() end,
      sender = ${sender}, sending_at = now()
    from judged where m.id = judged.id
    returning new.id, new.line, new.phone, new.text, new.attempts, new.provider_id, ${movedColumns(sql)}
  ), ${counted(sql)}`;

const taken = (sql: Sql) => sql`
  select id, line, phone, text, segments, attempts + 1 as attempts, provider_id from moved where to_status = 'sending' order by line`;

/** The outcome of a claimed message, as its sender records it. */
export interface Outcome {
  id: number;
  /** `queued`: certainly not accepted at this attempt. */
  status: Extract<MessageStatus, 'sent' | 'failed' | 'unknown' | 'queued'>;
  reason: FailureReason | null;
  /** The provider that accepted or refused it, or may have accepted it, at this attempt or an earlier one; null: none. */
  providerId: number | null;
  providerMessageId: string | null;
  providerCode: string | null;
  /** For `queued`: earliest time of the next attempt. */
  notBefore: Date | null;
  /** For `queued`: do not count the attempt, because it reveals nothing about this message. */
  uncounted: boolean;
  /**
   * When it was handed to the provider, by the database's clock in milliseconds since the epoch. Null: it was not, or
   * it was handed over as soon as it was claimed individually.
   */
  handedOverAt: number | null;
  /** Time from then until the answer. */
  elapsedMs: number;
}

/**
 * Records a batch of outcomes of one run in one statement, and deletes the claims that it completes; `endsLease`: also
 * ends the sender's lease. Ignores a message whose outcome this sender can no longer decide, because a receipt arrived
 * first. The sender can still decide a message
 *
 * - that was skipped after the claim, because its phone opted out or was held or its customer refused: it may have been
 *   sent;
 * - that became `unknown` while the sender was considered stopped.
 *
 * A message that the provider did not take is queued again only while the run can still send it. In an ended run it
 * becomes `failed` (`not_sent`), which a resend includes, or `unknown`, if it may have been accepted at an earlier
 * attempt. This locks the run, so that its end comes before or after.
 *
 * `receiptsById`: also stores the provider's id of each message (sms/provider.ts).
 */
export async function recordOutcomes(
  sql: Sql,
  {
    runId,
    sender,
    outcomes,
    endedClaims = [],
    endsLease = false,
    receiptsById = false,
  }: {
    runId: number;
    sender: string;
    outcomes: readonly Outcome[];
    endedClaims?: readonly number[];
    endsLease?: boolean;
    receiptsById?: boolean;
  },
): Promise<void> {
  if (outcomes.length === 0) return;
  // Other transactions lock the same messages in the order of their ids, after the run and the claims. An update alone
  // locks rows in the order of its plan, which follows the ids of `outcome` only where the table is large.
  const sorted = outcomes.toSorted((a, b) => a.id - b.id);
  const notTaken = outcomes.some(({ status }) => status === 'queued');
  await sql`
    with ${notTaken ? sql`run as (${lockedRun(sql, runId)}),` : sql``} outcome as (
      select id, ${notTaken ? requeued(sql, { status: sql`o.status`, reason: sql`o.reason`, providerId: sql`o.provider_id` }) : sql`status, reason`},
        status <> 'queued' as perhaps_taken, provider_message_id, provider_code, not_before, uncounted, provider_id,
        timestamptz 'epoch' + handed_over_at * interval '1 ms' as handed_over_at, elapsed_ms * interval '1 ms' as elapsed
      from unnest(
        ${sorted.map((o) => o.id)}::bigint[], ${sorted.map((o) => o.status)}::text[],
        ${sorted.map((o) => o.reason)}::text[], ${sorted.map((o) => o.providerMessageId)}::text[],
        ${sorted.map((o) => o.providerCode)}::text[], ${sorted.map((o) => o.notBefore?.toISOString() ?? null)}::timestamptz[],
        ${sorted.map((o) => Number(o.uncounted))}::int[], ${sorted.map((o) => o.handedOverAt && Math.floor(o.handedOverAt))}::bigint[],
        ${sorted.map((o) => Math.round(o.elapsedMs))}::int[], ${sorted.map((o) => o.providerId)}::bigint[]
      ) as o (id, status, reason, provider_message_id, provider_code, not_before, uncounted, handed_over_at, elapsed_ms, provider_id)
    ), ${receiptsById ? sql`ids as (${keptIds(sql)}),` : sql``} ended as (
      delete from claims
      where id = any(${[...endedClaims]}::bigint[]) ${notTaken ? sql`and (select count(*) from run) >= 0` : sql``}
      returning id
    ), ${endsLease ? sql`lease as (delete from sender_leases where sender = ${sender}),` : sql``} held as (
      select outcome.* from outcome join messages as m using (id)
      where (select count(*) from ended) >= 0 order by m.id for no key update of m
    ), moved as (
      update messages as m set
        status = o.status, reason = o.reason, provider_message_id = o.provider_message_id, provider_code = o.provider_code,
        provider_id = o.provider_id, not_before = o.not_before, sender = ${sender},
        attempts = m.attempts + case when m.status = 'unknown' then 0 else 1 end - o.uncounted,
        sending_at = coalesce(o.handed_over_at, m.sending_at, case when o.perhaps_taken then now() end),
        sent_at = case when o.status = 'sent' then coalesce(o.handed_over_at, m.sending_at, now()) + o.elapsed else m.sent_at end,
        ended_at = case when o.status in ('failed', 'unknown') then coalesce(o.handed_over_at, m.sending_at, now()) + o.elapsed end
      from held as o
      where m.id = o.id and (
        m.sender is null and (m.status = 'queued' or m.status = 'skipped' and m.reason in ('opted_out', 'held', 'no_consent') and o.perhaps_taken)
        or m.sender = ${sender} and (m.status = 'sending' or m.status = 'unknown' and o.status <> 'unknown'))
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** Stores the message of each provider id. No other statement writes the same ids. */
const keptIds = (sql: Sql) => sql`
  insert into provider_message_ids (provider_id, provider_message_id, message_id)
  select provider_id, left(provider_message_id, ${longestKey}), id from outcome where status = 'sent' and provider_message_id is not null
  on conflict do nothing`;

/** Locks the run's row, so that the run neither ends nor resumes until the transaction ends. */
const lockedRun = (sql: Sql, runId: number) => sql`
  select status = any(${[...resendableRunStatuses]}::text[]) as ended from runs where id = ${runId} for share`;

/** The status and reason of a message not accepted, if nobody can send for the run any more; `run` is locked. */
const requeued = (
  sql: Sql,
  { status, reason, providerId }: Record<'status' | 'reason' | 'providerId', ReturnType<Sql>>,
) => sql`
  case when ${status} <> 'queued' or not (select ended from run) then ${status}
    when ${providerId} is null then 'failed' else 'unknown' end as status,
  case when ${status} <> 'queued' or not (select ended from run) then ${reason}
    when ${providerId} is null then 'not_sent' else 'no_answer' end as reason`;

/**
 * Takes over from these senders, which have stopped or will soon: waits until they cannot hand anything to the provider
 * (db/messages/leases.ts), then closes the messages that they leave without an outcome.
 *
 * For a whole run: call it only while no activity is sending for the run.
 */
export async function takeOver(sql: Database, senders: Senders & { deduplicates: boolean }): Promise<number> {
  await awaitSilence(sql, senders);
  return closeStoppedSenders(sql, senders);
}

/**
 * Closes the messages that stopped senders claimed and left without an outcome. They become `unknown`, because the
 * provider may have accepted them, or `queued` if the provider refuses a second message with the same reference. Ignores
 * claims of senders with a lease. Returns how many messages changed.
 */
export async function closeStoppedSenders(
  sql: Sql,
  senders: Senders & { deduplicates: boolean },
): Promise<number> {
  const { runId, deduplicates } = senders;
  const dead = (sender: ReturnType<Sql>) => sql`
    ${isAmong(sql, senders, sender)} and not exists (
      select from sender_leases as l where l.sender = ${sender} and not (l.revoked and l.expires_at <= clock_timestamp()))`;
  const rows = await sql`
    with lease as (
      delete from sender_leases
      where run_id = ${runId} and revoked and expires_at <= clock_timestamp() ${isAmong(sql, senders, sql`sender`)}
    ), claim as (
      delete from claims where run_id = ${runId} ${dead(sql`claims.sender`)} returning sender, claimed_at, message_ids
    ), in_hand as (
      select unnest(message_ids) as id, sender, claimed_at from claim
      union all
      select id, sender, sending_at from messages where run_id = ${runId} and status = 'sending' ${dead(sql`messages.sender`)}
        and exists (select from run_counts where run_id = ${runId} and status = 'queued' and messages > 0)
    ), held as (
      select m.id, in_hand.sender, in_hand.claimed_at from in_hand join messages as m using (id)
      order by m.id for no key update of m
    ), moved as (
      update messages as m set
        status = case when ${Number(deduplicates)} = 1 and m.status <> 'skipped' then 'queued' else 'unknown' end,
        reason = case when ${Number(deduplicates)} = 1 and m.status <> 'skipped' then null else 'sender_died' end,
        ended_at = case when ${Number(deduplicates)} = 1 and m.status <> 'skipped' then null else now() end,
        attempts = m.attempts + 1, sender = held.sender, sending_at = held.claimed_at,
        provider_id = coalesce(m.provider_id, (select provider_id from runs where id = ${runId}))
      from held
      where m.id = held.id and (
        m.status = 'sending'
        or m.sender is null and (m.status = 'queued' or m.status = 'skipped' and m.reason in ('opted_out', 'held', 'no_consent')))
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/**
 * Releases what this sender has claimed and not sent: only for a sender that is certain that it sent none of it. The
 * messages get the status of messages that were not accepted (`recordOutcomes`).
 */
export async function releaseClaims(
  sql: Sql,
  { runId, sender }: { runId: number; sender: string },
): Promise<void> {
  await sql`
    with run as (${lockedRun(sql, runId)}), claim as (
      delete from claims where run_id = ${runId} and sender = ${sender} and (select count(*) from run) >= 0
      returning message_ids
    ), in_hand as (
      select unnest(message_ids) as id from claim
      union all
      select id from messages where run_id = ${runId} and status = 'sending' and sender = ${sender}
    ), held as (
      select m.id, m.provider_id from in_hand join messages as m using (id) order by m.id for no key update of m
    ), given_back as (
      select id, ${requeued(sql, { status: sql`'queued'`, reason: sql`null::text`, providerId: sql`provider_id` })} from held
    ), moved as (
      update messages as m set status = g.status, reason = g.reason, sender = ${sender},
        ended_at = case when g.status <> 'queued' then now() end
      from given_back as g
      where m.id = g.id and (m.status = 'sending' or m.status = 'queued' and m.sender is null)
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** The final status of a queued message when its run ends. */
type QueuedEnd =
  { status: 'cancelled'; reason: CancelReason | null } | { status: 'failed'; reason: 'not_sent' };

/**
 * Ends all queued messages of a run; those that the provider may have accepted at an earlier attempt become `unknown`.
 * Returns how many.
 */
export async function endQueued(sql: Sql, runId: number, { status, reason }: QueuedEnd): Promise<number> {
  return endQueuedIn(
    sql,
    sql`select id from messages where run_id = ${runId} and status = 'queued' order by id for no key update`,
    {
      status: sql`case when m.provider_id is null then ${status} else 'unknown' end`,
      reason: sql`case when m.provider_id is null then ${reason}::text else 'no_answer' end`,
    },
  );
}

/**
 * Ends all messages of a run that have not ended: unsent ones as in `end`, those of a stopped sender as unknown. Call
 * it when nobody sends for the run any more (`takeOver`), in the transaction that ends the run: it fails while any
 * lease is left.
 */
export async function endRemaining(
  sql: Sql,
  runId: number,
  end: QueuedEnd = { status: 'cancelled', reason: null },
): Promise<void> {
  // Claims before messages, as in recordOutcomes. A sender that returns could queue unknown messages again.
  await sql`select from claims where run_id = ${runId} order by id for update`;
  await lockMessages(
    sql,
    sql`m.run_id = ${runId} and (m.status in ('queued', 'sending', 'unknown') or m.sender is null and m.status = 'skipped'
      and m.id in (select unnest(message_ids) from claims where run_id = ${runId}))`,
  );
  await closeStoppedSenders(sql, { runId, deduplicates: false });
  const leases = await sql`select from sender_leases where run_id = ${runId} limit 1`;
  if (leases.count > 0) throw new Error(`Run ${runId} cannot be ended while a sender holds a lease.`);
  await endQueued(sql, runId, end);
}
