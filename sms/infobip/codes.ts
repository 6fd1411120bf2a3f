import { account, type CodeMeaning, refused, temporary } from '../codes.ts';

const params = { provider: 'Infobip' } as const;

/**
 * Infobip's names of statuses, errors and request errors that concern a message:
 * https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes
 * The errors (EC_…) are only in receipts. BLACKLIST, in the names of earlier years, is BLOCKLIST here.
 */
const codes: Readonly<Record<string, CodeMeaning>> = {
  // Statuses.
  REJECTED_NOT_ENOUGH_CREDITS: account({ code: 'credits_used_up', params }),
  REJECTED_PREPAID_PACKAGE_EXPIRED: account({ code: 'credits_expired', params }),
  REJECTED_ROUTE_NOT_AVAILABLE: account({ code: 'account_without_route', params }),
  REJECTED_SOURCE: account({ code: 'sender_unknown', params }),
  REJECTED_SENDER: account({ code: 'sender_blocked', params }),
  REJECTED_FLOODING_FILTER: temporary({ code: 'too_many_to_number', params }),
  REJECTED_SYSTEM_ERROR: temporary({ code: 'failed_try_again', params }),
  REJECTED_DND: refused('number_opted_out', { code: 'do_not_disturb', params }),
  REJECTED_DESTINATION_BLOCKLISTED: refused('number_opted_out', { code: 'block_list', params }),
  REJECTED_NETWORK: refused('sender_refused', { code: 'network_not_covered', params }),
  REJECTED_PREFIX_MISSING: refused('number_invalid', { code: 'prefix_unknown', params }),
  REJECTED_DESTINATION: refused('number_invalid', { code: 'number_invalid', params }),
  MISSING_TO: refused('number_invalid', { code: 'number_missing', params }),
  REJECTED_DESTINATION_NOT_REGISTERED: refused('sender_refused', { code: 'trial_account', params }),
  REJECTED_MESSAGE_TOO_LONG: refused('content_refused', { code: 'text_too_long', params }),
  REJECTED_INVALID_UDH: refused('content_refused', { code: 'text_invalid', params }),
  SIGNALS_BLOCKED: refused('carrier_filtered', { code: 'fraud_protection', params }),
  UNDELIVERABLE_REJECTED_OPERATOR: refused('carrier_filtered', { code: 'carrier_refused', params }),
  UNDELIVERABLE_REJECTED_PLATFORM: refused('request_refused', { code: 'refused', params }),
  EXPIRED_EXPIRED: refused('expired_at_carrier', { code: 'validity_over', params }),

  // Errors: the recipient's choice.
  EC_SC_BLOCKED_BY_END_USER: refused('number_opted_out', { code: 'blocked_by_recipient', params }),
  // Despite its name, the documentation describes it as the recipient's own STOP.
  EC_CONTENT_BLOCKED: refused('number_opted_out', { code: 'opted_out', params }),
  EC_BLOCKED_BY_CAMPAIGN_BLOCKLIST: refused('number_opted_out', { code: 'block_list', params }),
  EC_DEST_ADDRESS_BLOCKLISTED: refused('number_opted_out', { code: 'do_not_disturb', params }),
  EC_BLOCKLISTED_DESTINATIONADDRESS: refused('number_opted_out', { code: 'block_list', params }),

  // The number and its phone.
  EC_UNKNOWN_SUBSCRIBER: refused('number_invalid', { code: 'number_unknown', params }),
  EC_UNIDENTIFIED_SUBSCRIBER: refused('number_invalid', { code: 'number_unknown', params }),
  EC_INVALID_DESTINATION_ADDRESS: refused('number_invalid', { code: 'number_unknown', params }),
  EC_INVALID_REQUEST_DESTINATION: refused('number_invalid', { code: 'number_unknown', params }),
  EC_DEACTIVATED_LIST: refused('number_invalid', { code: 'number_unknown', params }),
  EC_ABSENT_SUBSCRIBER: refused('number_unreachable', { code: 'phone_off', params }),
  EC_ABSENT_SUBSCRIBER_SM: refused('number_unreachable', { code: 'phone_off', params }),
  EC_SUBSCRIBER_BUSY_FOR_MT_SMS: refused('number_unreachable', { code: 'phone_off', params }),
  EC_TEMPORARY_HANDSET_FAILURE: refused('number_unreachable', { code: 'phone_off', params }),
  EC_SM_DF_MEMORYCAPACITYEXCEEDED: refused('number_unreachable', { code: 'phone_full', params }),
  EC_TELESERVICE_NOT_PROVISIONED: refused('number_not_mobile', { code: 'takes_no_sms', params }),
  EC_DEST_ADDRESS_UNABLE_TO_RECEIVE_SMS: refused('number_not_mobile', { code: 'takes_no_sms', params }),
  EC_DESTINATION_NOT_SMS_PROVISIONED: refused('number_not_mobile', { code: 'takes_no_sms', params }),
  EC_CANNOT_RECEIVE_SC: refused('number_not_mobile', { code: 'takes_no_sms', params }),

  // The carrier, the sender and the text.
  EC_CALL_BARRED: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_ILLEGAL_SUBSCRIBER: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_IMSI_BLOCKLISTED: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_DESTINATION_BLOCKED_BY_OPERATOR: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_DEST_ADDRESS_SUSPENDED: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_SC_BLOCKED_FOR_END_USER: refused('carrier_filtered', { code: 'carrier_barred', params }),
  EC_CONTENT_BLOCKED_BY_OPERATOR: refused('carrier_filtered', { code: 'filtered', params }),
  EC_REJECTED_SPAM_BY_OPERATOR: refused('carrier_filtered', { code: 'filtered', params }),
  EC_SMS_REJECTED_BY_MOBILE_OPERATOR: refused('carrier_filtered', { code: 'carrier_refused', params }),
  EC_SIGNALS_BLOCKED: refused('carrier_filtered', { code: 'fraud_protection', params }),
  EC_INVALID_SOURCE_ADDRESS: refused('sender_refused', { code: 'sender_invalid', params }),
  EC_BLOCKLISTED_SENDERADDRESS: refused('sender_refused', { code: 'sender_blocked', params }),
  EC_SC_BLOCKED: refused('sender_refused', { code: 'sender_blocked', params }),
  EC_SC_EXPIRED: refused('sender_refused', { code: 'sender_not_registered', params }),
  EC_SC_NOT_PROVISIONED: refused('sender_refused', { code: 'sender_not_registered', params }),
  EC_ACCOUNT_NOT_PROVISIONED_FOR_CHANNEL: refused('sender_refused', { code: 'network_not_covered', params }),
  EC_MSG_TEXT_TOO_LONG: refused('content_refused', { code: 'text_too_long', params }),

  // Retry later.
  EC_DESTINATION_FLOODING: temporary({ code: 'too_many_to_number', params }),
  EC_DESTINATION_TXT_FLOODING: temporary({ code: 'too_many_to_number', params }),
  EC_LIMIT_REACHED: temporary({ code: 'carrier_busy', params }),
  EC_DEST_OVERLOADED: temporary({ code: 'carrier_busy', params }),
  EC_RESOURCE_LIMITATION: temporary({ code: 'carrier_busy', params }),
  EC_NO_RADIO_RESOURCE_AVAILABLE: temporary({ code: 'carrier_busy', params }),
  EC_10DLC_LIMIT_REACHED: account({ code: 'daily_limit', params }, 'temporary_failure'),
  EC_QUOTA_REACHED: account({ code: 'daily_limit', params }, 'temporary_failure'),
  EC_SIGNALS_HARD_LIMIT_REACHED: account({ code: 'daily_limit', params }, 'temporary_failure'),
  EC_VALIDITY_EXPIRED: refused('expired_at_carrier', { code: 'validity_over', params }),
  EC_MESSAGE_EXPIRED: refused('expired_at_carrier', { code: 'validity_over', params }),
  EC_VP_EXPIRED: refused('expired_at_carrier', { code: 'validity_over', params }),
};

const byName: ReadonlyMap<string, CodeMeaning> = new Map(Object.entries(codes));

/** The meaning of a name; undefined: not listed. */
export const infobipCode = (name: string): CodeMeaning | undefined =>
  byName.get(name.replace('BLACKLIST', 'BLOCKLIST'));

/** A status or an error: `{ id, name }`. */
export interface InfobipStatus {
  name: string;
  id: string | null;
}

/**
 * Statuses whose id is more precise than their name. In earlier years, 14 (block list) was named REJECTED_DESTINATION,
 * which is now the name of 52 (invalid number).
 */
const statusesById: ReadonlyMap<string, string> = new Map([
  ['10', 'REJECTED_DND'],
  ['14', 'REJECTED_DESTINATION_BLOCKLISTED'],
  ['52', 'REJECTED_DESTINATION'],
]);
/** Errors that opt the recipient out, whatever their name. */
const errorsById: ReadonlyMap<string, string> = new Map([
  ['573', 'EC_SC_BLOCKED_BY_END_USER'],
  ['603', 'EC_CONTENT_BLOCKED'],
  ['604', 'EC_BLOCKED_BY_CAMPAIGN_BLOCKLIST'],
  ['2050', 'EC_DEST_ADDRESS_BLOCKLISTED'],
  ['2052', 'EC_BLOCKLISTED_DESTINATIONADDRESS'],
]);

const meaningBy =
  (names: ReadonlyMap<string, string>) =>
  ({ name, id }: InfobipStatus): CodeMeaning | undefined =>
    infobipCode((id === null ? undefined : names.get(id)) ?? name);

export const infobipStatus = meaningBy(statusesById);
export const infobipError = meaningBy(errorsById);

/** A second message with the same id was refused. This proves only that the first one exists. */
export const isDuplicate = ({ name, id }: InfobipStatus): boolean => name === duplicateName || id === '23';
export const duplicateName = 'REJECTED_DUPLICATE_MESSAGE_ID';
