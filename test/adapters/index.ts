import twilioLibrary from 'twilio';
import { createTwilio, type TwilioOptions } from '../../sms/twilio/twilio.ts';
import { android } from './gateways/android.ts';
import { comtele } from './gateways/comtele.ts';
import { jasmin } from './gateways/jasmin.ts';
import { kannel } from './gateways/kannel.ts';
import { smsdev } from './gateways/smsdev.ts';
import { totalvoice } from './gateways/totalvoice.ts';
import { jsonGateway, plainGateway } from './http.ts';
import { infobip } from './infobip.ts';
import { type Adapter, call, form } from './shapes.ts';
import { zenvia } from './zenvia.ts';
import { httpAnswer } from '../kit/raw-server.ts';

export const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const messageSid = `SM${'a'.repeat(32)}`;
export const twilio =
  (overrides: Partial<TwilioOptions> = {}) =>
  (options: { baseUrl: string; sendTimeoutMs: number; connections: number }) =>
    createTwilio({
      accountSid,
      authToken: 'the-token',
      from: '+5511999990000',
      statusCallbackUrl: 'https://torpedo.example/webhooks/providers/1/receipts',
      ...overrides,
      ...options,
    });
const params = { provider: 'Twilio' };
/** A message in the format of Twilio's list. */
const listed = (changes: object = {}) => ({
  sid: messageSid,
  to: '+5511988887777',
  from: '+5511999990000',
  messaging_service_sid: null,
  body: 'Oi',
  direction: 'outbound-api',
  status: 'delivered',
  error_code: null,
  date_created: 'Wed, 25 Nov 2026 12:00:05 +0000',
  date_sent: 'Wed, 25 Nov 2026 12:00:06 +0000',
  ...changes,
});
const listOf = (messages: object[], next: string | null = null) =>
  httpAnswer(200, JSON.stringify({ messages, next_page_uri: next }));
const listPath = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
const nextPage = `${listPath}?To=%2B5511988887777&Page=1&PageToken=PASM1`;

/** An error in Twilio's format. */
const twilioError = (status: number, code: number, headers: Record<string, string> = {}) =>
  httpAnswer(
    status,
    JSON.stringify({ code, message: "The 'To' number +5511988887777 is bad", more_info: '', status }),
    headers,
  );

const twilioReply = { MessageSid: messageSid, SmsStatus: 'received', From: '+5511988887777', To: '28282' };
/** Signed by Twilio's own library; `body`, `url` and `length` change the callback after it is signed. */
function twilioSigned({
  authToken = 'the-token',
  body = '',
  url = 'receipts?message=123',
  length = 99,
} = {}) {
  const signed = call('receipts?message=123', form(twilioReply));
  const signature = twilioLibrary.getExpectedTwilioSignature(authToken, signed.url, twilioReply);
  return call(
    url,
    { ...signed, ...(body === '' ? {} : { rawBody: body }) },
    { 'x-twilio-signature': signature.slice(0, length) },
  );
}

export const adapters: Record<string, Adapter> = {
  zenvia,
  infobip,
  'a gateway by GET': plainGateway,
  'a gateway by JSON': jsonGateway,
  smsdev,
  comtele,
  totalvoice,
  'an Android phone': android,
  jasmin,
  kannel,
  twilio: {
    create: twilio(),
    accepts: {
      answer: httpAnswer(201, JSON.stringify({ sid: messageSid, status: 'queued', error_code: null })),
      providerMessageId: messageSid,
    },
    requests: [
      {
        name: 'a text with accents, an emoji and form characters',
        send: { messageId: 123, to: '+5511988887777', text: 'Olá & até já =+%? 🚀\nSAIR' },
        request: {
          method: 'POST',
          path: `/2010-04-01/Accounts/${accountSid}/Messages.json`,
          headers: {
            authorization: `Basic ${Buffer.from(`${accountSid}:the-token`).toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: {
            To: '+5511988887777',
            From: '+5511999990000',
            Body: 'Olá & até já =+%? 🚀\nSAIR',
            StatusCallback: 'https://torpedo.example/webhooks/providers/1/receipts?message=123',
          },
        },
      },
    ],
    answers: [
      {
        name: '200 with a sid',
        answer: httpAnswer(200, `{"sid":"${messageSid}"}`),
        outcome: { kind: 'accepted' },
      },
      {
        name: '201 without a sid',
        answer: httpAnswer(201, '{}'),
        outcome: { kind: 'ambiguous', code: 'HTTP_201' },
      },
      {
        name: '201 with a sid that is not a string',
        answer: httpAnswer(201, '{"sid":1}'),
        outcome: { kind: 'ambiguous' },
      },
      { name: '201 that is not JSON', answer: httpAnswer(201, '<html>'), outcome: { kind: 'ambiguous' } },
      { name: '201 without a body', answer: httpAnswer(201, ''), outcome: { kind: 'ambiguous' } },
      {
        name: '429',
        answer: twilioError(429, 20429),
        outcome: { kind: 'temporary', code: '20429', retryAfterMs: 0, outage: true },
      },
      {
        name: '429 with seconds to wait',
        answer: twilioError(429, 20429, { 'retry-after': '7' }),
        outcome: { kind: 'temporary', retryAfterMs: 7000 },
      },
      {
        name: '429 with a past date',
        answer: twilioError(429, 20429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
        outcome: { kind: 'temporary', retryAfterMs: 0 },
      },
      {
        name: '503 with seconds to wait',
        answer: httpAnswer(503, 'busy', { 'retry-after': '2' }),
        outcome: { kind: 'temporary', code: 'HTTP_503', retryAfterMs: 2000 },
      },
      {
        name: '503 without seconds to wait',
        answer: httpAnswer(503, 'busy'),
        outcome: { kind: 'ambiguous', code: 'HTTP_503' },
      },
      { name: '500', answer: twilioError(500, 20500), outcome: { kind: 'ambiguous', code: '20500' } },
      {
        name: '504 of a proxy',
        answer: httpAnswer(504, '<html>'),
        outcome: { kind: 'ambiguous', code: 'HTTP_504' },
      },
      { name: '408', answer: httpAnswer(408, ''), outcome: { kind: 'ambiguous' } },
      { name: '401', answer: twilioError(401, 20003), outcome: { kind: 'account', code: '20003' } },
      {
        name: '403 without a code',
        answer: httpAnswer(403, ''),
        outcome: { kind: 'account', code: 'HTTP_403' },
      },
      { name: '404', answer: twilioError(404, 20404), outcome: { kind: 'account' } },
      {
        name: 'a redirect, which is not followed',
        answer: httpAnswer(302, '', { location: 'http://127.0.0.1:1/' }),
        outcome: { kind: 'account', code: 'HTTP_302' },
      },
      ...(
        [
          [21211, 'number_invalid'],
          [21217, 'number_invalid'],
          [21266, 'number_invalid'],
          [21618, 'content_refused'],
          [21657, 'sender_refused'],
          [21614, 'number_not_mobile'],
          [21635, 'number_not_mobile'],
          [21604, 'number_invalid'],
          [21608, 'sender_refused'],
          [21659, 'sender_refused'],
          [21610, 'number_opted_out'],
          [21612, 'sender_refused'],
          [21606, 'sender_refused'],
          [21408, 'sender_refused'],
          [21617, 'content_refused'],
          [21602, 'content_refused'],
          [99999, 'request_refused'],
        ] as const
      ).map(([code, reason]) => ({
        name: `400 with the code ${code}`,
        answer: twilioError(400, code),
        outcome: { kind: 'refused', reason, code: String(code) } as const,
      })),
      ...[
        ...[10001, 20003, 20005, 20006, 20008, 21212, 21601, 21603, 21609, 21616, 21660, 21661],
        ...[21701, 21703, 21704, 21705, 21709, 30002, 30033, 30037, 63007],
      ].map((code) => ({
        name: `400 with the code ${code}`,
        answer: twilioError(400, code),
        outcome: { kind: 'account', code: String(code) } as const,
      })),
      ...(
        [
          [400, 14107, false],
          [400, 21611, true],
          [400, 21730, true],
          [503, 21730, true],
          [400, 63017, true],
        ] as const
      ).map(([status, code, outage]) => ({
        name: `${status} with the code ${code}`,
        answer: twilioError(status, code),
        outcome: { kind: 'temporary', code: String(code), outage } as const,
      })),
      // Twilio answers with a 429, although an early retry does not help.
      ...[429, 400].map((status) => ({
        name: `${status} for the daily limit`,
        answer: twilioError(status, 63038, { 'retry-after': '1' }),
        outcome: { kind: 'account', code: '63038', detail: { code: 'daily_limit', params } } as const,
      })),
      {
        name: '503 for the account with seconds to wait',
        answer: twilioError(503, 30002, { 'retry-after': '2' }),
        outcome: { kind: 'temporary', retryAfterMs: 2000 },
      },
      {
        name: '500 with an ambiguous code',
        answer: twilioError(500, 30500),
        outcome: { kind: 'ambiguous', code: '30500' },
      },
      {
        name: '400 that is not JSON',
        answer: httpAnswer(400, 'no'),
        outcome: { kind: 'refused', reason: 'request_refused', code: 'HTTP_400' },
      },
    ],
    receipts: [
      ...(
        [
          ['accepted', null],
          ['queued', null],
          ['sending', null],
          ['sent', 'sent'],
          ['delivered', 'delivered'],
          ['read', 'delivered'],
        ] as const
      ).map(([word, status]) => ({
        name: word,
        callback: call('receipts?message=123', form({ MessageSid: messageSid, MessageStatus: word })),
        receipts: [{ messageId: 123, providerMessageId: messageSid, status, reason: null, code: null }],
      })),
      ...(
        [
          ['undelivered', '30003', 'undelivered', 'number_unreachable'],
          ['undelivered', '30004', 'undelivered', 'carrier_filtered'],
          ['undelivered', '30005', 'undelivered', 'number_invalid'],
          ['undelivered', '30006', 'undelivered', 'number_not_mobile'],
          ['undelivered', '30007', 'undelivered', 'carrier_filtered'],
          ['undelivered', '30008', 'undelivered', 'not_delivered'],
          ['undelivered', '30036', 'undelivered', 'expired_at_carrier'],
          ['undelivered', '39999', 'undelivered', 'not_delivered'],
          ['undelivered', '30010', 'undelivered', 'request_refused'],
          ['undelivered', '30017', 'undelivered', 'temporary_failure'],
          ['undelivered', '30022', 'undelivered', 'temporary_failure'],
          ['undelivered', '30023', 'undelivered', 'temporary_failure'],
          ['undelivered', '30024', 'undelivered', 'sender_refused'],
          ['undelivered', '30034', 'undelivered', 'sender_refused'],
          ['undelivered', '30039', 'undelivered', 'request_refused'],
          ['undelivered', '30410', 'undelivered', 'not_delivered'],
          ['undelivered', '30450', 'undelivered', 'carrier_filtered'],
          ['undelivered', '30485', 'undelivered', 'carrier_filtered'],
          ['failed', '30500', 'failed', 'temporary_failure'],
          ['failed', '63038', 'failed', 'temporary_failure'],
          ['failed', '30001', 'failed', 'temporary_failure'],
          ['failed', '21610', 'failed', 'number_opted_out'],
        ] as const
      ).map(([word, code, status, reason]) => ({
        name: `${word} with the code ${code}`,
        callback: call(
          'receipts?message=123',
          form({ MessageSid: messageSid, MessageStatus: word, ErrorCode: code }),
        ),
        receipts: [{ messageId: 123, providerMessageId: messageSid, status, reason, code }],
      })),
      {
        name: 'undelivered without a code',
        callback: call(
          'receipts?message=123',
          form({ MessageSid: messageSid, MessageStatus: 'undelivered' }),
        ),
        receipts: [
          {
            messageId: 123,
            providerMessageId: messageSid,
            status: 'undelivered',
            reason: 'not_delivered',
            code: null,
          },
        ],
      },
      ...(['', '?message=1e3', '?message=1&message=2'] as const).map((query) => ({
        name: `without our reference, "${query}"`,
        callback: call(`receipts${query}`, form({ MessageSid: messageSid, MessageStatus: 'sent' })),
        receipts: [
          {
            messageId: null,
            providerMessageId: messageSid,
            status: 'sent' as const,
            reason: null,
            code: null,
          },
        ],
      })),
      {
        name: 'with an unknown status',
        callback: call(
          'receipts?message=123',
          form({ MessageSid: messageSid, MessageStatus: 'a status of tomorrow' }),
        ),
        receipts: [],
        unread: ['status_unknown'],
      },
      {
        name: 'that is an incoming message',
        callback: call('receipts', form(twilioReply)),
        receipts: [],
        unread: ['other_type'],
      },
    ],
    inbound: [
      ...([' Sair ', ''] as const).map((text) => ({
        name: `"${text}", untrimmed`,
        callback: call('inbound', form({ ...twilioReply, Body: text })),
        messages: [{ providerMessageId: messageSid, from: '+5511988887777', to: '28282', text }],
      })),
      {
        name: 'that is a receipt',
        callback: call('inbound', form({ ...twilioReply, SmsStatus: 'sent', MessageStatus: 'sent' })),
        messages: [],
        unread: ['other_type'],
      },
    ],
    lookUps: [
      ...(
        [
          ['queued', null, 'sent', null, null],
          ['a word of tomorrow', null, 'sent', null, null],
          ['delivered', null, 'delivered', null, null],
          ['undelivered', 30003, 'undelivered', 'number_unreachable', '30003'],
          ['failed', 30007, 'failed', 'carrier_filtered', '30007'],
        ] as const
      ).map(([word, error_code, status, reason, code]) => ({
        name: `a message that is ${word}`,
        answers: [listOf([listed({ status: word, error_code })])],
        paths: [`GET ${listPath}?To=%2B5511988887777&DateSent%3E=2026-11-25T11%3A59%3A00Z&PageSize=20`],
        found: [{ providerMessageId: messageSid, status, reason, code }],
      })),
      {
        name: 'all possible matches on all pages, and no other messages',
        answers: [
          listOf([listed(), listed({ sid: 'SM-text', body: 'Oi!' })], nextPage),
          listOf([
            listed({ sid: 'SM-second' }),
            listed({ sid: 'SM-sender', from: '+5511999990001' }),
            listed({ sid: 'SM-reply', direction: 'inbound' }),
            listed({ sid: 'SM-early', date_created: 'Wed, 25 Nov 2026 11:58:00 +0000' }),
            listed({ sid: 'SM-late', date_created: 'Wed, 25 Nov 2026 12:02:00 +0000' }),
            listed({ sid: 'SM-undated', date_created: null }),
          ]),
        ],
        found: [messageSid, 'SM-second'].map((providerMessageId) => ({
          providerMessageId,
          status: 'delivered',
          reason: null,
          code: null,
        })),
      },
      { name: 'a message that is not listed', answers: [listOf([])], found: [] },
      {
        name: 'only pages of its own list',
        answers: [listOf([], '/2010-04-01/Accounts/AC0/Calls.json?x')],
        found: 'unavailable',
      },
      {
        name: 'at most 10 pages',
        answers: Array.from({ length: 10 }, () => listOf([], nextPage)),
        found: 'unavailable',
      },
      { name: 'nothing with a wrong token', answers: [twilioError(401, 20003)], found: 'unavailable' },
      { name: 'nothing while Twilio is busy', answers: [twilioError(429, 20429)], found: 'unavailable' },
      { name: 'nothing in an HTML page', answers: [httpAnswer(200, '<html>')], found: 'unavailable' },
    ],
    verification: [
      { name: 'as Twilio signs it', callback: twilioSigned(), genuine: true },
      { name: 'with another token', callback: twilioSigned({ authToken: 'another' }), genuine: false },
      {
        name: 'with a changed body',
        callback: twilioSigned({ body: 'MessageStatus=failed' }),
        genuine: false,
      },
      { name: 'with a changed URL', callback: twilioSigned({ url: 'receipts?message=124' }), genuine: false },
      { name: 'with half a signature', callback: twilioSigned({ length: 14 }), genuine: false },
      {
        name: 'without a signature',
        callback: call('receipts?message=123', form(twilioReply)),
        genuine: false,
      },
    ],
  },
};
