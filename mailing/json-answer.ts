import type { PageFacts } from '../domain/page-signs.ts';
import { Envelope } from './envelope.ts';
import { type JsonLimits, JsonScanner } from './json-scanner.ts';
import { WebserviceRefused } from './refused.ts';

/**
 * This much of the beginning determines what an answer is, however it is split into pieces: it is read once from the
 * network and once from storage. An answer with a longer first line must declare newline-delimited JSON in its content
 * type.
 */
const beginningBytes = 64 * 1024;

/** What is known about an answer before its body is read. */
export interface JsonBody {
  host: string;
  /** From the header. */
  contentType: string;
  bytes: AsyncIterable<Buffer>;
}

/** What an answer reveals about itself and about other pages. */
export interface AnswerFacts extends PageFacts {
  /** The next page in the body: an address, or a relative one. */
  nextLink: string | null;
  /** The last record of the page, parsed; undefined if it has none. */
  lastRecord: () => unknown;
}

/**
 * The elements of one answer, in groups; if it only skims, null replaces each after the first ones. Returns what the
 * answer reveals about other pages.
 *
 * A document is an array, or an object that contains an array of objects. Newline-delimited JSON is detected by its
 * content type, or by a first line that is a complete object followed by more.
 *
 * @throws {WebserviceRefused}
 */
export async function* readJsonAnswer(
  { host, contentType, bytes }: JsonBody,
  {
    recordsPath,
    limits,
    skim = false,
    wanted = noPaths,
  }: {
    recordsPath: string | null;
    limits: JsonLimits;
    skim?: boolean;
    /** Paths of attributes beside the records that the campaign names. */
    wanted?: ReadonlySet<string>;
  },
): AsyncGenerator<unknown[], AnswerFacts> {
  const encoding = encodingOf(contentType, host);
  const envelope = new Envelope({ host, wanted });
  const scanner = (lines: boolean) =>
    new JsonScanner({ ...limits, host, recordsPath, encoding, lines, skim, envelope });
  let reading: JsonScanner | null = null;
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of bytes) {
    if (reading !== null) {
      const found = reading.push(piece);
      if (found.length > 0) yield found;
      continue;
    }
    held.push(piece);
    heldBytes += piece.length;
    const start = Buffer.concat(held, heldBytes);
    held = [start];
    const lines = isLines(start, { host, contentType, isAll: false });
    if (lines === null) continue;
    reading = scanner(lines);
    const found = reading.push(withoutMark(start));
    if (found.length > 0) yield found;
  }
  if (reading === null) {
    const start = Buffer.concat(held, heldBytes);
    const lines = isLines(start, { host, contentType, isAll: true });
    reading = scanner(lines ?? false);
    const found = reading.push(withoutMark(start));
    if (found.length > 0) yield found;
  }
  const scanned = reading;
  const found = scanned.end();
  if (found.length > 0) yield found;
  return {
    ...envelope.facts(scanned.count),
    nextLink: envelope.nextLink,
    lastRecord: () => scanned.lastRecord(),
  };
}

const noPaths: ReadonlySet<string> = new Set();

/** Throws `WebserviceRefused` if a complete answer is not JSON. Does not look for its records. */
export function requireJson(
  answer: Buffer,
  { host, contentType }: { host: string; contentType: string },
): void {
  encodingOf(contentType, host);
  isLines(answer, { host, contentType, isAll: true });
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const markLength = (start: Buffer): number =>
  start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;
/** RFC 8259, 8.1: a byte order mark is not allowed, and may be ignored. */
const withoutMark = (start: Buffer): Buffer => start.subarray(markLength(start));

/**
 * Whether an answer with this beginning is newline-delimited; null: more input is needed.
 *
 * @throws {WebserviceRefused} if it is not JSON
 */
function isLines(
  answer: Buffer,
  { host, contentType, isAll }: { host: string; contentType: string; isAll: boolean },
): boolean | null {
  const start = answer.subarray(0, beginningBytes);
  const isSeen = isAll || start.length === beginningBytes;
  // Too short for a byte order mark.
  if (!isSeen && start.length < 3) return null;
  let at = markLength(start);
  while (at < start.length && isBlank(start[at] ?? 0)) at++;
  const first = start[at];
  // UTF-16 is detected by the byte after the first one.
  if (!isSeen && at + 1 >= start.length) return null;
  if (first === undefined) {
    if (answer.length >= beginningBytes)
      throw WebserviceRefused.of({ code: 'not_json', params: { host, type: null, place: null } });
    throw WebserviceRefused.of({ code: 'empty_answer', params: { host } });
  }
  if (first === 0x3c) throw WebserviceRefused.of({ code: 'html', params: { host } });
  if (
    (first === 0xff && start[at + 1] === 0xfe) ||
    (first === 0xfe && start[at + 1] === 0xff) ||
    start[at + 1] === 0
  ) {
    throw WebserviceRefused.of({ code: 'answer_encoding', params: { host, found: 'utf-16' } });
  }
  if (/^application\/(?:x-)?(?:nd-?json|json-?lines|jsonl)\b/i.test(contentType)) return true;
  // Not the start of an object or array: handled as a document, which reports what it is.
  if (first !== 0x7b) {
    if (first === 0x5b || first === 0x22 || first === 0x2d || (first >= 0x30 && first <= 0x39)) return false;
    if (first === 0x74 || first === 0x66 || first === 0x6e) return false;
    const type = contentType.split(';')[0]?.trim() ?? '';
    const shown = /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : null;
    throw WebserviceRefused.of({ code: 'not_json', params: { host, type: shown, place: null } });
  }
  const newline = start.indexOf(0x0a, at);
  if (newline === -1) return isSeen ? false : null;
  let next = newline;
  while (next < start.length && isBlank(start[next] ?? 0)) next++;
  if (next === start.length) return isSeen ? false : null;
  if (start[next] !== 0x7b) return false;
  try {
    JSON.parse(start.toString('latin1', at, newline));
    return true;
  } catch {
    return false;
  }
}

function encodingOf(contentType: string, host: string): 'utf-8' | 'windows-1252' {
  const charset = /;\s*charset\s*=\s*"?(?<charset>[^\s";]*)/i
    .exec(contentType)
    ?.groups?.charset?.toLowerCase();
  switch (charset) {
    case undefined:
    case '':
    case 'utf-8':
    case 'utf8':
    case 'utf-8-sig':
    case 'utf_8':
    case 'us-ascii':
    case 'ascii':
      return 'utf-8';
    case 'iso-8859-1':
    case 'iso8859-1':
    case 'latin1':
    case 'latin-1':
    case 'iso-8859-15':
    case 'latin9':
    case 'windows-1252':
    case 'cp1252':
    case 'cp-1252':
    case 'ansi':
      return 'windows-1252';
    default:
      throw WebserviceRefused.of({ code: 'answer_encoding', params: { host, found: 'other' } });
  }
}
