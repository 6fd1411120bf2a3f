import type { FailureReason } from '../domain/message.ts';
import type { ProviderDetail } from '../domain/problems/providers.ts';

/**
 * The meaning of a provider's error code for one message. In the answer to a send every kind counts; in a delivery
 * receipt, where the message has already ended, only the reason does.
 *
 * A problem of every message is `account`, so that the run pauses instead of failing contact by contact. A sender that
 * may be invalid only for one destination (a short code in another country) is `refused`.
 */
export interface CodeMeaning {
  kind: 'refused' | 'temporary' | 'account' | 'ambiguous';
  reason: FailureReason;
  detail: ProviderDetail;
  /** Temporary for every message, so it reveals nothing about this one. */
  outage: boolean;
}

export const refused = (reason: FailureReason, detail: ProviderDetail): CodeMeaning => ({
  kind: 'refused',
  reason,
  detail,
  outage: false,
});
export const temporary = (detail: ProviderDetail): CodeMeaning => ({
  kind: 'temporary',
  reason: 'temporary_failure',
  detail,
  outage: false,
});
export const outage = (detail: ProviderDetail): CodeMeaning => ({ ...temporary(detail), outage: true });
export const account = (detail: ProviderDetail, reason: FailureReason = 'sender_refused'): CodeMeaning => ({
  kind: 'account',
  reason,
  detail,
  outage: false,
});
export const ambiguous = (detail: ProviderDetail, reason: FailureReason = 'no_answer'): CodeMeaning => ({
  kind: 'ambiguous',
  reason,
  detail,
  outage: false,
});

/** Both codes of an outcome (sms/provider.ts). */
export interface OutcomeCode {
  code: string;
  publicCode: string;
}

/** No provider has a longer code. */
const longestCode = 60;

/** One of our codes: of the transport, or of a status. */
export const ourCode = (code: string): OutcomeCode => ({ code, publicCode: code });

/**
 * Separates a provider's code that may be shown everywhere from one that may contain a phone, a name or a text.
 *
 * @param isListed it is in one of our tables, or in the gateway's description
 * @param otherwise replaces a code that is not, or a missing one
 */
export function outcomeCode(reported: string | null, isListed: boolean, otherwise: string): OutcomeCode {
  if (reported === null) return ourCode(otherwise);
  // A number of six digits is not a phone.
  if (isListed || /^\d{1,6}$/.test(reported)) return ourCode(reported);
  return { code: reported.slice(0, longestCode), publicCode: otherwise };
}
