import { isAscii, isUtf8 } from 'node:buffer';
import { fault } from '../domain/problems/coded.ts';
import { decodeAlone, decodeSingleByte, type SingleByte, singleByteOf } from './encoding.ts';
import { MailingRefused } from './refused.ts';

/** The maximum size of a decoded block, and the amount that determines a single-byte encoding. */
const blockBytes = 64 * 1024;

/**
 * The decoded lines of a text file, in groups as they arrive; without their \n and a \r before it. One block and one
 * unfinished line are in memory.
 *
 * The encoding is UTF-8, UTF-16 or a single-byte one (encoding.ts). The first block with a line beyond plain ASCII
 * decides it, even if it is the last one: all are equal up to there. A line in another encoding affects only itself. A
 * line of valid UTF-8 is always decoded as UTF-8, because single-byte text is hardly ever valid UTF-8. Another line in
 * a UTF-8 file is decoded separately if its encoding is certain; otherwise U+FFFD replaces each invalid byte. Removes a
 * byte order mark.
 *
 * @throws {MailingRefused} spreadsheet, binary, encoding_unknown, line_too_long
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
      // No character needs more than 3 bytes per UTF-16 unit.
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
      // A copy, because the stream may reuse its buffer.
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

/** First bytes of files that are not text, to name the type that the user uploaded. */
const signatures = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], code: 'spreadsheet', found: 'zip' },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], code: 'spreadsheet', found: 'xls' },
  { bytes: [0x25, 0x50, 0x44, 0x46], code: 'binary', found: 'pdf' },
  { bytes: [0x1f, 0x8b], code: 'binary', found: 'gzip' },
] as const;
const longestSignature = 4;

/** Rejects binary files. Passes on the chunks, the first of them joined until the beginning is complete. */
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

/** Excel's "Unicode text": UTF-16, with or without a byte order mark, because a header begins with ASCII. */
function utf16Of([first, second, third, fourth]: Uint8Array): TextDecoder | undefined {
  const isLittle =
    (first === 0xff && second === 0xfe) || (second === 0 && fourth === 0 && first !== 0 && third !== 0);
  if (isLittle) return new TextDecoder('utf-16le', { ignoreBOM: true });
  const isBig =
    (first === 0xfe && second === 0xff) || (first === 0 && third === 0 && second !== 0 && fourth !== 0);
  return isBig ? new TextDecoder('utf-16be', { ignoreBOM: true }) : undefined;
}

function refuseBinary(head: Uint8Array): void {
  const signature = signatures.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (signature === undefined) return;
  const { code, found } = signature;
  throw new MailingRefused({ code, params: { line: null, found } });
}

/**
 * Decodes consecutive blocks of whole lines; see `readLines`. Returns null while it needs more to determine the
 * encoding: it then holds back the lines from the first one that is not UTF-8.
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
        // Its last line may be cut in the middle of a character.
        const evidence = [...linesOfBlock(block.subarray(from, from + blockBytes))];
        if (block.length - from > blockBytes && evidence.length > 1) evidence.pop();
        const beyond = evidence.filter((one) => !isAscii(one));
        const others = beyond.filter((one) => !isUtf8(one));
        if (others.length * 2 < beyond.length) encoding = 'UTF-8';
        else {
          const found = singleByteOf(others.map((one) => one.toString('latin1')).join('\n'));
          if (found === null) refuseUnknown(line + countNewlines(block.subarray(0, from)));
          encoding = found;
        }
      }
    }
    const texts: string[] = [];
    for (const one of linesOfBlock(block)) {
      if (isUtf8(one)) texts.push(one.toString('utf8'));
      else if (encoding === 'UTF-8') texts.push(decodeAlone(one));
      else {
        const latin1 = one.toString('latin1');
        if (encoding === 'Windows-1252' && /[\u0081\u008d\u008f\u0090\u009d]/.test(latin1))
          refuseUnknown(line + texts.length);
        texts.push(decodeSingleByte(latin1, encoding));
      }
    }
    return texts.join('\n');
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

/** The start of the first line beyond plain ASCII. */
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
