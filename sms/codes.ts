import type { FailureReason } from '../domain/message.ts';
import type { ProviderDetail } from '../domain/problems/providers.ts';

/**
 * The meaning of a provider's error code for one message. A send uses `kind`; a delivery receipt uses only `reason`,
 * because the message has already ended.
 *
 * A problem that affects every message is `account`: the run pauses instead of failing for each contact. A sender that
 * may be invalid for one destination only (such as a short code in another country) is `refused`.
 */
export interface CodeMeaning {
  kind: 'refused' | 'temporary' | 'account' | 'ambiguous';
  reason: FailureReason;
  detail: ProviderDetail;
  /** The problem affects every message now, so it says nothing about this one. */
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

/** Longer than the codes of all providers. */
const longestCode = 60;

/** One of our own codes, for an error of the transport or an HTTP status. */
export const ourCode = (code: string): OutcomeCode => ({ code, publicCode: code });

/**
 * Decides whether a provider's code may be shown everywhere: an unknown code may contain a phone, a name or a text.
 *
 * @param isListed the code is in one of our tables, or in the description of the gateway
 * @param otherwise the public code if the provider's code is unknown or missing
 */
export function outcomeCode(reported: string | null, isListed: boolean, otherwise: string): OutcomeCode {
  if (reported === null) return ourCode(otherwise);
  // A number of at most six digits is not a phone.
  if (isListed || /^\d{1,6}$/.test(reported)) return ourCode(reported);
  return { code: reported.slice(0, longestCode), publicCode: otherwise };
}
