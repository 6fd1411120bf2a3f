import { Instant, LocalDate, LocalTime, ZoneId } from '@js-joda/core';
import '@js-joda/timezone';
import { weekdays } from '../../domain/calendar.ts';
import type { SendingHours } from '../../domain/hours.ts';

/**
 * An independent implementation of sending hours to compare with. It uses js-joda, which has its own time zone database,
 * and subtracts holidays from windows as intervals of time, where domain/hours.ts works by dates.
 */

/** Milliseconds since the epoch. The end is exclusive. */
export type Stretch = readonly [from: number, to: number];

// js-joda is slow, and the same few days are converted repeatedly.
const instants = new Map<string, number>();

/** Returns the instant of a wall time: the first one in an overlap, and the clock change in a gap. */
function instantOf(date: LocalDate, clock: string, zone: string): number {
  const key = `${date.toString()} ${clock} ${zone}`;
  const known = instants.get(key);
  if (known !== undefined) return known;
  const time = clock === '24:00' ? date.plusDays(1).atStartOfDay() : date.atTime(LocalTime.parse(clock));
  const rules = ZoneId.of(zone).rules();
  const [offset] = rules.validOffsets(time);
  const instant = (offset ? time.toInstant(offset) : rules.transition(time).instant()).toEpochMilli();
  instants.set(key, instant);
  return instant;
}

const dateAt = (instant: number, zone: string): LocalDate =>
  Instant.ofEpochMilli(instant).atZone(ZoneId.of(zone)).toLocalDate();

/** Returns the intervals in which the hours are open, from before `instant` to `days` after it. Adjacent ones are merged. */
export function openStretches(
  { timezone, windows }: SendingHours,
  instant: number,
  { days, holidays }: { days: number; holidays: ReadonlySet<string> },
): Stretch[] {
  const today = dateAt(instant, timezone);
  const opened: Stretch[] = [];
  for (let day = -2; day <= days; day++) {
    const date = today.plusDays(day);
    for (const { days: names, from, to } of windows) {
      if (!names.some((name) => name === weekdays[date.dayOfWeek().value() - 1])) continue;
      const end = to > from ? date : date.plusDays(1);
      opened.push([instantOf(date, from, timezone), instantOf(end, to, timezone)]);
    }
  }
  const closed = [...holidays].map((holiday): Stretch => {
    const date = LocalDate.parse(holiday);
    return [instantOf(date, '00:00', timezone), instantOf(date, '24:00', timezone)];
  });
  const boundaries = [...new Set([...opened, ...closed].flat())].sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (const [index, from] of boundaries.entries()) {
    const to = boundaries[index + 1];
    const covers = ([start, end]: Stretch): boolean => start <= from && from < end;
    if (to === undefined || !opened.some(covers) || closed.some(covers)) continue;
    const last = stretches.at(-1);
    if (last?.[1] === from) stretches[stretches.length - 1] = [last[0], to];
    else stretches.push([from, to]);
  }
  return stretches;
}

/** Returns the first UTC midnight after each clock change of the zone in these years. */
export function changesOf(zone: string, { from, to }: { from: number; to: number }): number[] {
  const rules = ZoneId.of(zone).rules();
  const day = 86_400_000;
  const found: number[] = [];
  for (let at = Date.UTC(from, 0, 1); at < Date.UTC(to + 1, 0, 1); at += day) {
    const [before, now] = [at - day, at].map((one) => rules.offset(Instant.ofEpochMilli(one)).totalSeconds());
    if (before !== now) found.push(at);
  }
  return found;
}
