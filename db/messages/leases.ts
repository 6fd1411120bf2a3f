import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStatus } from '../../domain/run.ts';
import type { Database, Sql } from '../core/client.ts';

/**
 * Who may hand messages of a run to a provider. A sender takes a lease before it claims anything, renews it each second,
 * and sends only while it trusts it, which is for less time than the database does. So once a lease has expired here,
 * its holder sends nothing, whether it is dead, frozen or cut off. Only then may others take up what it had claimed.
 *
 * Both sides measure durations, each on its own clock: the clocks need not agree.
 */
export const leaseMs = 3_000;
/** A sender trusts its lease for so long after it asked for it: shorter than `leaseMs`, as clocks run unevenly. */
export const trustMs = 2_000;

/** How long `awaitSilence` waits between two looks: a sender that lets go ends its lease before the time. */
const lookMs = 100;

/** When a lease ends that is given now. */
export const leaseUntil = (sql: Sql) => sql`clock_timestamp() + ${leaseMs}::int * interval '1 ms'`;

/** What a sender learns when it asks for its lease. */
export interface LeaseAnswer {
  /** False: it must send nothing more. Another attempt takes over, or the run is not `running`. */
  held: boolean;
  status: RunStatus | null;
  /** The database's clock, in milliseconds since the epoch. */
  clock: number;
  /** So many sends may this sender have under way: what the provider bears, shared by all who send through it. */
  inFlight: number;
}

/** The provider's `max_in_flight` by the senders that have a lease, and those of `more` besides. */
const shareOf = (sql: Sql, runId: number, more: number) => sql`
  coalesce((
    select greatest(1, p.max_in_flight / greatest(1, ${more} + (
      select count(*)::int from sender_leases as other join runs as r on r.id = other.run_id
      where r.provider_id = p.id and other.expires_at > clock_timestamp())))
    from runs join providers as p on p.id = runs.provider_id where runs.id = ${runId}), 1)`;

/**
 * Gives a sender its lease, if the run is `running` and no later attempt of the same activity has one. `alone`: and if
 * nobody else has one. A worker that was frozen may begin an attempt that others have taken over long ago.
 *
 * Call it in a transaction: leases of one run are given one after the other until it ends.
 */
export async function takeLease(
  sql: Sql,
  { runId, activity, attempt, alone }: { runId: number; activity: string; attempt: number; alone: boolean },
): Promise<LeaseAnswer> {
  const [run] = await sql<
    { status: RunStatus }[]
  >`select status from runs where id = ${runId} for no key update`;
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
    select exists (select from taken) as held, extract(epoch from clock_timestamp())::float8 * 1000 as clock,
      ${shareOf(sql, runId, 1)} as in_flight`;
  return { ...row, status: run?.status ?? null };
}

/** Extends the lease of a sender, also one that has expired, unless it was revoked or the run is not `running`. */
export async function renewLease(
  sql: Sql,
  { runId, sender }: { runId: number; sender: string },
): Promise<LeaseAnswer> {
  const [row] = await sql<[LeaseAnswer]>`
    with run as (
      select status from runs where id = ${runId}
    ), renewed as (
      update sender_leases as l set expires_at = ${leaseUntil(sql)}
      from run where l.sender = ${sender} and l.run_id = ${runId} and not l.revoked and run.status = 'running'
      returning l.sender
    )
    select exists (select from renewed) as held, (select status from run) as status,
      extract(epoch from clock_timestamp())::float8 * 1000 as clock, ${shareOf(sql, runId, 0)} as in_flight`;
  return row;
}

/** Ends the lease of a sender that holds nothing any more. */
export async function endLease(sql: Sql, sender: string): Promise<void> {
  await sql`delete from sender_leases where sender = ${sender}`;
}

/** Earlier attempts of one activity; of a run, all who send for it. */
export interface Senders {
  runId: number;
  before?: { activity: string; attempt: number } | undefined;
}

/**
 * Returns once none of these senders hands anything to the provider: they renew no lease any more, and the leases they
 * have end within `leaseMs`. One that is alive writes meanwhile what it knows and gives back the rest.
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

/** A condition for the senders that are meant, to follow one on their run. */
export const isAmong = (sql: Sql, { before }: Senders, sender: ReturnType<Sql>) =>
  before === undefined ? sql`` : sql`and ${attemptOf(sql, sender, before.activity)} < ${before.attempt}`;

/** The number of the attempt; null for the sender of another activity. */
const attemptOf = (sql: Sql, sender: ReturnType<Sql>, activity: string) =>
  sql`case when starts_with(${sender}, ${`${activity}#`}) then split_part(${sender}, '#', 2)::int end`;

/**
 * Names an activity among all that ever send for one run: an activity's id counts from 1 in each execution of the
 * workflow. Of the execution's id, a UUID, only the last 48 bits, which are random: the name stands in every message.
 */
export const activityName = (executionId: string, activityId: string): string =>
  `${executionId.slice(-12)}/${activityId}`;

/** One attempt of one activity. An attempt begins by settling what those before it left. */
export const senderName = (activity: string, attempt: number): string => `${activity}#${attempt}`;
