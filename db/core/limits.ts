/**
 * How long a connection may keep others waiting, by what it is used for. The one place that says so.
 *
 * PostgreSQL enforces the first three (https://www.postgresql.org/docs/18/runtime-config-client.html): a statement that
 * takes longer, or waits longer for a lock, fails; a transaction that is open and hears nothing for that long is ended
 * with its connection, so its locks are free. So nothing is left behind by an activity that has timed out, by a process
 * that hangs, or by a machine that is gone.
 */
export interface Limits {
  statementMs: number;
  lockMs: number;
  idleInTransactionMs: number;
  /**
   * The client gives a connection up after this time without a byte from the server while it waits for one, as when the
   * network drops packets without a word. Longer than a statement may take.
   */
  silenceMs: number;
}

const second = 1_000;
const minute = 60 * second;

export const limits = {
  /** Requests to the API: somebody waits for the answer. */
  request: {
    statementMs: 30 * second,
    lockMs: 10 * second,
    idleInTransactionMs: 30 * second,
    silenceMs: 45 * second,
  },
  /** Requests that go through a whole run, person or file: a cancel, an erasure, an import of customers. */
  longRequest: {
    statementMs: 10 * minute,
    lockMs: 30 * second,
    idleInTransactionMs: minute,
    silenceMs: 11 * minute,
  },
  /**
   * Steps of workflows and sending. Below the time-out of the steps (30 seconds, workflows/proxies.ts), so that a step
   * never runs beside an attempt of it that was given up.
   */
  step: {
    statementMs: 25 * second,
    lockMs: 10 * second,
    idleInTransactionMs: 25 * second,
    silenceMs: 40 * second,
  },
  /**
   * Work in the background that goes through a whole run, file or table: imports, resends, ends of runs, housekeeping. A COPY is one
   * statement from its first line to its last, and PostgreSQL looks at its time when a line arrives. An import may wait for
   * another that registers customers.
   */
  bulk: {
    statementMs: 30 * minute,
    lockMs: 10 * minute,
    idleInTransactionMs: 5 * minute,
    silenceMs: 31 * minute,
  },
  /** Health checks, which have an answer of their own for a database that is slow. */
  check: {
    statementMs: 5 * second,
    lockMs: 2 * second,
    idleInTransactionMs: 5 * second,
    silenceMs: 10 * second,
  },
  /**
   * A migration takes as long as it takes. But while it waits for a table that somebody uses, everybody else who needs
   * that table waits behind it: it gives way soon, and can be repeated.
   */
  migration: { statementMs: 0, lockMs: 15 * second, idleInTransactionMs: 5 * minute, silenceMs: 0 },
} as const satisfies Record<string, Limits>;

export type Purpose = keyof typeof limits;

/** The limits as PostgreSQL's settings, which a connection asks for as it is made. */
export const settingsOf = ({ statementMs, lockMs, idleInTransactionMs }: Limits) => ({
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  idle_in_transaction_session_timeout: idleInTransactionMs,
});

/**
 * How the two sides notice that the other is gone. Of the settings PostgreSQL takes in seconds and milliseconds:
 * https://www.postgresql.org/docs/18/runtime-config-connection.html#RUNTIME-CONFIG-TCP-SETTINGS
 */
export const liveness = {
  /** In seconds, of the client's socket. Node.js then asks ten times, a second apart. */
  clientKeepAlive: 15,
  server: {
    // A machine that does not answer for half a minute is gone, whether the server waits for it or writes to it.
    tcp_keepalives_idle: 15,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    tcp_user_timeout: 30 * second,
    // A process that was killed leaves no statement behind: while one runs, the server looks whether its client is there.
    client_connection_check_interval: 5 * second,
  },
} as const;
