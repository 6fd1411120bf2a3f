import postgres from 'postgres';

/**
 * The connection pool, and also a transaction inside `sql.begin`: query functions take either.
 *
 * `bigint` reads as a number: identities stay below 2^53 for longer than the hardware lasts.
 */
export type Sql = postgres.ISql<{ bigint: number }>;
export type Database = postgres.Sql<{ bigint: number }>;

/**
 * `genericPlans`: plan each statement once for a connection, not at each call. The sender's statements take as long to
 * plan as to run (measured: 2.7 ms against 1.8 ms for a claim of 100), and always want the same plan.
 *
 * Opens a pool of at most `max` connections. Columns are snake case in SQL and camel case in TypeScript, by column
 * name only: `postgres.camel` would also rewrite the keys inside json values.
 */
export function connect(
  url: string,
  { max = 10, application = 'torpedo', genericPlans = false } = {},
): Database {
  return postgres(url, {
    max,
    connection: {
      application_name: application,
      ...(genericPlans ? { plan_cache_mode: 'force_generic_plan' } : {}),
    },
    connect_timeout: 10,
    onnotice: () => undefined,
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
}
