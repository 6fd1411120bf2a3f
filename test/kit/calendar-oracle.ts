import rrulePackage from 'rrule';
import { wallTimeOf } from '../../domain/calendar.ts';

const { RRule, rrulestr } = rrulePackage;

/**
 * A second opinion on recurrences and zones, from other code than the one under test: rrule.js for RFC 5545 on wall
 * times, Intl for the offsets of zones. Slow and plain.
 */

/** Zones with large, small, half-hour and no changes of the clocks; Brazil's ended in 2019. */
export const zones = ['UTC', 'America/Sao_Paulo', 'America/New_York', 'Australia/Lord_Howe'] as const;

/** Wall times at which the clocks of these zones were, or will be, put forward or back. */
export const changes: readonly { zone: string; near: string }[] = [
  { zone: 'America/Sao_Paulo', near: '2017-10-15T00:00' },
  { zone: 'America/Sao_Paulo', near: '2018-02-18T00:00' },
  { zone: 'America/Sao_Paulo', near: '2018-11-04T00:00' },
  { zone: 'America/New_York', near: '2024-03-10T02:00' },
  { zone: 'America/New_York', near: '2024-11-03T02:00' },
  { zone: 'America/New_York', near: '2031-03-09T02:00' },
  { zone: 'Australia/Lord_Howe', near: '2025-10-05T02:00' },
  { zone: 'Australia/Lord_Howe', near: '2025-04-06T02:00' },
  { zone: 'Pacific/Apia', near: '2011-12-30T00:00' },
];

const day = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  formats.set(zone, format);
  return format;
}

/** What the zone's clocks show at the instant, to the second. */
export function wallTimeByIntl(instant: number, zone: string): number {
  return wallTimeOf(formatOf(zone).format(instant).replace(' ', 'T')) + (instant % 1000);
}

/** The instant of a wall time: the first of two; where there is none, by the offset that held before. */
export function instantByIntl(wallTime: number, zone: string): number {
  const offsets = [-2 * day, 2 * day].map((distance) => {
    const instant = wallTime + distance;
    return wallTimeByIntl(instant, zone) - instant;
  });
  const instants = offsets.map((offset) => wallTime - offset);
  const real = instants.filter((instant) => wallTimeByIntl(instant, zone) === wallTime);
  return real.length > 0 ? Math.min(...real) : wallTime - (offsets[0] ?? 0);
}

/**
 * The first `count` instants after `after` of a rule anchored at a local time, none of them before it, in order and
 * each once. Looks at most `days` ahead.
 */
export function instantsByRRule(
  rule: string,
  startsAt: string,
  zone: string,
  options: { after: number; count: number; days: number },
): number[] {
  const { after, count, days } = options;
  const start = wallTimeOf(startsAt);
  const first = instantByIntl(start, zone);
  const recurrence = new RRule({ ...rrulestr(`RRULE:${rule}`).origOptions, dtstart: new Date(start) });
  const from = Math.max(start, after - 2 * day);
  const instants = new Set<number>();
  let enoughAt = Infinity;
  // Stops early: a rule may have a thousand times in a week. A time that the clocks skip comes after later ones, so two
  // more days decide about the order.
  recurrence.between(new Date(from), new Date(from + days * day), true, (date) => {
    const instant = instantByIntl(date.getTime(), zone);
    if (instant > after && instant >= first) instants.add(instant);
    if (instants.size >= count) enoughAt = Math.min(enoughAt, date.getTime());
    return date.getTime() < enoughAt + 2 * day;
  });
  return [...instants].sort((a, b) => a - b).slice(0, count);
}
