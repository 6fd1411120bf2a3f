import { z } from 'zod';
import { localDateTime, wallTimeOf } from './calendar.ts';
import { coded, codedIssue, type Fault, fault } from './problems/coded.ts';

/**
 * The grammar of recurrence rules (RFC 5545, 3.3.10) on wall times: no zone, no daylight saving (domain/schedule.ts
 * adds them). domain/rrule-search.ts finds the occurrences of a rule that has passed these checks.
 */

const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY'];

/** Each look-up counts the occurrences from the start. */
const maxCount = 1000;

/** Every ten minutes of the day. */
const maxTimesPerDay = 144;

interface Part {
  accepts: (value: string) => boolean;
  /** The problem of an invalid value. */
  refuse: (name: string, value: string) => Fault;
}

const parts = new Map<string, Part>([
  ['FREQ', choiceOf(frequencies)],
  ['INTERVAL', wholeNumber(1, 10_000)],
  ['COUNT', wholeNumber(1, maxCount)],
  [
    'UNTIL',
    {
      accepts: (value) => readUntil(value) !== null,
      refuse: (_, value) => fault('rule_until', { value }),
    },
  ],
  ['BYMONTH', listOf(wholeNumber(1, 12, { list: true }))],
  ['BYMONTHDAY', listOf(position(31))],
  ['BYYEARDAY', listOf(position(366))],
  ['BYWEEKNO', listOf(position(53))],
  ['BYDAY', listOf({ accepts: isDay, refuse: (name, value) => fault('rule_part_days', { name, value }) })],
  ['BYHOUR', listOf(wholeNumber(0, 23, { list: true }))],
  ['BYMINUTE', listOf(wholeNumber(0, 59, { list: true }))],
  ['BYSETPOS', listOf(position(366))],
  ['WKST', choiceOf(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'])],
]);

/**
 * An RRULE as an expert user types it: the parts of RFC 5545 without DTSTART, in any case, with or without `RRULE:`.
 * Parsing converts it to upper case and removes `RRULE:`.
 *
 * Stricter than the RFC:
 *
 * - no FREQ=SECONDLY and no BYSECOND: no campaign runs every second;
 * - limits that keep the search for an occurrence short: COUNT up to 1,000, INTERVAL up to 10,000, at most 144 times a
 *   day in daily or less frequent rules, BYSETPOS only in monthly and yearly rules;
 * - rare combinations that implementations interpret differently: BYWEEKNO without BYDAY or with BYMONTHDAY or
 *   BYSETPOS, BYYEARDAY in yearly rules with other parts that select days, numbered days in BYDAY with BYMONTHDAY.
 *
 * More permissive in one point: UNTIL may be a date (that whole day) or a local time, besides a time in UTC. Extensions
 * (RFC 7529: RSCALE, SKIP) are not supported.
 */
export const rrule = z
  .string({ error: coded('rule_empty') })
  .max(1000, coded('rule_too_long'))
  .trim()
  .toUpperCase()
  .overwrite((text) => text.replace(/^RRULE:/, ''))
  .superRefine((text, context) => {
    for (const found of faultsOf(text)) context.addIssue(codedIssue(found));
  });

function faultsOf(text: string): Fault[] {
  if (text === '') return [fault('rule_empty')];
  if (text.includes('DTSTART')) return [fault('rule_dtstart')];
  const faults: Fault[] = [];
  const rule = new Map<string, string>();
  for (const piece of text.split(';')) {
    const [name = '', value, ...rest] = piece.split('=');
    const part = parts.get(name);
    if (value === undefined || rest.length > 0) {
      faults.push(fault('rule_part_unreadable', { part: piece }));
    } else if (name === 'BYSECOND') {
      faults.push(fault('rule_bysecond'));
    } else if (part === undefined) {
      faults.push(fault('rule_part_unknown', { name, known: [...parts.keys()] }));
    } else if (rule.has(name)) {
      faults.push(fault('rule_part_repeated', { name }));
    } else if (!part.accepts(value)) {
      faults.push(part.refuse(name, value));
    } else {
      rule.set(name, value);
    }
  }
  if (faults.length > 0) return faults;
  return rule.has('FREQ') ? conflictsIn(rule) : [fault('rule_freq_missing')];
}

/** Combinations that RFC 5545 forbids, that implementations interpret differently, or that are too expensive. */
function conflictsIn(rule: ReadonlyMap<string, string>): Fault[] {
  const frequency = rule.get('FREQ') ?? '';
  const has = (name: string) => rule.has(name);
  const every = (...names: string[]) => names.includes(frequency);
  const numbered = /\d/.test(rule.get('BYDAY') ?? '');
  const length = (name: string) => rule.get(name)?.split(',').length ?? 1;

  const conflicts: [boolean, Fault][] = [
    [has('COUNT') && has('UNTIL'), fault('rule_count_and_until')],
    [
      has('BYWEEKNO') && !every('YEARLY'),
      fault('rule_only_with', { part: 'BYWEEKNO', needs: ['FREQ=YEARLY'] }),
    ],
    [
      has('BYYEARDAY') && every('DAILY', 'WEEKLY', 'MONTHLY'),
      fault('rule_not_with', { part: 'BYYEARDAY', others: ['FREQ=DAILY', 'FREQ=WEEKLY', 'FREQ=MONTHLY'] }),
    ],
    [
      has('BYMONTHDAY') && every('WEEKLY'),
      fault('rule_not_with', { part: 'BYMONTHDAY', others: ['FREQ=WEEKLY'] }),
    ],
    [numbered && (!every('MONTHLY', 'YEARLY') || has('BYWEEKNO')), fault('rule_numbered_day')],
    [
      every('YEARLY') && has('BYYEARDAY') && ['BYDAY', 'BYMONTHDAY', 'BYWEEKNO', 'BYSETPOS'].some(has),
      fault('rule_yearday_yearly'),
    ],
    [has('BYWEEKNO') && (!has('BYDAY') || has('BYMONTHDAY') || has('BYSETPOS')), fault('rule_weekno')],
    [numbered && has('BYMONTHDAY'), fault('rule_numbered_monthday')],
    [
      has('BYSETPOS') && !every('MONTHLY', 'YEARLY'),
      fault('rule_only_with', { part: 'BYSETPOS', needs: ['FREQ=MONTHLY', 'FREQ=YEARLY'] }),
    ],
    [
      has('BYSETPOS') && ![...rule.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS'),
      fault('rule_setpos_alone'),
    ],
    [
      !every('HOURLY', 'MINUTELY') && length('BYHOUR') * length('BYMINUTE') > maxTimesPerDay,
      fault('rule_too_many_times', { maximum: maxTimesPerDay }),
    ],
  ];
  return conflicts.flatMap(([wrong, conflict]) => (wrong ? [conflict] : []));
}

function wholeNumber(from: number, to: number, { list = false } = {}): Part {
  return {
    refuse: (name, value) => fault('rule_part_number', { name, value, from, to, list }),
    accepts: (value) => /^\d{1,5}$/.test(value) && Number(value) >= from && Number(value) <= to,
  };
}

/** Counted from the start, or from the end if negative. */
function position(last: number): Part {
  return {
    refuse: (name, value) => fault('rule_part_position', { name, value, last }),
    accepts: (value) =>
      /^[+-]?\d{1,3}$/.test(value) && Number(value) !== 0 && Math.abs(Number(value)) <= last,
  };
}

function listOf(part: Part): Part {
  return { ...part, accepts: (value) => value.split(',').every(part.accepts) };
}

function choiceOf(options: readonly string[]): Part {
  return {
    accepts: (value) => options.includes(value),
    refuse: (name, value) => fault('rule_part_choice', { name, value, options: [...options] }),
  };
}

function isDay(value: string): boolean {
  const number = /^([+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)$/.exec(value);
  return number !== null && (number[1] === undefined || position(53).accepts(number[1]));
}

/** The last moment of a rule: an instant if `utc`, else a wall time. */
export interface Until {
  at: number;
  utc: boolean;
}

function readUntil(value: string): Until | null {
  const digits = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(value);
  if (digits === null) return null;
  const [, year, month, day, hour = '23', minute = '59', second = '59', zulu] = digits;
  const local = localDateTime.safeParse(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  return local.success ? { at: wallTimeOf(local.data), utc: zulu === 'Z' } : null;
}

/** The UNTIL of a rule that `rrule` has validated; null when it has none. */
export function untilOf(text: string): Until | null {
  const value = /(?:^|;)UNTIL=([^;]+)/.exec(text)?.[1];
  return value === undefined ? null : readUntil(value);
}
