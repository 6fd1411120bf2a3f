/**
 * How long a connection may block others, by its purpose. All such limits are in this file.
 *
 * PostgreSQL enforces the first three (https://www.postgresql.org/docs/18/runtime-config-client.html): it cancels a
 * statement that runs or waits for a lock longer, and ends the connection of a transaction that is idle longer, which
 * releases its locks. So an activity that has timed out, a process that hangs and a machine that has failed leave no
 * locks behind.
 */
export interface Limits {
  statementMs: number;
  lockMs: number;
  idleInTransactionMs: number;
  /**
   * The client closes a connection after this time without a byte from the server while it waits for one, as when the
   * network drops packets silently. Longer than a statement may take.
   */
  silenceMs: number;
}

const second = 1_000;
const minute = 60 * second;

export const limits = {
  /** Requests to the API: a user waits for the answer. */
  request: {
    statementMs: 30 * second,
    lockMs: 10 * second,
    idleInTransactionMs: 30 * second,
    silenceMs: 45 * second,
  },
  /** Requests that process a whole run, person or file: a cancellation, an erasure, an import of customers. */
  longRequest: {
    statementMs: 10 * minute,
    lockMs: 30 * second,
    idleInTransactionMs: minute,
    silenceMs: 11 * minute,
  },
  /**
   * Steps of workflows and sending. Shorter than the timeout of the steps (30 seconds, workflows/proxies.ts), so that a
   * step never runs beside an earlier attempt that was given up.
   */
  step: {
    statementMs: 25 * second,
    lockMs: 10 * second,
    idleInTransactionMs: 25 * second,
    silenceMs: 40 * second,
  },
  /**
   * Background work on a whole run, file or table: imports, resends, ends of runs, housekeeping. A COPY is one
   * statement from its first line to its last, and PostgreSQL checks its time when a line arrives. An import may wait
   * for another that registers customers.
   */
  bulk: {
    statementMs: 30 * minute,
    lockMs: 10 * minute,
    idleInTransactionMs: 5 * minute,
    silenceMs: 31 * minute,
  },
  /** Health checks, which report a slow database themselves. */
  check: {
    statementMs: 5 * second,
    lockMs: 2 * second,
    idleInTransactionMs: 5 * second,
    silenceMs: 10 * second,
  },
  /**
   * A migration has no time limit. But while it waits for a table in use, all others that need the table wait behind
   * it: so it gives up early, and can be repeated.
   */
  migration: { statementMs: 0, lockMs: 15 * second, idleInTransactionMs: 5 * minute, silenceMs: 0 },
} as const satisfies Record<string, Limits>;

export type Purpose = keyof typeof limits;

/** The limits as PostgreSQL settings, which a connection requests when it opens. */
export const settingsOf = ({ statementMs, lockMs, idleInTransactionMs }: Limits) => ({
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  idle_in_transaction_session_timeout: idleInTransactionMs,
});

/**
 * How each side detects that the other is gone. PostgreSQL takes these settings in seconds and milliseconds:
 * https://www.postgresql.org/docs/18/runtime-config-connection.html#RUNTIME-CONFIG-TCP-SETTINGS
 */
export const liveness = {
  /** In seconds, for the client's socket. Node.js then probes ten times, one second apart. */
  clientKeepAlive: 15,
  server: {
    // A machine that does not answer for 30 seconds is considered gone, whether the server is reading or writing.
    tcp_keepalives_idle: 15,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    tcp_user_timeout: 30 * second,
    // A killed process leaves no statement behind: while one runs, the server checks that its client is connected.
    client_connection_check_interval: 5 * second,
  },
} as const;
