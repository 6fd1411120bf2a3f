import type { Sql } from './client.ts';

export interface DatabaseClock {
  /** The database's time. Calendar rules use it, so that all processes agree on what is due. */
  now(): Date;
  stop(): void;
}

interface ClockLog {
  warn(fields: { skewMs: number }, message: string): void;
}

/** The interval between queries. A steady clock drifts by less than a millisecond meanwhile. */
const everyMs = 10_000;
/** If the process's own clock is off by more than this, log it: the log's times differ from the database's. */
const wordBeyondMs = 5_000;

/**
 * Follows the database's clock: asks it now and every 10 seconds, and adds the process's steady clock in between. A
 * wrong or adjusted clock of the machine has no effect. Rejects when the first query fails; after a later failure, the
 * last answer stays in use.
 */
export async function followDatabaseClock({
  sql,
  log,
  localNow = Date.now,
}: {
  sql: Sql;
  log: ClockLog;
  /** The machine's clock, in milliseconds since the epoch. */
  localNow?: () => number;
}): Promise<DatabaseClock> {
  let databaseMs = 0;
  let measuredAt = 0;
  let isWarned = false;
  const measure = async (): Promise<void> => {
    const asked = performance.now();
    const [{ ms }] = await sql<[{ ms: number }]>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;
    const answered = performance.now();
    databaseMs = ms;
    // The database read its clock some time between question and answer.
    measuredAt = (asked + answered) / 2;
    const skewMs = Math.round(localNow() - now());
    if (Math.abs(skewMs) <= wordBeyondMs) isWarned = false;
    else if (!isWarned) {
      isWarned = true;
      log.warn({ skewMs }, "This machine's clock differs from the database's, which is used");
    }
  };
  const now = (): number => databaseMs + performance.now() - measuredAt;

  await measure();
  const timer = setInterval(() => void measure().catch(() => undefined), everyMs);
  timer.unref();
  return { now: () => new Date(now()), stop: () => clearInterval(timer) };
}
