import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { DefaultLogger, type LogLevel, NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities/index.ts';
import { createProviders } from '../activities/providers.ts';
import { type Config, readConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { followDatabaseClock } from '../db/core/clock.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { resealAtStart } from '../db/core/reseal.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { mostInFlight } from '../domain/provider.ts';
import { databaseProbe, whenDatabaseIsThere } from '../health/database.ts';
import { createLog } from '../health/log.ts';
import { serverLabels } from '../health/readiness.ts';
import { endRestored, runProcess, type StartOptions } from '../health/start.ts';
import { connectLazily, temporalProbe } from '../health/temporal.ts';
import { createServerWatch, whenReachable } from '../health/watch.ts';
import { createAccessTokens } from '../mailing/access-tokens.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { guardedConnect } from '../mailing/guarded-connect.ts';
import { createOutgoing } from '../outgoing/index.ts';
import { createWebhook } from '../outgoing/webhook.ts';
import { workflowBundle } from './bundle.ts';
import { webserviceDepsOf } from '../mailing/webservice.ts';
import { listenForHealthChecks } from './health.ts';
import { keepWorking } from './keep-working.ts';
import { createWorkflowLookup } from './lookup.ts';
import { promoteBuild } from './promote.ts';
import { createWorkers } from './workers.ts';

const helpdeskConnectMs = 5_000;

export interface RunningWorker {
  /** The address of its health checks; null: none requested. */
  healthUrl: string | null;
  /** Stops polling, lets senders record their messages in flight, closes the connections. */
  stop(): Promise<void>;
}

/**
 * Waits for the database and for Temporal, then polls until stopped. Throws `DatabaseSetupError` if the database has
 * another version's schema, and the signal's reason if that aborts before it polls.
 */
export async function startWorker(
  config: Config,
  { signal, onRestored = endRestored }: StartOptions = {},
): Promise<RunningWorker> {
  const log = installRuntime(config);
  const server = {
    address: config.TEMPORAL_ADDRESS,
    tls: config.TEMPORAL_TLS,
    ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
  };
  const sql = connect(config.DATABASE_URL, {
    max: config.DATABASE_POOL,
    application: 'torpedo-worker',
    purpose: 'step',
    genericPlans: true,
  });
  const bulkSql = connect(config.DATABASE_URL, {
    max: Math.max(2, Math.ceil(config.DATABASE_POOL / 2)),
    application: 'torpedo-worker',
    purpose: 'bulk',
    genericPlans: true,
  });
  const healthSql = connect(config.DATABASE_URL, { max: 1, application: 'torpedo-health', purpose: 'check' });
  // Not the workers' own connections, which end with them.
  const temporal = connectLazily(server);
  const watch = createServerWatch({
    probes: {
      database: databaseProbe(healthSql, onRestored),
      temporal: temporalProbe(temporal.connection, config.TEMPORAL_NAMESPACE),
    },
    labels: serverLabels,
    log,
  });
  const stops: (() => unknown)[] = [
    () => healthSql.end({ timeout: 1 }),
    () => bulkSql.end({ timeout: 5 }),
    () => sql.end({ timeout: 5 }),
    () => temporal.close(),
    () => watch.close(),
  ];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    let isPolling = (): boolean => false;
    const health =
      config.WORKER_HEALTH_ADDRESS === undefined
        ? null
        : await listenForHealthChecks({
            ...config.WORKER_HEALTH_ADDRESS,
            watch,
            isPolling: () => isPolling(),
          });
    if (health) stops.push(() => health.close());
    watch.start();
    const bundling = workflowBundle();
    // Awaited below, after the database.
    bundling.catch(() => undefined);
    const box = createSecretBox(config.SECRET_KEYS);
    const clock = await whenDatabaseIsThere(
      sql,
      async () => {
        await resealAtStart(sql, box, log);
        return followDatabaseClock({ sql, log });
      },
      signal,
    );
    stops.push(() => clock.stop());
    const bundle = await bundling;

    const providers = createProviders({
      sql,
      box,
      publicUrl: config.PUBLIC_URL,
      sandboxUrl: config.SANDBOX_URL,
      sendTimeoutMs: config.SEND_TIMEOUT_MS,
      longestPauseMs: config.PROVIDER_PAUSE_LIMIT_MS,
      connections: mostInFlight,
      connect: guardedConnect(createAddressGuard(config.GATEWAY_ALLOW), {
        timeoutMs: config.SEND_TIMEOUT_MS,
      }),
      tokens: createAccessTokens(createAddressGuard(config.GATEWAY_ALLOW)),
    });
    const helpdesk = createWebhook({
      connect: guardedConnect(createAddressGuard(config.HELPDESK_ALLOW), { timeoutMs: helpdeskConnectMs }),
    });
    const outgoing = createOutgoing(config.ALERTS_ALLOW);
    stops.push(
      () => outgoing.webhook.close(),
      () => helpdesk.close(),
      () => providers.close(),
    );
    const activities = createActivities({
      sql,
      bulkSql,
      providers,
      clock: () => clock.now(),
      isWorkflowRunning: createWorkflowLookup(temporal.connection, config.TEMPORAL_NAMESPACE),
      currency: config.CURRENCY,
      timezone: config.TIMEZONE,
      gracePeriodMs: config.GRACE_PERIOD_MS,
      sendersPerRun: config.SENDERS_PER_RUN,
      senderSlots: config.SENDER_SLOTS,
      singleSendUpTo: config.SINGLE_SEND_UP_TO,
      phoneHash: createPhoneHashing({ sql, box }),
      replyWindowDays: config.REPLY_WINDOW_DAYS,
      box,
      helpdesk,
      outgoing,
      publicUrl: config.PUBLIC_URL,
      webservice: webserviceDepsOf(config),
      webserviceRetryMs: config.WEBSERVICE_RETRY_MS,
      rawAnswerDays: config.RAW_ANSWER_DAYS,
    });
    const working = keepWorking({
      log,
      create: async (stopped) =>
        createWorkers({
          sql,
          connection: await whenReachable(
            () => NativeConnection.connect(server),
            () => true,
            stopped,
          ),
          namespace: config.TEMPORAL_NAMESPACE,
          taskQueue,
          queues: config.WORKER_QUEUES,
          workflowBundle: bundle,
          activities,
          senderSlots: config.SENDER_SLOTS,
          buildId: config.WORKER_BUILD_ID,
        }),
    });
    isPolling = working.isPolling;
    stops.push(() => working.stop());
    if (config.WORKER_BUILD_ID !== undefined) {
      const stopping = new AbortController();
      const promoting = promoteBuild({
        connection: temporal.connection,
        namespace: config.TEMPORAL_NAMESPACE,
        build: { deployment: taskQueue, buildId: config.WORKER_BUILD_ID },
        log,
        signal: stopping.signal,
      });
      stops.push(() => {
        stopping.abort();
        return promoting;
      });
    }
    await untilAborted(working.started, signal);
    return { healthUrl: health?.url ?? null, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the promise; throws the signal's reason if that aborts first. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  return Promise.race([
    promise,
    once(signal, 'abort').then((): never => {
      throw signal.reason;
    }),
  ]);
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

/** One runtime serves a process: it logs through pino, and leaves signals to us. Returns the worker's log. */
function installRuntime(config: Config): Logger {
  const log = createLog('worker', config.LOG_LEVEL);
  if (runtimeInstalled) return log;
  runtimeInstalled = true;
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: {
      // Through our log, like everything else. The retries of each poll are left out: they are hundreds of lines for an
      // outage that the watch logs once a minute.
      logging: { filter: 'error,temporalio_sdk_core=warn,temporalio_client::retry=off', forward: {} },
      ...(config.WORKER_METRICS_ADDRESS === undefined
        ? {}
        : { metrics: { prometheus: { bindAddress: config.WORKER_METRICS_ADDRESS } } }),
    },
    logger: new DefaultLogger(levels[config.LOG_LEVEL], ({ level, message, meta }) => {
      // Logged at each start for the queue that has only activities.
      if (message.startsWith('No workflows registered')) return;
      const error: unknown = meta?.error;
      log[pinoLevels[level]](
        { ...meta, ...(error === undefined ? {} : { error: undefined, err: error }) },
        message,
      );
    }),
  });
  return log;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  void runProcess((signal) => startWorker(readConfig(), { signal }));
}
