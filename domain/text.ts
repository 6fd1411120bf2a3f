import { decodeHTML } from 'entities';

/** Text as it arrives from spreadsheets, databases and web services, and as it may reach a person. */

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

/**
 * Repairs text that was UTF-8 and was read as Latin-1 or Windows-1252 (`JoÃ£o`), as often as that happened. Only where it is
 * certain: all of the text goes back into bytes, and these are valid UTF-8 with at least one character of several bytes.
 */
export function repairMojibake(text: string): string {
  let repaired = text;
  for (let round = 0; round < 3; round++) {
    if (!/[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u0152-\u02dc\u2013-\u203a\u2122]/.test(repaired))
      return repaired;
    const bytes = new Uint8Array(repaired.length);
    for (let i = 0; i < repaired.length; i++) {
      const code = repaired.charCodeAt(i);
      const byte = code <= 0xff ? code : windows1252.get(repaired.charAt(i));
      if (byte === undefined) return repaired;
      bytes[i] = byte;
    }
    try {
      repaired = utf8.decode(bytes);
    } catch {
      return repaired;
    }
  }
  return repaired;
}

/** Whether characters were lost before the text came here: U+FFFD, or UTF-8 that was read as Latin-1 and can't be repaired. */
export const isDamaged = (text: string): boolean =>
  text.includes('\ufffd') || /[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac/.test(text);

/** A number that a spreadsheet wrote in scientific notation: `1.23457E+11`. Its digits are lost. */
export const isScientific = (text: string): boolean => /^[+-]?\d+(?:[.,]\d+)?E[+-]?\d+$/i.test(text.trim());
