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
  /** The id of PostgreSQL's main process, the parent of all others. */
  postgresPid: number;
  /** Sends SIGKILL and restarts it with the same data and port. */
  killPostgres: () => Promise<void>;
  sql: Database;
  /** A folder for files that is removed at the end. */
  folder: string;
  /**
   * `startProcess` for a process that is stopped at the end of the benchmark. The benchmark fails if the process ends
   * earlier, unless the benchmark itself killed it.
   */
  start: typeof startProcess;
  /** Called in reverse order at the end. */
  stops: (() => Promise<unknown>)[];
  log: (message: string) => void;
}

export interface Servers extends DatabaseServer {
  temporalAddress: string;
  temporalPid: () => number;
  /** Like `killPostgres`. */
  killTemporal: () => Promise<void>;
  client: Client;
}

/**
 * Runs `body` with PostgreSQL, which flushes to disk as in production, and Temporal; all data is removed afterwards.
 * `temporal`: its development server on SQLite, or a server as in production, on the same PostgreSQL.
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
 * Temporal's servers read new namespaces and search attributes every ten seconds, and until then reject workflows
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

/** `withServers` without Temporal. SIGINT and SIGTERM also stop everything. */
export async function withDatabase<T>(body: (server: DatabaseServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const log = (message: string): void => console.error(message);
  const failed = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => failed.abort(new Error(`Interrupted by ${signal}.`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const start: typeof startProcess = async (file, ...rest) => {
    const started = await startProcess(file, ...rest);
    stops.push(() => started.stop());
    started.child.once('exit', (code, signal) => {
      if (!started.child.killed) failed.abort(new Error(`${file} ended unexpectedly (${code ?? signal}).`));
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
    return await Promise.race([result, aborted(failed.signal)]);
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
