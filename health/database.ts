import postgres from 'postgres';
import { type Database, DatabaseSetupError } from '../db/core/client.ts';
import { proveWrite } from '../db/core/deployment.ts';
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

/** What an error of the client says about the server. */
export function databaseProblem(error: unknown): ServerProblem {
  if (error instanceof postgres.PostgresError)
    return problems.find(([code]) => error.code.startsWith(code))?.[1] ?? 'failing';
  // Of the connection: ECONNREFUSED, ENOTFOUND, CONNECT_TIMEOUT, CONNECTION_CLOSED …
  return error instanceof Error && 'code' in error ? 'unreachable' : 'failing';
}

/**
 * Waits until the server can be reached. Throws a `DatabaseSetupError` when the schema is another version's, or the server
 * refuses the login: waiting does not help then.
 */
export const whenDatabaseIsThere = (sql: Database, signal?: AbortSignal): Promise<void> =>
  whenReachable(
    async () => {
      try {
        await assertMigrated(sql);
      } catch (error) {
        if (databaseProblem(error) !== 'refused' || !(error instanceof Error)) throw error;
        throw new DatabaseSetupError(
          `PostgreSQL refuses the user or the database of DATABASE_URL: ${error.message}. Correct DATABASE_URL, or create what is missing.`,
        );
      }
    },
    (error) => databaseProblem(error) === 'unreachable',
    signal,
  );

/** Resolves when the database takes a write. */
export const databaseProbe = (sql: Database) => async (): Promise<void> => {
  try {
    await proveWrite(sql);
  } catch (error) {
    throw new ServerError(databaseProblem(error), error);
  }
};
