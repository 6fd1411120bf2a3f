import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import twilio from 'twilio';
import { verifyTwilioCallback } from '../../sms/twilio/callbacks.ts';

/** The oracle is Twilio's own library: it signs, we verify. */
const authToken = 'the-token';
const url = 'https://torpedo.example/webhooks/providers/1/receipts?message=123';
const form = { MessageSid: 'SM1', MessageStatus: 'delivered', To: '+5511988887777', Empty: '' };
const sign = (signedUrl: string, fields: Record<string, string | string[]>) =>
  twilio.getExpectedTwilioSignature(authToken, signedUrl, fields);
const verify = (
  signature: string | undefined,
  callback: { url?: string; form?: Record<string, string | string[]>; rawBody?: string },
) =>
  verifyTwilioCallback(
    { authToken },
    {
      url,
      form,
      rawBody: '',
      ...callback,
      headers: { 'x-twilio-signature': signature },
    },
  );

test('a callback signed by Twilio is genuine', () => {
  expect(verify(sign(url, form), {})).toBe(true);
});

test('a callback with a changed field, URL or signature is not genuine', () => {
  const signature = sign(url, form);
  expect(verify(signature, { form: { ...form, MessageStatus: 'failed' } })).toBe(false);
  expect(verify(signature, { form: { ...form, Added: 'x' } })).toBe(false);
  expect(verify(signature, { url: url.replace('123', '124') })).toBe(false);
  expect(verify(signature.toLowerCase(), {})).toBe(false);
  expect(verify('', {})).toBe(false);
  expect(verify(undefined, {})).toBe(false);
});

test('a callback signed with another token is not genuine', () => {
  expect(verify(twilio.getExpectedTwilioSignature('another', url, form), {})).toBe(false);
});

test.each([
  ['https://torpedo.example/x', 'https://torpedo.example:443/x'],
  ['http://torpedo.example/x?a=1', 'http://torpedo.example:80/x?a=1'],
  ['https://torpedo.example:8443/x', 'https://torpedo.example:8443/x'],
  ['https://torpedo.example/x', 'https://torpedo.example:8443/x'],
  ['http://[::1]/x', 'http://[::1]:80/x'],
  ['https://torpedo.example', 'https://torpedo.example:443'],
])('the port may be missing or added: %s and %s', (signed, received) => {
  expect(verify(sign(signed, form), { url: received })).toBe(true);
});

test("the characters of the URL are verified as Twilio signed them, such as the quote in it's", () => {
  const odd = "https://torpedo.example/x?name=it's|ok";
  expect(verify(sign(odd, form), { url: odd })).toBe(true);
});

describe('with a shared key, which a webhook rule at Twilio can set', () => {
  const sharedKeySecret = 'the-shared-key';
  const settingsHeader = 'x-twilio-webhooks-signature-settings';
  // This version of Twilio's library supports only SHA-1. The signed data is the same.
  const hmac = (algorithm: string, key: string): string => {
    const signed = Object.entries(form).sort().flat().join('');
    return createHmac(algorithm, key)
      .update(url + signed)
      .digest('base64');
  };
  const verifyBy = (
    signature: string,
    settings: string | undefined,
    keys: { authToken: string; sharedKeySecret?: string } = { authToken, sharedKeySecret },
  ) =>
    verifyTwilioCallback(keys, {
      ...{ method: 'POST', url, query: {}, form, json: null, rawBody: '' },
      headers: { 'x-twilio-signature': signature, [settingsHeader]: settings },
    });

  test('the oracle signs as Twilio does', () => {
    expect(hmac('sha1', authToken)).toBe(sign(url, form));
  });

  test.each([
    ['sha256', 'key=webhooks_key_1,algorithm=HMAC_SHA256'],
    ['sha256', 'algorithm=HMAC_SHA256, key=webhooks_key_1'],
    ['sha1', 'key=webhooks_key_1,algorithm=HMAC_SHA1'],
  ])('a signature by %s is genuine when the header has %s', (algorithm, settings) => {
    expect(verifyBy(hmac(algorithm, sharedKeySecret), settings)).toBe(true);
    expect(verifyBy(hmac(algorithm, authToken), settings)).toBe(false);
    expect(verifyBy(hmac(algorithm, sharedKeySecret), settings, { authToken })).toBe(false);
  });

  test('an unknown, missing or unnamed algorithm is not genuine', () => {
    const signature = hmac('sha256', sharedKeySecret);
    expect(verifyBy(signature, 'key=k,algorithm=HMAC_SHA512')).toBe(false);
    expect(verifyBy(signature, 'key=k,algorithm=toString')).toBe(false);
    expect(verifyBy(signature, 'key=k')).toBe(false);
    expect(verifyBy(signature, undefined)).toBe(false);
  });

  test('a signature by the auth token stays genuine, because no rule may have matched', () => {
    expect(verifyBy(sign(url, form), undefined)).toBe(true);
  });
});

test('a body that is not a form is verified by its hash in the URL', () => {
  const rawBody = '{"a":1}';
  const hashed = `${url}&bodySHA256=${createHash('sha256').update(rawBody).digest('hex')}`;
  const signature = sign(hashed, {});
  expect(verify(signature, { url: hashed, form: {}, rawBody })).toBe(true);
  expect(verify(signature, { url: hashed, form: {}, rawBody: '{"a":2}' })).toBe(false);
  expect(twilio.validateRequestWithBody(authToken, signature, hashed, rawBody)).toBe(true);
});

test('any fields have the same signature at Twilio', () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
  );
  const name = fc.string({ minLength: 1 }).filter((one) => one !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (fields) => {
      expect(verify(sign(url, fields), { form: fields })).toBe(true);
    }),
  );
});
