import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { coded } from './problems/coded.ts';

/**
 * The calendar words that schedules and sending hours share: weekdays, zones, local times.
 *
 * Instants are milliseconds since the epoch. A *wall time* is what a clock on the wall shows, written as the
 * milliseconds of the same date and time in UTC, so that calendar arithmetic is plain arithmetic; it names an instant
 * only together with a zone.
 *
 * `Temporal` is imported here and never made global: it is the runtime's own where it has one, else the polyfill's.
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

/** Some days of the week, each at most once. */
export const weekdayList = z
  .array(z.enum(weekdays, { error: coded('weekday_expected') }))
  .min(1, coded('weekday_missing'))
  .refine((days) => new Set(days).size === days.length, coded('weekday_repeated'));

/**
 * The name of a time zone in the IANA database of this runtime. Case is not significant. A fixed offset (`-03:00`),
 * which newer runtimes take for a zone, is refused: it would not follow the zone's rules.
 */
export const timezone = z
  .string({ error: coded('timezone_unknown') })
  .refine(isTimezone, coded('timezone_unknown'));

const dateTimeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

/**
 * A date and time without a zone: `2026-03-31T09:00`, seconds optional. The years 1970 to 2199 are taken; others are
 * slips of the keyboard.
 */
export const localDateTime = z
  .string({ error: coded('date_time_format') })
  .regex(dateTimeShape, coded('date_time_format'))
  // Each is silent where the one before it has spoken. Not by `abort`, which would also end the checks of the whole
  // document that the date stands in.
  .refine((text) => !dateTimeShape.test(text) || isRealDateTime(text), {
    error: coded('date_time_unreal'),
  })
  .refine((text) => !dateTimeShape.test(text) || !isRealDateTime(text) || (text >= '1970' && text < '2200'), {
    error: coded('year_range'),
  });

function isTimezone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Round trip, because `Date.parse` takes 30 February for 2 March. */
function isRealDateTime(text: string): boolean {
  const wall = wallTimeOf(text);
  return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text);
}

/** The wall time of a local date-time that has been validated by `localDateTime`. */
export function wallTimeOf(text: string): number {
  return Date.parse(`${text}Z`);
}

/** The last `count` days of the zone's calendar up to the instant's, oldest first, each with its first instant. */
export function lastDays(instant: number, zone: string, count: number): { day: string; startsAt: Date }[] {
  const today = inZone(instant, zone).toPlainDate();
  return Array.from({ length: count }, (_, index) => {
    const date = today.subtract({ days: count - 1 - index });
    return { day: date.toString(), startsAt: new Date(date.toZonedDateTime(zone).epochMilliseconds) };
  });
}

/** The instant as the zone's calendar and clock show it. */
export function inZone(instant: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
}

/** What the zone's clocks show at the instant. */
export function wallTimeAt(instant: number, zone: string): number {
  return instant + offsetAt(instant, zone);
}

/** Milliseconds the zone is ahead of UTC at the instant. */
export function offsetAt(instant: number, zone: string): number {
  return inZone(instant, zone).offsetNanoseconds / 1_000_000;
}

/**
 * The instant at which the zone's clocks show the wall time. Where they show it twice, the first; where they skip it,
 * the wall time is read with the offset before the gap and so moves forward by the length of the gap: 02:30 becomes
 * 03:30 (RFC 5545, 3.3.5, form 3).
 */
export function instantOf(wallTime: number, zone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(wallTime)
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
    .toZonedDateTime(zone).epochMilliseconds;
}

/** Whether the zone's clocks jump over the wall time. */
export function isSkipped(wallTime: number, zone: string): boolean {
  return wallTimeAt(instantOf(wallTime, zone), zone) !== wallTime;
}
