import type { FailureReason } from '../domain/message.ts';

/**
 * What a Twilio error code means for one message. As the answer to a send all three kinds count; in a delivery
 * receipt, where the message has already ended, only the reason does.
 */
export type TwilioCode = {
  kind: 'refused' | 'temporary' | 'account';
  reason: FailureReason;
  detail: string;
};

const refused = (reason: FailureReason, detail: string): TwilioCode => ({ kind: 'refused', reason, detail });
const temporary = (detail: string): TwilioCode => ({
  kind: 'temporary',
  reason: 'temporary_failure',
  detail,
});
const account = (detail: string): TwilioCode => ({ kind: 'account', reason: 'sender_refused', detail });

/**
 * Twilio's error codes that concern a message: https://www.twilio.com/docs/api/errors
 *
 * What is wrong for every message is `account`, so that the run stops instead of failing contact by contact. A sender
 * that may be wrong only for one destination (a short code in another country) is `refused`.
 */
export const twilioCodes: ReadonlyMap<number, TwilioCode> = new Map([
  [20003, account('Twilio does not accept the account SID and auth token.')],
  [20005, account('The Twilio account is not active.')],
  [20006, account('The Twilio account has no access to this service.')],
  [20404, account('Twilio does not know this account.')],
  [20429, temporary('Twilio asks for fewer requests.')],
  [21211, refused('number_invalid', 'Twilio says that the number is not valid.')],
  [21212, account('Twilio says that the sender is not valid.')],
  [21408, refused('sender_refused', "The Twilio account may not send to the number's country.")],
  [21602, refused('content_refused', 'The message is empty.')],
  [21603, account('The sender is missing.')],
  [21604, refused('number_invalid', 'The number is missing.')],
  [21605, refused('content_refused', 'The message is too long.')],
  [21606, refused('sender_refused', 'The sender cannot send to this destination.')],
  [21608, refused('sender_refused', 'A trial account may send to verified numbers only.')],
  [21609, account('Twilio does not accept the public URL of this deployment as address for receipts.')],
  [21610, refused('number_opted_out', 'The person has asked Twilio for no more messages from this sender.')],
  [21611, temporary("The sender's queue at Twilio is full.")],
  [21612, refused('sender_refused', 'Twilio has no route from this sender to this number.')],
  [21614, refused('number_not_mobile', 'The number is not a mobile number.')],
  [21617, refused('content_refused', 'The message is longer than 1600 characters.')],
  [21619, refused('content_refused', 'The message is empty.')],
  [21635, refused('number_not_mobile', 'The number is a landline.')],
  [21659, refused('sender_refused', "The sender is not a Twilio number, or not of the number's country.")],
  [21660, account('The sender does not belong to this Twilio account.')],
  [21661, account('The sender cannot send SMS.')],
  [30001, temporary("The sender's queue at Twilio is full.")],
  [30002, account('The Twilio account is suspended.')],
  [30003, refused('number_unreachable', 'The phone is off or has no signal.')],
  [30004, refused('carrier_filtered', 'The message was blocked.')],
  [30005, refused('number_invalid', 'The carrier does not know the number.')],
  [30006, refused('number_not_mobile', 'The number is a landline, or its carrier cannot be reached.')],
  [30007, refused('carrier_filtered', 'The carrier filtered the message.')],
  [30008, refused('not_delivered', 'The carrier gave no cause.')],
  [30036, refused('expired_at_carrier', 'The message waited longer than its validity.')],
]);
