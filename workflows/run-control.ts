import {
  ApplicationFailure,
  type CancellationScope,
  condition,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { failures } from '../domain/failures.ts';
import type { RunReason, RunStatus } from '../domain/run.ts';
import { steps } from './proxies.ts';

/** Who asks: `user:7`, `token:3`. A name would stay in the history for good. */
export interface Asked {
  by: string;
}

/**
 * Each returns when it is in effect, and fails with `RunEnded` (domain/failures.ts). After a pause nothing leaves any
 * more. It returns once all that was in flight has its outcome, or after `longestDrainMs`, while sends hang or their
 * worker has died or is frozen.
 */
export const pause = defineUpdate<null, [Asked]>('pause');
export const resume = defineUpdate<null, [Asked]>('resume');
export const cancel = defineUpdate<null, [Asked]>('cancel');
/** Lets a run continue that waits for approval. Fails with `NotWaitingForApproval`. */
export const approve = defineUpdate<null, [Asked]>('approve');

/**
 * `pause` waits this long for the senders to end: longer than they trust their leases, which they cannot renew then
 * (db/messages/leases.ts), and less than a client waits for its answer.
 */
const longestDrainMs = 5_000;

/** What users have asked of a run, and what its steps have to know of it. */
export interface RunControl {
  readonly paused: boolean;
  /** By the update, or by whoever cancelled the workflow itself. */
  readonly cancelled: boolean;
  readonly approved: boolean;
  /** What users ask before this waits, so that what is read here does not undo it. */
  begin(status: RunStatus): void;
  /** Pauses the run by itself, unless a user was faster. */
  pauseFor(reason: RunReason): Promise<void>;
  /**
   * Ends the run by `last`, which writes its row, after what users have asked before. What they ask later fails with
   * `RunEnded`, so row and workflow agree on the end.
   */
  end<T>(last: () => Promise<T>): Promise<T>;
  /** The same, unless the run is cancelled by then: null, and the run has not ended. */
  endUnlessCancelled<T>(last: () => Promise<T>): Promise<T | null>;
  /** Runs `work` in `scope`, which a cancel of the run ends; with `pausable` a pause does, too. */
  within<T>(scope: CancellationScope, options: { pausable: boolean }, work: () => Promise<T>): Promise<T>;
}

/** Registers the updates of a run. Call it before the first `await` of the workflow. */
export function controlRun(runId: number): RunControl {
  let begun = false;
  let paused = false;
  let cancelled = false;
  let approved = false;
  let over = false;
  let current: { scope: CancellationScope; pausable: boolean } | null = null;

  const assertLive = (): void => {
    if (over) throw ApplicationFailure.nonRetryable('The run has ended.', failures.runEnded);
  };
  let turn: Promise<unknown> = condition(() => begun || over);
  /** One after the other, in the order in which they were asked: the row keeps the last one, and so does this state. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const changed = turn.then(change);
    turn = changed.catch(() => undefined);
    return changed;
  };
  const endInTurn = async <T>(last: () => Promise<T>): Promise<T> => {
    // A run whose first step has failed never began.
    begun = true;
    return inTurn(async () => {
      const result = await last();
      over = result !== null;
      return result;
    });
  };
  const whileLive = { validator: (_: Asked): void => assertLive() };
  const isPausableOpen = (): boolean => current?.pausable === true;

  setHandler(
    pause,
    async ({ by }) => {
      await inTurn(async () => {
        assertLive();
        await steps.pauseRun({ runId, reason: { code: 'by_user', user: by } });
        paused = true;
        if (current?.pausable) current.scope.cancel();
      });
      await condition(() => !isPausableOpen(), longestDrainMs);
      return null;
    },
    whileLive,
  );
  setHandler(
    resume,
    async (_: Asked) => {
      await inTurn(async () => {
        assertLive();
        await steps.resumeRun({ runId });
        paused = false;
      });
      return null;
    },
    whileLive,
  );
  setHandler(
    cancel,
    async ({ by }) => {
      await inTurn(async () => {
        assertLive();
        await steps.requestCancel({ runId, reason: { code: 'by_user', user: by } });
        cancelled = true;
        current?.scope.cancel();
      });
      return null;
    },
    whileLive,
  );
  setHandler(
    approve,
    async ({ by }) => {
      await inTurn(async () => {
        assertLive();
        await steps.approveRun({ runId, by });
        approved = true;
      });
      return null;
    },
    whileLive,
  );

  return {
    get paused() {
      return paused;
    },
    get cancelled() {
      return cancelled;
    },
    get approved() {
      return approved;
    },
    begin(status) {
      paused = status === 'paused';
      cancelled = status === 'cancelling';
      begun = true;
    },
    pauseFor: (reason) =>
      inTurn(async () => {
        if (paused || cancelled) return;
        await steps.pauseRun({ runId, reason });
        paused = true;
      }),
    end: (last) => endInTurn(last),
    endUnlessCancelled: (last) => endInTurn(async () => (cancelled ? null : last())),
    async within(scope, { pausable }, work) {
      current = { scope, pausable };
      try {
        return await scope.run(work);
      } finally {
        current = null;
      }
    },
  };
}
