import {
  contactFields,
  type ContactField,
  createContactReader,
  type ExtraField,
  warningOf,
} from '../domain/contact.ts';
import { fault } from '../domain/problems/coded.ts';
import { type Delimiter, delimiterOf, delimiters, type Layout, readHeader } from './layout.ts';
import { readLines } from './lines.ts';
import type { MailingRecord } from './record.ts';
import { MailingRefused } from './refused.ts';
import { type SplitRecord, splitRecords } from './split.ts';

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
 * Semicolon, comma, tab or |, as the header has it or a first line `sep=;` says; UTF-8, with a byte order mark or without,
 * UTF-16 with one, Windows-1252, Mac Roman or DOS (encoding.ts); \n or \r\n; quotes as in RFC 4180 (split.ts), and a quote
 * inside an unquoted value is just a character. Lines without any value are left out. A line that is wrong in itself is a
 * record that is not ok; what makes the file as a whole doubtful throws, even after batches were given: whoever writes them
 * somewhere must be able to take them back.
 *
 * @throws {MailingRefused} for every cause in `MailingRefusal`
 */
export const readCsv = (
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<MailingRecord[]> => readBatches(bytes, options, createRecords(options));

/** A record, and its values as they were written: in the order of the layout (`layoutColumns`), and what was beyond it. */
export interface WrittenRecord {
  record: MailingRecord;
  values: string[];
  beyond: string[];
}

/** The same file with the values as they were written, to be mended. Of a line with a wrong quote they are a guess. */
export function readWritten(
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<WrittenRecord[]> {
  const recordOf = createRecords(options);
  return readBatches(bytes, options, (raw) => {
    const { cells, layout, text, delimiter } = raw;
    const written = cells ?? text.split(delimiter);
    const positions = [...contactFields.map(({ field }) => layout.fields[field]), ...layout.extra];
    return {
      record: recordOf(raw),
      values: positions.map((position) => written[position] ?? ''),
      beyond: written.slice(layout.width),
    };
  });
}

export interface CsvOptions {
  /** ISO date (domain/contact.ts `createContactReader`). */
  today: string;
  extraFields: readonly ExtraField[];
  /** Those of a contact that the layout has; by default all. */
  fields?: readonly ContactField[];
  limits?: Partial<CsvLimits>;
}

interface RawRecord extends SplitRecord {
  layout: Layout;
  delimiter: Delimiter;
}

async function* readBatches<T>(
  bytes: AsyncIterable<Uint8Array>,
  { extraFields, fields, limits = {} }: CsvOptions,
  recordOf: (raw: RawRecord) => T,
): AsyncGenerator<T[]> {
  const { lineBytes, batchSize } = { ...defaultLimits, ...limits };
  let header: { layout: Layout; delimiter: Delimiter } | undefined;
  /** As its first line says, `sep=;`. */
  let announced: Delimiter | undefined;
  let hasRecords = false;
  let batch: T[] = [];
  /** Lines that are not used yet, and the number of the first. */
  let lines: string[] = [];
  let start = 1;

  function readStart(isEnd: boolean): void {
    while (header === undefined && lines.length > 0) {
      const text = lines[0] ?? '';
      const separator = /^"?sep=(.)"?$/i.exec(text.trim())?.[1];
      const isBlankLine = text.split(/[;,|\t]/).every(isBlank);
      if (separator !== undefined || isBlankLine) {
        announced = delimiters.find((one) => one === separator) ?? announced;
        lines.shift();
        start++;
        continue;
      }
      if (text.includes('\r')) refuseLineEndings(start);
      const delimiter = announced ?? delimiterOf(text);
      const { records, used } = splitRecords(lines, start, isEnd, {
        delimiter,
        width: null,
        recordLength: lineBytes,
      });
      const [first] = records;
      if (first === undefined) {
        // Of a header that quotes spread over several lines; those behind it are split with its width.
        if (used === 0 && !isEnd) return;
        refuseOpenQuote(start, start + lines.length - 1);
      }
      if (first.cells === undefined) refuseOpenQuote(start, start + lines.length - 1);
      header = { layout: readHeader(first.cells, extraFields, start, fields), delimiter };
      const next = records[1]?.line ?? start + used;
      lines = lines.slice(next - start);
      start = next;
    }
  }

  function take(isEnd: boolean): SplitRecord[] {
    readStart(isEnd);
    if (header === undefined) return [];
    const { delimiter, layout } = header;
    const { width } = layout;
    const { records, used } = splitRecords(lines, start, isEnd, {
      delimiter,
      width,
      recordLength: lineBytes,
    });
    lines = lines.slice(used);
    start += used;
    return records;
  }

  async function* groups(): AsyncGenerator<SplitRecord[]> {
    for await (const more of readLines(bytes, lineBytes)) {
      for (const line of more) lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
      yield take(false);
    }
    yield take(true);
  }

  for await (const records of groups()) {
    for (const record of records) {
      if (header === undefined || record.cells?.every(isBlank)) continue;
      batch.push(recordOf({ ...record, ...header }));
      if (batch.length === batchSize) {
        hasRecords = true;
        yield batch;
        batch = [];
      }
    }
  }

  if (header === undefined) throw new MailingRefused(fault('empty'));
  if (batch.length > 0) yield batch;
  else if (!hasRecords) throw new MailingRefused(fault('no_lines'));
}

function isBlank(cell: string): boolean {
  return cell === '' || cell.trim() === '';
}

function createRecords({ extraFields, today }: CsvOptions): (raw: RawRecord) => MailingRecord {
  const toContact = createContactReader(extraFields, today);
  return ({ cells, line, text, misquoted, layout: { width, fields, extra } }) => {
    if (cells === undefined) return { line, ok: false, problem: fault('quote_misplaced') };
    // Spreadsheets leave empty cells at the end out, or write more of them than there are columns. What has a value beyond
    // the last column was torn apart somewhere: its values belong to other columns.
    for (let i = width; i < cells.length; i++) {
      if (!isBlank(cells[i] ?? ''))
        return { line, ok: false, problem: fault('column_count', { found: cells.length, expected: width }) };
    }
    // No function of its own for each record: tsx gives each a name, which takes longer than all else here.
    const { contact, warnings } = toContact(
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
    );
    return misquoted
      ? { line, ok: true, contact, warnings: [warningOf(fault('quote_misplaced'), text), ...warnings] }
      : { line, ok: true, contact, warnings };
  };
}

function refuseOpenQuote(line: number, until: number): never {
  throw new MailingRefused(fault('quote_not_closed', { line, until }));
}

function refuseLineEndings(line: number): never {
  throw new MailingRefused(fault('line_endings'), { line });
}
