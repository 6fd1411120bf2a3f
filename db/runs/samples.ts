import type { Sql } from '../core/client.ts';

/** How far a run was at a moment of its sending. */
export interface RunSample {
  at: Date;
  /** Handed to the provider, whatever became of them. */
  messages: number;
  /** Of these failed or undelivered by then. */
  failed: number;
}

/** Shorter than the second between two looks of a sender, so that none is left out for coming early. */
const shortest = '0.9 seconds';
/** A sample after so large a part of the time that the sending has taken: each doubling of it costs some 140. */
const part = 200;

/**
 * Keeps how far the run is, unless the last sample is too young. `always`: even then, where something has begun or ended.
 */
export async function sampleRun(sql: Sql, runId: number, { always = false } = {}): Promise<void> {
  await sql`
    insert into run_samples (run_id, at, messages, failed)
    select id, now(), counted.messages, counted.failed
    from runs, lateral (
      select coalesce(sum(messages) filter (where c.status not in ('queued', 'sending', 'skipped', 'cancelled')), 0) as messages,
        coalesce(sum(messages) filter (where c.status in ('failed', 'undelivered')), 0) as failed
      from run_counts as c where c.run_id = runs.id
    ) as counted
    where id = ${runId} ${
      always
        ? sql``
        : sql`and not exists (
          select from run_samples as s where s.run_id = runs.id
            and s.at > now() - greatest(${shortest}::interval, (now() - sending_at) / ${part}))`
    }
    on conflict (run_id, at) do nothing`;
}

/** Oldest first. */
export async function listRunSamples(sql: Sql, runId: number): Promise<RunSample[]> {
  return sql<RunSample[]>`select at, messages, failed from run_samples where run_id = ${runId} order by at`;
}
