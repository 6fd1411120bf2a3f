/**
 * Messages of which nobody knows whether the provider took them: what its look-up said, in words.
 *
 * Only what is certain moves a message. That the provider does not list it proves nothing: a list may be late, and a
 * message may stand there under a text that was changed on the way.
 */
export const lookUpResults = ['not_found', 'ambiguous', 'unavailable', 'not_offered'] as const;
export type LookUpResult = (typeof lookUpResults)[number];

export interface LookUpState {
  /** Null: it has not been looked up yet. */
  result: LookUpResult | null;
  /** When it will be looked up next; null: not any more. */
  dueAt: Date | null;
}

/** Plain words for an operator. */
export function describeLookUp({ result, dueAt }: LookUpState): string {
  const next =
    dueAt === null
      ? 'It is not looked up any more: look for it at the provider by number and time, and settle it.'
      : `It is looked up again at ${dueAt.toISOString()}.`;
  switch (result) {
    case null:
      return 'It has not been looked up at the provider yet.';
    case 'not_found':
      return `Not found at the provider, which does not prove that it was not taken. ${next}`;
    case 'ambiguous':
      return `The provider lists messages that may be this one or another with the same text to the same number. ${next}`;
    case 'unavailable':
      return `The provider could not be asked. ${next}`;
    case 'not_offered':
      return 'The provider offers no look-up. Look for it there by number and time, and settle it.';
  }
}
