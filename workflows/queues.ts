/** The queue of all that sends: it scales by itself, and a slow provider holds up nothing else. */
export const sendingTaskQueue = (taskQueue: string): string => `${taskQueue}-sending`;

/** What a worker process polls: the queue of workflows and their quick steps, that of the sends, or both. */
export const workerQueues = ['workflows', 'sending'] as const;
export type WorkerQueue = (typeof workerQueues)[number];
