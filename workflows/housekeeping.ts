import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, setCurrentDetails, sleep, startChild } from '@temporalio/workflow';
import { campaign, campaignStart } from './campaign.ts';
import { housekeepingSteps } from './proxies.ts';

export interface HousekeepingInput {
  /** By then, a run or campaign whose workflow was about to start has one. */
  secondLookMs: number;
}

/**
 * One round, started by a Temporal Schedule. It checks invariants, and repairs violations where that is safe (SPEC,
 * promise 6): every enabled campaign has its workflow, every live run has one, and the counts match the rows. It opts
 * out phones whose probable opt-out nobody has decided, finishes tickets that wait without any change, and deletes data
 * whose retention has ended. Returns a summary of the round.
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
  const holds = await housekeepingSteps.decideOldHolds();
  const quiet = await housekeepingSteps.finishQuietTickets();
  const answers = await housekeepingSteps.deleteOldAnswers();
  const purged = await housekeepingSteps.applyRetention();
  const details = [
    '| checked | found and repaired |',
    '| --- | ---: |',
    `| Enabled campaigns without a workflow, started | ${suspects.campaigns.length} |`,
    `| Live runs without a workflow, marked as failed | ${lostRuns} |`,
    `| Runs whose counts differed from their messages (of ${counts.runs}) | ${counts.corrected} |`,
    `| Messages and answers left in a passing state | ${counts.stuck} |`,
    `| Probable opt-outs that nobody decided on, opted out | ${holds.optedOut} |`,
    `| Tickets that waited without any change, finished | ${quiet.finished} |`,
    `| Answers of web services, deleted after their time | ${answers.deleted} |`,
    '',
    '| deleted for its age | rows |',
    '| --- | ---: |',
    ...Object.entries(purged).map(([what, rows]) => `| ${what} | ${rows} |`),
  ].join('\n');
  setCurrentDetails(details);
  return details;
}
