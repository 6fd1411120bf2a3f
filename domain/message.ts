/** One outbound SMS to one contact of a run: its statuses, their transitions, and the reasons for the last one. */

export const messageStatuses = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'skipped',
  'unknown',
  'cancelled',
] as const;
export type MessageStatus = (typeof messageStatuses)[number];

/**
 * The allowed transitions. The `where` of each update enforces them in SQL; docs/states.md draws them.
 *
 * - `queued → sent …`: a claimed message stays queued until its outcome (db/messages/claims.ts); `sending` is for
 *   retries and messages sent one by one, which are claimed individually.
 * - `sending → queued`: certainly not accepted by the provider, to be retried.
 * - `queued, sending → unknown`: perhaps accepted (timeout after the request was written, sender killed).
 * - `queued, sending → delivered | undelivered`: the receipt arrived before the answer to the send.
 * - `delivered → undelivered`: a later receipt for another part of a long text reports a failure.
 * - `skipped → …`: the phone opted out, or the customer refused, while a sender had claimed the message, and it was
 *   sent anyway.
 * - `unknown → …`: resolved by a receipt, by the answer of a sender that was considered stopped, by the provider's
 *   look-up or by a user (db/messages/unknown.ts). Back to `queued` only when it is certain that the provider never
 *   took it, which only its sender can know, and only while its run has not ended; after that it becomes failed.
 */
export const moves: Readonly<Record<MessageStatus, readonly MessageStatus[]>> = {
  queued: ['sending', 'sent', 'delivered', 'undelivered', 'failed', 'unknown', 'skipped', 'cancelled'],
  sending: ['sent', 'delivered', 'undelivered', 'failed', 'unknown', 'queued'],
  sent: ['delivered', 'undelivered', 'failed'],
  unknown: ['sent', 'delivered', 'undelivered', 'failed', 'queued'],
  delivered: ['undelivered'],
  undelivered: [],
  failed: [],
  skipped: ['sent', 'delivered', 'undelivered', 'failed', 'unknown'],
  cancelled: [],
};

/** The statuses from which a message may change to `to`: the `where status in (…)` of the update. */
export const sourcesOf = (to: MessageStatus): MessageStatus[] =>
  messageStatuses.filter((from) => moves[from].includes(to));

/** Why a line of the mailing is skipped before sending. */
export const skipReasons = [
  'phone_missing',
  'phone_invalid',
  'not_a_mobile',
  'duplicate_phone',
  'no_consent',
  'opted_out',
  /** A probable opt-out, which a user has to decide. */
  'held',
  'message_too_long',
  /** A word is longer than a segment, and its provider cuts only at spaces. */
  'word_exceeds_segment',
  'message_empty',
  'placeholder_unknown',
  'value_missing',
  'line_invalid',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** Why a message was cancelled, if the run's own reason does not explain it. */
export const cancelReasons = ['dry_run', 'erased'] as const;
export type CancelReason = (typeof cancelReasons)[number];

/** Why a message that was handed to a provider was not sent, or may not have been sent. */
export const failureReasons = [
  'number_invalid',
  'number_not_mobile',
  'number_unreachable',
  'number_opted_out',
  'content_refused',
  'sender_refused',
  'request_refused',
  'not_delivered',
  'expired_at_carrier',
  'carrier_filtered',
  'temporary_failure',
  /** The sender returned it as not accepted after its run had ended. */
  'not_sent',
  'no_answer',
  'sender_died',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Failures of the number itself, which sending again does not change. */
export const lastingReasons = [
  'number_invalid',
  'number_not_mobile',
  'number_opted_out',
] as const satisfies readonly FailureReason[];
