import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Contact, type ExtraField } from '../../domain/contact.ts';
import { readText, readTextLines } from '../../domain/text.ts';
import { MailingRefused, readCsv, type CsvLimits } from '../../mailing/csv.ts';
import type { MailingRecord } from '../../mailing/record.ts';
import { csvLayoutExample, layoutColumns } from '../../mailing/layout.ts';

const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';
const valor: ExtraField = { name: 'valor', type: 'number', required: false };

type File = string | Uint8Array | AsyncIterable<Uint8Array>;

async function* chunksOf(file: File, size = Infinity): AsyncGenerator<Uint8Array> {
  if (typeof file !== 'string' && !(file instanceof Uint8Array)) {
    yield* file;
    return;
  }
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const today = '2026-11-29';

interface Options {
  extraFields?: readonly ExtraField[];
  limits?: Partial<CsvLimits>;
  chunk?: number;
}

async function read(file: File, { extraFields = [], limits, chunk }: Options = {}) {
  const records: MailingRecord[] = [];
  for await (const batch of readCsv(chunksOf(file, chunk), {
    extraFields,
    today,
    ...(limits && { limits }),
  })) {
    records.push(...batch);
  }
  return records;
}

async function refusal(file: File, options: Options = {}): Promise<MailingRefused> {
  const error: unknown = await read(file, options).then(
    () => new Error('was read'),
    (error: unknown) => error,
  );
  if (error instanceof MailingRefused) return error;
  throw error;
}

const contact: Contact = {
  code: '',
  name: '',
  mobile: '',
  phone: '',
  phone2: '',
  birthDate: '',
  customMessage: '',
  extra: {},
};

const lines = (...lines: string[]): string => [header, ...lines, ''].join('\n');
const fates = (records: MailingRecord[]) =>
  records.map((record) => [record.line, record.ok ? record.contact.name : record.problem.code]);

describe('a mailing', () => {
  test('becomes contacts', async () => {
    expect(await read(lines('1;João;(11) 98765-4321;1134567890;;12/03/1980;Oi'))).toEqual([
      {
        line: 2,
        ok: true,
        contact: {
          code: '1',
          name: 'João',
          mobile: '(11) 98765-4321',
          phone: '1134567890',
          phone2: '',
          birthDate: '1980-03-12',
          customMessage: 'Oi',
          extra: {},
        },
        warnings: [],
      },
    ]);
  });

  test.each([
    ['commas', 'codigo,nome,celular,telefone,telefone2,data_nascimento,mensagem\n1,Ana,2,,,,\n'],
    ['English names', 'code;name;mobile;phone;phone2;birth_date;message\n1;Ana;2;;;;\n'],
    [
      'other case, accents and spaces',
      ' Código ;NOME;celular;Telefone;telefone2;Data_Nascimento;mensagem\n1;Ana;2;;;;\n',
    ],
    [
      'quoted names',
      '"codigo";"nome";"celular";"telefone";"telefone2";"data_nascimento";"mensagem"\n1;Ana;2;;;;\n',
    ],
    ['another order', 'nome;codigo;celular;mensagem;telefone;telefone2;data_nascimento\nAna;1;2;;;;\n'],
    ['\\r\\n', `${header}\r\n1;Ana;2;;;;\r\n`],
    ['no newline at the end', `${header}\n1;Ana;2;;;;`],
    ['a byte order mark', `\ufeff${header}\n1;Ana;2;;;;\n`],
    ['blank lines before the header', `\n\r\n ;\n${header}\n1;Ana;2;;;;\n`],
    ['tabs', `${header}\n1;Ana;2;;;;\n`.replaceAll(';', '\t')],
    ['bars', `${header}\n1;Ana;2;;;;\n`.replaceAll(';', '|')],
    ['a line that says the separator', `sep=;\r\n${header}\r\n1;Ana;2;;;;\r\n`],
    ['a line that says a tab', `sep=\t\n${header}\n1;Ana;2;;;;\n`.replaceAll(';', '\t')],
    ['a quoted line that says the separator, padded', `"sep=;";;;;;;\n${header}\n1;Ana;2;;;;\n`],
    [
      'a line that says another separator than the program that saved it has used',
      `sep=;,,,,,,\n${header}\n1;Ana;2;;;;\n`.replaceAll(/;(?!,)/g, ','),
    ],
    ['a comma behind the last column', `${header},\n1;Ana;2;;;;,\n`],
    ['lines that are quoted as a whole', `${header}\n"1;Ana;2;;;;"\n`],
    ['a header and lines that are quoted as a whole', `"${header}"\n"1;""Ana"";2;;;;"\n`],
    ['columns without a name', `${header};;\n1;Ana;2;;;;;;\n`],
    ['cells beyond the last column that are empty', `${header}\n1;Ana;2;;;;;;;\n`],
    ['cells missing at the end', `${header}\n1;Ana;2\n`],
    [
      'a header over two lines',
      `codigo;nome;celular;"\ntelefone";telefone2;data_nascimento;mensagem\n1;Ana;2\n`,
    ],
  ])('is read with %s', async (_, file) => {
    const [record] = await read(file);
    expect(record).toMatchObject({ ok: true, contact: { ...contact, code: '1', name: 'Ana', mobile: '2' } });
  });

  test('carries the declared extra fields', async () => {
    const [good, bad] = await read(`${header};Valor\n1;;;;;;;1.234,56\n2;;;;;;;dez\n`, {
      extraFields: [valor],
    });
    expect(good).toMatchObject({ ok: true, contact: { code: '1', extra: { valor: '1.234,56' } } });
    expect(bad).toMatchObject({
      line: 3,
      ok: true,
      contact: { extra: { valor: '' } },
      warnings: [{ code: 'value_invalid', params: { column: 'valor', expected: 'number' } }],
    });
  });

  test('comes in batches', async () => {
    const sizes: number[] = [];
    const file = lines(...Array.from({ length: 7 }, (_, i) => `${i};Ana;;;;;`));
    for await (const batch of readCsv(chunksOf(file), { extraFields: [], today, limits: { batchSize: 3 } })) {
      sizes.push(batch.length);
    }
    expect(sizes).toEqual([3, 3, 1]);
  });

  test('has true line numbers after blank lines and line breaks in quotes', async () => {
    const file = lines(
      '1;Ana;;;;;',
      '',
      '2;Bia;;;;;"Oi',
      '',
      'Bia"',
      ';;;;;;',
      '  ',
      '3;Caio;;;;;',
      '4;Davi',
    );
    const records = await read(file);
    expect(fates(records)).toEqual([
      [2, 'Ana'],
      [4, 'Bia'],
      [9, 'Caio'],
      [10, 'Davi'],
    ]);
    expect(records[1]).toMatchObject({ contact: { customMessage: 'Oi\n\nBia' } });
  });

  test('reads quotes as RFC 4180 has them, and a quote inside a value as a character', async () => {
    const records = await read(
      lines(
        '1;"Silva; Ana";;;;;',
        '2;"Ana ""Aninha"" Luz";;;;;',
        '3;Ana "Aninha" Luz;;;;;',
        '4;"";"";"";"";"";""',
      ),
    );
    expect(fates(records)).toEqual([
      [2, 'Silva; Ana'],
      [3, 'Ana "Aninha" Luz'],
      [4, 'Ana "Aninha" Luz'],
      [5, ''],
    ]);
  });

  test('has no contact in a header that comes again', async () => {
    const file = `\ufeff${header}\n1;Ana;;;;;\n\ufeff${header}\r\n2;Bia;;;;;\n"codigo";"nome";celular;telefone;telefone2;data_nascimento;mensagem\n`;
    expect(fates(await read(file))).toEqual([
      [2, 'Ana'],
      [4, 'Bia'],
    ]);
  });

  test('keeps a name with a comma of a line that is quoted as a whole', async () => {
    expect(fates(await read(`${header}\n1;Bia;;;;;\n"2;Silva, Ana;11987654321;;;;"\n`))).toEqual([
      [2, 'Bia'],
      [3, 'Silva, Ana'],
    ]);
  });

  test('keeps going after a bad line', async () => {
    const records = await read(
      lines(
        '2;Ana;;;;;;x',
        `3;${'x'.repeat(121)};;;;;`,
        '4;"Ana"x;;;;;',
        '5;;;;;31/02/1980;',
        '6;"Silva; Ana;;;;;',
        '7;"Bia;119;;;;',
        '8;Caio;;;;;',
        '9;"Davi";;;;;',
        '10;TV 32";;;;;',
        '11;"Oi',
      ),
    );
    expect(fates(records)).toEqual([
      [2, 'column_count'],
      [3, ''],
      [4, 'Anax'],
      [5, ''],
      [6, 'quote_misplaced'],
      [7, 'Bia'],
      [8, 'Caio'],
      [9, 'Davi'],
      [10, 'TV 32"'],
      [11, 'quote_misplaced'],
    ]);
    expect(records.map((record) => record.ok && record.warnings.map(({ code }) => code))).toEqual([
      false,
      ['value_too_long'],
      ['quote_misplaced'],
      ['value_invalid'],
      false,
      ['quote_misplaced'],
      [],
      [],
      [],
      false,
    ]);
  });

  test('takes no line for a part of another', async () => {
    const records = await read(
      lines('1;"Ana;;;;;', '2;Bia;;;;;', '3;Caio";;;;;', '4;"Davi;;;;;"Oi', 'Davi";', '5;Eva;;;;;'),
    );
    expect(fates(records)).toEqual([
      [2, 'Ana'],
      [3, 'Bia'],
      [4, 'Caio"'],
      [5, 'Davi'],
      [6, ''],
      [7, 'Eva'],
    ]);
  });
});

describe('the encoding', () => {
  const windows1252 = (text: string) =>
    Buffer.from(text.replaceAll('€', '\x80').replaceAll('’', '\x92').replaceAll('Š', '\x8a'), 'latin1');

  test('is found to be Windows-1252, with its own characters', async () => {
    expect(fates(await read(windows1252(lines('1;João D’Ávila Š €;;;;;'))))).toEqual([
      [2, 'João D’Ávila Š €'],
    ]);
  });

  test('is decided by the first line that is not ASCII, however late it comes', async () => {
    const ascii = lines(...Array.from({ length: 5_000 }, (_, i) => `${i};Ana;;;;;`));
    for (const last of [Buffer.from('x;João;;;;;\n'), windows1252('x;João;;;;;\n')]) {
      for (const chunk of [1, 4096, Infinity]) {
        const records = await read(Buffer.concat([Buffer.from(ascii), last]), { chunk });
        expect(records).toHaveLength(5_001);
        expect(records.at(-1)).toMatchObject({ line: 5_002, ok: true, contact: { name: 'João' } });
      }
    }
  });

  test('of a line may be another than that of the file: files were put one behind the other', async () => {
    const jose = windows1252('3;José;;;;;\n');
    const names = ['João', 'Ana', 'José'];
    for (const [file, expected] of [
      [Buffer.concat([Buffer.from(lines('1;João;;;;;', '2;Ana;;;;;')), jose]), names],
      [Buffer.concat([windows1252(lines('1;João;;;;;', '2;Ana;;;;;')), Buffer.from('3;José;;;;;')]), names],
      [Buffer.concat([Buffer.from('\ufeff'), windows1252(lines('1;José;;;;;'))]), ['José']],
      [
        Buffer.concat([
          Buffer.from(`${header}\n`),
          jose,
          Buffer.from('1;João;;;;;\n2;Conceição;;;;;\n4;Luís;;;;;'),
        ]),
        ['José', 'João', 'Conceição', 'Luís'],
      ],
    ] as const) {
      for (const chunk of [1, 7, Infinity])
        expect(fates(await read(file, { chunk })).map(([, name]) => name)).toEqual(expected);
    }
  });

  test('of UTF-8 with a byte that is wrong costs its value, and neither its line nor the file', async () => {
    const file = Buffer.from(
      lines('1;João;11987654321;;;;Olá', '2;Conceição;11987654322;;;;Olá', '3;Zé;1;;;;'),
    );
    file[file.indexOf('Conceição') + 7] = 0x20;
    for (const chunk of [1, 7, Infinity]) {
      const records = await read(file, { chunk });
      expect(fates(records).map(([, name]) => name)).toEqual(['João', '', 'Zé']);
      expect(records[1]).toMatchObject({
        contact: { code: '2', mobile: '11987654322', customMessage: 'Olá' },
        warnings: [{ code: 'value_damaged', params: { column: 'nome', damage: 'encoding' } }],
      });
    }
  });

  test('that has bytes Windows-1252 does not know is refused', async () => {
    expect(await refusal(Buffer.from(lines('1;Ana;;;;;', '2;\x81;;;;;'), 'latin1'))).toMatchObject({
      code: 'encoding_unknown',
      line: 3,
    });
  });

  test.each([
    ['little-endian', Buffer.from(`\ufeff${lines('1;João 🎉;;;;;')}`, 'utf16le')],
    ['big-endian', Buffer.from(`\ufeff${lines('1;João 🎉;;;;;')}`, 'utf16le').swap16()],
    ['little-endian, without its mark', Buffer.from(lines('1;João 🎉;;;;;'), 'utf16le')],
    ['big-endian, without its mark', Buffer.from(lines('1;João 🎉;;;;;'), 'utf16le').swap16()],
  ])('is UTF-16 (%s)', async (_, file) => {
    for (const chunk of [1, 3, Infinity])
      expect(fates(await read(file, { chunk }))).toEqual([[2, 'João 🎉']]);
  });

  const people =
    'João Conceição Araújo Antônio José Júnior Luís Mônica Patrícia Fátima Lúcia Irmã Avô Itaú Três Ângela Érica Ínês Óscar ação às';
  const codePages = {
    'Mac Roman': {
      á: 0x87,
      à: 0x88,
      â: 0x89,
      ã: 0x8b,
      ç: 0x8d,
      é: 0x8e,
      ê: 0x90,
      í: 0x92,
      ó: 0x97,
      ô: 0x99,
      õ: 0x9b,
      ú: 0x9c,
      É: 0x83,
      Â: 0xe5,
      Í: 0xea,
      Ó: 0xee,
    },
    'DOS (CP850)': {
      á: 0xa0,
      à: 0x85,
      â: 0x83,
      ã: 0xc6,
      ç: 0x87,
      é: 0x82,
      ê: 0x88,
      í: 0xa1,
      ó: 0xa2,
      ô: 0x93,
      õ: 0xe4,
      ú: 0xa3,
      É: 0x90,
      Â: 0xb6,
      Í: 0xd6,
      Ó: 0xe0,
    },
  };
  test.each(Object.entries(codePages))('is found to be %s', async (_, codes) => {
    const table = new Map(Object.entries(codes));
    const names = people.split(' ');
    const file = Buffer.from(
      Array.from(
        lines(...names.map((name, index) => `${index};${name};;;;;`)),
        (char) => table.get(char) ?? char.charCodeAt(0),
      ),
    );
    expect(fates(await read(file)).map(([, name]) => name)).toEqual(names);
  });

  test('never gives words that nobody wrote', async () => {
    for (const [, codes] of Object.entries(codePages)) {
      const table = new Map<string, number>(Object.entries(codes));
      for (const name of people.split(' ')) {
        if (!/[^\0-\x7f]/.test(name)) continue;
        const file = Buffer.from(
          Array.from(lines(`1;${name};;;;;`), (char) => table.get(char) ?? char.charCodeAt(0)),
        );
        const found = await read(file).then(
          (records) => fates(records)[0]?.[1],
          (error: unknown) => (error instanceof MailingRefused ? error.code : error),
        );
        expect([name, 'encoding_unknown'], name).toContain(found);
      }
    }
    for (const name of people.split(' ').concat('JOÃO', 'CONCEIÇÃO', 'D’Ávila', 'nº 5')) {
      expect(fates(await read(windows1252(lines(`1;${name};;;;;`)))), name).toEqual([[2, name]]);
    }
  });
});

describe('refused as a whole', () => {
  const other = header.replace('celular', 'whatsapp');

  test.each<[string, string | Uint8Array, Partial<MailingRefused>]>([
    ['nothing', '', { code: 'empty' }],
    ['blank lines only', '\n\n  \n;;;\n', { code: 'empty' }],
    ['a byte order mark only', '\ufeff', { code: 'empty' }],
    ['a header only', `${header}\n\n`, { code: 'no_lines' }],
    ['xlsx', Buffer.from('504b03041400060008000000210000', 'hex'), { code: 'spreadsheet' }],
    ['xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), { code: 'spreadsheet' }],
    ['PDF', '%PDF-1.7\n', { code: 'binary' }],
    ['NUL bytes', lines('1;Ana;;;;;', '2;A\0na;;;;;'), { code: 'binary', line: 3 }],
    ['carriage returns alone', `${header}\r1;Ana;;;;;\r`, { code: 'line_endings', line: 1 }],
    ['no header', '1;Ana;;;;;\n', { code: 'column_missing', line: 1 }],
    ['a missing column', `\n${header.replace(';mensagem', '')}\n`, { code: 'column_missing', line: 2 }],
    ['a renamed column', `${other}\n`, { code: 'column_missing', line: 1, expected: header, found: other }],
    ['an unknown column', `${header};cpf\n`, { code: 'column_unknown', line: 1 }],
    ['a repeated column', `${header};nome\n`, { code: 'column_repeated', line: 1 }],
    ['a column in two languages', `${header};name\n`, { code: 'column_repeated', line: 1 }],
    ['an open quote in the header', `"${header}\n1;Ana;;;;;\n`, { code: 'quote_not_closed', line: 1 }],
  ])('%s', async (_, file, expected) => {
    for (const chunk of [1, 5, Infinity]) expect(await refusal(file, { chunk })).toMatchObject(expected);
  });

  test('names every column that is wrong, and what was expected', async () => {
    const refused = await refusal('codigo;nome;nome;fone\n1;2;3;4\n', { extraFields: [valor] });
    expect(refused.message).toBe(
      'The header in line 1 is not the one of the layout. Missing: celular, telefone, telefone2, data_nascimento, mensagem, ' +
        'valor. Not in the layout: fone. More than once: nome.',
    );
    expect(refused).toMatchObject({ expected: `${header};valor`, found: 'codigo;nome;nome;fone' });
  });

  test('a line longer than the limit, wherever the chunks are cut', async () => {
    const line = (length: number) => `1;;;;;;${'x'.repeat(length - 7)}`;
    for (const chunk of [1, 64, Infinity]) {
      const limits = { lineBytes: 200 };
      expect(await read(lines(line(200)), { limits, chunk })).toHaveLength(1);
      expect(await refusal(lines(line(201)), { limits, chunk })).toMatchObject({
        code: 'line_too_long',
        line: 2,
      });
      expect(await refusal(`${header}\n\n${line(201)}`, { limits, chunk })).toMatchObject({ line: 3 });
    }
  });

  test('but not a quote that stays open longer than the limit', async () => {
    const file = lines('1;;;;;;"', ...Array.from({ length: 100 }, () => 'x'));
    const records = await read(file, { limits: { lineBytes: 150 } });
    expect(records).toHaveLength(101);
    expect(fates(records)[0]).toEqual([2, '']);
  });

  test('ten megabytes without a newline, of which hardly more than the limit is read', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${header}\n`);
      for (; given < 10_000_000; given += 4096) yield Buffer.alloc(4096, 'x');
    }
    expect(await refusal(endless())).toMatchObject({ code: 'line_too_long', line: 2 });
    expect(given).toBeLessThan(200_000);
  });

  test('closes its source', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('not;the;header\n');
        yield Buffer.from('more');
      } finally {
        closed = true;
      }
    }
    expect(await refusal(source())).toMatchObject({ code: 'column_missing' });
    expect(closed).toBe(true);
  });
});

describe('under fast-check', () => {
  const cell = fc.string({
    unit: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'Z', ' ', '1', 'ã', 'é', '€', '🎉') },
      { weight: 1, arbitrary: fc.constantFrom(';', ',', '"', '\n', '\r\n', "'", '\t') },
    ),
    maxLength: 20,
  });
  // The code is never blank, so that no record is left out.
  const rows = fc.array(
    fc.tuple(
      cell.map((text) => `c${text}`),
      cell,
      cell,
      cell,
      cell,
      fc.constantFrom('', '2000-01-31'),
      fc.constantFrom('', 'Olá', '🎉 "oi"; ok'),
    ),
    { minLength: 1, maxLength: 20 },
  );
  const chunk = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Infinity));
  const columns = layoutColumns([]);

  test('what csv-stringify writes is read again, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        chunk,
        fc.constantFrom(';', ','),
        fc.boolean(),
        fc.constantFrom('unix', 'windows'),
        async (rows, chunk, delimiter, bom, eol) => {
          // By itself it leaves a lone \n unquoted in a file with \r\n, where it ends a line for everybody else.
          const file = stringify([columns, ...rows], {
            delimiter,
            bom,
            record_delimiter: eol,
            quoted_match: /\n/,
          });
          const records = await read(file, { chunk });
          expect(records.map((record) => record.ok && record.contact)).toEqual(
            rows.map(([code, name, mobile, phone, phone2, birthDate, customMessage]) => ({
              code: readText(code),
              name: readText(name),
              mobile: readText(mobile),
              phone: readText(phone),
              phone2: readText(phone2),
              birthDate,
              customMessage: readTextLines(customMessage),
              extra: {},
            })),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('splits well-formed lines as csv-parse does', async () => {
    const plain = fc.string({ unit: fc.constantFrom('a', ' ', 'é', ',', "'", '1'), maxLength: 6 });
    const quoted = (...units: string[]) =>
      fc
        .string({ unit: fc.constantFrom('a', 'é', '""', '1', ...units), maxLength: 6 })
        .map((text) => `"${text}"`);
    const recordOf = (field: fc.Arbitrary<string>) =>
      fc.array(field, { minLength: 6, maxLength: 6 }).map((fields) => ['c', ...fields].join(';'));
    // With both in one record, a line of it may look like a record of its own.
    const record = fc.oneof(recordOf(fc.oneof(plain, quoted(';'))), recordOf(fc.oneof(plain, quoted('\n'))));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), chunk, async (records, chunk) => {
        const expected = parse(records.join('\n'), { delimiter: ';' });
        const ours = await read(lines(...records), { chunk });
        expect(ours).toHaveLength(expected.length);
        ours.forEach((record, i) => {
          // The sixth column is a date, which these are not, unless empty.
          if (record.ok) expect(record.contact.name).toBe(readText(expected[i]?.[1] ?? ''));
        });
      }),
      { numRuns: 200 },
    );
  });

  test('gives every line a fate, or refuses the file, the same however the chunks are cut', async () => {
    const piece = fc.constantFrom(
      ...[
        '1;Ana;11987654321;;;;',
        '"',
        ';',
        ',',
        '\n',
        '\r\n',
        '\r',
        ' ',
        'ã',
        '""',
        'x',
        '2;"Bia";;;;;\n',
        header,
      ],
      ...['\ufeff', '\u0000', '🎉'],
    );
    const bytes = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(`${header}\n${pieces.join('')}`)),
      fc
        .array(piece, { maxLength: 30 })
        .map((pieces) => Buffer.from(`${header}\n${pieces.join('')}`, 'latin1')),
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((noise) => Buffer.concat([Buffer.from(`${header}\n`), noise])),
    );
    // With several causes to refuse a file, the cuts may decide which of them is met first.
    const outcome = (file: Uint8Array, chunk: number) =>
      read(file, { chunk, limits: { batchSize: 2, lineBytes: 300 } }).catch((error: unknown) => {
        if (error instanceof MailingRefused) return 'refused';
        throw error;
      });
    await fc.assert(
      fc.asyncProperty(bytes, chunk, async (file, chunk) => {
        const whole = await outcome(file, Infinity);
        expect(await outcome(file, chunk)).toEqual(whole);
      }),
      { numRuns: 10_000 },
    );
  });

  test('gives as many records as there are lines with a value, in order', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', ';', ' ', 'é', '1', ','), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), async (written) => {
        const full = [...written, 'x'];
        const records = await read(lines(...full));
        const numbers = full.flatMap((text, i) => (/[^; ]/.test(text) ? [i + 2] : []));
        expect(records.map((record) => record.line)).toEqual(numbers);
      }),
    );
  });
});

describe('the layout to download', () => {
  const extraFields: ExtraField[] = [
    { name: 'plano', type: 'text', required: true },
    { name: 'valor', type: 'number', required: true },
    { name: 'vencimento', type: 'date', required: true },
    { name: 'vip', type: 'boolean', required: true },
  ];

  test('begins with a byte order mark and the header', () => {
    expect(csvLayoutExample([valor]).split('\r\n')[0]).toBe(`\ufeff${header};valor`);
  });

  test.each([';', ','] as const)('is itself a mailing without a flaw, with %j', async (delimiter) => {
    const records = await read(csvLayoutExample(extraFields, delimiter), { extraFields });
    expect(records).toHaveLength(2);
    expect(records.every((record) => record.ok)).toBe(true);
  });
});
