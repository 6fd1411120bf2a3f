import type { PendingQuery, Row } from 'postgres';
import type { CancelReason, FailureReason, MessageStatus } from '../../domain/message.ts';
import { resendableRunStatuses } from '../../domain/run.ts';
import type { Database, Sql } from '../core/client.ts';
import { hasOptedOut } from '../customers/opt-outs.ts';
import { awaitSilence, isAmong, leaseUntil, type Senders } from './leases.ts';
import { counted, lockMessages, movedColumns } from './messages.ts';

/**
 * The written intent to send, without which nothing leaves.
 *
 * The first time, a message is claimed by a row of `claims` that names its whole batch: one insert instead of an
 * update of each message. The messages stay `queued` and without a sender until they have an outcome; the claim goes
 * with the last of them. A run hands out its lines once and in order (`send_cursors`), so no two senders get the same.
 *
 * What has to be tried again, and what goes one by one, is claimed message by message (`queued → sending`).
 */
export interface Claim {
  /** Null: claimed by the message's own row. */
  id: number | null;
  messages: ClaimedMessage[];
}

/** A message that a sender has taken: its intent to send is durable. */
export interface ClaimedMessage {
  id: number;
  line: number;
  phone: string;
  text: string;
  segments: number;
  /** The send to come included. */
  attempts: number;
  /** Who may have taken it at an earlier attempt; null: nobody. */
  providerId: number | null;
}

/**
 * Takes what is to be sent of the next `lines` lines that no sender has been given, from line `from` on at the earliest;
 * phones that have opted out meanwhile are skipped. Empty when these lines hold nothing to send (`nextLine` says where
 * to go on), or when the run is not `running`.
 *
 * The order and the limit are there for the planner: by its rule of thumb a range of lines is a ninth of the run, so it
 * would read all of the messages for each claim.
 */
export async function claimLines(
  sql: Sql,
  { runId, sender, from, lines }: { runId: number; sender: string; from: number; lines: number },
): Promise<Claim> {
  const rows = await sql<(ClaimedMessage & { claimId: number })[]>`
    with handed_out as (
      insert into send_cursors as c (run_id, line)
      select id, ${from}::int - 1 + ${lines}::int from runs where id = ${runId} and status = 'running'
      on conflict (run_id) do update set line = greatest(c.line, ${from}::int - 1) + ${lines}::int
      returning line - ${lines}::int as after, line as through
    ), due as materialized (
      select m.*, ${hasOptedOut(sql, sql`m.phone`, providerOf(sql, sql`${runId}`))} as opted_out
      from handed_out cross join lateral (
        select id, line, phone, text, segments, attempts + 1 as attempts, provider_id from messages
        where run_id = ${runId} and line > after and line <= through and status = 'queued' and sender is null
        order by line limit ${lines}
      ) as m
    ), claim as (
      insert into claims (run_id, sender, message_ids)
      select ${runId}, ${sender}, array_agg(id) from due where not opted_out having count(*) > 0
      returning id
    ), moved as (
      update messages as m set status = 'skipped', reason = 'opted_out', ended_at = now()
      from due where due.opted_out and m.id = due.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select claim.id as claim_id, due.id, line, phone, text, segments, attempts, provider_id
    from due, claim where not opted_out order by line`;
  return { id: rows[0]?.claimId ?? null, messages: rows };
}

/** The first line to send that no sender has been given; null when the run has none left. */
export async function nextLine(sql: Sql, runId: number): Promise<number | null> {
  const [row] = await sql<{ line: number }[]>`
    select line from messages where run_id = ${runId} and status = 'queued' and sender is null
      and line > coalesce((select line from send_cursors where run_id = ${runId}), 0)
    order by line limit 1`;
  return row?.line ?? null;
}

/**
 * Takes up to `limit` messages that are due to be tried again, in the order of their lines from after line `after` on
 * (`queued → sending`), once all lines have been handed out. A phone that has opted out meanwhile is skipped instead.
 * Empty when nothing is due, or when the run is not `running`.
 *
 * A queued message without a sender is in another sender's claim; one that no claim knows of any more is taken, too:
 * lines are all handed out, so no new claim can name it. `triedOnly`: not those, because lines are left.
 *
 * `after` is the highest line this sender has claimed: without it, each claim would read again all that was sent
 * before.
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
 * Takes one message, if it is queued and its run is running with this provider; null otherwise. Only while nobody
 * streams its run. Its sender gets a lease with it, for this one send (db/messages/leases.ts): `recordOutcomes` ends it.
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
    select id, ${hasOptedOut(sql, sql`due.phone`, providerOf(sql, sql`due.run_id`))} as opted_out from due
  ), moved as (
    update messages as m set
      status = case when opted_out then 'skipped' else 'sending' end,
      reason = case when opted_out then 'opted_out' end,
      ended_at = case when opted_out then now() end,
      sender = ${sender}, sending_at = now()
    from judged where m.id = judged.id
    returning new.id, new.line, new.phone, new.text, new.attempts, new.provider_id, ${movedColumns(sql)}
  ), ${counted(sql)}`;

const taken = (sql: Sql) => sql`
  select id, line, phone, text, segments, attempts + 1 as attempts, provider_id from moved where to_status = 'sending' order by line`;

/** What became of a claimed message, as its sender writes it. */
export interface Outcome {
  id: number;
  /** `queued`: certainly not taken at this attempt. */
  status: Extract<MessageStatus, 'sent' | 'failed' | 'unknown' | 'queued'>;
  reason: FailureReason | null;
  /** Who took or refused it, or may have taken it, at this attempt or an earlier one; null: nobody. */
  providerId: number | null;
  providerMessageId: string | null;
  providerCode: string | null;
  /** For `queued`: not before. */
  notBefore: Date | null;
  /** For `queued`: do not count the attempt, because it says nothing about this message. */
  uncounted: boolean;
  /**
   * When it was handed to the provider, by the database's clock in milliseconds since the epoch. Null: it was not, or as
   * soon as it was claimed by itself.
   */
  handedOverAt: number | null;
  /** The answer came so long after that. */
  elapsedMs: number;
}

/**
 * Writes a batch of outcomes of one run in one statement, and ends the claims that this was the rest of; `endsLease`: and
 * the sender's lease. A message that is no longer this sender's to decide is left alone: a receipt overtook it. It still
 * is this sender's
 *
 * - when its phone has opted out, or its customer refused, after it was claimed: it was skipped, but may have been sent;
 * - when it was given up as `unknown` while the sender was thought dead.
 *
 * What the provider has not taken is queued again only while somebody may send it. In a run that has ended it is `failed`
 * (`not_sent`), which a resend takes up; or `unknown`, if it may have been taken at an earlier attempt. The run is locked
 * for that: its end comes before or after.
 */
export async function recordOutcomes(
  sql: Sql,
  {
    runId,
    sender,
    outcomes,
    endedClaims = [],
    endsLease = false,
  }: {
    runId: number;
    sender: string;
    outcomes: readonly Outcome[];
    endedClaims?: readonly number[];
    endsLease?: boolean;
  },
): Promise<void> {
  if (outcomes.length === 0) return;
  // A receipt and another sender lock the same messages: in the order of their ids, too, and after the run and the claims.
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
    ), ended as (
      delete from claims
      where id = any(${[...endedClaims]}::bigint[]) ${notTaken ? sql`and (select count(*) from run) >= 0` : sql``}
      returning id
    ), ${endsLease ? sql`lease as (delete from sender_leases where sender = ${sender}),` : sql``} moved as (
      update messages as m set
        status = o.status, reason = o.reason, provider_message_id = o.provider_message_id, provider_code = o.provider_code,
        provider_id = o.provider_id, not_before = o.not_before, sender = ${sender},
        attempts = m.attempts + case when m.status = 'unknown' then 0 else 1 end - o.uncounted,
        sending_at = coalesce(o.handed_over_at, m.sending_at, case when o.perhaps_taken then now() end),
        sent_at = case when o.status = 'sent' then coalesce(o.handed_over_at, m.sending_at, now()) + o.elapsed else m.sent_at end,
        ended_at = case when o.status in ('failed', 'unknown') then coalesce(o.handed_over_at, m.sending_at, now()) + o.elapsed end
      from outcome as o
      where m.id = o.id and (select count(*) from ended) >= 0 and (
        m.sender is null and (m.status = 'queued' or m.status = 'skipped' and m.reason in ('opted_out', 'no_consent') and o.perhaps_taken)
        or m.sender = ${sender} and (m.status = 'sending' or m.status = 'unknown' and o.status <> 'unknown'))
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
}

/** The run's row, which neither ends nor goes on again until the transaction does. */
const lockedRun = (sql: Sql, runId: number) => sql`
  select status = any(${[...resendableRunStatuses]}::text[]) as ended from runs where id = ${runId} for share`;

/** What becomes of a status and a reason where nobody sends for the run any more; refers to `run`, which is locked. */
const requeued = (
  sql: Sql,
  { status, reason, providerId }: Record<'status' | 'reason' | 'providerId', ReturnType<Sql>>,
) => sql`
  case when ${status} <> 'queued' or not (select ended from run) then ${status}
    when ${providerId} is null then 'failed' else 'unknown' end as status,
  case when ${status} <> 'queued' or not (select ended from run) then ${reason}
    when ${providerId} is null then 'not_sent' else 'no_answer' end as reason`;

/**
 * Takes over from these senders, of which none is alive any more or none soon will be: waits until they can't hand anything
 * to the provider (db/messages/leases.ts), then settles what they leave without an outcome.
 *
 * Of a run as a whole: call it only while no activity that sends for the run is under way.
 */
export async function takeOver(sql: Database, senders: Senders & { deduplicates: boolean }): Promise<number> {
  await awaitSilence(sql, senders);
  return settleDeadSenders(sql, senders);
}

/**
 * Takes up what dead senders had in hand and left without an outcome: `unknown`, because the provider may have taken
 * it; `queued` again only where the provider itself refuses a second message with the same reference. Leaves alone what
 * somebody with a lease has in hand. Returns how many messages it moved.
 */
export async function settleDeadSenders(
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
        or m.sender is null and (m.status = 'queued' or m.status = 'skipped' and m.reason in ('opted_out', 'no_consent')))
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/**
 * Gives back what this sender has claimed and not sent: only for a sender that knows that it sent none of it. It becomes
 * what a message becomes that was not taken (`recordOutcomes`).
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

/** What becomes of a queued message of a run that ends. */
type QueuedEnd =
  { status: 'cancelled'; reason: CancelReason | null } | { status: 'failed'; reason: 'not_sent' };

/**
 * Ends all of a run that is queued; what the provider may have taken at an earlier attempt is `unknown`. Returns how many.
 */
export async function endQueued(sql: Sql, runId: number, { status, reason }: QueuedEnd): Promise<number> {
  const rows = await sql`
    with held as (
      select id from messages where run_id = ${runId} and status = 'queued' order by id for no key update
    ), moved as (
      update messages as m set
        status = case when provider_id is null then ${status} else 'unknown' end,
        reason = case when provider_id is null then ${reason}::text else 'no_answer' end, ended_at = now()
      from held where m.id = held.id and m.status = 'queued'
      returning ${movedColumns(sql)}
    ), ${counted(sql)}
    select from moved`;
  return rows.count;
}

/**
 * Ends all of a run that has not ended: what has not left as `end` says, what a dead sender left is unknown. Call it once
 * nobody sends for the run any more (`takeOver`), in the transaction that ends the run: it fails while somebody has a
 * lease.
 */
export async function endRemaining(
  sql: Sql,
  runId: number,
  end: QueuedEnd = { status: 'cancelled', reason: null },
): Promise<void> {
  // Claims before messages, as recordOutcomes. What is unknown could be queued again by a sender that comes back.
  await sql`select from claims where run_id = ${runId} order by id for update`;
  await lockMessages(
    sql,
    sql`m.run_id = ${runId} and (m.status in ('queued', 'sending', 'unknown') or m.sender is null and m.status = 'skipped'
      and m.id in (select unnest(message_ids) from claims where run_id = ${runId}))`,
  );
  await settleDeadSenders(sql, { runId, deduplicates: false });
  const leases = await sql`select from sender_leases where run_id = ${runId} limit 1`;
  if (leases.count > 0) throw new Error(`Run ${runId} can't be ended while it has senders.`);
  await endQueued(sql, runId, end);
}
