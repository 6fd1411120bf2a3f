import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { connect, type Database } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { freePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';

export interface DatabaseServer {
  databaseUrl: string;
  /** Of PostgreSQL's first process: all others are its children. */
  postgresPid: number;
  /** SIGKILL, and a start on the same data and port. */
  killPostgres: () => Promise<void>;
  sql: Database;
  /** For files; removed at the end. */
  folder: string;
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
    const start = async (port: number) =>
      startTemporal({
        binary,
        dataDir: join(folder, 'temporal'),
        port,
        uiPort: null,
        namespace: 'default',
        searchAttributes: Object.values(attributes).map(({ name }) => name),
        log,
      });
    let temporal = await start(await freePort());
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
        temporal = await start(Number(temporal.address.split(':')[1]));
      },
      client,
    });
  });
}

/** The same without Temporal. */
export async function withDatabase<T>(body: (server: DatabaseServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const log = (message: string): void => console.error(message);
  try {
    const start = async (port: number) => startPostgres({ dataDir: join(folder, 'postgres'), port, log });
    let postgres = await start(await freePort());
    stops.push(() => postgres.stop());
    const sql = connect(postgres.url, { max: 4 });
    stops.push(() => sql.end({ timeout: 5 }));
    await migrate(sql);
    return await body({
      databaseUrl: postgres.url,
      postgresPid: postgres.pid,
      async killPostgres() {
        process.kill(postgres.pid, 'SIGKILL');
        await postgres.exited;
        postgres = await start(Number(new URL(postgres.url).port));
      },
      sql,
      folder,
      stops,
      log,
    });
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}
