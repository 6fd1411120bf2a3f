import { failureReasons, type MessageStatus } from './message.ts';

/** An SMS that answers a customer: written by a user on a ticket, or an automatic text. */

/** `user`: written by a user. The others are automatic texts: an opt-out, a call for help, a keyword. */
export const answerKinds = ['user', 'opt_out', 'help', 'keyword'] as const;
export type AnswerKind = (typeof answerKinds)[number];

/** The statuses of a message, without those of a mailing's line. docs/states.md draws the moves. */
export const answerStatuses = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'unknown',
] as const satisfies readonly MessageStatus[];
export type AnswerStatus = (typeof answerStatuses)[number];

/**
 * Why an answer was not sent, or may not have been: the phone opted out before it left, a user states that an unknown
 * one was not sent, or as for a message.
 */
export const answerReasons = [...failureReasons, 'opted_out', 'held', 'erased', 'stated_unsent'] as const;
export type AnswerReason = (typeof answerReasons)[number];

/** The maximum number of segments of an answer: 160 characters outside GSM-7, as typed. */
export const maxAnswerSegments = 3;

/** An answer that the provider does not take is tried again for this long. A later one would surprise the customer. */
export const answerPatienceMs = 60 * 60_000;
