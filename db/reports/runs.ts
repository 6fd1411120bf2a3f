import type { RunStatus, RunTrigger } from '../../domain/run.ts';
import type { Sql } from '../core/client.ts';
import type { FigureRow } from './report.ts';

export interface RunFiguresRow extends FigureRow {
  id: number;
  occurrence: Date;
  trigger: RunTrigger;
  status: RunStatus;
  /** Of `segments`, those that were counted for `cost`. */
  countedSegments: number;
  /** From the first message to the end of the run, or until now. */
  sendingMs: number;
}

/**
 * The last runs of a campaign that have begun to send, newest first; without dry runs. Messages are as `run_counts` has
 * them now; replies, tickets and costs as they were last counted.
 */
export async function lastRunFigures(sql: Sql, campaignId: number, limit: number): Promise<RunFiguresRow[]> {
  const messages = (status: string) =>
    sql`coalesce(sum(messages) filter (where status = ${status}), 0)::float8 as ${sql(status)}`;
  return sql<RunFiguresRow[]>`
    select last.*, counted.*, responded.*, sold.*
    from (
      select id, occurrence, trigger, status,
        (extract(epoch from coalesce(finished_at, now()) - sending_at) * 1000)::float8 as sending_ms
      from runs where campaign_id = ${campaignId} and trigger <> 'dry_run' and sending_at is not null
      order by occurrence desc limit ${limit}
    ) as last, lateral (
      select ${messages('queued')}, ${messages('sent')}, ${messages('delivered')}, ${messages('undelivered')},
        ${messages('failed')}, ${messages('unknown')}, ${messages('skipped')}, ${messages('cancelled')},
        coalesce(sum(segments) filter (where status in ('sent', 'delivered', 'undelivered')), 0)::float8 as segments,
        coalesce(sum(segments) filter (where status = 'unknown'), 0)::float8 as unknown_segments
      from run_counts where run_id = last.id
    ) as counted, lateral (
      select coalesce(sum(replies), 0)::float8 as replies, coalesce(sum(opt_outs), 0)::float8 as opt_outs,
        coalesce(sum(tickets), 0)::float8 as tickets, coalesce(sum(answered), 0)::float8 as answered,
        coalesce(sum(answer_seconds), 0)::float8 as answer_seconds
      from run_responses where run_id = last.id
    ) as responded, lateral (
      select coalesce(sum(segments * price), 0)::float8 as cost, coalesce(sum(segments), 0)::float8 as counted_segments,
        coalesce(sum(segments) filter (where price is null), 0)::float8 as unpriced_segments
      from (
        select segments, segment_price(provider_id, country, day) as price from run_hours
        where run_id = last.id and status in ('sent', 'delivered', 'undelivered')
      ) as part
    ) as sold
    order by last.occurrence desc`;
}
