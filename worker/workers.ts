import type { NativeConnection } from '@temporalio/worker';
import { Worker, type WorkerOptions, type WorkflowBundle } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { reportRetries } from '../activities/retries.ts';
import type { Database } from '../db/core/client.ts';
import { sendingTaskQueue, type WorkerQueue } from '../workflows/queues.ts';
import { failuresWithoutData } from './failures.ts';
import { stepHeartbeats } from './heartbeats.ts';

export interface WorkersDeps {
  sql: Database;
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  /** Which of the deployment's queues this process polls. */
  queues: readonly WorkerQueue[];
  workflowBundle: WorkflowBundle;
  activities: Activities;
  /** How many sending activities run at once. */
  senderSlots: number;
  /** The version of the code, if Temporal manages versions: then work goes to the current build (promote.ts). */
  buildId?: string | undefined;
}

export interface Workers {
  /** Resolves after `shutdown`, when all work has ended; rejects when a worker fails, once both have ended. */
  run(): Promise<void>;
  /** Ends polling and signals activities to stop: senders claim nothing more and record their messages in flight. */
  shutdown(): void;
  /** Closes the connection. Call it when `run` has ended. */
  close(): Promise<void>;
}

const pollers = { type: 'autoscaling', minimum: 1, initial: 1, maximum: 10 } as const;

/** The workers of a process: one for workflows with their quick steps, and one for the sends, on a separate queue. */
export async function createWorkers({
  sql,
  connection,
  namespace,
  taskQueue,
  queues,
  workflowBundle,
  activities,
  senderSlots,
  buildId,
}: WorkersDeps): Promise<Workers> {
  const common = {
    connection,
    namespace,
    // Activities are notified of a shutdown at once. They then need at most a send's timeout and a write.
    shutdownGraceTime: 0,
    shutdownForceTime: '30 seconds',
    // Heartbeats return cancellations, and by default they wait for most of their timeout: a cancelled import of a
    // million lines would continue for 24 seconds.
    maxHeartbeatThrottleInterval: '1 second',
    // As few polls as the work needs: each open poll of a frozen worker takes a task with it (workflows/proxies.ts).
    workflowTaskPollerBehavior: pollers,
    activityTaskPollerBehavior: pollers,
    stickyQueueScheduleToStartTimeout: '3 seconds',
    ...(buildId === undefined
      ? {}
      : {
          workerDeploymentOptions: {
            version: { deploymentName: taskQueue, buildId },
            useWorkerVersioning: true,
            defaultVersioningBehavior: 'AUTO_UPGRADE',
          },
        }),
  } satisfies Partial<WorkerOptions>;
  const options: Record<WorkerQueue, WorkerOptions> = {
    workflows: {
      ...common,
      taskQueue,
      workflowBundle,
      activities,
      interceptors: { activity: [failuresWithoutData, stepHeartbeats, reportRetries(sql)] },
    },
    sending: {
      ...common,
      taskQueue: sendingTaskQueue(taskQueue),
      activities,
      interceptors: { activity: [failuresWithoutData, reportRetries(sql)] },
      maxConcurrentActivityTaskExecutions: senderSlots,
    },
  };
  const workers: Worker[] = [];
  for (const queue of queues) workers.push(await Worker.create(options[queue]));
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    async run() {
      const runs = workers.map((worker) => worker.run());
      try {
        await Promise.all(runs);
      } catch (error) {
        // One worker alone would take tasks for workflows that wait for the other worker.
        shutdown();
        await Promise.allSettled(runs);
        throw error;
      }
    },
    shutdown,
    close: () => connection.close(),
  };
}
