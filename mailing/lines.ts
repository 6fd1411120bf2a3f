import { isAscii, isUtf8 } from 'node:buffer';
import { fault } from '../domain/problems/coded.ts';
import { decodeSingleByte, type SingleByte, singleByteOf } from './encoding.ts';
import { MailingRefused } from './refused.ts';

/** Lines are decoded by blocks of at most this size; so much tells an encoding of single bytes. */
const blockBytes = 64 * 1024;

/**
 * The lines of a text file, decoded, in groups as they arrive; without their \n, with a \r that stands before it. Holds
 * one block and one unfinished line.
 *
 * The encoding is UTF-8, UTF-16 (by its byte order mark) or one of single bytes (encoding.ts), and decided by the first
 * block with a line that is not plain ASCII, be it the last of the file: up to there all are the same. From then on each
 * line must be of that encoding. (A line of Windows-1252 text is hardly ever valid UTF-8, so one that is comes from
 * another file that was glued on.) A byte order mark is such a first line; it is taken away.
 *
 * @throws {MailingRefused} spreadsheet, binary, encoding_mixed, encoding_unknown, line_too_long
 */
export async function* readLines(
  bytes: AsyncIterable<Uint8Array>,
  lineBytes: number,
): AsyncGenerator<string[]> {
  const decoder = createDecoder();
  let line = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  function linesOf(block: Buffer, isEnd: boolean): string[] {
    const text = decoder.decode(block, line, isEnd);
    if (text === null) return [];
    const lines = text.split('\n');
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
        pending.push(Buffer.from(piece.subarray(0, end)));
        yield linesOf(Buffer.concat(pending), false);
        pending = [];
        pendingBytes = 0;
      }
      // A copy, because the stream may use its buffer again.
      const rest = Buffer.from(piece.subarray(end + 1));
      if (rest.length > 0) pending.push(rest);
      pendingBytes += rest.length;
      if (pendingBytes > lineBytes) refuseLongLine(line + decoder.heldLines(), lineBytes);
    }
  }
  if (pendingBytes > 0 || decoder.heldLines() > 0) yield linesOf(Buffer.concat(pending), true);
}

function refuseLongLine(line: number, lineBytes: number): never {
  throw new MailingRefused(fault('line_too_long', { line, maximum: lineBytes }));
}

/** Beginnings of files that are not text, by which people are told what they have sent. */
const signatures = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], code: 'spreadsheet', found: 'zip' },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], code: 'spreadsheet', found: 'xls' },
  { bytes: [0x25, 0x50, 0x44, 0x46], code: 'binary', found: 'pdf' },
  { bytes: [0x1f, 0x8b], code: 'binary', found: 'gzip' },
] as const;
const longestSignature = 4;

/** Passes the chunks on as UTF-8 or an encoding of single bytes, the first of them together until the beginning has been seen. */
async function* withoutBinary(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  let utf16: TextDecoder | undefined;
  const plain = (chunk: Uint8Array): Uint8Array =>
    utf16 === undefined ? chunk : Buffer.from(utf16.decode(chunk, { stream: true }));
  for await (const chunk of bytes) {
    if (head === undefined) {
      yield plain(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < longestSignature) continue;
    refuseBinary(head);
    utf16 = utf16Of(head);
    yield plain(head);
    head = undefined;
  }
  if (head !== undefined) {
    refuseBinary(head);
    utf16 = utf16Of(head);
    yield plain(head);
  }
}

/** "Unicode text" of Excel: UTF-16 with a byte order mark. */
function utf16Of(head: Uint8Array): TextDecoder | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le', { ignoreBOM: true });
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be', { ignoreBOM: true });
  return undefined;
}

function refuseBinary(head: Uint8Array): void {
  const signature = signatures.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (signature === undefined) return;
  const { code, found } = signature;
  throw new MailingRefused({ code, params: { line: null, found } });
}

/**
 * Decodes blocks of whole lines one after the other; see `readLines`. Null while more is needed to tell the encoding: the
 * lines from the first one that is not UTF-8 are held back then.
 */
function createDecoder() {
  let encoding: 'ascii' | 'UTF-8' | SingleByte = 'ascii';
  let isFirst = true;
  let held: Buffer | null = null;

  function decodeText(block: Buffer, line: number, isEnd: boolean): string | null {
    const nul = block.indexOf(0);
    if (nul !== -1) {
      const at = line + countNewlines(block.subarray(0, nul));
      throw new MailingRefused({ code: 'binary', params: { line: at, found: 'nul_byte' } });
    }
    if (isAscii(block)) return block.toString('latin1');
    if ((encoding === 'ascii' || encoding === 'UTF-8') && isUtf8(block)) {
      encoding = 'UTF-8';
      return block.toString('utf8');
    }
    if (encoding === 'ascii') {
      const from = firstBeyondAscii(block);
      const end = block.indexOf(0x0a, from);
      if (isUtf8(block.subarray(from, end === -1 ? block.length : end))) encoding = 'UTF-8';
      else {
        if (block.length - from < blockBytes && !isEnd) {
          held = block;
          return null;
        }
        const evidence = block.subarray(from, from + blockBytes);
        const found = singleByteOf(
          [...linesOfBlock(evidence)]
            .filter((one) => !isAscii(one))
            .map((one) => one.toString('latin1'))
            .join('\n'),
        );
        if (found === null) refuseUnknown(line + countNewlines(block.subarray(0, from)));
        encoding = found;
      }
    }
    let at = line;
    for (const text of linesOfBlock(block)) {
      if (!isAscii(text) && isUtf8(text) !== (encoding === 'UTF-8')) {
        const found = encoding === 'UTF-8' ? 'Windows-1252' : 'UTF-8';
        throw new MailingRefused(fault('encoding_mixed', { line: at, before: encoding, found }));
      }
      at++;
    }
    if (encoding === 'UTF-8') return block.toString('utf8');
    const latin1 = block.toString('latin1');
    if (encoding === 'Windows-1252') {
      const unassigned = latin1.search(/[\u0081\u008d\u008f\u0090\u009d]/);
      if (unassigned !== -1) refuseUnknown(line + countNewlines(block.subarray(0, unassigned)));
    }
    return decodeSingleByte(latin1, encoding);
  }

  return {
    decode(block: Buffer, line: number, isEnd: boolean): string | null {
      const whole = held === null ? block : Buffer.concat([held, Buffer.from('\n'), block]);
      held = null;
      const text = decodeText(whole, line, isEnd);
      if (text === null) return null;
      const decoded = isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
      isFirst = false;
      return decoded;
    },
    heldLines: (): number => (held === null ? 0 : countNewlines(held) + 1),
  };
}

/** Where the first line begins that is not plain ASCII. */
function firstBeyondAscii(block: Buffer): number {
  const beyond = block.findIndex((byte) => byte > 0x7f);
  return block.lastIndexOf(0x0a, beyond) + 1;
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

function refuseUnknown(line: number): never {
  throw new MailingRefused(fault('encoding_unknown', { line }));
}
