import { releaseClaims } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { endDoubt, holdProvider, noteDoubt } from '../db/providers/trouble.ts';
import { runStatus } from '../db/runs/runs.ts';
import type { Provider } from '../sms/provider.ts';
import type { Lane, Urgency } from './lane.ts';
import type { Lease } from './lease.ts';
import { persistently } from './persistently.ts';
import { createClaiming } from './sender-claims.ts';
import { createFlow, type SenderStop } from './sender-flow.ts';
import { createPump, type SenderProgress } from './sender-pump.ts';
import type { EverySecond } from './ticks.ts';
import { writeOutcomes, writeSize } from './sender-writer.ts';

/**
 * A sender holds at most this many messages without a durable outcome besides those in flight: they wait for their
 * turn, or for the write of their outcome. With 450, sends continue while a claim and a write are in progress; with 200
 * the sender waits for the disk (measured: two thirds of the rate). Under a low rate limit it holds far fewer.
 */
const besidesInFlight = 450;

/**
 * How many claimed messages without a durable outcome a sender holds at most, with this many sends in flight. A killed
 * worker leaves this many as `unknown`, so it is a promise (docs/architecture.md).
 */
export const maxHeld = (inFlight: number): number => inFlight + besidesInFlight;

export interface SenderDeps {
  sql: Database;
  provider: Provider;
  providerId: number;
  /** Of the provider. */
  lane: Lane;
  /** No message leaves while it is not valid. Renewed each second. */
  lease: Lease;
  everySecond: EverySecond;
}

export interface SenderTask {
  runId: number;
  /** Identifies this sender in the rows that it claims. Unique to each attempt of each activity. */
  sender: string;
  /** No message leaves after this time. */
  until: Date;
  /** Leaves messages that were tried this often to `sendMessage`. */
  maxAttempts: number;
  /** Claims at most this many messages that were never claimed; null: all. */
  limit: number | null;
  /** The provider has accepted messages of the run. */
  reached: boolean;
  urgency: Urgency;
  /**
   * Called each second. Returns why to stop, if a safeguard or the sending hours require it; null: continue. `after`
   * outcomes, only what they may have changed has to be checked.
   */
  checkStopReason: (
    after: 'second' | 'outcomes',
  ) => Promise<'threshold' | 'budget' | 'deadline' | 'yielded' | null>;
  /** Also called after this many outcomes, before more messages are claimed; null: only by time. */
  checkEach: () => number | null;
  /** Stop claiming: the worker shuts down, or the activity was cancelled. Outcomes in flight are still recorded. */
  signal: AbortSignal;
  /** Called each second, and at the end. */
  onProgress: (progress: SenderProgress) => void;
  /** The provider asks for a pause of this many milliseconds; `code`: its answer, to be shown. */
  onPause: (ms: number, code: string) => void;
  /** Called for each write that failed and is retried: the database is unavailable. */
  onWriteRetry: (error: unknown) => void;
}

/**
 * Sends the queued messages of a run, streaming. Three parts run side by side: one claims ahead in small batches
 * (sender-claims.ts), one sends in turn with the provider's other senders (sender-pump.ts), and one writes outcomes in
 * batches behind them (sender-writer.ts). Never holds more than `maxHeld` messages without a durable outcome.
 *
 * Returns why it stopped, after each message that it claimed has its outcome written or is queued again. The same
 * applies before it throws `ProviderAccountError` or `ProviderUnavailableError`. Throws a database error only when
 * claimed messages could not be returned to the queue.
 */
export async function streamMessages(
  { sql, provider, providerId, lane, lease, everySecond }: SenderDeps,
  task: SenderTask,
): Promise<SenderStop> {
  const { runId, sender, signal, onProgress } = task;
  const { receiptsById } = provider;
  const flow = createFlow(task);
  /** The consecutive doubtful answers of this sender that are not in the database yet. */
  const doubts = { answers: 0, code: '', hasEnded: false };
  /** Written before the sender returns: the run's next step depends on them. */
  let pausing: Promise<unknown> = Promise.resolve();
  const noteDoubts = async (): Promise<void> => {
    await pausing;
    const { answers, code, hasEnded } = doubts;
    if (hasEnded) await persistently(task, () => endDoubt(sql, providerId));
    if (answers > 0) await persistently(task, () => noteDoubt(sql, providerId, { answers, code }));
  };

  const renewLease = (): void => {
    lease.ask().then(
      ({ held, status }) => {
        if (!held) flow.stopFor(status === 'running' ? 'superseded' : 'not_running');
        else pumping.wake();
        flow.roomFreed.notify();
      },
      // The database is unavailable: the next tick asks again, and no message leaves until then.
      () => undefined,
    );
  };
  const pumping = createPump({
    ...{ provider, providerId, lease, flow, lane, writeSize, renewLease },
    ...{ reached: task.reached, urgency: task.urgency },
    askForPause(ms, code) {
      const asking = holdProvider(sql, providerId, { ms, code }).catch(() => undefined);
      pausing = pausing.then(() => asking);
      task.onPause(ms, code);
    },
    noteAnswer(answers, code) {
      Object.assign(doubts, { answers, code });
      if (answers === 0) doubts.hasEnded = true;
    },
  });
  const claiming = createClaiming({
    ...{ sql, task, flow, lane, onClaimed: pumping.wake },
    maxHeld: () => maxHeld(pumping.limit()),
    mayClaim() {
      const isValid = lease.isValid();
      if (!isValid) renewLease();
      return isValid;
    },
  });

  const checkStop = (after: 'second' | 'outcomes'): Promise<void> =>
    task.checkStopReason(after).then(
      (why) => {
        if (why !== null) flow.stopFor(why);
      },
      () => undefined,
    );
  let unchecked = 0;
  const onWritten = async (count: number): Promise<void> => {
    unchecked += count;
    const each = task.checkEach();
    if (each === null || unchecked < each) return;
    unchecked = 0;
    await checkStop('outcomes');
  };

  const endTicks = everySecond(() => {
    onProgress(pumping.progress);
    renewLease();
    void checkStop('second');
    if (flow.isStopping()) flow.wakeAll();
  });
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
    const [claimError] = await Promise.all([
      claimed,
      writeOutcomes({
        ...{ sql, task, flow, receiptsById, onWritten },
        latencyMs: pumping.latencyMs,
        senders: lane.senders,
      }),
    ]);
    await noteDoubts();
    // Every sent message has its outcome: a message still claimed under our name came from a claim or a reservation
    // whose answer was lost, and was never sent.
    if (claimError) {
      await persistently(task, () => releaseClaims(sql, { runId, sender }));
      throw claimError;
    }
  } finally {
    endTicks();
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
