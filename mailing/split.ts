import { CsvError, parse } from 'csv-parse/sync';
import type { Delimiter } from './layout.ts';

/** The cells of one record, unchanged. */
export interface SplitRecord {
  /** Its first line, from 1. */
  line: number;
  /** Undefined if a quote is wrong and the cells cannot be assigned to columns. */
  cells: readonly string[] | undefined;
  /** A quote is wrong, but splitting the line at its delimiters yields its cells. */
  misquoted: boolean;
  /** Its only or first line. */
  text: string;
}

export interface Splitting {
  delimiter: Delimiter;
  /** The number of cells in the header; null: this is the header. */
  width: number | null;
  /** The maximum length of a record over several lines, in characters. */
  recordLength: number;
}

/** A text in a cell has fewer lines. */
const mostLines = 500;

/**
 * Splits lines into records, and returns them with the number of lines used: the others may be the beginning of an
 * incomplete record.
 *
 * csv-parse splits lines with quoted cells, several at a time. A line without quotes is split at its delimiters:
 * csv-parse does the same in ten times the time, and most files have no other lines. An unclosed quote affects only its
 * line: the lines after it are part of a cell only if they do not look like records themselves.
 *
 * @param start the number of the first line
 * @param isEnd there are no more lines
 */
export function splitRecords(
  lines: readonly string[],
  start: number,
  isEnd: boolean,
  splitting: Splitting,
): { records: SplitRecord[]; used: number } {
  const { delimiter } = splitting;
  const records: SplitRecord[] = [];
  let at = 0;
  while (at < lines.length) {
    const text = lines[at] ?? '';
    if (text === '') {
      at++;
      continue;
    }
    if (!hasQuotedCell(text, delimiter)) {
      records.push({ line: start + at, cells: text.split(delimiter), misquoted: false, text });
      at++;
      continue;
    }
    let end = at;
    while (end < lines.length && isClosed(lines[end] ?? '', delimiter)) end++;
    if (end > at) {
      for (const record of splitClosed(lines.slice(at, end), start + at, splitting)) records.push(record);
      at = end;
      continue;
    }
    const open = splitOpen(lines, at, isEnd, splitting);
    if (open === 'unfinished') return { records, used: at };
    if (open === null) {
      records.push(splitMisquoted(text, start + at, splitting));
      at++;
    } else {
      records.push({ line: start + at, cells: open.cells, misquoted: false, text });
      at += open.lines;
    }
  }
  return { records, used: at };
}

const hasQuotedCell = (text: string, delimiter: Delimiter): boolean =>
  text.includes('"') && (text.startsWith('"') || text.includes(`${delimiter}"`));

/** Whether the line contains quotes, and closes all of them if they are right. */
const isClosed = (text: string, delimiter: Delimiter): boolean =>
  hasQuotedCell(text, delimiter) && quotesIn(text) % 2 === 0;

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count++;
  return count;
}

/** Records of one line each. */
function splitClosed(lines: readonly string[], start: number, splitting: Splitting): SplitRecord[] {
  const rows = parseCells(lines.join('\n'), splitting, true);
  if (rows?.length !== lines.length) {
    if (lines.length > 1)
      return lines.flatMap((text, index) => splitClosed([text], start + index, splitting));
    return [splitMisquoted(lines[0] ?? '', start, splitting)];
  }
  return rows.map((cells, index) => {
    const text = lines[index] ?? '';
    const line = start + index;
    // csv-parse keeps a quote that is followed by more text; in the right position it is one of three.
    const isRight = text.includes('"""') || !cells.some((cell) => cell.startsWith('"'));
    return isRight ? { line, cells, misquoted: false, text } : splitMisquoted(text, line, splitting);
  });
}

/**
 * The record that begins in a line with an open quote; null: the quote is a stray one. Lines that look like records
 * (with all cells of the header) would otherwise be swallowed up to a later quote.
 */
function splitOpen(
  lines: readonly string[],
  first: number,
  isEnd: boolean,
  splitting: Splitting,
): { cells: string[]; lines: number } | 'unfinished' | null {
  const { delimiter, width, recordLength } = splitting;
  const isRecord = (text: string): boolean => {
    if (width === null) return false;
    const cells = hasQuotedCell(text, delimiter)
      ? parseCells(text, splitting, false)?.[0]
      : text.split(delimiter);
    return cells?.length === width;
  };
  let text = lines[first] ?? '';
  let quotes = quotesIn(text);
  for (let at = first + 1; at < lines.length; at++) {
    const more = lines[at] ?? '';
    text += `\n${more}`;
    if (text.length > recordLength || at - first > mostLines) return null;
    const found = quotesIn(more);
    quotes += found;
    if (found === 0 || quotes % 2 === 1) {
      if (isRecord(more)) return null;
      continue;
    }
    const cells = parseCells(text, splitting, false)?.[0];
    if (cells === undefined || (width !== null && cells.slice(width).some((cell) => cell.trim() !== '')))
      return null;
    const isWhole = (lines[first] ?? '').split(delimiter).length === width;
    return isWhole && more.split(delimiter).length === width ? null : { cells, lines: at - first + 1 };
  }
  return isEnd ? null : 'unfinished';
}

/** Splits a line with a wrong quote at its delimiters. If there are more cells, some are parts of one cell. */
function splitMisquoted(text: string, line: number, { delimiter, width }: Splitting): SplitRecord {
  const cells = text.split(delimiter).map(withoutQuotes);
  return { line, cells: cells.length === width ? cells : undefined, misquoted: true, text };
}

function withoutQuotes(cell: string): string {
  if (!cell.startsWith('"')) return cell;
  const inner = /^"((?:[^"]|"")*)"$/.exec(cell)?.[1];
  return inner === undefined ? cell.replaceAll('"', '') : inner.replaceAll('""', '"');
}

/** The records of a text; undefined if a quote is wrong. */
function parseCells(
  text: string,
  { delimiter, recordLength }: Splitting,
  relaxed: boolean,
): string[][] | undefined {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: '\n',
      relax_column_count: true,
      relax_quotes: relaxed,
      max_record_size: recordLength * 2,
    });
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}
