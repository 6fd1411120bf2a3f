import { setCurrentDetails } from '@temporalio/workflow';
import { reportSteps } from './proxies.ts';

export interface ReportsInput {
  /** Counts everything again, in as many rounds as necessary. */
  rebuild: boolean;
}

/**
 * One round, started by a Temporal Schedule: counts for reports what has changed since the last one. Its history has one
 * activity. Returns a summary of the round.
 */
export async function reports(input: ReportsInput): Promise<string> {
  const done = await reportSteps.updateReports({ rebuild: input.rebuild });
  const details = [
    '| counted | |',
    '| --- | ---: |',
    `| Runs | ${done.runs} |`,
    `| Their messages | ${done.messages} |`,
    `| Runs whose messages differ from their kept counts | ${done.differing} |`,
    `| Runs with new replies or tickets | ${done.responses} |`,
    `| Days written | ${done.days} |`,
    '',
    done.complete ? 'Everything has been counted.' : 'The next round continues.',
  ].join('\n');
  setCurrentDetails(details);
  return details;
}
