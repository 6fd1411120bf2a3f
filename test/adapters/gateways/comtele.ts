import { expect } from 'vitest';
import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, call, json } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/comtele.json. Sources: docs.comtele.com.br (address, `auth-key`, errors by their HTTP status) and
 * github.com/comtele (comtele-net-standard-sdk: Core/Resources/ServiceResult.cs, Services/TextMessageService.cs). Its
 * callbacks, which repeat the `Sender` of the request, are documented only by clients of its users, such as
 * eduardoks98/sms-comtele (README.md, ComteleWebhookController.php).
 */
const receipt = (Status: string) => ({
  Status,
  PhoneNumber: '11987654321',
  Sender: 'r1-123',
  StatusDate: '2024-01-24 10:30:00',
});

export const comtele: Adapter = {
  create: fromExample('comtele'),
  accepts: {
    answer: httpAnswer(
      200,
      '{"Success":true,"Object":{"requestUniqueId":"1d333cee-5cfa-4f10-9211-5e5886420220"},"Message":"ok"}',
    ),
    providerMessageId: '1d333cee-5cfa-4f10-9211-5e5886420220',
  },
  requests: [
    {
      name: 'as JSON',
      send: { messageId: 7, to: '+5511987654321', text: 'Olá & até já' },
      request: {
        method: 'POST',
        path: '/api/v2/send',
        headers: { 'auth-key': 'the-key-of-the-account', 'content-type': 'application/json' },
        body: { Sender: 'r1-7', Receivers: '11987654321', Content: 'Olá & até já' },
      },
    },
  ],
  answers: [
    {
      name: 'a refusal',
      answer: httpAnswer(200, '{"Success":false,"Message":"Insufficient credits"}'),
      outcome: { kind: 'refused', reason: 'request_refused' },
    },
    {
      name: '400, a parameter is missing',
      answer: httpAnswer(400, '{"Success":false,"Message":"BadRequest"}'),
      outcome: { kind: 'refused', reason: 'request_refused' },
    },
    {
      name: '401 without a body, a wrong key',
      answer: httpAnswer(401, ''),
      outcome: { kind: 'account', code: 'HTTP_401' },
    },
    { name: '404', answer: httpAnswer(404, ''), outcome: { kind: 'account' } },
    { name: '429', answer: httpAnswer(429, ''), outcome: { kind: 'temporary', outage: true } },
    { name: '500', answer: httpAnswer(500, ''), outcome: { kind: 'ambiguous' } },
    { name: '503', answer: httpAnswer(503, ''), outcome: { kind: 'ambiguous' } },
  ],
  receipts: (
    [
      ['Delivered', 'delivered', null],
      ['Undelivered', 'undelivered', 'not_delivered'],
      ['Processed', 'sent', null],
      ['Sent', 'sent', null],
      ['Pending', null, null],
      ['Error', 'failed', 'not_delivered'],
      ['Failed', 'failed', 'not_delivered'],
    ] as const
  ).map(([Status, status, reason]) => ({
    name: Status,
    callback: call(`receipts?key=${callbackSecret}`, json(receipt(Status))),
    receipts: [{ messageId: 123, providerMessageId: null, status, reason, code: null }],
  })),
  inbound: [
    {
      name: 'from a phone',
      callback: call(
        `inbound?key=${callbackSecret}`,
        json({
          Sender: '11987654321',
          SentContent: 'Original message',
          ReceivedContent: 'Reply from user',
          ReceiveDate: '2024-01-24 10:35:00',
        }),
      ),
      messages: [
        {
          providerMessageId: expect.stringMatching(/^made-/) as string,
          from: '11987654321',
          to: '',
          text: 'Reply from user',
        },
      ],
    },
    {
      // The clients disagree about the `Sender` of a reply.
      name: 'by the recipient of the message with our reference',
      callback: call(
        `inbound?key=${callbackSecret}`,
        json({ Sender: 'r1-123', SentContent: 'Original message', ReceivedContent: 'SAIR' }),
      ),
      messages: [
        {
          providerMessageId: expect.stringMatching(/^made-/) as string,
          from: null,
          to: '',
          text: 'SAIR',
          answers: { messageId: 123, providerMessageId: null },
        },
      ],
    },
  ],
  lookUps: null,
  verification,
};
