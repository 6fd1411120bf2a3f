/** The queue of all that sends: it scales by itself, and a slow provider holds up nothing else. */
export const sendingTaskQueue = (taskQueue: string): string => `${taskQueue}-sending`;
