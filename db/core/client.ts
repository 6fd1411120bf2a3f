import postgres from 'postgres';
import { type Limits, limits, liveness, type Purpose, settingsOf } from './limits.ts';

/**
 * The connection pool, and also a transaction inside `sql.begin`: query functions take either.
 *
 * `bigint` reads as a number: identities stay below 2^53 for longer than the hardware lasts.
 */
export type Sql = postgres.ISql<{ bigint: number }>;

/**
 * The pool. Omits `reserve`: when a reserved connection closes, postgres.js reopens it for other callers too, without
 * telling its holder. Use a transaction for work that has to stay on one connection.
 */
export type Database = Sql & Pick<postgres.Sql<{ bigint: number }>, 'begin' | 'end' | 'options'>;

/** The database cannot be used; the message contains the reason and the fix. */
export class DatabaseSetupError extends Error {
  override readonly name: string = 'DatabaseSetupError';
}

/** The mark that scripts/patch-postgres.mjs adds to the package. */
const patchLevel = 2;

function requirePatchedDriver(): void {
  if ('torpedoPatches' in postgres && postgres.torpedoPatches === patchLevel) return;
  throw new DatabaseSetupError(
    'The installed package postgres is not patched, as after `npm ci --ignore-scripts`. Without the patches, a restart of PostgreSQL ends this process or loses a transaction. Run `node scripts/patch-postgres.mjs`, then start again.',
  );
}

interface ConnectOptions {
  /** Maximum number of connections. */
  max?: number;
  /** As PostgreSQL shows it in pg_stat_activity. */
  application?: string;
  /** What the connections are for, which sets their limits (db/core/limits.ts); or custom limits, in tests. */
  purpose?: Purpose | Limits;
  /**
   * Plan each statement once for a connection, not at each call. The sender's statements take as long to plan as to run
   * (measured: 2.7 ms against 1.8 ms for a claim of 100), and always need the same plan.
   */
  genericPlans?: boolean;
}

/**
 * Opens a pool. Columns are snake case in SQL and camel case in TypeScript, by column name only: `postgres.camel` would
 * also rewrite the keys inside json values.
 *
 * @throws {DatabaseSetupError} the driver is not patched.
 */
export function connect(
  url: string,
  { max = 10, application = 'torpedo', purpose = 'request', genericPlans = false }: ConnectOptions = {},
): Database {
  requirePatchedDriver();
  const limited = typeof purpose === 'string' ? limits[purpose] : purpose;
  const sql = postgres(url, {
    max,
    connection: {
      application_name: application,
      ...(genericPlans ? { plan_cache_mode: 'force_generic_plan' } : {}),
      ...asSettings({ ...settingsOf(limited), ...liveness.server }),
    },
    keep_alive: liveness.clientKeepAlive,
    connect_timeout: 10,
    // In seconds. postgres.js would wait up to 20 seconds even if the database has returned.
    backoff: (retries: number) => Math.min(2, 0.05 * 2 ** retries),
    onnotice: () => undefined,
    // postgres.js would query the array types on each new connection without catching that query's error: a connection
    // that is cut at that moment would end the process (tested).
    fetch_types: false,
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    types: {
      bigint: {
        to: 20,
        from: [20],
        serialize: (value: number) => String(value),
        parse: (text: string) => Number(text),
      },
    },
  });
  for (const oid of arrayTypes) sql.options.serializers[oid] = arrayLiteral;
  // Read by scripts/patch-postgres.mjs.
  Object.assign(sql.options, { silence: limited.silenceMs / 1000 });
  return sql;
}

/** As text, because postgres.js omits a number 0, and the server may have a limit of its own. */
const asSettings = (settings: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

/** Array types of statement parameters: int[], text[], bigint[], timestamptz[], jsonb[]. */
const arrayTypes = [1007, 1009, 1016, 1185, 3807];

/**
 * An array in PostgreSQL's text form. https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO
 *
 * An import looks up a thousand codes and phones at a time, of which hardly any needs escaping.
 */
function arrayLiteral(values: readonly (string | number | null)[]): string {
  let text = '';
  for (const value of values) {
    if (text !== '') text += ',';
    text += typeof value === 'string' ? quoted(value) : `${value ?? 'NULL'}`;
  }
  return `{${text}}`;
}

const quoted = (value: string): string =>
  `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`;
