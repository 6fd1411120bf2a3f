import type { PendingQuery, Row } from 'postgres';
import { z } from 'zod';
import type { SegmentsByCountry } from '../../domain/price.ts';
import type { Sql } from '../core/client.ts';

/**
 * What runs cost, by provider and day (`run_costs`).
 *
 * Computed from `run_counts`, never from messages: `syncRunCosts` assigns the increase of a run's counts to its current
 * provider and day. It runs each second while a run is sending, before a failover, at the end, and with the
 * reconciliation of counts. So a change of provider is exact, and a price that begins at midnight may be applied up to a
 * second late. A receipt that changes a message on a later day changes the cost of that day.
 *
 * Counts do not know countries. If a provider has prices by country, segments cost the mean price of the run's
 * mailing (`preflight.countries`): exact when everything was accepted, an estimate until then.
 */

/** The cost of segments (`n`) of a run at the prices of a provider and day: columns `millionths` and `unpriced`. */
const worth = (sql: Sql) => sql`
  lateral (
    select round(n.segments * coalesce(sum(m.segments * m.price), 0) / sum(m.segments))::bigint as millionths,
      round(n.segments * coalesce(sum(m.segments) filter (where m.price is null), 0) / sum(m.segments))::int as unpriced
    from (
      select (e ->> 'segments')::numeric as segments, segment_price(n.provider_id, e ->> 'country', n.day) as price
      from jsonb_array_elements(
        case when jsonb_array_length(n.countries) > 0 then n.countries else '[{"country": "", "segments": 1}]' end) as e
    ) as m
  ) as worth`;

/** Brings the costs of runs up to their counts, on this day. Safe to repeat, and at the same time elsewhere. */
export async function syncRunCosts(sql: Sql, runIds: readonly number[], day: string): Promise<void> {
  await sql`
    with n as (
      select r.id as run_id, r.provider_id, r.campaign_id, ${day}::date as day,
        coalesce(r.preflight -> 'countries', '[]') as countries, coalesce(own.segments, 0) as before,
        coalesce((
          select sum(c.segments) from run_counts as c
          where c.run_id = r.id and c.status in ('sent', 'delivered', 'undelivered')), 0)
        - coalesce((
          select sum(k.segments) from run_costs as k
          where k.run_id = r.id and not (k.provider_id = r.provider_id and k.day = ${day}::date)), 0) as segments
      from runs as r left join run_costs as own
        on own.run_id = r.id and own.provider_id = r.provider_id and own.day = ${day}::date
      where r.id = any(${[...runIds]}::bigint[]) and r.provider_id is not null
    )
    insert into run_costs (run_id, provider_id, day, campaign_id, segments, millionths, unpriced)
    select n.run_id, n.provider_id, n.day, n.campaign_id, n.segments, worth.millionths, worth.unpriced
    from n, ${worth(sql)}
    where n.segments <> n.before
    order by n.run_id
    on conflict (run_id, provider_id, day) do update
      set segments = excluded.segments, millionths = excluded.millionths, unpriced = excluded.unpriced`;
}

/** After a change of a provider's prices: the costs from this day on, by the current prices. */
export async function reprice(
  sql: Sql,
  { providerId, from }: { providerId: number; from: string },
): Promise<void> {
  await sql`
    with n as (
      select c.run_id, c.provider_id, c.day, c.segments, coalesce(r.preflight -> 'countries', '[]') as countries
      from run_costs as c join runs as r on r.id = c.run_id
      where c.provider_id = ${providerId} and c.day >= ${from}::date
      order by c.run_id, c.day for no key update of c
    )
    update run_costs as c set millionths = worth.millionths, unpriced = worth.unpriced
    from n, ${worth(sql)}
    where c.run_id = n.run_id and c.provider_id = n.provider_id and c.day = n.day`;
  await sql`
    with priced as (
      select kind, provider_id, day, country, segment_price(provider_id, country, day) as price from single_costs
      where provider_id = ${providerId} and day >= ${from}::date
      order by kind, provider_id, day, country for no key update
    )
    update single_costs as c
    set millionths = coalesce(c.segments * price, 0), unpriced = case when price is null then c.segments else 0 end
    from priced as p
    where (c.kind, c.provider_id, c.day, c.country) = (p.kind, p.provider_id, p.day, p.country)`;
}

/** The segments that a run will send, or a dry run would, by country. Reads the run's messages. */
export async function segmentsToSend(sql: Sql, runId: number): Promise<SegmentsByCountry> {
  return sql<SegmentsByCountry>`
    select coalesce(calling_code(phone), '') as country, sum(segments)::int as segments from messages
    where run_id = ${runId} and (status = 'queued' or status = 'cancelled' and reason = 'dry_run') and segments > 0
    group by 1 order by 1`;
}

/** Without its currency. */
export interface Spent {
  segments: number;
  millionths: number;
  unpriced: number;
}
const nothing: Spent = { segments: 0, millionths: 0, unpriced: 0 };

const sums = (sql: Sql) => sql`
  coalesce(sum(segments), 0)::int as segments, coalesce(sum(millionths), 0)::bigint as millionths,
  coalesce(sum(unpriced), 0)::int as unpriced`;

/** What runs have cost so far, by run. */
export async function costsOfRuns(sql: Sql, runIds: readonly number[]): Promise<(id: number) => Spent> {
  const rows = await sql<(Spent & { runId: number })[]>`
    select run_id, ${sums(sql)} from run_costs where run_id = any(${[...runIds]}::bigint[]) group by run_id`;
  const known = new Map(rows.map(({ runId, ...spent }) => [runId, spent]));
  return (id) => known.get(id) ?? nothing;
}

const inMonth = (sql: Sql, month: string) => {
  const first = `${z
    .string()
    .regex(/^\d{4}-\d\d$/)
    .parse(month)}-01`;
  return sql`day >= ${first}::date and day < ${first}::date + interval '1 month'`;
};

/** What all runs and single SMS cost together. */
const everything = (sql: Sql) => sql`
  (select day, segments, millionths, unpriced from run_costs
    union all select day, segments, millionths, unpriced from single_costs) as spent`;

/** What was spent in a month, `2026-11`, on everything. */
export async function spentIn(sql: Sql, month: string): Promise<Spent> {
  const [row] = await sql<[Spent]>`select ${sums(sql)} from ${everything(sql)} where ${inMonth(sql, month)}`;
  return row;
}

/** What was spent in a month on SMS that belong to no run. */
export async function spentOnSingles(sql: Sql, month: string): Promise<{ answers: Spent; tests: Spent }> {
  const rows = await sql<(Spent & { kind: 'answer' | 'test' })[]>`
    select kind, ${sums(sql)} from single_costs where ${inMonth(sql, month)} group by kind`;
  const of = (kind: 'answer' | 'test'): Spent => {
    const row = rows.find((one) => one.kind === kind);
    if (!row) return nothing;
    const { segments, millionths, unpriced } = row;
    return { segments, millionths, unpriced };
  };
  return { answers: of('answer'), tests: of('test') };
}

/** The campaigns that cost most in a month. */
export async function spentByCampaign(
  sql: Sql,
  { month, limit }: { month: string; limit: number },
): Promise<(Spent & { id: number; name: string; budget: number | null })[]> {
  return sql<(Spent & { id: number; name: string; budget: number | null })[]>`
    select c.id, c.name, c.monthly_budget as budget, s.segments, s.millionths, s.unpriced
    from (
      select campaign_id, ${sums(sql)} from run_costs where ${inMonth(sql, month)}
      group by campaign_id order by sum(millionths) desc, campaign_id limit ${limit}
    ) as s join campaigns as c on c.id = s.campaign_id
    order by s.millionths desc, c.id`;
}

export interface BudgetRow {
  /** Null: the deployment's budget. */
  campaignId: number | null;
  campaignName: string | null;
  budget: number;
  spent: number;
}

/** The budgets that there are, with what was spent of each in the month; of campaigns, those named or all. */
export async function budgetsIn(
  sql: Sql,
  { month, campaignIds }: { month: string; campaignIds: readonly number[] | 'all' },
): Promise<BudgetRow[]> {
  const which = campaignIds === 'all' ? sql`` : sql`and id = any(${[...campaignIds]}::bigint[])`;
  return sql<BudgetRow[]>`${budgetsOf(sql, month, which)}`;
}

/** `which`: a condition on the campaigns. */
const budgetsOf = (sql: Sql, month: string, which: PendingQuery<Row[]>) => sql`
  select null::bigint as campaign_id, null as campaign_name, monthly as budget, (
    select coalesce(sum(millionths), 0)::bigint from ${everything(sql)} where ${inMonth(sql, month)}) as spent
  from deployment_budget where monthly is not null
  union all
  select id, name, monthly_budget, (
    select coalesce(sum(millionths), 0)::bigint from run_costs
    where run_costs.campaign_id = campaigns.id and ${inMonth(sql, month)})
  from campaigns
  where monthly_budget is not null ${which}`;

/**
 * What senders check each second: `free` if no budget applies to a run, `within` its budgets, or `used_up`. In the order
 * of the runs.
 */
export async function checkBudgets(
  sql: Sql,
  runIds: readonly number[],
  month: string,
): Promise<('free' | 'within' | 'used_up')[]> {
  const rows = await sql<{ id: number; isUsedUp: boolean }[]>`
    with asked as (
      select id, campaign_id from runs where id = any(${[...runIds]}::bigint[]) and beyond_budget_at is null
    ), budgets as (${budgetsOf(sql, month, sql`and id in (select campaign_id from asked)`)})
    select asked.id, bool_or(spent >= budget) as is_used_up
    from asked join budgets on budgets.campaign_id is null or budgets.campaign_id = asked.campaign_id
    group by asked.id`;
  const usedUp = new Map(rows.map(({ id, isUsedUp }) => [id, isUsedUp]));
  return runIds.map((id) => {
    const isUsedUp = usedUp.get(id);
    return isUsedUp === undefined ? 'free' : isUsedUp ? 'used_up' : 'within';
  });
}

export async function getDeploymentBudget(sql: Sql): Promise<number | null> {
  const [row] = await sql<{ monthly: number | null }[]>`select monthly from deployment_budget`;
  return row?.monthly ?? null;
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockDeploymentBudget(tx: Sql): Promise<number | null> {
  await tx`lock table deployment_budget in share row exclusive mode`;
  return getDeploymentBudget(tx);
}

export async function setDeploymentBudget(sql: Sql, monthly: number | null): Promise<void> {
  await sql`
    insert into deployment_budget (monthly) values (${monthly})
    on conflict (only_row) do update set monthly = excluded.monthly`;
}

/** From now on the run continues whatever it costs. */
export async function letBeyondBudget(sql: Sql, id: number): Promise<void> {
  await sql`
    update runs set beyond_budget_at = coalesce(beyond_budget_at, now())
    where id = ${id} and status = 'paused' and reason ->> 'code' = 'budget_used_up'`;
}
