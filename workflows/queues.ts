/** The queue of all that sends: it scales by itself, and a slow provider holds up nothing else. */
export const sendingTaskQueue = (taskQueue: string): string => `${taskQueue}-sending`;

/** What a worker process polls: the queue of workflows and their quick steps, that of the sends, or both. */
export const workerQueues = ['workflows', 'sending'] as const;
export type WorkerQueue = (typeof workerQueues)[number];

/**
 * A worker that is frozen has polls open at the server, which still receive tasks. A task of a workflow that it got goes to
 * another worker after this time; Temporal's own is 10 seconds. Give it to every workflow that is started.
 */
export const workflowTaskTimeout = '5 seconds';
