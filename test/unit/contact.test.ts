import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkExtraValue,
  cleanLines,
  cleanText,
  extraField,
  foldName,
  readBirthDate,
  readContact,
  readDate,
  type ExtraField,
} from '../../domain/contact.ts';

const raw = { code: '', name: '', mobile: '', phone: '', phone2: '', birthDate: '', customMessage: '' };
const declare = (type: ExtraField['type'], required = false): ExtraField => ({
  name: 'campo',
  type,
  required,
});

describe('extraField', () => {
  test.each(['valor', 'valor_divida', 'x1', 'a'.repeat(40)])('takes the name %s', (name) => {
    expect(extraField.safeParse({ name, type: 'text', required: false }).success).toBe(true);
  });

  test.each([
    '',
    '1x',
    '_x',
    'Valor',
    'dívida',
    'valor da divida',
    'a;b',
    '{x}',
    'a'.repeat(41),
    'nome',
    'name',
    'celular',
    'birth_date',
    'mensagem',
    'constructor',
    '__proto__',
  ])('refuses the name %j', (name) => {
    expect(extraField.safeParse({ name, type: 'text', required: false }).success).toBe(false);
  });

  test('refuses what it does not know', () => {
    expect(extraField.safeParse({ name: 'x', type: 'money', required: false }).success).toBe(false);
    expect(extraField.safeParse({ name: 'x', type: 'text', required: false, more: 1 }).success).toBe(false);
  });
});

describe('checkExtraValue', () => {
  test.each(['0', '1234', '-5', '1234,56', '1.234,56', '1.234.567', '1234.56', '+1,5'])(
    '%s is a number',
    (value) => {
      expect(checkExtraValue(declare('number'), value)).toBeNull();
    },
  );
  test.each(['', 'R$ 10', '1,234.56', '12.34,5', '1.23.456', '1e3', 'dez', ',5', '1,'])(
    '%j is no number',
    (value) => {
      expect(checkExtraValue(declare('number'), value)).toContain('is no number');
    },
  );
  test.each(['sim', 'Não', 'S', 'n', 'TRUE', '0', 'falso'])('%s is a boolean', (value) => {
    expect(checkExtraValue(declare('boolean'), value)).toBeNull();
  });
  test.each(['talvez', '2', ''])('%j is no boolean', (value) => {
    expect(checkExtraValue(declare('boolean'), value)).toContain('neither yes nor no');
  });
  test('dates are checked, texts are not', () => {
    expect(checkExtraValue(declare('date'), '31/12/2026')).toBeNull();
    expect(checkExtraValue(declare('date'), '31/02/2026')).toContain('is no date');
    expect(checkExtraValue(declare('text'), 'qualquer coisa')).toBeNull();
  });
});

describe('readDate', () => {
  test.each([
    ['12/03/1980', '1980-03-12'],
    ['1/3/1980', '1980-03-01'],
    ['12-03-1980', '1980-03-12'],
    ['12.03.1980', '1980-03-12'],
    ['1980-03-12', '1980-03-12'],
    ['1980/3/12', '1980-03-12'],
    ['12/03/1980 00:00:00', '1980-03-12'],
    ['1980-03-12T00:00:00.000Z', '1980-03-12'],
    ['29/02/2000', '2000-02-29'],
  ])('reads %s as %s', (value, iso) => {
    expect(readDate(value)).toBe(iso);
  });

  test.each([
    '29/02/1900',
    '31/04/2000',
    '12/13/1980',
    '00/01/1980',
    '12/03/80',
    '12/03-1980',
    '12031980',
    '29292',
    '12/03/0180',
    'ontem',
    '12/03/1980 x',
    '',
  ])('%j is no date', (value) => {
    expect(readDate(value)).toBeUndefined();
  });

  test('gives back every day of Date as it was', () => {
    const days = fc.date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(days, (date) => {
        const iso = date.toISOString().slice(0, 10);
        expect(readDate(iso)).toBe(iso);
        expect(readDate(iso.split('-').reverse().join('/'))).toBe(iso);
      }),
    );
  });

  test('a birth date of zeros means none', () => {
    expect(readBirthDate('00/00/0000')).toBe('');
    expect(readBirthDate('0000-00-00')).toBe('');
    expect(readBirthDate('0')).toBe('');
    expect(readBirthDate('01/01/1990')).toBe('1990-01-01');
    expect(readBirthDate('x')).toBeUndefined();
  });
});

describe('cleanText', () => {
  test('puts a space for control characters and line breaks, and trims', () => {
    expect(cleanText(' Ana\r\nMaria\t\u0000Luz\u2028x ')).toBe('Ana Maria Luz x');
  });
  test('takes out what turns the direction of writing, and halves of surrogate pairs', () => {
    expect(cleanText('abc\u202ecba\ud83d\u2069')).toBe('abccba');
    expect(cleanText('Ana 🎉')).toBe('Ana 🎉');
  });
  test('leaves nothing that UTF-8 or PostgreSQL cannot hold', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          const clean = cleanText(text);
          expect(Buffer.from(clean, 'utf8').toString('utf8')).toBe(clean);
          expect(clean).not.toMatch(/\p{Cc}/u);
          expect(cleanText(clean)).toBe(clean);
          expect(cleanLines(cleanLines(text))).toBe(cleanLines(text));
        },
      ),
    );
  });
  test('cleanLines keeps line breaks', () => {
    expect(cleanLines(' Olá\r\nAna\u0007 \n\n tchau ')).toBe('Olá\nAna\n\ntchau');
  });
});

test('foldName ignores case, accents and surrounding spaces', () => {
  expect(foldName(' CÓDIGO ')).toBe('codigo');
  expect(foldName('co\u0301digo')).toBe('codigo');
});

describe('readContact', () => {
  test('cleans the values and reads the birth date', () => {
    const result = readContact(
      {
        ...raw,
        code: ' 42 ',
        name: 'Ana\nLuz',
        mobile: ' (11) 98765-4321',
        birthDate: '12/03/1980',
        customMessage: 'Oi\r\nAna',
      },
      [' 1.234,56 '],
      [declare('number')],
    );
    expect(result).toEqual({
      ok: true,
      contact: {
        code: '42',
        name: 'Ana Luz',
        mobile: '(11) 98765-4321',
        phone: '',
        phone2: '',
        birthDate: '1980-03-12',
        customMessage: 'Oi\nAna',
        extra: { campo: '1.234,56' },
      },
    });
  });

  test('a record without any value is a contact without any value', () => {
    expect(readContact(raw, [], [])).toEqual({ ok: true, contact: { ...raw, extra: {} } });
    expect(readContact(raw, [''], [declare('date')])).toMatchObject({
      ok: true,
      contact: { extra: { campo: '' } },
    });
  });

  test.each([
    [{ ...raw, code: 'x'.repeat(61) }, [], [], 'value_too_long', 'codigo'],
    [{ ...raw, name: 'x'.repeat(121) }, [], [], 'value_too_long', 'nome'],
    [{ ...raw, customMessage: 'x'.repeat(1601) }, [], [], 'value_too_long', 'mensagem'],
    [{ ...raw, birthDate: '31/02/1980' }, [], [], 'value_invalid', 'data_nascimento'],
    [raw, ['x'.repeat(501)], [declare('text')], 'value_too_long', 'campo'],
    [raw, ['dez'], [declare('number')], 'value_invalid', 'campo'],
    [raw, [' '], [declare('text', true)], 'value_missing', 'campo'],
    [raw, [], [declare('text', true)], 'value_missing', 'campo'],
  ] as const)('names the column that is wrong (%#)', (values, extra, fields, code, column) => {
    expect(readContact(values, extra, fields)).toMatchObject({ ok: false, problem: { code, column } });
  });

  test('never puts the value into the problem', () => {
    const result = readContact({ ...raw, birthDate: 'segredo' }, [], []);
    expect(JSON.stringify(result)).not.toContain('segredo');
  });
});
