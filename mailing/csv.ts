import { contactFields, readContact, type ContactField, type ExtraField } from '../domain/contact.ts';
import { delimiterOf, readHeader, type Delimiter, type Layout } from './layout.ts';
import { readLines } from './lines.ts';
import type { MailingRecord } from './record.ts';
import { MailingRefused } from './refused.ts';

export { MailingRefused };

export interface CsvLimits {
  /** Longest line, and longest record where quotes spread one over several lines. */
  lineBytes: number;
  /** Records given at a time. */
  batchSize: number;
}

const defaultLimits: CsvLimits = { lineBytes: 64 * 1024, batchSize: 500 };

/**
 * Reads a mailing in the CSV layout (layout.ts) in bounded memory, and gives its records in batches.
 *
 * Comma or semicolon, as the header has it; UTF-8, with a byte order mark or without, or Windows-1252; \n or \r\n;
 * quotes as in RFC 4180, and a quote inside an unquoted value is just a character. Lines without any value are left
 * out. A line that is wrong in itself is a record that is not ok; what makes the file as a whole doubtful throws, even
 * after batches were given: whoever writes them somewhere must be able to take them back.
 *
 * The fields are split here and not by csv-parse, which splits 0.2 million lines a second where this reads over 0.4
 * million and checks their contacts; test/unit/csv.test.ts holds one against the other.
 *
 * @throws {MailingRefused} for every cause in `MailingRefusal`
 */
export const readCsv = (
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<MailingRecord[]> =>
  readBatches(bytes, options, ({ cells, line, layout }) =>
    readRecord(cells, line, layout, options.extraFields),
  );

/** A record, and its values as they were written: in the order of the layout (`layoutColumns`), and what was beyond it. */
export interface WrittenRecord {
  record: MailingRecord;
  values: string[];
  beyond: string[];
}

/** The same file with the values as they were written, to be mended. Of a line with a wrong quote they are a guess. */
export const readWritten = (
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<WrittenRecord[]> =>
  readBatches(bytes, options, ({ cells, line, layout, text, delimiter }) => {
    const written = cells ?? text.split(delimiter);
    const positions = [...contactFields.map(({ field }) => layout.fields[field]), ...layout.extra];
    return {
      record: readRecord(cells, line, layout, options.extraFields),
      values: positions.map((position) => written[position] ?? ''),
      beyond: written.slice(layout.width),
    };
  });

export interface CsvOptions {
  extraFields: readonly ExtraField[];
  /** Those of a contact that the layout has; by default all. */
  fields?: readonly ContactField[];
  limits?: Partial<CsvLimits>;
}

interface RawRecord {
  /** Undefined where a quote is wrong. */
  cells: readonly string[] | undefined;
  line: number;
  layout: Layout;
  /** The line, or the last of several. */
  text: string;
  delimiter: Delimiter;
}

async function* readBatches<T>(
  bytes: AsyncIterable<Uint8Array>,
  { extraFields, fields, limits = {} }: CsvOptions,
  recordOf: (raw: RawRecord) => T,
): AsyncGenerator<T[]> {
  const { lineBytes, batchSize } = { ...defaultLimits, ...limits };
  let header: { layout: Layout; delimiter: Delimiter } | undefined;
  let open: OpenRecord | undefined;
  let line = 0;
  let hasRecords = false;
  let batch: T[] = [];

  for await (const lines of readLines(bytes, lineBytes)) {
    for (const written of lines) {
      line++;
      const text = written.endsWith('\r') ? written.slice(0, -1) : written;
      if (open === undefined && text === '') continue;
      const delimiter: Delimiter = header?.delimiter ?? delimiterOf(text);
      const first: number = open?.line ?? line;
      const cells = splitCells(text, delimiter, line, open);

      if (cells !== undefined && 'value' in cells) {
        open = cells;
        if (open.length > lineBytes) refuseOpenQuote(open, line);
        continue;
      }
      // A quote that swallows whole lines is rarely meant; if the result has another shape, its lines would be lost.
      if (open !== undefined && cells?.length !== (header?.layout.width ?? cells?.length))
        refuseOpenQuote(open, line);
      open = undefined;

      if (cells?.every(isBlank)) continue;
      if (header === undefined) {
        if (text.includes('\r')) refuseLineEndings(line);
        header = { layout: readHeader(cells ?? [text], extraFields, first, fields), delimiter };
        continue;
      }
      batch.push(recordOf({ cells, line: first, layout: header.layout, text, delimiter }));
      if (batch.length === batchSize) {
        hasRecords = true;
        yield batch;
        batch = [];
      }
    }
  }

  if (open !== undefined) refuseOpenQuote(open, line);
  if (header === undefined) throw new MailingRefused('empty', 'The file is empty.', { found: 'no header' });
  if (batch.length > 0) yield batch;
  else if (!hasRecords) {
    throw new MailingRefused('no_lines', 'The file has a header and no line with a contact.', {
      found: 'only the header',
    });
  }
}

function isBlank(cell: string): boolean {
  return cell === '' || cell.trim() === '';
}

function readRecord(
  cells: readonly string[] | undefined,
  line: number,
  { width, fields, extra }: Layout,
  extraFields: readonly ExtraField[],
): MailingRecord {
  if (cells === undefined) {
    const message = 'A closing quote is followed by more text. A quote inside quotes is written twice.';
    return { line, ok: false, problem: { code: 'quote_misplaced', column: null, message } };
  }
  if (cells.length !== width) {
    const message = `The line has ${cells.length} columns, and the header ${width}.`;
    return { line, ok: false, problem: { code: 'column_count', column: null, message } };
  }
  // No function of its own for each record: tsx gives each a name, which takes longer than all else here.
  const result = readContact(
    {
      code: cells[fields.code] ?? '',
      name: cells[fields.name] ?? '',
      mobile: cells[fields.mobile] ?? '',
      phone: cells[fields.phone] ?? '',
      phone2: cells[fields.phone2] ?? '',
      birthDate: cells[fields.birthDate] ?? '',
      customMessage: cells[fields.customMessage] ?? '',
    },
    extra.map((position) => cells[position] ?? ''),
    extraFields,
  );
  return result.ok
    ? { line, ok: true, contact: result.contact }
    : { line, ok: false, problem: result.problem };
}

/** A record whose last value began with a quote that has not been closed yet. */
interface OpenRecord {
  /** Where the record begins, and where the quote that is open was opened. */
  line: number;
  quoteLine: number;
  cells: string[];
  value: string;
  /** Characters of the record so far. */
  length: number;
}

/**
 * The cells of one line, or of what it adds to an open record; the record that stays open; undefined when something
 * other than a delimiter follows a closing quote.
 */
function splitCells(
  text: string,
  delimiter: Delimiter,
  line: number,
  open: OpenRecord | undefined,
): string[] | OpenRecord | undefined {
  if (open === undefined && !text.includes('"')) return text.split(delimiter);
  const cells = open?.cells ?? [];
  let value = open === undefined ? undefined : `${open.value}\n`;
  let quoteLine = open?.quoteLine ?? line;
  let at = 0;
  for (;;) {
    if (value === undefined && text[at] !== '"') {
      const end = text.indexOf(delimiter, at);
      cells.push(end === -1 ? text.slice(at) : text.slice(at, end));
      if (end === -1) return cells;
      at = end + 1;
      continue;
    }
    if (value === undefined) {
      value = '';
      quoteLine = line;
      at++;
    }
    const quote = text.indexOf('"', at);
    if (quote === -1) {
      const length = (open?.length ?? 0) + text.length + 1;
      return { line: open?.line ?? line, quoteLine, cells, value: value + text.slice(at), length };
    }
    value += text.slice(at, quote);
    at = quote + 2;
    const next = text[quote + 1];
    if (next === '"') {
      value += '"';
      continue;
    }
    if (next !== undefined && next !== delimiter) return undefined;
    cells.push(value);
    if (next === undefined) return cells;
    value = undefined;
  }
}

function refuseOpenQuote({ quoteLine }: OpenRecord, line: number): never {
  throw new MailingRefused(
    'quote_not_closed',
    `The quote (") opened in line ${quoteLine} is not closed where it should be; it was followed up to line ${line}.`,
    { line: quoteLine, expected: 'a closing quote' },
  );
}

function refuseLineEndings(line: number): never {
  throw new MailingRefused(
    'line_endings',
    'The lines end with a carriage return alone, as on old Macintoshes. Save the file as "CSV UTF-8".',
    { line, expected: 'lines that end with \\n or \\r\\n', found: '\\r' },
  );
}
