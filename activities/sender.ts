import { releaseClaims } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { holdProvider, reserveRate } from '../db/providers/providers.ts';
import { runStatus } from '../db/runs/runs.ts';
import type { Provider } from '../sms/provider.ts';
import type { Lease } from './lease.ts';
import { createPace } from './pace.ts';
import { persistently } from './persistently.ts';
import { createClaiming } from './sender-claims.ts';
import { createFlow, type SenderStop } from './sender-flow.ts';
import { createPump, type SenderProgress } from './sender-pump.ts';
import { writeOutcomes, writeSize } from './sender-writer.ts';

/**
 * A sender holds at most so many messages without a durable outcome besides those in flight: they wait for their turn, or
 * for their outcome to be written. 450 keep the sends going while a claim and a write are under way; with 200 the sender
 * waits for the disk (measured: two thirds of the rate). Under a low rate limit far fewer are held.
 */
const besidesInFlight = 450;

/**
 * How many messages a sender holds at most that are claimed and have no durable outcome yet, if it has so many sends in
 * flight. It is what a killed worker leaves as `unknown`, and so a promise (docs/architecture.md).
 */
export const mostHeld = (inFlight: number): number => inFlight + besidesInFlight;

/** Looking whether to go on, and telling of the progress. */
const tickMs = 1_000;

export interface SenderDeps {
  sql: Database;
  provider: Provider;
  providerId: number;
  /** Nothing leaves while it is not valid. Renewed each second. */
  lease: Lease;
}

export interface SenderTask {
  runId: number;
  /** Names this sender in the rows it claims: no other attempt of any activity has the same. */
  sender: string;
  /** Nothing leaves from then on. */
  until: Date;
  /** Leaves messages that were attempted this often to `sendMessage`. */
  maxAttempts: number;
  /** Claims no more than so many that nobody has claimed before; null: all there are. */
  limit: number | null;
  /** Asked each second: why to stop, if a safeguard says so; null: go on. */
  checkStopReason: () => Promise<'threshold' | null>;
  /** Asked after each so many outcomes, too, before more is claimed for them; null: by time alone. */
  checkEach: number | null;
  /** Stop claiming: the worker shuts down, or the activity was cancelled. What is in flight is still recorded. */
  signal: AbortSignal;
  /** Called each second, and at the end. */
  onProgress: (progress: SenderProgress) => void;
  /** The provider asks for a pause of so many milliseconds; `code`: what it said, to be shown. */
  onPause: (ms: number, code: string) => void;
  /** Told of each write that failed and is tried again: the database is away. */
  onTrouble: (error: unknown) => void;
}

/**
 * Sends the queued messages of a run, streaming. Three parts run side by side: claims ahead in small batches
 * (sender-claims.ts), sends at the provider's rate (sender-pump.ts), and writes of outcomes in batches behind them
 * (sender-writer.ts). Never holds more than `mostHeld` messages without a durable outcome.
 *
 * Returns why it stopped, after everything it had claimed has its outcome written or is queued again. Throws
 * `ProviderAccountError` and `ProviderUnavailableError` likewise; a database error only when what was claimed could
 * not be given back.
 */
export async function streamMessages(
  { sql, provider, providerId, lease }: SenderDeps,
  task: SenderTask,
): Promise<SenderStop> {
  const { runId, sender, signal, onProgress } = task;
  const flow = createFlow(task);
  const pace = createPace((segments) => reserveRate(sql, providerId, segments));

  const renewLease = (): void => {
    lease.ask().then(
      ({ held, status }) => {
        if (!held) flow.stopFor(status === 'running' ? 'superseded' : 'not_running');
        else pumping.pump();
        flow.roomFreed.notify();
      },
      // The database is away: the next tick asks again, and nothing leaves until then.
      () => undefined,
    );
  };
  const pumping = createPump({
    ...{ provider, providerId, lease, flow, pace, writeSize, renewLease },
    askForPause(ms, code) {
      void holdProvider(sql, providerId, ms).catch(() => undefined);
      task.onPause(ms, code);
    },
  });
  const claiming = createClaiming({
    ...{ sql, task, flow, pace, onClaimed: pumping.pump },
    mostHeld: () => mostHeld(pumping.limit()),
    mayClaim() {
      const isValid = lease.isValid();
      if (!isValid) renewLease();
      return isValid;
    },
  });

  const checkStop = (): Promise<void> =>
    task.checkStopReason().then(
      (why) => {
        if (why !== null) flow.stopFor(why);
      },
      () => undefined,
    );
  let unchecked = 0;
  const onWritten = async (count: number): Promise<void> => {
    unchecked += count;
    if (task.checkEach === null || unchecked < task.checkEach) return;
    unchecked = 0;
    await checkStop();
  };

  const tick = setInterval(() => {
    onProgress(pumping.progress);
    renewLease();
    void checkStop();
    if (flow.isStopping()) flow.wakeAll();
  }, tickMs);
  const wake = (): void => void flow.isStopping();
  signal.addEventListener('abort', wake);

  try {
    const claimed = claiming.run().then(
      () => null,
      (error: unknown) => {
        flow.stopFor('shutdown');
        return error instanceof Error ? error : new Error(String(error));
      },
    );
    void claimed.then(() => {
      flow.isClaiming = false;
      flow.outcomesReady.notify();
    });
    const [claimError] = await Promise.all([claimed, writeOutcomes({ sql, task, flow, onWritten })]);
    // All that was sent has its outcome: what is still claimed under our name came from a claim or a reservation whose
    // answer was lost, and was never sent.
    if (claimError) {
      await persistently(task, () => releaseClaims(sql, { runId, sender }));
      throw claimError;
    }
  } finally {
    clearInterval(tick);
    pumping.end();
    signal.removeEventListener('abort', wake);
    onProgress(pumping.progress);
  }
  const stop = flow.why();
  if (stop instanceof Error) throw stop;
  if (stop === 'nothing_due' && !claiming.hasClaimed() && (await runStatus(sql, runId)) !== 'running')
    return 'not_running';
  return stop ?? 'nothing_due';
}
