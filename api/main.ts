import { pathToFileURL } from 'node:url';
import { adminConsole } from '../console/app.tsx';
import { type Config, readConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { type DatabaseClock, followDatabaseClock } from '../db/core/clock.ts';
import { resealAtStart } from '../db/core/reseal.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { whenDatabaseIsThere } from '../health/database.ts';
import { createLog } from '../health/log.ts';
import { endRestored, runProcess, type StartOptions } from '../health/start.ts';
import { createAccessTokens } from '../mailing/access-tokens.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { guardedConnect } from '../mailing/guarded-connect.ts';
import { webserviceDepsOf } from '../mailing/webservice.ts';
import { createOutgoing } from '../outgoing/index.ts';
import { buildApp } from './http/app.ts';
import { ensureFirstAdmin } from './http/auth.ts';
import { createTemporal } from './services/temporal.ts';

/** Only for test sends: one recipient, one message. */
const connectionsPerProvider = 4;

/** For imports of customers, erasures, and cancels of runs without a workflow: rare, and each may take minutes. */
const longConnections = 3;

export interface RunningApi {
  /** The address on which it listens. */
  url: string;
  /** The admin of a first start; the caller shows it once to the operator. Null on later starts. */
  firstAdmin: { login: string; password: string } | null;
  /** Ends event streams, answers requests in progress, closes the connections. */
  stop(): Promise<void>;
}

/**
 * Listens at once, and opens when the database was reached: until then only health checks are answered. Temporal may
 * become available later. Throws `DatabaseSetupError` if the database has another version's schema, and the signal's
 * reason if that aborts before it has opened.
 */
export async function startApi(
  config: Config,
  { signal, onRestored = endRestored }: StartOptions = {},
): Promise<RunningApi> {
  const application = 'torpedo-api';
  const sql = connect(config.DATABASE_URL, { max: config.DATABASE_POOL, application, purpose: 'request' });
  const longSql = connect(config.DATABASE_URL, { max: longConnections, application, purpose: 'longRequest' });
  const healthSql = connect(config.DATABASE_URL, { max: 1, application: 'torpedo-health', purpose: 'check' });
  const temporal = createTemporal({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    tls: config.TEMPORAL_TLS,
    apiKey: config.TEMPORAL_API_KEY,
    uiUrl: config.TEMPORAL_UI_URL ?? null,
    taskQueue,
  });
  const logger = createLog('api', config.LOG_LEVEL);
  const box = createSecretBox(config.SECRET_KEYS);
  const outgoing = createOutgoing(config.ALERTS_ALLOW);
  let databaseClock: DatabaseClock | null = null;
  const opening = whenDatabaseIsThere(
    sql,
    async () => {
      databaseClock ??= await followDatabaseClock({ sql, log: logger });
      await resealAtStart(sql, box, logger);
      return ensureFirstAdmin(sql);
    },
    signal,
  );
  // Awaited below, once the app listens.
  opening.catch(() => undefined);
  const stops = [
    () => databaseClock?.stop(),
    () => healthSql.end({ timeout: 1 }),
    () => longSql.end({ timeout: 5 }),
    () => sql.end({ timeout: 5 }),
    () => temporal.close(),
    () => outgoing.webhook.close(),
  ];
  const stop = async (): Promise<void> => {
    for (const step of stops.toReversed()) await step();
  };
  try {
    const app = await buildApp({
      sql,
      longSql,
      healthSql,
      temporal,
      opening,
      onRestored,
      box,
      logger,
      sms: {
        publicUrl: config.PUBLIC_URL,
        sandboxUrl: config.SANDBOX_URL,
        sendTimeoutMs: config.SEND_TIMEOUT_MS,
        longestPauseMs: config.PROVIDER_PAUSE_LIMIT_MS,
        connections: connectionsPerProvider,
        connect: guardedConnect(createAddressGuard(config.GATEWAY_ALLOW), {
          timeoutMs: config.SEND_TIMEOUT_MS,
        }),
        tokens: createAccessTokens(createAddressGuard(config.GATEWAY_ALLOW)),
      },
      webservice: webserviceDepsOf(config),
      outgoing,
      uploadLimitBytes: config.UPLOAD_LIMIT_BYTES,
      currency: config.CURRENCY,
      replyWindowDays: config.REPLY_WINDOW_DAYS,
      timezone: config.TIMEZONE,
      trustedProxies: config.TRUSTED_PROXIES ?? null,
      // Until the database was reached, only health checks are answered, and they need no calendar.
      clock: () => databaseClock?.now() ?? new Date(),
    });
    stops.push(() => app.close());
    await app.register(adminConsole, { publicUrl: config.PUBLIC_URL });
    const url = await app.listen({ host: config.HOST, port: config.PORT });
    return { url, firstAdmin: await opening, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(signal: AbortSignal) {
  const api = await startApi(readConfig(), { signal });
  if (api.firstAdmin) {
    const { login, password } = api.firstAdmin;
    console.log(
      `The first admin is "${login}" with the password ${password} (for the first sign-in, which asks for another).`,
    );
  }
  return api;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  void runProcess(start);
}
