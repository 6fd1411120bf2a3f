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
  /** Longest line, and longest record if quotes extend it over several lines. */
  lineBytes: number;
  /** Records per batch. */
  batchSize: number;
}

const defaultLimits: CsvLimits = { lineBytes: 64 * 1024, batchSize: 500 };

/**
 * Reads a mailing in the CSV layout (layout.ts) in bounded memory, and yields its records in batches.
 *
 * Delimiter: semicolon, comma, tab or |, detected in the header or declared by a first line `sep=;`. Encoding: UTF-8
 * with or without a byte order mark, UTF-16 with one, Windows-1252, Mac Roman or DOS (encoding.ts). Line ends: \n or
 * \r\n. Quotes as in RFC 4180 (split.ts); a quote inside an unquoted value is a plain character. Skips lines without
 * any value. An invalid line becomes a record that is not ok; a problem that makes the whole file doubtful throws, even
 * after yielding batches: a caller that stores them must be able to undo this.
 *
 * @throws {MailingRefused} for every cause in `MailingRefusal`
 */
export const readCsv = (
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<MailingRecord[]> => readBatches(bytes, options, createRecords(options));

/** A record with its original values: in the order of the layout (`layoutColumns`), and those beyond it. */
export interface WrittenRecord {
  record: MailingRecord;
  values: string[];
  beyond: string[];
}

/** Reads the same file with the original values, for correction. Values of a line with a wrong quote are a guess. */
export function readWritten(
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<WrittenRecord[]> {
  const recordOf = createRecords(options);
  return readBatches(bytes, options, (raw, header) => {
    const { cells, text } = raw;
    const { layout, delimiter } = header;
    const written = cells ?? text.split(delimiter);
    const positions = [...contactFields.map(({ field }) => layout.fields[field]), ...layout.extra];
    return {
      record: recordOf(raw, header),
      values: positions.map((position) => written[position] ?? ''),
      beyond: written.slice(layout.width),
    };
  });
}

export interface CsvOptions {
  /** ISO date (domain/contact.ts `createContactReader`). */
  today: string;
  extraFields: readonly ExtraField[];
  /** The contact fields in the layout; by default all. */
  fields?: readonly ContactField[];
  /** English names of extra fields, and the names that they have in the layout. */
  aliases?: Readonly<Record<string, string>>;
  limits?: Partial<CsvLimits>;
}

interface Header {
  layout: Layout;
  delimiter: Delimiter;
  /** The original values. */
  cells: readonly string[];
}

async function* readBatches<T>(
  bytes: AsyncIterable<Uint8Array>,
  { extraFields, fields, aliases, limits = {} }: CsvOptions,
  recordOf: (raw: SplitRecord, header: Header) => T,
): AsyncGenerator<T[]> {
  const { lineBytes, batchSize } = { ...defaultLimits, ...limits };
  let header: Header | undefined;
  /** Declared in the first line, `sep=;`. */
  let announced: Delimiter | undefined;
  let hasRecords = false;
  let batch: T[] = [];
  /** Lines that have not been used, and the number of the first. */
  let lines: string[] = [];
  let start = 1;

  function readStart(isEnd: boolean): void {
    while (header === undefined && lines.length > 0) {
      const text = lines[0] ?? '';
      const [, separator, padding = ''] = /^\s*"?sep=(.)"?([;,|\t ]*)$/i.exec(text) ?? [];
      const isBlankLine = text.split(/[;,|\t]/).every(isBlank);
      if (separator !== undefined || isBlankLine) {
        // With others after it, a program read it as a cell, and saved the file with its own delimiter.
        const isTrue = padding.replaceAll(separator ?? '', '').trim() === '';
        if (isTrue) announced = delimiters.find((one) => one === separator) ?? announced;
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
        // A header that quotes extend over several lines; later lines are split by its width.
        if (used === 0 && !isEnd) return;
        refuseOpenQuote(start, start + lines.length - 1);
      }
      if (first.cells === undefined) refuseOpenQuote(start, start + lines.length - 1);
      const cells = unquoted(first.cells, delimiter);
      header = { layout: readHeader(cells, extraFields, start, fields, aliases), delimiter, cells };
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
      if (record.cells?.length === 1) record.cells = unquoted(record.cells, header.delimiter);
      // From files that were concatenated.
      if (isHeader(record.cells, header)) continue;
      batch.push(recordOf(record, header));
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

/**
 * The cells of a line that is one quoted cell: a program that splits at commas has saved a file with semicolons, and
 * quoted its lines that contain commas.
 */
function unquoted(cells: readonly string[], delimiter: Delimiter): readonly string[] {
  const [only = ''] = cells;
  if (cells.length !== 1 || !only.includes(delimiter) || only.includes('\n')) return cells;
  const { records } = splitRecords([only], 1, true, {
    delimiter,
    width: null,
    recordLength: only.length + 1,
  });
  return records[0]?.cells ?? cells;
}

function isHeader(cells: readonly string[] | undefined, header: Header): boolean {
  if (cells?.[0]?.replace('\ufeff', '').trim() !== header.cells[0]?.trim()) return false;
  return header.cells.every((cell, at) => at === 0 || cells?.[at]?.trim() === cell.trim());
}

function isBlank(cell: string): boolean {
  return cell === '' || cell.trim() === '';
}

function createRecords({
  extraFields,
  today,
}: CsvOptions): (raw: SplitRecord, header: Header) => MailingRecord {
  const toContact = createContactReader(extraFields, today);
  return ({ cells, line, text, misquoted }, { layout: { width, fields, extra } }) => {
    if (cells === undefined) return { line, ok: false, problem: fault('quote_misplaced') };
    // Spreadsheets omit empty cells at the end, or write more cells than columns. A line with a value beyond the last
    // column was split at a wrong place: its values belong to other columns.
    for (let i = width; i < cells.length; i++) {
      if (!isBlank(cells[i] ?? ''))
        return { line, ok: false, problem: fault('column_count', { found: cells.length, expected: width }) };
    }
    // No function for each record: tsx names each new function, which takes longer than everything else here.
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
