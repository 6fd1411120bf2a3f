import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { z } from 'zod';
import type { Format } from '../../domain/format.ts';
import { formatPhone } from '../../domain/phone.ts';
import type { Locale } from '../../domain/user.ts';
import type { Access } from './auth.ts';
import { formatOf } from './errors.ts';

/** The query parameter of every CSV file. */
export const csvQuery = {
  /**
   * `localized`: for a spreadsheet, in the user's language and time zone; the default for users. `codes`: for a program;
   * the default for API tokens.
   */
  format: z.enum(['localized', 'codes']).optional(),
};

/** The description of such files in the API's document. */
export const csvDescription =
  '`format=codes` is for programs and is the default for API tokens: English column names, codes, times in ISO 8601 (UTC), phones in E.164, and semicolons as delimiters. `format=localized` is for spreadsheets and is the default for users: names, states, times and numbers in the language and time zone of the user, phones in national format, and the delimiter that Excel expects in that language. Both are UTF-8 with a byte order mark. Values that a spreadsheet would read as formulas start with an apostrophe.';

/**
 * The options of a route that answers with a CSV file: `app.get('/replies.csv', csvRoute({ … }), handler)`, where the
 * handler calls `sendRows` or `sendCsv`.
 */
export const csvRoute = <S extends FastifySchema>({ access, ...schema }: S & { access: Access }) => ({
  config: { access },
  schema: { description: csvDescription, ...schema, produces: ['text/csv'] },
});

/** How a file is written. */
export interface CsvStyle {
  /** For programs. */
  codes: boolean;
  format: Format;
}

type CsvFormat = z.output<(typeof csvQuery)['format']>;

/** The style of a file for the sender of a request; `format` of `csvQuery` decides, if given. */
export function csvStyleOf(request: FastifyRequest, wanted?: CsvFormat): CsvStyle {
  const codes = wanted === undefined ? request.actor?.kind === 'token' : wanted === 'codes';
  return { codes, format: formatOf(request) };
}

/** A word of a fixed set, which programs get as its code. */
class CsvCode {
  readonly code: string;
  readonly word: string;
  constructor(code: string, word: string) {
    this.code = code;
    this.word = word;
  }
}
class CsvPhone {
  readonly e164: string;
  constructor(e164: string) {
    this.e164 = e164;
  }
}

/** A value of a file. Null: an empty cell. */
export type CsvValue = string | number | boolean | Date | CsvCode | CsvPhone | null;

/** A state: its code for programs, its word for users. */
export const csvCode = <K extends string>(
  code: K | null,
  words: Readonly<Record<K, string>>,
): CsvCode | null => (code === null ? null : new CsvCode(code, words[code]));

/** A code with its sentence. */
export const csvSentence = (code: string, words: string): CsvCode => new CsvCode(code, words);

/** A phone in E.164, or the name of a sender. */
export const csvPhone = (phone: string | null): CsvPhone | null =>
  phone === null ? null : new CsvPhone(phone);

const yesOrNo = { 'pt-BR': ['sim', 'não'], en: ['yes', 'no'] } as const;

function cellOf(value: CsvValue, { codes, format }: CsvStyle): string {
  if (value === null) return '';
  if (typeof value === 'string') return withoutFormula(value);
  if (typeof value === 'number') {
    return codes ? String(value) : format.number(value, { useGrouping: false, maximumFractionDigits: 10 });
  }
  if (typeof value === 'boolean') return codes ? String(value) : yesOrNo[format.locale][value ? 0 : 1];
  if (value instanceof Date) return codes ? value.toISOString() : format.sheetTime(value);
  if (value instanceof CsvCode) return withoutFormula(codes ? value.code : value.word);
  // A spreadsheet reads + and digits as a number, which is harmless.
  return codes ? value.e164 : withoutFormula(formatPhone(value.e164));
}

/** OWASP, CSV injection: these begin a formula in a spreadsheet. */
const withoutFormula = (text: string): string =>
  /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;

/** Excel expects the list separator of its language: in Portuguese the comma is the decimal mark. */
const delimiterFor = ({ codes, format }: CsvStyle): ';' | ',' =>
  codes || format.locale === 'pt-BR' ? ';' : ',';

const linesOf = (rows: readonly (readonly string[])[], style: CsvStyle): string =>
  stringify([...rows], { delimiter: delimiterFor(style), record_delimiter: 'windows' });

/**
 * A column of a file: its name for programs, its label for users, and the value for a row. Without a label it is in
 * files for programs only.
 */
export type CsvColumn<Row> = readonly [name: string, label: string | null, value: (row: Row) => CsvValue];

/** The next rows after `last`, at most `limit`. */
type ReadRows<Row> = (last: Row | undefined, limit: number) => Promise<Row[]>;

const rowsPerQuery = 1_000;

/** All rows, one query per thousand: a slow reader holds neither a connection nor memory. */
export async function* rowPages<Row>(read: ReadRows<Row>): AsyncGenerator<Row[], undefined> {
  for (let last: Row | undefined; ;) {
    const rows = await read(last, rowsPerQuery);
    if (rows.length > 0) yield rows;
    if (rows.length < rowsPerQuery) return undefined;
    last = rows.at(-1);
  }
}

async function* csvOf<Row>(
  columns: readonly CsvColumn<Row>[],
  read: ReadRows<Row>,
  style: CsvStyle,
): AsyncGenerator<string> {
  const shown = columns.filter(([, label]) => style.codes || label !== null);
  yield '\ufeff' + linesOf([shown.map(([name, label]) => (style.codes ? name : (label ?? name)))], style);
  for await (const rows of rowPages(read)) {
    yield linesOf(
      rows.map((row) => shown.map(([, , value]) => cellOf(value(row), style))),
      style,
    );
  }
}

/** The name of a file, without its ending, in each language: only ASCII, which every browser keeps. */
export type FileName = Readonly<Record<Locale, string>>;

/** Answers with a CSV file to download. */
export const sendCsv = (
  reply: FastifyReply,
  name: FileName,
  content: string | AsyncIterable<string>,
  { codes, format }: CsvStyle,
) =>
  reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name[codes ? 'en' : format.locale]}.csv"`)
    .send(typeof content === 'string' ? content : Readable.from(content));

/** Answers with all the rows as a CSV file. */
export function sendRows<Row>(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    format,
    name,
    columns,
    read,
  }: {
    /** That of `csvQuery`. */
    format: CsvFormat;
    name: FileName;
    columns: (format: Format) => readonly CsvColumn<Row>[];
    read: ReadRows<Row>;
  },
) {
  const style = csvStyleOf(request, format);
  return sendCsv(reply, name, csvOf(columns(style.format), read, style), style);
}

/**
 * Rows of a file that is meant for a later upload, perhaps from a spreadsheet: every value survives being opened and
 * saved there, and the file reader removes the guard again (domain/text.ts `unwrap`). Files for programs have no guard.
 */
export const keptLines = (rows: readonly (readonly string[])[], style?: CsvStyle): string =>
  stringify(style?.codes === true ? [...rows] : rows.map((row) => row.map(keptValue)), {
    delimiter: style === undefined ? ';' : delimiterFor(style),
    record_delimiter: 'windows',
  });

/**
 * Adds an apostrophe before a value that a spreadsheet may read as a formula, a number that it rewrites (0012, 1E5,
 * (12), more than eleven digits, which Excel saves as 5,51199E+12), a date, a time, or true and false. That depends on
 * its language and settings: a value is unchanged if it begins with a letter and is no month, is an integer, or is a
 * phone. test/api/spreadsheets.test.ts checks this with a real spreadsheet.
 */
function keptValue(value: string): string {
  if (value.startsWith("'")) return `'${value}`;
  const isSafe =
    value === '' ||
    /^(?:0|-?[1-9]\d{0,10}|\(\d\d\) \d{4,5}-\d{4})$/.test(value) ||
    (/^\p{L}/u.test(value) && !monthOrTruth.test(value));
  if (isSafe) return value;
  // The guard is a single apostrophe: a second one in the value would make it look like quotes around a word.
  return value.includes("'") ? `="${value.replaceAll('"', '""')}"` : `'${value}`;
}

const months =
  'jan(?:eiro|uary)?|fev(?:ereiro)?|feb(?:ruary)?|mar(?:ço|co|ch)?|a(?:b|p)r(?:il)?|maio?|may|jun(?:ho|e)?|jul(?:ho|y)?|' +
  'ago(?:sto)?|aug(?:ust)?|set(?:embro)?|sept?(?:ember)?|out(?:ubro)?|oct(?:ober)?|nov(?:embro|ember)?|dez(?:embro)?|dec(?:ember)?';
/** `mar 10`, `Dezembro de 2026` and similar; a month alone is a word, and `Maria 2` is a name. */
const monthOrTruth = new RegExp(
  String.raw`^(?:(?:${months})\.?(?:[ /.,-]+| de )?\d.*|true|false|verdadeiro|falso|r\$.*)$`,
  'iu',
);

/** A phone (E.164) in a form that a spreadsheet keeps: `(11) 98765-4321`, which it does not read as a number. */
export const keptPhone = (phone: string | null): string => (phone === null ? '' : formatPhone(phone));
