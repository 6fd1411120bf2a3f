/**
 * An amount of money as Brazilians write it, `1.234,56`, from the spellings of people, spreadsheets and programs:
 * `R$ 1.234,56`, `1234,5`, `1234.56`, `1,234.56`, `1234`. `1.234` is one thousand two hundred and thirty-four. More than two
 * decimals are rounded. Undefined for what is no amount, or could be two: `1,234`.
 */
export function readMoney(text: string): string | undefined {
  const [, before = '', amount = '', after = ''] =
    /^([+-]?\s*(?:R\$|BRL)?\s*[+-]?)\s*(\d[\d.,\s]*?)\s*(-?)$/iu.exec(text.trim()) ?? [];
  const parts = amount === '' ? undefined : partsOf(amount.replaceAll(/\s/g, ''));
  if (parts === undefined) return undefined;
  const cents = roundedCents(parts.whole, parts.decimals);
  const digits = cents.toString().padStart(3, '0');
  const whole = digits.slice(0, -2).replaceAll(/\B(?=(?:\d{3})+$)/g, '.');
  const sign = (before.includes('-') || after === '-') && cents !== 0n ? '-' : '';
  return `${sign}${whole},${digits.slice(-2)}`;
}

function partsOf(amount: string): { whole: string; decimals: string } | undefined {
  const thousands = /^(\d{1,3}(?:\.\d{3})+)(?:,(\d+))?$/.exec(amount);
  // 0.123 has no thousands.
  if (thousands && !amount.startsWith('0'))
    return { whole: thousands[1]?.replaceAll('.', '') ?? '', decimals: thousands[2] ?? '' };
  const english = /^(\d{1,3}(?:,\d{3})+)\.(\d+)$/.exec(amount);
  if (english) return { whole: english[1]?.replaceAll(',', '') ?? '', decimals: english[2] ?? '' };
  const plain = /^(\d+)(?:[.,](\d+))?$/.exec(amount);
  if (!plain || /^[1-9]\d{0,2},\d{3}$/.test(amount)) return undefined;
  return { whole: plain[1] ?? '', decimals: plain[2] ?? '' };
}

const roundedCents = (whole: string, decimals: string): bigint =>
  BigInt(whole + decimals.slice(0, 2).padEnd(2, '0')) + (decimals.charAt(2) >= '5' ? 1n : 0n);
