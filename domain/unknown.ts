/**
 * Look-up results of messages that the provider may or may not have accepted.
 *
 * Only a certain result changes a message. A message that is missing from the provider's list proves nothing: a list
 * may be late, or contain the message under a text that was changed in transit.
 */
export const lookUpResults = ['not_found', 'ambiguous', 'unavailable', 'not_offered'] as const;
export type LookUpResult = (typeof lookUpResults)[number];

export interface LookUpState {
  /** Null: it has not been looked up yet. */
  result: LookUpResult | null;
  /** When it will be looked up next; null: never again. */
  dueAt: Date | null;
}
