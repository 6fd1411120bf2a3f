import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, get } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/kannel.json, as test/system/providers.kannel.test.ts runs it with Kannel itself. Sources: www.kannel.org/
 * download/kannel-userguide-snapshot/userguide.html ("Using the HTTP interface to send SMS messages", "Delivery reports");
 * for the values of `%A`, Kannel 1.4.5: gw/bb_smscconn.c and gw/smsc/smsc_smpp.c; SMPP 3.4, 5.1.3 and appendix B.
 */
const receipt = (status: number, answer: string) =>
  get(`receipts?key=${callbackSecret}&message=123&status=${status}&answer=${encodeURIComponent(answer)}`);
const ofOperator = (stat: string) =>
  `id:op-1 sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:${stat} err:000 text:Ola Maria`;

export const kannel: Adapter = {
  create: fromExample('kannel'),
  accepts: { answer: httpAnswer(202, '0: Accepted for delivery'), providerMessageId: 'r1-7' },
  requests: [
    {
      name: 'with an address for its receipts',
      send: { messageId: 7, to: '+5511988887777', text: 'Olá' },
      request: {
        method: 'GET',
        path: `/cgi-bin/sendsms?username=torpedo&password=p%26ss%3D%2B%25&from=28282&to=%2B5511988887777&text=Ol%C3%A1&charset=UTF-8&coding=2&dlr-mask=27&dlr-url=${encodeURIComponent(`https://torpedo.example/webhooks/providers/1/receipts?key=${callbackSecret}&message=7`)}%26status%3D%25d%26answer%3D%25A`,
        headers: {},
        body: {},
      },
    },
  ],
  answers: [
    {
      name: 'queued because no operator is connected',
      answer: httpAnswer(202, '3: Queued for later delivery'),
      outcome: { kind: 'accepted' },
    },
    {
      name: 'a temporary failure',
      answer: httpAnswer(503, '4: Temporal failure, try again later.'),
      outcome: { kind: 'temporary', code: '4', outage: true },
    },
    {
      name: 'a wrong password',
      answer: httpAnswer(403, 'Authorization failed for sendsms'),
      outcome: { kind: 'account' },
    },
    {
      name: 'a missing parameter',
      answer: httpAnswer(400, 'Empty text not allowed'),
      outcome: { kind: 'refused' },
    },
  ],
  receipts: (
    [
      [8, 'ACK/', 'sent', null, null],
      [4, ofOperator('ENROUTE'), null, null, null],
      [1, ofOperator('DELIVRD'), 'delivered', null, null],
      [2, ofOperator('UNDELIV'), 'undelivered', 'not_delivered', 'stat:UNDELIV'],
      [2, ofOperator('EXPIRED'), 'undelivered', 'expired_at_carrier', 'stat:EXPIRED'],
      [2, ofOperator('REJECTD'), 'undelivered', 'carrier_filtered', 'stat:REJECTD'],
      [16, 'NACK/0x0000000b/Invalid Destination Address', 'failed', 'number_invalid', 'NACK/0x0000000b/'],
      [16, 'NACK/0x00000058/Throttling error', 'failed', 'temporary_failure', 'NACK/0x00000058/'],
      [16, 'NACK/0x000000ff/Unknown Error', 'failed', 'request_refused', 'NACK/'],
    ] as const
  ).map(([status, answer, newStatus, reason, code]) => ({
    name: `${status} ${answer.slice(0, 20)} ${code ?? ''}`,
    callback: receipt(status, answer),
    receipts: [{ messageId: 123, providerMessageId: null, status: newStatus, reason, code }],
  })),
  inbound: [
    {
      name: 'in the query',
      callback: get(`inbound?key=${callbackSecret}&id=5c1d&from=%2B5511988887777&to=28282&text=Sa%C3%ADr`),
      messages: [{ providerMessageId: '5c1d', from: '+5511988887777', to: '28282', text: 'Saír' }],
    },
  ],
  lookUps: null,
  verification,
};
