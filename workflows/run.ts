import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineUpdate,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { failures } from '../domain/failures.ts';
import type { RunReason, RunStep } from '../domain/run.ts';
import { attributes } from './attributes.ts';
import { failingOver, importing, single, steps, streaming, ticketing } from './proxies.ts';

/** Who asks: `user:7`, `token:3`; a name would stand in the history for good. */
export interface Asked {
  by: string;
}

/**
 * Each returns when it is in effect, and fails with `RunEnded` (domain/failures.ts). After a pause nothing leaves any
 * more, unless sends hang or their worker has died: then it returns after `longestDrainMs`, while they end.
 */
export const pause = defineUpdate<null, [Asked]>('pause');
export const resume = defineUpdate<null, [Asked]>('resume');
export const cancel = defineUpdate<null, [Asked]>('cancel');
/** Lets a run go on that waits for it. Fails with `NotWaitingForApproval`. */
export const approve = defineUpdate<null, [Asked]>('approve');

export interface RunInput {
  runId: number;
  campaignId: number;
}

export interface RunResult {
  status: 'finished' | 'skipped' | 'cancelled';
  /** Messages by status. */
  counts: Record<string, number>;
}

/** Continue as new from here on: a run with a slow rate takes days, and each slice adds some twenty events. */
const longHistory = 1_500;
/** The failures of a sender that are the provider's. */
const stops: ReadonlyMap<string, 'account' | 'unavailable'> = new Map([
  [failures.providerAccount, 'account'],
  [failures.providerUnavailable, 'unavailable'],
]);
/** So many sends of a small run are under way at once. */
const singlesAtOnce = 10;
/** `pause` waits this long for the senders to end. Less than a client waits for its answer. */
const longestDrainMs = 5_000;
/** Messages to be tried again later are looked for at least this often. */
const longestPauseMs = 60_000;

/**
 * One run of a campaign: hours → pending check → mailing → pre-flight → (approval) → sending → tickets → done. A dry
 * run ends after its pre-flight, and asks for neither hours nor pending runs; a resend not for pending runs. What is done is in the database: started
 * again with the same input, after a failure or by continue-as-new, it goes on where it was.
 *
 * A run that is skipped or cancelled returns; one that failed fails.
 */
export async function run(input: RunInput): Promise<RunResult> {
  const { runId } = input;
  /** Whether the run has been taken up: what is asked before that waits, so that it is not undone by what is read then. */
  let begun = false;
  let paused = false;
  /** Set by `cancel`, or by who cancels the workflow itself. */
  let cancelled = false;
  let approved = false;
  let over = false;
  let step: RunStep = 'due';
  /** Whether messages may have left of a run that opens a ticket for each. */
  let ticketsDue = false;
  /** The senders see the run's new status by themselves; cancelling the scope ends what waits in a back-off. */
  let sending: CancellationScope | null = null;
  let reading: CancellationScope | null = null;
  const whileLive = {
    validator: (_: Asked): void => {
      if (over) throw ApplicationFailure.nonRetryable('The run has ended.', failures.runEnded);
    },
  };
  let turn: Promise<unknown> = condition(() => begun || over);
  /** One after the other, as they were asked: what the row says last is what counts here, too. */
  const inTurn = (change: () => Promise<void>): Promise<void> => {
    const changed = turn.then(change);
    turn = changed.catch(() => undefined);
    return changed;
  };
  setHandler(
    pause,
    async ({ by }) => {
      await inTurn(async () => {
        await steps.pauseRun({ runId, reason: { code: 'by_user', user: by } });
        paused = true;
        sending?.cancel();
      });
      await condition(() => sending === null, longestDrainMs);
      return null;
    },
    whileLive,
  );
  setHandler(
    resume,
    async (_: Asked) => {
      await inTurn(async () => {
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
        await steps.requestCancel({ runId, reason: { code: 'by_user', user: by } });
        cancelled = true;
        sending?.cancel();
        reading?.cancel();
      });
      return null;
    },
    whileLive,
  );
  setHandler(
    approve,
    async ({ by }) => {
      await inTurn(async () => {
        await steps.approveRun({ runId, by });
        approved = true;
      });
      return null;
    },
    whileLive,
  );

  /** Pauses the run by itself, unless a person was faster. */
  const pauseFor = (reason: RunReason): Promise<void> =>
    inTurn(async () => {
      if (paused || cancelled) return;
      await steps.pauseRun({ runId, reason });
      paused = true;
    });

  const enter = (next: RunStep): void => {
    if (next === step) return;
    step = next;
    upsertSearchAttributes([{ key: attributes.step, value: next }]);
  };
  const close = async (status: RunResult['status'], reason: RunReason | null): Promise<RunResult> => {
    // What was sent has its tickets, even if the rest is cancelled.
    if (ticketsDue) {
      enter('tickets');
      await ticketing.openTickets.executeWithOptions({ summary: 'Open the tickets' }, [
        { runId, cancelRest: status === 'cancelled' },
      ]);
    }
    const closed = await steps.closeRun({ runId, status, reason });
    over = true;
    enter('done');
    upsertSearchAttributes([{ key: attributes.outcome, value: closed.status }]);
    setCurrentDetails(closed.details);
    await condition(allHandlersFinished);
    return { status: closed.status, counts: closed.counts };
  };

  try {
    const { status, at, trigger, ticketsOnSend } = await steps.beginRun({ runId });
    paused = status === 'paused';
    cancelled = status === 'cancelling';
    begun = true;

    if (at === 'hours') {
      if (trigger !== 'dry_run') {
        enter('hours');
        const blocked = await waitForHours();
        if (blocked) return await close(blocked.status, blocked.reason);
      }
      // A person who asks for a resend knows of the other runs.
      if (trigger === 'schedule' || trigger === 'manual') {
        enter('pending_check');
        const pending = await steps.checkPending({ runId });
        if (pending) return await close('skipped', pending);
      }
      enter('mailing');
      reading = new CancellationScope();
      const mailing = await reading.run(() =>
        trigger === 'resend'
          ? importing.copyMessages.executeWithOptions({ summary: 'Copy the messages' }, [{ runId }])
          : importing.importMailing.executeWithOptions({ summary: 'Read the mailing' }, [{ runId }]),
      );
      reading = null;
      setCurrentDetails(mailing.details);
    }
    if (at !== 'sending') {
      enter('preflight');
      const flight = await steps.checkPreflight({ runId });
      setCurrentDetails(flight.details);
      if (trigger === 'dry_run') return await close(cancelled ? 'cancelled' : 'finished', null);
      if (flight.needsApproval) {
        enter('approval');
        const blocked = await waitForApproval();
        if (blocked) return await close(blocked.status, blocked.reason);
      }
    }
    ticketsDue = ticketsOnSend;
    enter('sending');
    return await send();
  } catch (error) {
    // Who cancelled has been told that it is done: that a step failed meanwhile changes nothing.
    if (isCancellation(error) || (cancelled && error instanceof ActivityFailure)) {
      const byUser = cancelled;
      return await CancellationScope.nonCancellable(async () => {
        if (!byUser) await steps.requestCancel({ runId, reason: { code: 'by_temporal' } });
        const result = await close('cancelled', null);
        if (byUser) return result;
        throw error;
      });
    }
    if (!(error instanceof ActivityFailure)) throw error;
    const { cause } = error;
    const type = cause instanceof ApplicationFailure ? cause.type : null;
    const detail = cause?.message ?? error.message;
    await steps.failRun({ runId, step, detail });
    over = true;
    upsertSearchAttributes([{ key: attributes.outcome, value: 'failed' }]);
    setCurrentDetails(`**Failed** in the step \`${step}\`: ${detail}`);
    await condition(allHandlersFinished);
    throw ApplicationFailure.nonRetryable(`The run failed in the step "${step}": ${detail}`, type);
  }

  /** Returns once a person has approved the run; or how the run ends before that. */
  async function waitForApproval(): Promise<{ status: 'cancelled'; reason: RunReason | null } | null> {
    for (;;) {
      if (cancelled) return { status: 'cancelled', reason: null };
      if (approved) return null;
      const approval = await steps.checkApproval({ runId });
      switch (approval.state) {
        case 'approved':
          return null;
        case 'expired':
          return { status: 'cancelled', reason: approval.reason };
        case 'waiting':
          setCurrentDetails(approval.details);
          await condition(() => approved || cancelled, approval.waitMs);
          break;
      }
    }
  }

  /** Returns once messages may leave and nobody has paused the run; or how the run ends before that. */
  async function waitForHours(): Promise<{ status: 'cancelled'; reason: RunReason | null } | null> {
    for (;;) {
      if (cancelled) return { status: 'cancelled', reason: null };
      const before = paused;
      const hours = await steps.checkHours({ runId });
      if (hours.state === 'expired') return { status: 'cancelled', reason: hours.reason };
      if (hours.state === 'open' && !paused) return null;
      setCurrentDetails(hours.details);
      // A run that is paused expires, too.
      await condition(() => paused !== before || cancelled, hours.waitMs);
    }
  }

  async function send(): Promise<RunResult> {
    const { taskQueue } = workflowInfo();
    for (;;) {
      const blocked = await waitForHours();
      if (blocked) return close(blocked.status, blocked.reason);
      if (workflowInfo().historyLength > longHistory || workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        return continueAsNew<typeof run>(input);
      }
      const plan = await steps.planSending({ runId });
      setCurrentDetails(plan.details);
      if (paused || cancelled) continue;
      switch (plan.next) {
        case 'done':
          return close('finished', null);
        case 'pause':
          await pauseFor(plan.reason);
          break;
        case 'wait':
          await condition(() => paused || cancelled, Math.min(plan.waitMs, longestPauseMs));
          break;
        case 'stream': {
          const { sendMessages } = streaming(taskQueue);
          await inSendingScope(plan.senders, (index) =>
            sendMessages.executeWithOptions(
              { summary: plan.senders === 1 ? 'Send' : `Send (${index + 1} of ${plan.senders})` },
              [{ runId, limit: plan.limit, maxAttempts: plan.maxAttempts }],
            ),
          );
          break;
        }
        case 'one_by_one': {
          const { sendMessage } = single(taskQueue);
          const waiting = [...plan.messageIds];
          const worker = async (): Promise<void> => {
            for (let messageId = waiting.shift(); messageId !== undefined; messageId = waiting.shift()) {
              if (paused || cancelled) return;
              await sendMessage.executeWithOptions({ summary: `Message ${messageId}` }, [
                { messageId, maxAttempts: plan.maxAttempts },
              ]);
            }
          };
          await inSendingScope(singlesAtOnce, worker);
          break;
        }
      }
    }
  }

  /**
   * Runs `count` senders side by side, ended early by a pause or a cancel. Returns only when none is under way any more: what
   * is in `sending` after that belongs to nobody. When the provider takes nothing any more, the run goes over to its
   * fallback; without one, an account that is refused pauses the run.
   */
  async function inSendingScope(count: number, sender: (index: number) => Promise<unknown>): Promise<void> {
    const scope = new CancellationScope();
    sending = scope;
    const results = await scope.run(() =>
      Promise.allSettled(Array.from({ length: count }, (_, index) => sender(index))),
    );
    sending = null;
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      const error: unknown = result.reason;
      if (isCancellation(error) && (paused || cancelled)) continue;
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      const stop = cause instanceof ApplicationFailure ? (stops.get(cause.type ?? '') ?? null) : null;
      if (!(cause instanceof ApplicationFailure) || stop === null) throw error;
      const [code, from] = cause.details ?? [];
      const providerCode = typeof code === 'string' ? code : '';
      if (!paused && !cancelled && typeof from === 'number') {
        const words = await failingOver.failOver.executeWithOptions(
          { summary: 'Go over to the fallback provider' },
          [{ runId, from, cause: stop, providerCode }],
        );
        if (words !== null) {
          log.warn('The run goes over to the fallback provider', { runId, from, providerCode });
          return;
        }
      }
      // One that can't be reached is tried again, as ever.
      if (stop === 'unavailable') return;
      log.warn('The provider refuses the account; the run is paused', { runId, providerCode });
      await pauseFor({ code: 'provider_account', providerCode, detail: cause.message });
      return;
    }
  }
}
