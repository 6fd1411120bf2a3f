import { z } from 'zod';
import type { Database } from '../../db/core/client.ts';

export interface Statement {
  text: string;
  parameters: unknown[];
}

/** Calls `onStatement` with each statement that the pool sends to PostgreSQL from now on. */
export function watchStatements(sql: Database, onStatement: (statement: Statement) => void): void {
  sql.options.debug = (_, text, parameters) =>
    onStatement({ text, parameters: [...(parameters as unknown[])] });
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string | undefined;
  'Plan Rows': number;
  'Actual Rows'?: number | undefined;
  'Actual Loops'?: number | undefined;
  'Rows Removed by Filter'?: number | undefined;
  'Rows Removed by Index Recheck'?: number | undefined;
  Plans?: Plan[] | undefined;
}
const plan: z.ZodType<Plan> = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Plan Rows': z.number(),
  'Actual Rows': z.number().optional(),
  'Actual Loops': z.number().optional(),
  'Rows Removed by Filter': z.number().optional(),
  'Rows Removed by Index Recheck': z.number().optional(),
  Plans: z.array(z.lazy(() => plan)).optional(),
});
const explained = z.tuple([z.looseObject({ Plan: plan })]);

/** How one node of a plan reads a table. */
export interface Read {
  table: string;
  /** `Seq Scan`, `Index Scan`, … */
  by: string;
  /** The number of rows read, or the expected number when the statement was not executed. */
  rows: number;
}

/** Returns the table reads of a plan from `explain (format json)`, with or without `analyze`. */
export function readsIn(answer: unknown): Read[] {
  const [{ Plan: root }] = explained.parse(answer);
  const reads: Read[] = [];
  const walk = (node: Plan): void => {
    const table = node['Relation Name'];
    if (table !== undefined) {
      const found = node['Actual Rows'] ?? node['Plan Rows'];
      const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      reads.push({ table, by: node['Node Type'], rows: (found + removed) * (node['Actual Loops'] ?? 1) });
    }
    for (const child of node.Plans ?? []) walk(child);
  };
  walk(root);
  return reads;
}

const reading = /^\s*(select|with)\b/i;

/** Explains a statement with its parameters. Executes it only when it is read-only. */
export async function explain(sql: Database, { text, parameters }: Statement): Promise<Read[]> {
  const options = reading.test(text) ? 'analyze, timing off, format json' : 'format json';
  const rows = await sql.begin('read only', (tx) =>
    // postgres.js accepted these parameters before.
    tx.unsafe<Record<string, unknown>[]>(`explain (${options}) ${text}`, parameters as string[]),
  );
  return readsIn(Object.values(rows[0] ?? {})[0]);
}

/** Whether a statement has a plan and is not one of the driver. */
export const hasPlan = ({ text }: Statement): boolean =>
  /^\s*(select|with|insert|update|delete)\b/i.test(text);
