import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, call, json } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/totalvoice.json. Source: github.com/totalvoice/totalvoice-docs, 87e382e of 2025-06-23, source/includes:
 * _sms.md, _webhooks.md, and the codes in _recursos_desenvolvedor.md. It declares SMS discontinued: existing customers keep
 * it, and new ones are referred to Zenvia, which is a separate kind of provider here.
 */
const failure = (status: number, motivo: number, mensagem: string) =>
  httpAnswer(status, JSON.stringify({ status, sucesso: false, motivo, mensagem, dados: null }));

export const totalvoice: Adapter = {
  create: fromExample('totalvoice'),
  accepts: {
    answer: httpAnswer(
      200,
      '{"status":200,"sucesso":true,"motivo":0,"mensagem":"sms criado com sucesso","dados":{"id":4921}}',
    ),
    providerMessageId: '4921',
  },
  requests: [
    {
      name: 'as JSON',
      send: { messageId: 7, to: '+5510999999999', text: 'Ola tudo bem?' },
      request: {
        method: 'POST',
        path: '/sms',
        headers: { 'access-token': 'the-token', 'content-type': 'application/json' },
        body: {
          numero_destino: '+5510999999999',
          mensagem: 'Ola tudo bem?',
          resposta_usuario: true,
          multi_sms: true,
          tags: 'r1-7',
        },
      },
    },
  ],
  answers: [
    {
      name: 'several SMS for a long text',
      answer: httpAnswer(200, '{"status":200,"sucesso":true,"motivo":0,"dados":{"id":[4921,4922]}}'),
      outcome: { kind: 'accepted', providerMessageId: '4921' },
    },
    ...(
      [
        [403, 8, 'account'],
        [402, 9, 'account'],
        [405, 10, 'refused'],
        [405, 11, 'refused'],
        [405, 20, 'refused'],
        [501, 30, 'account'],
        [403, 40, 'account'],
        [500, 50, 'ambiguous'],
        [404, 60, 'refused'],
        [404, 90, 'account'],
        [400, 100, 'refused'],
      ] as const
    ).map(([status, motivo, kind]) => ({
      name: `${status} with the code ${motivo}`,
      answer: failure(status, motivo, 'O número +5511988887777'),
      outcome: { kind, code: String(motivo) },
    })),
    {
      name: 'a failure with an unknown code',
      answer: failure(200, 999, ''),
      outcome: { kind: 'refused' },
    },
    { name: '429', answer: httpAnswer(429, ''), outcome: { kind: 'temporary' } },
  ],
  receipts: (
    [
      ['aguardando', null, null],
      ['em análise', null, null],
      ['enviada', 'sent', null],
      ['entregue', 'delivered', null],
      ['erro', 'failed', 'not_delivered'],
      ['bloqueado', 'failed', 'content_refused'],
    ] as const
  ).map(([status_envio, status, reason]) => ({
    name: status_envio,
    callback: call(
      `receipts?key=${callbackSecret}`,
      json({
        id: '37787430',
        numero_destino: '+5510999999999',
        data_criacao: '2019-09-06T14:00:38-03:00',
        mensagem: 'Olá ZenAPI',
        preco: 0.09,
        status_envio,
        data_status: '2019-09-06T14:01:13-03:00',
        resposta_usuario: false,
        respostas: [],
      }),
    ),
    receipts: [
      {
        messageId: null,
        providerMessageId: '37787430',
        status,
        reason,
        code: reason === null ? null : status_envio,
      },
    ],
  })),
  inbound: [
    {
      name: 'by the recipient of the SMS',
      callback: call(
        `inbound?key=${callbackSecret}`,
        json({ id: 16347, sms_id: 133830, resposta: 'SIM', data_resposta: '2016-10-17T18:02:20-02:00' }),
      ),
      messages: [
        {
          providerMessageId: '16347',
          from: null,
          to: '',
          text: 'SIM',
          answers: { messageId: null, providerMessageId: '133830' },
        },
      ],
    },
  ],
  lookUps: null,
  verification,
};
