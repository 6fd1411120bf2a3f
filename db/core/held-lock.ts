import type { Database } from './client.ts';

/** A lock that one process of the deployment holds at a time. */
export interface HeldLock {
  /** Aborted when the lock is lost, or may be. */
  signal: AbortSignal;
  /** Whether the lock is still certain: check it before each step that only the holder may take. */
  isHeld: () => boolean;
  /**
   * Asks the database. A lock that the database took away is free a moment before the holder's connection closes; call
   * this before starting a batch, so that none starts in that moment.
   *
   * @throws the lock is lost.
   */
  confirm: () => Promise<void>;
}

/** Another process holds the lock. */
export class LockTakenError extends Error {
  override readonly name = 'LockTakenError';
}

/** The interval at which the holder checks the lock. */
const pingMs = 1_000;
/** The holder stops this long after the last answer ... */
const certainMs = 5_000;
/** ... and PostgreSQL releases the lock this long after the last question: always later. */
const leaseMs = 10_000;

/**
 * Runs `work` while no other process holds the lock of that name. Returns when `work` has ended, even if the lock is
 * lost earlier, and then rejects.
 *
 * A transaction that does nothing else holds the lock. The lock ends with its connection; and because PostgreSQL ends
 * an idle transaction, also when the holder is frozen or cut off from the network. A holder that resumes knows by the
 * clock that it may have lost the lock.
 *
 * @throws {LockTakenError} another process holds it.
 */
export async function withHeldLock<T>(
  sql: Database,
  name: string,
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const running: { work?: Promise<T> } = {};
  try {
    const { result } = await sql.begin(async (tx) => {
      await tx`select set_config('idle_in_transaction_session_timeout', ${String(leaseMs)}, true)`;
      const [row] = await tx<
        [{ held: boolean }]
      >`select pg_try_advisory_xact_lock(hashtext(${name})) as held`;
      if (!row.held) throw new LockTakenError(`Another process holds the lock ${name}.`);
      let heldAt = Date.now();
      let isAsking = false;
      const isHeld = (): boolean => !lost.signal.aborted && Date.now() - heldAt < certainMs;
      const ask = async (): Promise<void> => {
        const askedAt = Date.now();
        await tx`select 1`;
        heldAt = askedAt;
      };
      const timer = setInterval(() => {
        if (!isHeld()) lost.abort(new Error(`The lock ${name} may be lost: the database does not answer.`));
        if (isAsking || lost.signal.aborted) return;
        isAsking = true;
        ask()
          .catch((error: unknown) => lost.abort(error))
          .finally(() => (isAsking = false));
      }, pingMs);
      try {
        running.work = work({ signal: lost.signal, isHeld, confirm: ask });
        const ended = { result: await running.work };
        lost.signal.throwIfAborted();
        return ended;
      } finally {
        clearInterval(timer);
      }
    });
    return result;
  } catch (error) {
    // The transaction rejects as soon as its connection closes; the work may still be running.
    lost.abort(error);
    await running.work?.catch(() => undefined);
    throw error;
  }
}
