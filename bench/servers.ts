import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { connect, type Database } from '../db/core/client.ts';
import { migrate } from '../db/core/migrate.ts';
import { freePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';
import { startProcess } from './processes.ts';

export interface DatabaseServer {
  databaseUrl: string;
  /** Of PostgreSQL's first process: all others are its children. */
  postgresPid: number;
  /** SIGKILL, and a start on the same data and port. */
  killPostgres: () => Promise<void>;
  sql: Database;
  /** For files; removed at the end. */
  folder: string;
  /** `startProcess`, of one that ends with the benchmark. When it ends before, unless killed by us, the benchmark fails. */
  start: typeof startProcess;
  /** Called in reverse order at the end. */
  stops: (() => Promise<unknown>)[];
  log: (message: string) => void;
}

export interface Servers extends DatabaseServer {
  temporalAddress: string;
  /** As `killPostgres`. */
  killTemporal: () => Promise<void>;
  client: Client;
}

/** PostgreSQL, flushing to disk as in production, and Temporal, for one benchmark; all gone after it. */
export async function withServers<T>(body: (servers: Servers) => Promise<T>): Promise<T> {
  return withDatabase(async (database) => {
    const { folder, stops, log } = database;
    const binary = await requireTemporalBinary(log);
    const startServer = async (port: number) =>
      startTemporal({
        binary,
        dataDir: join(folder, 'temporal'),
        port,
        uiPort: null,
        namespace: 'default',
        searchAttributes: Object.values(attributes).map(({ name }) => name),
        log,
      });
    let temporal = await startServer(await freePort());
    stops.push(() => temporal.stop());
    const connection = await Connection.connect({ address: temporal.address });
    stops.push(() => connection.close());
    const client = new Client({ connection });
    return body({
      ...database,
      temporalAddress: temporal.address,
      async killTemporal() {
        process.kill(temporal.pid, 'SIGKILL');
        await temporal.exited;
        temporal = await startServer(Number(temporal.address.split(':')[1]));
      },
      client,
    });
  });
}

/** The same without Temporal. Interrupted by SIGINT or SIGTERM, it stops all, too. */
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
