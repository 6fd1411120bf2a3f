import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkExtraValue,
  createContactReader,
  extraField,
  foldName,
  type ExtraField,
} from '../../domain/contact.ts';
import { cleanLines, cleanText } from '../../domain/text.ts';

const raw = { code: '', name: '', mobile: '', phone: '', phone2: '', birthDate: '', customMessage: '' };
const declare = (type: ExtraField['type'], required = false): ExtraField => ({
  name: 'campo',
  type,
  required,
});

describe('extraField', () => {
  test.each(['valor', 'valor_divida', 'x1', 'a'.repeat(40)])('accepts the name %s', (name) => {
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

  test('refuses unknown types and keys', () => {
    expect(extraField.safeParse({ name: 'x', type: 'color', required: false }).success).toBe(false);
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
  test.each(['', 'R$ 10', '1,234.56', '12.34,5', '1.23.456', 'dez', ',5', '1,'])(
    '%j is not a number',
    (value) => {
      expect(checkExtraValue(declare('number'), value)).toBe('number');
    },
  );
  test.each(['sim', 'Não', 'S', 'n', 'TRUE', '0', 'falso'])('%s is a boolean', (value) => {
    expect(checkExtraValue(declare('boolean'), value)).toBeNull();
  });
  test.each(['talvez', '2', ''])('%j is not a boolean', (value) => {
    expect(checkExtraValue(declare('boolean'), value)).toBe('boolean');
  });
  test('checks dates, but not texts', () => {
    expect(checkExtraValue(declare('date'), '31/12/2026')).toBeNull();
    expect(checkExtraValue(declare('date'), '31/02/2026')).toBe('date');
    expect(checkExtraValue(declare('text'), 'qualquer coisa')).toBeNull();
  });
});

describe('cleanText', () => {
  test('replaces control characters and line breaks with a space, and trims', () => {
    expect(cleanText(' Ana\r\nMaria\t\u0000Luz\u2028x ')).toBe('Ana Maria Luz x');
  });
  test('removes characters that change the writing direction, and halves of surrogate pairs', () => {
    expect(cleanText('abc\u202ecba\ud83d\u2069')).toBe('abccba');
    expect(cleanText('Ana 🎉')).toBe('Ana 🎉');
  });
  test('leaves nothing that UTF-8 or PostgreSQL cannot store', () => {
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

describe('a contact', () => {
  const today = '2026-11-29';
  const read = (values: Partial<typeof raw>, extra: readonly string[] = [], fields: ExtraField[] = []) =>
    createContactReader(fields, today)({ ...raw, ...values }, extra);
  const extraOf = (type: ExtraField['type'], value: string) => {
    const { contact, warnings } = read({}, [value], [declare(type)]);
    return warnings.length > 0 ? warnings.map(({ code }) => code) : contact.extra.campo;
  };

  test('has cleaned values and a parsed birth date', () => {
    expect(
      read(
        {
          code: ' 42 ',
          name: 'Ana\nLuz',
          mobile: ' (11) 98765-4321',
          birthDate: '12/03/80',
          customMessage: 'Oi\r\nAna',
        },
        [' 1.234,56 '],
        [declare('number')],
      ),
    ).toEqual({
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
      warnings: [],
    });
    expect(read({})).toEqual({ contact: { ...raw, extra: {} }, warnings: [] });
  });

  test.each([
    [{ code: 'x'.repeat(61) }, 'value_too_long', 'codigo'],
    [{ code: '1,23457E+11' }, 'value_damaged', 'codigo'],
    [{ name: 'x'.repeat(121) }, 'value_too_long', 'nome'],
    [{ name: 'Jo\ufffdo' }, 'value_damaged', 'nome'],
    [{ name: '=PROCV(A2;B:C;2)' }, 'value_damaged', 'nome'],
    [{ customMessage: 'Olá undefined' }, 'value_damaged', 'mensagem'],
    [{ customMessage: 'Sua conta de R$ #N/D vence' }, 'value_damaged', 'mensagem'],
    [{ customMessage: 'Olá [object Object]!' }, 'value_damaged', 'mensagem'],
    [{ birthDate: '31/02/1980' }, 'value_invalid', 'data_nascimento'],
    [{ birthDate: '2030-01-01' }, 'value_invalid', 'data_nascimento'],
  ] as const)('drops a value that cannot be read, and keeps it in a warning (%#)', (values, code, column) => {
    const { contact, warnings } = read(values);
    expect(contact).toEqual({ ...raw, extra: {} });
    expect(warnings).toMatchObject([{ code, params: { column } }]);
    expect(warnings[0]?.value.slice(0, 5)).toBe(Object.values(values)[0]?.slice(0, 5));
    expect(warnings[0]?.value.length).toBeLessThanOrEqual(61);
  });

  test('has its extra values in the form that a message shows', () => {
    for (const [type, value, text] of [
      ['date', '2026-12-31', '31/12/2026'],
      ['date', '46387', '31/12/2026'],
      ['date', '00/00/0000', ''],
      ['date', 'amanhã', ['value_invalid']],
      ['money', '1234.5', '1.234,50'],
      ['money', 'R$ 1.234,56', '1.234,56'],
      ['money', '-99,9', '-99,90'],
      ['money', '1,234', ['value_invalid']],
      ['money', '1,234.56', '1.234,56'],
      ['money', '1,234,567', '1.234.567,00'],
      ['money', 'R$\u00a01\u00a0234,56', '1.234,56'],
      ['money', '(99,90)', '-99,90'],
      ['money', 'R$ (1.234,56)', '-1.234,56'],
      ['money', '\u221210', '-10,00'],
      ['money', '99,90 R$', '99,90'],
      ['money', '１２,５', '12,50'],
      ['money', '10 20', ['value_invalid']],
      ['money', '12 34,56', ['value_invalid']],
      ['money', 'US$ 10', ['value_invalid']],
      ['money', '=SOMA(A1:A2)', ['value_damaged']],
      ['number', '99.90', '99.90'],
      ['number', 'dez', ['value_invalid']],
      ['boolean', 'true', 'sim'],
      ['boolean', 'talvez', ['value_invalid']],
      ['text', '0012', '0012'],
      ['text', '1,23457E+11', ['value_damaged']],
      ['text', '5.511987654321E12', '5511987654321'],
      ['text', '#N/D', ''],
      ['text', 'x'.repeat(501), ['value_too_long']],
    ] as const)
      expect(extraOf(type, value), `${type} ${value}`).toEqual(text);
  });

  test('has a name only if the value is not a placeholder for an unknown name', () => {
    for (const [name, text] of [
      ['NÃO INFORMADO', ''],
      ['Sem nome', ''],
      ['Consumidor Final', ''],
      ['CLIENTE NAO IDENTIFICADO', ''],
      ['DESCONHECIDO', ''],
      ['xxx', ''],
      ['null null', ''],
      ['Ana null', 'Ana'],
      ['undefined Silva', 'Silva'],
      ['Nullo Consumidora', 'Nullo Consumidora'],
      ...[
        ...['Cliente', 'VENDA A VISTA', 'a definir', 'NA', 'nd', 's/n', 's/ nome', 'nil', 'Nenhum', 'true'],
        ...['0', '000', 'x', '[]', '#N/A N/A', '{{nome}}', '%NOME%', '*|FNAME|*', '[FIRST_NAME]'],
      ].map((word) => [word, ''] as const),
      ['Ana%20Maria', 'Ana Maria'],
      ['Jos%E9', 'José'],
      ['Na Li', 'Na Li'],
      ['99 Taxi', '99 Taxi'],
      ['Ed', 'Ed'],
      ['Xu', 'Xu'],
    ] as const)
      expect(read({ name }), name).toMatchObject({ contact: { name: text }, warnings: [] });
  });

  test.each(['JO?O', 'Concei??o', 'Jo¿o', 'Joï¿½o', 'JoÆo', 'Concei‡Æo', 'Concei√ß√£o'])(
    'has no name if the name lost characters: %s',
    (name) => {
      const { contact, warnings } = read({ name });
      expect(contact.name).toBe('');
      expect(warnings.map(({ code }) => code)).toEqual(['value_damaged']);
    },
  );

  test.each([
    ...['#N/D', 'NULL', 'null', 'undefined', 'NaN', 'false', '0', '0.0', '-', ' ', '[]'],
    ...['0,00', 'Não', 's', 'X', '1'],
  ])('has no custom message if the value is %j', (customMessage) => {
    expect(read({ customMessage }).contact.customMessage).toBe('');
  });

  test('has values that can be shown, whatever its cells contain', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('#N/D', '="1"', "'=1", 'JoÃ£o', '&nbsp;', '<br>', '1E5', '31/12/80', '-', '99.90'),
      fc.tuple(fc.constantFrom('="', "'", '&', '<p>', 'Ã'), fc.string()).map((parts) => parts.join('')),
    );
    const types = ['text', 'number', 'money', 'date', 'boolean'] as const;
    const fields = types.map((type) => ({ name: type, type, required: false }));
    const values = fc.record({
      code: cell,
      name: cell,
      mobile: cell,
      phone: cell,
      phone2: cell,
      birthDate: cell,
      customMessage: cell,
    });
    fc.assert(
      fc.property(values, fc.array(cell, { maxLength: 5 }), (values, cells) => {
        const { contact, warnings } = read(values, cells, fields);
        const { extra, ...own } = contact;
        for (const value of [...Object.values<string>(own), ...Object.values(extra)]) {
          expect(value).toBe(value.normalize('NFC').trim());
          expect(value).not.toMatch(/^#N\/D$|^="[^"]*"$|(?!\n)\p{Cc}|\ufffd/u);
        }
        expect(contact.birthDate).toMatch(/^(?:|\d{4}-\d\d-\d\d)$/);
        expect(extra.money).toMatch(/^(?:|-?\d{1,3}(?:\.\d{3})*,\d\d)$/);
        expect(extra.date).toMatch(/^(?:|\d\d\/\d\d\/\d{4})$/);
        for (const { value } of warnings) expect(value.length).toBeLessThanOrEqual(61);
      }),
      { numRuns: 2_000 },
    );
  });
});
