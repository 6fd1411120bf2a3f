import type { Database } from '../db/core/client.ts';
import { benchPages, type PagesResult } from './pages.ts';

/**
 * Measures the reports page for a year of 100 million messages: 500 campaigns that run every day through three providers.
 * Only the stored counts are filled, because the page reads nothing else.
 */
export const benchReports = ({ rounds }: { rounds?: number | undefined } = {}): Promise<PagesResult> =>
  benchPages({
    rounds,
    only: '/reports',
    amounts: {
      messages: 20_000,
      largestRun: 1_000,
      runs: 1_000,
      campaigns,
      customers: 1_000,
      tickets: 100,
      replies: 100,
      events: 100,
      optOuts: 100,
      auditEntries: 100,
    },
    fill: fillYear,
  });

const campaigns = 500;
const messagesPerRow = 182;

async function fillYear(sql: Database): Promise<void> {
  await sql`truncate report_days, report_months, report_hours, report_reasons`;
  await sql`
    insert into report_days
    select day::date, campaign, 1 + campaign % 5, 1 + campaign % 4, provider, 0, 8, 150, 8, 6, 1, 9, 0, 166, 1, 166 * 85000, 0,
      4, 1, 2, 1, 900
    from generate_series(current_date - 364, current_date, interval '1 day') as day,
      (select id as campaign from campaigns order by id limit ${campaigns}) as c, generate_series(1, 3) as provider
    order by 1`;
  const figures = `sum(queued), sum(sent), sum(delivered), sum(undelivered), sum(failed), sum(unknown), sum(skipped), sum(cancelled),
    sum(segments), sum(unknown_segments), sum(cost), sum(unpriced_segments), sum(replies), sum(opt_outs), sum(tickets), sum(answered), sum(answer_seconds)`;
  await sql.unsafe(`
    insert into report_months
    select date_trunc('month', day)::date, campaign_id, region_id, customer_type_id, provider_id, ${figures}
    from report_days group by 1, 2, 3, 4, 5 order by 1`);
  // Each day's messages spread over ten hours.
  await sql.unsafe(`
    insert into report_hours
    select day, hour, region_id, customer_type_id, provider_id, ${figures.replaceAll(/sum\((\w+)\)/g, 'sum($1) / 10')}
    from report_days, generate_series(8, 17) as hour group by 1, 2, 3, 4, 5 order by 1`);
  await sql`
    insert into report_reasons
    select day, region_id, customer_type_id, provider_id, status, reason, count(*)
    from report_days, (values ('failed', 'number_invalid'), ('failed', 'content_refused'), ('undelivered', 'not_delivered'),
      ('undelivered', 'carrier_filtered'), ('undelivered', 'expired_at_carrier'), ('skipped', 'phone_invalid'),
      ('skipped', 'duplicate_phone'), ('skipped', 'opted_out'), ('unknown', 'no_answer')) as r (status, reason)
    group by 1, 2, 3, 4, 5, 6 order by 1`;
  // The hours of a single campaign are read from its runs.
  await sql`
    with made as (
      insert into runs (campaign_id, occurrence, trigger, status, step, settings, provider_id, mailing_at)
      select (select min(id) from campaigns), day, 'schedule', 'finished', 'done', (select settings from runs limit 1), 1, day
      from generate_series(now() - interval '364 days', now(), interval '1 day') as day
      on conflict do nothing
      returning id, occurrence
    )
    insert into run_hours
    select id, occurrence::date, hour, 1, '55', status, reason, ${messagesPerRow}, ${messagesPerRow}
    from made, generate_series(9, 12) as hour, (values ('delivered', ''), ('sent', ''), ('failed', 'number_invalid'),
      ('undelivered', 'carrier_filtered'), ('skipped', 'phone_invalid')) as r (status, reason)`;
  await sql`vacuum analyze`;
}
