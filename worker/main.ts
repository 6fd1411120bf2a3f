import { pathToFileURL } from 'node:url';
import { DefaultLogger, type LogLevel, NativeConnection, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../activities/index.ts';
import { createHelpdesk } from '../activities/helpdesk.ts';
import { createProviders } from '../activities/providers.ts';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { assertMigrated, SchemaError } from '../db/core/migrate.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { guardedConnect } from '../mailing/guarded-connect.ts';
import { workflowBundle } from './bundle.ts';
import { webserviceDepsOf } from '../mailing/webservice.ts';
import { createWorkflowLookup } from './lookup.ts';
import { createWorkers } from './workers.ts';

/** So many sends are in flight for one provider in one process. */
const connectionsPerProvider = 64;

const helpdeskConnectMs = 5_000;

export interface RunningWorker {
  /** Rejects when the worker fails by itself. */
  ended: Promise<void>;
  /** Stops polling, lets senders record what is in flight, closes the connections. */
  stop(): Promise<void>;
}

/** Connects and polls until stopped. Throws `SchemaError` when the database is not migrated. */
export async function startWorker(config: Config): Promise<RunningWorker> {
  const sql = connect(config.DATABASE_URL, {
    max: config.DATABASE_POOL,
    application: 'torpedo-worker',
    genericPlans: true,
  });
  try {
    await assertMigrated(sql);
    installRuntime(config);
    const [connection, bundle] = await Promise.all([
      NativeConnection.connect({
        address: config.TEMPORAL_ADDRESS,
        tls: config.TEMPORAL_TLS,
        ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
      }),
      workflowBundle(),
    ]);
    const box = createSecretBox(config.SECRET_KEYS);
    const providers = createProviders({
      sql,
      box,
      publicUrl: config.PUBLIC_URL,
      sandboxUrl: config.SANDBOX_URL,
      sendTimeoutMs: config.SEND_TIMEOUT_MS,
      connections: connectionsPerProvider,
      connect: guardedConnect(createAddressGuard(config.GATEWAY_ALLOW), {
        timeoutMs: config.SEND_TIMEOUT_MS,
      }),
    });
    const helpdesk = createHelpdesk({
      connect: guardedConnect(createAddressGuard(config.HELPDESK_ALLOW), { timeoutMs: helpdeskConnectMs }),
    });
    const workers = await createWorkers({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue,
      workflowBundle: bundle,
      activities: createActivities({
        sql,
        providers,
        clock: () => new Date(),
        isWorkflowRunning: createWorkflowLookup(connection, config.TEMPORAL_NAMESPACE),
        gracePeriodMs: config.GRACE_PERIOD_MS,
        sendersPerRun: config.SENDERS_PER_RUN,
        singleSendUpTo: config.SINGLE_SEND_UP_TO,
        phoneHash: createPhoneHashing({ sql, box }),
        replyWindowDays: config.REPLY_WINDOW_DAYS,
        box,
        helpdesk,
        webservice: webserviceDepsOf(config),
        webserviceRetryMs: config.WEBSERVICE_RETRY_MS,
        rawAnswerDays: config.RAW_ANSWER_DAYS,
      }),
    });
    const ended = workers.run();
    // Whoever stops the worker awaits `ended` again; nobody else has to.
    ended.catch(() => undefined);
    return {
      ended,
      async stop() {
        workers.shutdown();
        await ended.catch(() => undefined);
        await providers.close();
        await helpdesk.close();
        await connection.close();
        await sql.end({ timeout: 5 });
      },
    };
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

const levels: Record<Config['LOG_LEVEL'], LogLevel> = {
  fatal: 'ERROR',
  silent: 'ERROR',
  error: 'ERROR',
  warn: 'WARN',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
};
const pinoLevels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
let runtimeInstalled = false;

/** One runtime serves a process: it logs through pino, and leaves signals to us. */
function installRuntime(config: Config): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  const log = pino({ level: config.LOG_LEVEL, name: 'worker' });
  Runtime.install({
    shutdownSignals: [],
    ...(config.WORKER_METRICS_ADDRESS === undefined
      ? {}
      : { telemetryOptions: { metrics: { prometheus: { bindAddress: config.WORKER_METRICS_ADDRESS } } } }),
    logger: new DefaultLogger(levels[config.LOG_LEVEL], ({ level, message, meta }) => {
      // Every start says it of the queue that has activities only.
      if (message.startsWith('No workflows registered')) return;
      const error: unknown = meta?.error;
      log[pinoLevels[level]](
        { ...meta, ...(error === undefined ? {} : { error: undefined, err: error }) },
        message,
      );
    }),
  });
}

async function main(): Promise<void> {
  const worker = await startWorker(readConfig());
  const stop = (): void => void worker.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  await worker.ended;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error: unknown) => {
    console.error(error instanceof ConfigError || error instanceof SchemaError ? error.message : error);
    process.exit(1);
  });
}
