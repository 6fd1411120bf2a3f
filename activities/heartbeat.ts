import { heartbeat } from '@temporalio/activity';

/** Short, because the answer to a heartbeat carries a cancellation to the activity. */
export const heartbeatMs = 1_000;

/** Sends heartbeats to Temporal for as long as `work` runs. */
export async function whileHeartbeating<T>(work: () => Promise<T>): Promise<T> {
  const beat = setInterval(heartbeat, heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
