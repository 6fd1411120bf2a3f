import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { SendingPlan } from '../activities/index.ts';
import { failures } from '../domain/failures.ts';
import { priorities } from './priorities.ts';
import { failingOver, single, steps, streaming } from './proxies.ts';
import type { RunControl } from './run-control.ts';
import { type Blocked, waitForHours } from './run-waits.ts';

/** Continue as new above this length: a run with a slow rate takes days, and each slice adds some twenty events. */
const longHistory = 1_500;
/** The failures of a sender that the provider caused. */
const stops: ReadonlyMap<string, 'account' | 'unavailable'> = new Map([
  [failures.providerAccount, 'account'],
  [failures.providerUnavailable, 'unavailable'],
]);
/** The number of concurrent sends of a small run. */
const singlesAtOnce = 10;
/** Messages that wait for a retry are checked at least this often. */
const longestPauseMs = 60_000;

/**
 * Sends all queued messages, in slices, inside the sending hours and while no user has paused the run. Returns
 * `finished` when no message is left, `long_history` when the workflow has to continue as new, or how the run ends.
 * `first`: the plan of the previous step.
 */
export async function send(
  runId: number,
  control: RunControl,
  first: SendingPlan | null,
): Promise<Blocked | { status: 'finished' | 'long_history' }> {
  for (let planned = first; ; planned = null) {
    if (control.paused || control.cancelled) {
      const blocked = await waitForHours(runId, control, null);
      if (blocked) return blocked;
      planned = null;
    }
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    if (historyLength > longHistory || continueAsNewSuggested) return { status: 'long_history' };
    const plan = planned ?? (await steps.planSending({ runId }));
    if (plan.next === 'hours') {
      const blocked = await waitForHours(runId, control, plan.hours);
      if (blocked) return blocked;
      continue;
    }
    setCurrentDetails(plan.details);
    if (control.paused || control.cancelled) continue;
    switch (plan.next) {
      case 'done':
        return { status: 'finished' };
      case 'pause':
        await control.pauseFor(plan.reason);
        break;
      case 'wait':
        await condition(() => control.paused || control.cancelled, Math.min(plan.waitMs, longestPauseMs));
        break;
      case 'stream':
        if (await stream(runId, control, plan)) return { status: 'finished' };
        break;
      case 'one_by_one':
        await sendOneByOne(runId, control, plan);
        break;
    }
  }
}

/** Even in a run that a user started, every slice after the first takes turns with the others. */
function priorityOf(urgency: PlanOf<'stream'>['urgency']) {
  switch (urgency) {
    case 'user':
      return priorities.runOfUser;
    case 'first':
      return priorities.firstOfRun;
    case null:
      return priorities.other;
  }
}

type PlanOf<Next extends SendingPlan['next']> = Extract<SendingPlan, { next: Next }>;

/** Whether the run is finished: no message is left, and it is not paused. A paused run must not appear as over. */
async function stream(
  runId: number,
  control: RunControl,
  { senders, limit, maxAttempts, urgency }: PlanOf<'stream'>,
): Promise<boolean> {
  const { sendMessages } = streaming(workflowInfo().taskQueue);
  const slices: { allSent: boolean }[] = [];
  await sideBySide(runId, control, senders, async (index) => {
    slices.push(
      await sendMessages.executeWithOptions(
        {
          summary: senders === 1 ? 'Send' : `Send (${index + 1} of ${senders})`,
          priority: priorityOf(urgency),
        },
        [{ runId, limit, maxAttempts }],
      ),
    );
  });
  return slices.some(({ allSent }) => allSent) && !control.paused && !control.cancelled;
}

function sendOneByOne(
  runId: number,
  control: RunControl,
  { messageIds, maxAttempts, urgency }: PlanOf<'one_by_one'>,
): Promise<void> {
  const { sendMessage } = single(workflowInfo().taskQueue);
  const waiting = [...messageIds];
  return sideBySide(runId, control, singlesAtOnce, async () => {
    for (let messageId = waiting.shift(); messageId !== undefined; messageId = waiting.shift()) {
      if (control.paused || control.cancelled) return;
      await sendMessage.executeWithOptions(
        { summary: `Message ${messageId}`, priority: priorityOf(urgency) },
        [{ messageId, maxAttempts }],
      );
    }
  });
}

/**
 * Runs `count` senders side by side; a pause or a cancellation ends them early. Returns only when none is active: after
 * that, no sender owns a message in `sending`. When the provider accepts nothing, the run switches to its fallback;
 * without one, a refused account pauses the run.
 */
async function sideBySide(
  runId: number,
  control: RunControl,
  count: number,
  sender: (index: number) => Promise<unknown>,
): Promise<void> {
  const scope = new CancellationScope();
  const results = await control.within(scope, { pausable: true }, () =>
    Promise.allSettled(Array.from({ length: count }, (_, index) => sender(index))),
  );
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    const error: unknown = result.reason;
    // A sender whose worker has died or is frozen times out instead of being cancelled.
    if (scope.consideredCancelled && (isCancellation(error) || isTimeout(error))) continue;
    const stop = stopOf(error);
    if (!stop) throw error;
    if (!control.paused && !control.cancelled && (await failOver(runId, stop))) return;
    // The next slice retries a provider that cannot be reached.
    if (stop.cause === 'unavailable') return;
    log.warn('The provider refuses the account; the run is paused', {
      runId,
      providerCode: stop.providerCode,
    });
    await control.pauseFor({
      code: 'provider_account',
      providerCode: stop.providerCode,
      detail: stop.detail,
    });
    return;
  }
}

interface Stop {
  cause: 'account' | 'unavailable';
  providerCode: string;
  /** The provider; null if the failure does not name it. */
  from: number | null;
  detail: unknown;
}

/** What a sender's failure reports about the provider; null if the failure is not the provider's. */
function stopOf(error: unknown): Stop | null {
  const failure = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(failure instanceof ApplicationFailure)) return null;
  const cause = stops.get(failure.type ?? '');
  if (!cause) return null;
  const [code, from, detail] = failure.details ?? [];
  return {
    cause,
    providerCode: typeof code === 'string' ? code : '',
    from: typeof from === 'number' ? from : null,
    detail,
  };
}

/** Whether the run has switched to its fallback provider. */
async function failOver(runId: number, { cause, from, providerCode }: Stop): Promise<boolean> {
  if (from === null) return false;
  const words = await failingOver.failOver.executeWithOptions(
    { summary: 'Go over to the fallback provider' },
    [{ runId, from, cause, providerCode }],
  );
  if (words === null) return false;
  log.warn('The run switches to the fallback provider', { runId, from, providerCode });
  return true;
}

const isTimeout = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
