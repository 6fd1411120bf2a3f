import { Client, type ConnectionLike, WorkflowNotFoundError } from '@temporalio/client';

/** Asks Temporal whether a workflow with this id is running. */
export function createWorkflowLookup(
  connection: ConnectionLike,
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
