import { heartbeat } from '@temporalio/activity';

/** Short, because a cancel reaches the activity with the answer to a heartbeat. */
const heartbeatMs = 1_000;

/** Tells Temporal that the activity lives for as long as `work` takes. */
export async function whileHeartbeating<T>(work: () => Promise<T>): Promise<T> {
  const beat = setInterval(heartbeat, heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
