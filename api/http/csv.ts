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
