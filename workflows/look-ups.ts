import { setCurrentDetails } from '@temporalio/workflow';
import { lookUpSteps } from './proxies.ts';

/**
 * One round, started by a Temporal Schedule: asks providers about messages that they may have accepted, and records the
 * outcomes that are certain (SPEC, promise 1). The database knows which are due. Returns a summary of the round.
 */
export async function lookUps(): Promise<string> {
  const { details } = await lookUpSteps.lookUpUnknown();
  setCurrentDetails(details);
  return details;
}
