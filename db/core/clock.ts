import type { Sql } from './client.ts';

export interface DatabaseClock {
  /** The database's time. Rules of the calendar go by it, so that all processes agree on what is due. */
  now(): Date;
  stop(): void;
}

interface ClockLog {
  warn(fields: { skewMs: number }, message: string): void;
}

/** How often the database is asked. A steady clock drifts by less than a millisecond meanwhile. */
const everyMs = 10_000;
/** A process whose own clock is further off is worth a word: its log has other times than the database. */
const wordBeyondMs = 5_000;

/**
 * Follows the database's clock: asks it now and each 10 seconds, and counts on with the steady clock of the process in
 * between. A wrong clock of the machine, or one that is set, changes nothing. Rejects when the database does not answer
 * the first time; later answers may fail, and the last one holds.
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
    // The database looked at its clock somewhere between question and answer.
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
