import postgres from 'postgres';

/**
 * SQLSTATE classes of transient errors: connection, transaction rollback, resources, operator intervention (includes
 * statement timeouts), system; and the timeouts of locks and of idle transactions (db/core/limits.ts).
 */
const passing = ['08', '40', '53', '57', '58', '55P03', '25P03'];

/** A refused statement will be refused again; other errors are of the connection or of the server's state. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof postgres.PostgresError) || passing.some((code) => error.code.startsWith(code));

/**
 * Repeats a write until it succeeds: the outcomes of sends are only in this process's memory. While the database is
 * unavailable the sender keeps them and waits; once it has to shut down it tries for ten more seconds.
 */
export async function persistently(
  { signal, onWriteRetry }: { signal: AbortSignal; onWriteRetry: (error: unknown) => void },
  write: () => Promise<void>,
): Promise<void> {
  let giveUpAt = Infinity;
  for (let delay = 100; ; delay = Math.min(2_000, delay * 2)) {
    try {
      await write();
      return;
    } catch (error) {
      if (signal.aborted && giveUpAt === Infinity) giveUpAt = Date.now() + 10_000;
      if (!mayPass(error) || Date.now() > giveUpAt) throw error;
      onWriteRetry(error);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}
