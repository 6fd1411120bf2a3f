import { NativeConnection } from '@temporalio/worker';
import { afterAll, inject } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createWebhook } from '../../outgoing/webhook.ts';
import { createProviders } from '../../activities/providers.ts';
import type { Database } from '../../db/core/client.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import type { SecretBox } from '../../db/core/secrets.ts';
import { defaultTimezone } from '../../domain/calendar.ts';
import type { AlertTiming } from '../../domain/alert.ts';
import { workflowBundle } from '../../worker/bundle.ts';
import { createWorkflowLookup } from '../../worker/lookup.ts';
import { localWebservice } from './webservice.ts';
import { createWorkers } from '../../worker/workers.ts';
import { workerQueues } from '../../workflows/queues.ts';
import './runtime.ts';
import { localOutgoing } from './outgoing.ts';
import { connectAnywhere, localTokens } from './connect.ts';

/** Starts the real workers on the given task queue until the end of the test file. Call it outside of tests. */
export async function startWorkers({
  sql,
  box,
  taskQueue,
  publicUrl,
  sandboxUrl,
  clock = () => new Date(),
  alertTiming,
}: {
  sql: Database;
  box: SecretBox;
  taskQueue: string;
  publicUrl: string;
  sandboxUrl: string;
  clock?: () => Date;
  alertTiming?: AlertTiming;
}): Promise<void> {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const helpdesk = createWebhook({ connect: connectAnywhere });
  const providers = createProviders({
    sql,
    box,
    publicUrl,
    sandboxUrl,
    sendTimeoutMs: 2_000,
    connections: 50,
    connect: connectAnywhere,
    tokens: localTokens,
  });
  const workers = await createWorkers({
    sql,
    connection,
    namespace: 'default',
    taskQueue,
    queues: workerQueues,
    workflowBundle: await workflowBundle(),
    senderSlots: 50,
    activities: createActivities({
      sql,
      bulkSql: sql,
      providers,
      clock,
      isWorkflowRunning: createWorkflowLookup(connection, 'default'),
      gracePeriodMs: 3_600_000,
      sendersPerRun: 1,
      senderSlots: 50,
      singleSendUpTo: 20,
      phoneHash: createPhoneHashing({ sql, box }),
      replyWindowDays: 30,
      box,
      helpdesk,
      outgoing: localOutgoing,
      publicUrl,
      webservice: localWebservice,
      webserviceRetryMs: 1_000,
      rawAnswerDays: 30,
      timezone: defaultTimezone,
      ...(alertTiming === undefined ? {} : { alertTiming }),
    }),
  });
  const ended = workers.run();
  afterAll(async () => {
    workers.shutdown();
    await ended;
    await providers.close();
    await helpdesk.close();
    await connection.close();
  });
}
