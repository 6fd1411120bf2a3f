import { buildConnector } from 'undici';
import { type HttpGatewayConfig, httpGatewayFields } from '../../domain/http-gateway.ts';
import { createHttpGateway } from '../../sms/http/http-gateway.ts';
import { z } from 'zod';
import { localTokens } from '../kit/connect.ts';
import { expect } from 'vitest';
import { type Adapter, call, form, get, json } from './shapes.ts';
import { httpAnswer } from '../kit/raw-server.ts';

export const callbackSecret = 'a-secret-of-twenty-letters';
const config = z.strictObject(httpGatewayFields);
export const createGateway =
  (settings: (baseUrl: string) => z.input<typeof config>): Adapter['create'] =>
  ({ baseUrl, sendTimeoutMs, connections }) =>
    createHttpGateway({
      ...(config.parse(settings(baseUrl)) satisfies HttpGatewayConfig),
      values: {
        user: 'tor pedo',
        password: 'p&ss=+%',
        token: 'the-token',
        clientSecret: 'the secret',
        key: 'the-key-of-the-account',
      },
      callbackSecret,
      statusCallbackUrl: 'https://torpedo.example/webhooks/providers/1/receipts',
      reference: 'r1',
      sendTimeoutMs,
      connections,
      connect: buildConnector({ timeout: sendTimeoutMs }),
      tokens: localTokens,
    });
const text = 'Olá & até já =+%? "x" 🚀\n{text}';
export const verification: Adapter['verification'] = [
  { name: 'with the key in the URL', callback: get(`receipts?key=${callbackSecret}`), genuine: true },
  {
    name: 'with the key at the end of the path',
    callback: get(`receipts/${callbackSecret}?a=1`),
    genuine: true,
  },
  { name: 'with another key', callback: get('receipts?key=another-secret-of-20-letters'), genuine: false },
  { name: 'with half of the key', callback: get(`receipts/${callbackSecret.slice(0, 13)}`), genuine: false },
  { name: 'with a path that cannot be decoded', callback: get('receipts/%E0%A4%A'), genuine: false },
  { name: 'without a key', callback: get('receipts'), genuine: false },
];

/** A gateway with GET requests and plain-text answers, like Kannel (docs/providers.md). */
export const plainGateway: Adapter = {
  create: createGateway((baseUrl) => ({
    from: '28282',
    numbers: 'digits',
    request: {
      method: 'GET',
      url: `${baseUrl}/cgi-bin/sendsms?username={secret.user}&password={secret.password}&from={from}&to={to}&text={text}&charset=UTF-8&coding=2&dlr-mask=27&dlr-url={receiptUrl}%26status%3D%25d`,
    },
    answer: {
      code: { in: 'text', after: '', before: ':' },
      codes: { '0': { means: 'accepted' }, '3': { means: 'accepted' }, '4': { means: 'temporary' } },
    },
    receipts: {
      format: 'query',
      status: 'status',
      statuses: { '1': 'delivered', '2': 'undelivered', '8': 'sent', '16': 'failed', '4': 'none' },
      code: 'err',
      reasons: { '001': 'number_invalid' },
    },
    inbound: { format: 'query', id: 'id', from: 'from', to: 'to', text: 'text' },
  })),
  accepts: { answer: httpAnswer(202, '0: Accepted for delivery'), providerMessageId: 'r1-7' },
  requests: [
    {
      name: 'everything escaped for the URL',
      send: { messageId: 7, to: '+5511988887777', text },
      request: {
        method: 'GET',
        path: `/cgi-bin/sendsms?username=tor%20pedo&password=p%26ss%3D%2B%25&from=28282&to=5511988887777&text=${encodeURIComponent(text)}&charset=UTF-8&coding=2&dlr-mask=27&dlr-url=${encodeURIComponent(`https://torpedo.example/webhooks/providers/1/receipts?key=${callbackSecret}&message=7`)}%26status%3D%25d`,
        headers: {},
        body: {},
      },
    },
  ],
  answers: [
    {
      name: 'queued',
      answer: httpAnswer(202, '3: Queued for later delivery'),
      outcome: { kind: 'accepted' },
    },
    {
      name: 'a temporary failure with 503',
      answer: httpAnswer(503, '4: Temporary failure'),
      outcome: { kind: 'temporary', code: '4' },
    },
    {
      name: '200 without a code',
      answer: httpAnswer(200, 'hello'),
      outcome: { kind: 'ambiguous', code: 'HTTP_200' },
    },
    { name: '200 with an unknown code', answer: httpAnswer(200, '9: What'), outcome: { kind: 'ambiguous' } },
    { name: '200 without a body', answer: httpAnswer(200, ''), outcome: { kind: 'ambiguous' } },
    {
      name: '403',
      answer: httpAnswer(403, 'Authorization failed'),
      outcome: { kind: 'account', code: 'HTTP_403' },
    },
    { name: '400', answer: httpAnswer(400, 'Bad'), outcome: { kind: 'refused', reason: 'request_refused' } },
    { name: '429', answer: httpAnswer(429, ''), outcome: { kind: 'temporary' } },
    { name: '500', answer: httpAnswer(500, ''), outcome: { kind: 'ambiguous' } },
  ],
  receipts: [
    ...(
      [
        ['1', 'delivered', null, null],
        ['2', 'undelivered', 'not_delivered', null],
        ['8', 'sent', null, null],
        ['16', 'failed', 'not_delivered', null],
        ['4', null, null, null],
        [' 1 ', 'delivered', null, null],
      ] as const
    ).map(([status, newStatus, reason, code]) => ({
      name: `with the status ${status}`,
      callback: get(`receipts?key=${callbackSecret}&message=123&status=${status}`),
      receipts: [{ messageId: 123, providerMessageId: null, status: newStatus, reason, code }],
    })),
    {
      name: 'with HTML-escaped ampersands in the URL',
      callback: get(`receipts?key=${callbackSecret}&amp;message=123&amp;status=1`),
      receipts: [{ messageId: 123, providerMessageId: null, status: 'delivered', reason: null, code: null }],
    },
    ...(
      [
        ['JSON', json({ Status: 1, ERR: '' })],
        [
          'JSON with another content type',
          { headers: { 'content-type': 'text/plain' }, rawBody: '\ufeff {"STATUS":"1"}' },
        ],
        ['a list of one', json([{ status: '1' }])],
        ['a form', form({ status: '1' })],
        ['a form without a content type', { headers: {}, rawBody: 'id=7&status=1' }],
        [
          'a multipart form',
          {
            headers: { 'content-type': 'multipart/form-data; boundary="x y"' },
            rawBody: '--x y\r\nContent-Disposition: form-data; name="status"\r\n\r\n1\r\n--x y--\r\n',
          },
        ],
      ] as const
    ).map(([name, body]) => ({
      name: `in ${name} instead of the query`,
      callback: call(`receipts?key=${callbackSecret}&message=123`, body),
      receipts: [
        {
          messageId: 123,
          providerMessageId: null,
          status: 'delivered' as const,
          reason: null,
          code: null,
        },
      ],
    })),
    {
      name: 'with a failure and its code',
      callback: get(`receipts?key=${callbackSecret}&message=123&status=2&err=001`),
      receipts: [
        {
          messageId: 123,
          providerMessageId: null,
          status: 'undelivered',
          reason: 'number_invalid',
          code: '001',
        },
      ],
    },
    {
      name: 'with a status that is not configured',
      callback: get(`receipts?key=${callbackSecret}&message=123&status=99`),
      receipts: [],
      unread: ['status_unknown'],
    },
    {
      name: 'without a status',
      callback: get(`receipts?key=${callbackSecret}&message=123`),
      receipts: [],
      unread: ['field_missing'],
    },
    {
      name: 'without a message',
      callback: get(`receipts?key=${callbackSecret}&status=1`),
      receipts: [],
      unread: ['reference_missing'],
    },
    {
      name: 'of a test send, which is ignored',
      callback: get(`receipts?key=${callbackSecret}&message=0&status=1`),
      receipts: [],
    },
    {
      name: 'with the reference of another system',
      callback: get(`receipts?key=${callbackSecret}&message=r2-5&status=1`),
      receipts: [],
      unread: ['reference_unknown'],
    },
  ],
  inbound: [
    {
      name: 'in the query',
      callback: get(`inbound?key=${callbackSecret}&id=u-1&from=%2B5511988887777&to=28282&text=+Sa%C3%ADr+`),
      messages: [{ providerMessageId: 'u-1', from: '+5511988887777', to: '28282', text: ' Saír ' }],
    },
    {
      name: 'with an empty text, without a recipient',
      callback: get('inbound?id=u-1&from=5511988887777&text='),
      messages: [{ providerMessageId: 'u-1', from: '5511988887777', to: '28282', text: '' }],
    },
    {
      name: 'in Latin-1',
      callback: get('inbound?id=u-1&from=5511988887777&to=28282&text=Sa%EDr+%'),
      messages: [{ providerMessageId: 'u-1', from: '5511988887777', to: '28282', text: 'Saír %' }],
    },
    {
      name: 'without an id',
      callback: get('inbound?from=5511988887777&text=a'),
      messages: [
        {
          providerMessageId: expect.stringMatching(/^made-.{22}$/) as string,
          from: '5511988887777',
          to: '28282',
          text: 'a',
        },
      ],
    },
    {
      name: 'without a text',
      callback: get('inbound?id=u-1&from=5511988887777'),
      messages: [],
      unread: ['field_missing'],
    },
    {
      name: 'without a sender',
      callback: get('inbound?id=1&text=a'),
      messages: [],
      unread: ['field_missing'],
    },
    {
      name: 'as XML, which is not supported',
      callback: call('inbound', { headers: { 'content-type': 'text/xml' }, rawBody: '<sms/>' }),
      messages: [],
      unread: ['body_unreadable'],
    },
  ],
  lookUps: null,
  verification,
};

/** A gateway with JSON requests and answers, and its own message ids. */
export const jsonGateway: Adapter = {
  create: createGateway((baseUrl) => ({
    from: 'Loja "1"',
    codings: { gsm: 'false', unicode: 'true' },
    request: {
      method: 'POST',
      url: `${baseUrl}/v1/send`,
      headers: { Authorization: 'Bearer {secret.token}', 'X-Ref': '{reference}' },
      body: {
        kind: 'json',
        template: {
          to: ['{to}'],
          from: '{from}',
          content: { text: '{text}', literal: '{{x}}' },
          flash: false,
          id: '{json:messageId}',
          unicode: '{json:coding}',
          ref: '{reference}',
        },
      },
    },
    answer: {
      messageId: { in: 'json', path: 'data.0.id' },
      code: { in: 'json', path: 'error.code' },
      codes: {
        '12': { means: 'refused', reason: 'number_invalid' },
        '13': { means: 'account' },
        '14': { means: 'ambiguous' },
        '15': { means: 'refused' },
      },
    },
    receipts: {
      format: 'json',
      list: 'events',
      messageId: 'ref',
      providerMessageId: 'id',
      status: 'state.word',
      statuses: { OK: 'delivered', KO: 'failed' },
      code: 'state.code',
      reasons: { '7': 'carrier_filtered' },
    },
    inbound: { format: 'json', id: 'id', from: 'msisdn', text: 'body' },
    deduplicates: true,
  })),
  accepts: { answer: httpAnswer(200, '{"data":[{"id":42}]}'), providerMessageId: '42' },
  requests: [
    {
      name: 'everything escaped for JSON',
      send: { messageId: 7, to: '+5511988887777', text },
      request: {
        method: 'POST',
        path: '/v1/send',
        headers: { authorization: 'Bearer the-token', 'x-ref': 'r1-7', 'content-type': 'application/json' },
        body: {
          to: ['+5511988887777'],
          from: 'Loja "1"',
          content: { text, literal: '{x}' },
          flash: false,
          id: 7,
          unicode: true,
          ref: 'r1-7',
        },
      },
    },
  ],
  answers: [
    { name: '200 without an id', answer: httpAnswer(200, '{}'), outcome: { kind: 'ambiguous' } },
    { name: '200 that is not JSON', answer: httpAnswer(200, 'OK'), outcome: { kind: 'ambiguous' } },
    {
      name: '200 with an error and an id',
      answer: httpAnswer(200, '{"data":[{"id":1}],"error":{"code":12}}'),
      outcome: { kind: 'refused', reason: 'number_invalid', code: '12' },
    },
    {
      name: '200 with an id and a code that is not listed',
      answer: httpAnswer(200, '{"data":[{"id":1}],"error":{"code":99}}'),
      outcome: { kind: 'ambiguous', code: '99' },
    },
    {
      name: '200 with an id and success: false',
      answer: httpAnswer(200, '{"success":false,"data":[{"id":1}]}'),
      outcome: { kind: 'refused', reason: 'request_refused', code: 'SUCCESS_FALSE' },
    },
    {
      name: 'success: false in a list, with a code that is not listed',
      answer: httpAnswer(200, '[{"success":"False","error":{"code":98}}]'),
      outcome: { kind: 'refused' },
    },
    {
      name: 'an id with all its digits',
      answer: httpAnswer(200, '\ufeff{"data":[{"id":12345678901234567890}]}'),
      outcome: { kind: 'accepted', providerMessageId: '12345678901234567890' },
    },
    {
      name: 'an account error',
      answer: httpAnswer(400, '{"error":{"code":"13"}}'),
      outcome: { kind: 'account', code: '13' },
    },
    {
      name: 'an ambiguous error',
      answer: httpAnswer(400, '{"error":{"code":"14"}}'),
      outcome: { kind: 'ambiguous', code: '14' },
    },
    {
      name: 'an error without a reason',
      answer: httpAnswer(422, '{"error":{"code":"15"}}'),
      outcome: { kind: 'refused', reason: 'request_refused', code: '15' },
    },
    {
      name: 'an error that is not listed',
      answer: httpAnswer(422, '{"error":{"code":"__proto__"}}'),
      outcome: { kind: 'refused', reason: 'request_refused', code: '__proto__' },
    },
  ],
  receipts: [
    {
      name: 'with several events',
      callback: call(
        'receipts',
        json({
          events: [
            { id: 'a', ref: 'r1-1', state: { word: 'OK' } },
            { id: 'b', ref: 'r1-2', state: { word: 'KO', code: 7 } },
            { id: 'c', ref: 'r2-3', state: { word: 'toString' } },
            { ref: 'r1-4' },
            { id: 'd', state: { word: 'OK' } },
          ],
        }),
      ),
      receipts: [
        { messageId: 1, providerMessageId: 'a', status: 'delivered', reason: null, code: null },
        { messageId: 2, providerMessageId: 'b', status: 'failed', reason: 'carrier_filtered', code: '7' },
        { messageId: null, providerMessageId: 'd', status: 'delivered', reason: null, code: null },
      ],
      unread: ['status_unknown', 'field_missing'],
    },
    {
      name: 'without a list',
      callback: call('receipts', json({ events: {} })),
      receipts: [],
      unread: ['field_missing'],
    },
    ...(
      [
        ['with one object instead of the list', { id: 'a', ref: 'r1-1', state: { word: 'OK' } }],
        [
          'with one object under the name of the list',
          { events: { id: 'a', ref: 'r1-1', state: { word: 'ok ' } } },
        ],
        ['with a list at the top level, in other case', [{ ID: 'a', Ref: 'r1-1', State: [{ Word: 'OK' }] }]],
      ] as const
    ).map(([name, body]) => ({
      name,
      callback: call('receipts', json(body)),
      receipts: [
        { messageId: 1, providerMessageId: 'a', status: 'delivered' as const, reason: null, code: null },
      ],
    })),
  ],
  inbound: [
    {
      name: 'as JSON',
      callback: call('inbound', json({ id: 9, msisdn: '5511988887777', body: 'SAIR' })),
      messages: [{ providerMessageId: '9', from: '5511988887777', to: 'Loja "1"', text: 'SAIR' }],
    },
    {
      name: 'in an empty object',
      callback: call('inbound', json({})),
      messages: [],
      unread: ['field_missing'],
    },
  ],
  lookUps: null,
  verification,
};
