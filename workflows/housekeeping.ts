import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';
import { campaign, campaignStart } from './campaign.ts';
import { housekeepingSteps } from './proxies.ts';

export interface HousekeepingInput {
  /** What had no workflow because it was just about to start has one by then. */
  secondLookMs: number;
}

/**
 * One round, started by a Temporal Schedule: checks what has to be true, and repairs it where that is safe (SPEC,
 * promise 6): every enabled campaign has its workflow, every live run has one, and the counts are those of the rows. Then
 * it deletes what is older than it may be kept. Returns the round in words.
 */
export async function housekeeping(input: HousekeepingInput): Promise<string> {
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
  const details = [
    '| checked | found and repaired |',
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
  ].join('\n');
  setCurrentDetails(details);
  return details;
}
