import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { coded } from './problems/coded.ts';

/**
 * Calendar terms shared by schedules and sending hours: weekdays, zones, local times.
 *
 * Instants are milliseconds since the epoch. A *wall time* is a local date and time, stored as the milliseconds of the
 * same date and time in UTC, so that calendar arithmetic is plain arithmetic; it identifies an instant only together
 * with a zone.
 *
 * `Temporal` is imported here and never made global: the runtime's own if it has one, else the polyfill's.
 */

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** In ISO order: Monday is number 1. */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

/** Some weekdays, each at most once. */
export const weekdayList = z
  .array(z.enum(weekdays, { error: coded('weekday_expected') }))
  .min(1, coded('weekday_missing'))
  .refine((days) => new Set(days).size === days.length, coded('weekday_repeated'));

/**
 * The name of a time zone in this runtime's IANA database, in any case. A fixed offset (`-03:00`), which newer runtimes
 * accept as a zone, is refused: it would not follow the zone's rules.
 */
export const timezone = z
  .string({ error: coded('timezone_unknown') })
  .trim()
  .refine(isTimezone, coded('timezone_unknown'));

/** The zone of a deployment that names none: where the days and months of prices, budgets and reports begin. */
export const defaultTimezone = 'America/Sao_Paulo';

const dateTimeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

/**
 * A date and time without a zone: `2026-03-31T09:00`, seconds optional. Accepts the years 1970 to 2199; others are
 * typos.
 */
export const localDateTime = z
  .string({ error: coded('date_time_format') })
  .regex(dateTimeShape, coded('date_time_format'))
  // Each check passes if an earlier one has failed. Not by `abort`, which would also end the checks of the whole
  // document around the date.
  .refine((text) => !dateTimeShape.test(text) || isRealDateTime(text), {
    error: coded('date_time_unreal'),
  })
  .refine((text) => !dateTimeShape.test(text) || !isRealDateTime(text) || (text >= '1970' && text < '2200'), {
    error: coded('year_range'),
  });

// A formatter is too slow to create for every document that is read, and this list alone lacks old names of zones.
let commonZones: ReadonlySet<string> | undefined;

/** Whether this runtime's database has a zone of this name. */
export function isTimezone(name: string): boolean {
  commonZones ??= new Set(Intl.supportedValuesOf('timeZone'));
  if (commonZones.has(name)) return true;
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Compares after a round trip, because `Date.parse` reads 30 February as 2 March. */
function isRealDateTime(text: string): boolean {
  const wall = wallTimeOf(text);
  return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text);
}

/** The wall time of a local date-time that `localDateTime` has validated. */
export function wallTimeOf(text: string): number {
  return Date.parse(`${text}Z`);
}

/** The last `count` days in the zone up to the instant's day, oldest first, each with its first instant. */
export function lastDays(instant: number, zone: string, count: number): { day: string; startsAt: Date }[] {
  const today = inZone(instant, zone).toPlainDate();
  return Array.from({ length: count }, (_, index) => {
    const date = today.subtract({ days: count - 1 - index });
    return { day: date.toString(), startsAt: new Date(date.toZonedDateTime(zone).epochMilliseconds) };
  });
}

/** The local date and time of an instant in a zone. */
export function inZone(instant: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
}

/** The date of an instant in a zone: `2026-12-01`. */
export const dayIn = (at: Date, zone: string): string => inZone(at.getTime(), zone).toPlainDate().toString();

/** The wall time of an instant in a zone. */
export function wallTimeAt(instant: number, zone: string): number {
  return instant + offsetAt(instant, zone);
}

/** The zone's offset from UTC at the instant, in milliseconds. */
export function offsetAt(instant: number, zone: string): number {
  return inZone(instant, zone).offsetNanoseconds / 1_000_000;
}

/**
 * The instant of a wall time in a zone. Of a repeated time, the first; a skipped time is read with the offset before
 * the gap and so moves forward by the length of the gap: 02:30 becomes 03:30 (RFC 5545, 3.3.5, form 3).
 */
export function instantOf(wallTime: number, zone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(wallTime)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
    .toZonedDateTime(zone).epochMilliseconds;
}

/** Whether the zone's clocks skip the wall time. */
export function isSkipped(wallTime: number, zone: string): boolean {
  return wallTimeAt(instantOf(wallTime, zone), zone) !== wallTime;
}
