import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isDamaged,
  isFormula,
  isNothing,
  isScientific,
  readText,
  readTextLines,
  repairMojibake,
  unwrap,
  withoutEscapes,
  withoutHtml,
} from '../../domain/text.ts';

describe('a word for an empty value', () => {
  test.each(
    '#N/D #N/A #VALOR! #VALUE! #REF! #NOME? #DIV/0! #NÚM! ######## NULL null Null (null) None undefined NaN <NA> N/A n/d \\N - -- — ... ??? [object Object]'
      .split(' ')
      .concat([
        '',
        '   ',
        'Invalid Date',
        '[object Object]',
        'null null',
        'undefined, undefined',
        '(Em branco)',
      ])
      .concat('#N/DISP #VALOR #REF Err:502 Loading... n/i # <none>'.split(' '))
      .filter((word) => word !== '[object' && word !== 'Object]'),
  )('%j is empty', (word) => {
    expect(isNothing(word)).toBe(true);
  });

  test.each(['Nil', 'Nada', 'Ana', '0', '-77', '@loja', 'Nullo', 'A', '#1', 'N', '1-2'])(
    '%j is not empty',
    (word) => {
      expect(isNothing(word)).toBe(false);
    },
  );
});

describe('the wrapping of a value', () => {
  test.each([
    ['="00123"', '00123'],
    ['="diz ""oi"""', 'diz "oi"'],
    ["'00123", '00123'],
    ["'=1+1", '=1+1'],
    ["'-77", '-77'],
    ["'@loja", '@loja'],
  ])('is removed from %s: %s', (text, value) => {
    expect(unwrap(text)).toBe(value);
  });

  test.each(["D'Ávila", "'Zé'", '="a"&"b"', '=A1'])('is not found in %s', (text) => {
    expect(unwrap(text)).toBe(text);
  });
});

describe('HTML', () => {
  test.each([
    ['Jo&atilde;o', 'João'],
    ['Jo&#227;o &#xe9;', 'João é'],
    ['&amp;eacute;', 'é'],
    ['R&amp;D', 'R&D'],
    ['<b>Oi</b>, <i class="x">Ana</i>', 'Oi, Ana'],
    ['Oi<br>tudo<br/>bem', 'Oi\ntudo\nbem'],
    ['<p>Oi</p><p>Tchau</p>', 'Oi\nTchau\n'],
    ['&lt;b&gt;Oi&lt;/b&gt;', 'Oi'],
    ['<style>p{color:red}</style>Oi<!-- nada -->', 'Oi'],
  ])('in %s is converted to %j', (text, plain) => {
    expect(withoutHtml(text)).toBe(plain);
  });

  test.each(['a < b > c', 'R&D', 'Tom & Jerry', 'amo <3', 'Oi <nome>', 'A&B; C'])(
    'is not found in %s',
    (text) => {
      expect(withoutHtml(text)).toBe(text);
    },
  );
});

describe('the escapes', () => {
  test.each([
    [String.raw`Jo\u00e3o`, 'João'],
    ['Jo%C3%A3o%20Silva', 'João Silva'],
    ['Jo%C3%A3o+Silva', 'João Silva'],
    ['Jo=C3=A3o', 'João'],
    ['Jo%C3%A3o, 100%', 'João, 100%'],
  ])('in %s are decoded to %s', (text, plain) => {
    expect(withoutEscapes(text)).toBe(plain);
  });
  test.each(['100% ok', '50%20', 'a=C3', String.raw`C:\users`, '%C3', 'x=1'])(
    'are not found in %s',
    (text) => {
      expect(withoutEscapes(text)).toBe(text);
    },
  );
});

test.each([
  ['<![CDATA[Ana & Rui]]>', 'Ana & Rui'],
  ['Ana\u200e\u200f\u061c', 'Ana'],
  ['Ａｎａ', 'Ana'],
  ['𝐀𝐧𝐚', 'Ana'],
  ['So\ufb01a', 'Sofia'],
  [String.raw`\u003cb\u003eOi\u003c/b\u003e`, 'Oi'],
])('%s is read as %s', (raw, text) => {
  expect(readText(raw)).toBe(text);
});

test('an escaped line break is decoded, but not one in a path', () => {
  expect(readTextLines(String.raw`Olá\nAna\r\ntchau`)).toBe('Olá\nAna\ntchau');
  expect(readTextLines(String.raw`Olá c:\notas`)).toBe(String.raw`Olá c:\notas`);
});

test('a formula is recognized, and a code that starts like one is not', () => {
  for (const text of [
    '=PROCV(A2;B:C;2;0)',
    '=A1',
    '=A1&" "&B1',
    '=SE($B$2>1;"x";"y")',
    '=-A1',
    "='Plan 1'!A2",
  ])
    expect(isFormula(text), text).toBe(true);
  for (const text of ['=1+1', '="00123"', '="a"&"b"', '=', '= Ana', 'A1', '=abc', '==A'])
    expect(isFormula(text), text).toBe(false);
});

describe('UTF-8 that was read as Latin-1', () => {
  const asLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

  test.each([
    ['JoÃ£o', 'João'],
    ['CONCEIÃ‡ÃƒO', 'CONCEIÇÃO'],
    ['JoÃƒÂ£o', 'João'],
    ['â€œoiâ€\u009d', '“oi”'],
    ['NÂº 5, 25Â°C', 'Nº 5, 25°C'],
    ['Ã“TIMO', 'ÓTIMO'],
    ['CAMÃ•ES', 'CAMÕES'],
    ['ESPAÃ‘A', 'ESPAÑA'],
    ['custa 10 â‚¬', 'custa 10 €'],
    ['JoaÌƒo', 'Joa\u0303o'],
    ['ðŸ˜€ Oi', '😀 Oi'],
    ['â\u009d¤ï¸\u008f', '❤️'],
  ])('%s is repaired to %s', (text, repaired) => {
    expect(repairMojibake(text)).toBe(repaired);
  });

  test('any name with an accent is repaired, also when it was misread twice', () => {
    const names = fc
      .string({
        unit: fc.constantFrom(...Array.from('aeioãõçéêíóúâàÁÉÍÓÚÃÕÇ ')),
        minLength: 1,
        maxLength: 30,
      })
      .filter((name) => /[^\0-\x7f]/.test(name));
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 2 }), (name, times) => {
        let text = name;
        for (let i = 0; i < times; i++) text = asLatin1(text);
        expect(repairMojibake(text)).toBe(name);
      }),
    );
  });

  const lower = Array.from('abcdefghijklmnopqrstuvwxyzãõçéêíóúâàáñüßøåäöîôûìîðï');
  const letters = fc.string({ unit: fc.constantFrom(...lower), minLength: 2, maxLength: 8 });
  const word = fc.oneof(
    letters,
    letters.map((text) => text.charAt(0).toUpperCase() + text.slice(1)),
    // No word in capitals ends in Â, because `NÂº` means Nº.
    letters.map((text) => text.toUpperCase()).filter((text) => !text.endsWith('Â')),
  );
  const mark = fc.constantFrom(
    ' ',
    '\u00a0',
    ' – ',
    '–',
    '—',
    '…',
    '”, ',
    '’',
    '’ ',
    '” ',
    ' “',
    ' ‘',
    'ª ',
    'º ',
    '™ ',
  );

  test('a text in any European language is not changed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, mark), { maxLength: 6 }), (words) => {
        const text = words.flat().join('');
        expect(repairMojibake(text)).toBe(text);
        expect(isDamaged(text)).toBe(false);
      }),
    );
  });

  test.each(['ã”’', 'â“”', 'IRMÃ”', 'IRMÃ\u00a0ANA', 'MANHÃ–TARDE', 'COSÌ”', 'é’’', 'Ã'])(
    '%s is not changed',
    (text) => {
      expect(repairMojibake(text)).toBe(text);
      expect(isDamaged(text)).toBe(false);
    },
  );

  test('a text that cannot be repaired is reported as damaged', () => {
    expect(isDamaged('Jo\ufffdo')).toBe(true);
    expect(isDamaged('Joï¿½o')).toBe(true);
    expect(isDamaged('Jo¿o')).toBe(true);
    expect(isDamaged('¿Ana?')).toBe(false);
    const half = 'JoÃ£o Ş';
    expect(repairMojibake(half)).toBe(half);
    expect(isDamaged(half)).toBe(true);
  });
});

test('a number in scientific notation is recognized', () => {
  for (const text of ['1.23457E+11', '5,5119E+12', '1e5']) expect(isScientific(text)).toBe(true);
  for (const text of ['123', '1E', 'E5', '12E34A']) expect(isScientific(text)).toBe(false);
});
