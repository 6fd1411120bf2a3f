import type { Sql } from '../core/client.ts';

/** What users decide about a run, as in the audit log: `run.pause`. */
const decisions = ['pause', 'cancel', 'approve'] as const;
export type Decision = (typeof decisions)[number];

/** Who decided it last, and when. */
export interface Decided {
  name: string;
  at: Date;
}

/** The last decision of each kind about each of the runs. A run whose audit entries have been deleted has none. */
export async function decisionsOf(
  sql: Sql,
  runIds: readonly number[],
): Promise<(runId: number, decision: Decision) => Decided | null> {
  const rows =
    runIds.length === 0
      ? []
      : await sql<{ subjectId: number; action: string; actorName: string; at: Date }[]>`
    select distinct on (subject_id, action) subject_id, action, actor_name, at from audit_log
    where subject_kind = 'run' and subject_id = any(${[...runIds]}::bigint[])
      and action = any(${decisions.map((one) => `run.${one}`)}::text[])
    order by subject_id, action, id desc`;
  const found = new Map(rows.map((row) => [`${row.subjectId} ${row.action}`, row]));
  return (runId, decision) => {
    const row = found.get(`${runId} run.${decision}`);
    return row ? { name: row.actorName, at: row.at } : null;
  };
}
