import { decodeHTML } from 'entities';

/**
 * Words of spreadsheets, databases and programs for "nothing", in Portuguese and English, and strokes that people type
 * where they have nothing to say.
 */
const nothings: ReadonlySet<string> = new Set([
  // Errors of spreadsheets.
  ...'#n/d #n/a #na #valor! #value! #ref! #nome? #name? #div/0! #núm! #num! #nulo! #null! #despejar! #spill! #calc! #erro!'.split(
    ' ',
  ),
  ...'#error! #campo! #field! #bloqueado! #blocked! #conectar! #connect! #getting_data'.split(' '),
  // Databases and programs.
  ...'null (null) [null] <null> none undefined nan nat <na> n/a n/d \\n nulo (nulo) (vazio) (empty) (blank)'.split(
    ' ',
  ),
  '[object object]',
  'invalid date',
  '""',
  "''",
]);

/** Whether a text says that there is nothing: empty, a word for nothing, or only strokes, dots and question marks. */
export function isNothing(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '') return true;
  if (trimmed.length > 16) return /^#+$/.test(trimmed);
  if (/^(?:[-–—_.?*]+|#{2,})$/.test(trimmed)) return true;
  return nothings.has(trimmed.toLowerCase());
}

/**
 * Takes away what spreadsheets wrap around a value to keep it from being read as a number or a formula: `="00123"`, and a
 * leading apostrophe (Torpedo's own guard in the CSV files that it gives, too).
 */
export function unwrap(text: string): string {
  const formula = /^="((?:[^"]|"")*)"$/.exec(text)?.[1];
  if (formula !== undefined) return formula.replaceAll('""', '"');
  return text.startsWith("'") && text.indexOf("'", 1) === -1 ? text.slice(1) : text;
}

/**
 * Text with HTML as plain text: entities decoded (also those encoded twice), tags dropped, `<br>` and ends of paragraphs
 * as line breaks. Text without HTML stays as it is: `a < b` and `R&D` are none.
 */
export function withoutHtml(text: string): string {
  if (!text.includes('<') && !text.includes('&')) return text;
  let plain = dropTags(text);
  for (let round = 0; round < 2 && /&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);/i.test(plain); round++) {
    plain = dropTags(decodeHTML(plain));
  }
  return plain;
}

/** Only names that HTML has: `<nome>` in a text is a person's own. */
const tag =
  /<\/?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|li|mark|meta|ol|p|pre|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?\/?>/gi;
const lineBreak = /<(?:br\s*\/?|\/p|\/div|\/li|\/h[1-6]|\/tr)\s*>/gi;

function dropTags(text: string): string {
  if (!text.includes('<')) return text;
  return text
    .replaceAll(/<(script|style|head)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, '')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(lineBreak, '\n')
    .replaceAll(tag, '');
}

/** What Windows-1252 has between 80 and 9F, by character. */
const windows1252 = new Map(
  Array.from('€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ').map((char, index) => [
    char,
    0x80 + index,
  ]),
);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A byte from 80 to BF, as Latin-1 or Windows-1252 reads it. */
const tail = String.raw`[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]`;
/** What stands behind a word in capitals, and what stands between two. */
const closing = 'ªº°»´®‘“”™';
const between = String.raw`\u00a0–—…’`;
/**
 * Two to four characters that are one in UTF-8 and nothing otherwise. `IRMÃ”` and `IRMÃ–` may be a word in capitals and a
 * mark behind it; no word ends in `Â`.
 */
const misread = new RegExp(
  [
    `Â${tail}`,
    String.raw`[ÃÄÅÌÍ](?![${closing}${between}])${tail}`,
    String.raw`[ÃÄÅÌÍ][${closing}](?=\p{L})`,
    String.raw`(?<!\p{Lu})[ÃÄÅÌÍ]${tail}`,
    `â[€‚„†‡˜™œ\u009d\u00ad]${tail}`,
    `ï¸[\u008f\u008e]`,
    `ðŸ${tail}${tail}`,
  ].join('|'),
  'u',
);
/**
 * What names and texts hold: ASCII, letters with the marks of European languages, signs of Latin-1, punctuation,
 * currencies, arrows, emoji. `ã”’` would be a Chinese character, which nobody wrote.
 */
const plausible =
  /^[\0-\x7f\u00a0-\u017f\p{M}\u1e00-\u1eff\u2010-\u203a\p{Join_Control}\u20a0-\u20bf\u2116\u2122\u2190-\u21ff\u2600-\u27bf\u2b50\u2b55\u{1f000}-\u{1faff}]*$/u;

/**
 * Repairs text that was UTF-8 and was read as Latin-1 or Windows-1252 (`JoÃ£o`), as often as that happened. Only where it is
 * certain: all of the text goes back into bytes, these are valid UTF-8 of what names and texts hold, and at least one
 * character of it can't have been meant otherwise.
 */
export function repairMojibake(text: string): string {
  let repaired = text;
  let misreading = text;
  for (let round = 0; round < 3; round++) {
    const original = reread(misreading);
    if (original === undefined) break;
    misreading = original;
    if (plausible.test(original)) repaired = original;
  }
  return repaired;
}

/** The text of the same bytes as UTF-8; undefined where that is not what they are for certain. */
function reread(text: string): string | undefined {
  if (!misread.test(text)) return undefined;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const byte = code <= 0xff ? code : windows1252.get(text.charAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether characters were lost before the text came here: U+FFFD, or UTF-8 that was read as Latin-1 and can't be repaired. */
export const isDamaged = (text: string): boolean => text.includes('\ufffd') || misread.test(text);

/** A number that a spreadsheet wrote in scientific notation: `1.23457E+11`. Its digits are lost. */
export const isScientific = (text: string): boolean => /^[+-]?\d+(?:[.,]\d+)?E[+-]?\d+$/i.test(text.trim());

/** The text of a number in scientific notation that has all its digits (`5.511987654321E12`, as Java writes it); else null. */
export function withoutExponent(text: string): string | null {
  const [, sign = '', whole = '', fraction = '', exponent = ''] =
    /^([+-]?)(\d+)(?:[.,](\d+))?E\+?(\d{1,2})$/i.exec(text.trim()) ?? [];
  const places = Number(exponent);
  if (exponent === '' || fraction.length < places) return null;
  const rest = fraction.slice(places);
  if (/[1-9]/.test(rest)) return null;
  const digits = whole.replace(/^0+(?=\d)/, '') + fraction.slice(0, places);
  return (sign === '-' ? '-' : '') + digits;
}

/** Whether somebody made sure that a value is read as a text: a number or a date in it was not cut by a spreadsheet. */
export const isGuarded = (raw: string): boolean => /^\s*(?:'|=")/.test(raw);

/** What a word for nothing may begin with, in lower case: other texts are not looked up. */
const nothingStarts: ReadonlySet<string> = new Set(
  [...nothings].map((word) => word.charAt(0)).concat(Array.from('-–—_.?*#')),
);

/** Brought along by copying from web pages: soft hyphens, spaces without width, byte order marks. */
const invisible = /[\u00ad\u200b\u2060\ufeff]/g;

/**
 * A value from outside as it may reach a person, on one line: taken out of what spreadsheets wrap around it, without
 * HTML, its letters composed (NFC), repaired where it was UTF-8 read as Latin-1; '' where it stands for nothing.
 * Undefined for text that is damaged and can't be repaired.
 */
export const readText = (raw: string): string | undefined => read(raw, cleanText);

/** Like `readText`, but line breaks stay, written \n. */
export const readTextLines = (raw: string): string | undefined => read(raw, cleanLines);

function read(raw: string, clean: (text: string) => string): string | undefined {
  if (raw === '') return raw;
  if (isPlain(raw)) return raw;
  let text = unwrap(raw.trim());
  if (/[^\0-\x7f]/.test(text)) {
    text = repairMojibake(text).normalize('NFC');
    if (isDamaged(text)) return undefined;
  }
  text = clean(withoutHtml(text).replaceAll(invisible, '').normalize('NFC'));
  return isNothing(text) ? '' : text;
}

/** Whether `read` would change nothing: what most values are, and only the others pay for more. */
function isPlain(text: string): boolean {
  const first = text.charCodeAt(0);
  // = and '
  if (first === 0x3d || first === 0x27) return false;
  let special = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // < and &
    if (code < 0x20 || code === 0x26 || code === 0x3c) return false;
    if (code >= 0x7f) {
      if (code <= 0xa0 || code >= 0x180 || code === 0xad) return false;
      // Lower-case Latin letters alone are no misread UTF-8.
      special ||= code < 0xe0 || code === 0xe2 || code === 0xef || code === 0xf0;
    }
  }
  if (special && misread.test(text)) return false;
  if (first === 0x20 || text.charCodeAt(text.length - 1) === 0x20) return false;
  return !(nothingStarts.has(text.charAt(0).toLowerCase()) && isNothing(text));
}

/**
 * A value from outside on one line: control characters and line breaks become spaces; what turns the direction of
 * writing and halves of surrogate pairs (which no UTF-8 can hold) go; the ends are trimmed.
 */
export function cleanText(value: string): string {
  if (isClean(value)) return value;
  return value
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}

/** Like `cleanText`, but line breaks stay, written \n. */
export function cleanLines(value: string): string {
  if (isClean(value)) return value;
  return value
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(cleanText)
    .join('\n')
    .trim();
}

/** Whether `cleanText` would change nothing; false for any surrogate, so that only such values pay for the regexes. */
function isClean(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && (code <= 0xa0 || code >= 0x1680))) return false;
  }
  return value.charCodeAt(0) !== 0x20 && value.charCodeAt(length - 1) !== 0x20;
}
