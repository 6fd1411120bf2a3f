import rrulePackage from 'rrule';
import { wallTimeOf } from '../../domain/calendar.ts';

const { RRule, rrulestr } = rrulePackage;

/**
 * An independent implementation of recurrences and time zones to compare with: rrule.js for RFC 5545 on wall times,
 * Intl for the offsets of zones. It is slow and simple.
 */

/** Zones without clock changes, with changes of an hour and of half an hour, and Brazil, whose changes ended in 2019. */
export const zones = ['UTC', 'America/Sao_Paulo', 'America/New_York', 'Australia/Lord_Howe'] as const;

/** Wall times near clock changes of these zones. */
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

/** Returns the wall time of an instant. */
export function wallTimeByIntl(instant: number, zone: string): number {
  return wallTimeOf(formatOf(zone).format(instant).replace(' ', 'T')) + (instant % 1000);
}

/** Returns the instant of a wall time: the first one in an overlap, and by the offset before the change in a gap. */
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
 * Returns the first `count` distinct instants of a rule after `after`, in order. The rule is anchored at a local time, and
 * the search covers `days` days.
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
  // Stops early because a rule can have a thousand occurrences in a week. A wall time in a gap can follow later ones, so
  // two more days are needed for the order.
  recurrence.between(new Date(from), new Date(from + days * day), true, (date) => {
    const instant = instantByIntl(date.getTime(), zone);
    if (instant > after && instant >= first) instants.add(instant);
    if (instants.size >= count) enoughAt = Math.min(enoughAt, date.getTime());
    return date.getTime() < enoughAt + 2 * day;
  });
  return [...instants].sort((a, b) => a - b).slice(0, count);
}
