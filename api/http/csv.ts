import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import type { FastifyReply } from 'fastify';

/** What the API's document says of such files. */
export const csvDescription =
  'For Excel as it is set up in Brazil: semicolons, UTF-8 with a byte order mark. Phones stand without their +, and what a spreadsheet would take for a formula has an apostrophe before it.';

/** Rows as `csvDescription` says. */
export const csvLines = (rows: readonly (readonly (string | number)[])[]): string =>
  stringify([...rows], { delimiter: ';', record_delimiter: 'windows', escape_formulas: true });

/** The first line of a file. */
export const csvHeader = (names: readonly string[]): string => '\ufeff' + csvLines([names]);

/** Excel shows more than eleven digits as 5,51199E+12, but keeps them; with the + it would be a formula. */
export const csvPhone = (phone: string | null): string => phone?.replace('+', '') ?? '';

/** A column of a file: its name, and what a row has there. */
export type CsvColumn<Row> = readonly [name: string, value: (row: Row) => string | number];

/** The next rows after `last`, at most `limit`. */
type ReadRows<Row> = (last: Row | undefined, limit: number) => Promise<Row[]>;

const rowsPerQuery = 1_000;

/** All rows there are, by a query for each thousand: a slow reader holds neither a connection nor memory. */
export async function* rowPages<Row>(read: ReadRows<Row>): AsyncGenerator<Row[], undefined> {
  for (let last: Row | undefined; ;) {
    const rows = await read(last, rowsPerQuery);
    if (rows.length > 0) yield rows;
    if (rows.length < rowsPerQuery) return undefined;
    last = rows.at(-1);
  }
}

/** A file of all the rows. */
export async function* csvOf<Row>(
  columns: readonly CsvColumn<Row>[],
  read: ReadRows<Row>,
): AsyncGenerator<string> {
  yield csvHeader(columns.map(([name]) => name));
  for await (const rows of rowPages(read)) {
    yield csvLines(rows.map((row) => columns.map(([, value]) => value(row))));
  }
}

/** Answers with a CSV file to be kept. */
export const sendCsv = (reply: FastifyReply, name: string, content: string | AsyncIterable<string>) =>
  reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(typeof content === 'string' ? content : Readable.from(content));

/**
 * Rows of a file that is to be uploaded again, perhaps from a spreadsheet: every value survives being opened and saved
 * there, and the reader of files takes the guard away again (domain/text.ts `unwrap`).
 */
export const keptLines = (rows: readonly (readonly string[])[]): string =>
  stringify(
    rows.map((row) => row.map(keptValue)),
    { delimiter: ';', record_delimiter: 'windows' },
  );

/**
 * An apostrophe before what a spreadsheet would take for a formula, for a number that it writes otherwise (0012, 1E5, 1.50,
 * more than eleven digits, which Excel saves as 5,51199E+12), for a date or for true and false.
 */
function keptValue(value: string): string {
  if (value.startsWith("'")) return `="${value.replaceAll('"', '""')}"`;
  const isChanged =
    /^[=+@\t\r]/.test(value) ||
    (value.startsWith('-') && !/^-[1-9]\d{0,10}$/.test(value)) ||
    /^(?:0\d+|\d{12,}|\d+[.,]\d+|\d[\d.,]*E[+-]?\d+)$/i.test(value) ||
    /^\d{1,4}(?:[/.:-]\d{1,4}){1,2}(?:\D|$)/.test(value) ||
    /^(?=.*\d)(?:\d{1,2}[ /.-]?)?(?:jan|fe[bv]|mar|a[bp]r|ma[iy]|jun|jul|a[gu]o?g?|se[pt]|o[cu]t|nov|de[cz])[ /.-]?\d{0,4}$/i.test(
      value,
    ) ||
    /^(?:true|false|verdadeiro|falso|r?\$.*|\d+ ?%)$/i.test(value);
  return isChanged ? `'${value}` : value;
}

/** A phone (E.164) as a spreadsheet keeps it: `(11) 98765-4321`, which is no number to it. */
export function keptPhone(phone: string | null): string {
  if (phone === null) return '';
  const brazilian = /^\+55(\d\d)(\d{4,5})(\d{4})$/.exec(phone);
  return brazilian ? `(${brazilian[1] ?? ''}) ${brazilian[2] ?? ''}-${brazilian[3] ?? ''}` : phone;
}
