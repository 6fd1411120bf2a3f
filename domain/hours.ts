import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { inZone, timezone, weekdayList, weekdays } from './calendar.ts';
import { coded } from './problems/coded.ts';

/**
 * Sending hours: when the mailing may be fetched and messages may leave, in the local time of one zone.
 *
 * - A window that ends at or before its start extends past midnight into the next day, and belongs to the day on which
 *   it starts: Friday 22:00–02:00 is open on Saturday until 02:00. `24:00` is the midnight that ends the day.
 * - Windows that touch or overlap are merged.
 * - A holiday is a date in the zone. It is closed from midnight to midnight, even for a window that extends into it;
 *   other dates do not change.
 * - If the clocks skip the time at which a window starts or ends, it starts or ends at the change; if they show it
 *   twice, at the first. An hour that is shown twice inside a window is open both times.
 */

const minutesPerDay = 24 * 60;

/** How far ahead to search for an opening: a leap year plus its first day again. */
const daysAhead = 367;

const clockTime = z
  .string({ error: coded('time_format') })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, coded('time_format'));

const closingTime = z
  .string({ error: coded('closing_time_format') })
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, coded('closing_time_format'));

const window = z
  .strictObject({ days: weekdayList, from: clockTime, to: closingTime })
  .refine(({ from, to }) => from !== to, {
    error: coded('window_empty'),
    path: ['to'],
  });
type Window = z.infer<typeof window>;

export const sendingHours = z.strictObject({
  timezone,
  /** A hundred is more than a week needs, and bounds the work of each look-up. */
  windows: z.array(window).min(1, coded('window_missing')).max(100),
});
export type SendingHours = z.infer<typeof sendingHours>;

/** A time span: minutes of a day, or instants in milliseconds. The end is exclusive. */
interface Span {
  from: number;
  to: number;
}

/**
 * Whether the hours are open, and until when.
 *
 * @param holidays dates in the hours' zone, `2026-12-25`.
 * @returns `closesAt` null: they never close. `opensAt` null: they do not open within a year.
 */
export function hoursAt(
  hours: SendingHours,
  now: Date,
  holidays: ReadonlySet<string> = new Set(),
): { open: true; closesAt: Date | null } | { open: false; opensAt: Date | null } {
  const instant = now.getTime();
  const today = dateAt(instant, hours);
  if (isAlways(hours)) {
    // Without this, every call would search a whole year for the end.
    const closing = firstFrom(today.toString(), holidays);
    if (closing !== today.toString()) {
      const closesAt =
        closing === undefined ? null : new Date(instantAt(Temporal.PlainDate.from(closing), 0, hours));
      return { open: true, closesAt };
    }
  }
  let closesAt: number | null = null;
  for (const span of openSpans(hours, today, today.add({ days: daysAhead }), holidays)) {
    if (closesAt === null) {
      if (span.from > instant) return { open: false, opensAt: new Date(span.from) };
      if (span.to > instant) closesAt = span.to;
    } else {
      if (span.from > closesAt) break;
      closesAt = span.to;
    }
  }
  return closesAt === null ? { open: false, opensAt: null } : { open: true, closesAt: new Date(closesAt) };
}

/**
 * The milliseconds for which the hours are open between two instants; 0 when the second is not later.
 *
 * @param holidays dates in the hours' zone, `2026-12-25`.
 */
export function openMsBetween(
  hours: SendingHours,
  from: Date,
  to: Date,
  holidays: ReadonlySet<string> = new Set(),
): number {
  let openMs = 0;
  const [start, end] = [from.getTime(), to.getTime()];
  for (const span of openSpans(hours, dateAt(start, hours), dateAt(end, hours), holidays)) {
    openMs += Math.max(0, Math.min(span.to, end) - Math.max(span.from, start));
  }
  return openMs;
}

/**
 * The first instant at which the hours have been open for `openMs` since `from`; null: not within a year.
 *
 * @param holidays dates in the hours' zone, `2026-12-25`.
 */
export function openTimeAfter(
  hours: SendingHours,
  from: Date,
  openMs: number,
  holidays: ReadonlySet<string> = new Set(),
): Date | null {
  if (openMs <= 0) return from;
  const start = from.getTime();
  const today = dateAt(start, hours);
  let left = openMs;
  for (const span of openSpans(hours, today, today.add({ days: daysAhead }), holidays)) {
    const open = span.to - Math.max(span.from, start);
    if (open <= 0) continue;
    if (open >= left) return new Date(Math.max(span.from, start) + left);
    left -= open;
  }
  return null;
}

/** The open spans of the dates from `first` to `last`, in order. None crosses midnight, so one may touch the next. */
function* openSpans(
  hours: SendingHours,
  first: Temporal.PlainDate,
  last: Temporal.PlainDate,
  holidays: ReadonlySet<string>,
): Generator<Span> {
  for (let date = first; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
    if (holidays.has(date.toString())) continue;
    for (const span of openMinutes(hours.windows, date.dayOfWeek)) {
      const [from, to] = [instantAt(date, span.from, hours), instantAt(date, span.to, hours)];
      // A window inside a skipped hour is empty.
      if (from < to) yield { from, to };
    }
  }
}

/** The open minutes of a weekday (1 is Monday), in order and merged. */
function openMinutes(windows: readonly Window[], dayOfWeek: number): Span[] {
  const today = weekdays[dayOfWeek - 1];
  const yesterday = weekdays[(dayOfWeek + 5) % 7];
  const spans = windows.flatMap(({ days, from, to }) => {
    const [start, end] = [minuteOf(from), minuteOf(to)];
    const pastMidnight = end < start;
    const found: Span[] = [];
    if (days.some((day) => day === today))
      found.push({ from: start, to: pastMidnight ? minutesPerDay : end });
    if (pastMidnight && days.some((day) => day === yesterday)) found.push({ from: 0, to: end });
    return found;
  });
  return merged(spans);
}

function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last === undefined || span.from > last.to) result.push({ ...span });
    else last.to = Math.max(last.to, span.to);
  }
  return result;
}

/** Whether the windows cover every minute of the week. */
function isAlways({ windows }: SendingHours): boolean {
  return weekdays.every((_, index) => {
    const [first] = openMinutes(windows, index + 1);
    return first?.from === 0 && first.to === minutesPerDay;
  });
}

/** The earliest date that is not before `date`. */
function firstFrom(date: string, dates: ReadonlySet<string>): string | undefined {
  let first: string | undefined;
  for (const candidate of dates) {
    if (candidate >= date && (first === undefined || candidate < first)) first = candidate;
  }
  return first;
}

function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

function dateAt(instant: number, { timezone }: SendingHours): Temporal.PlainDate {
  return inZone(instant, timezone).toPlainDate();
}

/** The instant of a minute of a date: the first if the clocks show it twice, the change itself if they skip it. */
function instantAt(date: Temporal.PlainDate, minute: number, { timezone }: SendingHours): number {
  const time = date.toPlainDateTime().add({ minutes: minute });
  const zoned = time.toZonedDateTime(timezone);
  if (zoned.toPlainDateTime().equals(time)) return zoned.epochMilliseconds;
  const jump = time.toZonedDateTime(timezone, { disambiguation: 'earlier' }).getTimeZoneTransition('next');
  return (jump ?? zoned).epochMilliseconds;
}
