import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { UnreadFault } from '../../domain/problems/callbacks.ts';
import { missing, quoted, readingOf, unreadPart } from '../callback.ts';
import type { Call, Callback, DeliveryReceipt, Fields, InboundMessage, Reading } from '../provider.ts';
import { twilioCodes } from './codes.ts';

/** The keys that sign Twilio's callbacks. */
interface SigningKeys {
  authToken: string;
  sharedKeySecret?: string | undefined;
}

/**
 * Whether Twilio signed this callback: `X-Twilio-Signature` is the base64 HMAC-SHA1, keyed with the auth token, of the
 * URL followed by each field's name and value, sorted by name; for a repeated field, its distinct values, sorted. A
 * body that is not a form is signed through its SHA-256 in the URL (`bodySHA256`).
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * With a Webhooks Rule at Twilio, a shared key signs instead, and a header names it with the algorithm:
 * `X-Twilio-Webhooks-Signature-Settings: key=…,algorithm=HMAC_SHA256`. Only the hash and its key differ.
 * https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
 */
export function verifyTwilioCallback(
  keys: SigningKeys,
  callback: Pick<Callback, 'url' | 'headers' | 'form' | 'rawBody'>,
): boolean {
  const { url, headers, form, rawBody } = callback;
  const signature = headers['x-twilio-signature'];
  if (typeof signature !== 'string') return false;
  const signing = signingOf(keys, headers['x-twilio-webhooks-signature-settings']);
  if (signing === null) return false;

  // Most URLs have no hash, and parsing one costs as much as verifying the signature.
  const bodyHash =
    url.includes('bodySHA256=') && URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null;
  if (bodyHash !== null && !equal(bodyHash, createHash('sha256').update(rawBody).digest('hex'))) return false;
  const fields = bodyHash === null ? signedFields(form) : '';

  // Twilio signs the URL with or without the port, and proxies add or remove it.
  return (
    equal(signature, signatureOf(url + fields, signing)) ||
    equal(signature, signatureOf(withoutPort(url) + fields, signing)) ||
    equal(signature, signatureOf(withPort(url) + fields, signing))
  );
}

interface Signing {
  algorithm: 'sha1' | 'sha256';
  key: string;
}

const algorithms: ReadonlyMap<string, Signing['algorithm']> = new Map([
  ['HMAC_SHA1', 'sha1'],
  ['HMAC_SHA256', 'sha256'],
]);

/** Null if the key or the algorithm is unknown. */
function signingOf(
  { authToken, sharedKeySecret }: SigningKeys,
  settings: string | string[] | undefined,
): Signing | null {
  if (settings === undefined) return { algorithm: 'sha1', key: authToken };
  const word = typeof settings === 'string' ? /(?:^|,)\s*algorithm=(\w+)/.exec(settings)?.[1] : undefined;
  const algorithm = word === undefined ? undefined : algorithms.get(word);
  return algorithm === undefined || sharedKeySecret === undefined
    ? null
    : { algorithm, key: sharedKeySecret };
}

const signatureOf = (text: string, { algorithm, key }: Signing): string =>
  createHmac(algorithm, key).update(text).digest('base64');

function signedFields(form: Callback['form']): string {
  let text = '';
  for (const name of Object.keys(form).sort()) {
    const value = form[name] ?? '';
    if (typeof value === 'string') text += name + value;
    else for (const one of new Set(value.toSorted())) text += name + one;
  }
  return text;
}

// Not by the class URL, which percent-encodes characters that Twilio signs unencoded.
const authority = /^(https?:\/\/)([^/?#]*?)(:\d+)?(?=[/?#]|$)/i;

const withoutPort = (url: string): string => url.replace(authority, '$1$2');

const withPort = (url: string): string =>
  url.replace(authority, (_all, scheme: string, host: string, port: string | undefined) => {
    return scheme + host + (port ?? (scheme.toLowerCase() === 'https://' ? ':443' : ':80'));
  });

/** In constant time, except for the length, which is not secret. */
function equal(received: string, expected: string): boolean {
  const a = Buffer.from(received);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * The meaning of each MessageStatus:
 * https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
 * `read` comes from channels other than SMS, after `delivered`. `canceled` ends a scheduled message.
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

/** Reads a status callback. */
export function readTwilioReceipts(call: Call): Reading<DeliveryReceipt> {
  const { query, form } = call;
  const { MessageSid: sid, MessageStatus: word, ErrorCode: code } = form;
  const messageId = messageIdOf(query['message']);
  if (typeof sid !== 'string') return unread(call, messageId, missing(call, 'MessageSid'));
  if (typeof word !== 'string') {
    return form['SmsStatus'] === received
      ? unread(call, messageId, { code: 'other_type', params: { type: received, kind: 'receipts' } })
      : unread(call, messageId, missing(call, 'MessageStatus'));
  }
  if (!statuses.has(word))
    return unread(call, messageId, { code: 'status_unknown', params: { status: quoted(word) } });
  const outcome = readTwilioStatus(word, typeof code === 'string' ? code : '');
  return { read: [{ messageId, providerMessageId: sid, ...outcome, payload: form }], unread: [] };
}

/** Not inside the readers, because tsx wraps an inner function at every call. */
const unread = (call: Call, messageId: number | null, fault: UnreadFault): Reading<never> =>
  readingOf<never>([unreadPart(call, fault, messageId)]);

/** The SmsStatus of an incoming message. */
const received = 'received';

/** The meaning of a status with its error code (empty or 0: none), in callbacks and in the list of messages. */
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
 * Its SmsStatus is `received`; a receipt has another status and no Body.
 */
export function readTwilioInbound(call: Call): Reading<InboundMessage> {
  const { form } = call;
  const { MessageSid: sid, SmsStatus: status, From: from, To: to, Body: text } = form;
  if (typeof status === 'string' && status !== received)
    return unread(call, null, { code: 'other_type', params: { type: quoted(status), kind: 'inbound' } });
  if (typeof sid !== 'string') return unread(call, null, missing(call, 'MessageSid'));
  if (typeof from !== 'string') return unread(call, null, missing(call, 'From'));
  if (typeof to !== 'string') return unread(call, null, missing(call, 'To'));
  if (typeof text !== 'string') return unread(call, null, missing(call, 'Body'));
  return { read: [{ providerMessageId: sid, from, to, text, payload: form }], unread: [] };
}

const messageIdOf = (value: Fields[string] | undefined): number | null =>
  typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : null;
