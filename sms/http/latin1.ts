import { removeAccents, defineProfile } from '../../domain/segments.ts';

/** ISO-8859-1 without its control characters. Gateways that do not use UTF-8 use this charset. */

const printable = Array.from({ length: 0x100 }, (_, code) => code)
  .filter((code) => (code >= 0x20 && code < 0x7f) || code >= 0xa0 || code === 0x0a || code === 0x0d)
  .map((code) => String.fromCharCode(code))
  .join('');
const size = { single: 1, split: 1 };
/** For its plain equivalents of characters that are pasted from a word processor, such as curly quotes and dashes. */
const latin1 = defineProfile({
  name: 'iso-8859-1',
  alphabet: { basic: printable, extension: '', ...size },
  ucs2: size,
  cutsAtSpaces: false,
  maxCharacters: null,
});

/** A text in ISO-8859-1, with “ replaced by " and so on; null if a character has no equivalent. */
export function toLatin1(text: string): string | null {
  const written = removeAccents(text, latin1);
  return /^[\0-\xff]*$/.test(written) ? written : null;
}

/** Like `encodeURIComponent`, with the bytes of ISO-8859-1. For results of `toLatin1`. */
export const encodeLatin1 = (text: string): string =>
  text.replaceAll(
    /[^A-Za-z0-9\-_.!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
