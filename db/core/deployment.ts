import type { Database } from './client.ts';

/**
 * Proves that the database takes writes, and records that this deployment is alive. A write needs a server that is not
 * read-only, a log that can be flushed, and space on the disk. The update of one row finds space on its page long after
 * the disk is full; a series of 50,000 numbers is kept in a temporary file of about 1 MB, which needs new space each time.
 */
export async function proveWrite(sql: Database): Promise<void> {
  await sql.begin((tx) => [
    tx`select set_config('work_mem', '64kB', true)`,
    tx`select count(*) from generate_series(1, 50000)`,
    tx`update deployment set alive_at = greatest(alive_at, now())`,
  ]);
}
