/**
 * Numbers of a JSON text as they were written: JSON.parse makes 99.9 of 99.90, and rounds what has more than fifteen
 * digits, so that a code would be somebody else's. They come out of JSON.parse as texts that begin with a mark.
 */

/** A control character, which `cleanText` takes out of any text from outside. */
const mark = '\u0011';

const someNumber = /[:[,]\s*-?(?:\d{16}|\d+[.eE])/;
const tokens = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The same JSON with a text in the place of each number that JSON.parse would change. What is no JSON stays none. */
export const keepNumbers = (json: string): string =>
  someNumber.test(json)
    ? json.replaceAll(tokens, (token) =>
        !token.startsWith('"') && /[.eE]|\d{16}/.test(token) ? `"\\u0011${token}"` : token,
      )
    : json;

/** The digits of a number; null for what is none. */
export function numberOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || !value.startsWith(mark)) return null;
  return withoutPlainExponent(value.slice(1));
}

/**
 * Java writes 11987654320 as 1.198765432E10. With a plus sign before the exponent it was a spreadsheet, which has cut
 * digits off: such a number stays as it is, and is known to be damaged (domain/text.ts).
 */
function withoutPlainExponent(written: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = ''] =
    /^(-?)(\d+)(?:\.(\d+))?[eE](\d{1,2})$/.exec(written) ?? [];
  if (exponent === '') return written;
  const places = Number(exponent);
  const digits = whole + fraction.padEnd(places, '0').slice(0, places);
  const rest = fraction.slice(places);
  return sign + digits.replace(/^0+(?=\d)/, '') + (/[1-9]/.test(rest) ? `.${rest}` : '');
}
