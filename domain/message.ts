/** One outbound SMS to one contact of one run: its statuses, the moves between them, and the reasons for an end. */

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
 * The allowed moves. Enforced in SQL by the `where` of each update; docs/states.md draws them.
 *
 * - `queued → sent …`: what a sender has in its claim stays queued until its outcome (db/messages/claims.ts); `sending` is
 *   claimed by itself, to be tried again or one by one.
 * - `sending → queued`: certainly not taken by the provider, to be tried again.
 * - `queued, sending → unknown`: perhaps taken (time-out after the request was written, sender killed).
 * - `queued, sending → delivered | undelivered`: the receipt overtook the answer to its own send.
 * - `skipped → …`: its phone had opted out, or its customer refused, while a sender had it in its claim, and yet it was
 *   sent.
 * - `unknown → …`: settled by a receipt, by the answer of a sender that was thought dead, by the provider's
 *   look-up or by a person (db/messages/unknown.ts); back to `queued` only when it is known that the provider never took it, which
 *   only its sender can say, and only while its run has not ended: then it has failed.
 */
export const moves: Readonly<Record<MessageStatus, readonly MessageStatus[]>> = {
  queued: ['sending', 'sent', 'delivered', 'undelivered', 'failed', 'unknown', 'skipped', 'cancelled'],
  sending: ['sent', 'delivered', 'undelivered', 'failed', 'unknown', 'queued'],
  sent: ['delivered', 'undelivered', 'failed'],
  unknown: ['sent', 'delivered', 'undelivered', 'failed', 'queued'],
  delivered: [],
  undelivered: [],
  failed: [],
  skipped: ['sent', 'delivered', 'undelivered', 'failed', 'unknown'],
  cancelled: [],
};

/** The statuses from which a message may move to `to`: the `where status in (…)` of the update. */
export const sourcesOf = (to: MessageStatus): MessageStatus[] =>
  messageStatuses.filter((from) => moves[from].includes(to));

/** Why a line of the mailing is left out before sending. */
export const skipReasons = [
  'phone_missing',
  'phone_invalid',
  'not_a_mobile',
  'duplicate_phone',
  'no_consent',
  'opted_out',
  'message_too_long',
  'message_empty',
  'placeholder_unknown',
  'value_missing',
  'line_invalid',
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** Why a message was cancelled, where the run's own reason does not say it. */
export const cancelReasons = ['dry_run', 'erased'] as const;
export type CancelReason = (typeof cancelReasons)[number];

/** Why a message that was handed to a provider ended without being sent, or is not known to have been. */
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
  /** It had come back from its sender, not taken, after its run had ended. */
  'not_sent',
  'no_answer',
  'sender_died',
] as const;
export type FailureReason = (typeof failureReasons)[number];
