import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readText, readTextLines } from '../../domain/text.ts';
import { MailingRefused } from '../../mailing/csv.ts';
import { layoutColumns } from '../../mailing/layout.ts';
import { csvFile, csvHeader, readCsvFile } from '../kit/csv.ts';

describe('the CSV reader', () => {
  const cell = fc.string({
    unit: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'Z', ' ', '1', 'ã', 'é', '€', '🎉') },
      { weight: 1, arbitrary: fc.constantFrom(';', ',', '"', '\n', '\r\n', "'", '\t') },
    ),
    maxLength: 20,
  });
  // The code is never blank, so no record is skipped.
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

  test('reads what csv-stringify writes, at any chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        chunk,
        fc.constantFrom(';', ','),
        fc.boolean(),
        fc.constantFrom('unix', 'windows'),
        async (rows, chunk, delimiter, bom, eol) => {
          // By default csv-stringify does not quote a lone \n in a file with \r\n, although other readers end the line there.
          const file = stringify([columns, ...rows], {
            delimiter,
            bom,
            record_delimiter: eol,
            quoted_match: /\n/,
          });
          const records = await readCsvFile(file, { chunk });
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

  test('splits well-formed lines like csv-parse', async () => {
    const plain = fc.string({ unit: fc.constantFrom('a', ' ', 'é', ',', "'", '1'), maxLength: 6 });
    const quoted = (...units: string[]) =>
      fc
        .string({ unit: fc.constantFrom('a', 'é', '""', '1', ...units), maxLength: 6 })
        .map((text) => `"${text}"`);
    const recordOf = (field: fc.Arbitrary<string>) =>
      fc.array(field, { minLength: 6, maxLength: 6 }).map((fields) => ['c', ...fields].join(';'));
    // With both in one record, one of its lines can look like a separate record.
    const record = fc.oneof(recordOf(fc.oneof(plain, quoted(';'))), recordOf(fc.oneof(plain, quoted('\n'))));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), chunk, async (records, chunk) => {
        const expected = parse(records.join('\n'), { delimiter: ';' });
        const ours = await readCsvFile(csvFile(...records), { chunk });
        expect(ours).toHaveLength(expected.length);
        ours.forEach((record, i) => {
          // The sixth column is a date; the generated values are valid there only when they are empty.
          if (record.ok) expect(record.contact.name).toBe(readText(expected[i]?.[1] ?? ''));
        });
      }),
      { numRuns: 200 },
    );
  });

  test('returns the same records, or refuses the file, at any chunk size', async () => {
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
        csvHeader,
      ],
      ...['\ufeff', '\u0000', '🎉'],
    );
    const bytes = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(`${csvHeader}\n${pieces.join('')}`)),
      fc
        .array(piece, { maxLength: 30 })
        .map((pieces) => Buffer.from(`${csvHeader}\n${pieces.join('')}`, 'latin1')),
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((noise) => Buffer.concat([Buffer.from(`${csvHeader}\n`), noise])),
    );
    // When a file has several problems, the chunk size can decide which one is found first.
    const outcome = (file: Uint8Array, chunk: number) =>
      readCsvFile(file, { chunk, limits: { batchSize: 2, lineBytes: 300 } }).catch((error: unknown) => {
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

  test('returns one record for each line with a value, in order', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', ';', ' ', 'é', '1', ','), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), async (written) => {
        const full = [...written, 'x'];
        const records = await readCsvFile(csvFile(...full));
        const numbers = full.flatMap((text, i) => (/[^; ]/.test(text) ? [i + 2] : []));
        expect(records.map((record) => record.line)).toEqual(numbers);
      }),
    );
  });
});
