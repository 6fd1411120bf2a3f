import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, call, form, get } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/jasmin.json. Source: github.com/jookies/jasmin, 0aac58e of 2026-04-26: misc/doc/sources/apis/http/index.rst
 * (docs.jasminsms.com/en/latest/apis/http), and where it says "dynamic messages", jasmin/protocols/http (endpoints/send.py,
 * validation.py, errors.py). The alphabet is 3GPP TS 23.038's.
 */
const failure = (status: number, text: string) => httpAnswer(status, `Error "${text}"`);
const uuid = '16fd2706-8baf-433b-82eb-8c7fada847da';
const utf16 = (text: string) => Buffer.from(text, 'utf16le').swap16();
const receiptUrl = `https://torpedo.example/webhooks/providers/1/receipts?key=${callbackSecret}&message=7`;
const fields = {
  username: 'tor pedo',
  password: 'p&ss=+%',
  from: '28282',
  to: '5511988887777',
  'dlr-level': '3',
  'dlr-method': 'POST',
};
const request = (body: object) => ({
  method: 'POST',
  path: '/send',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: { ...fields, ...body },
});
/** A reply as Jasmin posts it: the content in the bytes of the operator, and again in hexadecimal digits. */
const reply = (content: Buffer, coding: string) => {
  const bytes = [...content].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const rest = new URLSearchParams({
    id: uuid,
    from: '+5511988887777',
    to: '28282',
    'origin-connector': 'MTN',
    coding,
    binary: content.toString('hex'),
  });
  return call(`inbound?key=${callbackSecret}`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    rawBody: `content=${bytes}&${rest.toString()}`,
  });
};

export const jasmin: Adapter = {
  create: fromExample('jasmin'),
  accepts: {
    answer: httpAnswer(200, 'Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"'),
    providerMessageId: '07033084-5cfd-4812-90a4-e4d24ffb6e3d',
  },
  written: (text) => utf16(text).toString('hex').toUpperCase(),
  requests: [
    {
      name: 'GSM 03.38, with characters of its extension table',
      send: { messageId: 7, to: '+5511988887777', text: '@é ÆÑ~€[' },
      request: request({ coding: '0', 'hex-content': '0005201C5D1B3D1B651B3C', 'dlr-url': receiptUrl }),
    },
    {
      name: 'UTF-16, with an emoji',
      send: { messageId: 7, to: '+5511988887777', text: 'São 🚀' },
      request: request({ coding: '8', 'hex-content': '005300E3006F0020D83DDE80', 'dlr-url': receiptUrl }),
    },
    {
      // An empty dlr-url would be invalid.
      name: 'a test send without receipts',
      send: { messageId: null, to: '+5511988887777', text: 'Oi' },
      request: request({ coding: '0', 'hex-content': '4F69' }),
    },
  ],
  answers: [
    {
      name: 'a missing parameter',
      answer: failure(400, 'Mandatory arguments not found, please refer to the HTTPAPI specifications.'),
      outcome: { kind: 'refused', reason: 'request_refused' },
    },
    {
      name: 'an unknown parameter',
      answer: failure(400, 'Argument [x] is unknown.'),
      outcome: { kind: 'refused' },
    },
    {
      name: 'an invalid number',
      answer: failure(400, 'Argument [to] has an invalid value: [+5511988887777].'),
      outcome: { kind: 'refused', reason: 'number_invalid', code: 'Argument [to] has an invalid value' },
    },
    {
      name: 'a number that the user may not send to',
      answer: failure(400, 'Value filter failed for user [tor pedo] (destination_address filter mismatch).'),
      outcome: { kind: 'refused', reason: 'number_invalid' },
    },
    {
      name: 'a sender that the user may not use',
      answer: failure(400, 'Value filter failed for user [tor pedo] (source_address filter mismatch).'),
      outcome: { kind: 'account', code: 'Value filter failed' },
    },
    {
      name: 'a user who may not send',
      answer: failure(400, 'Authorization failed for user [tor pedo] (Cannot send MT messages).'),
      outcome: { kind: 'account', code: 'Authorization failed' },
    },
    {
      name: 'a wrong password',
      answer: failure(403, 'Authentication failure for username:tor pedo'),
      outcome: { kind: 'account', code: 'Authentication failure' },
    },
    {
      name: 'no credit',
      answer: failure(403, 'Cannot charge submit_sm, check RouterPB log file for details'),
      outcome: { kind: 'account', code: 'Cannot charge submit_sm,' },
    },
    {
      name: 'too many requests',
      answer: failure(403, 'User throughput exceeded'),
      outcome: { kind: 'temporary', code: 'User throughput exceeded' },
    },
    { name: 'no route', answer: failure(412, 'No route found'), outcome: { kind: 'account' } },
    {
      name: 'no connected operator',
      answer: failure(412, 'Failover route has no bound connectors'),
      outcome: { kind: 'temporary' },
    },
    {
      name: 'a message that it could not queue',
      answer: failure(500, 'Cannot send submit_sm, check SMPPClientManagerPB log file for details'),
      outcome: { kind: 'temporary' },
    },
    { name: 'another 500', answer: failure(500, 'Unknown error: x'), outcome: { kind: 'ambiguous' } },
    { name: '200 without an id', answer: httpAnswer(200, ''), outcome: { kind: 'ambiguous' } },
  ],
  receipts: [
    ...(
      [
        ['ESME_ROK', 'sent', null],
        ['ACCEPTD', 'sent', null],
        ['UNKNOWN', null, null],
        ['DELIVRD', 'delivered', null],
        ['UNDELIV', 'undelivered', 'not_delivered'],
        ['EXPIRED', 'undelivered', 'expired_at_carrier'],
        ['DELETED', 'undelivered', 'not_delivered'],
        ['REJECTD', 'failed', 'not_delivered'],
        ['ESME_RINVDSTADR', 'failed', 'number_invalid'],
        ['ESME_RINVNUMDESTS', 'failed', 'not_delivered'],
        ['ESME_RTHROTTLED', 'failed', 'temporary_failure'],
      ] as const
    ).map(([message_status, status, reason]) => ({
      name: message_status,
      callback: call(
        `receipts?key=${callbackSecret}&message=123`,
        form({
          id: uuid,
          id_smsc: '2567',
          message_status,
          level: '2',
          connector: 'demo_cid',
          subdate: '1311022338',
          donedate: '1311022338',
          sub: '1',
          dlvrd: '1',
          err: '0',
          text: 'Hello foo bar',
        }),
      ),
      receipts: [
        {
          messageId: 123,
          providerMessageId: uuid,
          status,
          reason,
          code: reason === null ? null : message_status,
        },
      ],
    })),
    {
      name: 'of level 1, by GET',
      callback: get(
        `receipts?key=${callbackSecret}&message=123&id=${uuid}&message_status=ESME_ROK&level=1&connector=demo_cid`,
      ),
      receipts: [{ messageId: 123, providerMessageId: uuid, status: 'sent', reason: null, code: null }],
    },
  ],
  inbound: [
    {
      name: 'in the alphabet of the operator',
      callback: reply(Buffer.from('Hello world !'), '0'),
      messages: [{ providerMessageId: uuid, from: '+5511988887777', to: '28282', text: 'Hello world !' }],
    },
    {
      name: 'in UTF-16',
      callback: reply(utf16('não quero 🙏'), '8'),
      messages: [{ providerMessageId: uuid, from: '+5511988887777', to: '28282', text: 'não quero 🙏' }],
    },
    {
      name: 'in ISO-8859-1',
      callback: reply(Buffer.from('não', 'latin1'), '3'),
      messages: [{ providerMessageId: uuid, from: '+5511988887777', to: '28282', text: 'não' }],
    },
  ],
  lookUps: null,
  verification,
};
