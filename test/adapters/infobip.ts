import { createInfobip } from '../../sms/infobip/infobip.ts';
import { type Adapter, call, json } from './shapes.ts';
import { httpAnswer } from '../kit/raw-server.ts';

const callbackSecret = 'a-secret-of-twenty-letters';

/** Infobip answers a send with 200, whatever the outcome of the message. */
const answerOf = (groupName: string, name: string, messageId = 'r1-7') =>
  httpAnswer(
    200,
    JSON.stringify({
      bulkId: '2034072219640523072',
      messages: [
        { messageId, status: { groupId: 1, groupName, id: 26, name }, destination: '5511988887777' },
      ],
    }),
  );
const errorOf = (status: number, errorCode: string, headers = {}) =>
  httpAnswer(
    status,
    JSON.stringify({ errorCode, description: 'Number +5511988887777', action: '' }),
    headers,
  );
const report = (groupName: string, name: string, error = 'NO_ERROR', messageId = 'r1-123') => ({
  bulkId: 'b',
  messageId,
  to: '5511988887777',
  status: { groupId: 3, groupName, id: 5, name },
  error: { groupId: 0, groupName: 'OK', id: 0, name: error, permanent: true },
});
const receipt = { messageId: 123, providerMessageId: 'r1-123', reason: null, code: null };
const reply = {
  messageId: 'in-1',
  from: '5511988887777',
  to: '28282',
  text: ' Sair ',
  keyword: 'SAIR',
  cleanText: '',
};

export const infobipOptions = {
  apiKey: 'the-key',
  callbackSecret,
  from: 'Loja',
  statusCallbackUrl: 'https://torpedo.example/webhooks/providers/1/receipts',
  reference: 'r1',
  portuguese: true,
};

export const infobip: Adapter = {
  create: (options) => createInfobip({ ...infobipOptions, ...options }),
  accepts: { answer: answerOf('PENDING', 'PENDING_ACCEPTED'), providerMessageId: 'r1-7' },
  requests: [
    ...(
      [
        ['Hoje é 10% [mesmo]', null],
        ['Olá, João: até amanhã', { singleShift: false, lockingShift: true }],
        ['El niño está lá, João', { singleShift: true, lockingShift: false }],
        ['1ª Φ', { singleShift: true, lockingShift: true }],
        // Counted in Unicode.
        ['1ª ñ', null],
      ] as const
    ).map(([text, shift]) => ({
      name: `"${text}" with the Portuguese tables that it needs`,
      send: { messageId: null, to: '+5511988887777', text },
      request: {
        method: 'POST',
        path: '/sms/3/messages',
        headers: {},
        body: {
          messages: [
            {
              sender: 'Loja',
              destinations: [{ to: '5511988887777' }],
              content: { text, ...(shift && { language: { languageCode: 'PT', ...shift } }) },
            },
          ],
        },
      },
    })),
    {
      name: 'a text with accents, an emoji and quotes',
      send: { messageId: 123, to: '+5511988887777', text: 'Olá "você" \\ 🚀\nSAIR' },
      request: {
        method: 'POST',
        path: '/sms/3/messages',
        headers: { authorization: 'App the-key', 'content-type': 'application/json' },
        body: {
          messages: [
            {
              sender: 'Loja',
              destinations: [{ to: '5511988887777', messageId: 'r1-123' }],
              content: { text: 'Olá "você" \\ 🚀\nSAIR' },
              webhooks: {
                delivery: {
                  url: `https://torpedo.example/webhooks/providers/1/receipts?key=${callbackSecret}`,
                },
                contentType: 'application/json',
              },
            },
          ],
        },
      },
    },
  ],
  answers: [
    ...(
      [
        ['ACCEPTED', 'MESSAGE_ACCEPTED'],
        ['PENDING', 'PENDING_ENROUTE'],
        ['DELIVERED', 'DELIVERED_TO_HANDSET'],
        ['REJECTED', 'REJECTED_DUPLICATE_MESSAGE_ID'],
      ] as const
    ).map(([group, name]) => ({
      name: `200 with the status ${name}`,
      answer: answerOf(group, name),
      outcome: { kind: 'accepted', providerMessageId: 'r1-7' } as const,
    })),
    ...(
      [
        ['REJECTED_NOT_ENOUGH_CREDITS', 'account'],
        ['REJECTED_PREPAID_PACKAGE_EXPIRED', 'account'],
        ['REJECTED_ROUTE_NOT_AVAILABLE', 'account'],
        ['REJECTED_SOURCE', 'account'],
        ['REJECTED_SENDER', 'account'],
        ['REJECTED_FLOODING_FILTER', 'temporary'],
        ['REJECTED_SYSTEM_ERROR', 'temporary'],
      ] as const
    ).map(([name, kind]) => ({
      name: `200 with the status ${name}`,
      answer: answerOf('REJECTED', name),
      outcome: { kind, code: name },
    })),
    ...(
      [
        ['REJECTED_DND', 'number_opted_out'],
        ['REJECTED_DESTINATION_BLOCKLISTED', 'number_opted_out'],
        ['REJECTED_PREFIX_MISSING', 'number_invalid'],
        ['REJECTED_NETWORK', 'sender_refused'],
        ['REJECTED_DESTINATION', 'number_invalid'],
        ['REJECTED_MESSAGE_TOO_LONG', 'content_refused'],
        ['REJECTED_OF_TOMORROW', 'request_refused'],
      ] as const
    ).map(([name, reason]) => ({
      name: `200 with the status ${name}`,
      answer: answerOf('REJECTED', name),
      outcome: { kind: 'refused', reason, code: name } as const,
    })),
    {
      name: '200 with the former name of the block list',
      answer: httpAnswer(
        200,
        JSON.stringify({
          messages: [
            {
              messageId: 'r1-7',
              status: { groupId: 5, groupName: 'REJECTED', id: 14, name: 'REJECTED_DESTINATION' },
            },
          ],
        }),
      ),
      outcome: { kind: 'refused', reason: 'number_opted_out' },
    },
    {
      name: '200 without a message',
      answer: httpAnswer(200, '{"messages":[]}'),
      outcome: { kind: 'ambiguous', code: 'HTTP_200' },
    },
    { name: '200 that is not JSON', answer: httpAnswer(200, '<html>'), outcome: { kind: 'ambiguous' } },
    { name: '401', answer: errorOf(401, 'E401'), outcome: { kind: 'account', code: 'E401' } },
    { name: '403', answer: errorOf(403, 'E403'), outcome: { kind: 'account' } },
    {
      name: '400',
      answer: errorOf(400, 'E400'),
      outcome: { kind: 'refused', reason: 'request_refused', code: 'E400' },
    },
    {
      name: '400 in the older format',
      answer: httpAnswer(400, '{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"x"}}}'),
      outcome: { kind: 'refused', code: 'BAD_REQUEST' },
    },
    {
      name: '429 with seconds to wait',
      answer: errorOf(429, 'E429', { 'retry-after': '3' }),
      outcome: { kind: 'temporary', code: 'E429', retryAfterMs: 3000 },
    },
    { name: '500', answer: errorOf(500, 'E500'), outcome: { kind: 'ambiguous', code: 'E500' } },
    {
      name: '503 without seconds',
      answer: httpAnswer(503, ''),
      outcome: { kind: 'ambiguous', code: 'HTTP_503' },
    },
  ],
  receipts: [
    {
      name: 'with several results, one of another system and one without content',
      callback: call(
        'receipts',
        json({
          results: [
            report('DELIVERED', 'DELIVERED_TO_HANDSET'),
            report('UNDELIVERABLE', 'UNDELIVERABLE_NOT_DELIVERED', 'EC_ABSENT_SUBSCRIBER', 'r1-124'),
            report('DELIVERED', 'DELIVERED_TO_HANDSET', 'NO_ERROR', 'r2-125'),
            { to: '5511988887777' },
            null,
          ],
        }),
      ),
      receipts: [
        { ...receipt, status: 'delivered' },
        {
          messageId: 124,
          providerMessageId: 'r1-124',
          status: 'undelivered',
          reason: 'number_unreachable',
          code: 'EC_ABSENT_SUBSCRIBER',
        },
        { messageId: null, providerMessageId: 'r2-125', status: 'delivered', reason: null, code: null },
      ],
      unread: ['field_missing', 'field_missing'],
    },
    {
      name: 'with a single result without a list',
      callback: call('receipts', json(report('DELIVERED', 'DELIVERED_TO_HANDSET'))),
      receipts: [{ ...receipt, status: 'delivered' }],
    },
    ...(
      [
        ['PENDING', 'PENDING_ENROUTE', null],
        ['DELIVERED', 'DELIVERED_TO_OPERATOR', 'sent'],
        ['EXPIRED', 'EXPIRED_DLR_UNKNOWN', 'sent'],
      ] as const
    ).map(([group, name, status]) => ({
      name,
      callback: call('receipts', json({ results: [report(group, name)] })),
      receipts: [{ ...receipt, status }],
    })),
    ...(
      [
        ['EXPIRED', 'EXPIRED_EXPIRED', 'NO_ERROR', 'undelivered', 'expired_at_carrier', 'EXPIRED_EXPIRED'],
        ['REJECTED', 'REJECTED_DND', 'NO_ERROR', 'failed', 'number_opted_out', 'REJECTED_DND'],
        [
          'UNDELIVERABLE',
          'X',
          'EC_UNKNOWN_SUBSCRIBER',
          'undelivered',
          'number_invalid',
          'EC_UNKNOWN_SUBSCRIBER',
        ],
        ['UNDELIVERABLE', 'X', 'EC_OF_TOMORROW', 'undelivered', 'not_delivered', 'EC_OF_TOMORROW'],
      ] as const
    ).map(([group, name, error, status, reason, code]) => ({
      name: `${name} with the error ${error}`,
      callback: call('receipts', json({ results: [report(group, name, error)] })),
      receipts: [{ ...receipt, status, reason, code }],
    })),
    // It belongs to the second of two messages with one id, and does not apply to the first, which may have arrived.
    ...[
      { name: 'REJECTED_DUPLICATE_MESSAGE_ID', id: 23 },
      { name: 'REJECTED_DUPLICATE', id: 23 },
      { name: 'REJECTED_DUPLICATE_MESSAGE_ID', id: 0 },
    ].map((status) => ({
      name: `of a refused repetition, ${JSON.stringify(status)}`,
      callback: call(
        'receipts',
        json({
          results: [
            {
              ...report('REJECTED', status.name),
              status: { groupId: 5, groupName: 'REJECTED', ...status },
            },
          ],
        }),
      ),
      receipts: [{ ...receipt, status: null }],
    })),
    ...(
      [
        ['EC_SC_BLOCKED_BY_END_USER', 0, 'number_opted_out'],
        ['EC_CONTENT_BLOCKED', 603, 'number_opted_out'],
        ['EC_OF_ANOTHER_LIST', 603, 'number_opted_out'],
        ['EC_BLOCKED_BY_CAMPAIGN_BLACKLIST', 604, 'number_opted_out'],
        ['EC_DEST_ADDRESS_BLACKLISTED', 2050, 'number_opted_out'],
        ['EC_BLACKLISTED_DESTINATIONADDRESS', 0, 'number_opted_out'],
        ['EC_BLOCKLISTED_DESTINATIONADDRESS', 0, 'number_opted_out'],
        ['EC_BLACKLISTED_SENDERADDRESS', 2053, 'sender_refused'],
        ['EC_DEACTIVATED_LIST', 3041, 'number_invalid'],
        ['EC_REJECTED_SPAM_BY_OPERATOR', 607, 'carrier_filtered'],
        ['EC_DESTINATION_FLOODING', 4103, 'temporary_failure'],
        ['EC_QUOTA_REACHED', 542, 'temporary_failure'],
        ['EC_VP_EXPIRED', 4098, 'expired_at_carrier'],
        ['constructor', 'constructor', 'not_delivered'],
      ] as const
    ).map(([name, id, reason]) => ({
      name: `with a failed delivery and the error ${name} (${id})`,
      callback: call(
        'receipts',
        json({ results: [{ ...report('UNDELIVERABLE', 'X', name), error: { name, id } }] }),
      ),
      receipts: [{ ...receipt, status: 'undelivered' as const, reason, code: name }],
    })),
    {
      name: 'with REJECTED_DESTINATION_BLACKLISTED of an earlier code list',
      callback: call('receipts', json({ results: [report('REJECTED', 'REJECTED_DESTINATION_BLACKLISTED')] })),
      receipts: [
        {
          ...receipt,
          status: 'failed',
          reason: 'number_opted_out',
          code: 'REJECTED_DESTINATION_BLACKLISTED',
        },
      ],
    },
    {
      name: 'with an unknown status group',
      callback: call('receipts', json({ results: [report('OF_TOMORROW', 'OF_TOMORROW')] })),
      receipts: [],
      unread: ['status_unknown'],
    },
    {
      name: 'that is a reply',
      callback: call('receipts', json({ results: [reply] })),
      receipts: [],
      unread: ['other_type'],
    },
    {
      name: 'that is not valid JSON',
      callback: call('receipts', { ...json({}), rawBody: '{"results":[' }),
      receipts: [],
      unread: ['body_unreadable'],
    },
  ],
  inbound: [
    {
      name: 'twice in one callback, untrimmed',
      callback: call(
        'inbound',
        json({ results: [reply, { ...reply, messageId: 'in-2', text: '' }, 7], messageCount: 2 }),
      ),
      messages: [
        { providerMessageId: 'in-1', from: '+5511988887777', to: '28282', text: ' Sair ' },
        { providerMessageId: 'in-2', from: '+5511988887777', to: '28282', text: '' },
      ],
      unread: ['field_missing'],
    },
    {
      name: 'that is a receipt',
      callback: call('inbound', json({ results: [report('DELIVERED', 'DELIVERED_TO_HANDSET')] })),
      messages: [],
      unread: ['other_type'],
    },
  ],
  lookUps: [
    ...(
      [
        ['PENDING', 'PENDING_ENROUTE', 'sent', null, null],
        ['DELIVERED', 'DELIVERED_TO_HANDSET', 'delivered', null, null],
        [
          'REJECTED',
          'REJECTED_NOT_ENOUGH_CREDITS',
          'failed',
          'sender_refused',
          'REJECTED_NOT_ENOUGH_CREDITS',
        ],
        // A refused duplicate means that a first message exists.
        ['REJECTED', 'REJECTED_DUPLICATE_MESSAGE_ID', 'sent', null, null],
      ] as const
    ).map(([group, name, status, reason, code]) => ({
      name: `a message that is ${name}`,
      answers: [httpAnswer(200, JSON.stringify({ results: [report(group, name, 'NO_ERROR', 'r1-7')] }))],
      paths: ['GET /sms/3/logs?messageId=r1-7'],
      found: [{ providerMessageId: 'r1-7', status, reason, code }],
    })),
    {
      name: 'a message whose repetition was refused',
      answers: [
        httpAnswer(
          200,
          JSON.stringify({
            results: [
              report('REJECTED', 'REJECTED_DUPLICATE_MESSAGE_ID', 'NO_ERROR', 'r1-7'),
              report('DELIVERED', 'DELIVERED_TO_HANDSET', 'NO_ERROR', 'r1-7'),
            ],
          }),
        ),
      ],
      found: [{ providerMessageId: 'r1-7', status: 'delivered', reason: null, code: null }],
    },
    { name: 'a message that is not listed', answers: [httpAnswer(200, '{"results":[]}')], found: [] },
    {
      name: 'nothing in the log of another message',
      answers: [
        httpAnswer(200, JSON.stringify({ results: [report('DELIVERED', 'X', 'NO_ERROR', 'r1-77')] })),
      ],
      found: [],
    },
    { name: 'nothing with a wrong key', answers: [errorOf(401, 'E401')], found: 'unavailable' },
    { name: 'nothing in an HTML page', answers: [httpAnswer(200, '<html>')], found: 'unavailable' },
  ],
  verification: [
    {
      name: 'with the key in the URL',
      callback: call(`receipts?key=${callbackSecret}`, json({})),
      genuine: true,
    },
    {
      name: 'with basic authentication',
      callback: call('inbound', json({}), {
        authorization: `Basic ${Buffer.from(`infobip:${callbackSecret}`).toString('base64')}`,
      }),
      genuine: true,
    },
    {
      name: 'with another key',
      callback: call('receipts?key=another-secret-of-20-letters', json({})),
      genuine: false,
    },
    {
      name: 'with half of the key',
      callback: call(`receipts?key=${callbackSecret.slice(0, 13)}`, json({})),
      genuine: false,
    },
    {
      name: 'with the key twice',
      callback: call(`receipts?key=${callbackSecret}&key=x`, json({})),
      genuine: false,
    },
    { name: 'without a key', callback: call('receipts', json({})), genuine: false },
  ],
};
