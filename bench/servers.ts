import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { connect, type Database } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';

export interface DatabaseServer {
  databaseUrl: string;
  sql: Database;
  /** For files; removed at the end. */
  folder: string;
  /** Called in reverse order at the end. */
  stops: (() => Promise<unknown>)[];
  log: (message: string) => void;
}

export interface Servers extends DatabaseServer {
  temporalAddress: string;
  client: Client;
}

/** PostgreSQL, flushing to disk as in production, and Temporal, for one benchmark; all gone after it. */
export async function withServers<T>(body: (servers: Servers) => Promise<T>): Promise<T> {
  return withDatabase(async (database) => {
    const { folder, stops, log } = database;
    const temporal = await startTemporal({
      binary: await requireTemporalBinary(log),
      dataDir: join(folder, 'temporal'),
      port: 0,
      uiPort: null,
      namespace: 'default',
      searchAttributes: Object.values(attributes).map(({ name }) => name),
      log,
    });
    stops.push(temporal.stop);
    const connection = await Connection.connect({ address: temporal.address });
    stops.push(() => connection.close());
    const client = new Client({ connection });
    return body({ ...database, temporalAddress: temporal.address, client });
  });
}

/** The same without Temporal. */
export async function withDatabase<T>(body: (server: DatabaseServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const log = (message: string): void => console.error(message);
  try {
    const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0, log });
    stops.push(postgres.stop);
    const sql = connect(postgres.url, { max: 4 });
    stops.push(() => sql.end({ timeout: 5 }));
    await migrate(sql);
    return await body({ databaseUrl: postgres.url, sql, folder, stops, log });
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}
