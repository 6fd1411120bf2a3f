import { randomBytes } from 'node:crypto';
import { openAppendLog } from './append-log.ts';

/** A message that the gateway has taken. */
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

/** Counts over the entries from one on. A duplicate is a reference, or a number, that occurs more than once. */
export interface LedgerSummary {
  accepted: number;
  withoutReference: number;
  distinctReferences: number;
  duplicateReferences: number;
  distinctNumbers: number;
  duplicateNumbers: number;
  /** The first few, for a message to a person. */
  examples: { references: string[]; numbers: string[] };
}

// A million messages must fit into little memory: 48 bytes each in blocks of records, plus the text's bytes.
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
};
const RECORD_BYTES = 48;
const BLOCK_RECORDS = 1 << 14;
const TEXT_BLOCK_BYTES = 1 << 20;
const EXAMPLES = 10;

export type Ledger = Awaited<ReturnType<typeof openLedger>>;

/**
 * The append-only record of every message taken, in memory and, with `file`, as NDJSON lines appended in groups: a
 * line may reach the file some milliseconds after its message was answered.
 */
export async function openLedger({ file }: { file?: string | undefined } = {}) {
  // A sid holds the entry's index, so that none is stored and none is looked up; the rest tells ledgers apart.
  const sidPrefix = `SM${randomBytes(12).toString('hex')}`;
  const blocks: Buffer[] = [];
  const texts: Buffer[] = [];
  let textEnd = 0;
  let length = 0;
  const senders = interner();
  // A status callback is a pattern, the same for thousands of messages, around the reference.
  const callbacks = interner();
  /** References that are not the decimal form of an integer, by index. */
  const oddReferences = new Map<number, string>();
  const log = file === undefined ? null : await openAppendLog(file);
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

  const sidOf = (index: number): string => sidPrefix + index.toString(16).padStart(8, '0');

  function append(entry: NewEntry): number {
    const index = length;
    const { pattern, reference } = splitCallback(entry.statusCallback);
    const numeric = reference !== null && /^(0|[1-9]\d{0,14})$/.test(reference);
    if (reference !== null && !numeric) oddReferences.set(index, reference);
    const text = writeText(entry.body);
    const at = Date.now();

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
    log?.append({
      at: new Date(at).toISOString(),
      sid: sidOf(index),
      to: entry.to,
      from: entry.from,
      body: entry.body,
      reference,
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

  /** The first entry taken at `since` or later: an instant, or the entry after a sid. */
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
    if (!sid.startsWith(sidPrefix) || !/^[0-9a-f]{8}$/.test(sid.slice(sidPrefix.length))) return null;
    const index = Number.parseInt(sid.slice(sidPrefix.length), 16);
    return index < length ? index : null;
  }

  /** Sorts copies of two columns: some hundred milliseconds for a million entries, so it is kept until one is added. */
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
    takenAt: (index: number): number => readDouble(index, RECORD.at),
    hasCallback: (index: number): boolean =>
      blockOf(index).readUInt32LE(offsetOf(index) + RECORD.callback) !== 0,
    setStatus(index: number, status: EntryStatus, errorCode = 0): void {
      const block = blockOf(index);
      block.writeUInt8(entryStatuses.indexOf(status), offsetOf(index) + RECORD.status);
      block.writeUInt16LE(errorCode, offsetOf(index) + RECORD.errorCode);
    },
    async close(): Promise<void> {
      await log?.close();
    },
  };
}

/** Each distinct text once. */
function interner() {
  const ids = new Map<string, number>();
  const values: string[] = [];
  return {
    idOf(value: string): number {
      let id = ids.get(value);
      if (id === undefined) {
        id = values.push(value) - 1;
        ids.set(value, id);
      }
      return id;
    },
    valueOf: (id: number): string => values[id] ?? '',
  };
}

const REFERENCE_MARK = '\0';

/** Takes the reference, the query parameter `message`, out of a status callback. */
function splitCallback(url: string | null): { pattern: string | null; reference: string | null } {
  const match = url === null ? null : /[?&]message=([^&#]*)/.exec(url);
  if (url === null || match?.[1] === undefined) return { pattern: url, reference: null };
  const start = match.index + match[0].length - match[1].length;
  return {
    pattern: url.slice(0, start) + REFERENCE_MARK + url.slice(start + match[1].length),
    reference: match[1],
  };
}

const joinCallback = (pattern: string, reference: string | null): string =>
  pattern.replace(REFERENCE_MARK, () => reference ?? '');

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
