import { z } from 'zod';
import { localDateTime, wallTimeOf } from './calendar.ts';

/**
 * The grammar of recurrence rules (RFC 5545, 3.3.10) on wall times: no zone, no daylight saving (domain/schedule.ts adds
 * them). domain/rrule-search.ts finds the occurrences of a rule that has passed these checks.
 */

const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY'];

/** Occurrences are counted from the start at every look-up. */
const maxCount = 1000;

/** Every ten minutes of the day. */
const maxTimesPerDay = 144;

interface Part {
  expected: string;
  accepts: (value: string) => boolean;
}

const parts = new Map<string, Part>([
  ['FREQ', { expected: `one of ${frequencies.join(', ')}`, accepts: (value) => frequencies.includes(value) }],
  ['INTERVAL', wholeNumber(1, 10_000)],
  ['COUNT', wholeNumber(1, maxCount)],
  [
    'UNTIL',
    {
      expected: 'a date (20261231), a local time (20261231T180000) or a time in UTC (20261231T210000Z)',
      accepts: (value) => readUntil(value) !== null,
    },
  ],
  ['BYMONTH', listOf(wholeNumber(1, 12))],
  ['BYMONTHDAY', listOf(position(31))],
  ['BYYEARDAY', listOf(position(366))],
  ['BYWEEKNO', listOf(position(53))],
  ['BYDAY', listOf({ expected: 'days such as MO, 1MO or -1FR', accepts: isDay })],
  ['BYHOUR', listOf(wholeNumber(0, 23))],
  ['BYMINUTE', listOf(wholeNumber(0, 59))],
  ['BYSETPOS', listOf(position(366))],
  ['WKST', { expected: 'a day such as MO', accepts: (value) => /^(MO|TU|WE|TH|FR|SA|SU)$/.test(value) }],
]);

/**
 * An RRULE as experts type it: the parts of RFC 5545 without DTSTART, in capitals or not, `RRULE:` in front or not.
 * Parsing brings it into capitals and takes the `RRULE:` off.
 *
 * Narrower than the RFC:
 *
 * - a campaign a second is never meant: no FREQ=SECONDLY, no BYSECOND;
 * - limits that keep the search for an occurrence short: COUNT up to 1,000, INTERVAL up to 10,000, at most 144 times a
 *   day in rules of days, BYSETPOS only in monthly and yearly rules;
 * - rare combinations that implementations disagree on: BYWEEKNO without BYDAY or with BYMONTHDAY or BYSETPOS,
 *   BYYEARDAY in yearly rules with other parts that name days, numbered days in BYDAY with BYMONTHDAY.
 *
 * Wider in one thing: UNTIL may be a date (that whole day) or a local time, as well as a time in UTC. Extensions
 * (RFC 7529: RSCALE, SKIP) are unknown here.
 */
export const rrule = z
  .string({ error: 'Expected a recurrence rule such as FREQ=WEEKLY;BYDAY=MO,WE.' })
  .max(1000, 'The rule is too long. Expected at most 1,000 characters.')
  .trim()
  .toUpperCase()
  .overwrite((text) => text.replace(/^RRULE:/, ''))
  .superRefine((text, context) => {
    for (const message of problemsOf(text)) context.addIssue({ code: 'custom', message });
  });

function problemsOf(text: string): string[] {
  if (text === '') return ['The rule is empty. Expected a rule such as FREQ=WEEKLY;BYDAY=MO,WE.'];
  if (text.includes('DTSTART')) return ['Leave DTSTART out: the rule starts with the schedule.'];
  const problems: string[] = [];
  const rule = new Map<string, string>();
  for (const piece of text.split(';')) {
    const [name = '', value, ...rest] = piece.split('=');
    const part = parts.get(name);
    if (value === undefined || rest.length > 0) {
      problems.push(`"${piece}" is not a part of a rule. Expected NAME=VALUE, separated by semicolons.`);
    } else if (name === 'BYSECOND') {
      problems.push('Leave BYSECOND out: the seconds are those of the start.');
    } else if (part === undefined) {
      problems.push(`${name} is not a known part of a rule. Expected ${[...parts.keys()].join(', ')}.`);
    } else if (rule.has(name)) {
      problems.push(`${name} stands in the rule twice.`);
    } else if (!part.accepts(value)) {
      problems.push(`${name}=${value} is not valid. Expected ${part.expected}.`);
    } else {
      rule.set(name, value);
    }
  }
  if (problems.length > 0) return problems;
  return rule.has('FREQ') ? conflictsIn(rule) : ['FREQ is missing, as in FREQ=DAILY.'];
}

/** The combinations that RFC 5545 forbids, that implementations disagree on, or that would cost too much. */
function conflictsIn(rule: ReadonlyMap<string, string>): string[] {
  const frequency = rule.get('FREQ') ?? '';
  const has = (name: string) => rule.has(name);
  const every = (...names: string[]) => names.includes(frequency);
  const numbered = /\d/.test(rule.get('BYDAY') ?? '');
  const length = (name: string) => rule.get(name)?.split(',').length ?? 1;

  const conflicts: [boolean, string][] = [
    [has('COUNT') && has('UNTIL'), 'Give COUNT or UNTIL, not both.'],
    [has('BYWEEKNO') && !every('YEARLY'), 'BYWEEKNO works only with FREQ=YEARLY.'],
    [
      has('BYYEARDAY') && every('DAILY', 'WEEKLY', 'MONTHLY'),
      'BYYEARDAY does not work with FREQ=DAILY, WEEKLY or MONTHLY.',
    ],
    [has('BYMONTHDAY') && every('WEEKLY'), 'BYMONTHDAY does not work with FREQ=WEEKLY.'],
    [
      numbered && (!every('MONTHLY', 'YEARLY') || has('BYWEEKNO')),
      'A numbered day in BYDAY, such as 1MO, works only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO.',
    ],
    [
      every('YEARLY') && has('BYYEARDAY') && ['BYDAY', 'BYMONTHDAY', 'BYWEEKNO', 'BYSETPOS'].some(has),
      'With FREQ=YEARLY, BYYEARDAY does not work with BYDAY, BYMONTHDAY, BYWEEKNO or BYSETPOS.',
    ],
    [
      has('BYWEEKNO') && (!has('BYDAY') || has('BYMONTHDAY') || has('BYSETPOS')),
      'BYWEEKNO works only with BYDAY, and without BYMONTHDAY and BYSETPOS.',
    ],
    [numbered && has('BYMONTHDAY'), 'A numbered day in BYDAY, such as 1MO, does not work with BYMONTHDAY.'],
    [has('BYSETPOS') && !every('MONTHLY', 'YEARLY'), 'BYSETPOS works only with FREQ=MONTHLY or YEARLY.'],
    [
      has('BYSETPOS') && ![...rule.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS'),
      'BYSETPOS needs another part to choose from, such as BYDAY.',
    ],
    [
      !every('HOURLY', 'MINUTELY') && length('BYHOUR') * length('BYMINUTE') > maxTimesPerDay,
      `BYHOUR and BYMINUTE make too many times a day. Expected at most ${maxTimesPerDay}; for more use FREQ=MINUTELY.`,
    ],
  ];
  return conflicts.flatMap(([wrong, message]) => (wrong ? [message] : []));
}

function wholeNumber(from: number, to: number): Part {
  return {
    expected: `a whole number from ${from} to ${to}`,
    accepts: (value) => /^\d{1,5}$/.test(value) && Number(value) >= from && Number(value) <= to,
  };
}

/** Counted from the start, or from the end with a minus. */
function position(last: number): Part {
  return {
    expected: `a whole number from 1 to ${last}, or from -${last} to -1`,
    accepts: (value) =>
      /^[+-]?\d{1,3}$/.test(value) && Number(value) !== 0 && Math.abs(Number(value)) <= last,
  };
}

function listOf(part: Part): Part {
  return {
    expected: `${part.expected}; several are separated by commas`,
    accepts: (value) => value.split(',').every(part.accepts),
  };
}

function isDay(value: string): boolean {
  const number = /^([+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)$/.exec(value);
  return number !== null && (number[1] === undefined || position(53).accepts(number[1]));
}

/** The last moment of a rule: an instant where `utc`, else a wall time. */
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

/** The UNTIL of a rule that has been validated by `rrule`; null when it has none. */
export function untilOf(text: string): Until | null {
  const value = /(?:^|;)UNTIL=([^;]+)/.exec(text)?.[1];
  return value === undefined ? null : readUntil(value);
}
