import postgres from 'postgres';
import { type Database, DatabaseSetupError } from '../db/core/client.ts';
import { assertAtHome, proveWrite, RestoredError } from '../db/core/deployment.ts';
import { assertMigrated } from '../db/core/migrate.ts';
import { ServerError, type ServerProblem, whenReachable } from './watch.ts';

/** By the beginning of PostgreSQL's code: https://www.postgresql.org/docs/18/errcodes-appendix.html */
const problems: readonly (readonly [code: string, ServerProblem])[] = [
  ['53100', 'disk_full'],
  ['25006', 'read_only'],
  // A wrong password, no such database, no right to it.
  ['28', 'refused'],
  ['3D000', 'refused'],
  ['42501', 'refused'],
  // A table or a column is missing.
  ['42P01', 'not_prepared'],
  ['42703', 'not_prepared'],
  // It starts, stops, has crashed, or has no connection left.
  ['08', 'unreachable'],
  ['57P', 'unreachable'],
  ['53300', 'unreachable'],
];

/** What an error of the client shows about the server. */
export function databaseProblem(error: unknown): ServerProblem {
  if (error instanceof RestoredError) return 'restored';
  if (error instanceof postgres.PostgresError)
    return problems.find(([code]) => error.code.startsWith(code))?.[1] ?? 'failing';
  // Errors of the connection: ECONNREFUSED, ENOTFOUND, CONNECT_TIMEOUT, CONNECTION_CLOSED …
  return error instanceof Error && 'code' in error ? 'unreachable' : 'failing';
}

/**
 * Waits until the server can be reached, then takes `steps`: the first queries of a process. They are repeated as long
 * as the server goes away meanwhile. Throws their other errors, and a `DatabaseSetupError` if waiting does not help: the
 * schema is another version's, the server rejects the login, or the database was restored from a backup.
 */
export const whenDatabaseIsThere = <T>(
  sql: Database,
  steps: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> =>
  whenReachable(
    async () => {
      try {
        await assertMigrated(sql);
        await assertAtHome(sql);
      } catch (error) {
        if (databaseProblem(error) !== 'refused' || !(error instanceof Error)) throw error;
        throw new DatabaseSetupError(
          `PostgreSQL refuses the user or the database of DATABASE_URL: ${error.message}. Correct DATABASE_URL, or create what is missing.`,
        );
      }
      return steps();
    },
    (error) => databaseProblem(error) === 'unreachable',
    signal,
  );

/**
 * Resolves when the database accepts writes. `onRestored` is called when it was replaced by a backup while this process
 * used it: the process has to end at once, before it repeats what it did after the backup.
 */
export function databaseProbe(sql: Database, onRestored: (error: RestoredError) => void) {
  let last: Date | null = null;
  return async (): Promise<void> => {
    try {
      last = await proveWrite(sql, last);
    } catch (error) {
      if (error instanceof RestoredError && last !== null) onRestored(error);
      throw new ServerError(databaseProblem(error), error);
    }
  };
}
