import type { FailureReason } from '../domain/message.ts';

/**
 * What a provider's error code means for one message. As the answer to a send all kinds count; in a delivery receipt,
 * where the message has already ended, only the reason does.
 *
 * What is wrong for every message is `account`, so that the run stops instead of failing contact by contact. A sender
 * that may be wrong only for one destination (a short code in another country) is `refused`.
 */
export interface CodeMeaning {
  kind: 'refused' | 'temporary' | 'account' | 'ambiguous';
  reason: FailureReason;
  /** One plain sentence for the operator, without phone number or text. */
  detail: string;
}

export const refused = (reason: FailureReason, detail: string): CodeMeaning => ({
  kind: 'refused',
  reason,
  detail,
});
export const temporary = (detail: string): CodeMeaning => ({
  kind: 'temporary',
  reason: 'temporary_failure',
  detail,
});
export const account = (detail: string): CodeMeaning => ({
  kind: 'account',
  reason: 'sender_refused',
  detail,
});
export const ambiguous = (detail: string): CodeMeaning => ({
  kind: 'ambiguous',
  reason: 'no_answer',
  detail,
});

/** Both codes of an outcome (sms/provider.ts). */
export interface OutcomeCode {
  code: string;
  publicCode: string;
}

/** No provider's code is longer. */
const longestCode = 60;

/** One of ours: of the transport, or of a status. */
export const ourCode = (code: string): OutcomeCode => ({ code, publicCode: code });

/**
 * Tells a provider's code that may be shown everywhere from one that may hold a phone, a name or a text.
 *
 * @param isListed it is one of a table of ours, or of the gateway's description
 * @param otherwise what takes the place of one that is not, or of none
 */
export function outcomeCode(said: string | null, isListed: boolean, otherwise: string): OutcomeCode {
  if (said === null) return ourCode(otherwise);
  // A number of six digits is no phone.
  if (isListed || /^\d{1,6}$/.test(said)) return ourCode(said);
  return { code: said.slice(0, longestCode), publicCode: otherwise };
}
