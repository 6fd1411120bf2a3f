import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Callback, DeliveryReceipt, Fields, InboundMessage } from '../provider.ts';
import { twilioCodes } from './codes.ts';

/**
 * Whether Twilio signed this callback: `X-Twilio-Signature` is the base64 HMAC-SHA1, keyed with the auth token, of
 * the URL followed by each field's name and value, sorted by name; of a repeated field, its distinct values, sorted.
 * A body that is no form is signed through its SHA-256 in the URL (`bodySHA256`).
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function verifyTwilioCallback(authToken: string, callback: Callback): boolean {
  const { url, headers, form, rawBody } = callback;
  const signature = headers['x-twilio-signature'];
  if (typeof signature !== 'string') return false;

  // Most have none, and reading a URL costs as much as verifying it.
  const bodyHash =
    url.includes('bodySHA256=') && URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null;
  if (bodyHash !== null && !equal(bodyHash, createHash('sha256').update(rawBody).digest('hex'))) return false;
  const fields = bodyHash === null ? signedFields(form) : '';

  // Twilio signs the URL with or without the port, and proxies add and drop it.
  return (
    equal(signature, signatureOf(url + fields, authToken)) ||
    equal(signature, signatureOf(withoutPort(url) + fields, authToken)) ||
    equal(signature, signatureOf(withPort(url) + fields, authToken))
  );
}

const signatureOf = (text: string, authToken: string): string =>
  createHmac('sha1', authToken).update(text).digest('base64');

function signedFields(form: Callback['form']): string {
  let text = '';
  for (const name of Object.keys(form).sort()) {
    const value = form[name] ?? '';
    if (typeof value === 'string') text += name + value;
    else for (const one of new Set(value.toSorted())) text += name + one;
  }
  return text;
}

// By pattern, not through URL: it would percent-encode characters that Twilio signed as they are.
const authority = /^(https?:\/\/)([^/?#]*?)(:\d+)?(?=[/?#]|$)/i;

const withoutPort = (url: string): string => url.replace(authority, '$1$2');

const withPort = (url: string): string =>
  url.replace(authority, (_all, scheme: string, host: string, port: string | undefined) => {
    return scheme + host + (port ?? (scheme.toLowerCase() === 'https://' ? ':443' : ':80'));
  });

/** In constant time, but for the length, which is no secret. */
function equal(received: string, expected: string): boolean {
  const a = Buffer.from(received);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * What each MessageStatus says: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
 * `read` is said by channels other than SMS, after `delivered`. `canceled` is the end of a scheduled message.
 */
const statuses: ReadonlyMap<string, DeliveryReceipt['status']> = new Map([
  ['accepted', null],
  ['scheduled', null],
  ['queued', null],
  ['sending', null],
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'delivered'],
  ['undelivered', 'undelivered'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
]);

/** Reads a status callback; nothing from anything else, as an incoming message. */
export function readTwilioReceipts({ query, form }: Callback): DeliveryReceipt[] {
  const { MessageSid: sid, MessageStatus: word, ErrorCode: code } = form;
  if (typeof sid !== 'string' || typeof word !== 'string') return [];
  return [
    {
      messageId: messageIdOf(query['message']),
      providerMessageId: sid,
      ...readTwilioStatus(word, typeof code === 'string' ? code : ''),
      payload: form,
    },
  ];
}

/** What a status says with its error code, '' or 0 for none: in callbacks as in the list of messages. */
export function readTwilioStatus(
  word: string,
  code: string,
): Pick<DeliveryReceipt, 'status' | 'reason' | 'code'> {
  const status = statuses.get(word) ?? null;
  const ended = status === 'undelivered' || status === 'failed';
  return {
    status,
    reason: ended ? (twilioCodes.get(Number(code))?.reason ?? 'not_delivered') : null,
    code: code !== '' && code !== '0' ? code : null,
  };
}

/**
 * Reads an incoming message: https://www.twilio.com/docs/messaging/guides/webhook-request
 * Its SmsStatus is `received`; a receipt has another, and no Body.
 */
export function readTwilioInbound({ form }: Callback): InboundMessage[] {
  const { MessageSid: sid, SmsStatus: status, From: from, To: to, Body: text } = form;
  if (typeof sid !== 'string' || typeof from !== 'string' || typeof to !== 'string') return [];
  if (status !== 'received' || typeof text !== 'string') return [];
  return [{ providerMessageId: sid, from, to, text, payload: form }];
}

const messageIdOf = (value: Fields[string] | undefined): number | null =>
  typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : null;
