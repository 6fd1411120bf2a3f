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
import { failures } from '../domain/failures.ts';
import { failingOver, single, steps, streaming } from './proxies.ts';
import type { RunControl } from './run-control.ts';
import { type Blocked, waitForHours } from './run-waits.ts';

/** Continue as new from here on: a run with a slow rate takes days, and each slice adds some twenty events. */
const longHistory = 1_500;
/** The failures of a sender that are the provider's. */
const stops: ReadonlyMap<string, 'account' | 'unavailable'> = new Map([
  [failures.providerAccount, 'account'],
  [failures.providerUnavailable, 'unavailable'],
]);
/** So many sends of a small run are under way at once. */
const singlesAtOnce = 10;
/** Messages to be tried again later are looked for at least this often. */
const longestPauseMs = 60_000;

/**
 * Sends all that is queued, in slices, inside the sending hours and while nobody has paused the run. Returns
 * `finished` when nothing is left, `long_history` when the workflow has to continue as new, or how the run ends.
 */
export async function send(
  runId: number,
  control: RunControl,
): Promise<Blocked | { status: 'finished' | 'long_history' }> {
  for (;;) {
    const blocked = await waitForHours(runId, control);
    if (blocked) return blocked;
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    if (historyLength > longHistory || continueAsNewSuggested) return { status: 'long_history' };
    const plan = await steps.planSending({ runId });
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
        await stream(runId, control, plan);
        break;
      case 'one_by_one':
        await sendOneByOne(runId, control, plan);
        break;
    }
  }
}

type Plan = Awaited<ReturnType<typeof steps.planSending>>;
type PlanOf<Next extends Plan['next']> = Extract<Plan, { next: Next }>;

function stream(
  runId: number,
  control: RunControl,
  { senders, limit, maxAttempts }: PlanOf<'stream'>,
): Promise<void> {
  const { sendMessages } = streaming(workflowInfo().taskQueue);
  return sideBySide(runId, control, senders, (index) =>
    sendMessages.executeWithOptions(
      { summary: senders === 1 ? 'Send' : `Send (${index + 1} of ${senders})` },
      [{ runId, limit, maxAttempts }],
    ),
  );
}

function sendOneByOne(
  runId: number,
  control: RunControl,
  { messageIds, maxAttempts }: PlanOf<'one_by_one'>,
): Promise<void> {
  const { sendMessage } = single(workflowInfo().taskQueue);
  const waiting = [...messageIds];
  return sideBySide(runId, control, singlesAtOnce, async () => {
    for (let messageId = waiting.shift(); messageId !== undefined; messageId = waiting.shift()) {
      if (control.paused || control.cancelled) return;
      await sendMessage.executeWithOptions({ summary: `Message ${messageId}` }, [{ messageId, maxAttempts }]);
    }
  });
}

/**
 * Runs `count` senders side by side; a pause or a cancel ends them early. Returns only when none is under way any more:
 * what is in `sending` after that belongs to nobody. When the provider takes nothing any more, the run goes over to its
 * fallback; without one, an account that is refused pauses the run.
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
    // A provider that cannot be reached is tried again by the next slice.
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
  /** The provider; null when the failure does not name it. */
  from: number | null;
  detail: string;
}

/** What a sender's failure says of the provider; null when the failure is not the provider's. */
function stopOf(error: unknown): Stop | null {
  const failure = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(failure instanceof ApplicationFailure)) return null;
  const cause = stops.get(failure.type ?? '');
  if (!cause) return null;
  const [code, from] = failure.details ?? [];
  return {
    cause,
    providerCode: typeof code === 'string' ? code : '',
    from: typeof from === 'number' ? from : null,
    detail: failure.message,
  };
}

/** Whether the run has gone over to its fallback provider. */
async function failOver(runId: number, { cause, from, providerCode }: Stop): Promise<boolean> {
  if (from === null) return false;
  const words = await failingOver.failOver.executeWithOptions(
    { summary: 'Go over to the fallback provider' },
    [{ runId, from, cause, providerCode }],
  );
  if (words === null) return false;
  log.warn('The run goes over to the fallback provider', { runId, from, providerCode });
  return true;
}

const isTimeout = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
