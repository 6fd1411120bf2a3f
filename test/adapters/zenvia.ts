import { createZenvia } from '../../sms/zenvia/zenvia.ts';
import { type Adapter, call, json } from './shapes.ts';
import { httpAnswer } from '../kit/raw-server.ts';

const callbackSecret = 'a-secret-of-twenty-letters';
const id = '5d1e7a52-2f0d-4a0e-9d3b-000000000001';
const errorOf = (status: number, code: string, path?: string) =>
  httpAnswer(
    status,
    JSON.stringify({
      code,
      message: 'Validation error',
      ...(path === undefined ? {} : { details: [{ code: 'INVALID', path, message: 'to 5511988887777' }] }),
    }),
  );
const statusEvent = (code: string, more: { externalId?: string; causes?: object[] } = {}) => ({
  id: 'event-1',
  timestamp: '2026-11-24T12:00:00Z',
  type: 'MESSAGE_STATUS',
  channel: 'sms',
  messageId: id,
  contentIndex: 0,
  message: { id, externalId: more.externalId ?? 'r1-123', contentIndex: 0, direction: 'OUT' },
  messageStatus: { code, timestamp: '2026-11-24T12:00:00Z', ...(more.causes && { causes: more.causes }) },
});
const receipt = { messageId: 123, providerMessageId: id, reason: null, code: null };
const messageEvent = (contents: object[], direction = 'IN') => ({
  id: 'event-2',
  type: 'MESSAGE',
  channel: 'sms',
  direction,
  message: { id, from: '5511988887777', to: 'minha.loja', direction, channel: 'sms', contents },
});

export const zenvia: Adapter = {
  create: (options) =>
    createZenvia({ apiToken: 'the-token', callbackSecret, from: 'minha.loja', reference: 'r1', ...options }),
  accepts: { answer: httpAnswer(200, JSON.stringify({ id, from: 'minha.loja' })), providerMessageId: id },
  requests: [
    {
      name: 'a text with accents, an emoji and quotes',
      send: { messageId: 123, to: '+5511988887777', text: 'Olá "você" \\ 🚀\nSAIR' },
      request: {
        method: 'POST',
        path: '/v2/channels/sms/messages',
        headers: { 'x-api-token': 'the-token', 'content-type': 'application/json' },
        body: {
          from: 'minha.loja',
          to: '5511988887777',
          externalId: 'r1-123',
          contents: [{ type: 'text', text: 'Olá "você" \\ 🚀\nSAIR' }],
        },
      },
    },
  ],
  answers: [
    {
      name: '200 without an id',
      answer: httpAnswer(200, '{}'),
      outcome: { kind: 'ambiguous', code: 'HTTP_200' },
    },
    { name: '200 that is not JSON', answer: httpAnswer(200, '<html>'), outcome: { kind: 'ambiguous' } },
    {
      name: '401',
      answer: errorOf(401, 'AUTHENTICATION_ERROR'),
      outcome: { kind: 'account', code: 'AUTHENTICATION_ERROR' },
    },
    { name: '402', answer: httpAnswer(402, ''), outcome: { kind: 'account', code: 'HTTP_402' } },
    { name: '404', answer: errorOf(404, 'NOT_FOUND'), outcome: { kind: 'account', code: 'NOT_FOUND' } },
    ...(
      [
        ['to', 'refused', 'number_invalid'],
        ['body.contents[0].text', 'refused', 'content_refused'],
        ['.to', 'refused', 'number_invalid'],
      ] as const
    ).map(([path, kind, reason]) => ({
      name: `400 for the field ${path}`,
      answer: errorOf(400, 'VALIDATION_ERROR', path),
      outcome: { kind, reason },
    })),
    {
      name: '400 for the sender',
      answer: errorOf(400, 'VALIDATION_ERROR', 'from'),
      outcome: { kind: 'account', code: 'VALIDATION_ERROR/from' },
    },
    {
      name: '400 without a field',
      answer: errorOf(400, 'VALIDATION_ERROR'),
      outcome: { kind: 'refused', reason: 'request_refused', code: 'VALIDATION_ERROR' },
    },
    { name: '409', answer: errorOf(409, 'DUPLICATED'), outcome: { kind: 'ambiguous', code: 'DUPLICATED' } },
    {
      name: '422 with an unknown code',
      answer: errorOf(422, 'TOMORROW'),
      outcome: { kind: 'refused', code: 'TOMORROW' },
    },
    {
      name: '429',
      answer: httpAnswer(429, ''),
      outcome: { kind: 'temporary', code: 'HTTP_429', retryAfterMs: 0, outage: true },
    },
    {
      name: '500',
      answer: errorOf(500, 'INTERNAL_ERROR'),
      outcome: { kind: 'ambiguous', code: 'INTERNAL_ERROR' },
    },
  ],
  receipts: [
    ...(
      [
        ['SENT', 'sent'],
        ['DELIVERED', 'delivered'],
        ['READ', 'delivered'],
        ['DELETED', null],
      ] as const
    ).map(([word, status]) => ({
      name: word,
      callback: call('receipts', json(statusEvent(word))),
      receipts: [{ ...receipt, status }],
    })),
    {
      name: 'OF_TOMORROW, an unknown status',
      callback: call('receipts', json(statusEvent('OF_TOMORROW'))),
      receipts: [],
      unread: ['status_unknown'],
    },
    {
      name: 'NOT_DELIVERED with a cause',
      callback: call(
        'receipts',
        json(statusEvent('NOT_DELIVERED', { causes: [{ channelErrorCode: '7', reason: 'x' }] })),
      ),
      receipts: [{ ...receipt, status: 'undelivered', reason: 'not_delivered', code: '7' }],
    },
    {
      name: 'REJECTED',
      callback: call('receipts', json(statusEvent('REJECTED'))),
      receipts: [{ ...receipt, status: 'failed', reason: 'request_refused' }],
    },
    {
      name: "for another system's message",
      callback: call('receipts', json(statusEvent('DELIVERED', { externalId: '123' }))),
      receipts: [{ ...receipt, messageId: null, status: 'delivered' }],
    },
    {
      name: 'that is a message',
      callback: call('receipts', json(messageEvent([]))),
      receipts: [],
      unread: ['other_type'],
    },
    {
      name: 'in a list with an incomplete event',
      callback: call('receipts', json([statusEvent('SENT'), { type: 'MESSAGE_STATUS' }])),
      receipts: [{ ...receipt, status: 'sent' }],
      unread: ['field_missing'],
    },
    {
      name: 'without an id, matched by our reference',
      callback: call('receipts', json({ ...statusEvent('SENT'), messageId: undefined })),
      receipts: [{ ...receipt, status: 'sent' }],
    },
  ],
  inbound: [
    {
      name: 'untrimmed',
      callback: call('inbound', json(messageEvent([{ type: 'text', text: ' Sair ' }]))),
      messages: [{ providerMessageId: id, from: '+5511988887777', to: 'minha.loja', text: ' Sair ' }],
    },
    {
      name: 'with two texts and a file',
      callback: call(
        'inbound',
        json(
          messageEvent([
            { type: 'text', text: 'a' },
            { type: 'file', fileUrl: 'x' },
            { type: 'text', text: 'b' },
          ]),
        ),
      ),
      messages: [{ providerMessageId: id, from: '+5511988887777', to: 'minha.loja', text: 'a\nb' }],
    },
    {
      name: 'that is our own message',
      callback: call('inbound', json(messageEvent([{ type: 'text', text: 'Oi' }], 'OUT'))),
      messages: [],
    },
    {
      name: 'that is a receipt',
      callback: call('inbound', json(statusEvent('SENT'))),
      messages: [],
      unread: ['other_type'],
    },
  ],
  lookUps: null,
  verification: [
    {
      name: "with the subscription's header",
      callback: call('receipts', json({}), { 'x-torpedo-key': callbackSecret }),
      genuine: true,
    },
    {
      name: 'with a bearer token',
      callback: call('receipts', json({}), { authorization: `Bearer ${callbackSecret}` }),
      genuine: true,
    },
    {
      name: 'with another secret',
      callback: call('receipts', json({}), { 'x-torpedo-key': 'another-secret-of-20-letters' }),
      genuine: false,
    },
    {
      name: 'with half of the secret',
      callback: call('receipts', json({}), { 'x-torpedo-key': callbackSecret.slice(0, 13) }),
      genuine: false,
    },
    {
      name: 'with an empty header',
      callback: call('receipts', json({}), { 'x-torpedo-key': '' }),
      genuine: false,
    },
    { name: 'without a secret', callback: call('receipts', json({})), genuine: false },
  ],
};
