import type { Locale } from './user.ts';

/**
 * Formats numbers, dates and lists for a reader's language and time zone. Without a zone (programs, the Temporal UI),
 * instants in sentences use ISO 8601.
 */
export function createFormat(locale: Locale, zone: string | null) {
  const timeZone = zone ?? 'UTC';
  const formatter = (options: Intl.DateTimeFormatOptions) =>
    cached(`${locale} ${timeZone} ${JSON.stringify(options)}`, () => {
      return new Intl.DateTimeFormat(locale, { timeZone, ...options });
    });
  const number = (value: number, options: Intl.NumberFormatOptions = {}): string =>
    cachedNumber(`${locale} ${JSON.stringify(options)}`, () => new Intl.NumberFormat(locale, options)).format(
      value,
    );
  /** What is no currency stays as it is, after the number. */
  const amount = (millionths: number, currency: string, options: Intl.NumberFormatOptions): string =>
    /^[A-Z]{3}$/.test(currency)
      ? number(millionths / 1_000_000, { style: 'currency', currency, ...options })
      : `${number(millionths / 1_000_000, options)} ${currency}`;
  const short = { day: '2-digit', month: '2-digit', year: 'numeric' } as const;
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const dateTime = (at: Date): string => formatter({ ...short, ...clock }).format(at);
  const exact = (at: Date): string => formatter({ ...short, ...clock, second: '2-digit' }).format(at);
  return {
    locale,
    timeZone,
    number,
    /** A number with its noun: `1 line`, `1,200 lines`. */
    count: (value: number, one: string, other: string): string =>
      `${number(value)} ${pluralRules(locale).select(value) === 'one' ? one : other}`,
    /** `a, b and c` */
    list: (items: readonly string[]): string => listFormat(locale, 'conjunction').format(items),
    /** `a, b or c` */
    choice: (items: readonly string[]): string => listFormat(locale, 'disjunction').format(items),
    /** An instant in ISO 8601, formatted for a sentence; other text stays as it is. */
    instant: (text: string): string => {
      const at = new Date(text);
      if (Number.isNaN(at.getTime())) return text;
      return zone === null ? at.toISOString() : dateTime(at);
    },
    /** A time formatted for a sentence, to the second. */
    moment: (at: Date): string => (zone === null ? at.toISOString() : exact(at)),
    percent: (share: number): string => number(share, { style: 'percent', maximumFractionDigits: 1 }),
    /** In the units of file managers. */
    bytes: (bytes: number): string => {
      const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KB'] : [bytes / 1024 / 1024, 'MB'];
      return `${number(value, { maximumFractionDigits: 1 })} ${unit}`;
    },
    date: (at: Date): string => formatter(short).format(at),
    dateTime,
    /** With seconds, for events within one minute. */
    exact,
    /** The same in the form that a spreadsheet in the language reads as a date and time. */
    sheetTime: (at: Date): string =>
      `${formatter(short).format(at)} ${formatter({ ...clock, second: '2-digit' }).format(at)}`,
    /** A local time, `2026-03-31T09:00`, independent of the zone. */
    wallTime: (local: string): string =>
      cached(`${locale} wall`, () => {
        return new Intl.DateTimeFormat(locale, { ...short, ...clock, weekday: 'short', timeZone: 'UTC' });
      }).format(new Date(`${local}Z`)),
    weekday: (at: Date): string => formatter({ weekday: 'short' }).format(at),
    /** A calendar date, `2026-12-25`, which is the same day in every zone. */
    calendarDate: (date: string): string =>
      new Intl.DateTimeFormat(locale, { ...short, timeZone: 'UTC' }).format(new Date(`${date}T00:00Z`)),
    /** A zone by its city, with its current offset from UTC: "Manaus (GMT-4)". */
    zone: (zone = timeZone, at = new Date()): string => {
      const part = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'shortOffset' })
        .formatToParts(at)
        .find(({ type }) => type === 'timeZoneName');
      return `${cityOf(zone)} (${part?.value ?? ''})`;
    },
    /** A sum of money, given in millionths of the currency (domain/price.ts): `R$ 1.284,00`. */
    money: (millionths: number, currency: string): string => amount(millionths, currency, {}),
    /** The price of one piece, with all its decimals: `R$ 0,085`. */
    unitPrice: (millionths: number, currency: string): string =>
      amount(millionths, currency, { maximumFractionDigits: 6 }),
    /** A month of the calendar, `2026-11`: `November 2026`. Other text stays as it is. */
    month: (month: string): string => {
      const first = new Date(`${month}-01T00:00Z`);
      if (Number.isNaN(first.getTime())) return month;
      return cached(`${locale} month`, () => {
        return new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' });
      }).format(first);
    },
    /** A country by its ISO 3166 code. */
    country: (region: string): string => regionNames(locale).of(region) ?? region,
    /** A duration in its two largest units: "1 h 12 min". */
    duration: (ms: number): string => {
      const seconds = Math.max(0, Math.round(ms / 1000));
      const units = [
        ['d', Math.floor(seconds / 86_400)],
        ['h', Math.floor(seconds / 3_600) % 24],
        ['min', Math.floor(seconds / 60) % 60],
        ['s', seconds % 60],
      ] as const;
      const first = units.findIndex(([, value]) => value > 0);
      if (first === -1) return `${number(0)} s`;
      return units
        .slice(first, first + 2)
        .filter(([, value]) => value > 0)
        .map(([unit, value]) => `${number(value)} ${unit}`)
        .join(' ');
    },
  };
}
export type Format = ReturnType<typeof createFormat>;

/** For operators and programs: the Temporal UI, logs, and API answers without a language. */
export const plainEnglish = createFormat('en', null);

const pluralRules = (locale: Locale): Intl.PluralRules =>
  remember(plurals, locale, () => new Intl.PluralRules(locale));
const listFormat = (locale: Locale, type: Intl.ListFormatType): Intl.ListFormat =>
  remember(lists, `${locale} ${type}`, () => new Intl.ListFormat(locale, { type }));

const regionNames = (locale: Locale): Intl.DisplayNames =>
  remember(regions, locale, () => new Intl.DisplayNames(locale, { type: 'region' }));

// Creating Intl's objects takes longer than formatting everything on a page.
const dates = new Map<string, Intl.DateTimeFormat>();
const numbers = new Map<string, Intl.NumberFormat>();
const plurals = new Map<string, Intl.PluralRules>();
const lists = new Map<string, Intl.ListFormat>();
const regions = new Map<string, Intl.DisplayNames>();
const maxCached = 500;

function cached(key: string, make: () => Intl.DateTimeFormat): Intl.DateTimeFormat {
  return remember(dates, key, make);
}
function cachedNumber(key: string, make: () => Intl.NumberFormat): Intl.NumberFormat {
  return remember(numbers, key, make);
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  if (known.size >= maxCached) known.clear();
  known.set(key, made);
  return made;
}

/** In Brazil, the zone that the tz database names after São Paulo is Brasília time. */
const cityOf = (zone: string): string =>
  zone === 'America/Sao_Paulo' ? 'Brasília' : (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
