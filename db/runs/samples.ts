import type { Sql } from '../core/client.ts';

/** The progress of a run at one time. */
export interface RunSample {
  at: Date;
  /** Handed to the provider, with any outcome. */
  messages: number;
  /** Of these, failed or undelivered by then. */
  failed: number;
}

/** Shorter than a sender's interval of one second, so that no sample is dropped for being early. */
const shortest = '0.9 seconds';
/** A new sample after this fraction of the elapsed sending time: each doubling of it adds about 140 samples. */
const part = 200;

/** Records the progress of a run, unless the last sample is too recent. `always`: even then, at a start or an end. */
export async function sampleRun(sql: Sql, runId: number, { always = false } = {}): Promise<void> {
  await sampleRuns(sql, [runId], { always });
}

export async function sampleRuns(
  sql: Sql,
  runIds: readonly number[],
  { always = false } = {},
): Promise<void> {
  await sql`
    insert into run_samples (run_id, at, messages, failed)
    select id, now(), counted.messages, counted.failed
    from runs, lateral (
      select coalesce(sum(messages) filter (where c.status not in ('queued', 'sending', 'skipped', 'cancelled')), 0) as messages,
        coalesce(sum(messages) filter (where c.status in ('failed', 'undelivered')), 0) as failed
      from run_counts as c where c.run_id = runs.id
    ) as counted
    where id = any(${[...runIds]}::bigint[]) ${
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
