import { dayMs, hourMs, minuteMs } from './calendar.ts';

/**
 * Finds the next occurrence of a recurrence rule (RFC 5545, 3.3.10) after a given time, on wall times. It does not
 * iterate over earlier occurrences: it checks the calendar days from there on, and the times of a day only if the rule
 * includes the day. Days count from 1 January 1970, and weekdays from Monday, which is 0.
 */

/**
 * The maximum distance between two occurrences: about 18,000 days bound the search. Enough for the rarest date, 29
 * February on a given weekday (40 years apart around 2100).
 */
const horizonYears = 50;

/** The parts of a rule; parts that a rule takes from its start are filled in. An empty list means no limit. */
interface Rule {
  frequency: string;
  interval: number;
  start: number;
  months: number[];
  monthDays: number[];
  yearDays: number[];
  weeks: number[];
  /** `nth` 0: every such day of the period. */
  weekdays: { weekday: number; nth: number }[];
  hours: number[];
  minutes: number[];
  positions: number[];
  weekStart: number;
}

/** A day to check against a rule, with data that its checks share: where its month and its year begin and end. */
interface Day {
  day: number;
  monthStart: number;
  monthEnd: number;
  yearStart: number;
  yearEnd: number;
}

/**
 * The first wall time after `after` at which the rule, anchored at the wall time `start`, occurs; null when there is
 * none within 50 years of the later of the two. Ignores the rule's own UNTIL.
 *
 * @param text a rule that `rrule` (domain/rrule.ts) has validated.
 */
export function nextWallTime(text: string, start: number, after: number): number | null {
  const parts = new Map(text.split(';').map((part) => splitAt(part, part.indexOf('='))));
  const rule = readRule(parts, start);
  if (!hasReachableTime(rule)) return null;
  const horizon = new Date(Math.max(start, after));
  horizon.setUTCFullYear(horizon.getUTCFullYear() + horizonYears);
  // A rule with COUNT is iterated from its start: the limit is 1,000 occurrences.
  const count = Number(parts.get('COUNT') ?? Infinity);
  const from = count === Infinity ? Math.max(start, after + 1) : start;
  let nth = 0;
  for (const at of occurrences(rule, from, horizon.getTime())) {
    if (++nth > count) return null;
    if (at > after) return at;
  }
  return null;
}

const splitAt = (text: string, index: number): [string, string] => [
  text.slice(0, index),
  text.slice(index + 1),
];

const weekdayNames = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

function readRule(parts: ReadonlyMap<string, string>, start: number): Rule {
  const list = (name: string): string[] => parts.get(name)?.split(',') ?? [];
  const numbers = (name: string): number[] => list(name).map(Number);
  const frequency = parts.get('FREQ') ?? '';
  const date = new Date(start);
  const rule: Rule = {
    frequency,
    interval: Number(parts.get('INTERVAL') ?? 1),
    start,
    months: numbers('BYMONTH'),
    monthDays: numbers('BYMONTHDAY'),
    yearDays: numbers('BYYEARDAY'),
    weeks: numbers('BYWEEKNO'),
    weekdays: list('BYDAY').map((text) => ({
      weekday: weekdayNames.indexOf(text.slice(-2)),
      nth: Number(text.slice(0, -2)),
    })),
    hours: numbers('BYHOUR'),
    minutes: numbers('BYMINUTE'),
    positions: numbers('BYSETPOS'),
    weekStart: Math.max(0, weekdayNames.indexOf(parts.get('WKST') ?? 'MO')),
  };
  const namesDays =
    rule.monthDays.length + rule.yearDays.length + rule.weeks.length + rule.weekdays.length > 0;
  if (!namesDays) {
    if (frequency === 'WEEKLY') rule.weekdays = [{ weekday: weekdayOf(dayOf(start)), nth: 0 }];
    if (frequency === 'YEARLY' || frequency === 'MONTHLY') rule.monthDays = [date.getUTCDate()];
    if (frequency === 'YEARLY' && rule.months.length === 0) rule.months = [date.getUTCMonth() + 1];
  }
  if (frequency !== 'MINUTELY' && rule.minutes.length === 0) rule.minutes = [date.getUTCMinutes()];
  if (frequency !== 'MINUTELY' && frequency !== 'HOURLY' && rule.hours.length === 0)
    rule.hours = [date.getUTCHours()];
  return rule;
}

/**
 * Whether the steps of an HOURLY or MINUTELY rule ever meet its BYHOUR and BYMINUTE. Steps of 2 minutes from 9:00 never
 * meet BYMINUTE=1: without this check, the search would scan every day up to the horizon.
 */
function hasReachableTime({ frequency, interval, start, hours, minutes }: Rule): boolean {
  const anyOf = (values: readonly number[], period: number, from: number): boolean => {
    const step = greatestCommonDivisor(interval, period);
    return values.some((value) => (value - from) % step === 0);
  };
  const minuteOfDay = Math.floor((start % dayMs) / minuteMs);
  if (frequency === 'HOURLY') return hours.length === 0 || anyOf(hours, 24, Math.floor(minuteOfDay / 60));
  if (frequency !== 'MINUTELY') return true;
  const allowed = (hours.length > 0 ? hours : range(24)).flatMap((hour) =>
    (minutes.length > 0 ? minutes : range(60)).map((minute) => hour * 60 + minute),
  );
  return anyOf(allowed, 1440, minuteOfDay);
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/** The wall times from `from` to `last` at which the rule occurs, in order. */
function* occurrences(rule: Rule, from: number, last: number): Generator<number> {
  const all =
    rule.positions.length > 0 ? occurrencesByPosition(rule, from, last) : occurrencesByDay(rule, from, last);
  for (const at of all) {
    if (at > last) return;
    if (at >= from) yield at;
  }
}

function* occurrencesByDay(rule: Rule, from: number, last: number): Generator<number> {
  for (const day of daysOf(rule, dayOf(from), dayOf(last))) {
    for (const time of timesOn(rule, day)) yield day * dayMs + time;
  }
}

/**
 * BYSETPOS selects among all occurrences of a month or a year, including those before the start: the times of a day, on
 * each of its days.
 */
function* occurrencesByPosition(rule: Rule, from: number, last: number): Generator<number> {
  const times = timesOf(rule.hours, rule.minutes, rule.start);
  const months = rule.frequency === 'YEARLY' ? 12 : 1;
  const first = monthOf(dayOf(from));
  for (let month = first - modulo(first, months); firstDayOf(month) <= dayOf(last); month += months) {
    const days = [...daysOf(rule, firstDayOf(month), firstDayOf(month + months) - 1)];
    const total = days.length * times.length;
    const chosen = new Set(
      rule.positions.map((position) => (position > 0 ? position - 1 : total + position)),
    );
    for (const index of [...chosen].sort((a, b) => a - b)) {
      const [day, time] = [days[Math.floor(index / times.length)], times[index % times.length]];
      if (day !== undefined && time !== undefined) yield day * dayMs + time;
    }
  }
}

/** The days from `first` to `last` that the rule includes, in order. */
function* daysOf(rule: Rule, first: number, last: number): Generator<number> {
  for (let month = monthOf(first); ; month++) {
    const monthStart = firstDayOf(month);
    if (monthStart > last) return;
    if (!fallsInMonth(rule, month)) continue;
    const yearStart = firstDayOf(month - modulo(month, 12));
    const yearEnd = firstDayOf(month - modulo(month, 12) + 12);
    const monthEnd = firstDayOf(month + 1);
    for (let day = Math.max(first, monthStart); day < monthEnd && day <= last; day++) {
      if (fallsOn(rule, { day, monthStart, monthEnd, yearStart, yearEnd })) yield day;
    }
  }
}

function fallsInMonth({ frequency, interval, start, months }: Rule, month: number): boolean {
  if (months.length > 0 && !months.includes(modulo(month, 12) + 1)) return false;
  if (frequency === 'MONTHLY') return (month - monthOf(dayOf(start))) % interval === 0;
  if (frequency === 'YEARLY') return (yearOf(month) - yearOf(monthOf(dayOf(start)))) % interval === 0;
  return true;
}

function fallsOn(rule: Rule, day: Day): boolean {
  const { frequency, interval, start, monthDays, yearDays, weeks, weekdays } = rule;
  const { monthStart, monthEnd, yearStart, yearEnd } = day;
  if (frequency === 'DAILY' && (day.day - dayOf(start)) % interval !== 0) return false;
  if (frequency === 'WEEKLY' && (weekOf(rule, day.day) - weekOf(rule, dayOf(start))) % interval !== 0)
    return false;
  return (
    (monthDays.length === 0 || isAmong(monthDays, day.day, monthStart, monthEnd)) &&
    (yearDays.length === 0 || isAmong(yearDays, day.day, yearStart, yearEnd)) &&
    (weekdays.length === 0 || isWeekdayOf(rule, day)) &&
    (weeks.length === 0 || isInWeeks(rule, day.day))
  );
}

/** Whether the day's number is in the list, counted from the start of the period, or from its end if negative. */
const isAmong = (numbers: readonly number[], day: number, start: number, end: number): boolean =>
  numbers.includes(day - start + 1) || numbers.includes(day - end);

/** A numbered weekday counts within its month, or within its year in a yearly rule without BYMONTH. */
function isWeekdayOf({ frequency, months, weekdays }: Rule, day: Day): boolean {
  const byYear = frequency === 'YEARLY' && months.length === 0;
  const start = byYear ? day.yearStart : day.monthStart;
  const end = byYear ? day.yearEnd : day.monthEnd;
  const weekday = weekdayOf(day.day);
  const fromStart = Math.floor((day.day - start) / 7) + 1;
  const fromEnd = -Math.floor((end - 1 - day.day) / 7) - 1;
  return weekdays.some(
    (one) => one.weekday === weekday && (one.nth === 0 || one.nth === fromStart || one.nth === fromEnd),
  );
}

/** A week, and its number, belongs to the year that contains its fourth day, whichever year the day itself is in. */
function isInWeeks(rule: Rule, day: number): boolean {
  const fourthDay = weekOf(rule, day) * 7 + rule.weekStart - mondayOffset + 3;
  const year = yearOf(monthOf(fourthDay));
  const number = Math.floor((fourthDay - firstDayOf(year * 12)) / 7) + 1;
  // 28 December is in the last week of its year.
  const weeksOfYear = number + weekOf(rule, firstDayOf(year * 12 + 11) + 27) - weekOf(rule, day);
  return rule.weeks.includes(number) || rule.weeks.includes(number - weeksOfYear - 1);
}

/** The times of a day at which the rule occurs, in order; milliseconds since its midnight. */
function timesOn({ frequency, interval, start, hours, minutes }: Rule, day: number): number[] {
  if (frequency === 'HOURLY') {
    const sinceStart = day * 24 - Math.floor(start / hourMs);
    const inStep = stepsOf(24, sinceStart, interval);
    return timesOf(
      inStep.filter((hour) => hours.length === 0 || hours.includes(hour)),
      minutes,
      start,
    );
  }
  if (frequency === 'MINUTELY') {
    const sinceStart = day * 1440 - Math.floor(start / minuteMs);
    return stepsOf(1440, sinceStart, interval)
      .filter((minute) => hours.length === 0 || hours.includes(Math.floor(minute / 60)))
      .filter((minute) => minutes.length === 0 || minutes.includes(minute % 60))
      .map((minute) => minute * minuteMs + modulo(start, minuteMs));
  }
  return timesOf(hours, minutes, start);
}

/** The numbers below `period` that are whole steps from the start, which is `since` before 0. */
function stepsOf(period: number, since: number, step: number): number[] {
  const steps: number[] = [];
  for (let at = modulo(-since, step); at < period; at += step) steps.push(at);
  return steps;
}

/** In order, without duplicates, with the seconds of the start. */
function timesOf(hours: readonly number[], minutes: readonly number[], start: number): number[] {
  const times = hours.flatMap((hour) => minutes.map((minute) => hour * hourMs + minute * minuteMs));
  return [...new Set(times)].sort((a, b) => a - b).map((time) => time + modulo(start, minuteMs));
}

/** 1 January 1970 was a Thursday. */
const mondayOffset = 3;
const weekdayOf = (day: number): number => modulo(day + mondayOffset, 7);
const weekOf = ({ weekStart }: Rule, day: number): number => Math.floor((day + mondayOffset - weekStart) / 7);

const dayOf = (wallTime: number): number => Math.floor(wallTime / dayMs);

/** Months count from January 1970, years from 1970. */
function monthOf(day: number): number {
  const date = new Date(day * dayMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}
const yearOf = (month: number): number => Math.floor(month / 12);
const firstDayOf = (month: number): number => Date.UTC(1970, month, 1) / dayMs;

const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor;
