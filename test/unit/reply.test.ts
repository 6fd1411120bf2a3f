import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bareWord, createReplyReader, defaultReplyWords } from '../../domain/reply.ts';

const read = createReplyReader(defaultReplyWords);
const intentOf = (text: string) => read({ phone: '+5511987654321', text });

describe('a reply opts out', () => {
  test.each([
    'SAIR',
    'sair',
    'Saír',
    'S.A.I.R!',
    ' s a i r \n',
    '"Sair."',
    'SAIR 🙏',
    'ｓａｉｒ',
    '𝗦𝗔𝗜𝗥',
    's\u200bair',
    'pare',
    'PARAR',
    'Stop',
    'stop all',
    'cancelar',
    'Descadastrar',
    'sair\0',
    'OPT-OUT',
    'optout',
    'Revoke',
    'unsubscribe',
    'END',
    'Quit.',
    'descadastre',
    'Remova',
  ])('by %j', (text) => {
    expect(intentOf(text)).toBe('opt_out');
  });
});

describe('a reply does not opt out', () => {
  test.each([
    'não pare agora o carro',
    'saí agora',
    'parede',
    '',
    '   ',
    '👍',
    '...',
    'ok',
    'x'.repeat(1600),
  ])('by %j', (text) => {
    expect(intentOf(text)).toBeNull();
  });
});

test.each(['sair da promoção', 'quero sair', 'SAIR SAIR', 'Não vou sair de casa hoje'])(
  'a reply with more than the opt-out word is a probable opt-out: %j',
  (text) => {
    expect(intentOf(text)).toBe('probable_opt_out');
  },
);

test('a reply can opt in again or ask for help', () => {
  expect(['VOLTAR', 'Start!', 'ajuda', 'HELP ?'].map(intentOf)).toEqual(['opt_in', 'opt_in', 'help', 'help']);
});

test('the words are the configured ones', () => {
  const ownReader = createReplyReader({
    optOut: ['Não quero mais', ''],
    optIn: ['Sim', 'nao quero mais'],
    help: [],
    holdDays: 7,
  });
  const own = (text: string) => ownReader({ phone: '+5511987654321', text });
  expect(['nao quero mais!', 'NÃO-QUERO-MAIS', 'sim', 'STOPALL', 'quit', ''].map(own)).toEqual([
    'opt_out',
    'opt_out',
    'opt_in',
    'probable_opt_out',
    null,
    null,
  ]);
});

describe('reading a word', () => {
  const words = fc.constantFrom(...defaultReplyWords.optOut);
  const noise = fc.string({
    unit: fc.constantFrom(' ', '\n', '.', '!', '"', '-', '…', '🙏', '\u0301', '\u0303', '\u200b'),
    maxLength: 3,
  });

  test('ignores case, accents, punctuation and spaces', () => {
    const insertions = fc.array(fc.record({ before: noise, upper: fc.boolean() }), {
      minLength: 20,
      maxLength: 20,
    });
    fc.assert(
      fc.property(words, insertions, noise, (word, all, after) => {
        const letters = Array.from(word, (letter, index) => {
          const { before = '', upper = false } = all[index] ?? {};
          return before + (upper ? letter : letter.toLowerCase());
        });
        expect(intentOf(letters.join('') + after)).toBe('opt_out');
      }),
      { numRuns: 2_000 },
    );
  });

  test('finds another word when a letter is added', () => {
    const letter = fc.constantFrom('b', 'z', 'ç', 'ã', 'e', 'a', '0', '9', 'ж', 'ß');
    const { optOut, optIn, help } = defaultReplyWords;
    const known = [...optOut, ...optIn, ...help].map(bareWord);
    fc.assert(
      fc.property(words, letter, fc.nat(), (word, more, at) => {
        const place = at % (word.length + 1);
        const written = word.slice(0, place) + more + word.slice(place);
        fc.pre(!known.includes(bareWord(written)));
        expect([null, 'probable_opt_out']).toContain(intentOf(written));
      }),
    );
  });

  test('gives the same for each Latin letter in upper and lower case, and when it is applied twice', () => {
    const unstable: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const letter = String.fromCodePoint(code);
      if (!/\p{Script=Latin}/u.test(letter)) continue;
      const read = bareWord(letter);
      const others = [read, letter.toUpperCase(), letter.toLowerCase()];
      if (others.some((other) => bareWord(other) !== read)) unstable.push(letter);
    }
    expect(unstable).toEqual([]);
  });

  test('accepts any text, and changes nothing when it is applied twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(bareWord(bareWord(text))).toBe(bareWord(text));
        intentOf(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
