import { Client, type Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { Database } from '../db/core/client.ts';
import { beginRestore, type RestoreRow } from '../db/runs/restores.ts';

export interface EndedRestore extends RestoreRow {
  endedWorkflows: number;
}

/** How far the server's visibility may lag behind. */
const rounds = 3;

/**
 * Makes a restored database safe to start on. First terminates all workflows, because their state is newer than the
 * database: the API starts those of enabled campaigns again. Then stops in the database what may have been done after
 * the backup. API and workers must not run. Safe to repeat if it was interrupted.
 */
export async function stopAfterRestore(
  sql: Database,
  { connection, namespace, taskQueue }: { connection: Connection; namespace: string; taskQueue: string },
): Promise<EndedRestore> {
  const { workflow } = new Client({ connection, namespace });
  const ended = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const query = `ExecutionStatus = 'Running' and TaskQueue = '${taskQueue}'`;
    for await (const { workflowId, runId } of workflow.list({ query })) {
      if (ended.has(runId)) continue;
      ended.add(runId);
      try {
        await workflow.getHandle(workflowId, runId).terminate('The database was restored from a backup.');
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    }
  }
  const restore = await sql.begin((tx) => beginRestore(tx));
  return { ...restore, endedWorkflows: ended.size };
}

/** As text, for an operator at a terminal. */
export const describeRestore = ({ backupAt, stoppedRuns, endedWorkflows }: EndedRestore): string =>
  [
    `The database was restored from a backup of ${backupAt.toISOString()}.`,
    `Stopped ${stoppedRuns} runs and ended ${endedWorkflows} workflows: what ran after the backup does not run again automatically.`,
    'API and workers query the providers for what happened since. The console shows the decisions that remain.',
  ].join('\n');
