import type { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import {
  dayMs,
  hourMs,
  inZone,
  instantOf,
  isSkipped,
  localDateTime,
  minuteMs,
  offsetAt,
  timezone,
  wallTimeAt,
  wallTimeOf,
  weekdayList,
} from './calendar.ts';
import { coded } from './problems/coded.ts';
import { nextWallTime } from './rrule-search.ts';
import { rrule, untilOf } from './rrule.ts';

/**
 * When a campaign is due.
 *
 * - The recurrence is anchored at `startsAt`: `every 2 weeks` counts from its week (weeks begin on Monday). `startsAt`
 *   itself is an occurrence only if the recurrence includes it.
 * - A day that a month does not have is skipped: the 31st has seven occurrences a year, and the 30th is skipped in
 *   February (RFC 5545, 3.3.10). For the last day use `last`.
 * - `minutes` and `hours` are elapsed time: after a clock change `every 24 hours` runs an hour earlier or later by the
 *   clock. All others follow local time.
 * - A local time that the clocks skip moves forward by the length of the gap (02:30 becomes 03:30), so that a campaign
 *   at such a time does not skip one day a year; RFC 5545 would skip it. If another occurrence is due at that
 *   instant, the two become one. A local time that the clocks show twice occurs once, the first time.
 * - A holiday is a date in the schedule's zone on which nothing is due. It is removed after the recurrence has been
 *   counted: a rule with COUNT=5 of which one falls on a holiday has four occurrences.
 */

/** Every `minutes` up to a day, `hours` up to a week, `day` up to a year, `week` up to two years, `month` up to ten. */
const interval = (max: number) =>
  z
    .int({ error: coded('interval_whole') })
    .min(1, coded('interval_too_small'))
    .max(max, coded('interval_too_large'))
    .default(1);

const notADay = coded('day_of_month');
const dayOfMonth = z.union([z.int().min(1, notADay).max(31, notADay), z.literal('last')], notADay);

export const recurrence = z.discriminatedUnion(
  'every',
  [
    z.strictObject({ every: z.literal('once') }),
    z.strictObject({ every: z.literal('minutes'), interval: interval(1440) }),
    z.strictObject({ every: z.literal('hours'), interval: interval(168) }),
    z.strictObject({ every: z.literal('day'), interval: interval(366) }),
    z.strictObject({ every: z.literal('week'), interval: interval(104), days: weekdayList }),
    z.strictObject({ every: z.literal('month'), interval: interval(120), dayOfMonth }),
    z.strictObject({ every: z.literal('rule'), rrule }),
  ],
  { error: coded('recurrence_unknown') },
);
export type Recurrence = z.infer<typeof recurrence>;

const period = z.object({ startsAt: localDateTime, endsAt: localDateTime });

/** Parsing adds all optional keys. */
export const schedule = z
  .strictObject({
    recurrence,
    /** Local to `timezone`. Nothing is due before it. */
    startsAt: localDateTime,
    /** Local to `timezone`. The last time at which something may be due. Null: no end. */
    endsAt: localDateTime.nullable().default(null),
    timezone,
    holidayCalendarId: z.int().positive().nullable().default(null),
  })
  .refine(({ startsAt, endsAt }) => endsAt === null || wallTimeOf(endsAt) > wallTimeOf(startsAt), {
    error: coded('end_before_start'),
    path: ['endsAt'],
    // Zod would check it only after all other checks pass; all problems must be reported at once.
    when: ({ value }) => period.safeParse(value).success,
  });
export type Schedule = z.infer<typeof schedule>;

/** An instant at which a schedule is due, with its local time and offset. */
export interface Occurrence {
  at: Date;
  /** `2026-03-31T09:00`, with seconds where the schedule has them. */
  local: string;
  /** `-03:00` */
  offset: string;
}

/**
 * The next `count` occurrences after an instant, in order; fewer when there are no more. With `after: null`, from the
 * start of the schedule, inclusive.
 *
 * Each takes a fraction of a millisecond. A step finds an occurrence or skips a whole holiday, and searches at most 50
 * years ahead (domain/rrule-search.ts); there are none beyond that.
 *
 * @param options.until the last instant to search; by default the schedule's own end.
 * @param options.holidays dates in the schedule's zone, `2026-12-25`.
 */
export function nextOccurrences(
  schedule: Schedule,
  options: { after: Date | null; until?: Date; count: number; holidays?: ReadonlySet<string> },
): Occurrence[] {
  const { after, until, count, holidays } = options;
  const end = Math.min(endOf(schedule), until?.getTime() ?? Infinity);
  const occurrences: Occurrence[] = [];
  let instant = after?.getTime() ?? -Infinity;
  while (occurrences.length < count) {
    const at = firstAfter(schedule, instant);
    if (at === null || at > end) break;
    const zoned = inZone(at, schedule.timezone);
    if (holidays?.has(zoned.toPlainDate().toString()) === true) {
      instant = startOfNextDay(zoned) - 1;
    } else {
      occurrences.push({ at: new Date(at), local: localTextOf(zoned), offset: zoned.offset });
      instant = at;
    }
  }
  return occurrences;
}

/** The first of the holidays after `after` and up to `until` (null: no end) on which an occurrence falls. */
export function holidaysLeftOut<T extends { date: string }>(
  schedule: Schedule,
  { after, until, holidays }: { after: Date; until: Date | null; holidays: readonly T[] },
): T[] {
  const dueOn = (date: string): boolean => {
    const start = instantOf(wallTimeOf(`${date}T00:00`), schedule.timezone);
    const since = new Date(Math.max(start - 1, after.getTime()));
    const [first] = nextOccurrences(schedule, { after: since, count: 1 });
    return first?.local.startsWith(date) === true && (until === null || first.at <= until);
  };
  const from = inZone(after.getTime(), schedule.timezone).toPlainDate().toString();
  return holidays
    .filter(({ date }) => date >= from)
    .toSorted((a, b) => (a.date < b.date ? -1 : 1))
    .slice(0, maxHolidaysLookedAt)
    .filter(({ date }) => dueOn(date));
}
const maxHolidaysLookedAt = 60;

/** Whether nothing is due after `after`, holidays excluded. Does not search a schedule that is clearly endless. */
export function isOver(
  schedule: Schedule,
  { after, holidays }: { after: Date; holidays?: ReadonlySet<string> | undefined },
): boolean {
  const { recurrence, endsAt } = schedule;
  if (endsAt === null && endless.has(recurrence.every)) return false;
  return nextOccurrences(schedule, { after, count: 1, ...(holidays ? { holidays } : {}) }).length === 0;
}
// Not months: few years have a 29 February.
const endless: ReadonlySet<Recurrence['every']> = new Set(['minutes', 'hours', 'day', 'week']);

/** Whether the schedule has no occurrence: its end is too early, all dates are holidays, or the date does not exist. */
export function neverOccurs(schedule: Schedule, holidays?: ReadonlySet<string>): boolean {
  return nextOccurrences(schedule, { after: null, count: 1, holidays }).length === 0;
}

/** The last instant at which the schedule may be due. */
function endOf({ recurrence, endsAt, timezone }: Schedule): number {
  const end = endsAt === null ? Infinity : instantOf(wallTimeOf(endsAt), timezone);
  const until = recurrence.every === 'rule' ? untilOf(recurrence.rrule) : null;
  if (until === null) return end;
  return Math.min(end, until.utc ? until.at : instantOf(until.at, timezone));
}

/** The first instant of the recurrence after `instant`, without regard to its end and holidays. */
function firstAfter(schedule: Schedule, instant: number): number | null {
  const { recurrence, timezone } = schedule;
  const start = instantOf(wallTimeOf(schedule.startsAt), timezone);
  const after = Math.max(instant, start - 1);
  switch (recurrence.every) {
    case 'once':
      return after < start ? start : null;
    case 'minutes':
      return firstStepAfter(after, start, recurrence.interval * minuteMs);
    case 'hours':
      return firstStepAfter(after, start, recurrence.interval * hourMs);
    case 'day':
      return firstByRuleAfter(after, schedule, `FREQ=DAILY;INTERVAL=${recurrence.interval}`);
    case 'week': {
      const days = recurrence.days.map((day) => day.slice(0, 2).toUpperCase()).join(',');
      return firstByRuleAfter(after, schedule, `FREQ=WEEKLY;INTERVAL=${recurrence.interval};BYDAY=${days}`);
    }
    case 'month': {
      const day = recurrence.dayOfMonth === 'last' ? -1 : recurrence.dayOfMonth;
      return firstByRuleAfter(
        after,
        schedule,
        `FREQ=MONTHLY;INTERVAL=${recurrence.interval};BYMONTHDAY=${day}`,
      );
    }
    case 'rule':
      return firstByRuleAfter(after, schedule, recurrence.rrule);
  }
}

function firstStepAfter(after: number, start: number, step: number): number {
  return start + (Math.floor((after - start) / step) + 1) * step;
}

/**
 * Local times in order are instants in order, except for skipped ones, which move forward past others. So the search
 * begins at the skipped times that may have moved past `after`, and continues to the first that has not moved.
 */
function firstByRuleAfter(after: number, { startsAt, timezone }: Schedule, rule: string): number | null {
  const start = wallTimeOf(startsAt);
  // A day, because the widest gaps are whole days (Pacific/Apia had no 30 December 2011).
  const withoutGap = after + offsetAt(after - dayMs, timezone);
  const from = isSkipped(withoutGap, timezone) ? withoutGap : wallTimeAt(after, timezone);
  let first: number | null = null;
  let wallTime = nextWallTime(rule, start, from - 1);
  while (wallTime !== null) {
    const at = instantOf(wallTime, timezone);
    if (at > after) {
      first = Math.min(at, first ?? Infinity);
      if (wallTimeAt(at, timezone) === wallTime) break;
    }
    wallTime = nextWallTime(rule, start, wallTime);
  }
  return first;
}

function startOfNextDay(zoned: Temporal.ZonedDateTime): number {
  return zoned.toPlainDate().add({ days: 1 }).toZonedDateTime(zoned.timeZoneId).epochMilliseconds;
}

function localTextOf(zoned: Temporal.ZonedDateTime): string {
  return zoned.toPlainDateTime().toString({ smallestUnit: zoned.second === 0 ? 'minute' : 'second' });
}
