import { decodeHTML } from 'entities';

/**
 * Words for "nothing" from spreadsheets, databases and programs, in Portuguese and English, and dashes that people type
 * instead of a value.
 */
const nothings: ReadonlySet<string> = new Set([
  // Errors of spreadsheets.
  ...'#n/d #n/a #na #valor! #value! #ref! #nome? #name? #div/0! #núm! #num! #nulo! #null! #despejar! #spill! #calc! #erro!'.split(
    ' ',
  ),
  ...'#error! #campo! #field! #bloqueado! #blocked! #conectar! #connect! #getting_data'.split(' '),
  // LibreOffice and Google Sheets, also with a mark cut off.
  ...'#n/disp #n/disp. #valor #value #ref #nome #name #num #núm loading... carregando...'.split(' '),
  // Databases and programs.
  ...'null (null) [null] <null> none undefined nan nat <na> n/a n/d \\n nulo (nulo) (vazio) (empty) (blank)'.split(
    ' ',
  ),
  ...'(none) <none> [none] <nulo> <vazio> n/i n.i. n/c n.d. n.a. n.c. #'.split(' '),
  ...['(em branco)', '<em branco>', 'em branco', 'not assigned', 'não atribuído', 'nao atribuido'],
  ...['[]', '{}', '#n/a n/a', '#n/d #n/d'],
  '[object object]',
  'invalid date',
  'data inválida',
  '"null"',
  "'null'",
  '""',
  "''",
]);

/** The first characters of these words, in lower case: they exclude most texts quickly. */
const nothingStarts: ReadonlySet<string> = new Set(
  [...nothings].map((word) => word.charAt(0)).concat(Array.from('-–—_.,;:/?*#e')),
);

/** By character code, for ASCII. */
const startsNothing: readonly boolean[] = Array.from({ length: 0x80 }, (_, code) =>
  nothingStarts.has(String.fromCharCode(code).toLowerCase()),
);

/** Whether a text means "nothing": empty, a word for nothing, or only dashes, dots and question marks. */
export function isNothing(text: string): boolean {
  // Most texts begin with a character that excludes them.
  const first = text.charCodeAt(0);
  if (first > 0x20 && first < startsNothing.length && !startsNothing[first]) return false;
  const trimmed = text.trim();
  if (trimmed === '') return true;
  if (!nothingStarts.has(trimmed.charAt(0).toLowerCase())) return false;
  // Several of them, joined by a program: `null null`.
  if (/^(?:null|undefined|none|nan)(?:[\s,;-]+(?:null|undefined|none|nan))+$/i.test(trimmed)) return true;
  if (trimmed.length > 20) return /^#+$/.test(trimmed);
  if (/^(?:[-–—_.,;:/?*]+|#{2,}|err:5\d\d)$/i.test(trimmed)) return true;
  return nothings.has(trimmed.toLowerCase());
}

/**
 * Removes what spreadsheets add to a value to keep it from being read as a number or a formula: `="00123"`, and a
 * leading apostrophe (also Torpedo's own guard in CSV files: api/http/csv.ts).
 */
export function unwrap(text: string): string {
  const formula = /^="((?:[^"]|"")*)"$/.exec(text)?.[1];
  if (formula !== undefined) return formula.replaceAll('""', '"');
  if (text.startsWith("''") && text.length > 2) return text.slice(1);
  return text.startsWith("'") && text.indexOf("'", 1) === -1 ? text.slice(1) : text;
}

/**
 * HTML as plain text: entities decoded (also twice encoded ones), tags removed, `<br>` and ends of paragraphs as line
 * breaks. Text without HTML does not change: `a < b` and `R&D` are not HTML.
 */
export function withoutHtml(text: string): string {
  if (!text.includes('<') && !text.includes('&')) return text;
  let plain = dropTags(text);
  for (let round = 0; round < 2 && /&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);/i.test(plain); round++) {
    plain = dropTags(decodeHTML(plain));
  }
  return plain;
}

/** Only names of HTML tags: `<nome>` in a text is the user's own. */
const tag =
  /<\/?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|li|mark|meta|ol|p|pre|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?\/?>/gi;
const lineBreak = /<(?:br\s*\/?|\/p|\/div|\/li|\/h[1-6]|\/tr)\s*>/gi;

function dropTags(text: string): string {
  if (!text.includes('<')) return text;
  return text
    .replaceAll(/<!\[CDATA\[([\s\S]*?)\]\]>/g, '$1')
    .replaceAll(/<(script|style|head)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, '')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(lineBreak, '\n')
    .replaceAll(tag, '');
}

/** The encoding of a letter beyond ASCII in URLs (`%C3%A3`) and mails (`=C3=A3`). */
const escapedBytes = /[%=]C[2-5][%=][89AB][\dA-F]/i;
/** The same in Latin-1 (`Jos%E9`), and a space (`Ana%20Maria`), within a word. */
const escapedLatin1 = /(?<=\p{L})%(20(?=\p{L})|[CEF][\dA-F]|D[0-79A-F])/giu;

/**
 * Decodes text that was copied from JSON, a URL or a mail without decoding: `Jo\u00e3o`, `Jo%C3%A3o`, `Jo=C3=A3o` are
 * João. Only if a letter is escaped: a percent sign alone is not.
 */
export function withoutEscapes(text: string): string {
  let plain = text;
  if (text.includes('\\u'))
    plain = plain.replaceAll(/\\u([\da-f]{4})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  if (!escapedBytes.test(plain))
    return plain.includes('%')
      ? plain.replaceAll(escapedLatin1, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      : plain;
  const inUrl = plain.replaceAll(/=(?=[\dA-F]{2})/gi, '%').replaceAll(/%(?![\dA-F]{2})/gi, '%25');
  try {
    return decodeURIComponent(/\s/.test(inUrl) ? inUrl : inUrl.replaceAll('+', ' '));
  } catch {
    return plain;
  }
}

/**
 * A formula that a spreadsheet should have computed: `=PROCV(A2;B:C;2)`, `=A1&B1`. `=1+1` and `="a"` are not: codes may
 * look like that.
 */
export const isFormula = (text: string): boolean =>
  text.includes('=') &&
  /^=\s*[-+]?(?:[A-ZÀ-Ú][A-ZÀ-Ú.]+\(|\$?[A-Z]{1,3}\$?\d+(?!\w)|'[^']+'!|[\wÀ-ú]+!\$?[A-Z])/i.test(
    text.trim(),
  );

/** The Windows-1252 characters from 80 to 9F. */
const windows1252 = new Map(
  Array.from('€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ').map((char, index) => [
    char,
    0x80 + index,
  ]),
);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A byte from 80 to BF, decoded as Latin-1 or Windows-1252. */
const tail = String.raw`[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]`;
/** Characters that may follow a word in capitals. */
const closing = 'ªº°»´®‘“”™';
const between = String.raw`\u00a0–—…’`;
/**
 * Two to four characters that are one character in UTF-8 and nothing otherwise. `IRMÃ”` and `IRMÃ–` may be a word in
 * capitals with a mark after it; no word ends in `Â`.
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
 * The characters of names and texts: ASCII, letters with the marks of European languages, signs of Latin-1,
 * punctuation, currencies, arrows, emoji. `ã”’` would be a Chinese character, which nobody wrote.
 */
const plausible =
  /^[\0-\x7f\u00a0-\u017f\p{M}\u1e00-\u1eff\u2010-\u203a\p{Join_Control}\u20a0-\u20bf\u2116\u2122\u2190-\u21ff\u2600-\u27bf\u2b50\u2b55\u{1f000}-\u{1faff}]*$/u;

/**
 * Repairs UTF-8 text that was decoded as Latin-1 or Windows-1252 (`JoÃ£o`), once or repeatedly. Only if this is
 * certain: the whole text converts back to bytes, these are valid UTF-8 of characters that names and texts use, and at
 * least one character has no other explanation.
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

/** The text of the same bytes as UTF-8; undefined unless this is certain. */
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

/** Lost characters: U+FFFD, the same decoded as Latin-1, and Oracle's ¿ within a word. */
const lost = /\ufffd|ï¿½|\p{L}¿+\p{L}/u;

/** Whether characters were lost earlier, or the text is UTF-8 decoded as Latin-1 that cannot be repaired. */
export const isDamaged = (text: string): boolean => lost.test(text) || misread.test(text);

/** A number that a spreadsheet wrote in scientific notation: `1.23457E+11`. Its digits are lost. */
export const isScientific = (text: string): boolean => /^[+-]?\d+(?:[.,]\d+)?E[+-]?\d+$/i.test(text.trim());

/** A number with an exponent that has all its digits (`5.511987654321E12`, from Java), in plain notation; else null. */
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

/** Whether the value is marked as text, so that no spreadsheet changed a number or a date in it. */
export const isGuarded = (raw: string): boolean => /^\s*(?:'|=")/.test(raw);

/**
 * Copied along from web pages and contact lists: soft hyphens, zero-width spaces, direction marks, byte order marks.
 */
const invisible = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060\ufeff]/g;
/** Variants of ASCII: full-width, ornamental (𝐀𝐧𝐚), and ligatures (ﬁ). */
const ornamental = /[\u3000\uff01-\uff5e\ufb00-\ufb06\u{1d400}-\u{1d7ff}]/gu;

/**
 * Cleans an external value for display, on one line: removes spreadsheet guards and HTML, composes letters (NFC), and
 * repairs UTF-8 decoded as Latin-1; '' if it means "nothing". Undefined for damaged text that cannot be repaired.
 */
export const readText = (raw: string): string | undefined => read(raw, cleanText);

/** Like `readText`, but keeps line breaks, as \n. */
export const readTextLines = (raw: string): string | undefined =>
  read(raw, (text) => cleanLines(withLineBreaks(text)));

/** Decodes an escaped line break: `Olá\nAna`. Not that of `C:\notas`. */
const withLineBreaks = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/(?<!(?:^|[^\p{L}])[a-z]:)(?:\\r)?\\n/giu, '\n') : text;

function read(raw: string, clean: (text: string) => string): string | undefined {
  if (raw === '') return raw;
  if (isPlain(raw)) return raw;
  let text = withoutEscapes(unwrap(raw.trim()));
  if (/[^\0-\x7f]/.test(text)) {
    text = repairMojibake(text)
      .normalize('NFC')
      .replaceAll(ornamental, (char) => char.normalize('NFKC'));
    if (isDamaged(text)) return undefined;
  }
  text = clean(withoutHtml(text).replaceAll(invisible, '').normalize('NFC'));
  return isNothing(text) ? '' : text;
}

/** Whether `read` would not change it: true for most values, so only the others pay for more. */
function isPlain(text: string): boolean {
  const first = text.charCodeAt(0);
  // = and '
  if (first === 0x3d || first === 0x27) return false;
  let special = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // % & < = and the backslash
    if (code < 0x20 || code === 0x25 || code === 0x26 || code === 0x3c || code === 0x3d || code === 0x5c)
      return false;
    if (code >= 0x7f) {
      if (code <= 0xa0 || code >= 0x180 || code === 0xad) return false;
      // Lower-case Latin letters alone are not misread UTF-8.
      special ||= code < 0xe0 || code === 0xe2 || code === 0xef || code === 0xf0;
    }
  }
  if (special && (misread.test(text) || lost.test(text))) return false;
  if (first === 0x20 || text.charCodeAt(text.length - 1) === 0x20) return false;
  return !isNothing(text);
}

/**
 * Cleans an external value on one line: control characters and line breaks become spaces; direction controls and halves
 * of surrogate pairs (which UTF-8 cannot encode) are removed; the ends are trimmed.
 */
export function cleanText(value: string): string {
  if (isClean(value)) return value;
  return value
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
}

/** Like `cleanText`, but keeps line breaks, as \n. */
export function cleanLines(value: string): string {
  if (isClean(value)) return value;
  return value
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(cleanText)
    .join('\n')
    .trim();
}

/** Whether `cleanText` would not change it; false for any surrogate, so that only such values pay for the regexes. */
function isClean(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && (code <= 0xa0 || code >= 0x1680))) return false;
  }
  return value.charCodeAt(0) !== 0x20 && value.charCodeAt(length - 1) !== 0x20;
}
