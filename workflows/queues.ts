/** The queue of all sends: it scales separately, and a slow provider delays nothing else. */
export const sendingTaskQueue = (taskQueue: string): string => `${taskQueue}-sending`;

/** The queues that a worker process polls: that of workflows and their quick steps, that of the sends, or both. */
export const workerQueues = ['workflows', 'sending'] as const;
export type WorkerQueue = (typeof workerQueues)[number];

/**
 * A frozen worker has polls open at the server, which still receive tasks. A workflow task that it received goes to
 * another worker after this time; Temporal's default is 10 seconds. Set it for every workflow that is started.
 */
export const workflowTaskTimeout = '5 seconds';
