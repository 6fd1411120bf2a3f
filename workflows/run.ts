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
import type { SendingPlan } from '../activities/index.ts';
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
 * run ends after its pre-flight, and does not check hours and pending runs; a resend does not check pending runs. The
 * progress is in the database: when the workflow is started again with the same input, after a failure or by
 * continue-as-new, the run continues where it stopped.
 *
 * A run that is skipped or cancelled returns; a run that failed fails. Continuing as new bounds the history
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
    // The cancellation has already been confirmed to the caller: a step that failed meanwhile does not change that.
    const byTemporal = isCancellation(error) || CancellationScope.current().consideredCancelled;
    if (!byTemporal && !(error instanceof ActivityFailure)) throw error;
    return CancellationScope.nonCancellable(async () => {
      if (byTemporal || control.cancelled) return closeCancelled(error);
      return failUnlessCancelled(error);
    });
  }

  /** The steps, from the one in the run's row. Returns how the run ends. */
  async function work(): Promise<Ending | 'long_history'> {
    const { status, at, trigger, ticketsOnSend } = await steps.beginRun({ runId });
    control.begin(status);
    let plan: SendingPlan | null = null;

    if (at.step === 'hours') {
      if (at.hours.state === 'closed' || control.paused) enter('hours');
      const blocked = await waitForHours(runId, control, at.hours);
      if (blocked) return blocked;
    }
    if (at.step !== 'sending') {
      enter('mailing');
      const prepared = await control.within(new CancellationScope(), { pausable: false }, () =>
        trigger === 'resend'
          ? importing.copyMessages.executeWithOptions({ summary: 'Copy the messages, pre-flight' }, [
              { runId },
            ])
          : importing.importMailing.executeWithOptions({ summary: 'Read the mailing, pre-flight' }, [
              { runId },
            ]),
      );
      setCurrentDetails(prepared.details);
      plan = prepared.plan;
      if (trigger === 'dry_run')
        return { status: control.cancelled ? 'cancelled' : 'finished', reason: null };
      if (prepared.needsApproval) {
        enter('approval');
        const blocked = await waitForApproval(runId, control);
        if (blocked) return blocked;
      }
    }
    ticketsDue = ticketsOnSend;
    enter('sending');
    const sent = await send(runId, control, plan);
    switch (sent.status) {
      case 'long_history':
        return 'long_history';
      case 'finished':
        return { status: 'finished', reason: null };
      case 'cancelled':
      case 'skipped':
        return sent;
    }
  }

  async function startAfresh(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew<typeof run>(input);
  }

  /** Ends the run in its row, then in Temporal. A cancellation before the row is written wins. */
  async function close({ status, reason }: Ending): Promise<RunResult> {
    // Sent messages get their tickets, even if the rest is cancelled.
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
      upsertSearchAttributes([
        { key: attributes.step, value: 'done' },
        { key: attributes.outcome, value: closed.status },
      ]);
      setCurrentDetails(closed.details);
      await condition(allHandlersFinished);
      return { status: closed.status, counts: closed.counts };
    });
  }

  /** A run that a user cancelled returns; one that was cancelled in Temporal ends there as canceled. */
  async function closeCancelled(error: unknown): Promise<RunResult> {
    const byUser = control.cancelled;
    if (!byUser) await steps.requestCancel({ runId, reason: { code: 'by_temporal' } });
    const result = await close({ status: 'cancelled', reason: null });
    if (byUser) return result;
    throw isCancellation(error) ? error : new CancelledFailure('The run was cancelled in Temporal.');
  }

  async function failUnlessCancelled(error: unknown): Promise<RunResult> {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    const type = cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
    const failureDetail = cause instanceof ApplicationFailure ? cause.details?.[0] : null;
    const detail = cause?.message ?? '';
    const failed = await control.endUnlessCancelled(async () => {
      await steps.failRun({ runId, step, failure: { type, detail: failureDetail } });
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
