import type { Sql } from '../core/client.ts';

/**
 * What SMS cost that belong to no run: answers to customers (`answers`, automatic texts too) and test messages. Sums by
 * day of the deployment's time zone, provider and country, at the price of that day.
 */

/** The price of a segment of what is added, and what it costs. */
const priced = (sql: Sql) => sql`
  select kind, provider_id, day, country, n as segments, coalesce(n * price, 0) as millionths,
    case when price is null then n else 0 end as unpriced
  from added, lateral (select segment_price(provider_id, country, day) as price) as p`;

const add = (sql: Sql) => sql`
  insert into single_costs (kind, provider_id, day, country, segments, millionths, unpriced)
  ${priced(sql)} order by kind, provider_id, day, country
  on conflict (kind, provider_id, day, country) do update set
    segments = single_costs.segments + excluded.segments, millionths = single_costs.millionths + excluded.millionths,
    unpriced = single_costs.unpriced + excluded.unpriced`;

/**
 * Counts the answers that providers have accepted since the last call, on this day. Subtracts those that failed later
 * from the day on which they were counted. Can be repeated and run concurrently: rows that another transaction has locked
 * are left for the next call. Needs a separate transaction, because it locks answers in any order.
 */
export async function countAnswers(sql: Sql, day: string): Promise<void> {
  await sql`
    with due as materialized (
      select id from answers
      where (status in ('sent', 'delivered', 'undelivered')) <> (cost_day is not null)
      order by id limit ${answersAtOnce} for no key update skip locked
    ), counted as (
      update answers as a set cost_day = case when a.cost_day is null then ${day}::date end
      from due where a.id = due.id
      returning new.provider_id, coalesce(new.cost_day, old.cost_day) as day,
        coalesce(calling_code(new.phone), '') as country,
        case when new.cost_day is null then -new.segments else new.segments end as n
    ), added as (
      select 'answer' as kind, provider_id, day, country, sum(n)::int as n from counted group by 2, 3, 4
    )
    ${add(sql)}`;
}
const answersAtOnce = 10_000;

/** A test message that a provider has accepted. */
export async function countTest(
  sql: Sql,
  { providerId, phone, segments, day }: { providerId: number; phone: string; segments: number; day: string },
): Promise<void> {
  await sql`
    with added as (
      select 'test' as kind, ${providerId}::bigint as provider_id, ${day}::date as day,
        coalesce(calling_code(${phone}), '') as country, ${segments}::int as n
    )
    ${add(sql)}`;
}
