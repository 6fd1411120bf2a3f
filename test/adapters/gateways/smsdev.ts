import { httpAnswer } from '../../kit/raw-server.ts';
import { callbackSecret, verification } from '../http.ts';
import { type Adapter, call, form, get, json } from '../shapes.ts';
import { fromExample } from './example.ts';

/**
 * examples/gateways/smsdev.json. Sources: www.smsdev.com.br/en/envio-sms (sending, by POST, GET or JSON),
 * …/callback-situacao-da-mensagem-dlr (receipts), …/callback-recebimento-sms (replies). The table of errors is not public;
 * those below are recorded in github.com/enricodias/smsdev-php (tests/ApiResponseTest.php).
 */
const refusal = (codigo: string, descricao: string) =>
  httpAnswer(200, JSON.stringify({ situacao: 'ERRO', codigo, descricao }));
const receipt = (situacao: string) => ({
  key: 'the-key-of-the-account',
  id: '123456789',
  refer: 'r1-123',
  situacao,
  data_envio: '28022020145322',
  operadora: 'VIVO-PORTABILIDADE',
  qtd_credito: '1',
});
const reply = {
  from: '5562988887777',
  id: '123456789',
  id_sent: '637849052',
  message: 'Teste de retorno',
  refer: 'r1-123',
};

export const smsdev: Adapter = {
  create: fromExample('smsdev'),
  accepts: {
    answer: httpAnswer(
      200,
      '{"situacao":"OK","codigo":"1","id":"637849052","refer":"r1-7","descricao":"MENSAGEM NA FILA"}',
    ),
    providerMessageId: '637849052',
  },
  requests: [
    {
      name: 'as JSON',
      send: { messageId: 7, to: '+5511988887777', text: 'Linha 1\nLinha 2' },
      request: {
        method: 'POST',
        path: '/v1/send',
        headers: { 'content-type': 'application/json' },
        body: {
          key: 'the-key-of-the-account',
          type: 9,
          number: 5511988887777,
          msg: 'Linha 1\nLinha 2',
          refer: 'r1-7',
        },
      },
    },
  ],
  answers: [
    {
      name: 'one message in a list, as for several requests',
      answer: httpAnswer(200, '[{"situacao":"OK","codigo":"1","id":"111","descricao":"MENSAGEM NA FILA"}]'),
      outcome: { kind: 'accepted', providerMessageId: '111' },
    },
    {
      name: 'a missing text',
      answer: refusal('400', 'MENSAGEM NAO DEFINIDA.'),
      outcome: { kind: 'refused', reason: 'content_refused', code: '400' },
    },
    {
      name: 'a missing number',
      answer: refusal('402', 'SEM NUMERO DESTINATARIO.'),
      outcome: { kind: 'refused', reason: 'number_invalid', code: '402' },
    },
    {
      name: 'a wrong key',
      answer: refusal('403', 'NAO AUTENTICADO.'),
      outcome: { kind: 'account', code: '403' },
    },
    {
      name: 'an undocumented error',
      answer: refusal('499', 'Número +5511988887777'),
      outcome: { kind: 'refused', reason: 'request_refused', code: '499' },
    },
    { name: 'an HTML page', answer: httpAnswer(200, '<html>'), outcome: { kind: 'ambiguous' } },
  ],
  receipts: [
    ...(
      [
        ['RECEBIDA', 'delivered', null],
        ['ENVIADA', 'sent', null],
        ['FILA', null, null],
        ['ERRO', 'failed', 'not_delivered'],
        ['CANCELADA', 'failed', 'not_delivered'],
        ['BLACK LIST', 'failed', 'number_opted_out'],
      ] as const
    ).map(([situacao, status, reason]) => ({
      name: situacao,
      callback: call(`receipts/${callbackSecret}`, json(receipt(situacao))),
      receipts: [
        {
          messageId: 123,
          providerMessageId: '123456789',
          status,
          reason,
          code: reason === null ? null : situacao,
        },
      ],
    })),
    ...(
      [
        ['by POST', call(`receipts/${callbackSecret}`, form(receipt('RECEBIDA')))],
        ['by GET', get(`receipts/${callbackSecret}?${new URLSearchParams(receipt('RECEBIDA')).toString()}`)],
      ] as const
    ).map(([name, callback]) => ({
      name,
      callback,
      receipts: [
        {
          messageId: 123,
          providerMessageId: '123456789',
          status: 'delivered' as const,
          reason: null,
          code: null,
        },
      ],
    })),
  ],
  inbound: [
    {
      name: 'as JSON',
      callback: call(`inbound/${callbackSecret}`, json(reply)),
      messages: [{ providerMessageId: '123456789', from: '5562988887777', to: '', text: 'Teste de retorno' }],
    },
    {
      name: 'by GET',
      callback: get(`inbound/${callbackSecret}?${new URLSearchParams(reply).toString()}`),
      messages: [{ providerMessageId: '123456789', from: '5562988887777', to: '', text: 'Teste de retorno' }],
    },
  ],
  lookUps: null,
  verification,
};
