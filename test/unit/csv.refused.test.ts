import { describe, expect, test } from 'vitest';
import type { ExtraField } from '../../domain/contact.ts';
import type { MailingRefused } from '../../mailing/csv.ts';
import { csvFile, csvHeader, csvRefusal, namesOrProblems, readCsvFile } from '../kit/csv.ts';

const valor: ExtraField = { name: 'valor', type: 'number', required: false };

describe('the CSV reader', () => {
  const renamedColumn = csvHeader.replace('celular', 'whatsapp');

  test.each<[string, string | Uint8Array, Partial<MailingRefused>]>([
    ['an empty file', '', { code: 'empty' }],
    ['a file of blank lines', '\n\n  \n;;;\n', { code: 'empty' }],
    ['a file with nothing but a byte order mark', '\ufeff', { code: 'empty' }],
    ['a header without lines', `${csvHeader}\n\n`, { code: 'no_lines' }],
    ['xlsx', Buffer.from('504b03041400060008000000210000', 'hex'), { code: 'spreadsheet' }],
    ['xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), { code: 'spreadsheet' }],
    ['PDF', '%PDF-1.7\n', { code: 'binary' }],
    ['NUL bytes', csvFile('1;Ana;;;;;', '2;A\0na;;;;;'), { code: 'binary', line: 3 }],
    [
      'lines that end with a carriage return alone',
      `${csvHeader}\r1;Ana;;;;;\r`,
      { code: 'line_endings', line: 1 },
    ],
    ['a file without a header', '1;Ana;;;;;\n', { code: 'column_missing', line: 1 }],
    ['a missing column', `\n${csvHeader.replace(';mensagem', '')}\n`, { code: 'column_missing', line: 2 }],
    [
      'a renamed column',
      `${renamedColumn}\n`,
      { code: 'column_missing', line: 1, expected: csvHeader, found: renamedColumn },
    ],
    ['an unknown column', `${csvHeader};cpf\n`, { code: 'column_unknown', line: 1 }],
    ['a repeated column', `${csvHeader};nome\n`, { code: 'column_repeated', line: 1 }],
    ['a column in two languages', `${csvHeader};name\n`, { code: 'column_repeated', line: 1 }],
    ['an open quote in the header', `"${csvHeader}\n1;Ana;;;;;\n`, { code: 'quote_not_closed', line: 1 }],
  ])('refuses %s', async (_, file, expected) => {
    for (const chunk of [1, 5, Infinity]) expect(await csvRefusal(file, { chunk })).toMatchObject(expected);
  });

  test('names every wrong column and the expected header', async () => {
    const refused = await csvRefusal('codigo;nome;nome;fone\n1;2;3;4\n', { extraFields: [valor] });
    expect(refused.message).toBe(
      'The header in line 1 is not the one of the layout. Missing: celular, telefone, telefone2, data_nascimento, mensagem, ' +
        'valor. Not in the layout: fone. More than once: nome.',
    );
    expect(refused).toMatchObject({ expected: `${csvHeader};valor`, found: 'codigo;nome;nome;fone' });
  });

  test('refuses a line that is longer than the limit, at any chunk size', async () => {
    const line = (length: number) => `1;;;;;;${'x'.repeat(length - 7)}`;
    for (const chunk of [1, 64, Infinity]) {
      const limits = { lineBytes: 200 };
      expect(await readCsvFile(csvFile(line(200)), { limits, chunk })).toHaveLength(1);
      expect(await csvRefusal(csvFile(line(201)), { limits, chunk })).toMatchObject({
        code: 'line_too_long',
        line: 2,
      });
      expect(await csvRefusal(`${csvHeader}\n\n${line(201)}`, { limits, chunk })).toMatchObject({ line: 3 });
    }
  });

  test('accepts an open quote whose text is longer than the limit of a line', async () => {
    const file = csvFile('1;;;;;;"', ...Array.from({ length: 100 }, () => 'x'));
    const records = await readCsvFile(file, { limits: { lineBytes: 150 } });
    expect(records).toHaveLength(101);
    expect(namesOrProblems(records)[0]).toEqual([2, '']);
  });

  test('refuses 10 MB without a newline after it has read little more than the limit', async () => {
    let bytesRead = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${csvHeader}\n`);
      for (; bytesRead < 10_000_000; bytesRead += 4096) yield Buffer.alloc(4096, 'x');
    }
    expect(await csvRefusal(endless())).toMatchObject({ code: 'line_too_long', line: 2 });
    expect(bytesRead).toBeLessThan(200_000);
  });

  test('closes its source when it refuses the file', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('not;the;header\n');
        yield Buffer.from('more');
      } finally {
        closed = true;
      }
    }
    expect(await csvRefusal(source())).toMatchObject({ code: 'column_missing' });
    expect(closed).toBe(true);
  });
});
