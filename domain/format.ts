import type { Locale } from './user.ts';

/**
 * How numbers, dates and lists are written for one reader: their language, their time zone. Without a zone (programs,
 * the Temporal UI) an instant in a sentence is written in ISO 8601.
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
  const short = { day: '2-digit', month: '2-digit', year: 'numeric' } as const;
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const dateTime = (at: Date): string => formatter({ ...short, ...clock }).format(at);
  const exact = (at: Date): string => formatter({ ...short, ...clock, second: '2-digit' }).format(at);
  return {
    locale,
    timeZone,
    number,
    /** A number with what it counts: `1 line`, `1,200 lines`. */
    count: (value: number, one: string, other: string): string =>
      `${number(value)} ${pluralRules(locale).select(value) === 'one' ? one : other}`,
    /** `a, b and c` */
    list: (items: readonly string[]): string => listFormat(locale, 'conjunction').format(items),
    /** `a, b or c` */
    choice: (items: readonly string[]): string => listFormat(locale, 'disjunction').format(items),
    /** An instant in ISO 8601, as a part of a sentence; what is none stays as it is. */
    instant: (text: string): string => {
      const at = new Date(text);
      if (Number.isNaN(at.getTime())) return text;
      return zone === null ? at.toISOString() : dateTime(at);
    },
    /** A moment as a part of a sentence, to the second. */
    moment: (at: Date): string => (zone === null ? at.toISOString() : exact(at)),
    percent: (share: number): string => number(share, { style: 'percent', maximumFractionDigits: 1 }),
    bytes: (bytes: number): string => {
      const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / 1024 / 1024, 'MiB'];
      return `${number(value, { maximumFractionDigits: 1 })} ${unit}`;
    },
    date: (at: Date): string => formatter(short).format(at),
    dateTime,
    /** With seconds, for what happens within one. */
    exact,
    /** What a clock on a wall shows, `2026-03-31T09:00`, whatever the zone. */
    wallTime: (local: string): string =>
      cached(`${locale} wall`, () => {
        return new Intl.DateTimeFormat(locale, { ...short, ...clock, weekday: 'short', timeZone: 'UTC' });
      }).format(new Date(`${local}Z`)),
    weekday: (at: Date): string => formatter({ weekday: 'short' }).format(at),
    /** A date of the calendar, `2026-12-25`, which is the same day in every zone. */
    calendarDate: (date: string): string =>
      new Intl.DateTimeFormat(locale, { ...short, timeZone: 'UTC' }).format(new Date(`${date}T00:00Z`)),
    /** A zone with its distance from UTC at the moment: "America/Sao_Paulo (GMT-3)". */
    zone: (zone = timeZone, at = new Date()): string => {
      const part = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'shortOffset' })
        .formatToParts(at)
        .find(({ type }) => type === 'timeZoneName');
      return `${zone.replaceAll('_', ' ')} (${part?.value ?? ''})`;
    },
    /** How long, in its two largest units: "1 h 12 min". */
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

const pluralRules = (locale: Locale): Intl.PluralRules =>
  remember(plurals, locale, () => new Intl.PluralRules(locale));
const listFormat = (locale: Locale, type: Intl.ListFormatType): Intl.ListFormat =>
  remember(lists, `${locale} ${type}`, () => new Intl.ListFormat(locale, { type }));

// Intl's objects take longer to make than all they then format for a page.
const dates = new Map<string, Intl.DateTimeFormat>();
const numbers = new Map<string, Intl.NumberFormat>();
const plurals = new Map<string, Intl.PluralRules>();
const lists = new Map<string, Intl.ListFormat>();
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
