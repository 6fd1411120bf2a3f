import { withoutExponent } from './text.ts';

/**
 * Parses an amount of money written by people, spreadsheets and programs, and returns it in Brazilian format,
 * `1.234,56`: `R$ 1.234,56`, `1234,5`, `1234.56`, `1,234.56`, `1 234,56`, `1234`. `1.234` is one thousand two hundred
 * and thirty-four. A minus sign may be before or after it, or written as accounting brackets. Rounds to two decimals.
 * Undefined if it is not an amount, or is ambiguous: `1,234`, `10 20`, `0000009990`.
 */
export function readMoney(text: string): string | undefined {
  const spelled = text
    .replaceAll('\u2212', '-')
    .replace(/\s*rea(?:l|is)$/i, '')
    .trim();
  const plain = withoutExponent(spelled) ?? spelled;
  const inBrackets = /^(?:R\$\s*)?\(([^()]*)\)$/iu.exec(plain)?.[1];
  const [, before = '', amount = '', after = ''] =
    /^([+-]?\s*(?:R\$|BRL)?\s*[+-]?)\s*((?:\d|[.,]\d)[\d.,\s]*?)\s*(?:R\$|BRL)?\s*(-?)$/iu.exec(
      inBrackets ?? plain,
    ) ?? [];
  const parts = amount === '' ? undefined : partsOf(withoutSpaces(amount));
  if (parts === undefined) return undefined;
  const cents = roundedCents(parts.whole, parts.decimals);
  const digits = cents.toString().padStart(3, '0');
  const whole = digits.slice(0, -2).replaceAll(/\B(?=(?:\d{3})+$)/g, '.');
  const isNegative = before.includes('-') || after === '-' || inBrackets !== undefined;
  const sign = isNegative && cents !== 0n ? '-' : '';
  return `${sign}${whole},${digits.slice(-2)}`;
}

/** Removes spaces between thousands; two amounts separated by a space are not an amount. */
const withoutSpaces = (amount: string): string =>
  /^\d{1,3}(?:\s\d{3})+(?:[.,]\d*)?$/.test(amount) ? amount.replaceAll(/\s/g, '') : amount;

function partsOf(amount: string): { whole: string; decimals: string } | undefined {
  const thousands = /^(\d{1,3}(?:\.\d{3})+)(?:,(\d+))?$/.exec(amount);
  // 0.123 has no thousands separator.
  if (thousands && !amount.startsWith('0'))
    return { whole: thousands[1]?.replaceAll('.', '') ?? '', decimals: thousands[2] ?? '' };
  const english = /^(\d{1,3}(?:,\d{3})+)\.(\d+)$|^(\d{1,3}(?:,\d{3}){2,})$/.exec(amount);
  if (english)
    return { whole: (english[1] ?? english[3] ?? '').replaceAll(',', ''), decimals: english[2] ?? '' };
  // Oracle writes 0.5 as .5, and 5.0 as 5.
  const plain = /^(\d+)(?:[.,](\d*))?$|^[.,](\d+)$/.exec(amount);
  if (!plain || /^[1-9]\d{0,2},\d{3}$/.test(amount)) return undefined;
  // 0000009990 of a file with fixed widths may be in cents.
  if (/^0+[1-9]\d*$/.test(amount)) return undefined;
  return { whole: plain[1] ?? '0', decimals: plain[2] ?? plain[3] ?? '' };
}

const roundedCents = (whole: string, decimals: string): bigint =>
  BigInt(whole + decimals.slice(0, 2).padEnd(2, '0')) + (decimals.charAt(2) >= '5' ? 1n : 0n);
