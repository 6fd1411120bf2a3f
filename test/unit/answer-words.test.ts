import { describe, expect, test } from 'vitest';
import { campaignWarnings, offeredAnswers } from '../../domain/answer-words.ts';
import { campaignDraft } from '../../domain/campaign.ts';
import { createReplyReader, defaultReplyWords } from '../../domain/reply.ts';

const offered = (text: string) => offeredAnswers(text, defaultReplyWords.optOut);

describe('an opt-out word is offered as an answer by', () => {
  test.each([
    ['Responda CONFIRMAR ou CANCELAR', 'CANCELAR'],
    ['Confirma a consulta de amanha? Responda SIM ou CANCELAR.', 'CANCELAR'],
    ['Responda SIM/CANCELAR', 'CANCELAR'],
    ['Digite 1 para confirmar, CANCELAR para desmarcar', 'CANCELAR'],
    ['Para desmarcar responda CANCELAR', 'CANCELAR'],
    ['Ola {nome}, responda CONFIRMO, REMARCAR ou CANCELAR', 'CANCELAR'],
    ['Reply YES or CANCEL', 'CANCEL'],
  ])('%j', (text, word) => {
    expect(offered(text)).toEqual([word]);
  });
});

describe('no word is offered as an answer by', () => {
  test.each([
    'Sua parcela vence hoje. Responda PARE para nao receber',
    'SMS gratis. Responda SAIR',
    'Para sair responda SAIR',
    'Para nao receber mais SMS, responda PARE.',
    'Responda SAIR p/ cancelar o recebimento',
    'Responda SIM ou SAIR para nao receber mais',
    'Responda SIM ou NAO. Para sair, SAIR.',
    'Responda STOP ou PARE',
    'Reply STOP to opt out',
    'Quer cancelar? Ligue 0800 123',
    'Ola, tudo bem?',
    '',
  ])('%j', (text) => {
    expect(offered(text)).toEqual([]);
  });
});

test('a campaign has a warning until it declares the word as an answer', () => {
  const draft = (answers: string[]) =>
    campaignDraft.parse({
      name: 'Consultas',
      schedule: { recurrence: { every: 'once' }, startsAt: '2099-01-01T09:00', timezone: 'UTC' },
      message: { template: 'Responda CONFIRMAR ou CANCELAR', answers },
    });
  const warned = (answers: string[]) => campaignWarnings(draft(answers), defaultReplyWords.optOut);
  expect(warned([])).toMatchObject([
    { field: 'message.template', code: 'answer_opts_out', params: { words: ['CANCELAR'] } },
  ]);
  expect(warned(['confirmar', 'Cancelar!'])).toEqual([]);
});

test('a declared answer is not an opt-out, even with polite words around it; other opt-out words still are', () => {
  const read = createReplyReader(defaultReplyWords);
  const intentOf = (text: string) => read({ phone: '+5511987654321', text }, ['CONFIRMAR', 'Cancelar']);
  expect(
    ['CANCELAR', 'cancelar.', 'cancelar por favor', 'SAIR', 'quero sair', 'confirmar'].map(intentOf),
  ).toEqual([null, null, null, 'opt_out', 'probable_opt_out', null]);
});
