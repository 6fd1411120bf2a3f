import { readdir, readFile } from 'node:fs/promises';
import type { Database, Sql } from './client.ts';

const folder = new URL('../migrations/', import.meta.url);

/** The oldest server that has all that the queries use (`returning old.…, new.…` came with 18). */
const minimumServer = 180000;

/** The database can't be used as it is; the message says why and what to do. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

interface Migration {
  number: number;
  name: string;
}

async function migrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name, index) => {
    const number = Number(name.slice(0, 4));
    if (number !== index + 1)
      throw new SchemaError(`Migration ${name} is out of order: expected number ${index + 1}.`);
    return { number, name };
  });
}

async function applied(sql: Sql): Promise<number> {
  const [table] = await sql`select to_regclass('schema_migrations') is not null as present`;
  if (!table?.present) return 0;
  const [row] = await sql<
    { number: number }[]
  >`select coalesce(max(number), 0)::int as number from schema_migrations`;
  return row?.number ?? 0;
}

async function assertServer(sql: Sql): Promise<void> {
  const [row] = await sql<{ version: number; words: string }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as words`;
  if (!row || row.version < minimumServer) {
    throw new SchemaError(
      `PostgreSQL 18 or later is needed; the server at DATABASE_URL is ${row?.words ?? 'unknown'}.`,
    );
  }
}

/**
 * Brings the schema up to the newest migration: forward only, each in a transaction of its own, under an advisory
 * lock so that two deployments can't interleave. Returns the names of those it applied.
 */
export async function migrate(sql: Database): Promise<string[]> {
  await assertServer(sql);
  const all = await migrations();
  const done: string[] = [];
  const lock = await sql.reserve();
  try {
    await lock`select pg_advisory_lock(hashtext('torpedo.migrate'))`;
    await lock`create table if not exists schema_migrations (
      number integer primary key, name text not null, applied_at timestamptz not null default now())`;
    const reached = await applied(lock);
    for (const { number, name } of all.slice(reached)) {
      const statements = await readFile(new URL(name, folder), 'utf8');
      await sql.begin(async (tx) => {
        // First, so that a second migrator without the lock fails here and not half-way.
        await tx`insert into schema_migrations (number, name) values (${number}, ${name})`;
        await tx.unsafe(statements);
      });
      done.push(name);
    }
  } finally {
    await lock`select pg_advisory_unlock_all()`.catch(() => undefined);
    lock.release();
  }
  return done;
}

/**
 * Throws a `SchemaError` unless the schema is the one this code was written for. API and worker call it when they
 * start: they never migrate behind the operator's back.
 */
export async function assertMigrated(sql: Sql): Promise<void> {
  await assertServer(sql);
  const [all, reached] = [await migrations(), await applied(sql)];
  if (reached < all.length) {
    throw new SchemaError(
      `The database is at migration ${reached} of ${all.length}. Run \`npm run migrate\` first.`,
    );
  }
  if (reached > all.length) {
    throw new SchemaError(
      `The database is at migration ${reached}, newer than this version of Torpedo (${all.length}).`,
    );
  }
}
