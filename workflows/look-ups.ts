import { continueAsNew, setCurrentDetails, sleep } from '@temporalio/workflow';
import { lookUpSteps } from './proxies.ts';

export interface LookUpsInput {
  /** From the end of a round to the next. */
  pauseMs: number;
}

/** Each adds some eleven events. */
const roundsPerExecution = 100;

/**
 * One for the deployment, for ever: it asks providers, round by round, what became of the messages that they may have
 * taken, and settles those of which the answer is certain (SPEC, promise 1). What is due stands in the database.
 */
export async function lookUps(input: LookUpsInput): Promise<void> {
  for (let round = 0; round < roundsPerExecution; round++) {
    const { details } = await lookUpSteps.lookUpUnknown();
    setCurrentDetails(details);
    await sleep(input.pauseMs);
  }
  return continueAsNew<typeof lookUps>(input);
}
