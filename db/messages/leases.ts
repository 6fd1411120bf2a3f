import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStatus } from '../../domain/run.ts';
import type { Database, Sql } from '../core/client.ts';

/**
 * A lease permits a sender to hand messages of a run to a provider. A sender takes a lease before it claims anything,
 * renews it each second, and sends only while it trusts the lease, which is for less time than the database does. So
 * once a lease has expired here, its holder sends nothing, even if it is frozen or cut off. Only then may others take
 * over its claims.
 *
 * Both sides measure durations, each on its own clock: the clocks need not agree.
 */
export const leaseMs = 3_000;
/** How long a sender trusts its lease after requesting it: shorter than `leaseMs`, because clocks run unevenly. */
export const trustMs = 2_000;

/** The interval between two checks of `awaitSilence`: a sender that finishes ends its lease early. */
const lookMs = 100;

/** When a lease that is given now expires. */
export const leaseUntil = (sql: Sql) => sql`clock_timestamp() + ${leaseMs}::int * interval '1 ms'`;

/** The answer to a sender's request for a lease. */
export interface LeaseAnswer {
  /** False: it must not send anything more. Another attempt takes over, or the run is not `running`. */
  held: boolean;
  status: RunStatus | null;
  /** The database's clock, in milliseconds since the epoch. */
  clock: number;
}

/**
 * Gives a sender its lease, if the run is `running` and no later attempt of the same activity has one; with `alone`,
 * only if no other sender has one. A frozen worker may start an attempt that others took over long ago.
 *
 * Call it in a transaction: it serializes the leases of one run until it ends.
 */
export async function takeLease(
  sql: Sql,
  { runId, activity, attempt, alone }: { runId: number; activity: string; attempt: number; alone: boolean },
): Promise<LeaseAnswer> {
  const [run] = await sql<
    { status: RunStatus }[]
  >`update runs set sender_wanted_at = null where id = ${runId} returning status`;
  const [row] = await sql<[Omit<LeaseAnswer, 'status'>]>`
    with taken as (
      insert into sender_leases (sender, run_id, expires_at)
      select ${senderName(activity, attempt)}, ${runId}, ${leaseUntil(sql)}
      where ${run?.status ?? ''} = 'running' and not exists (
        select from sender_leases as other
        where other.run_id = ${runId} and other.expires_at > clock_timestamp()
          and (${Number(alone)} = 1 or ${attemptOf(sql, sql`other.sender`, activity)} > ${attempt}))
      on conflict do nothing
      returning sender
    )
    select exists (select from taken) as held, extract(epoch from clock_timestamp())::float8 * 1000 as clock`;
  return { ...row, status: run?.status ?? null };
}

/**
 * Extends the leases of senders, also expired ones, unless they were revoked or their run is not `running`. Returns an
 * answer for each, in their order.
 *
 * Does not wait for a locked lease, which is being revoked or deleted: this may take long when a large run ends, and
 * the other leases would expire meanwhile.
 */
export async function renewLeases(
  sql: Sql,
  senders: readonly { runId: number; sender: string }[],
): Promise<LeaseAnswer[]> {
  return sql<LeaseAnswer[]>`
    with asked as (
      select * from unnest(${senders.map(({ sender }) => sender)}::text[], ${senders.map(({ runId }) => runId)}::bigint[])
        with ordinality as a (sender, run_id, position)
    ), free as (
      select l.sender from sender_leases as l join asked using (sender, run_id) where not l.revoked
      for no key update of l skip locked
    ), renewed as (
      update sender_leases as l set expires_at = ${leaseUntil(sql)}
      from free join asked using (sender) join runs on runs.id = asked.run_id
      where l.sender = free.sender and runs.status = 'running'
      returning l.sender
    )
    select renewed.sender is not null as held, runs.status, extract(epoch from clock_timestamp())::float8 * 1000 as clock
    from asked left join runs on runs.id = asked.run_id left join renewed on renewed.sender = asked.sender
    order by asked.position`;
}

/** Ends the lease of a sender that has no claims left. */
export async function endLease(sql: Sql, sender: string): Promise<void> {
  await sql`delete from sender_leases where sender = ${sender}`;
}

/** Earlier attempts of one activity; for a run, all its senders. */
export interface Senders {
  runId: number;
  before?: { activity: string; attempt: number } | undefined;
}

/**
 * Returns once none of these senders can hand anything to the provider: it revokes their leases, which expire within
 * `leaseMs`. A live sender meanwhile records the outcomes it has and releases the rest.
 */
export async function awaitSilence(sql: Database, senders: Senders): Promise<void> {
  for (;;) {
    const [{ waitMs }] = await sql<[{ waitMs: number }]>`
      with revoked as (
        update sender_leases set revoked = true
        where run_id = ${senders.runId} ${isAmong(sql, senders, sql`sender`)}
        returning expires_at
      )
      select coalesce(extract(epoch from max(expires_at) - clock_timestamp()) * 1000, 0)::float8 as wait_ms from revoked`;
    if (waitMs <= 0) return;
    await sleep(Math.min(waitMs, lookMs));
  }
}

/** A condition that matches these senders, to be combined with one on their run. */
export const isAmong = (sql: Sql, { before }: Senders, sender: ReturnType<Sql>) =>
  before === undefined ? sql`` : sql`and ${attemptOf(sql, sender, before.activity)} < ${before.attempt}`;

/** The number of the attempt; null for the sender of another activity. */
const attemptOf = (sql: Sql, sender: ReturnType<Sql>, activity: string) =>
  sql`case when starts_with(${sender}, ${`${activity}#`}) then split_part(${sender}, '#', 2)::int end`;

/**
 * A name for an activity that is unique among all senders of a run: an activity's id counts from 1 in each execution of
 * the workflow. Of the execution's id, a UUID, only the last 48 bits, which are random, because every message stores
 * the name.
 */
export const activityName = (executionId: string, activityId: string): string =>
  `${executionId.slice(-12)}/${activityId}`;

/** One attempt of one activity. An attempt begins by closing what earlier attempts left open. */
export const senderName = (activity: string, attempt: number): string => `${activity}#${attempt}`;
