import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import splitSms from 'split-sms';
import { describe, expect, test } from 'vitest';
import {
  charactersOutside,
  defineProfile,
  profiles,
  removeAccents,
  segmentsOf,
} from '../../domain/segments.ts';

const { gsm, zenvia, twilio } = profiles;

describe('segmentsOf', () => {
  test.each([
    ['', 'GSM-7', 0, 0, 160],
    ['a', 'GSM-7', 1, 1, 159],
    ['a'.repeat(160), 'GSM-7', 160, 1, 0],
    ['a'.repeat(161), 'GSM-7', 161, 2, 145],
    ['€'.repeat(80), 'GSM-7', 160, 1, 0],
    // 153 is odd: a segment holds 76 of them and wastes its last septet.
    ['€'.repeat(81), 'GSM-7', 162, 2, 143],
    ['é à Ç É', 'GSM-7', 7, 1, 153],
    ['ã', 'UCS-2', 1, 1, 69],
    ['ã'.repeat(70), 'UCS-2', 70, 1, 0],
    ['ã'.repeat(71), 'UCS-2', 71, 2, 63],
    // 67 is odd: 33 pairs fill a segment.
    ['🎉'.repeat(36), 'UCS-2', 72, 2, 61],
    ['ã' + 'a'.repeat(159), 'UCS-2', 160, 3, 41],
  ] as const)('counts %j by the standard', (text, encoding, characters, segments, remaining) => {
    const shift = null;
    expect(segmentsOf(text, gsm)).toEqual({
      ...{ encoding, shift, characters, segments, remaining },
      cutsWord: false,
    });
  });

  const character = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...'abcxyz 019.,@èéùìòÇØøÅåΔ_ΦÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n'.split('')) },
    { weight: 4, arbitrary: fc.constantFrom('€', '[', ']', '{', '}', '~', '^', '\\', '|') },
    { weight: 1, arbitrary: fc.constantFrom('ã', 'õ', 'ç', 'º', 'ª', '`', '“', '\u00a0', '\t', '🎉', '👍') },
  );
  const gsmText = fc.string({
    unit: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'é', ' ') },
      { weight: 1, arbitrary: fc.constantFrom('€', '[', '|') },
    ),
    minLength: 1,
    maxLength: 900,
  });
  const anyText = fc.oneof(
    gsmText,
    fc.string({ unit: character, minLength: 1, maxLength: 500 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
  );

  test('agrees with split-sms on the gsm profile, for characters of one code point', () => {
    const graphemes = new Intl.Segmenter('pt', { granularity: 'grapheme' });
    const isSimple = (text: string): boolean =>
      [...graphemes.segment(text)].every(
        ({ segment }) => segment === '\r\n' || Array.from(segment).length === 1,
      );
    fc.assert(
      fc.property(anyText.filter(isSimple), (text) => {
        const ours = segmentsOf(text, gsm);
        const theirs = splitSms.split(text, { summary: true });
        expect([ours.encoding === 'GSM-7' ? 'GSM' : 'Unicode', ours.segments, ours.remaining]).toEqual([
          theirs.characterSet,
          theirs.parts.length,
          theirs.remainingInPart,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  /** Characters of two and more UTF-16 units: emoji of all kinds, flags, keycaps, letters with marks. */
  const clusters = [
    ...['🎉', '👍🏽', '👨‍👩‍👧‍👦', '👩🏿‍🚀', '🏳️‍🌈', '🇧🇷', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '1️⃣', '❤️', '☎️'],
    ...['e\u0301', 'a\u0303\u0323', 'नि', 'ก็', '\u1112\u1161\u11ab'],
  ];
  const textsWith = (some: readonly string[]) =>
    fc.string({
      unit: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom('a', 'ã', ' ', 'x', '—') },
        { weight: 1, arbitrary: fc.constantFrom(...some) },
      ),
      minLength: 1,
      maxLength: 200,
    });
  /** The count of Twilio's own calculator, which does not cut graphemes. */
  const byTwilio = (text: string) => {
    const { encodingName, segmentsCount } = new SegmentedMessage(text);
    return { encoding: encodingName, segments: segmentsCount };
  };

  test.each([
    ['all kinds of characters', anyText],
    ['emoji, flags and letters with marks', textsWith(clusters)],
  ])("agrees with Twilio's calculator on the twilio profile, for %s", (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(segmentsOf(text, twilio)).toMatchObject(byTwilio(text));
      }),
      { numRuns: 300 },
    );
  });

  /**
   * Here we differ from the calculator, which uses Unicode 10 of 2017 and cuts characters that are newer. We use the
   * Unicode of Node, because a current phone shows one character, and its halves would be two others. It moves to the next
   * segment as a whole, so we never count fewer segments than the calculator.
   */
  const sinceUnicode10 = ['🥷🏽', '🧑‍🦰', '🫱🏻‍🫲🏿', '🧑🏾‍❤️‍🧑🏻', '🧑‍🧑‍🧒', '🤌🏾', 'क्ष'];
  test.each(sinceUnicode10)('does not cut %s, which the calculator cuts', (character) => {
    // The calculator's first character of the cluster ends with the first segment, and two segments are full.
    const before = 67 - (new SegmentedMessage(character).graphemes[0]?.length ?? 0);
    const text = `${'ã'.repeat(before)}${character}${'ã'.repeat(2 * 67 - before - character.length)}`;
    expect(byTwilio(text)).toEqual({ encoding: 'UCS-2', segments: 2 });
    expect(segmentsOf(text, twilio)).toMatchObject({ encoding: 'UCS-2', segments: 3 });
  });

  test('never counts fewer segments than the calculator for newer characters', () => {
    fc.assert(
      fc.property(textsWith([...sinceUnicode10, ...clusters]), (text) => {
        expect(segmentsOf(text, twilio).segments).toBeGreaterThanOrEqual(byTwilio(text).segments);
      }),
      { numRuns: 300 },
    );
  });

  test('cuts a character that is longer than a segment, but no surrogate pair', () => {
    // In Unicode, any number of marks on a letter is one character.
    const text = `a${'\u0303'.repeat(140)}`;
    expect(segmentsOf(text, gsm)).toMatchObject({ segments: 3, remaining: 3 * 67 - 141 });
    const family = `a${'\u0303'.repeat(65)}${'🎉\u0303'.repeat(30)}`;
    expect(segmentsOf(family, gsm).segments).toBe(3);
  });

  test('counts Zenvia’s smaller alphabet and segments', () => {
    expect(segmentsOf('é', zenvia).encoding).toBe('UCS-2');
    expect(segmentsOf('a|b', zenvia).encoding).toBe('UCS-2');
    expect(segmentsOf('a'.repeat(160), zenvia).segments).toBe(1);
    expect(segmentsOf('a'.repeat(304), zenvia).segments).toBe(2);
    expect(segmentsOf('a'.repeat(305), zenvia).segments).toBe(3);
    expect(segmentsOf('ã'.repeat(132), zenvia).segments).toBe(2);
    expect(segmentsOf('ã'.repeat(133), zenvia).segments).toBe(3);
  });

  test('moves a word to the next segment for Zenvia, which does not cut words', () => {
    // The second word does not fit into the rest of the first segment, so the text can need a third one.
    const text = 'a'.repeat(150) + ' ' + 'b'.repeat(150) + ' ' + 'c';
    expect(segmentsOf(text, gsm)).toMatchObject({ segments: 2 });
    expect(segmentsOf(text, zenvia)).toMatchObject({ segments: 2, remaining: 0 });
    expect(segmentsOf(text + 'c', zenvia)).toMatchObject({ segments: 3, remaining: 150 });
    expect(segmentsOf(text + 'c', { ...zenvia, cutsAtSpaces: false })).toMatchObject({ segments: 2 });
  });

  test('reports a word that is longer than a segment for Zenvia, which cuts at spaces only', () => {
    const cuts = (text: string, profile = zenvia) => segmentsOf(text, profile).cutsWord;
    expect(cuts(`a ${'b'.repeat(152)} ${'c'.repeat(20)}`)).toBe(false);
    expect(cuts(`a ${'b'.repeat(153)} ${'c'.repeat(20)}`)).toBe(true);
    expect(cuts(`ã ${'b'.repeat(66)} ${'c'.repeat(20)}`)).toBe(false);
    expect(cuts(`ã ${'b'.repeat(67)} ${'c'.repeat(20)}`)).toBe(true);
    // A text that fits into one message is not cut.
    expect(cuts('b'.repeat(160))).toBe(false);
    expect(cuts('b'.repeat(161))).toBe(true);
    expect(cuts(`a ${'b'.repeat(153)} ${'c'.repeat(20)}`, gsm)).toBe(false);
  });

  test('never counts two segments for a text that fits one, nor fewer than the characters need', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(gsm, zenvia), (text, profile) => {
        const { encoding, characters, segments, remaining } = segmentsOf(text, profile);
        const sizes = (encoding === 'GSM-7' && profile.tables[0]) || profile.ucs2;
        if (characters <= sizes.single) expect(segments).toBe(1);
        else expect(segments * sizes.split).toBeGreaterThanOrEqual(characters);
        expect(remaining).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('the Portuguese language tables', () => {
  const { portuguese } = profiles;
  const accented = 'Olá, João! Sua consulta é amanhã às 9h na Rua São José, nº 10, 2º andar. ';
  const textOf = (length: number): string => accented.repeat(9).slice(0, length);

  test('fit an accented text of 141 characters into one segment instead of three', () => {
    expect(segmentsOf(textOf(141), gsm)).toMatchObject({ encoding: 'UCS-2', segments: 3 });
    expect(segmentsOf(textOf(141), portuguese)).toEqual({
      ...{ encoding: 'GSM-7', shift: 'locking', characters: 141, segments: 1, remaining: 14 },
      cutsWord: false,
    });
  });

  test.each([
    ['a'.repeat(160), null, 160, 1],
    ['é'.repeat(160), null, 160, 1],
    ['a'.repeat(161), null, 161, 2],
    ['ã'.repeat(155), 'locking', 155, 1],
    ['ã'.repeat(156), 'locking', 156, 2],
    ['ã'.repeat(298), 'locking', 298, 2],
    ['ã'.repeat(299), 'locking', 299, 3],
    // ñ is only in the default alphabet: with it, ã takes two septets.
    [`ñ${'ã'.repeat(77)}`, 'single', 155, 1],
    [`ñ${'ã'.repeat(78)}`, 'single', 157, 2],
    // ª is in one table, Φ in the other.
    [`ªΦ${'a'.repeat(149)}`, 'both', 152, 1],
    [`ªΦ${'a'.repeat(150)}`, 'both', 153, 2],
    // No table has both.
    ['ªñ', 'UCS-2', 2, 1],
  ] as const)('%#: count %s', (text, shift, characters, segments) => {
    expect(segmentsOf(text, portuguese)).toMatchObject(
      shift === 'UCS-2'
        ? { encoding: 'UCS-2', shift: null, characters, segments }
        : { encoding: 'GSM-7', shift, characters, segments },
    );
  });

  test('contain every Portuguese letter, and none is replaced', () => {
    const letters = 'ÁÀÂÃÉÊÍÓÔÕÚÜÇáàâãéêíóôõúüçºª';
    expect(segmentsOf(letters, portuguese)).toMatchObject({ shift: 'locking', characters: letters.length });
    expect(removeAccents(letters, portuguese)).toBe(letters);
    expect(charactersOutside(letters, portuguese)).toEqual([]);
  });

  test('do not contain other characters, which need UCS-2 or a plain replacement', () => {
    expect(charactersOutside('São João 🎉', portuguese)).toEqual(['🎉']);
    expect(charactersOutside('ªñ', portuguese)).toEqual(['ª']);
    expect(removeAccents('1ª ñandú “São”', portuguese)).toBe('1a ñandú "São"');
    expect(segmentsOf('1a ñandú "São"', portuguese).shift).toBe('single');
  });

  test('never need more segments than the default alphabet', () => {
    fc.assert(
      fc.property(anyPortuguese, (text) => {
        const [ours, plain] = [segmentsOf(text, portuguese), segmentsOf(text, gsm)];
        expect(ours.segments).toBeLessThanOrEqual(plain.segments);
        if (plain.encoding === 'GSM-7') expect(ours).toEqual(plain);
      }),
    );
  });
});

const anyPortuguese = fc.string({
  unit: fc.constantFrom(...'aeio nrst ãçáéíõâêôúàüÁÃÇº€[]{}~^|ñΦª'.split('')),
  minLength: 1,
  maxLength: 400,
});

describe('removeAccents', () => {
  test('replaces Portuguese letters with plain ones', () => {
    expect(removeAccents('Olá João, sua ação nº 3 na 2ª seção não está concluída', gsm)).toBe(
      'Ola Joao, sua acao no 3 na 2a secao nao esta concluida',
    );
  });

  test('keeps the characters of the profile’s alphabet', () => {
    expect(removeAccents('É você, à noite? ~[€]', gsm)).toBe('É voce, à noite? ~[€]');
    expect(removeAccents('É você, à noite?', zenvia)).toBe('E voce, a noite?');
    expect(removeAccents('straße ñandú', zenvia)).toBe('strasse nandu');
  });

  test('replaces typographic quotes, dashes, dots, spaces and fractions', () => {
    expect(removeAccents('“Só hoje” – ‘já’ — fim…\u00a0½\tm² ´`', gsm)).toBe(
      "\"So hoje\" - 'ja' - fim... 1/2 m2 ''",
    );
  });

  test('drops invisible characters', () => {
    expect(removeAccents('a\u200bb\u00adc\ufeff', gsm)).toBe('abc');
  });

  test('composes letters with separate accents', () => {
    expect(removeAccents('caf\u0065\u0301 na\u0303o', gsm)).toBe('café nao');
    expect(removeAccents('caf\u0065\u0301 na\u0303o', zenvia)).toBe('cafe nao');
    expect(removeAccents('x\u0303', gsm)).toBe('x');
  });

  test('keeps emoji and other scripts, which then force UCS-2', () => {
    expect(removeAccents('Promoção 🎉 中文', gsm)).toBe('Promocao 🎉 中文');
    expect(segmentsOf(removeAccents('Promoção 🎉', gsm), gsm).encoding).toBe('UCS-2');
  });

  test('leaves a text in the alphabet unchanged, and changes nothing in a second pass', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(gsm, zenvia), (text, profile) => {
        const once = removeAccents(text, profile);
        if (segmentsOf(text, profile).encoding === 'GSM-7') expect(once).toBe(text);
        expect(removeAccents(once, profile)).toBe(once);
      }),
    );
  });

  test('converts every Latin letter of Windows-1252 to every alphabet', () => {
    const letters = 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŠšŽžŒœŸ';
    for (const profile of Object.values(profiles)) {
      expect(charactersOutside(removeAccents(letters, profile), profile)).toEqual([]);
    }
  });
});

describe('charactersOutside', () => {
  test('lists each offending character once, surrogate pairs whole', () => {
    expect(charactersOutside('não, não é 🎉🎉 ça', gsm)).toEqual(['ã', '🎉', 'ç']);
    expect(charactersOutside('não é |', zenvia)).toEqual(['ã', 'é', '|']);
    expect(charactersOutside('plain', gsm)).toEqual([]);
  });
});

test('a profile can be defined for another provider', () => {
  const strict = defineProfile({
    name: 'strict',
    alphabet: { basic: 'abc ', extension: '', single: 4, split: 3 },
    ucs2: { single: 2, split: 1 },
    cutsAtSpaces: false,
    maxCharacters: null,
  });
  expect(segmentsOf('abca', strict).segments).toBe(1);
  expect(segmentsOf('abcab', strict).segments).toBe(2);
  expect(removeAccents('ábç', strict)).toBe('abc');
});
