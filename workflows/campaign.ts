import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { OpenedRun, Wait } from '../activities/index.ts';
import { campaignWorkflowId, runWorkflowId } from '../domain/ids.ts';
import { attributes } from './attributes.ts';
import { priorities } from './priorities.ts';
import { patientSteps, steps } from './proxies.ts';
import { workflowTaskTimeout } from './queues.ts';
import { run } from './run.ts';

/** "Look again": the campaign was enabled, edited or disabled. The signal carries no data; the row has it. */
export const campaignChanged = defineSignal('campaignChanged');

/** Identifies a request, so that repeating it opens no second run. Unique in the campaign. */
export interface RunRequest {
  requestKey: string;
}

/** Starts a run at once. Fails with `RunPending` or `NotEnabled` (domain/failures.ts). */
export const runNow = defineUpdate<{ runId: number }, [RunRequest]>('runNow');

/** Starts a dry run, of a campaign that need not be enabled. Fails with `IncompleteCampaign` (domain/failures.ts). */
export const dryRun = defineUpdate<{ runId: number }, [RunRequest]>('dryRun');

/** The run and the messages of it to resend. */
export interface ResendRequest extends RunRequest {
  of: number;
  scope: { includeUnknown: boolean; reasons: string[] | null; onlyReachable: boolean };
}

/** Starts a resend, of a campaign that need not be enabled. Fails with `RunNotOver` or `RunPending`. */
export const resend = defineUpdate<{ runId: number }, [ResendRequest]>('resend');

/** The longest timer: the calendar's rules may change meanwhile. It costs one check a day. */
const longestWaitMs = 24 * 60 * 60 * 1000;

export interface CampaignInput {
  campaignId: number;
  /** The next action that the previous execution received when it started a run. */
  then?: Wait;
}

/**
 * One workflow for each enabled campaign, for as long as it is enabled: waits for the next occurrence and starts its
 * run.
 *
 * Continuing as new after each occurrence, and at the server's suggestion, bounds the history: the state is only in the
 * campaign's row.
 */
export async function campaign({ campaignId, then }: CampaignInput): Promise<void> {
  let changes = 0;
  let known = then ?? null;
  setHandler(campaignChanged, () => {
    changes++;
  });
  let lastAskedAt = 0;
  const startAtOnce = async <Request extends RunRequest>(
    open: (asked: Request & { campaignId: number; occurrence: string }) => Promise<OpenedRun>,
    request: Request,
  ): Promise<{ runId: number }> => {
    // The moment is a run's key: two requests in the same millisecond still need two.
    lastAskedAt = Math.max(Date.now(), lastAskedAt + 1);
    const opened = await open({ ...request, campaignId, occurrence: new Date(lastAskedAt).toISOString() });
    await startRun(opened);
    return { runId: opened.runId };
  };
  setHandler(runNow, (request) => startAtOnce(steps.openManualRun, request));
  setHandler(dryRun, (request) => startAtOnce(steps.openDryRun, request));
  setHandler(resend, (request) => startAtOnce(steps.openResend, request));

  for (;;) {
    const seen = changes;
    const plan = known ?? (await patientSteps.planNext({ campaignId }));
    known = null;
    setCurrentDetails(plan.details);
    switch (plan.next) {
      case 'stop':
        await condition(allHandlersFinished);
        // Enabled again meanwhile: the signal must not be lost with this execution.
        if (changes === seen) return;
        break;
      case 'again':
        break;
      case 'idle':
        await condition(() => changes > seen || workflowInfo().continueAsNewSuggested);
        break;
      case 'wait':
        await condition(() => changes > seen, Math.max(1, Math.min(plan.waitMs, longestWaitMs)));
        break;
      case 'run': {
        const plannedAt = Date.now();
        await startRun(plan.opened);
        await condition(allHandlersFinished);
        if (changes > seen) break;
        return continueAsNew<typeof campaign>({
          campaignId,
          then:
            plan.then.next === 'wait'
              ? { ...plan.then, waitMs: plan.then.waitMs - (Date.now() - plannedAt) }
              : plan.then,
        });
      }
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof campaign>({ campaignId });
    }
  }
}

/** How every caller starts the workflow of a campaign. */
export const campaignStart = ({ id, name }: { id: number; name: string }) => ({
  workflowId: campaignWorkflowId(id),
  args: [{ campaignId: id }] as [CampaignInput],
  workflowTaskTimeout,
  priority: priorities.campaign,
  staticSummary: `Campaign “${name}”`,
  typedSearchAttributes: [{ key: attributes.campaign, value: String(id) }],
});

async function startRun({ runId, campaignId, occurrence, trigger, summary }: OpenedRun): Promise<void> {
  try {
    await startChild(run, {
      args: [{ runId, campaignId }],
      workflowId: runWorkflowId({ campaignId, occurrence: new Date(occurrence), trigger }),
      // A request that is repeated after its run has ended starts nothing.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      // Disabling a campaign lets its current run finish.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout,
      priority: trigger === 'schedule' ? priorities.other : priorities.runOfUser,
      staticSummary: summary,
      typedSearchAttributes: [
        { key: attributes.campaign, value: String(campaignId) },
        { key: attributes.run, value: String(runId) },
      ],
    });
  } catch (error) {
    // The run of a repeated request.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
