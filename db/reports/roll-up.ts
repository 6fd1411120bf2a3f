import type { Database, Sql } from '../core/client.ts';

/**
 * Counts for reports, first step: the messages of a run by hour (`run_hours`), its replies and tickets by hour
 * (`run_responses`), the replies of a day that belong to no run (also there). A run is counted by reading all of it, so a late receipt corrects the hour in which the message
 * left. Nothing here changes with a send or a receipt: the round (activities/reports.ts) finds the runs whose counts
 * have changed.
 */

/** Of a run's counts; differs when they differ. */
const fingerprint = (sql: Sql) =>
  sql`bit_xor(hashtextextended(status || '/' || reason || '/' || messages || '/' || segments, 0))`;

/** The day and the hour of an instant in the zone. */
const dayOf = (sql: Sql, at: ReturnType<Sql>, timezone: string) =>
  sql`(${at} at time zone ${timezone}::text)::date`;
const hourOf = (sql: Sql, at: ReturnType<Sql>, timezone: string) =>
  sql`extract(hour from ${at} at time zone ${timezone}::text)::int`;

/** Days of a run that are counted now: what days.ts writes about them has to be written again. */
async function markDays(tx: Sql, table: 'run_hours' | 'run_responses', runId: number): Promise<void> {
  await tx`
    insert into stale_days (day) select distinct day from ${tx(table)} where run_id = ${runId} order by day
    on conflict do nothing`;
}

/** Only one transaction counts a run at a time. Blocks nothing else. */
const lockCounting = async (tx: Sql, runId: number): Promise<void> => {
  await tx`select pg_advisory_xact_lock(hashtext('torpedo.reports'), ${runId}::int)`;
};

export interface CountedRun {
  /** How many messages were read. */
  messages: number;
  /** The messages differ from `run_counts`: housekeeping repairs that. */
  differs: boolean;
}

/**
 * Counts a run's messages by hour. A message belongs to the hour in which it was last handed over; one that never was,
 * to the hour in which the mailing was read. A message without a phone (retention or an erasure emptied it) belongs to
 * the country in which most of its run's messages were before. Dry runs count nothing.
 */
export async function countRun(
  sql: Database,
  { runId, timezone }: { runId: number; timezone: string },
): Promise<CountedRun> {
  return sql.begin(async (tx) => {
    await lockCounting(tx, runId);
    const [usual] = await tx<{ country: string }[]>`
      select country from run_hours where run_id = ${runId} and country <> ''
      group by country order by sum(messages) desc limit 1`;
    await markDays(tx, 'run_hours', runId);
    await tx`delete from run_hours where run_id = ${runId}`;
    // One statement, so that messages and counts are of the same moment. Quarters of an hour and the first digits are
    // few: zone and country are computed for them, and not for each message.
    const [counted] = await tx<[CountedRun]>`
      with quarter as (
        select date_bin('15 minutes', coalesce(m.sending_at, m.sent_at, r.mailing_at, r.occurrence), timestamptz 'epoch') as at,
          coalesce(m.provider_id, r.provider_id) as provider_id, substr(m.phone, 2, 3) as digits,
          case m.status when 'sending' then 'queued' else m.status end as status, coalesce(m.reason, '') as reason,
          count(*) as messages, sum(m.segments) as segments
        from messages as m join runs as r on r.id = m.run_id
        where m.run_id = ${runId} and r.trigger <> 'dry_run'
        group by 1, 2, 3, 4, 5
      ), counted as (
        insert into run_hours (run_id, day, hour, provider_id, country, status, reason, messages, segments)
        select ${runId}::bigint, ${dayOf(tx, tx`at`, timezone)}, ${hourOf(tx, tx`at`, timezone)}, provider_id,
          coalesce(calling_code('+' || digits), case when status <> 'skipped' then ${usual?.country ?? null}::text end, ''),
          status, reason, sum(messages), sum(segments)
        from quarter group by 1, 2, 3, 4, 5, 6, 7
        returning status, reason, messages, segments
      ), summed as (
        select status, reason, sum(messages) as messages, sum(segments) as segments from counted group by 1, 2
      ), kept as (
        select status, reason, messages, segments from run_counts where run_id = ${runId} and messages > 0
      ), rolled_up as (
        insert into run_rollups (run_id, fingerprint, took_ms)
        select ${runId}::bigint, (select coalesce(${fingerprint(tx)}, 0) from kept),
          extract(epoch from clock_timestamp() - statement_timestamp()) * 1000
        from (select count(*) from summed) as done
        on conflict (run_id) do update set fingerprint = excluded.fingerprint, took_ms = excluded.took_ms, counted_at = now()
      )
      select (select coalesce(sum(messages), 0)::int from summed) as messages,
        exists (select from runs where id = ${runId} and trigger <> 'dry_run')
          and exists ((table summed except table kept) union all (table kept except table summed)) as differs`;
    await markDays(tx, 'run_hours', runId);
    return counted;
  });
}

/** Counts a run's replies and tickets by hour, from the rows themselves. */
export async function countResponses(
  sql: Database,
  { runId, timezone }: { runId: number; timezone: string },
): Promise<void> {
  await sql.begin(async (tx) => {
    await lockCounting(tx, runId);
    await tx`delete from stale_responses where run_id = ${runId}`;
    await markDays(tx, 'run_responses', runId);
    await tx`delete from run_responses where run_id = ${runId}`;
    await tx`
      insert into run_responses (run_id, day, hour, provider_id, replies, opt_outs, tickets, answered, answer_seconds)
      select ${runId}::bigint, ${dayOf(tx, tx`at`, timezone)}, ${hourOf(tx, tx`at`, timezone)}, provider_id,
        sum(reply), sum(opt_out), sum(ticket), sum(answered), sum(seconds)
      from (
        select received_at as at, provider_id, 1 as reply, case effect when 'opt_out' then 1 else 0 end as opt_out,
          0 as ticket, 0 as answered, 0 as seconds
        from inbound_messages where run_id = ${runId}
        union all
        select t.opened_at, coalesce(i.provider_id, m.provider_id, r.provider_id), 0, 0, 1,
          case when t.first_answered_at is null then 0 else 1 end,
          coalesce(greatest(0, extract(epoch from t.first_answered_at - t.opened_at)), 0)::bigint
        from tickets as t join runs as r on r.id = t.run_id join messages as m on m.id = t.message_id
          left join inbound_messages as i on i.id = t.inbound_message_id
        where t.run_id = ${runId}
      ) as response
      group by 1, 2, 3, 4`;
    await markDays(tx, 'run_responses', runId);
  });
}

/** Counts the replies of a day that belong to no run by hour, from the rows themselves. */
export async function countOtherReplies(
  sql: Database,
  { day, timezone }: { day: string; timezone: string },
): Promise<void> {
  const midnight = (after: number) =>
    sql`(${day}::date + ${after}::int)::timestamp at time zone ${timezone}::text`;
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('torpedo.reports.replies'))`;
    await tx`delete from stale_reply_days where day = ${day}`;
    await tx`delete from run_responses where run_id is null and day = ${day}`;
    await tx`
      insert into run_responses (run_id, day, hour, provider_id, replies, opt_outs, tickets, answered, answer_seconds)
      select null, ${day}::date, ${hourOf(tx, tx`received_at`, timezone)}, provider_id,
        count(*), count(*) filter (where effect = 'opt_out'), 0, 0, 0
      from inbound_messages
      where run_id is null and handled_at is not null and received_at >= ${midnight(0)} and received_at < ${midnight(1)}
      group by 3, 4`;
    await tx`insert into stale_days (day) values (${day}) on conflict do nothing`;
  });
}

/** Runs that are due at each round: those of the last days. All others are compared every hour. */
const recentDays = 3;
/** A run is read again after this many times the time that reading it took: at most 1 % of one core for each run. */
const restFactor = 100;

/**
 * The runs whose counts have changed since they were last counted, the longest ago first; at most `limit`. `all`: of all
 * times, not only of the last days.
 */
export async function runsToCount(
  sql: Sql,
  { all, limit }: { all: boolean; limit: number },
): Promise<number[]> {
  const rows = await sql<{ runId: number }[]>`
    with recent as materialized (
      select id from runs where occurrence > now() - make_interval(days => ${recentDays})
      union
      select id from runs where status in ('running', 'paused', 'cancelling', 'failed')
    ), present as (
      select run_id, ${fingerprint(sql)} as fingerprint from run_counts
      where messages > 0 ${all ? sql`` : sql`and run_id in (select id from recent)`}
      group by run_id
    )
    select run_id from present left join run_rollups as r using (run_id)
    where r.fingerprint is distinct from present.fingerprint
      and (r.fingerprint is null or r.counted_at + make_interval(secs => r.took_ms * ${restFactor / 1000}::float8) < now())
    order by r.counted_at nulls first, run_id limit ${limit}`;
  return rows.map(({ runId }) => runId);
}

/** Whether a run's counts have changed since it was last counted. */
export async function isCounted(sql: Sql, runId: number): Promise<boolean> {
  const [row] = await sql<[{ counted: boolean }]>`
    select exists (
      select from run_rollups where run_id = ${runId} and fingerprint = (
        select coalesce(${fingerprint(sql)}, 0) from run_counts where run_id = ${runId} and messages > 0)) as counted`;
  return row.counted;
}

/** Transactions that store replies and opt-outs end within this time, those that open tickets within the other. */
const replyDelay = "interval '2 minutes'";
const ticketDelay = "interval '5 minutes'";

/**
 * Finds the runs whose replies or tickets have changed since the last round, by the ids that are new, and queues them
 * in `stale_responses`; the days of replies that belong to no run, in `stale_reply_days`. An id is new until no
 * transaction with a smaller one can still be open.
 */
export async function noteResponses(sql: Database, { timezone }: { timezone: string }): Promise<void> {
  await sql.begin(async (tx) => {
    // Before the rows are read: what changes meanwhile is new next time, too.
    const [state] = await tx<
      [
        {
          repliesThrough: number;
          ticketsThrough: number;
          optOutsThrough: number;
          replies: number;
          tickets: number;
          optOuts: number;
        },
      ]
    >`
      select replies_through, tickets_through, opt_outs_through,
        coalesce(
          (select min(id) from inbound_messages
            where id >= replies_through and (handled_at is null or received_at > now() - ${tx.unsafe(replyDelay)})),
          (select max(id) + 1 from inbound_messages), 0) as replies,
        coalesce(
          (select min(id) from tickets where id >= tickets_through and opened_at > now() - ${tx.unsafe(ticketDelay)}),
          (select max(id) + 1 from tickets), 0) as tickets,
        coalesce(
          (select min(id) from opt_out_events where id >= opt_outs_through and at > now() - ${tx.unsafe(replyDelay)}),
          (select max(id) + 1 from opt_out_events), 0) as opt_outs
      from report_state for update`;
    await tx`
      insert into stale_responses (run_id)
      select run_id from (
        select run_id from inbound_messages where id >= ${state.repliesThrough} and run_id is not null
        union
        select run_id from tickets where id >= ${state.ticketsThrough}
        union
        select run_id from tickets
        where first_answered_at > (select coalesce(counted_at, '-infinity') from report_state) - ${tx.unsafe(ticketDelay)}
        union
        -- A user's decision about a probable opt-out changes replies of long ago.
        select i.run_id from opt_out_events as e join inbound_messages as i on i.phone = e.phone
        where e.id >= ${state.optOutsThrough} and e.source = 'reply' and i.run_id is not null
      ) as changed
      order by run_id
      on conflict do nothing`;
    await tx`
      insert into stale_reply_days (day)
      select ${dayOf(tx, tx`received_at`, timezone)} from (
        select received_at from inbound_messages where id >= ${state.repliesThrough} and run_id is null
        union all
        select i.received_at from opt_out_events as e join inbound_messages as i on i.phone = e.phone
        where e.id >= ${state.optOutsThrough} and e.source = 'reply' and i.run_id is null
      ) as changed
      group by 1 order by 1
      on conflict do nothing`;
    await tx`
      update report_state set replies_through = greatest(replies_through, ${state.replies}),
        tickets_through = greatest(tickets_through, ${state.tickets}),
        opt_outs_through = greatest(opt_outs_through, ${state.optOuts})`;
  });
}

/** Runs in `stale_responses`. */
export async function runsWithNewResponses(sql: Sql, limit: number): Promise<number[]> {
  const rows = await sql<{ runId: number }[]>`
    select run_id from stale_responses order by run_id limit ${limit}`;
  return rows.map(({ runId }) => runId);
}

/** Days in `stale_reply_days`. */
export async function daysWithOtherReplies(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    select day::text from stale_reply_days order by stale_reply_days.day desc limit ${limit}`;
  return rows.map(({ day }) => day);
}

/** Of all prices; differs when they differ. */
const prices = (sql: Sql) => sql`
  (select coalesce(bit_xor(hashtextextended(provider_id || '/' || prefix || '/' || first_day || '/' || millionths, 0)), 0)
    from prices)`;

/**
 * Marks everything to be counted again if `rebuild` is true or the time zone has changed, and the costs of all days if
 * prices have changed. Until the round has finished, reports change day by day.
 */
export async function startRound(
  sql: Database,
  { rebuild, timezone }: { rebuild: boolean; timezone: string },
): Promise<{ all: boolean; since: Date }> {
  return sql.begin(async (tx) => {
    const [state] = await tx<[{ timezone: string | null; repriced: boolean; all: boolean; since: Date }]>`
      select timezone, report_state.prices is distinct from ${prices(tx)} as repriced,
        checked_all_at is null or checked_all_at < now() - interval '1 hour' as all, now() as since
      from report_state for update`;
    const anew = rebuild || (state.timezone !== null && state.timezone !== timezone);
    if (anew) {
      await tx`update run_rollups set fingerprint = null`;
      await tx`insert into stale_responses (run_id) select run_id from run_rollups on conflict do nothing`;
      // Those of the old time zone, and those of the new one.
      await tx`
        insert into stale_reply_days (day)
        select day from run_responses where run_id is null
        union
        select distinct ${dayOf(tx, tx`received_at`, timezone)} from inbound_messages where run_id is null
        on conflict do nothing`;
      await tx`update report_state set checked_all_at = null`;
    }
    if (state.repriced) {
      await tx`insert into stale_days (day) select distinct day from run_hours on conflict do nothing`;
      await tx`update report_state set prices = ${prices(tx)}`;
    }
    if (state.timezone !== timezone) await tx`update report_state set timezone = ${timezone}`;
    return { all: anew || state.all, since: state.since };
  });
}

/** Ends a round that began at `since`; `all`: it has compared the counts of all runs. */
export async function endRound(sql: Sql, { all, since }: { all: boolean; since: Date }): Promise<void> {
  await sql`
    update report_state set counted_at = ${since} ${all ? sql`, checked_all_at = ${since}` : sql``}`;
}
