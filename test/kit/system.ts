import { randomBytes, randomInt } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, inject } from 'vitest';
import { type Activities, createActivities } from '../../activities/index.ts';
import { createWebhook } from '../../outgoing/webhook.ts';
import type { AlertTiming } from '../../domain/alert.ts';
import { createProviders } from '../../activities/providers.ts';
import { createTemporal } from '../../api/services/temporal.ts';
import { connect } from '../../db/core/client.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { createSecretBox } from '../../db/core/secrets.ts';
import { defaultTimezone } from '../../domain/calendar.ts';
import { taskQueue as deploymentQueue } from '../../domain/ids.ts';
import { workflowBundle } from '../../worker/bundle.ts';
import { createWorkflowLookup } from '../../worker/lookup.ts';
import { localWebservice } from './webservice.ts';
import { createWorkers } from '../../worker/workers.ts';
import { type WorkerQueue, workerQueues } from '../../workflows/queues.ts';
import './runtime.ts';
import { createDatabase } from './database.ts';
import { createGateway } from './gateway.ts';
import { localOutgoing } from './outgoing.ts';
import { connectAnywhere, localTokens } from './connect.ts';

export interface SystemOptions {
  gracePeriodMs?: number;
  sendersPerRun?: number;
  /** The sender slots of each worker. */
  senderSlots?: number;
  singleSendUpTo?: number;
  singleSendAttempts?: number;
  failOverAttempts?: number;
  probeDelaysMs?: readonly number[];
  /** How long a failing web service is retried. */
  webserviceRetryMs?: number;
  sendTimeoutMs?: number;
  /** Starts no workers: the test starts `worker/main.ts`, which polls the task queue of a deployment. */
  asProcess?: boolean;
  /** The queues that the first workers poll. */
  queues?: readonly WorkerQueue[];
  /** The build id of the first workers. */
  buildId?: string;
  /** The address to which the gateway posts its receipts. */
  publicUrl?: string;
  alertTiming?: AlertTiming;
  /** Activities that replace the real ones, to delay them or to make them fail. */
  replaceActivities?: (real: Activities) => Partial<Activities>;
}

/** A run with at most this many lines sends one by one. */
export const singleSendUpTo = 5;

/** The application name of the workers' database connections. */
export const workerApplication = 'torpedo-worker';

/**
 * Workers with their own database, task queue and gateway for one test file. Tests can set the clock of the activities,
 * but not those of the database and Temporal. Call it at the top of the file.
 */
export async function createSystem(options: SystemOptions = {}) {
  const database = await createDatabase();
  const { url: databaseUrl, sql } = database;
  // All test files share a Temporal server, and workflow ids are built from these ids.
  for (const sequence of ['campaigns_id_seq', 'inbound_messages_id_seq', 'tickets_id_seq'])
    await sql`select setval(${sequence}, ${randomInt(1_000_000_000)})`;
  // As in worker/main.ts.
  const asWorker = { application: workerApplication, genericPlans: true };
  const workerSql = connect(databaseUrl, { ...asWorker, purpose: 'step' });
  const bulkSql = connect(databaseUrl, { ...asWorker, purpose: 'bulk' });
  const gateway = await createGateway();
  const key = randomBytes(32);
  const box = createSecretBox([{ id: 'test', key }]);
  const taskQueue = options.asProcess ? deploymentQueue : `test-${randomBytes(6).toString('hex')}`;
  const address = inject('temporalAddress');
  const connection = await Connection.connect({ address });
  const temporal = createTemporal({
    address,
    namespace: 'default',
    tls: false,
    taskQueue,
    uiUrl: null,
    timeoutMs: 20_000,
  });
  const helpdesk = createWebhook({ connect: connectAnywhere });
  const providers = createProviders({
    sql: workerSql,
    box,
    publicUrl: options.publicUrl ?? 'http://127.0.0.1:1',
    sandboxUrl: gateway.url,
    sendTimeoutMs: options.sendTimeoutMs ?? 5_000,
    connections: 64,
    connect: connectAnywhere,
    tokens: localTokens,
  });
  const senderSlots = options.senderSlots ?? 50;
  const clock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) };

  const realActivities = async (): Promise<Activities> =>
    createActivities({
      sql: workerSql,
      bulkSql,
      providers,
      clock: clock.now,
      isWorkflowRunning: createWorkflowLookup(await workerConnection, 'default'),
      gracePeriodMs: options.gracePeriodMs ?? 60_000,
      sendersPerRun: options.sendersPerRun ?? 1,
      senderSlots,
      singleSendUpTo: options.singleSendUpTo ?? singleSendUpTo,
      phoneHash: createPhoneHashing({ sql: workerSql, box }),
      replyWindowDays: 30,
      box,
      helpdesk,
      outgoing: localOutgoing,
      publicUrl: options.publicUrl ?? 'https://torpedo.example',
      webservice: localWebservice,
      webserviceRetryMs: options.webserviceRetryMs ?? 1_000,
      rawAnswerDays: 30,
      timezone: defaultTimezone,
      ...(options.alertTiming === undefined ? {} : { alertTiming: options.alertTiming }),
      ...(options.singleSendAttempts === undefined ? {} : { singleSendAttempts: options.singleSendAttempts }),
      ...(options.failOverAttempts === undefined ? {} : { failOverAttempts: options.failOverAttempts }),
      ...(options.probeDelaysMs === undefined ? {} : { probeDelaysMs: options.probeDelaysMs }),
    });
  const startWorkers = async (queues: readonly WorkerQueue[], buildId?: string) => {
    const activities = await realActivities();
    const workers = await createWorkers({
      sql: workerSql,
      connection: await workerConnection,
      namespace: 'default',
      taskQueue,
      queues,
      workflowBundle: await workflowBundle(),
      senderSlots,
      activities: { ...activities, ...options.replaceActivities?.(activities) },
      buildId,
    });
    const ended = workers.run();
    return async (): Promise<void> => {
      workers.shutdown();
      await ended;
    };
  };
  const workerConnection = NativeConnection.connect({ address });
  let stopWorkers = options.asProcess
    ? async (): Promise<void> => undefined
    : await startWorkers(options.queues ?? workerQueues, options.buildId);

  afterAll(async () => {
    await stopWorkers();
    await providers.close();
    await helpdesk.close();
    await temporal.close();
    await connection.close();
    await (await workerConnection).close();
    await workerSql.end({ timeout: 5 });
    await database.drop();
  });
  return {
    databaseUrl,
    sql,
    box,
    secretKeys: `test:${key.toString('base64')}`,
    gateway,
    temporal,
    client: new Client({ connection }),
    taskQueue,
    clock,
    /** After `stop` no worker polls the task queue until `start`. */
    workers: {
      stop: () => stopWorkers(),
      async start(queues: readonly WorkerQueue[] = workerQueues): Promise<void> {
        const stopBefore = stopWorkers;
        const stop = await startWorkers(queues);
        stopWorkers = async () => {
          await Promise.all([stopBefore(), stop()]);
        };
      },
      /** Starts workers of another build. Resolves with a function that stops the earlier workers. */
      async startBuild(
        buildId: string,
        queues: readonly WorkerQueue[] = workerQueues,
      ): Promise<() => Promise<void>> {
        const stopBefore = stopWorkers;
        const stop = await startWorkers(queues, buildId);
        stopWorkers = stop;
        return stopBefore;
      },
    },
  };
}
export type System = Awaited<ReturnType<typeof createSystem>>;
