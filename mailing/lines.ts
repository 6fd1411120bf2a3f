import { isAscii, isUtf8 } from 'node:buffer';
import { MailingRefused } from './refused.ts';
import { windows1252Of } from './windows-1252.ts';

/** Lines are decoded by blocks of this size, whatever the size of the chunks they come in. */
const blockBytes = 64 * 1024;

/**
 * The lines of a text file, decoded, in groups as they arrive; without their \n, with a \r that stands before it. Holds
 * one block and one unfinished line.
 *
 * The encoding is UTF-8 or Windows-1252, and decided by the first line that is not plain ASCII, be it the last of the
 * file: up to there both are the same. From then on each line must be of that encoding. (A line of Windows-1252 text is
 * hardly ever valid UTF-8, so one that is comes from another file that was glued on.) A byte order mark is such a first
 * line; it is taken away.
 *
 * @throws {MailingRefused} spreadsheet, binary, encoding_utf16, encoding_mixed, encoding_unknown, line_too_long
 */
export async function* readLines(
  bytes: AsyncIterable<Uint8Array>,
  lineBytes: number,
): AsyncGenerator<string[]> {
  const decode = createDecoder();
  let line = 1;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;

  function linesOf(block: Buffer): string[] {
    const lines = decode(block, line).split('\n');
    for (let i = 0; i < lines.length; i++) {
      const text = lines[i] ?? '';
      // No character takes more than 3 bytes for each UTF-16 unit.
      if (text.length * 3 > lineBytes && Buffer.byteLength(text) > lineBytes)
        refuseLongLine(line + i, lineBytes);
    }
    line += lines.length;
    return lines;
  }

  for await (const chunk of withoutBinary(bytes)) {
    for (let start = 0; start < chunk.length; start += blockBytes) {
      const piece = chunk.subarray(start, start + blockBytes);
      const end = piece.lastIndexOf(0x0a);
      if (end !== -1) {
        pending.push(piece.subarray(0, end));
        yield linesOf(Buffer.concat(pending));
        pending = [];
        pendingBytes = 0;
      }
      // A copy, because the stream may use its buffer again.
      const rest = Buffer.from(piece.subarray(end + 1));
      if (rest.length > 0) pending.push(rest);
      pendingBytes += rest.length;
      if (pendingBytes > lineBytes) refuseLongLine(line, lineBytes);
    }
  }
  if (pendingBytes > 0) yield linesOf(Buffer.concat(pending));
}

function refuseLongLine(line: number, lineBytes: number): never {
  throw new MailingRefused('line_too_long', `Line ${line} is longer than ${lineBytes} bytes.`, {
    line,
    expected: `lines of at most ${lineBytes} bytes`,
  });
}

/** Beginnings of files that are not text, by which people are told what they have sent. */
const signatures = [
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    code: 'spreadsheet',
    what: 'an Excel workbook (xlsx) or another ZIP archive',
  },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], code: 'spreadsheet', what: 'an Excel workbook (xls)' },
  { bytes: [0xff, 0xfe], code: 'encoding_utf16', what: 'text in UTF-16 ("Unicode text" in Excel)' },
  { bytes: [0xfe, 0xff], code: 'encoding_utf16', what: 'text in UTF-16 (big-endian)' },
  { bytes: [0x25, 0x50, 0x44, 0x46], code: 'binary', what: 'a PDF document' },
  { bytes: [0x1f, 0x8b], code: 'binary', what: 'a gzip archive' },
] as const;
const longestSignature = 4;

const wanted = 'a CSV file in UTF-8 or Windows-1252';

/** Passes the chunks on, the first of them together until the file's beginning has been seen. */
async function* withoutBinary(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of bytes) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < longestSignature) continue;
    refuseBinary(head);
    yield head;
    head = undefined;
  }
  if (head !== undefined) {
    refuseBinary(head);
    yield head;
  }
}

function refuseBinary(head: Uint8Array): void {
  const signature = signatures.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (signature === undefined) return;
  throw new MailingRefused(
    signature.code,
    `The file is ${signature.what}. Save it as ${wanted} (in Excel: "CSV UTF-8") and send that.`,
    { expected: wanted, found: signature.what },
  );
}

/** Decodes blocks of whole lines one after the other; see `readLines`. */
function createDecoder(): (block: Buffer, line: number) => string {
  let encoding: 'ascii' | 'utf-8' | 'windows-1252' = 'ascii';
  let isFirst = true;

  function decodeText(block: Buffer, line: number): string {
    const nul = block.indexOf(0);
    if (nul !== -1) refuseNul(line + countNewlines(block.subarray(0, nul)));
    if (isAscii(block)) return block.toString('latin1');
    if (encoding !== 'windows-1252' && isUtf8(block)) {
      encoding = 'utf-8';
      return block.toString('utf8');
    }
    let at = line;
    for (const text of linesOfBlock(block)) {
      if (!isAscii(text)) {
        const found = isUtf8(text) ? 'utf-8' : 'windows-1252';
        if (encoding === 'ascii') encoding = found;
        if (encoding !== found) refuseMixed(at, encoding, found);
      }
      at++;
    }
    return decode1252(block, line);
  }

  return (block, line) => {
    const text = decodeText(block, line);
    const decoded = isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
    isFirst = false;
    return decoded;
  };
}

function* linesOfBlock(block: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = block.indexOf(0x0a); end !== -1; end = block.indexOf(0x0a, start)) {
    yield block.subarray(start, end);
    start = end + 1;
  }
  yield block.subarray(start);
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count++;
  return count;
}

function refuseNul(line: number): never {
  throw new MailingRefused(
    'binary',
    `Line ${line} has a NUL byte: the file is no text, or is text in UTF-16. Save it as ${wanted} and send that.`,
    { line, expected: wanted, found: 'a NUL byte' },
  );
}

function refuseMixed(line: number, before: string, found: string): never {
  throw new MailingRefused(
    'encoding_mixed',
    `The file is in ${before} up to line ${line - 1}, but line ${line} is in ${found}. Save all of it in one encoding.`,
    { line, expected: before, found },
  );
}

function refuseUnknown(line: number): never {
  throw new MailingRefused('encoding_unknown', `Line ${line} is neither UTF-8 nor Windows-1252.`, {
    line,
    expected: wanted,
  });
}

function decode1252(block: Buffer, line: number): string {
  const latin1 = block.toString('latin1');
  const unassigned = latin1.search(/[\u0081\u008d\u008f\u0090\u009d]/);
  if (unassigned !== -1) refuseUnknown(line + countNewlines(block.subarray(0, unassigned)));
  return windows1252Of(latin1);
}
