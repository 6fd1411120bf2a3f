import type { Breakdown, Period } from '../../domain/report.ts';
import { wholeMonths } from '../../domain/report.ts';
import type { MessageStatus } from '../../domain/message.ts';
import type { Sql } from '../core/client.ts';
import { facts, figureColumns } from './days.ts';

/** Reading the kept counts. Nothing here reads messages. */

/** What a report is about; all of it where nothing is given. */
export interface ReportScope extends Period {
  campaignId?: number | undefined;
  regionId?: number | undefined;
  customerTypeId?: number | undefined;
  providerId?: number | undefined;
  /** Providers whose messages do not count. */
  without: readonly number[];
}

/** The sums of one row of a report. */
export interface FigureRow {
  queued: number;
  sent: number;
  delivered: number;
  undelivered: number;
  failed: number;
  unknown: number;
  skipped: number;
  cancelled: number;
  /** Segments that providers accepted. */
  segments: number;
  /** Segments that providers may have accepted. */
  unknownSegments: number;
  /** In millionths of the currency. */
  cost: number;
  unpricedSegments: number;
  replies: number;
  optOuts: number;
  tickets: number;
  answered: number;
  answerSeconds: number;
}

export interface ReportRow extends FigureRow {
  /** An id, a day, the first of a month, or an hour; null: none, as of runs without a region. */
  key: string | null;
  /** Of a campaign, region, customer type or provider. */
  name: string | null;
}

/** The sandboxes, which do not count as soon as there is another provider. */
export async function providersLeftOut(sql: Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from providers where sandbox and exists (select from providers where not sandbox)`;
  return rows.map(({ id }) => id);
}

/** The end of the last round of counting; null: none yet. */
export async function countedAt(sql: Sql): Promise<Date | null> {
  const [row] = await sql<[{ countedAt: Date | null }]>`select counted_at from report_state`;
  return row.countedAt;
}

/**
 * The sums for each key of a breakdown: campaigns by their messages, days and months from the newest, hours in order, the
 * others by name.
 */
export async function readReport(sql: Sql, scope: ReportScope, by: Breakdown): Promise<ReportRow[]> {
  const noun = nouns[by];
  const rows = await sql<(ReportRow & { lines: number })[]>`
    select figures.*, key::text as key, ${noun === undefined ? sql`null` : sql`named.name`} as name
    from (
      select ${keyOf(sql, by)} as key, ${sums(sql)} from ${sourceOf(sql, scope, by)} as counted group by 1
    ) as figures
    ${noun === undefined ? sql`` : sql`left join ${sql(noun)} as named on named.id = figures.key`}
    order by ${
      by === 'campaign'
        ? sql`queued + sent + delivered + undelivered + failed + unknown + cancelled desc, figures.key desc`
        : by === 'hour'
          ? sql`figures.key`
          : noun === undefined
            ? sql`figures.key desc`
            : sql`named.name nulls last`
    }`;
  return rows.map((row) => ({ ...row, key: row.key === '0' && noun !== undefined ? null : row.key }));
}

/** The campaigns that have counts, by name. */
export async function countedCampaigns(sql: Sql, limit: number): Promise<{ id: number; name: string }[]> {
  return sql<{ id: number; name: string }[]>`
    select id, name from campaigns
    where exists (select from report_months where campaign_id = campaigns.id) order by name limit ${limit}`;
}

export async function readTotal(sql: Sql, scope: ReportScope): Promise<FigureRow> {
  const [row] = await sql<[FigureRow]>`
    select ${sums(sql)} from ${sourceOf(sql, scope, 'campaign')} as counted`;
  return row;
}

export interface ReasonRow {
  status: MessageStatus;
  reason: string;
  messages: number;
}

/** Why messages failed, were not delivered, skipped or unknown; the most frequent first. */
export async function readReasons(sql: Sql, scope: ReportScope): Promise<ReasonRow[]> {
  const { from, to, campaignId } = scope;
  const source =
    campaignId === undefined
      ? sql`report_reasons`
      : sql`(
          select day, coalesce(region_id, 0) as region_id, coalesce(customer_type_id, 0) as customer_type_id,
            coalesce(c.provider_id, 0) as provider_id, c.status, c.reason, messages
          from run_hours as c join runs as r on r.id = c.run_id
          where r.campaign_id = ${campaignId} and c.reason <> '')`;
  return sql<ReasonRow[]>`
    select status, reason, sum(messages)::float8 as messages from ${source} as counted
    where day >= ${from} and day <= ${to} ${filtered(sql, { ...scope, campaignId: undefined })}
    group by 1, 2 order by messages desc, status, reason`;
}

/** The tables of the names. */
const nouns: Partial<Record<Breakdown, string>> = {
  campaign: 'campaigns',
  region: 'regions',
  customerType: 'customer_types',
  provider: 'providers',
};

const keyOf = (sql: Sql, by: Breakdown) =>
  ({
    campaign: sql`campaign_id`,
    day: sql`day`,
    month: sql`date_trunc('month', day)::date`,
    hour: sql`hour`,
    region: sql`region_id`,
    customerType: sql`customer_type_id`,
    provider: sql`provider_id`,
  })[by];

/** As floats, because sums of integers are numbers beyond what JavaScript reads as such; they are exact to 2^53. */
const sums = (sql: Sql) =>
  figureColumns
    .map((column) => sql`coalesce(sum(${sql(column)}), 0)::float8 as ${sql(column)}`)
    .reduce((all, one) => sql`${all}, ${one}`);

const filtered = (
  sql: Sql,
  { campaignId, regionId, customerTypeId, providerId, without }: Omit<ReportScope, keyof Period>,
) => sql`
  ${campaignId === undefined ? sql`` : sql`and campaign_id = ${campaignId}`}
  ${regionId === undefined ? sql`` : sql`and region_id = ${regionId}`}
  ${customerTypeId === undefined ? sql`` : sql`and customer_type_id = ${customerTypeId}`}
  ${providerId === undefined ? sql`` : sql`and provider_id = ${providerId}`}
  ${without.length === 0 ? sql`` : sql`and provider_id <> all(${[...without]}::bigint[])`}`;

/**
 * The smallest of the kept tables that has the rows: whole months are read as such. Hours of one campaign are in none, and
 * come from its runs.
 */
function sourceOf(sql: Sql, scope: ReportScope, by: Breakdown) {
  const { from, to, campaignId } = scope;
  const where = filtered(sql, scope);
  if (by === 'hour' && campaignId !== undefined) {
    const ofRuns = sql`run_id in (select id from runs where campaign_id = ${campaignId}) and day between ${from}::date and ${to}::date`;
    return sql`(
      select * from (
        select f.*, r.campaign_id, coalesce(r.region_id, 0) as region_id, coalesce(r.customer_type_id, 0) as customer_type_id
        from (${facts(sql, ofRuns)}) as f join runs as r on r.id = f.run_id
      ) as fact where true ${where})`;
  }
  if (by === 'hour' || (by === 'day' && campaignId === undefined))
    return sql`(select * from report_hours where day between ${from}::date and ${to}::date ${where})`;
  const months = by === 'day' ? null : wholeMonths(scope);
  if (months === null)
    return sql`(select * from report_days where day between ${from}::date and ${to}::date ${where})`;
  return sql`(
    select * from report_months where day >= ${months.from}::date and day < ${months.until}::date ${where}
    union all
    select * from report_days where day >= ${from}::date and day < ${months.from}::date ${where}
    union all
    select * from report_days where day >= ${months.until}::date and day <= ${to}::date ${where})`;
}
