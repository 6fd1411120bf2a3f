import { setCurrentDetails } from '@temporalio/workflow';
import { lookUpSteps } from './proxies.ts';

/**
 * One round, started by a Temporal Schedule: asks providers what became of the messages that they may have taken, and
 * records the outcomes that are certain (SPEC, promise 1). The database has what is due. Returns the round in words.
 */
export async function lookUps(): Promise<string> {
  const { details } = await lookUpSteps.lookUpUnknown();
  setCurrentDetails(details);
  return details;
}
