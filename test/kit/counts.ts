import { expect } from 'vitest';
import type { Database } from '../../db/core/client.ts';
import { runCounts } from '../../db/runs/runs.ts';

/**
 * Returns the stored counts of a run as `status` or `status: reason` → messages, and expects them to match its rows.
 * Messages in status `sending` count as queued.
 */
export async function expectCountsToMatchRows(sql: Database, runId: number): Promise<Record<string, number>> {
  // One snapshot, so that no row changes between the two reads.
  const [counts, counted] = await sql.begin('isolation level repeatable read', async (tx) => [
    await runCounts(tx, runId),
    await tx<{ status: string; reason: string; messages: number; segments: number }[]>`
      select case status when 'sending' then 'queued' else status end as status, coalesce(reason, '') as reason, count(*)::int as messages, sum(segments)::int as segments
      from messages where run_id = ${runId} group by 1, 2`,
  ]);
  const kept = counts.map(({ status, reason, messages, segments }) => ({
    status,
    reason,
    messages,
    segments,
  }));
  const sorted = <T extends { status: string; reason: string }>(rows: readonly T[]) =>
    rows.toSorted((a, b) => (`${a.status}/${a.reason}` < `${b.status}/${b.reason}` ? -1 : 1));
  expect(sorted(kept)).toEqual(sorted([...counted]));
  return Object.fromEntries(
    kept.map(({ status, reason, messages }) => [reason === '' ? status : `${status}: ${reason}`, messages]),
  );
}
