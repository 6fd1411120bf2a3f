import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isProbableOptOut } from '../../domain/probable-opt-out.ts';
import { createReplyReader, defaultReplyWords } from '../../domain/reply.ts';
import { otherReplies, probableOptOuts } from '../kit/reply-texts.ts';

const read = createReplyReader(defaultReplyWords);
const intentOf = (text: string) => read({ phone: '+5511987654321', text });

describe('an opt-out word alone opts out at once', () => {
  test.each([
    'SAIR',
    'sair.',
    'S A I R',
    'Pare!',
    'PARAR',
    'STOP',
    'stop all',
    'OPT-OUT',
    'Cancelar',
    '🙏 sair 🙏',
  ])('%j', (text) => {
    expect(intentOf(text)).toBe('opt_out');
  });
});

const probable = [
  'quero sair',
  'Quero sair!!!',
  'QUERO SAIR',
  'qro sair',
  'eu quero sair dessa lista',
  'sair por favor',
  'Sair, por favor.',
  'SAIR OBRIGADA',
  'por favor sair',
  'sair pfv',
  'sair sair sair',
  'SAIR\n\nMaria da Silva\nAuxiliar administrativa',
  'Boa tarde\nsair\nAtt, João',
  'saiiiir',
  'sari',
  'siar',
  'sair já',
  'como faço pra sair?',
  'Como faço para sair desta lista de vocês',
  'desejo sair do grupo',
  'me tira dessa lista',
  'ME TIRA DESSA LISTA!!!',
  'me tirem daí por favor',
  'Tira meu número daí',
  'tire meu telefone do cadastro',
  'pode tirar meu nome da lista?',
  'remova meu número',
  'removam o meu contato da base de vocês',
  'exclui meu cadastro por gentileza',
  'apaga meus dados',
  'não quero mais receber',
  'nao quero mais receber msg',
  'Não quero receber mais mensagens',
  'n quero mais receber sms de vcs',
  'ñ quero receber nada, não quero mensagem',
  'naum qro mais msg',
  'Não desejo receber promoções',
  'não autorizei o envio de sms',
  'Não autorizo receber mensagens desta empresa',
  'nao quero mais',
  'não quero mais, obrigado',
  'não mande mais mensagem',
  'nao me mande mais nada',
  'Não me mandem mais mensagens',
  'não envie mais',
  'não me envie sms',
  'não me perturbe',
  'por favor não me liguem mais',
  'nunca mais me mandem mensagem',
  'pare de me mandar mensagem',
  'PARE DE MANDAR MENSAGEM',
  'parem de mandar mensagem pra mim',
  'para de me mandar msg',
  'Pára de me encher',
  'parem com isso',
  'pare por favor',
  'chega de propaganda',
  'chega!',
  'basta de sms',
  'deixa de mandar mensagem',
  'me deixa em paz',
  'Me deixem em paz!!! 😡',
  'cancelar por favor',
  'quero cancelar',
  'cancela o envio de mensagens',
  'Cancelem meu cadastro',
  'solicito cancelamento das mensagens',
  'gostaria de cancelar o recebimento de sms',
  'descadastrar meu numero',
  'quero me descadastrar',
  'descadrastar',
  'descadastra ai',
  'desinscrever-me',
  'vou bloquear esse número',
  'vou denunciar na anatel',
  'isso é spam',
  'bloqueia meu número e me esqueça',
  'dá baixa no meu número',
  'Revogo meu consentimento nos termos da LGPD',
  'sem mensagens por favor',
  'stop texting me',
  'please stop',
  'Stop sending me messages',
  'STOP!! wrong person',
  'unsubscribe me please',
  'opt me out, opt out',
  'take me off your list',
  'Remove me from this list',
  "don't text me again",
  'do not contact me',
  'no more messages',
  'leave me alone',
  'no quiero recibir más mensajes',
  'quiero darme de baja',
  'dejen de enviar mensajes',
  // Accepted false positives: each costs an operator one click.
  'Não vou sair de casa hoje',
  'vou sair às 5',
];

const nothing = [
  '',
  'ok',
  'Sim',
  'Não',
  'Confirmo',
  'CONFIRMADO!',
  'obrigada',
  'Bom dia',
  '👍',
  '...',
  'quanto custa?',
  'Quero sim',
  'quero receber',
  'Quero mais informações, por favor',
  'não recebi o boleto',
  'Não recebi minha mensagem de confirmação',
  'não quero esse plano, qual o outro?',
  'qual o endereço?',
  'Me manda o boleto por favor',
  'me envie o link',
  'pode mandar mais detalhes',
  'já paguei',
  'paguei ontem às 10h',
  'não tenho interesse no momento',
  'quero cancelar meu pedido de amanhã',
  'preciso cancelar a consulta de terça',
  'Vou parar o carro e já subo',
  'onde posso parar o carro?',
  'O sinal caiu, pode repetir?',
  'para quando?',
  'para amanhã',
  'vou para o hospital agora',
  'Remarcar para sexta por favor',
  'minha mãe saiu do hospital',
  'saí do trabalho, chego em 10 min',
  'quem é?',
  'Número errado?',
  'a entrega não chegou',
  'chega que horas?',
  'Bloquearam meu cartão, o que faço?',
  'Você pode me ligar?',
  'me liga',
  'não consigo entrar no site',
  'end. rua das flores 25',
  'meu endereço mudou',
  'hello, is this the clinic?',
  'see you at the bus at 5',
  'x'.repeat(1600),
];

describe('a probable opt-out', () => {
  test.each([...probable, ...probableOptOuts])('%j', (text) => {
    expect(intentOf(text)).toBe('probable_opt_out');
  });
});

describe('not a probable opt-out', () => {
  test.each([...nothing, ...otherReplies])('%j', (text) => {
    expect(intentOf(text)).toBeNull();
  });
});

test('the text of a short code is not an opt-out request', () => {
  const text = 'Para sair da lista responda SAIR';
  expect(['28123', 'BANCO', '+5511987654321'].map((phone) => read({ phone, text }))).toEqual([
    null,
    null,
    'probable_opt_out',
  ]);
});

describe('the detection of a probable opt-out', () => {
  const core = fc.constantFrom(
    'quero sair',
    'sair por favor',
    'me tira dessa lista',
    'não quero mais receber',
    'pare de me mandar mensagem',
    'stop texting me',
    'descadastrar meu número',
  );
  const around = fc.string({
    unit: fc.constantFrom(' ', '!', '.', '…', '😡', '🙏🏽', '"', '\u200b', '\ufe0f', '?'),
    maxLength: 4,
  });

  test('ignores case, accents, emoji and punctuation', () => {
    fc.assert(
      fc.property(core, around, around, fc.boolean(), fc.boolean(), (text, before, after, upper, bare) => {
        const spelled = bare ? text.normalize('NFD').replaceAll(/\p{M}/gu, '') : text;
        expect(intentOf(before + (upper ? spelled.toUpperCase() : spelled) + after)).toBe('probable_opt_out');
      }),
    );
  });

  test('finds an opt-out word on its own line, whatever the other lines contain', () => {
    const line = fc.string({ maxLength: 60 }).filter((text) => !/[\n\r]/.test(text));
    fc.assert(
      fc.property(fc.constantFrom(...defaultReplyWords.optOut), line, line, (word, above, below) => {
        expect(['opt_out', 'probable_opt_out']).toContain(intentOf(`${above}\n${word}\n${below}`));
      }),
    );
  });

  test('answers quickly for any text', () => {
    const words = fc.constantFrom(
      'nao',
      'me',
      'mais',
      'quero',
      'sair',
      'de',
      'pare',
      'a',
      'x1',
      'mensagem',
      '\n',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 1600 }),
      fc.array(words, { maxLength: 400 }).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(typeof isProbableOptOut(text, defaultReplyWords.optOut)).toBe('boolean');
      }),
      { numRuns: 1_000 },
    );
  });
});
