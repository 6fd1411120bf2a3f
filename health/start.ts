/** How API and worker are started. */
export interface StartOptions {
  /** Ends the wait for servers that are not there yet: the start throws its reason. */
  signal?: AbortSignal;
  /** Called when the database was exchanged for a backup: this process has to end at once. */
  onRestored?: (error: Error) => void;
}

/** Ends this process at once. What is in flight stays unknown, as it would be in the restored database anyway. */
export function endRestored(error: Error): never {
  console.error(error.message);
  process.exit(1);
}
