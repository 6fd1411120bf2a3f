import { WorkflowNotFoundError } from '@temporalio/client';
import { runWorkflowId } from '../../domain/ids.ts';
import type { Run } from './factories.ts';
import type { System } from './system.ts';
import { until } from './until.ts';

/** What tests ask about a run, beyond its row. */
export const createRunProbe = ({ sql, client, gateway }: System) => {
  const workflowOf = (run: Run) => client.workflow.getHandle(runWorkflowId(run));
  return {
    workflowOf,
    /** What its workflow returns; rejects when it fails. */
    ended: async (run: Run): Promise<unknown> => {
      // The row is there a moment earlier.
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

    /** Messages of a status by the kept counts: what is being sent counts as queued. */
    countOf: async (runId: number, status: string): Promise<number> => {
      const [row] = await sql<[{ n: number }]>`
        select coalesce(sum(messages), 0)::int as n from run_counts where run_id = ${runId} and status = ${status}`;
      return row.n;
    },

    /** Whom the gateway has been asked to write to for this run, in the order in which it took them. */
    writtenTo: async (run: Run): Promise<string[]> => {
      const ids = await sql<{ id: number }[]>`select id from messages where run_id = ${run.id}`;
      const references = new Set(ids.map(({ id }) => String(id)));
      return (await gateway.taken())
        .filter(({ reference }) => reference !== null && references.has(reference))
        .map(({ to }) => to);
    },
  };
};
