import { pathToFileURL } from 'node:url';
import { adminConsole } from '../console/app.tsx';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { connect, DatabaseSetupError } from '../db/core/client.ts';
import { type DatabaseClock, followDatabaseClock } from '../db/core/clock.ts';
import { resealAtStart } from '../db/core/reseal.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { whenDatabaseIsThere } from '../health/database.ts';
import { createLog } from '../health/log.ts';
import { endRestored, type StartOptions } from '../health/start.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { guardedConnect } from '../mailing/guarded-connect.ts';
import { webserviceDepsOf } from '../mailing/webservice.ts';
import { buildApp } from './http/app.ts';
import { ensureFirstAdmin } from './http/auth.ts';
import { createTemporal } from './services/temporal.ts';

/** Test sends only: one person, one message. */
const connectionsPerProvider = 4;

/** For imports of customers, erasures, and cancels of runs without a workflow: rare, and each may take minutes. */
const longConnections = 3;

export interface RunningApi {
  /** Where it listens. */
  url: string;
  /** The first start's admin; the caller shows it to the person who started, once. Null later. */
  firstAdmin: { login: string; password: string } | null;
  /** Ends event streams, answers what is under way, closes the connections. */
  stop(): Promise<void>;
}

/**
 * Listens at once, and opens when the database has been seen: until then only health checks are answered. Temporal may
 * come later. Throws `DatabaseSetupError` when the database is another version's, and the signal's reason when that is aborted
 * before it has opened.
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
  let databaseClock: DatabaseClock | null = null;
  const open = async () => {
    await whenDatabaseIsThere(sql, signal);
    databaseClock = await followDatabaseClock({ sql, log: logger });
    await resealAtStart(sql, box, logger);
    return ensureFirstAdmin(sql);
  };
  const opening = open();
  // Awaited below, once the app listens.
  opening.catch(() => undefined);
  const stops = [
    () => databaseClock?.stop(),
    () => healthSql.end({ timeout: 1 }),
    () => longSql.end({ timeout: 5 }),
    () => sql.end({ timeout: 5 }),
    () => temporal.close(),
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
        connections: connectionsPerProvider,
        connect: guardedConnect(createAddressGuard(config.GATEWAY_ALLOW), {
          timeoutMs: config.SEND_TIMEOUT_MS,
        }),
      },
      webservice: webserviceDepsOf(config),
      uploadLimitBytes: config.UPLOAD_LIMIT_BYTES,
      trustedProxies: config.TRUSTED_PROXIES ?? null,
      // Until the database was seen only health checks are answered, which go by no calendar.
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

async function main(): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const api = await startApi(readConfig(), { signal: stopping.signal });
  if (api.firstAdmin) {
    const { login, password } = api.firstAdmin;
    console.log(
      `The first admin is "${login}" with the password ${password} (to sign in with once, and choose another).`,
    );
  }
  const end = (): void => void api.stop().then(() => process.exit(0));
  if (stopping.signal.aborted) end();
  else stopping.signal.addEventListener('abort', end);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error: unknown) => {
    // Stopped while it was waiting for its servers.
    if (error instanceof Error && error.name === 'AbortError') process.exit(0);
    console.error(
      error instanceof ConfigError || error instanceof DatabaseSetupError ? error.message : error,
    );
    process.exit(1);
  });
}
