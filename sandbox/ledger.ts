import { randomBytes } from 'node:crypto';
import { joinCallback, splitCallback } from './callback-url.ts';
import { interner } from './interner.ts';
import { openLedgerFile } from './ledger-file.ts';

/** A message that the gateway has accepted. */
export interface NewEntry {
  /** E.164, with `+`. */
  to: string;
  from: string;
  body: string;
  segments: number;
  statusCallback: string | null;
}

export const entryStatuses = ['queued', 'sent', 'delivered', 'undelivered'] as const;
export type EntryStatus = (typeof entryStatuses)[number];

export interface Entry extends NewEntry {
  sid: string;
  at: Date;
  /** The query parameter `message` of the status callback: the client's own reference. */
  reference: string | null;
  status: EntryStatus;
  /** Twilio's code for an undelivered message; 0: none. */
  errorCode: number;
}

/** Counts over the entries from a given one on. A duplicate is a reference, or a number, that occurs more than once. */
export interface LedgerSummary {
  accepted: number;
  withoutReference: number;
  distinctReferences: number;
  duplicateReferences: number;
  distinctNumbers: number;
  duplicateNumbers: number;
  /** The first few, for an error message. */
  examples: { references: string[]; numbers: string[] };
}

// A million messages must fit into little memory: 52 bytes each in blocks of records, plus the text's bytes.
const RECORD = {
  at: 0,
  to: 8,
  reference: 16,
  textAt: 24,
  from: 32,
  callback: 36,
  textBytes: 40,
  errorCode: 42,
  status: 44,
  segments: 45,
  prefix: 46,
  number: 48,
};
const RECORD_BYTES = 52;
const BLOCK_RECORDS = 1 << 14;
const TEXT_BLOCK_BYTES = 1 << 20;
const EXAMPLES = 10;

export type Ledger = Awaited<ReturnType<typeof openLedger>>;

/**
 * The append-only record of every accepted message, in memory and, with `file`, on disk. From an existing file it loads
 * the messages of earlier processes whose receipts are pending, and leaves the rest on disk.
 */
export async function openLedger({ file }: { file?: string | undefined } = {}) {
  // A sid contains the entry's number in the process that accepted it, so no lookup is needed; the rest identifies the
  // process.
  const sidPrefix = `SM${randomBytes(12).toString('hex')}`;
  const prefixes = interner();
  const blocks: Buffer[] = [];
  const texts: Buffer[] = [];
  let textEnd = 0;
  let length = 0;
  const senders = interner();
  // A status callback is a pattern, the same for thousands of messages, around the reference.
  const callbacks = interner();
  /** References that are not decimal integers, by index. */
  const oddReferences = new Map<number, string>();
  let summarized: { from: number; to: number; summary: LedgerSummary } | null = null;

  const blockOf = (index: number): Buffer => {
    const block = index < length ? blocks[Math.floor(index / BLOCK_RECORDS)] : undefined;
    if (block === undefined) throw new RangeError(`The ledger has no entry ${index}.`);
    return block;
  };
  const offsetOf = (index: number): number => (index % BLOCK_RECORDS) * RECORD_BYTES;
  const readDouble = (index: number, field: number): number =>
    blockOf(index).readDoubleLE(offsetOf(index) + field);

  const writeText = (text: string): { at: number; bytes: number } => {
    const bytes = Buffer.byteLength(text);
    if (Math.floor((textEnd + bytes) / TEXT_BLOCK_BYTES) >= texts.length) {
      textEnd = texts.length * TEXT_BLOCK_BYTES;
      texts.push(Buffer.allocUnsafe(TEXT_BLOCK_BYTES));
    }
    const at = textEnd;
    texts.at(-1)?.write(text, at % TEXT_BLOCK_BYTES);
    textEnd += bytes;
    return { at, bytes };
  };
  const readText = (at: number, bytes: number): string =>
    texts[Math.floor(at / TEXT_BLOCK_BYTES)]?.toString(
      'utf8',
      at % TEXT_BLOCK_BYTES,
      (at % TEXT_BLOCK_BYTES) + bytes,
    ) ?? '';

  const referenceAt = (index: number): string | null => {
    const reference = readDouble(index, RECORD.reference);
    return Number.isNaN(reference) ? (oddReferences.get(index) ?? null) : String(reference);
  };

  const numberOf = (index: number): number => blockOf(index).readUInt32LE(offsetOf(index) + RECORD.number);
  const sidOf = (index: number): string =>
    prefixes.valueOf(blockOf(index).readUInt16LE(offsetOf(index) + RECORD.prefix)) +
    numberOf(index).toString(16).padStart(8, '0');

  function put(entry: NewEntry, at: number, prefix: string, number: number): number {
    const index = length;
    const { pattern, reference } = splitCallback(entry.statusCallback);
    const numeric = reference !== null && /^(0|[1-9]\d{0,14})$/.test(reference);
    if (reference !== null && !numeric) oddReferences.set(index, reference);
    const text = writeText(entry.body);

    if (index % BLOCK_RECORDS === 0) blocks.push(Buffer.alloc(BLOCK_RECORDS * RECORD_BYTES));
    length++;
    const block = blockOf(index);
    const offset = offsetOf(index);
    block.writeDoubleLE(at, offset + RECORD.at);
    block.writeDoubleLE(Number(entry.to.slice(1)), offset + RECORD.to);
    block.writeDoubleLE(numeric ? Number(reference) : NaN, offset + RECORD.reference);
    block.writeDoubleLE(text.at, offset + RECORD.textAt);
    block.writeUInt32LE(senders.idOf(entry.from), offset + RECORD.from);
    block.writeUInt32LE(pattern === null ? 0 : callbacks.idOf(pattern) + 1, offset + RECORD.callback);
    block.writeUInt16LE(text.bytes, offset + RECORD.textBytes);
    block.writeUInt8(entry.segments, offset + RECORD.segments);
    block.writeUInt16LE(prefixes.idOf(prefix), offset + RECORD.prefix);
    block.writeUInt32LE(number, offset + RECORD.number);
    return index;
  }

  const log =
    file === undefined
      ? null
      : await openLedgerFile(file, ({ at, sid, ...entry }) => {
          put(entry, Date.parse(at), sid.slice(0, sidPrefix.length), Number.parseInt(sid.slice(-8), 16));
        });
  const owed = length;

  function append(entry: NewEntry): number {
    const at = Date.now();
    const index = put(entry, at, sidPrefix, length - owed);
    log?.append({
      at: new Date(at).toISOString(),
      sid: sidOf(index),
      to: entry.to,
      from: entry.from,
      body: entry.body,
      reference: referenceAt(index),
      segments: entry.segments,
      statusCallback: entry.statusCallback,
    });
    return index;
  }

  function get(index: number): Entry {
    const block = blockOf(index);
    const offset = offsetOf(index);
    const callback = block.readUInt32LE(offset + RECORD.callback);
    const reference = referenceAt(index);
    return {
      sid: sidOf(index),
      at: new Date(readDouble(index, RECORD.at)),
      to: `+${readDouble(index, RECORD.to)}`,
      from: senders.valueOf(block.readUInt32LE(offset + RECORD.from)),
      body: readText(readDouble(index, RECORD.textAt), block.readUInt16LE(offset + RECORD.textBytes)),
      segments: block.readUInt8(offset + RECORD.segments),
      statusCallback: callback === 0 ? null : joinCallback(callbacks.valueOf(callback - 1), reference),
      reference,
      status: entryStatuses[block.readUInt8(offset + RECORD.status)] ?? 'queued',
      errorCode: block.readUInt16LE(offset + RECORD.errorCode),
    };
  }

  /** The first entry accepted at `since` or later: an instant, or the entry after a sid. */
  function indexSince(since: Date | string): number {
    if (typeof since === 'string') return (indexOf(since) ?? length - 1) + 1;
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (readDouble(middle, RECORD.at) < since.getTime()) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function indexOf(sid: string): number | null {
    if (!/^SM[0-9a-f]{32}$/.test(sid)) return null;
    if (!sid.startsWith(sidPrefix)) return owedIndexOf(sid);
    const index = owed + Number.parseInt(sid.slice(sidPrefix.length), 16);
    return index < length ? index : null;
  }

  function owedIndexOf(sid: string): number | null {
    const number = Number.parseInt(sid.slice(-8), 16);
    for (let index = 0; index < owed; index++) {
      if (numberOf(index) === number && sidOf(index) === sid) return index;
    }
    return null;
  }

  /**
   * Sorts copies of two columns: some hundred milliseconds for a million entries, so the result is cached until one is
   * added.
   */
  function summarize(from = 0): LedgerSummary {
    if (summarized?.from === from && summarized.to === length) return summarized.summary;
    const numbers = new Float64Array(length - from);
    const references = new Float64Array(length - from);
    const odd = new Map<string, number>();
    let numeric = 0;
    for (let index = from; index < length; index++) {
      numbers[index - from] = readDouble(index, RECORD.to);
      const reference = readDouble(index, RECORD.reference);
      if (!Number.isNaN(reference)) references[numeric++] = reference;
      const text = oddReferences.get(index);
      if (text !== undefined) odd.set(text, (odd.get(text) ?? 0) + 1);
    }
    const byNumber = countRepeated(numbers);
    const byReference = countRepeated(references.subarray(0, numeric));
    const oddRepeated = [...odd].filter(([, count]) => count > 1).map(([text]) => text);
    const oddCount = [...odd.values()].reduce((sum, count) => sum + count, 0);
    const summary = {
      accepted: length - from,
      withoutReference: length - from - numeric - oddCount,
      distinctReferences: byReference.distinct + odd.size,
      duplicateReferences: byReference.repeated + oddRepeated.length,
      distinctNumbers: byNumber.distinct,
      duplicateNumbers: byNumber.repeated,
      examples: {
        references: [...byReference.examples.map(String), ...oddRepeated].slice(0, EXAMPLES),
        numbers: byNumber.examples.map((number) => `+${number}`),
      },
    };
    summarized = { from, to: length, summary };
    return summary;
  }

  /** The newest entries first: all, or those to one number. */
  function* newestFirst(to?: string): Generator<Entry> {
    const number = to === undefined ? null : Number(to.slice(1));
    for (let index = length - 1; index >= 0; index--) {
      if (number === null || readDouble(index, RECORD.to) === number) yield get(index);
    }
  }

  return {
    append,
    get,
    sidOf,
    indexOf,
    indexSince,
    summarize,
    newestFirst,
    get length() {
      return length;
    },
    /** The number of entries, at the start, that are from earlier processes with pending receipts. */
    owed,
    /** The entry's number in the process that accepted it: it stays the same over restarts. */
    numberOf,
    takenAt: (index: number): number => readDouble(index, RECORD.at),
    hasCallback: (index: number): boolean =>
      blockOf(index).readUInt32LE(offsetOf(index) + RECORD.callback) !== 0,
    setStatus(index: number, status: EntryStatus, errorCode = 0): void {
      const block = blockOf(index);
      block.writeUInt8(entryStatuses.indexOf(status), offsetOf(index) + RECORD.status);
      block.writeUInt16LE(errorCode, offsetOf(index) + RECORD.errorCode);
    },
    /** The final receipt has arrived: after a restart none is pending. */
    finish(index: number): void {
      log?.finish(sidOf(index));
    },
    /** Resolves when the entries so far would survive a kill of this process. */
    async written(): Promise<void> {
      await log?.written();
    },
    async close(): Promise<void> {
      await log?.close();
    },
  };
}

function countRepeated(values: Float64Array): { distinct: number; repeated: number; examples: number[] } {
  const sorted = values.toSorted();
  let distinct = 0;
  const examples: number[] = [];
  let repeated = 0;
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (sorted[end] === sorted[start]) end++;
    distinct++;
    if (end - start > 1) {
      repeated++;
      if (examples.length < EXAMPLES) examples.push(sorted[start] ?? NaN);
    }
    start = end;
  }
  return { distinct, repeated, examples };
}
