import { z } from 'zod';

/**
 * How a text is cut into SMS segments, which are what a provider bills.
 *
 * The alphabet and its extension are those of 3GPP TS 23.038 ("GSM 03.38"), 6.2.1: a segment holds 140 bytes, which is
 * 160 septets or 70 UTF-16 units; a text of several segments loses some of them in each to the header that joins them.
 * Where a provider differs, its profile says so.
 */

const gsmBasic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

/** Each costs two septets: the escape and itself. */
const gsmExtension = '\f^{}\\[~]|€';

const ascii = (characters: string): string => characters.replaceAll(/[^\0-\x7f]/g, '');

export interface SegmentProfile {
  readonly name: string;
  /** Septets of each UTF-16 code: 1, 2 (extension), 0 for a character outside the alphabet. */
  readonly septets: Uint8Array;
  /** What `removeAccents` puts in the place of a UTF-16 code outside the alphabet; undefined: it stays. */
  readonly plain: readonly (string | undefined)[];
  /** Septets in the only segment of a text, and in each of several. */
  readonly gsm7: { readonly single: number; readonly split: number };
  /** UTF-16 units in the only segment of a text, and in each of several. */
  readonly ucs2: { readonly single: number; readonly split: number };
  /** The provider cuts a long text only at spaces, so that a segment may end before it is full. */
  readonly cutsAtSpaces: boolean;
  /** The longest text the provider takes, in UTF-16 units; null: the segments are the only limit. */
  readonly maxCharacters: number | null;
}

export interface Segmentation {
  encoding: 'GSM-7' | 'UCS-2';
  /** Septets (GSM-7) or UTF-16 units (UCS-2) used. */
  characters: number;
  /** 0 for the empty text. */
  segments: number;
  /** Septets or UTF-16 units left in the last segment. */
  remaining: number;
}

/**
 * Segments of `text` as the provider counts them. A character of the extension and a surrogate pair are never cut in
 * two: they move to the next segment, and the place they leave is lost.
 */
export function segmentsOf(text: string, profile: SegmentProfile): Segmentation {
  const { septets } = profile;
  let used = 0;
  for (let i = 0; i < text.length; i++) {
    const cost = septets[text.charCodeAt(i)];
    if (cost === undefined || cost === 0) return cut(text, text.length, 'UCS-2', profile);
    used += cost;
  }
  return cut(text, used, 'GSM-7', profile);
}

function cut(
  text: string,
  characters: number,
  encoding: Segmentation['encoding'],
  profile: SegmentProfile,
): Segmentation {
  const { single, split } = encoding === 'GSM-7' ? profile.gsm7 : profile.ucs2;
  if (characters <= single) {
    return { encoding, characters, segments: characters === 0 ? 0 : 1, remaining: single - characters };
  }
  const { septets, cutsAtSpaces } = profile;
  let segments = 1;
  let used = 0;
  // What the segment holds since its last space; all of it when it has none: such a word is cut in its middle.
  let word = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    let cost = encoding === 'GSM-7' ? (septets[code] ?? 1) : 1;
    if (encoding === 'UCS-2' && isPair(code, text.charCodeAt(i + 1))) {
      cost = 2;
      i++;
    }
    if (used + cost > split) {
      segments++;
      used = cutsAtSpaces && word < used ? word : 0;
      word = used;
    }
    used += cost;
    word = code === 0x20 ? 0 : word + cost;
  }
  return { encoding, characters, segments, remaining: split - used };
}

function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** The distinct characters that make `text` leave GSM-7, in order of appearance: "ã", "🎉". */
export function charactersOutside(text: string, profile: SegmentProfile): string[] {
  const outside = new Set<string>();
  for (const character of text) {
    if (character.length > 1 || profile.septets[character.charCodeAt(0)] === 0) outside.add(character);
  }
  return [...outside];
}

/**
 * Puts a plain equivalent in the place of each character that the profile's alphabet lacks: ã → a, º → o, “ → ", … → ...
 * Characters of the alphabet stay: é is kept for `gsm` and becomes e for `zenvia`. What has no equivalent stays as well
 * (an emoji makes the message UCS-2, which the preview shows; it is never dropped).
 */
export function removeAccents(text: string, profile: SegmentProfile): string {
  const { septets, plain } = profile;
  let result = '';
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (septets[code] !== 0) continue;
    // "e" + combining acute is "é", which the alphabet may hold: compose first, then look again.
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

/** Equivalents that Unicode's compatibility decomposition (NFKD) does not give, or gives badly. */
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
  // Invisible, brought along by copying from web pages: nothing is lost with them.
  '\u00ad': '',
  '\u200b': '',
  '\u200e': '',
  '\u200f': '',
  '\u2060': '',
  '\ufeff': '',
  '\u2028': '\n',
  '\u2029': '\n',
};

/** For each UTF-16 code its plain equivalent, before any alphabet is looked at. */
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

/** A profile from its alphabet and sizes; the tables are made once. */
export function defineProfile(
  profile: Omit<SegmentProfile, 'septets' | 'plain'> & { basic: string; extension: string },
): SegmentProfile {
  const { basic, extension, ...sizes } = profile;
  const septets = new Uint8Array(0x10000);
  for (let i = 0; i < basic.length; i++) septets[basic.charCodeAt(i)] = 1;
  for (let i = 0; i < extension.length; i++) septets[extension.charCodeAt(i)] = 2;
  const isInside = (text: string): boolean => {
    for (let i = 0; i < text.length; i++) if (septets[text.charCodeAt(i)] === 0) return false;
    return true;
  };
  const plain = equivalents.map((equivalent) =>
    equivalent !== undefined && isInside(equivalent) ? equivalent : undefined,
  );
  return { ...sizes, septets, plain };
}

/** The profiles a provider can be set to (`providers.profile`). */
export const profiles = {
  gsm: defineProfile({
    name: 'gsm',
    basic: gsmBasic,
    extension: gsmExtension,
    gsm7: { single: 160, split: 153 },
    ucs2: { single: 70, split: 67 },
    cutsAtSpaces: false,
    maxCharacters: null,
  }),

  // Longest body that the Messages API takes: 1,600 characters (error 21617).
  twilio: defineProfile({
    name: 'twilio',
    basic: gsmBasic,
    extension: gsmExtension,
    gsm7: { single: 160, split: 153 },
    ucs2: { single: 70, split: 67 },
    cutsAtSpaces: false,
    maxCharacters: 1600,
  }),

  // Zenvia's API description (tag SMS) gives only examples of what its standard encoding lacks, among them letters that
  // GSM 03.38 has (é à Ç ñ ü) and |. Only ASCII is counted as inside, which can be too cautious, never too hopeful.
  zenvia: defineProfile({
    name: 'zenvia',
    basic: ascii(gsmBasic),
    extension: ascii(gsmExtension).replace('|', ''),
    gsm7: { single: 160, split: 152 },
    ucs2: { single: 70, split: 66 },
    cutsAtSpaces: true,
    maxCharacters: 1520,
  }),
} as const satisfies Record<SegmentProfileName, SegmentProfile>;

export const segmentProfileName = z.enum(['gsm', 'twilio', 'zenvia']);
export type SegmentProfileName = z.infer<typeof segmentProfileName>;
