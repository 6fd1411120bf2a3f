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
import type { OpenedRun } from '../activities/index.ts';
import { campaignWorkflowId, runWorkflowId } from '../domain/ids.ts';
import { attributes } from './attributes.ts';
import { patientSteps, steps } from './proxies.ts';
import { workflowTaskTimeout } from './queues.ts';
import { run } from './run.ts';

/** "Look again": the campaign was enabled, edited or disabled. The row says which; the signal carries nothing. */
export const campaignChanged = defineSignal('campaignChanged');

/** Names a request, so that repeating it opens no second run. Unique in the campaign. */
export interface RunRequest {
  requestKey: string;
}

/** Starts a run at once. Fails with `RunPending` or `NotEnabled` (domain/failures.ts). */
export const runNow = defineUpdate<{ runId: number }, [RunRequest]>('runNow');

/** Starts a dry run, of a campaign that need not be enabled. Fails with `IncompleteCampaign` (domain/failures.ts). */
export const dryRun = defineUpdate<{ runId: number }, [RunRequest]>('dryRun');

/** Which messages of which run are to be sent again. */
export interface ResendRequest extends RunRequest {
  of: number;
  scope: { includeUnknown: boolean; reasons: string[] | null };
}

/** Starts a resend, of a campaign that need not be enabled. Fails with `RunNotOver` or `RunPending`. */
export const resend = defineUpdate<{ runId: number }, [ResendRequest]>('resend');

/** No timer is set for longer: the calendar's rules may change meanwhile, and it costs one look a day. */
const longestWaitMs = 24 * 60 * 60 * 1000;

export interface CampaignInput {
  campaignId: number;
}

/**
 * One for each enabled campaign, for as long as it is enabled: waits for the next occurrence and starts its run.
 *
 * The history is bounded by continuing as new after each occurrence, and at the server's suggestion: state is in the
 * campaign's row alone.
 */
export async function campaign({ campaignId }: CampaignInput): Promise<void> {
  let changes = 0;
  setHandler(campaignChanged, () => {
    changes++;
  });
  let lastAskedAt = 0;
  const startAtOnce = async <Request extends RunRequest>(
    open: (asked: Request & { campaignId: number; occurrence: string }) => Promise<OpenedRun>,
    request: Request,
  ): Promise<{ runId: number }> => {
    // Its moment is a run's key: two that are asked for in the same millisecond are still two.
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
    const plan = await patientSteps.planNext({ campaignId });
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
        await condition(() => changes > seen, Math.min(plan.waitMs, longestWaitMs));
        break;
      case 'run': {
        const opened = await patientSteps.openDueRun({ campaignId, occurrence: plan.occurrence });
        if (opened) await startRun(opened);
        await condition(allHandlersFinished);
        if (changes === seen) return continueAsNew<typeof campaign>({ campaignId });
        break;
      }
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof campaign>({ campaignId });
    }
  }
}

/** How the workflow of a campaign is started, whoever does it. */
export const campaignStart = ({ id, name }: { id: number; name: string }) => ({
  workflowId: campaignWorkflowId(id),
  args: [{ campaignId: id }] as [CampaignInput],
  workflowTaskTimeout,
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
      // A disabled campaign lets its run finish.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout,
      staticSummary: summary,
      typedSearchAttributes: [
        { key: attributes.campaign, value: String(campaignId) },
        { key: attributes.run, value: String(runId) },
      ],
    });
  } catch (error) {
    // The run of a request that is repeated.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
