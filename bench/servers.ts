import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connect, type Database } from '../db/core/client.ts';
import { migrate } from '../db/core/migrate.ts';
import { freePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import type { Server } from '../embedded/servers.ts';
import { prepareTemporalOnPostgres } from '../embedded/temporal-server.ts';
import { requireTemporalBinary, startTemporal, type TemporalOptions } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';
import { startProcess } from './processes.ts';

export interface DatabaseServer {
  databaseUrl: string;
  /** The process id of PostgreSQL's first process: all others are its children. */
  postgresPid: number;
  /** SIGKILL, and a restart on the same data and port. */
  killPostgres: () => Promise<void>;
  sql: Database;
  /** A folder for files; removed at the end. */
  folder: string;
  /**
   * `startProcess`, for one that ends with the benchmark. If it ends earlier, unless killed by us, the benchmark fails.
   */
  start: typeof startProcess;
  /** Called in reverse order at the end. */
  stops: (() => Promise<unknown>)[];
  log: (message: string) => void;
}

export interface Servers extends DatabaseServer {
  temporalAddress: string;
  temporalPid: () => number;
  /** As `killPostgres`. */
  killTemporal: () => Promise<void>;
  client: Client;
}

/**
 * PostgreSQL, flushing to disk as in production, and Temporal, for one benchmark; all are removed after it. `temporal`:
 * its development server on SQLite, or a server as in production, on the same PostgreSQL.
 */
export async function withServers<T>(
  body: (servers: Servers) => Promise<T>,
  { temporal: kind = 'dev', historyShards }: { temporal?: 'dev' | 'server'; historyShards?: number } = {},
): Promise<T> {
  return withDatabase(async (database) => {
    const { databaseUrl, folder, stops, log } = database;
    const common = {
      namespace: 'default',
      searchAttributes: Object.values(attributes).map(({ name }) => name),
      log,
    };
    const { address, start } =
      kind === 'dev'
        ? await temporalOnSqlite({ ...common, dataDir: join(folder, 'temporal') })
        : await prepareTemporalOnPostgres({
            ...common,
            postgresUrl: databaseUrl,
            folder: join(folder, 'temporal'),
            ...(historyShards === undefined ? {} : { historyShards }),
          });
    let temporal = await start();
    stops.push(() => temporal.stop());
    const connection = await Connection.connect({ address });
    stops.push(() => connection.close());
    const client = new Client({ connection });
    await untilNamespaceIsKnown(client);
    return body({
      ...database,
      temporalAddress: address,
      temporalPid: () => temporal.pid,
      async killTemporal() {
        process.kill(temporal.pid, 'SIGKILL');
        await temporal.exited;
        temporal = await start();
      },
      client,
    });
  });
}

/**
 * Temporal's servers look for new namespaces and search attributes every ten seconds, and until then reject workflows
 * that use them.
 */
async function untilNamespaceIsKnown({ workflow }: Client): Promise<void> {
  for (const giveUpAt = Date.now() + 60_000; ;) {
    try {
      const handle = await workflow.start('none', {
        ...{ workflowId: 'namespace', taskQueue: 'none', args: [] },
        typedSearchAttributes: Object.values(attributes).map((key) => ({ key, value: 'none' })),
      });
      await handle.terminate();
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await sleep(500);
    }
  }
}

async function temporalOnSqlite(
  options: Omit<TemporalOptions, 'binary' | 'port' | 'uiPort'>,
): Promise<{ address: string; start: () => Promise<Server> }> {
  const binary = await requireTemporalBinary(options.log);
  const port = await freePort();
  return {
    address: `127.0.0.1:${port}`,
    start: () => startTemporal({ ...options, binary, port, uiPort: null }),
  };
}

/** The same without Temporal. SIGINT or SIGTERM also stops everything. */
export async function withDatabase<T>(body: (server: DatabaseServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const log = (message: string): void => console.error(message);
  const broken = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => broken.abort(new Error(`Interrupted by ${signal}.`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const start: typeof startProcess = async (file, ...rest) => {
    const started = await startProcess(file, ...rest);
    stops.push(() => started.stop());
    started.child.once('exit', (code, signal) => {
      if (!started.child.killed) broken.abort(new Error(`${file} ended by itself (${code ?? signal}).`));
    });
    return started;
  };
  try {
    const startServer = async (port: number) =>
      startPostgres({ dataDir: join(folder, 'postgres'), port, log });
    let postgres = await startServer(await freePort());
    stops.push(() => postgres.stop());
    const sql = connect(postgres.url, { max: 4, purpose: 'migration' });
    stops.push(() => sql.end({ timeout: 5 }));
    await migrate(sql);
    const result = body({
      databaseUrl: postgres.url,
      postgresPid: postgres.pid,
      async killPostgres() {
        process.kill(postgres.pid, 'SIGKILL');
        await postgres.exited;
        postgres = await startServer(Number(new URL(postgres.url).port));
      },
      sql,
      folder,
      start,
      stops,
      log,
    });
    return await Promise.race([result, aborted(broken.signal)]);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    for (const stop of stops.toReversed()) await stop();
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted.'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
