import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { hashSecret, newToken } from '../api/http/auth.ts';
import { startApi } from '../api/main.ts';
import { readConfig } from '../config.ts';
import { insertToken, revokeToken } from '../db/access/tokens.ts';
import { listUsers } from '../db/access/users.ts';
import { connect } from '../db/core/client.ts';
import { isRestored } from '../db/core/deployment.ts';
import { migrate } from '../db/core/migrate.ts';
import { seedSettings } from '../db/settings/seed.ts';
import { taskQueue } from '../domain/ids.ts';
import { keepRunning } from '../embedded/keep-running.ts';
import { startParts, type Stops } from '../embedded/parts.ts';
import { freePort, requireFreePort } from '../embedded/ports.ts';
import { type EmbeddedPostgres, startPostgres } from '../embedded/postgres.ts';
import type { Server } from '../embedded/servers.ts';
import { StartError } from '../embedded/start-error.ts';
import { type EmbeddedTemporal, requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { buildSandbox } from '../sandbox/index.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { startWorker } from '../worker/main.ts';
import { describeRestore, stopAfterRestore } from '../worker/restored.ts';
import { attributes } from '../workflows/attributes.ts';
import { withToken } from './api-client.ts';
import { createFirstCampaign } from './first-campaign.ts';

export interface SystemOptions {
  dataDir: string;
  /** 0: any free port. */
  ports: { api: number; postgres: number; temporal: number; temporalUi: number; sandbox: number };
  environment: Record<string, string | undefined>;
  /** A first start creates the example campaign. */
  example: boolean;
  log: (message: string) => void;
  /** Ends the wait for unavailable servers: `startSystem` then throws its reason. */
  signal?: AbortSignal;
  /** The data folder was restored from a backup: nothing that was done after the backup is repeated. */
  restored?: boolean;
}

export interface System {
  apiUrl: string;
  temporalAddress: string;
  temporalUiUrl: string | null;
  sandbox: SandboxAccount & { url: string };
  /** For a single login, after which the user must choose another password. Null after the first start. */
  firstAdmin: { login: string; password: string } | null;
  /** Resolves with a message when a part stopped unexpectedly and could not be restarted. */
  failed: Promise<string>;
  /** Stops all parts in order: clients before their servers. */
  stop(): Promise<void>;
}

export interface SandboxAccount {
  accountSid: string;
  authToken: string;
  from: string;
}

/** The expiry of the token that creates the example campaign, in case it is not revoked. */
const setupTokenMs = 10 * 60_000;

/**
 * The whole system for one machine: PostgreSQL and Temporal (unless DATABASE_URL and TEMPORAL_ADDRESS point to existing
 * servers, which it waits for), the sandbox gateway, API and worker in this process. If a part cannot start, stops the
 * others and throws `StartError` with a readable reason.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  return startParts((stops) => start(options, stops));
}

async function start(
  { dataDir, ports, environment, example, log, signal, restored = false }: SystemOptions,
  stops: Stops,
): Promise<Omit<System, 'stop'>> {
  makeFolder(dataDir);
  const [apiPort, sandboxPort] = await Promise.all([
    portFor(ports.api, 'The API', 'PORT'),
    portFor(ports.sandbox, 'The sandbox gateway', 'TORPEDO_SANDBOX_PORT'),
  ]);
  const bundled = workflowBundle();
  bundled.catch(() => undefined);

  const failed: Promise<string>[] = [];
  const keep = async <S extends Server>(name: string, startServer: (before: S | null) => Promise<S>) => {
    const kept = await keepRunning({ name, start: startServer, log });
    stops.push(kept.stop);
    failed.push(kept.failed.then((why) => `${why} Its log is in ${dataDir}.`));
    return kept.server;
  };
  const database = async (): Promise<string> => {
    if (environment.DATABASE_URL) return environment.DATABASE_URL;
    const server = await keep<EmbeddedPostgres>('PostgreSQL', (before) =>
      startPostgres({
        dataDir: join(dataDir, 'postgres'),
        port: before ? Number(new URL(before.url).port) : ports.postgres,
        log,
      }),
    );
    return server.url;
  };
  const temporalServer = async (): Promise<{ address: string; uiUrl: string | null }> => {
    if (environment.TEMPORAL_ADDRESS) {
      return { address: environment.TEMPORAL_ADDRESS, uiUrl: environment.TEMPORAL_UI_URL ?? null };
    }
    const binary = await requireTemporalBinary(log);
    const uiPort = ports.temporalUi === 0 ? await freePort() : ports.temporalUi;
    return keep<EmbeddedTemporal>('The Temporal server', (before) =>
      startTemporal({
        binary,
        dataDir: join(dataDir, 'temporal'),
        port: before ? Number(before.address.split(':')[1]) : ports.temporal,
        uiPort,
        namespace: environment.TEMPORAL_NAMESPACE ?? 'default',
        searchAttributes: Object.values(attributes).map(({ name }) => name),
        log,
      }),
    );
  };
  // Settled, not all: every part that has started must be known before it can be stopped.
  const [databaseStart, temporalStart] = await Promise.allSettled([database(), temporalServer()]);
  if (databaseStart.status === 'rejected') throw databaseStart.reason;
  if (temporalStart.status === 'rejected') throw temporalStart.reason;
  const [databaseUrl, temporal] = [databaseStart.value, temporalStart.value];

  // Only `npm run migrate` prepares a database that is given by URL.
  if (environment.DATABASE_URL === undefined) {
    await prepareDatabase(databaseUrl);
    const namespace = environment.TEMPORAL_NAMESPACE ?? 'default';
    await stopIfRestored({ databaseUrl, address: temporal.address, namespace, restored, log });
  }

  const account = await kept(join(dataDir, 'sandbox.json'), newSandboxAccount);
  const sandbox = await buildSandbox({ ...account, ledgerFile: join(dataDir, 'sandbox-ledger.ndjson') });
  const sandboxUrl = await sandbox.listen(sandboxPort);
  stops.push(() => sandbox.close());

  const config = readConfig({
    LOG_LEVEL: 'warn',
    PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
    SECRET_KEYS: await kept(
      join(dataDir, 'secret-keys.json'),
      () => `1:${randomBytes(32).toString('base64')}`,
    ),
    ...environment,
    PORT: String(apiPort),
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    ...(temporal.uiUrl === null ? {} : { TEMPORAL_UI_URL: temporal.uiUrl }),
    SANDBOX_URL: sandboxUrl,
  });
  await bundled;
  const options = signal ? { signal } : {};
  const [workerStart, apiStart] = await Promise.allSettled([
    startWorker(config, options),
    startApi(config, options),
  ]);
  if (workerStart.status === 'fulfilled') stops.push(() => workerStart.value.stop());
  // The API before the worker: it starts no more work, and the worker then finishes the work in progress.
  if (apiStart.status === 'fulfilled') stops.push(() => apiStart.value.stop());
  if (workerStart.status === 'rejected') throw workerStart.reason;
  if (apiStart.status === 'rejected') throw apiStart.reason;
  const api = apiStart.value;
  if (example && api.firstAdmin) {
    await withSetupToken(databaseUrl, (token) =>
      createFirstCampaign({ api: withToken(api.url, token), account }),
    );
  }
  return {
    apiUrl: api.url,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    sandbox: { ...account, url: sandboxUrl },
    firstAdmin: api.firstAdmin,
    failed: Promise.race(failed),
  };
}

async function portFor(port: number, wantedBy: string, setting: string): Promise<number> {
  if (port === 0) return freePort();
  await requireFreePort(port, wantedBy, setting);
  return port;
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `The data folder cannot be created: ${why}. Set TORPEDO_DATA_DIR to a folder that can be written.`,
    );
  }
}

/** The JSON value in a file that only its owner can read; created at the first start. */
async function kept<T>(file: string, make: () => T): Promise<T> {
  const text = await readFile(file, 'utf8').catch(() => null);
  // Our own file, in our own data folder.
  if (text !== null) return JSON.parse(text) as T;
  const value = make();
  await writeFile(file, JSON.stringify(value), { mode: 0o600 });
  return value;
}

const newSandboxAccount = (): SandboxAccount => ({
  accountSid: `AC${randomBytes(16).toString('hex')}`,
  authToken: randomBytes(24).toString('base64url'),
  from: '+5511999990000',
});

/** Updates the embedded database. */
async function prepareDatabase(url: string): Promise<void> {
  const sql = connect(url, { max: 3, purpose: 'migration' });
  try {
    await migrate(sql);
    await seedSettings(sql, new Date());
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Performs admin actions with a token that is revoked at the end: the first admin's password only permits choosing
 * another one.
 */
async function withSetupToken(databaseUrl: string, work: (token: string) => Promise<void>): Promise<void> {
  const sql = connect(databaseUrl, { max: 1 });
  try {
    const [admin] = await listUsers(sql, { after: 0, limit: 1 });
    if (!admin) throw new Error('The first start has created no admin.');
    const token = newToken();
    const { id } = await insertToken(sql, {
      name: 'npm start',
      role: 'admin',
      tokenHash: hashSecret(token),
      createdBy: admin.id,
      expiresAt: new Date(Date.now() + setupTokenMs),
    });
    await work(token);
    await revokeToken(sql, id);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Ends what a restored database would repeat. The embedded servers are restored together, as one folder. */
async function stopIfRestored({
  databaseUrl,
  address,
  namespace,
  restored,
  log,
}: {
  databaseUrl: string;
  address: string;
  namespace: string;
  restored: boolean;
  log: (message: string) => void;
}): Promise<void> {
  const sql = connect(databaseUrl, { max: 2 });
  try {
    if (!restored && !(await isRestored(sql))) return;
    const connection = await Connection.connect({ address });
    try {
      log(describeRestore(await stopAfterRestore(sql, { connection, namespace, taskQueue })));
    } finally {
      await connection.close();
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}
