import type { Entry } from './ledger.ts';
import type { Reply } from './phones.ts';

/** Twilio's Messages resource: what it accepts, what it rejects, and its wording of both. */

export interface ApiError {
  status: number;
  code: number;
  message: string;
}

export const errors = {
  authenticate: { status: 401, code: 20003, message: 'Authenticate' },
  tooManyRequests: { status: 429, code: 20429, message: 'Too Many Requests' },
  internal: { status: 500, code: 20500, message: 'An internal server error has occurred' },
  unavailable: { status: 503, code: 20503, message: 'Service Unavailable' },
} as const satisfies Record<string, ApiError>;

export const notFound = (path: string): ApiError => ({
  status: 404,
  code: 20404,
  message: `The requested resource ${path} was not found`,
});

/** https://www.twilio.com/docs/usage/twilios-response#twilio-api-errors */
export const errorBody = ({ status, code, message }: ApiError): string =>
  JSON.stringify({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });

const badRequest = (code: number, message: string): ApiError => ({ status: 400, code, message });

/** The numbers of Twilio's test credentials: https://www.twilio.com/docs/iam/test-credentials#test-sms-messages */
const magicRecipients = new Map([
  ['+15005550001', 21211],
  ['+15005550002', 21612],
  ['+15005550003', 21408],
  ['+15005550004', 21610],
  ['+15005550009', 21614],
]);
const magicSenders = new Map([
  ['+15005550001', 21212],
  ['+15005550007', 21606],
  ['+15005550008', 21611],
]);

/** Twilio's texts for the codes with which a number can be refused; other codes have none. */
export function refusal(code: number, to: string, from: string): ApiError {
  const words = new Map([
    [21211, `Invalid 'To' Phone Number: ${to}`],
    [21212, `Invalid From Number (caller ID): ${from}`],
    [
      21408,
      `Permission to send an SMS has not been enabled for the region indicated by the 'To' number: ${to}`,
    ],
    [
      21606,
      `The 'From' phone number provided (${from}) is not a valid message-capable Twilio phone number for this destination/account.`,
    ],
    [21610, 'Attempt to send to unsubscribed recipient'],
    [21611, `This 'From' number has exceeded the maximum number of queued messages`],
    [
      21612,
      `Message cannot be sent with the current combination of 'To' (${to}) and/or 'From' (${from}) parameters`,
    ],
    [21614, `'To' number is not a valid mobile number: ${to}`],
    [21635, `'To' number cannot be a landline: ${to}`],
  ]);
  return badRequest(code, words.get(code) ?? `The message was refused with the code ${code}`);
}

export interface SendForm {
  to: string;
  from: string;
  body: string;
  statusCallback: string | null;
}

type Form = Record<string, string | string[] | undefined>;
const field = (form: Form, name: string): string => {
  const value = form[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
};

/** Validates the form of a send as Twilio does. For a Messaging Service its SID replaces the sender. */
export function readSendForm(form: Form): SendForm | ApiError {
  const to = field(form, 'To');
  const from = field(form, 'From') || field(form, 'MessagingServiceSid');
  const body = field(form, 'Body');
  const statusCallback = field(form, 'StatusCallback') || null;
  if (to === '') return badRequest(21604, "A 'To' phone number is required.");
  if (from === '') return badRequest(21603, "A 'From' phone number is required.");
  if (!/^\+[1-9]\d{7,14}$/.test(to)) return refusal(21211, to, from);
  if (body === '') return badRequest(21602, 'Message body is required.');
  if (body.length > 1600) {
    return badRequest(21617, 'The concatenated message body exceeds the 1600 character limit');
  }
  if (statusCallback !== null && !/^https?:\/\/[^\s/]+/.test(statusCallback)) {
    return badRequest(21609, `The StatusCallback URL ${statusCallback} is not a valid URL.`);
  }
  // +55, two digits of area, then 2–5: a landline. Brazil's mobiles have nine digits and begin with 9.
  const magic =
    magicSenders.get(from) ??
    magicRecipients.get(to) ??
    (/^\+55\d\d[2-5]\d{7}$/.test(to) ? 21614 : undefined);
  if (magic !== undefined) return refusal(magic, to, from);
  return { to, from, body, statusCallback };
}

/** The JSON of https://www.twilio.com/docs/messaging/api/message-resource#message-properties */
export function messageResource(entry: Entry, accountSid: string): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${entry.sid}`;
  const date = rfc2822(entry.at);
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: entry.body,
    date_created: date,
    date_sent: entry.status === 'queued' ? null : date,
    date_updated: date,
    direction: 'outbound-api',
    error_code: entry.errorCode === 0 ? null : entry.errorCode,
    error_message: null,
    from: entry.from.startsWith('MG') ? null : entry.from,
    messaging_service_sid: entry.from.startsWith('MG') ? entry.from : null,
    num_media: '0',
    num_segments: String(entry.segments),
    price: null,
    price_unit: 'USD',
    sid: entry.sid,
    status: entry.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: entry.to,
    uri: `${uri}.json`,
  };
}

/** The same for an incoming message. */
export function replyResource(
  { sid, at, from, to, body }: Reply,
  accountSid: string,
): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  const date = rfc2822(at);
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body,
    date_created: date,
    date_sent: date,
    date_updated: date,
    direction: 'inbound',
    error_code: null,
    error_message: null,
    from,
    messaging_service_sid: null,
    num_media: '0',
    num_segments: String(countSegments(body)),
    price: null,
    price_unit: 'USD',
    sid,
    status: 'received',
    subresource_uris: { media: `${uri}/Media.json` },
    to,
    uri: `${uri}.json`,
  };
}

const rfc2822 = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

// 3GPP 23.038: the default alphabet, and the characters of its extension, which cost two.
const gsm7 =
  /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[~\]|€\f]*$/;
const gsm7Extension = /[\^{}\\[~\]|€\f]/g;

/** The number of SMS that Twilio bills for the text. */
export function countSegments(text: string): number {
  if (gsm7.test(text)) {
    const septets = text.length + (text.match(gsm7Extension)?.length ?? 0);
    return septets <= 160 ? 1 : Math.ceil(septets / 153);
  }
  return text.length <= 70 ? 1 : Math.ceil(text.length / 67);
}
