import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { startApi } from '../api/main.ts';
import { readConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { migrate } from '../db/core/migrate.ts';
import { seedSettings } from '../db/settings/seed.ts';
import { freePort, requireFreePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { StartError } from '../embedded/start-error.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { buildSandbox } from '../sandbox/index.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { startWorker } from '../worker/main.ts';
import { attributes } from '../workflows/attributes.ts';
import { createFirstCampaign } from './first-campaign.ts';

export interface SystemOptions {
  dataDir: string;
  /** 0: any free one. */
  ports: { api: number; postgres: number; temporal: number; temporalUi: number; sandbox: number };
  environment: Record<string, string | undefined>;
  /** A first start makes the ready example campaign. */
  example: boolean;
  log: (message: string) => void;
}

export interface System {
  apiUrl: string;
  temporalAddress: string;
  temporalUiUrl: string | null;
  sandbox: SandboxAccount & { url: string };
  firstAdmin: { login: string; password: string } | null;
  /** Resolves with a sentence when a part ends by itself. */
  failed: Promise<string>;
  /** Stops all parts in order: those that use others first. */
  stop(): Promise<void>;
}

export interface SandboxAccount {
  accountSid: string;
  authToken: string;
  from: string;
}

const connectTimeoutMs = 5_000;

/**
 * The whole system for one machine: PostgreSQL and Temporal (unless DATABASE_URL and TEMPORAL_ADDRESS point to real
 * ones), the sandbox gateway, API and worker in this process. Throws `StartError` with what is missing in plain words,
 * after stopping what it had started.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    return { ...(await start(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  { dataDir, ports, environment, example, log }: SystemOptions,
  stops: (() => Promise<unknown>)[],
): Promise<Omit<System, 'stop'>> {
  makeFolder(dataDir);
  const [apiPort, sandboxPort] = await Promise.all([
    portFor(ports.api, 'The API', 'PORT'),
    portFor(ports.sandbox, 'The sandbox gateway', 'TORPEDO_SANDBOX_PORT'),
  ]);
  const bundled = workflowBundle();
  bundled.catch(() => undefined);

  const failed: Promise<string>[] = [];
  const watch = (name: string, exited: Promise<void>): void => {
    failed.push(exited.then(() => `${name} has ended by itself. Its log is in ${dataDir}.`));
  };
  const database = async (): Promise<string> => {
    if (environment.DATABASE_URL) return environment.DATABASE_URL;
    const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), port: ports.postgres, log });
    stops.push(server.stop);
    watch('PostgreSQL', server.exited);
    return server.url;
  };
  const temporalServer = async (): Promise<{ address: string; uiUrl: string | null }> => {
    if (environment.TEMPORAL_ADDRESS) {
      return { address: environment.TEMPORAL_ADDRESS, uiUrl: environment.TEMPORAL_UI_URL ?? null };
    }
    const server = await startTemporal({
      binary: await requireTemporalBinary(log),
      dataDir: join(dataDir, 'temporal'),
      port: ports.temporal,
      uiPort: ports.temporalUi === 0 ? await freePort() : ports.temporalUi,
      namespace: environment.TEMPORAL_NAMESPACE ?? 'default',
      searchAttributes: Object.values(attributes).map(({ name }) => name),
      log,
    });
    stops.push(server.stop);
    watch('The Temporal server', server.exited);
    return server;
  };
  // Settled, not all: whatever has started has to be known before it can be stopped.
  const [databaseStart, temporalStart] = await Promise.allSettled([database(), temporalServer()]);
  if (databaseStart.status === 'rejected') throw databaseStart.reason;
  if (temporalStart.status === 'rejected') throw temporalStart.reason;
  const [databaseUrl, temporal] = [databaseStart.value, temporalStart.value];

  await prepareDatabase(databaseUrl, environment.DATABASE_URL === undefined);
  if (environment.TEMPORAL_ADDRESS) await requireTemporal(environment.TEMPORAL_ADDRESS);

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
  const worker = await startWorker(config);
  stops.push(() => worker.stop());
  failed.push(
    worker.ended.then(
      () => 'The worker has ended.',
      (error: unknown) => `The worker has failed: ${String(error)}`,
    ),
  );
  const api = await startApi(config);
  // The API before the worker: it starts nothing more, and the worker then finishes what is under way.
  stops.push(() => api.stop());
  if (example && api.firstAdmin) {
    await createFirstCampaign({ apiUrl: api.url, admin: api.firstAdmin, account });
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
      `The data folder can't be made: ${why}. Set TORPEDO_DATA_DIR to a folder that can be written.`,
    );
  }
}

/** The json value in a file that only its owner reads; made at the first start. */
async function kept<T>(file: string, make: () => T): Promise<T> {
  const text = await readFile(file, 'utf8').catch(() => null);
  // A file of ours, in our own data folder.
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

/** The embedded database is brought up to date; one given by URL only by `npm run migrate`. */
async function prepareDatabase(url: string, embedded: boolean): Promise<void> {
  const sql = connect(url, { max: 3 });
  try {
    await sql`select 1`.catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new StartError(
        `The database at DATABASE_URL can't be reached: ${why}. Start it, or correct DATABASE_URL.`,
      );
    });
    if (!embedded) return;
    await migrate(sql);
    await seedSettings(sql, new Date());
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function requireTemporal(address: string): Promise<void> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: connectTimeoutMs });
    await connection.close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `The Temporal server at TEMPORAL_ADDRESS (${address}) can't be reached: ${why}. Start it, or correct the address.`,
    );
  }
}
