import { WorkflowNotFoundError } from '@temporalio/client';
import { runWorkflowId } from '../../domain/ids.ts';
import type { Run } from './factories.ts';
import type { System } from './system.ts';
import { until } from './until.ts';

/** Reads the state of a run beyond its row. */
export const createRunProbe = ({ sql, client, gateway }: System) => {
  const workflowOf = (run: Run) => client.workflow.getHandle(runWorkflowId(run));
  return {
    workflowOf,
    /** Resolves with the result of its workflow, and rejects when the workflow fails. */
    ended: async (run: Run): Promise<unknown> => {
      // The row exists a moment before the workflow.
      await until('its workflow has started', () =>
        workflowOf(run)
          .describe()
          .catch((error: unknown) => {
            if (error instanceof WorkflowNotFoundError) return null;
            throw error;
          }),
      );
      return workflowOf(run).result();
    },

    /** The number of messages of a status by the stored counts. Messages in status `sending` count as queued. */
    countOf: async (runId: number, status: string): Promise<number> => {
      const [row] = await sql<[{ n: number }]>`
        select coalesce(sum(messages), 0)::int as n from run_counts where run_id = ${runId} and status = ${status}`;
      return row.n;
    },

    /** The phones to which the gateway accepted messages of this run, in order. */
    writtenTo: async (run: Run): Promise<string[]> => {
      const ids = await sql<{ id: number }[]>`select id from messages where run_id = ${run.id}`;
      const references = new Set(ids.map(({ id }) => String(id)));
      return (await gateway.taken())
        .filter(({ reference }) => reference !== null && references.has(reference))
        .map(({ to }) => to);
    },
  };
};
