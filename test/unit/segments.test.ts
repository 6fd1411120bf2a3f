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
    // 153 is odd: a segment holds 76 of them, its last septet is lost.
    ['€'.repeat(81), 'GSM-7', 162, 2, 143],
    ['é à Ç É', 'GSM-7', 7, 1, 153],
    ['ã', 'UCS-2', 1, 1, 69],
    ['ã'.repeat(70), 'UCS-2', 70, 1, 0],
    ['ã'.repeat(71), 'UCS-2', 71, 2, 63],
    // 67 is odd: 33 pairs fill a segment.
    ['🎉'.repeat(36), 'UCS-2', 72, 2, 61],
    ['ã' + 'a'.repeat(159), 'UCS-2', 160, 3, 41],
  ] as const)('reads %j as the textbook does', (text, encoding, characters, segments, remaining) => {
    expect(segmentsOf(text, gsm)).toEqual({ encoding, characters, segments, remaining });
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

  test('agrees with split-sms on the textbook profile', () => {
    fc.assert(
      fc.property(anyText, (text) => {
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

  test('agrees with sms-segments-calculator on the twilio profile', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const theirs = new SegmentedMessage(text);
        const ours = segmentsOf(text, twilio);
        expect([ours.encoding, ours.segments]).toEqual([theirs.encodingName, theirs.segmentsCount]);
      }),
      { numRuns: 200 },
    );
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

  test('moves the word that Zenvia does not cut to the next segment', () => {
    // 150 + a space, then a word that does not fit in the septet left: the segment ends short, and a third is needed.
    const text = 'a'.repeat(150) + ' ' + 'b'.repeat(150) + ' ' + 'c';
    expect(segmentsOf(text, gsm)).toMatchObject({ segments: 2 });
    expect(segmentsOf(text, zenvia)).toMatchObject({ segments: 2, remaining: 0 });
    expect(segmentsOf(text + 'c', zenvia)).toMatchObject({ segments: 3, remaining: 150 });
    expect(segmentsOf(text + 'c', { ...zenvia, cutsAtSpaces: false })).toMatchObject({ segments: 2 });
  });

  test('never takes more than one segment for what fits one, nor less room than the characters need', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(gsm, zenvia), (text, profile) => {
        const { encoding, characters, segments, remaining } = segmentsOf(text, profile);
        const sizes = encoding === 'GSM-7' ? profile.gsm7 : profile.ucs2;
        if (characters <= sizes.single) expect(segments).toBe(1);
        else expect(segments * sizes.split).toBeGreaterThanOrEqual(characters);
        expect(remaining).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('removeAccents', () => {
  test('puts plain letters in the place of Portuguese ones', () => {
    expect(removeAccents('Olá João, sua ação nº 3 na 2ª seção não está concluída', gsm)).toBe(
      'Ola Joao, sua acao no 3 na 2a secao nao esta concluida',
    );
  });

  test('keeps what the alphabet of the profile holds', () => {
    expect(removeAccents('É você, à noite? ~[€]', gsm)).toBe('É voce, à noite? ~[€]');
    expect(removeAccents('É você, à noite?', zenvia)).toBe('E voce, a noite?');
    expect(removeAccents('straße ñandú', zenvia)).toBe('strasse nandu');
  });

  test('replaces typographic quotes, dashes, dots, spaces and fractions', () => {
    expect(removeAccents('“Só hoje” – ‘já’ — fim…\u00a0½\tm² ´`', gsm)).toBe(
      "\"So hoje\" - 'ja' - fim... 1/2 m2 ''",
    );
  });

  test('drops characters that cannot be seen', () => {
    expect(removeAccents('a\u200bb\u00adc\ufeff', gsm)).toBe('abc');
  });

  test('composes letters that came with their accent apart', () => {
    expect(removeAccents('caf\u0065\u0301 na\u0303o', gsm)).toBe('café nao');
    expect(removeAccents('caf\u0065\u0301 na\u0303o', zenvia)).toBe('cafe nao');
    expect(removeAccents('x\u0303', gsm)).toBe('x');
  });

  test('keeps emoji and other scripts, which then force UCS-2', () => {
    expect(removeAccents('Promoção 🎉 中文', gsm)).toBe('Promocao 🎉 中文');
    expect(segmentsOf(removeAccents('Promoção 🎉', gsm), gsm).encoding).toBe('UCS-2');
  });

  test('leaves a text of the alphabet as it is, and a second pass changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(gsm, zenvia), (text, profile) => {
        const once = removeAccents(text, profile);
        if (segmentsOf(text, profile).encoding === 'GSM-7') expect(once).toBe(text);
        expect(removeAccents(once, profile)).toBe(once);
      }),
    );
  });

  test('brings every Latin letter of Windows-1252 into every alphabet', () => {
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
    basic: 'abc ',
    extension: '',
    gsm7: { single: 4, split: 3 },
    ucs2: { single: 2, split: 1 },
    cutsAtSpaces: false,
    maxCharacters: null,
  });
  expect(segmentsOf('abca', strict).segments).toBe(1);
  expect(segmentsOf('abcab', strict).segments).toBe(2);
  expect(removeAccents('ábç', strict)).toBe('abc');
});
