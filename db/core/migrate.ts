import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { type Database, DatabaseSetupError, type Sql } from './client.ts';

const folder = new URL('../migrations/', import.meta.url);

/** The oldest server version that supports all queries (`returning old.…, new.…` requires 18). */
const minimumServer = 180000;

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const lockTimeout = '55P03';

/** The schema does not match this code. */
export class SchemaError extends DatabaseSetupError {
  override readonly name = 'SchemaError';
}

interface Migration {
  name: string;
  statements: string;
  /** SHA-256 of the statements, in hexadecimal. */
  checksum: string;
}

/** The migrations of this version, in order; the first has number 1. */
async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      if (Number(name.slice(0, 4)) !== index + 1)
        throw new SchemaError(`Migration ${name} is out of order: expected number ${index + 1}.`);
      // A checkout on Windows may have other line endings.
      const statements = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n');
      return { name, statements, checksum: createHash('sha256').update(statements).digest('hex') };
    }),
  );
}

/**
 * The number of migrations applied to the database. Throws a `SchemaError` when it has other migrations than these:
 * more, or one with a different text.
 */
async function countApplied(sql: Sql, migrations: readonly Migration[]): Promise<number> {
  const [table] = await sql`select to_regclass('schema_migrations') is not null as present`;
  if (!table?.present) return 0;
  // The table may be from a version without checksums.
  const applied = await sql<{ name: string; checksum: string | null }[]>`
    select name, to_jsonb(m) ->> 'checksum' as checksum from schema_migrations as m order by number`;
  if (applied.length > migrations.length) {
    throw new SchemaError(
      `The database is at migration ${applied.length}, newer than this version of Torpedo (${migrations.length}). Start the version that migrated it, or a later one.`,
    );
  }
  applied.forEach(({ name, checksum }, index) => {
    if (migrations[index]?.checksum === checksum) return;
    throw new SchemaError(
      `The database was migrated with a db/migrations/${name} that differs from that of this version of Torpedo, so its tables are not those that this version expects. Start the version that migrated the database. If you do not need its data, create an empty database and migrate it: drop and create the database of DATABASE_URL, then \`npm run migrate\`; with \`npm start\`, remove its data folder (.torpedo).`,
    );
  });
  return applied.length;
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
 * Updates the schema to the newest migration: forward only, each in its own transaction, which holds a lock so that two
 * deployments cannot interleave. Returns the names of the migrations it applied.
 *
 * @throws {SchemaError} the database has migrations that this version does not.
 */
export async function migrate(sql: Database): Promise<string[]> {
  await assertServer(sql);
  const migrations = await readMigrations();
  const done: string[] = [];
  for (;;) {
    const name = await sql
      .begin((tx) => applyNext(tx, migrations))
      .catch((error: unknown) => {
        if (!(error instanceof postgres.PostgresError) || error.code !== lockTimeout) throw error;
        throw new SchemaError(
          'Another process holds locks that the migration needs: another migration, or a running version of Torpedo. Nothing was changed. Stop the process or wait for it, then run `npm run migrate` again.',
        );
      });
    if (name === null) return done;
    done.push(name);
  }
}

async function applyNext(tx: Sql, migrations: readonly Migration[]): Promise<string | null> {
  await tx`select pg_advisory_xact_lock(hashtext('torpedo.migrate'))`;
  const applied = await countApplied(tx, migrations);
  const next = migrations[applied];
  if (next === undefined) return null;
  const { name, statements, checksum } = next;
  await tx`create table if not exists schema_migrations (
    number integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`;
  await tx`insert into schema_migrations (number, name, checksum) values (${applied + 1}, ${name}, ${checksum})`;
  await tx.unsafe(statements);
  return name;
}

/**
 * Throws a `SchemaError` unless the schema matches this code. API and worker call it at startup: they never migrate
 * behind the operator's back.
 */
export async function assertMigrated(sql: Sql): Promise<void> {
  await assertServer(sql);
  const migrations = await readMigrations();
  const applied = await countApplied(sql, migrations);
  if (applied < migrations.length) {
    throw new SchemaError(
      `The database is at migration ${applied} of ${migrations.length}. Run \`npm run migrate\` first.`,
    );
  }
}
