import type { PendingQuery, Row } from 'postgres';
import type { Database, Sql } from '../core/client.ts';

/**
 * Counts for reports, second step: the tables that reports read, written again for each day whose runs have changed.
 * Only rows that differ are written.
 */

/** The columns with figures of `report_days`, `report_months` and `report_hours`. */
export const figureColumns = [
  'queued',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'unknown',
  'skipped',
  'cancelled',
  'segments',
  'unknown_segments',
  'cost',
  'unpriced_segments',
  'replies',
  'opt_outs',
  'tickets',
  'answered',
  'answer_seconds',
] as const;

const messageColumns = figureColumns.slice(0, 8);

/** A list of SQL fragments with commas between. */
const list = (sql: Sql, parts: readonly ReturnType<Sql>[]) =>
  parts.reduce((all, part, index) => (index === 0 ? part : sql`${all}, ${part}`), sql``);

/** `sum(queued) as queued, …` */
const sums = (sql: Sql) =>
  list(
    sql,
    figureColumns.map((column) => sql`sum(${sql(column)}) as ${sql(column)}`),
  );

const accepted = (sql: Sql) => sql`status in ('sent', 'delivered', 'undelivered')`;

/**
 * The figures of runs by hour and provider, of the rows that `which` selects by `run_id` and `day`. Replies that belong
 * to no run have none.
 */
export const facts = (sql: Sql, which: PendingQuery<Row[]>) => sql`
  select c.run_id, c.day, c.hour, coalesce(c.provider_id, 0) as provider_id,
    ${list(
      sql,
      messageColumns.map(
        (status) => sql`coalesce(sum(messages) filter (where status = ${status}), 0) as ${sql(status)}`,
      ),
    )},
    coalesce(sum(segments) filter (where ${accepted(sql)}), 0) as segments,
    coalesce(sum(segments) filter (where status = 'unknown'), 0) as unknown_segments,
    coalesce(sum(segments * price.millionths) filter (where ${accepted(sql)}), 0) as cost,
    coalesce(sum(segments) filter (where ${accepted(sql)} and price.millionths is null), 0) as unpriced_segments,
    0 as replies, 0 as opt_outs, 0 as tickets, 0 as answered, 0 as answer_seconds
  from run_hours as c left join (
    select provider_id, country, priced_on, segment_price(provider_id, country, priced_on) as millionths
    from (select distinct provider_id, country, day as priced_on from run_hours where ${which}) as sold
  ) as price on price.provider_id = c.provider_id and price.country = c.country and price.priced_on = c.day
  where ${which}
  group by 1, 2, 3, 4
  union all
  select run_id, day, hour, coalesce(provider_id, 0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    replies, opt_outs, tickets, answered, answer_seconds
  from run_responses where ${which}`;

/** Days to be written again, newest first. */
export async function staleDays(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    select day::text from stale_days order by stale_days.day desc limit ${limit}`;
  return rows.map(({ day }) => day);
}

/** Writes a day and its month again. */
export async function writeDay(sql: Database, day: string): Promise<void> {
  await sql.begin(async (tx) => {
    // Two writers of a month would each miss the other's day.
    await tx`select pg_advisory_xact_lock(hashtext('torpedo.reports.days'))`;
    // First: what changes from here on is marked again.
    await tx`delete from stale_days where day = ${day}`;
    const byCampaign = ['campaign_id', 'region_id', 'customer_type_id', 'provider_id'];
    const byHour = ['hour', 'region_id', 'customer_type_id', 'provider_id'];
    await tx`
      with fact as materialized (
        select coalesce(r.campaign_id, 0) as campaign_id, coalesce(r.region_id, 0) as region_id,
          coalesce(r.customer_type_id, 0) as customer_type_id, f.*
        from (${facts(tx, tx`day = ${day}::date`)}) as f left join runs as r on r.id = f.run_id
      ), ${replaced(tx, { table: 'report_days', keys: byCampaign, day, from: tx`fact` })},
      ${replaced(tx, { table: 'report_hours', keys: byHour, day, from: tx`fact` })}
      select`;
    await tx`
      with reasoned as (
        select coalesce(r.region_id, 0) as region_id, coalesce(r.customer_type_id, 0) as customer_type_id,
          coalesce(c.provider_id, 0) as provider_id, c.status, c.reason, sum(messages) as messages
        from run_hours as c join runs as r on r.id = c.run_id
        where c.day = ${day} and c.reason <> ''
        group by 1, 2, 3, 4, 5
      ), written as (
        insert into report_reasons (day, region_id, customer_type_id, provider_id, status, reason, messages)
        select ${day}::date, * from reasoned
        on conflict (day, region_id, customer_type_id, provider_id, status, reason)
        do update set messages = excluded.messages where report_reasons.messages <> excluded.messages
      )
      delete from report_reasons as t where day = ${day} and not exists (
        select from reasoned as n where (n.region_id, n.customer_type_id, n.provider_id, n.status, n.reason)
          = (t.region_id, t.customer_type_id, t.provider_id, t.status, t.reason))`;
    const month = `${day.slice(0, 7)}-01`;
    await tx`
      with fact as materialized (
        select * from report_days where day >= ${month} and day < ${month}::date + interval '1 month'
      ), ${replaced(tx, { table: 'report_months', keys: byCampaign, day: month, from: tx`fact` })}
      select`;
  });
}

/** The CTEs that make a table's rows of `day` those of `from`, summed by the keys. */
function replaced(
  sql: Sql,
  { table, keys, day, from }: { table: string; keys: readonly string[]; day: string; from: ReturnType<Sql> },
) {
  const names = (columns: readonly string[], of?: string) =>
    list(
      sql,
      columns.map((column) => (of === undefined ? sql`${sql(column)}` : sql`${sql(of)}.${sql(column)}`)),
    );
  return sql`
    ${sql(`${table}_new`)} as materialized (select ${names(keys)}, ${sums(sql)} from ${from} group by ${names(keys)}),
    ${sql(`${table}_written`)} as (
      insert into ${sql(table)} (day, ${names(keys)}, ${names(figureColumns)})
      select ${day}::date, ${names(keys)}, ${names(figureColumns)} from ${sql(`${table}_new`)}
      on conflict (day, ${names(keys)}) do update set
        ${list(
          sql,
          figureColumns.map((column) => sql`${sql(column)} = excluded.${sql(column)}`),
        )}
      where (${names(figureColumns, table)}) is distinct from (${names(figureColumns, 'excluded')})
    ),
    ${sql(`${table}_gone`)} as (
      delete from ${sql(table)} as t where t.day = ${day} and not exists (
        select from ${sql(`${table}_new`)} as n where (${names(keys, 'n')}) = (${names(keys, 't')}))
    )`;
}
