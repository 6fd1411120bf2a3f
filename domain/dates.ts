/**
 * Dates as spreadsheets, databases and people write them. A text is parsed only if it has exactly one possible meaning.
 */

/** The date of an instant, in UTC. */
export const isoDate = (at: Date): string => at.toISOString().slice(0, 10);

export interface DateWindow {
  /** ISO dates; a date outside this window is rejected. */
  earliest: string;
  latest: string;
}

/** The maximum age of a recipient. */
const oldestYears = 110;

/** Possible birth dates on `today` (ISO date). */
export const birthDates = (today: string): DateWindow => ({
  earliest: addYears(today, -oldestYears),
  latest: today,
});

/**
 * Due dates, contract dates and the like, around `today` (ISO date): less than a century, so that two-digit years have
 * one meaning.
 */
export const businessDates = (today: string): DateWindow => ({
  earliest: addYears(today, -70),
  latest: addYears(today, 29),
});

/** Any date with a four-digit year. */
export const anyDate: DateWindow = { earliest: '1900-01-01', latest: '2199-12-31' };

/**
 * The ISO date of a text; '' if the text is a placeholder for no date (zeros, the first and last dates of databases);
 * undefined if it is not a date, or ambiguous.
 *
 * Accepts dd/mm/yyyy with / . - or a space, yyyy-mm-dd, yyyymmdd, ddmmyyyy, and names of months in Portuguese and
 * English, each with or without a time, or a day of the week before it; mm/dd/yyyy if the day can only be the second; a
 * two-digit year if only one century is inside the window; serial numbers of spreadsheets (days since 1899-12-30, five
 * digits); Unix times in seconds or milliseconds of a full hour, also as .NET's `/Date(…)/`.
 */
export function readDate(text: string, window: DateWindow): string | undefined {
  const usual = usualDate(text);
  if (usual !== null) return isWithin(usual, window) ? usual : undefined;
  const value = text.trim().replace(label, '').replace(dayOfWeek, '');
  if (value === '' || standsForNoDate(value)) return '';
  const meanings = new Set(candidates(value, window).filter((date) => isWithin(date, window)));
  const [date] = meanings;
  return meanings.size === 1 ? date : undefined;
}

/**
 * A day that exists as dd/mm/yyyy or yyyy-mm-dd, in ISO form; null for any other text. Most dates of a mailing are
 * written so, and the general way takes eight times as long. No placeholder is among these years.
 */
function usualDate(text: string): string | null {
  if (text.length !== 10) return null;
  const isBrazilian = text.charCodeAt(2) === slash && text.charCodeAt(5) === slash;
  if (!isBrazilian && (text.charCodeAt(4) !== hyphen || text.charCodeAt(7) !== hyphen)) return null;
  const year = numberAt(text, isBrazilian ? 6 : 0, 4);
  const month = numberAt(text, isBrazilian ? 3 : 5, 2);
  const day = numberAt(text, isBrazilian ? 0 : 8, 2);
  if (!(year > 1900 && year <= 2199 && month >= 1 && month <= 12)) return null;
  if (!(day >= 1 && day <= daysInMonth(year, month))) return null;
  return isBrazilian ? `${text.slice(6)}-${text.slice(3, 5)}-${text.slice(0, 2)}` : text;
}
const slash = 0x2f;
const hyphen = 0x2d;

/** The number in these digits; NaN if one of them is none. */
function numberAt(text: string, from: number, digits: number): number {
  let number = 0;
  for (let i = from; i < from + digits; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** `Vencimento: 31/12/2026`. */
const label = /^\p{L}[\p{L} .]{1,20}:\s*(?=\d)/u;

/** `quinta-feira, 25 de dezembro de 1980`, `Thu, 25 Dec 1980`, `Thu Dec 25 1980`. */
const dayOfWeek =
  /^(?:(?:domingo|segunda|terça|terca|quarta|quinta|sexta|s[áa]bado)(?:-feira)?|dom|seg|ter|qua|qui|sex|s[áa]b|sun|mon|tue|wed|thu|fri|sat|(?:sun|mon|tues|wednes|thurs|fri|satur)day)\.?(?:,\s*|\s+)(?=\S)/i;

/**
 * Zeros (00/00/0000), and the values that systems store for "none": .NET 0001-01-01, SQL Server 1753-01-01 and
 * 1900-01-01 (an empty text as a date), Delphi and Excel 1899-12-30 and 1900-01-00, and the last date 9999-12-31.
 */
function standsForNoDate(value: string): boolean {
  return (
    /^[0/.\- :T]+Z?$/.test(value) ||
    /^(?:0001-?01-?01|1753-?01-?01|1899-?12-?3[01]|1900-?01-?0[01]|9999-?12-?31)(?:[ T].*)?$/.test(value) ||
    /^(?:0?1\/0?1\/(?:0001|1753|1900)|3[01]\/12\/1899|0?0\/0?1\/1900|31\/12\/9999)(?:[ T].*)?$/.test(value) ||
    /^(?:\\?\/Date\()?-62135596800(?:000)?(?:[+-]\d{4})?(?:\)\\?\/)?$/.test(value)
  );
}

const time = String.raw`(?:[ T,]\s*(?:às\s+|-\s+)?(?:\d{1,2}(?::|h)\d{2}.*|\d{1,2}\s?h(?:s|rs|oras)?\.?))?`;
const dayFirst = new RegExp(String.raw`^(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4}|\d{2})${time}$`);
const yearFirst = new RegExp(String.raw`^(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?:Z|[+-]\d{2}:\d{2})?${time}$`);
const namedMonth = new RegExp(
  String.raw`^(\d{1,2})(?:º|st|nd|rd|th)?[ /.-]+(?:de\s+)?(\p{L}{3,9})\.?[ /.,-]+(?:de\s+)?(\d{4}|\d{2})${time}$`,
  'u',
);
const monthFirst = new RegExp(String.raw`^(\p{L}{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})${time}$`, 'u');

/** The dates that a text may mean, possible or not. */
function candidates(value: string, window: DateWindow): string[] {
  const numeric = dayFirst.exec(value);
  if (numeric) {
    const [, first = '', , second = '', year = ''] = numeric;
    const years = yearsOf(year, window);
    const brazilian = years.flatMap((y) => dateOf(y, second, first));
    // 12/25/1980 has no other meaning; 05/06/1980 is 5 June.
    return brazilian.length > 0 ? brazilian : years.flatMap((y) => dateOf(y, first, second));
  }
  const iso = yearFirst.exec(value);
  if (iso) return dateOf(iso[1] ?? '', iso[3] ?? '', iso[4] ?? '');
  const named = namedMonth.exec(value);
  if (named) {
    return yearsOf(named[3] ?? '', window).flatMap((y) => dateOf(y, monthOf(named[2] ?? ''), named[1] ?? ''));
  }
  const american = monthFirst.exec(value);
  if (american) return dateOf(american[3] ?? '', monthOf(american[1] ?? ''), american[2] ?? '');
  const packed = new RegExp(String.raw`^(\d{8})(?:T\d{2}:?\d{2}.*|(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?$`).exec(
    value,
  )?.[1];
  if (packed) {
    const dates = [
      ...dateOf(packed.slice(0, 4), packed.slice(4, 6), packed.slice(6)),
      ...dateOf(packed.slice(4), packed.slice(2, 4), packed.slice(0, 2)),
    ];
    if (dates.length > 0) return dates;
  }
  const serial = /^(\d{5})(?:[.,]\d+)?$/.exec(value)?.[1];
  if (serial) return [isoOf(Date.UTC(1899, 11, 30) + Number(serial) * dayMs)];
  const dotNet = /^\\?\/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?\/$/.exec(value)?.[1];
  if (dotNet) return instantOf(Number(dotNet));
  const unix = /^-?\d{8,13}$/.test(value) ? Number(value) : null;
  // Seconds up to 2128, milliseconds from March 1970.
  return unix === null ? [] : instantOf(Math.abs(unix) < 5e9 ? unix * 1000 : unix);
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** The last time that `Date` supports, minus a day. */
const farthestMs = 8.64e15 - dayMs;

/** The date of a midnight in some zone, from a Unix time in milliseconds; empty for other times, such as phones. */
function instantOf(ms: number): string[] {
  if (ms % (hourMs / 2) !== 0 || Math.abs(ms) > farthestMs) return [];
  // A midnight west of Greenwich is a morning in UTC; one in the east is the evening before.
  const intoDay = ((ms % dayMs) + dayMs) % dayMs;
  return [isoOf(intoDay <= 12 * hourMs ? ms : ms + dayMs)];
}

const isoOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The possible years of the digits: with two digits, in all centuries of the window. */
function yearsOf(digits: string, { earliest, latest }: DateWindow): string[] {
  if (digits.length === 4) return [digits];
  const years: string[] = [];
  for (let century = Number(earliest.slice(0, 2)); century <= Number(latest.slice(0, 2)); century++) {
    years.push(`${century}${digits}`);
  }
  return years;
}

/** The date, if it exists in the calendar. */
function dateOf(year: string, month: string, day: string): string[] {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  if (!(y >= 1900 && y <= 2199 && m >= 1 && m <= 12 && d >= 1 && d <= daysInMonth(y, m))) return [];
  return [`${year}-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`];
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The first three letters identify a month, in Portuguese (fev, abr, mai, ago, set, out, dez) and in English. */
const months = new Map([
  ...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map(
    (name, index) => [name, index + 1] as const,
  ),
  ...([
    ['fev', 2],
    ['abr', 4],
    ['mai', 5],
    ['ago', 8],
    ['set', 9],
    ['out', 10],
    ['dez', 12],
  ] as const),
]);
const monthNames: ReadonlySet<string> = new Set(
  (
    'janeiro fevereiro março marco abril maio junho julho agosto setembro outubro novembro dezembro ' +
    'january february march april may june july august september october november december sept'
  ).split(' '),
);

/** The number of a month by its name or its first three letters; '0', which is never valid, for another word. */
function monthOf(name: string): string {
  const lower = name.toLowerCase();
  if (lower.length > 3 && !monthNames.has(lower)) return '0';
  return String(months.get(lower.slice(0, 3)) ?? 0);
}

const isWithin = (date: string, { earliest, latest }: DateWindow): boolean => {
  const [from, to] = [
    earliest < anyDate.earliest ? anyDate.earliest : earliest,
    latest > anyDate.latest ? anyDate.latest : latest,
  ];
  return date >= from && date <= to;
};

function addYears(date: string, years: number): string {
  const year = Number(date.slice(0, 4)) + years;
  const rest = date.slice(4);
  // That year may have no 29 February.
  return rest === '-02-29' ? `${year}-02-28` : `${year}${rest}`;
}
