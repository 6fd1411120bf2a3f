import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bareWord, createReplyReader, defaultReplyWords } from '../domain/reply.ts';

const wishOf = createReplyReader(defaultReplyWords);

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
  ])('by %j', (text) => {
    expect(wishOf(text)).toBe('opt_out');
  });
});

describe('a reply does not opt out', () => {
  test.each([
    'sair da promoção',
    'quero sair',
    'não pare',
    'sai',
    'sairá',
    'parede',
    'SAIR SAIR',
    '',
    '   ',
    '👍',
    '...',
    'ok',
    'x'.repeat(1600),
  ])('by %j', (text) => {
    expect(wishOf(text)).toBeNull();
  });
});

test('a reply opts in again, or calls for help', () => {
  expect(['VOLTAR', 'Start!', 'ajuda', 'HELP ?'].map(wishOf)).toEqual(['opt_in', 'opt_in', 'help', 'help']);
});

test('the words are those of the deployment', () => {
  const own = createReplyReader({
    optOut: ['Não quero mais', ''],
    optIn: ['Sim', 'nao quero mais'],
    help: [],
  });
  expect(['nao quero mais!', 'NÃO-QUERO-MAIS', 'sim', 'SAIR', ''].map(own)).toEqual([
    'opt_out',
    'opt_out',
    'opt_in',
    null,
    null,
  ]);
});

describe('properties', () => {
  const words = defaultReplyWords.optOut;
  const noise = fc.stringMatching(/^[\s.,;:!?'"()*_\-–—…🙏👍\u0300-\u036f\u200b]*$/u);

  test('case, accents, punctuation and spaces make no difference', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...words),
        fc.infiniteStream(noise),
        fc.infiniteStream(fc.boolean()),
        (word, between, upper) => {
          const next = <T>(stream: Iterator<T, T>) => stream.next().value;
          const written = [...word]
            .map((letter) => (next(upper) ? letter : letter.toLowerCase()) + next(between))
            .join('');
          expect(wishOf(next(between) + written)).toBe('opt_out');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a letter more and it is another word', () => {
    const letter = fc.constantFrom(...'bcdfgjklmnoquvwxyzçãé0123456789жß');
    fc.assert(
      fc.property(fc.constantFrom(...words), letter, fc.nat(), (word, more, at) => {
        const place = at % (word.length + 1);
        const written = word.slice(0, place) + more + word.slice(place);
        const known = Object.values(defaultReplyWords).flat().map(bareWord);
        fc.pre(!known.includes(bareWord(written)));
        expect(wishOf(written)).toBeNull();
      }),
    );
  });

  test('any text is read, and reading it twice says the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(bareWord(bareWord(text))).toBe(bareWord(text));
        wishOf(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
