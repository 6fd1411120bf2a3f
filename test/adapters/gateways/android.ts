import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, call, json } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/android.json, "SMS Gateway for Android". Sources: github.com/android-sms-gateway/docs-web, af97537 of
 * 2026-08-05 (docs/features/sending-messages.md, webhooks.md, status-tracking.md; docs/faq/errors.md); for the answers
 * github.com/android-sms-gateway/server, 22074dd of 2026-08-22 (internal/sms-gateway/handlers/messages); for the reasons
 * github.com/capcom6/android-sms-gateway (modules/messages/MessagesService.kt).
 */
const failure = (status: number, message: string) => httpAnswer(status, JSON.stringify({ message }));
const event = (name: string, payload: object) => ({
  deviceId: 'ffffffffceb0b1db0000018e937c815b',
  event: name,
  id: 'Ey6ECgOkVVFjz3CL48B8C',
  payload: { sender: '+1234567890', recipient: '+9998887777', simNumber: 1, ...payload },
  webhookId: 'LreFUt-Z3sSq0JufY9uWB',
});
const state = (id: string) =>
  JSON.stringify({
    id,
    deviceId: 'yVULogr4Y1ksRfnos1Dsw',
    state: 'Pending',
    isHashed: false,
    isEncrypted: false,
    recipients: [{ phoneNumber: '+1234567890', state: 'Pending' }],
    states: {},
  });
const received = {
  messageId: 'abc123',
  message: 'Android is always a sweet treat!',
  sender: '6505551212',
  recipient: '+1234567890',
  receivedAt: '2024-06-22T15:46:11.000+07:00',
};

export const android: Adapter = {
  create: fromExample('android'),
  accepts: { answer: httpAnswer(202, state('r1-7')), providerMessageId: 'r1-7' },
  requests: [
    {
      name: 'with our reference as its id',
      send: { messageId: 7, to: '+1234567890', text: 'Your OTP is 1234' },
      request: {
        method: 'POST',
        path: '/3rdparty/v1/messages',
        headers: {
          authorization: `Basic ${Buffer.from('replace-it:p&ss=+%').toString('base64')}`,
          'content-type': 'application/json',
        },
        body: {
          id: 'r1-7',
          textMessage: { text: 'Your OTP is 1234' },
          phoneNumbers: ['+1234567890'],
          withDeliveryReport: true,
        },
      },
    },
  ],
  answers: [
    {
      name: '400, an invalid number',
      answer: failure(
        400,
        'failed to enqueue message: failed to use phone in row 1: invalid phone number +5511988887777',
      ),
      outcome: { kind: 'refused', reason: 'request_refused', code: 'HTTP_400' },
    },
    { name: '401', answer: failure(401, 'Unauthorized'), outcome: { kind: 'account', code: 'HTTP_401' } },
    { name: '403', answer: failure(403, 'Forbidden'), outcome: { kind: 'account' } },
    {
      name: '409, the message already exists',
      answer: failure(409, 'message with the same ID already exists'),
      outcome: { kind: 'accepted', providerMessageId: 'r1-7' },
    },
    {
      name: '500',
      answer: failure(500, 'failed to handle request'),
      outcome: { kind: 'ambiguous', code: 'HTTP_500' },
    },
    {
      name: '503, the queue of the phone is full',
      answer: failure(503, 'queue limits exceeded: too many pending messages: 10 / 10'),
      outcome: { kind: 'temporary', code: '503', outage: true },
    },
    { name: '202 without an id', answer: httpAnswer(202, '{}'), outcome: { kind: 'ambiguous' } },
  ],
  receipts: [
    ...(
      [
        ['sms:sent', { partsCount: 1, sentAt: '2026-02-18T02:05:00.000+07:00' }, 'sent', null, null],
        ['sms:delivered', { deliveredAt: '2026-02-18T02:10:00.000+07:00' }, 'delivered', null, null],
        ['sms:failed', { reason: 'Network error' }, 'failed', 'not_delivered', 'Network error'],
        ['sms:failed', { reason: 'Invalid number' }, 'failed', 'number_invalid', 'Invalid number'],
        ['sms:failed', { reason: 'TTL expired' }, 'failed', 'expired_at_carrier', 'TTL expired'],
        [
          'sms:failed',
          {
            reason:
              'Send result: RESULT_ERROR_LIMIT_EXCEEDED (Failed because we reached the sending queue limit)',
          },
          'failed',
          'temporary_failure',
          'RESULT_ERROR_LIMIT_EXCEEDED',
        ],
        ['sms:cancelled', { cancelledAt: '2026-06-22T10:00:00.000+07:00' }, 'failed', 'not_delivered', null],
      ] as const
    ).map(([name, payload, status, reason, code]) => ({
      name: `${name} ${code ?? ''}`,
      callback: call(
        `receipts?key=${callbackSecret}`,
        json(event(name, { messageId: 'r1-123', ...payload })),
      ),
      receipts: [{ messageId: 123, providerMessageId: 'r1-123', status, reason, code }],
    })),
    {
      name: 'app:started, which is not configured',
      callback: call(`receipts?key=${callbackSecret}`, json(event('app:started', { messageId: 'r1-123' }))),
      receipts: [],
      unread: ['status_unknown'],
    },
    {
      name: 'system:ping, which is ignored',
      callback: call(`receipts?key=${callbackSecret}`, json(event('system:ping', { health: {} }))),
      receipts: [],
    },
  ],
  inbound: [
    {
      name: 'sms:received',
      callback: call(`inbound?key=${callbackSecret}`, json(event('sms:received', received))),
      messages: [
        {
          providerMessageId: 'Ey6ECgOkVVFjz3CL48B8C',
          from: '6505551212',
          to: '+1234567890',
          text: 'Android is always a sweet treat!',
        },
      ],
    },
    {
      name: 'sms:received by a phone that does not know its number',
      callback: call(
        `inbound?key=${callbackSecret}`,
        json(event('sms:received', { ...received, recipient: null })),
      ),
      messages: [
        {
          providerMessageId: 'Ey6ECgOkVVFjz3CL48B8C',
          from: '6505551212',
          to: '',
          text: 'Android is always a sweet treat!',
        },
      ],
    },
  ],
  lookUps: null,
  verification,
};
