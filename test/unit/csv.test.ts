import { describe, expect, test } from 'vitest';
import type { ExtraField } from '../../domain/contact.ts';
import { readCsv } from '../../mailing/csv.ts';
import { csvLayoutExample } from '../../mailing/layout.ts';
import {
  chunksOf,
  csvFile,
  csvHeader,
  csvToday,
  emptyContact,
  namesOrProblems,
  readCsvFile,
} from '../kit/csv.ts';

const valor: ExtraField = { name: 'valor', type: 'number', required: false };

describe('a mailing', () => {
  test('is read into contacts', async () => {
    expect(await readCsvFile(csvFile('1;João;(11) 98765-4321;1134567890;;12/03/1980;Oi'))).toEqual([
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
    ['\\r\\n', `${csvHeader}\r\n1;Ana;2;;;;\r\n`],
    ['no newline at the end', `${csvHeader}\n1;Ana;2;;;;`],
    ['a byte order mark', `\ufeff${csvHeader}\n1;Ana;2;;;;\n`],
    ['blank lines before the header', `\n\r\n ;\n${csvHeader}\n1;Ana;2;;;;\n`],
    ['tabs', `${csvHeader}\n1;Ana;2;;;;\n`.replaceAll(';', '\t')],
    ['pipes', `${csvHeader}\n1;Ana;2;;;;\n`.replaceAll(';', '|')],
    ['a separator line', `sep=;\r\n${csvHeader}\r\n1;Ana;2;;;;\r\n`],
    ['a separator line that names a tab', `sep=\t\n${csvHeader}\n1;Ana;2;;;;\n`.replaceAll(';', '\t')],
    ['a quoted separator line that is padded with empty cells', `"sep=;";;;;;;\n${csvHeader}\n1;Ana;2;;;;\n`],
    [
      'a separator line that names a separator which the file does not use',
      `sep=;,,,,,,\n${csvHeader}\n1;Ana;2;;;;\n`.replaceAll(/;(?!,)/g, ','),
    ],
    ['a comma after the last column', `${csvHeader},\n1;Ana;2;;;;,\n`],
    ['whole lines in quotes', `${csvHeader}\n"1;Ana;2;;;;"\n`],
    ['the header and whole lines in quotes', `"${csvHeader}"\n"1;""Ana"";2;;;;"\n`],
    ['columns without a name', `${csvHeader};;\n1;Ana;2;;;;;;\n`],
    ['empty cells after the last column', `${csvHeader}\n1;Ana;2;;;;;;;\n`],
    ['cells missing at the end', `${csvHeader}\n1;Ana;2\n`],
    [
      'a header over two lines',
      `codigo;nome;celular;"\ntelefone";telefone2;data_nascimento;mensagem\n1;Ana;2\n`,
    ],
  ])('is read with %s', async (_, file) => {
    const [record] = await readCsvFile(file);
    expect(record).toMatchObject({
      ok: true,
      contact: { ...emptyContact, code: '1', name: 'Ana', mobile: '2' },
    });
  });

  test('contains the declared extra fields', async () => {
    const [good, bad] = await readCsvFile(`${csvHeader};Valor\n1;;;;;;;1.234,56\n2;;;;;;;dez\n`, {
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

  test('is read in batches', async () => {
    const sizes: number[] = [];
    const file = csvFile(...Array.from({ length: 7 }, (_, i) => `${i};Ana;;;;;`));
    for await (const batch of readCsv(chunksOf(file), {
      extraFields: [],
      today: csvToday,
      limits: { batchSize: 3 },
    })) {
      sizes.push(batch.length);
    }
    expect(sizes).toEqual([3, 3, 1]);
  });

  test('has correct line numbers after blank lines and line breaks in quotes', async () => {
    const file = csvFile(
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
    const records = await readCsvFile(file);
    expect(namesOrProblems(records)).toEqual([
      [2, 'Ana'],
      [4, 'Bia'],
      [9, 'Caio'],
      [10, 'Davi'],
    ]);
    expect(records[1]).toMatchObject({ contact: { customMessage: 'Oi\n\nBia' } });
  });

  test('may have quoted values (RFC 4180), and a quote inside an unquoted value is a character', async () => {
    const records = await readCsvFile(
      csvFile(
        '1;"Silva; Ana";;;;;',
        '2;"Ana ""Aninha"" Luz";;;;;',
        '3;Ana "Aninha" Luz;;;;;',
        '4;"";"";"";"";"";""',
      ),
    );
    expect(namesOrProblems(records)).toEqual([
      [2, 'Silva; Ana'],
      [3, 'Ana "Aninha" Luz'],
      [4, 'Ana "Aninha" Luz'],
      [5, ''],
    ]);
  });

  test('has no contact for a repeated header', async () => {
    const file = `\ufeff${csvHeader}\n1;Ana;;;;;\n\ufeff${csvHeader}\r\n2;Bia;;;;;\n"codigo";"nome";celular;telefone;telefone2;data_nascimento;mensagem\n`;
    expect(namesOrProblems(await readCsvFile(file))).toEqual([
      [2, 'Ana'],
      [4, 'Bia'],
    ]);
  });

  test('may have a comma in a name of a line that is quoted as a whole', async () => {
    expect(
      namesOrProblems(await readCsvFile(`${csvHeader}\n1;Bia;;;;;\n"2;Silva, Ana;11987654321;;;;"\n`)),
    ).toEqual([
      [2, 'Bia'],
      [3, 'Silva, Ana'],
    ]);
  });

  test('is read to its end when it has bad lines', async () => {
    const records = await readCsvFile(
      csvFile(
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
    expect(namesOrProblems(records)).toEqual([
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

  test('keeps its lines separate when a quote is not closed', async () => {
    const records = await readCsvFile(
      csvFile('1;"Ana;;;;;', '2;Bia;;;;;', '3;Caio";;;;;', '4;"Davi;;;;;"Oi', 'Davi";', '5;Eva;;;;;'),
    );
    expect(namesOrProblems(records)).toEqual([
      [2, 'Ana'],
      [3, 'Bia'],
      [4, 'Caio"'],
      [5, 'Davi'],
      [6, ''],
      [7, 'Eva'],
    ]);
  });
});

describe('the downloadable layout', () => {
  const extraFields: ExtraField[] = [
    { name: 'plano', type: 'text', required: true },
    { name: 'valor', type: 'number', required: true },
    { name: 'vencimento', type: 'date', required: true },
    { name: 'vip', type: 'boolean', required: true },
  ];

  test('starts with a byte order mark and the header', () => {
    expect(csvLayoutExample([valor]).split('\r\n')[0]).toBe(`\ufeff${csvHeader};valor`);
  });

  test.each([';', ','] as const)('is itself a valid mailing with the delimiter %j', async (delimiter) => {
    const records = await readCsvFile(csvLayoutExample(extraFields, delimiter), { extraFields });
    expect(records).toHaveLength(2);
    expect(records.every((record) => record.ok)).toBe(true);
  });
});
