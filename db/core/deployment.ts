import { type Database, DatabaseSetupError, type Sql } from './client.ts';

/** The database was restored from a backup, and nobody has stopped yet what may have been done since. */
export class RestoredError extends DatabaseSetupError {
  override readonly name = 'RestoredError';
  constructor() {
    super(
      'The database was restored from a backup, or is a copy of another: what ran after the backup was made would run again. Run `npm run migrate`, which stops that (docs/operations.md, Restore from a backup).',
    );
  }
}

/**
 * Proves that the database takes writes, and records that this deployment is alive; returns the time that it recorded.
 * `last` is what the caller got the last time, null at first. Throws a `RestoredError` when the database is not the one
 * that it was, or has forgotten `last`: it was exchanged for a backup. A server that took over without losing that is the
 * new home.
 *
 * A write needs a server that is not read-only, a log that can be flushed, and space on the disk. The update of one row
 * finds space on its page long after the disk is full; a series of 50,000 numbers is kept in a temporary file of about
 * 1 MB, which needs new space each time.
 */
export async function proveWrite(sql: Database, last: Date | null): Promise<Date> {
  const [, , rows] = await sql.begin((tx) => [
    tx`select set_config('work_mem', '64kB', true)`,
    tx`select count(*) from generate_series(1, 50000)`,
    tx<{ aliveAt: Date }[]>`
      update deployment set alive_at = greatest(alive_at, now()), home = database_identity()
      where (home is null or home = database_identity() or ${last !== null})
        and alive_at >= coalesce(${last}::timestamptz, '-infinity')
      returning alive_at`,
  ]);
  const [row] = rows;
  if (!row) throw new RestoredError();
  return row.aliveAt;
}

/** Throws a `RestoredError` when the database is another than the one that this deployment was last at home in. */
export async function assertAtHome(sql: Sql): Promise<void> {
  if (await isRestored(sql)) throw new RestoredError();
}

export async function isRestored(sql: Sql): Promise<boolean> {
  const rows = await sql`select from deployment where home <> database_identity()`;
  return rows.count > 0;
}

/** This database is the deployment's home from now on. Returns the last sign of life before that. */
export async function moveHome(sql: Sql): Promise<Date> {
  const [row] = await sql<[{ before: Date }]>`
    update deployment set home = database_identity(), alive_at = now() returning old.alive_at as before`;
  return row.before;
}
