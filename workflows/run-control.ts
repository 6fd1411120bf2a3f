import {
  ApplicationFailure,
  type CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { failures } from '../domain/failures.ts';
import type { RunReason, RunStatus } from '../domain/run.ts';
import { steps } from './proxies.ts';

/** The actor: `user:7`, `token:3`. A name would be stored in the history permanently. */
export interface Asked {
  by: string;
}

/**
 * Each update returns when it is in effect, and fails with `RunEnded` (domain/failures.ts). After a pause no more
 * messages leave. The pause returns once all messages in flight have their outcomes, or after `longestDrainMs` if sends
 * hang or their worker has died or is frozen.
 */
export const pause = defineUpdate<null, [Asked]>('pause');
export const resume = defineUpdate<null, [Asked]>('resume');
export const cancel = defineUpdate<null, [Asked]>('cancel');
/** What a run waits for may have changed: it checks again. Carries no data. */
export const runChanged = defineSignal('runChanged');
/** Lets a run that waits for approval continue. Fails with `NotWaitingForApproval`. */
export const approve = defineUpdate<null, [Asked]>('approve');

/**
 * How long `pause` waits for the senders to end: longer than they trust their leases, which they cannot renew then
 * (db/messages/leases.ts), and shorter than a client waits for its answer.
 */
const longestDrainMs = 5_000;

/** What users have requested of a run, and what its steps need to know about it. */
export interface RunControl {
  readonly paused: boolean;
  /** By the update, or by a cancellation of the workflow itself. */
  readonly cancelled: boolean;
  readonly approved: boolean;
  /** How often it was signaled to check again what it waits for. */
  readonly changes: number;
  /** Earlier updates from users wait for this call, so that it does not overwrite their effect. */
  begin(status: RunStatus): void;
  /** Pauses the run automatically, unless a user's request came first. */
  pauseFor(reason: RunReason): Promise<void>;
  /**
   * Ends the run by `last`, which writes its row, after the earlier requests of users. Later requests fail with
   * `RunEnded`, so row and workflow agree on the end.
   */
  end<T>(last: () => Promise<T>): Promise<T>;
  /** The same, unless the run is cancelled by then: null, and the run has not ended. */
  endUnlessCancelled<T>(last: () => Promise<T>): Promise<T | null>;
  /** Runs `work` in `scope`, which a cancellation of the run ends, and with `pausable` also a pause. */
  within<T>(scope: CancellationScope, options: { pausable: boolean }, work: () => Promise<T>): Promise<T>;
}

/** Registers the updates of a run. Call it before the first `await` of the workflow. */
export function controlRun(runId: number): RunControl {
  let begun = false;
  let paused = false;
  let cancelled = false;
  let approved = false;
  let changes = 0;
  let over = false;
  let current: { scope: CancellationScope; pausable: boolean } | null = null;

  const assertLive = (): void => {
    if (over) throw ApplicationFailure.nonRetryable('The run has ended.', failures.runEnded);
  };
  let turn: Promise<unknown> = condition(() => begun || over);
  /** One after the other, in the order of the requests: the row keeps the last one, and so does this state. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const changed = turn.then(change);
    turn = changed.catch(() => undefined);
    return changed;
  };
  const endInTurn = async <T>(last: () => Promise<T>): Promise<T> => {
    // A run whose first step failed never began.
    begun = true;
    return inTurn(async () => {
      const result = await last();
      over = result !== null;
      return result;
    });
  };
  const whileLive = { validator: (_: Asked): void => assertLive() };
  const isPausableOpen = (): boolean => current?.pausable === true;

  setHandler(runChanged, () => {
    changes++;
  });
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
    get changes() {
      return changes;
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
