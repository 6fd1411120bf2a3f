import { type Database, DatabaseSetupError, type Sql } from './client.ts';

/** The database was restored from a backup, and the runs in it have not been stopped yet. */
export class RestoredError extends DatabaseSetupError {
  override readonly name = 'RestoredError';
  constructor() {
    super(
      'The database was restored from a backup, or is a copy of another: what ran after the backup was made would run again. Run `npm run migrate`, which stops that (docs/operations.md, Restore from a backup).',
    );
  }
}

/**
 * Proves that the database accepts writes, and records a heartbeat of this deployment; returns the time that it
 * recorded. `last` is the previous return value, null at first. Throws a `RestoredError` when the database has another
 * identity, or no longer contains `last`: it was replaced with a backup. A promoted server that still contains it
 * becomes the new home.
 *
 * A write needs a server that is not read-only, a log that can be flushed, and disk space. An update of one row finds
 * space on its page long after the disk is full; a series of 50,000 numbers is stored in a temporary file of about 1
 * MB, which needs new space each time.
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

/** Throws a `RestoredError` when the database is not the deployment's last home. */
export async function assertAtHome(sql: Sql): Promise<void> {
  if (await isRestored(sql)) throw new RestoredError();
}

export async function isRestored(sql: Sql): Promise<boolean> {
  const rows = await sql`select from deployment where home <> database_identity()`;
  return rows.count > 0;
}

/** Makes this database the deployment's home. Returns the last heartbeat before that. */
export async function moveHome(sql: Sql): Promise<Date> {
  const [row] = await sql<[{ before: Date }]>`
    update deployment set home = database_identity(), alive_at = now() returning old.alive_at as before`;
  return row.before;
}
