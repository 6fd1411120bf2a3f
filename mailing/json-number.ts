/**
 * Keeps numbers of a JSON text as written: JSON.parse changes 99.90 to 99.9, and rounds numbers with more than fifteen
 * digits, so that a code would become another customer's. JSON.parse then returns them as texts that begin with a mark.
 */

/** A control character, which `cleanText` removes from any external text. */
const mark = '\u0011';

const someNumber = /[:[,]\s*-?(?:\d{16}|\d+[.eE])/;
const tokens = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The same JSON with a text in place of each number that JSON.parse would change. Invalid JSON stays invalid. */
export const keepNumbers = (json: string): string =>
  someNumber.test(json)
    ? json.replaceAll(tokens, (token) =>
        !token.startsWith('"') && /[.eE]|\d{16}/.test(token) ? `"\\u0011${token}"` : token,
      )
    : json;

/** The digits of a number; null for other values. */
export function numberOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || !value.startsWith(mark)) return null;
  return withoutPlainExponent(value.slice(1));
}

/**
 * Java writes 11987654320 as 1.198765432E10. With a plus sign before the exponent, a spreadsheet wrote it and cut off
 * digits: such a number stays as it is, and is reported as damaged (domain/text.ts).
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
