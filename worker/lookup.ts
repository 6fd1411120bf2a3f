import { Client, WorkflowNotFoundError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';

/** Asks Temporal, over the worker's own connection, whether a workflow of this id runs. */
export function createWorkflowLookup(
  connection: NativeConnection,
  namespace: string,
): (workflowId: string) => Promise<boolean> {
  const { workflow } = new Client({ connection, namespace });
  return async (workflowId) => {
    try {
      const { status } = await workflow.getHandle(workflowId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };
}
