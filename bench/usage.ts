import type { Database } from '../db/core/client.ts';
import { rounded } from './numbers.ts';
import { cpuMicros, cpuMicrosOf, type Process } from './processes.ts';

/** The cost of the system: CPU time of its processes in ms, and committed transactions. */
export interface Usage {
  workersMs: number;
  temporalMs: number;
  /** For Torpedo and Temporal together. */
  postgresMs: number;
  torpedoTransactions: number;
  temporalTransactions: number;
}

/** Reads the system's cost so far. */
export function createUsage({
  sql,
  postgresPid,
  temporalPid,
  workers,
}: {
  sql: Database;
  postgresPid: number;
  temporalPid: number;
  workers: readonly Process[];
}) {
  return {
    async now(): Promise<Usage> {
      const micros = await Promise.all(workers.map(({ child }) => cpuMicros(child)));
      const rows = await sql<{ temporal: boolean; count: number }[]>`
        select datname like 'temporal%' as temporal, sum(xact_commit)::bigint as count from pg_stat_database
        where datname is not null group by 1`;
      const transactions = (temporal: boolean): number =>
        rows.find((row) => row.temporal === temporal)?.count ?? 0;
      return {
        workersMs: micros.reduce((sum, one) => sum + one, 0) / 1000,
        temporalMs: (await cpuMicrosOf(temporalPid)) / 1000,
        postgresMs: (await cpuMicrosOf(postgresPid)) / 1000,
        torpedoTransactions: transactions(false),
        temporalTransactions: transactions(true),
      };
    },

    /** The cost of each of `count` operations between two readings. `without`: a cost that is subtracted `times` times. */
    each(before: Usage, after: Usage, count: number, without?: { of: Usage; times: number }): Usage {
      const one = (key: keyof Usage): number => {
        const other = without === undefined ? 0 : without.of[key] * without.times;
        return rounded((after[key] - before[key] - other) / count, 3);
      };
      return {
        workersMs: one('workersMs'),
        temporalMs: one('temporalMs'),
        postgresMs: one('postgresMs'),
        torpedoTransactions: one('torpedoTransactions'),
        temporalTransactions: one('temporalTransactions'),
      };
    },
  };
}
