import { account, type CodeMeaning, refused, temporary } from '../codes.ts';

/**
 * Infobip's names of statuses, errors and request errors that concern a message:
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes
 * The errors (EC_…) are told in receipts only.
 */
export const infobipCodes: ReadonlyMap<string, CodeMeaning> = new Map([
  ['REJECTED_NOT_ENOUGH_CREDITS', account('The Infobip account is out of credits.')],
  ['REJECTED_PREPAID_PACKAGE_EXPIRED', account('The credits of the Infobip account have expired.')],
  ['REJECTED_ROUTE_NOT_AVAILABLE', account('The Infobip account has no route for messages.')],
  ['REJECTED_SOURCE', account('The sender is not registered with the Infobip account.')],
  ['REJECTED_SENDER', account('The sender is on the block list of the Infobip account.')],
  [
    'REJECTED_FLOODING_FILTER',
    temporary('Infobip says that this number has got too many messages within an hour.'),
  ],
  ['REJECTED_SYSTEM_ERROR', temporary('Infobip has failed and asks to try again.')],
  ['REJECTED_DND', refused('number_opted_out', 'The number is on a do-not-disturb list.')],
  [
    'REJECTED_DESTINATION_BLOCKLISTED',
    refused('number_opted_out', 'The number is on a block list at Infobip.'),
  ],
  ['REJECTED_NETWORK', refused('sender_refused', "The Infobip account does not cover the number's network.")],
  ['REJECTED_PREFIX_MISSING', refused('number_invalid', "Infobip does not know the number's prefix.")],
  ['REJECTED_DESTINATION', refused('number_invalid', 'Infobip says that the number is not valid.')],
  ['MISSING_TO', refused('number_invalid', 'The number is missing.')],
  [
    'REJECTED_DESTINATION_NOT_REGISTERED',
    refused('sender_refused', 'A trial account may send to its own number only.'),
  ],
  ['REJECTED_MESSAGE_TOO_LONG', refused('content_refused', 'The message is too long.')],
  ['REJECTED_INVALID_UDH', refused('content_refused', 'Infobip can not read the message.')],
  [
    'SIGNALS_BLOCKED',
    refused('carrier_filtered', "Infobip's protection against fraud has blocked the message."),
  ],
  ['UNDELIVERABLE_REJECTED_OPERATOR', refused('carrier_filtered', 'The carrier has refused the message.')],
  ['UNDELIVERABLE_REJECTED_PLATFORM', refused('request_refused', 'Infobip has refused the message.')],
  ['EXPIRED_EXPIRED', refused('expired_at_carrier', 'The message waited longer than its validity.')],
  ['EC_UNKNOWN_SUBSCRIBER', refused('number_invalid', 'The carrier does not know the number.')],
  ['EC_UNIDENTIFIED_SUBSCRIBER', refused('number_invalid', 'The carrier does not know the number.')],
  [
    'EC_INVALID_DESTINATION_ADDRESS',
    refused('number_invalid', 'The carrier says that the number is not valid.'),
  ],
  ['EC_ABSENT_SUBSCRIBER', refused('number_unreachable', 'The phone is off or has no signal.')],
  ['EC_ABSENT_SUBSCRIBER_SM', refused('number_unreachable', 'The phone is off or has no signal.')],
  ['EC_SM_DF_MEMORYCAPACITYEXCEEDED', refused('number_unreachable', "The phone's memory is full.")],
  ['EC_TELESERVICE_NOT_PROVISIONED', refused('number_not_mobile', 'The number takes no SMS.')],
  ['EC_DEST_ADDRESS_UNABLE_TO_RECEIVE_SMS', refused('number_not_mobile', 'The number takes no SMS.')],
  ['EC_CALL_BARRED', refused('carrier_filtered', 'The carrier has barred the number or the message.')],
  ['EC_SC_BLOCKED_BY_END_USER', refused('number_opted_out', 'The person has blocked this sender.')],
]);
