import { z } from 'zod';

/**
 * Splits a text into SMS segments, which providers bill.
 *
 * The alphabet and its extension are those of 3GPP TS 23.038 ("GSM 03.38"), 6.2.1: a segment holds 140 bytes, which is
 * 160 septets or 70 UTF-16 units. In a text of several segments, each loses some of them to the header that joins them.
 * A profile describes how a provider differs.
 */

/** In order of their codes, without the escape (0x1B). */
export const gsmBasic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

/** Each costs two septets: the escape and itself. */
export const gsmExtension = '\f^{}\\[~]|€';

/**
 * The tables of Portuguese: 3GPP TS 23.038, A.3.3 (locking shift, which replaces the alphabet) and A.2.3 (single shift,
 * which replaces its extension).
 */
const portugueseLocking =
  '@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|ÂâÊÉ !"#º%&\'()*+,-./0123456789:;<=>?' +
  'ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà';
const portugueseSingle = 'êç\fÔôÁáΦΓ^ΩΠΨΣΘÊ{}\\[~]|ÀÍÓÚÃÕÂ€íóúãõâ';

const ascii = (characters: string): string => characters.replaceAll(/[^\0-\x7f]/g, '');

/** Which tables of a language replace the standard ones. */
export type NationalShift = 'locking' | 'single' | 'both';

/** A table of seven-bit characters, and how many of them a segment holds. */
interface GsmTable {
  /** Null: the standard alphabet, which every phone supports. */
  readonly shift: NationalShift | null;
  /** Septets of each UTF-16 code: 1, 2 (extension), or 0 for a character that the table does not contain. */
  readonly septets: Uint8Array;
  /** Septets in the segment of a one-segment text, and in each of several. */
  readonly single: number;
  readonly split: number;
}

export interface SegmentProfile {
  readonly name: string;
  /** The first is the standard alphabet, and is used for every text that fits it. */
  readonly tables: readonly GsmTable[];
  /** The table that `removeAccents` converts to when a text fits no table. */
  readonly septets: Uint8Array;
  /** The replacement of a UTF-16 code outside that table by `removeAccents`; undefined: none, the character stays. */
  readonly plain: readonly (string | undefined)[];
  /** UTF-16 units in the segment of a one-segment text, and in each of several. */
  readonly ucs2: { readonly single: number; readonly split: number };
  /** The provider splits only at spaces: a segment may end early, and a word longer than a segment is refused. */
  readonly cutsAtSpaces: boolean;
  /** The longest text that the provider accepts, in UTF-16 units; null: only the segments are limited. */
  readonly maxCharacters: number | null;
}

export interface Segmentation {
  encoding: 'GSM-7' | 'UCS-2';
  /** The GSM-7 tables of the text; null: the standard ones. */
  shift: NationalShift | null;
  /** Septets (GSM-7) or UTF-16 units (UCS-2) used. */
  characters: number;
  /** 0 for the empty text. */
  segments: number;
  /** Septets or UTF-16 units left in the last segment. */
  remaining: number;
  /** A word is longer than a segment and the provider splits only at spaces, so it refuses the text. */
  cutsWord: boolean;
}

/**
 * Segments of `text` as the provider counts them: in the standard alphabet if it fits; else by the language tables that
 * need the fewest segments; else in UCS-2. A grapheme is never split: it moves to the next segment, and the space it
 * leaves is lost.
 */
export function segmentsOf(text: string, profile: SegmentProfile): Segmentation {
  let best: Segmentation | null = null;
  for (const table of profile.tables) {
    const characters = septetsIn(text, table.septets);
    if (characters === null) continue;
    const pieces = characters <= table.single ? null : cutSeptets(text, table, profile);
    const counted = segmentation('GSM-7', table.shift, characters, table, pieces);
    if (table.shift === null) return counted;
    if (best === null || counted.segments < best.segments) best = counted;
  }
  if (best !== null) return best;
  const { ucs2 } = profile;
  const pieces = text.length <= ucs2.single ? null : cutUnits(text, profile);
  return segmentation('UCS-2', null, text.length, ucs2, pieces);
}

/** Null: the table does not contain a character. */
function septetsIn(text: string, septets: Uint8Array): number | null {
  let used = 0;
  for (let i = 0; i < text.length; i++) {
    const cost = septets[text.charCodeAt(i)];
    if (cost === undefined || cost === 0) return null;
    used += cost;
  }
  return used;
}

/** How a text is split into several segments. */
interface Pieces {
  segments: number;
  /** Of the last segment. */
  used: number;
  cutsWord: boolean;
}

/**
 * Without spread syntax: V8 takes microseconds for one, and this runs for each line of a mailing.
 *
 * @param pieces null: there is at most one segment
 */
function segmentation(
  encoding: Segmentation['encoding'],
  shift: NationalShift | null,
  characters: number,
  { single, split }: { single: number; split: number },
  pieces: Pieces | null,
): Segmentation {
  return {
    encoding,
    shift,
    characters,
    segments: pieces === null ? (characters === 0 ? 0 : 1) : pieces.segments,
    remaining: pieces === null ? single - characters : split - pieces.used,
    cutsWord: pieces !== null && pieces.cutsWord,
  };
}

function cutSeptets(text: string, { septets, split }: GsmTable, { cutsAtSpaces }: SegmentProfile): Pieces {
  let segments = 1;
  let used = 0;
  // The length since the last space of the segment; all of it when it has none: such a word is split in its middle.
  let word = 0;
  let cutsWord = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const cost = septets[code] ?? 1;
    if (used + cost > split) {
      segments++;
      if (cutsAtSpaces && word === used && code !== 0x20) cutsWord = true;
      used = cutsAtSpaces && word < used ? word : 0;
      word = used;
    }
    used += cost;
    word = code === 0x20 ? 0 : word + cost;
  }
  return { segments, used, cutsWord };
}

function cutUnits(text: string, { ucs2: { split }, cutsAtSpaces }: SegmentProfile): Pieces {
  let segments = 1;
  let start = 0;
  let cutsWord = false;
  while (text.length - start > split) {
    const full = start + split;
    const space = cutsAtSpaces ? text.lastIndexOf(' ', full - 1) : -1;
    if (space >= start) start = space + 1;
    else {
      if (cutsAtSpaces && text[full] !== ' ') cutsWord = true;
      start = cutBefore(text, start, full);
    }
    segments++;
  }
  return { segments, used: text.length - start, cutsWord };
}

/** The end of a segment from `start` that is full at `full`; splits a grapheme only if it fills the segment. */
function cutBefore(text: string, start: number, full: number): number {
  const whole = graphemeAt(text, full);
  if (whole > start) return whole;
  return isPair(text.charCodeAt(full - 1), text.charCodeAt(full)) ? full - 1 : full;
}

const graphemes = new Intl.Segmenter('pt', { granularity: 'grapheme' });

/** The start of the grapheme that contains the unit at `index`. */
function graphemeAt(text: string, index: number): number {
  // Nothing below the combining marks joins: usually no look-up is needed.
  if (text.charCodeAt(index) < 0x300 && text.charCodeAt(index - 1) < 0x300) return index;
  return graphemes.segment(text).containing(index)?.index ?? index;
}

function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** The distinct characters that do not fit GSM-7, in order of appearance: "ã", "🎉". */
export function charactersOutside(text: string, profile: SegmentProfile): string[] {
  if (segmentsOf(text, profile).encoding === 'GSM-7') return [];
  const isOutside = (character: string, { septets }: Pick<GsmTable, 'septets'>): boolean =>
    character.length > 1 || septets[character.charCodeAt(0)] === 0;
  const characters = [...new Set(text)];
  const outside = characters.filter((character) =>
    profile.tables.every((table) => isOutside(character, table)),
  );
  // Each character is in some table, but no table contains all.
  return outside.length > 0 ? outside : characters.filter((character) => isOutside(character, profile));
}

/**
 * Replaces each character that the profile's alphabet lacks with a plain equivalent: ã → a, º → o, “ → ", … → ...
 * Characters of the alphabet stay: `gsm` keeps é, `zenvia` changes it to e. Characters without an equivalent stay too
 * (an emoji makes the message UCS-2, which the preview shows; it is never dropped).
 */
export function removeAccents(text: string, profile: SegmentProfile): string {
  const { septets, plain, tables } = profile;
  if (tables.length > 1 && tables.some((table) => septetsIn(text, table.septets) !== null)) return text;
  let result = '';
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (septets[code] !== 0) continue;
    // "e" + combining acute is "é", which the alphabet may contain: compose first, then check again.
    if (isCombiningMark(code)) {
      const composed = text.normalize('NFC');
      if (composed !== text) return removeAccents(composed, profile);
    }
    const equivalent = plain[code];
    if (equivalent === undefined) continue;
    result += text.slice(copied, i) + equivalent;
    copied = i + 1;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function isCombiningMark(code: number): boolean {
  return code >= 0x300 && code <= 0x36f;
}

/** Equivalents that Unicode's compatibility decomposition (NFKD) lacks, or gives badly. */
const chosenEquivalents: Readonly<Record<string, string>> = {
  '\t': ' ',
  '`': "'",
  '´': "'",
  '¨': '"',
  '¸': ',',
  '¯': '-',
  '˜': '~',
  ˆ: '^',
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  '′': "'",
  '‹': "'",
  '›': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '″': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  '•': '-',
  '·': '.',
  '°': 'o',
  '×': 'x',
  '÷': '/',
  '⁄': '/',
  '©': '(C)',
  '®': '(R)',
  Æ: 'AE',
  æ: 'ae',
  Œ: 'OE',
  œ: 'oe',
  Ø: 'O',
  ø: 'o',
  ß: 'ss',
  Ð: 'D',
  ð: 'd',
  Đ: 'D',
  đ: 'd',
  Ł: 'L',
  ł: 'l',
  ı: 'i',
  Þ: 'Th',
  þ: 'th',
  // Invisible characters, copied along from web pages: removing them loses nothing.
  '\u00ad': '',
  '\u200b': '',
  '\u200e': '',
  '\u200f': '',
  '\u2060': '',
  '\ufeff': '',
  '\u2028': '\n',
  '\u2029': '\n',
};

/** The plain equivalent of each UTF-16 code, before any alphabet is checked. */
const equivalents: readonly (string | undefined)[] = (() => {
  const table: (string | undefined)[] = new Array<undefined>(0x10000).fill(undefined);
  const ranges = [
    [0x00a0, 0x24ff], // Latin, its marks and symbols, punctuation, letterlike and enclosed characters
    [0xfb00, 0xfb06], // ligatures
    [0xff01, 0xff5e], // full-width ASCII
  ] as const;
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) {
      const character = String.fromCharCode(code);
      const decomposed = character
        .normalize('NFKD')
        .replaceAll(/[\u0300-\u036f]/g, '')
        .replaceAll('⁄', '/');
      if (decomposed !== character) table[code] = decomposed;
    }
  }
  for (const [character, equivalent] of Object.entries(chosenEquivalents)) {
    table[character.charCodeAt(0)] = equivalent;
  }
  return table;
})();

/** Creates a profile from its alphabet and sizes; builds the tables once. */
export function defineProfile({
  alphabet,
  shifts = [],
  ...profile
}: Omit<SegmentProfile, 'tables' | 'septets' | 'plain'> & {
  alphabet: Alphabet;
  /** Of a language: accents are converted to the table with only its single shift, which has the whole alphabet. */
  shifts?: (Alphabet & { shift: NationalShift })[];
}): SegmentProfile {
  const tables = [{ shift: null, ...alphabet }, ...shifts].map(tableOf);
  const target = tables.find(({ shift }) => shift === 'single') ?? tables[0];
  if (target === undefined) throw new Error('A profile has an alphabet.');
  const { septets } = target;
  const plain = equivalents.map((equivalent) =>
    equivalent !== undefined && septetsIn(equivalent, septets) !== null ? equivalent : undefined,
  );
  return { ...profile, tables, septets, plain };
}

interface Alphabet {
  basic: string;
  extension: string;
  single: number;
  split: number;
}

function tableOf({
  shift,
  basic,
  extension,
  single,
  split,
}: Alphabet & { shift: NationalShift | null }): GsmTable {
  const septets = new Uint8Array(0x10000);
  for (let i = 0; i < extension.length; i++) septets[extension.charCodeAt(i)] = 2;
  for (let i = 0; i < basic.length; i++) septets[basic.charCodeAt(i)] = 1;
  return { shift, septets, single, split };
}

const standard: Alphabet = { basic: gsmBasic, extension: gsmExtension, single: 160, split: 153 };

/** The available profiles of a provider (`providers.profile`). */
export const profiles = {
  gsm: defineProfile({
    name: 'gsm',
    alphabet: standard,
    ucs2: { single: 70, split: 67 },
    cutsAtSpaces: false,
    maxCharacters: null,
  }),

  // Longest body of the Messages API: 1,600 characters (error 21617).
  twilio: defineProfile({
    name: 'twilio',
    alphabet: standard,
    ucs2: { single: 70, split: 67 },
    cutsAtSpaces: false,
    maxCharacters: 1600,
  }),

  // Zenvia's API description (tag SMS) only gives examples of characters outside its standard encoding, among them
  // letters of GSM 03.38 (é à Ç ñ ü) and |. So only ASCII counts as inside: this may overestimate the segments, but
  // never underestimates them.
  zenvia: defineProfile({
    name: 'zenvia',
    alphabet: {
      basic: ascii(gsmBasic),
      extension: ascii(gsmExtension).replace('|', ''),
      single: 160,
      split: 152,
    },
    ucs2: { single: 70, split: 66 },
    cutsAtSpaces: true,
    maxCharacters: 1520,
  }),

  // A header names the tables of a segment: three octets for each, and one for the total length, besides the five that
  // join the segments of a long text. The rest of the 140 octets, in whole septets (3GPP TS 23.040, 9.2.3.24).
  portuguese: defineProfile({
    name: 'portuguese',
    alphabet: standard,
    shifts: [
      { shift: 'locking', basic: portugueseLocking, extension: gsmExtension, single: 155, split: 149 },
      { shift: 'single', basic: gsmBasic, extension: portugueseSingle, single: 155, split: 149 },
      { shift: 'both', basic: portugueseLocking, extension: portugueseSingle, single: 152, split: 146 },
    ],
    ucs2: { single: 70, split: 67 },
    cutsAtSpaces: false,
    maxCharacters: null,
  }),
} as const satisfies Record<SegmentProfileName, SegmentProfile>;

export const segmentProfileName = z.enum(['gsm', 'twilio', 'zenvia', 'portuguese']);
export type SegmentProfileName = z.infer<typeof segmentProfileName>;
