import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { continueAsNew, ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';
import { campaign, campaignStart } from './campaign.ts';
import { housekeepingSteps } from './proxies.ts';

export interface HousekeepingInput {
  /** From the end of a round to the next. */
  pauseMs: number;
  /** What had no workflow because it was just about to start has one by then. */
  secondLookMs: number;
}

/**
 * One for the deployment, for ever: it checks, round by round, what has to be true, and repairs it where that is safe
 * (SPEC, promise 6): every enabled campaign has its workflow, every live run has one, and the counts are those of the
 * rows. Then it deletes what is older than it may be kept. The history is bounded by continuing as new after each round.
 */
export async function housekeeping(input: HousekeepingInput): Promise<void> {
  const suspects = await housekeepingSteps.findLost();
  for (const { id, name } of suspects.campaigns) {
    try {
      await startChild(campaign, {
        ...campaignStart({ id, name }),
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
  if (suspects.runIds.length > 0) await sleep(input.secondLookMs);
  const lostRuns =
    suspects.runIds.length === 0 ? 0 : await housekeepingSteps.failLostRuns({ runIds: suspects.runIds });
  const counts = await housekeepingSteps.reconcileRuns();
  const answers = await housekeepingSteps.deleteOldAnswers();
  const purged = await housekeepingSteps.applyRetention();
  setCurrentDetails(
    [
      '| checked | found and mended |',
      '| --- | ---: |',
      `| Enabled campaigns without a workflow, started | ${suspects.campaigns.length} |`,
      `| Live runs without a workflow, marked as failed | ${lostRuns} |`,
      `| Runs whose counts differed from their messages (of ${counts.runs}) | ${counts.mended} |`,
      `| Messages of ended runs left in a passing state | ${counts.stuck} |`,
      `| Answers of web services, deleted after their time | ${answers.deleted} |`,
      '',
      '| deleted for its age | rows |',
      '| --- | ---: |',
      ...Object.entries(purged).map(([what, rows]) => `| ${what} | ${rows} |`),
    ].join('\n'),
  );
  await sleep(input.pauseMs);
  return continueAsNew<typeof housekeeping>(input);
}
