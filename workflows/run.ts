import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { RunReason, RunStep } from '../domain/run.ts';
import { attributes } from './attributes.ts';
import { closing, importing, steps, ticketing } from './proxies.ts';
import { controlRun } from './run-control.ts';
import { send } from './run-sending.ts';
import { waitForApproval, waitForHours } from './run-waits.ts';

export interface RunInput {
  runId: number;
  campaignId: number;
}

export interface RunResult {
  status: 'finished' | 'skipped' | 'cancelled';
  /** Messages by status. */
  counts: Record<string, number>;
}

interface Ending {
  status: RunResult['status'];
  reason: RunReason | null;
}

/**
 * One run of a campaign: hours → pending check → mailing → pre-flight → (approval) → sending → tickets → done. A dry
 * run ends after its pre-flight, and checks neither hours nor pending runs; a resend does not check pending runs. What
 * is done is in the database: started again with the same input, after a failure or by continue-as-new, it goes on
 * where it was.
 *
 * A run that is skipped or cancelled returns; a run that failed fails. The history is bounded by continuing as new
 * (`longHistory`, run-sending.ts).
 */
export async function run(input: RunInput): Promise<RunResult> {
  const { runId } = input;
  const control = controlRun(runId);
  let step: RunStep = 'due';
  /** Whether messages may have left of a run that opens a ticket for each. */
  let ticketsDue = false;

  try {
    const ending = await work();
    return ending === 'long_history' ? await startAfresh() : await close(ending);
  } catch (error) {
    // A cancel has been confirmed to whoever asked for it: that a step failed meanwhile changes nothing.
    const byTemporal = isCancellation(error) || CancellationScope.current().consideredCancelled;
    if (!byTemporal && !(error instanceof ActivityFailure)) throw error;
    return CancellationScope.nonCancellable(async () => {
      if (byTemporal || control.cancelled) return closeCancelled(error);
      return failUnlessCancelled(error);
    });
  }

  /** The steps, from where the row says that the run is. Returns how the run ends. */
  async function work(): Promise<Ending | 'long_history'> {
    const { status, at, trigger, ticketsOnSend } = await steps.beginRun({ runId });
    control.begin(status);

    if (at === 'hours') {
      if (trigger !== 'dry_run') {
        enter('hours');
        const blocked = await waitForHours(runId, control);
        if (blocked) return blocked;
      }
      // A user who asks for a resend knows of the other runs.
      if (trigger === 'schedule' || trigger === 'manual') {
        enter('pending_check');
        const pending = await steps.checkPending({ runId });
        if (pending) return { status: 'skipped', reason: pending };
      }
      enter('mailing');
      const mailing = await control.within(new CancellationScope(), { pausable: false }, () =>
        trigger === 'resend'
          ? importing.copyMessages.executeWithOptions({ summary: 'Copy the messages' }, [{ runId }])
          : importing.importMailing.executeWithOptions({ summary: 'Read the mailing' }, [{ runId }]),
      );
      setCurrentDetails(mailing.details);
    }
    if (at !== 'sending') {
      enter('preflight');
      const flight = await steps.checkPreflight({ runId });
      setCurrentDetails(flight.details);
      if (trigger === 'dry_run')
        return { status: control.cancelled ? 'cancelled' : 'finished', reason: null };
      if (flight.needsApproval) {
        enter('approval');
        const blocked = await waitForApproval(runId, control);
        if (blocked) return blocked;
      }
    }
    ticketsDue = ticketsOnSend;
    enter('sending');
    const sent = await send(runId, control);
    switch (sent.status) {
      case 'long_history':
        return 'long_history';
      case 'finished':
        return { status: 'finished', reason: null };
      case 'cancelled':
        return sent;
    }
  }

  async function startAfresh(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew<typeof run>(input);
  }

  /** Ends the run in its row, then in Temporal. A cancel that comes before the row is written wins. */
  async function close({ status, reason }: Ending): Promise<RunResult> {
    // What was sent has its tickets, even if the rest is cancelled.
    if (ticketsDue) {
      enter('tickets');
      await ticketing.openTickets.executeWithOptions({ summary: 'Open the tickets' }, [
        { runId, cancelRest: status === 'cancelled' },
      ]);
    }
    return CancellationScope.nonCancellable(async () => {
      const closed =
        status === 'cancelled'
          ? await control.end(() => closing.closeRun({ runId, status, reason }))
          : ((await control.endUnlessCancelled(() => closing.closeRun({ runId, status, reason }))) ??
            (await control.end(() => closing.closeRun({ runId, status: 'cancelled', reason: null }))));
      enter('done');
      upsertSearchAttributes([{ key: attributes.outcome, value: closed.status }]);
      setCurrentDetails(closed.details);
      await condition(allHandlersFinished);
      return { status: closed.status, counts: closed.counts };
    });
  }

  /** A run that a user has cancelled returns; one that was cancelled in Temporal ends there as canceled. */
  async function closeCancelled(error: unknown): Promise<RunResult> {
    const byUser = control.cancelled;
    if (!byUser) await steps.requestCancel({ runId, reason: { code: 'by_temporal' } });
    const result = await close({ status: 'cancelled', reason: null });
    if (byUser) return result;
    throw isCancellation(error) ? error : new CancelledFailure('The run was cancelled in Temporal.');
  }

  async function failUnlessCancelled(error: unknown): Promise<RunResult> {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    const type = cause instanceof ApplicationFailure ? cause.type : null;
    const detail = cause?.message ?? '';
    const failed = await control.endUnlessCancelled(async () => {
      await steps.failRun({ runId, step, detail });
      return true;
    });
    if (!failed) return closeCancelled(error);
    upsertSearchAttributes([{ key: attributes.outcome, value: 'failed' }]);
    setCurrentDetails(`**Failed** in the step \`${step}\`: ${detail}`);
    await condition(allHandlersFinished);
    throw ApplicationFailure.nonRetryable(`The run failed in the step "${step}": ${detail}`, type);
  }

  function enter(next: RunStep): void {
    if (next === step) return;
    step = next;
    upsertSearchAttributes([{ key: attributes.step, value: next }]);
  }
}
