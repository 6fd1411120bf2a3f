import { ConfigError } from '../config.ts';
import { DatabaseSetupError } from '../db/core/client.ts';

/** The options with which API and worker are started. */
export interface StartOptions {
  /** Ends the wait for unavailable servers: the start throws its reason. */
  signal?: AbortSignal;
  /** Called when the database was replaced by a backup: this process has to end at once. */
  onRestored?: (error: Error) => void;
}

/** Ends this process at once. Messages in flight stay unknown, as they would in the restored database anyway. */
export function endRestored(error: Error): never {
  console.error(error.message);
  process.exit(1);
}

/** An error as a process or script prints it: a problem that the operator can fix, without a stack. */
export const printedError = (error: unknown): unknown =>
  error instanceof ConfigError || error instanceof DatabaseSetupError ? error.message : error;

/** The main function of API and worker: starts, and stops on SIGTERM or SIGINT. Ends the process. */
export async function runProcess(start: (signal: AbortSignal) => Promise<{ stop: () => Promise<void> }>) {
  const stopping = new AbortController();
  const abort = (): void => stopping.abort();
  process.once('SIGTERM', abort).once('SIGINT', abort);
  try {
    const running = await start(stopping.signal);
    const end = (): void => void running.stop().then(() => process.exit(0));
    if (stopping.signal.aborted) end();
    else stopping.signal.addEventListener('abort', end);
  } catch (error) {
    // Stopped while it was waiting for its servers.
    if (error instanceof Error && error.name === 'AbortError') process.exit(0);
    console.error(printedError(error));
    process.exit(1);
  }
}
