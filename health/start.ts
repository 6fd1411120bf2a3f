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
