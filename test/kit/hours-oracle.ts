import { Instant, LocalDate, LocalTime, ZoneId } from '@js-joda/core';
import '@js-joda/timezone';
import { weekdays } from '../../domain/calendar.ts';
import type { SendingHours } from '../../domain/hours.ts';

/**
 * A second opinion on sending hours, from other code and other data than those under test: js-joda, which brings a time
 * zone database of its own, and all windows less all holidays as stretches of time, where domain/hours.ts goes by dates.
 */

/** Milliseconds since the epoch; the end is not part of it. */
export type Stretch = readonly [from: number, to: number];

// js-joda is slow, and is asked for the same few days again and again.
const instants = new Map<string, number>();

/** When the zone's clocks show it: at first, where twice; as they jump, where never. */
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

/** The stretches in which the hours are open, from before `instant` to `days` after it; two that touch are one. */
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
  const turns = [...new Set([...opened, ...closed].flat())].sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (const [index, from] of turns.entries()) {
    const to = turns[index + 1];
    const covers = ([start, end]: Stretch): boolean => start <= from && from < end;
    if (to === undefined || !opened.some(covers) || closed.some(covers)) continue;
    const last = stretches.at(-1);
    if (last?.[1] === from) stretches[stretches.length - 1] = [last[0], to];
    else stretches.push([from, to]);
  }
  return stretches;
}

/** The first midnights (UTC) after the zone's clocks were put forward or back, in these years. */
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
