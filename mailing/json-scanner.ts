import { isAscii, isUtf8 } from 'node:buffer';
import type { ValueKind } from '../domain/problems/fields.ts';
import type { Envelope } from './envelope.ts';
import { valueKindOf } from './json-kind.ts';
import { decodeAlone } from './encoding.ts';
import { repairJson } from './json-repair.ts';
import { keepNumbers } from './json-number.ts';
import { WebserviceRefused } from './refused.ts';
import { windows1252Of } from './windows-1252.ts';

export interface JsonLimits {
  /** Nested objects and arrays. */
  depth: number;
  /** Of one record, or of one value outside the records. */
  recordBytes: number;
}

/** A part of a piece. */
interface Span {
  bytes: Buffer;
  start: number;
  end: number;
}

/** No function for each record: tsx names each new function, which takes longer than running it. */
const parseJson = (json: string, inContainer: boolean): unknown =>
  JSON.parse(inContainer ? keepNumbers(json) : json);

export interface JsonOptions extends JsonLimits {
  /** Receives the values beside the records. */
  envelope: Envelope;
  /** The host of the answer, for the sentences. */
  host: string;
  /** Dotted path of the array of records; null: the only array of objects. */
  recordsPath: string | null;
  /** A sequence of elements instead of one document. */
  lines: boolean;
  encoding: 'utf-8' | 'windows-1252';
  /** Do not parse records after the first ones: yields null for each. Their faults are found when they are parsed. */
  skim: boolean;
}

/** They distinguish one page from another. */
export const parsedAtFirst = 20;

/** The scanner's position in the frame, which determines what may come next. */
const places = {
  value: 0,
  keyOrEnd: 1,
  key: 2,
  colon: 3,
  commaOrEnd: 4,
  elementOrEnd: 5,
  element: 6,
  elementCommaOrEnd: 7,
  end: 8,
  lines: 9,
} as const;
type Place = (typeof places)[keyof typeof places];

/** The kind of value being read; `none` between two values. */
type Capture = 'none' | 'key' | 'text' | 'word' | 'container';

/**
 * Finds the records of a JSON text that arrives in pieces, with one record in memory. It scans the frame itself
 * (objects down to an array, and the start and end of each element) and passes each element to JSON.parse: one of the
 * two checks every byte, unless the scanner only skims.
 *
 * Not a streaming parser, which builds each record from tokens in JavaScript and takes twice the time (measured in
 * docs/decisions/0013); and none limits the depth or the size of a record. test/unit/json-scanner.test.ts compares it
 * with JSON.parse.
 */
export class JsonScanner {
  readonly #options: JsonOptions;
  #place: Place;
  /** Keys down to the open object or array. */
  #path: string[] = [];
  #depthOfObjects = 0;
  #inArray = false;
  #hasElements = false;
  /** The path of the array of records; null: not found yet. */
  #records: string | null = null;
  #isRecords = false;
  /** No longer parse the records of this array. */
  #skims = false;
  #metRecordsPath = false;
  #emptyArrays = 0;
  #otherArray: { path: string; kind: ValueKind } | null = null;
  #count = 0;
  /** The positions of the last element and of the last record. */
  #element: Span | null = null;
  #last: Span | null = null;

  #capture: Capture = 'none';
  /** The number of open containers in the one being captured. */
  #open = 0;
  #inText = false;
  #escaped = false;
  /** The captured bytes from earlier pieces; doubles in size, so that many small pieces do not copy it each time. */
  #held = Buffer.alloc(0);
  #heldLength = 0;
  /** Bytes of the answer before the current piece. */
  #before = 0;
  /** Where in the answer the capture begins. */
  #capturedFrom = 0;

  constructor(options: JsonOptions) {
    this.#options = options;
    this.#place = options.lines ? places.lines : places.value;
  }

  /** The number of records so far. */
  get count(): number {
    return this.#count;
  }

  /** The last record; undefined for none. */
  lastRecord(): unknown {
    if (this.#last === null) return undefined;
    this.#capture = 'container';
    return this.#parse(this.#last.bytes, this.#last.start, this.#last.end);
  }

  /** The elements that this piece completes. */
  push(piece: Buffer): unknown[] {
    const found: unknown[] = [];
    let at = 0;
    let start = 0;
    while (at < piece.length) {
      if (this.#capture === 'none') {
        const byte = piece[at] ?? 0;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
          at++;
          continue;
        }
        start = at;
        this.#capturedFrom = this.#before + at;
        at = this.#step(byte, at);
        continue;
      }
      const end = this.#endOfCapture(piece, at);
      if (end === -1) break;
      this.#take(piece, start, end, found);
      at = end;
      start = end;
    }
    if (this.#capture !== 'none') this.#hold(piece, start);
    this.#before += piece.length;
    return found;
  }

  /** The last elements, at the end of the input. */
  end(): unknown[] {
    const found: unknown[] = [];
    if (this.#capture === 'word') this.#take(Buffer.alloc(0), 0, 0, found);
    const isWhole = this.#place === places.end || (this.#place === places.lines && this.#capture === 'none');
    if (!isWhole) {
      throw WebserviceRefused.of({ code: 'cut_off', params: { host: this.#options.host } });
    }
    this.#judge();
    return found;
  }

  /** One byte of the frame. Returns the next position. */
  #step(byte: number, at: number): number {
    switch (this.#place) {
      case places.value:
        return this.#beginValue(byte, at);
      case places.element:
      case places.lines:
        return this.#beginElement(byte, at);
      case places.elementOrEnd:
        if (byte === 0x5d) return this.#closeArray(at);
        return this.#beginElement(byte, at);
      case places.elementCommaOrEnd:
        if (byte === 0x5d) return this.#closeArray(at);
        if (byte !== 0x2c) throw this.#notJson(at);
        this.#place = places.element;
        return at + 1;
      case places.keyOrEnd:
        if (byte === 0x7d) return this.#closeObject(at);
        return this.#beginKey(byte, at);
      case places.key:
        return this.#beginKey(byte, at);
      case places.colon:
        if (byte !== 0x3a) throw this.#notJson(at);
        this.#place = places.value;
        return at + 1;
      case places.commaOrEnd:
        if (byte === 0x7d) return this.#closeObject(at);
        if (byte !== 0x2c) throw this.#notJson(at);
        this.#path.pop();
        this.#place = places.key;
        return at + 1;
      case places.end:
        throw this.#notJson(at);
    }
  }

  #beginKey(byte: number, at: number): number {
    if (byte !== 0x22) throw this.#notJson(at);
    this.#capture = 'key';
    return at + 1;
  }

  #beginValue(byte: number, at: number): number {
    if (byte === 0x7b) {
      this.#deeper(this.#path.length + 1);
      this.#depthOfObjects++;
      this.#place = places.keyOrEnd;
      return at + 1;
    }
    if (byte === 0x5b) {
      this.#deeper(this.#path.length + 1);
      this.#openArray();
      return at + 1;
    }
    this.#capture = byte === 0x22 ? 'text' : 'word';
    return at + 1;
  }

  #beginElement(byte: number, at: number): number {
    if (byte === 0x7b || byte === 0x5b) {
      this.#capture = 'container';
      this.#open = 1;
      this.#deeper(this.#path.length + 2);
    } else this.#capture = byte === 0x22 ? 'text' : 'word';
    return at + 1;
  }

  #openArray(): void {
    this.#inArray = true;
    this.#hasElements = false;
    this.#place = places.elementOrEnd;
    const path = this.#path.join('.');
    const { recordsPath } = this.#options;
    this.#isRecords = recordsPath !== null && path === recordsPath;
    if (this.#isRecords) {
      this.#metRecordsPath = true;
      this.#chooseRecords(path);
    }
  }

  #closeArray(at: number): number {
    this.#inArray = false;
    const { envelope } = this.#options;
    if (!this.#hasElements && (this.#isRecords || !envelope.isAside(this.#path))) {
      this.#emptyArrays++;
      envelope.emptyList(this.#path);
    }
    this.#isRecords = false;
    this.#skims = false;
    this.#afterValue();
    return at + 1;
  }

  #closeObject(at: number): number {
    // After the first `{` there is no key to remove.
    if (this.#place === places.commaOrEnd) this.#path.pop();
    this.#depthOfObjects--;
    this.#afterValue();
    return at + 1;
  }

  #afterValue(): void {
    this.#place = this.#depthOfObjects === 0 ? places.end : places.commaOrEnd;
  }

  /** The end of the capture, after its last byte; -1 if it is not in this piece. */
  #endOfCapture(piece: Buffer, from: number): number {
    const { length } = piece;
    if (this.#capture === 'word') {
      for (let at = from; at < length; at++) {
        const byte = piece[at] ?? 0;
        if (byte <= 0x20 || byte === 0x2c || byte === 0x5d || byte === 0x7d) return at;
      }
      return -1;
    }
    if (this.#capture === 'container') return this.#endOfContainer(piece, from);
    for (let at = from; at < length; at++) {
      const byte = piece[at];
      if (this.#escaped) this.#escaped = false;
      else if (byte === 0x5c) this.#escaped = true;
      else if (byte === 0x22) return at + 1;
    }
    return -1;
  }

  /** The innermost loop: it processes each byte of every record. */
  #endOfContainer(piece: Buffer, from: number): number {
    const { length } = piece;
    const deepest = this.#options.depth - this.#path.length - 1;
    let open = this.#open;
    let inText = this.#inText;
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    for (; at < length; at++) {
      const byte = piece[at];
      if (inText) {
        if (byte === 0x22) inText = false;
        else if (byte === 0x5c) at++;
      } else if (byte === 0x22) inText = true;
      else if (byte === 0x7b || byte === 0x5b) {
        if (++open > deepest) this.#deeper(Infinity);
      } else if ((byte === 0x7d || byte === 0x5d) && --open === 0) {
        this.#open = 0;
        this.#inText = false;
        return at + 1;
      }
    }
    // The last byte was a backslash: the escaped character is in the next piece.
    this.#escaped = at > length;
    this.#open = open;
    this.#inText = inText;
    return -1;
  }

  /** Ends the capture with its rest in `piece`, and processes it by its position in the frame. */
  #take(piece: Buffer, start: number, end: number, found: unknown[]): void {
    const kind = this.#capture;
    const isParsed = !this.#skims || kind !== 'container';
    let value: unknown = null;
    if (this.#heldLength > 0) {
      this.#hold(piece.subarray(0, end), start);
      if (isParsed) value = this.#parse(this.#held, 0, this.#heldLength);
      // A copy, because the next capture reuses the buffer.
      if (kind === 'container') {
        const bytes = Buffer.from(this.#held.subarray(0, this.#heldLength));
        this.#element = { bytes, start: 0, end: bytes.length };
      }
      this.#heldLength = 0;
    } else {
      if (end - start > this.#options.recordBytes) throw this.#tooLarge();
      if (isParsed) value = this.#parse(piece, start, end);
      if (kind === 'container') this.#element = { bytes: piece, start, end };
    }
    this.#capture = 'none';
    if (kind === 'key') {
      this.#path.push(String(value));
      this.#place = places.colon;
    } else if (this.#place === places.lines) this.#takeElement(value, found);
    else if (this.#inArray) {
      this.#takeElement(value, found);
      this.#place = places.elementCommaOrEnd;
    } else {
      this.#takeValue(value);
      this.#afterValue();
    }
  }

  #takeValue(value: unknown): void {
    if (this.#path.length === 0) {
      this.#otherArray = { path: '', kind: valueKindOf(value) };
      return;
    }
    const path = this.#path.join('.');
    // Services written in Go send null for an empty list.
    if (path === this.#options.recordsPath && value === null) this.#metRecordsPath = true;
    this.#options.envelope.take(this.#path, value);
  }

  #takeElement(value: unknown, found: unknown[]): void {
    const isFirst = !this.#hasElements;
    this.#hasElements = true;
    const { envelope, lines, skim } = this.#options;
    if (!lines && !this.#isRecords && envelope.isAside(this.#path)) {
      envelope.takeAside(this.#path, value);
      return;
    }
    if (isFirst) this.#judgeFirst(value);
    if (!this.#isRecords) return;
    if (this.#count === 0) envelope.requireContact(value);
    this.#count++;
    this.#last = this.#element;
    found.push(value);
    this.#skims = skim && this.#count >= parsedAtFirst;
  }

  /** The first element decides whether an array contains records. */
  #judgeFirst(value: unknown): void {
    const path = this.#path.join('.');
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const { recordsPath, lines } = this.#options;
    if (!isObject) {
      if (this.#isRecords || lines || this.#path.length === 0)
        throw this.#notRecords(path, valueKindOf(value));
      this.#otherArray ??= { path, kind: valueKindOf(value) };
      return;
    }
    if (recordsPath !== null && !lines) return;
    if (this.#records !== null) {
      const params = { host: this.#options.host, paths: [this.#records, path] };
      throw WebserviceRefused.of({ code: 'records_ambiguous', params });
    }
    this.#chooseRecords(path);
  }

  #chooseRecords(path: string): void {
    this.#options.envelope.listOfRecords(this.#path);
    this.#records = path;
    this.#isRecords = true;
  }

  /** Whether there was a list of records, once everything has been read. */
  #judge(): void {
    const { host, recordsPath, lines, envelope } = this.#options;
    const hasList = this.#records !== null || this.#metRecordsPath || lines || this.#emptyArrays > 0;
    envelope.requireWell({ records: this.#count, hasList });
    if (this.#records !== null || this.#metRecordsPath || lines) return;
    if (recordsPath !== null) {
      throw WebserviceRefused.of({ code: 'no_records', params: { host, path: recordsPath } });
    }
    if (this.#emptyArrays > 0) return;
    if (this.#otherArray !== null) throw this.#notRecords(this.#otherArray.path, this.#otherArray.kind);
    throw WebserviceRefused.of({ code: 'no_records', params: { host, path: null } });
  }

  #notRecords(path: string, found: ValueKind): WebserviceRefused {
    const { host } = this.#options;
    const isAlone = path === '' && !this.#inArray && !this.#options.lines;
    const within = isAlone ? ('answer' as const) : ('list' as const);
    return WebserviceRefused.of({ code: 'not_records', params: { host, found, path, within } });
  }

  #parse(bytes: Buffer, start: number, end: number): unknown {
    const text = this.#decode(bytes, start, end);
    const inContainer = this.#capture === 'container';
    try {
      return parseJson(text, inContainer);
    } catch {
      // Below.
    }
    try {
      return parseJson(repairJson(text), inContainer);
    } catch {
      throw this.#notJson(this.#capturedFrom - this.#before);
    }
  }

  /**
   * Valid UTF-8 with a multi-byte character is UTF-8, whatever the header declares. Invalid UTF-8 that the header does
   * not explain is decoded separately, like the lines of a file.
   */
  #decode(bytes: Buffer, start: number, end: number): string {
    if (this.#options.encoding === 'utf-8') {
      const text = bytes.toString('utf8', start, end);
      return text.includes('\ufffd') ? decodeAlone(bytes.subarray(start, end)) : text;
    }
    const part = bytes.subarray(start, end);
    return !isAscii(part) && isUtf8(part) ? part.toString('utf8') : windows1252Of(part.toString('latin1'));
  }

  #hold(piece: Buffer, start: number): void {
    const more = piece.length - start;
    const needed = this.#heldLength + more;
    if (needed > this.#options.recordBytes) throw this.#tooLarge();
    if (this.#held.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#held.length * 2, 4096));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    piece.copy(this.#held, this.#heldLength, start);
    this.#heldLength = needed;
  }

  #deeper(depth: number): void {
    if (depth <= this.#options.depth) return;
    const { host, depth: maximum } = this.#options;
    throw WebserviceRefused.of({ code: 'too_deep', params: { host, maximum } });
  }

  #tooLarge(): WebserviceRefused {
    const { host, recordBytes } = this.#options;
    const record = this.#isRecords || this.#options.lines ? this.#count + 1 : null;
    return WebserviceRefused.of({ code: 'record_too_large', params: { host, record, bytes: recordBytes } });
  }

  #notJson(at: number): WebserviceRefused {
    const place = { records: this.#count, byte: this.#before + at + 1 };
    return WebserviceRefused.of({
      code: 'not_json',
      params: { host: this.#options.host, type: null, place },
    });
  }
}
