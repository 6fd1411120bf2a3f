import fc from 'fast-check';
import rrulePackage from 'rrule';
import { expect, test } from 'vitest';
import { dayMs, hourMs, minuteMs, wallTimeOf } from '../../domain/calendar.ts';
import { nextWallTime } from '../../domain/rrule-search.ts';
import { rrule } from '../../domain/rrule.ts';

const { RRule, rrulestr } = rrulePackage;

const list = <T extends string | number>(value: fc.Arbitrary<T>, maxLength = 3) =>
  fc
    .uniqueArray(value, { minLength: 1, maxLength })
    .map((values) => values.sort((a, b) => (a < b ? -1 : 1)).join());
const number = (min: number, max: number) =>
  fc.integer({ min, max }).filter((value) => value !== 0 || min === 0);
const part = (name: string, value: fc.Arbitrary<string | number>) =>
  fc.option(value, { freq: 2 }).map((chosen) => (chosen === null ? [] : [`${name}=${chosen}`]));
const weekday = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU');
const numberedWeekday = fc.tuple(number(-5, 5), weekday).map(([nth, day]) => `${nth}${day}`);

/** Valid rules of these frequencies, with the parts given. */
const ruleOf = (frequencies: string[], ...parts: fc.Arbitrary<string[]>[]) =>
  fc
    .tuple(fc.constantFrom(...frequencies), ...parts)
    .map(([frequency, ...chosen]) => [`FREQ=${frequency}`, ...chosen.flat()].join(';'))
    .filter((text) => rrule.safeParse(text).success);

const startsAt = fc
  .integer({ min: 0, max: 9000 * 1440 })
  .map((minutes) => Date.UTC(2008, 0, 1) + minutes * minuteMs);

const walk = (rule: string, start: number, steps: number): number[] => {
  const found: number[] = [];
  for (let at: number | null = start - 1; found.length < steps; found.push(at)) {
    at = nextWallTime(rule, start, at);
    if (at === null) break;
  }
  return found;
};

test('the next occurrence after any moment is the one that a walk from the start reaches', () => {
  const rule = ruleOf(
    ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY'],
    part('INTERVAL', number(1, 400)),
    part('COUNT', number(1, 60)),
    part('BYMONTH', list(number(1, 12))),
    part('BYMONTHDAY', list(number(-31, 31))),
    part('BYDAY', fc.oneof(list(weekday, 5), list(numberedWeekday))),
    part('BYHOUR', list(number(0, 23))),
    part('BYMINUTE', list(number(0, 59))),
    part('BYSETPOS', list(number(-5, 5))),
  );
  fc.assert(
    fc.property(rule, startsAt, fc.double({ min: 0, max: 1, noNaN: true }), (text, start, share) => {
      const walked = walk(text, start, 20);
      const last = walked.at(-1);
      if (last === undefined) return;
      const moments = [...walked.map((at) => at - 1), Math.floor(start + share * (last - 1 - start))];
      for (const after of moments.filter((moment) => moment < last))
        expect(nextWallTime(text, start, after)).toBe(walked.find((at) => at > after));
    }),
    { numRuns: 150 },
  );
});

test('positions, days of the year and weeks agree with rrule.js', () => {
  const rule = fc.oneof(
    ruleOf(
      ['YEARLY', 'MONTHLY'],
      part('INTERVAL', number(1, 5)),
      part('BYMONTH', list(number(1, 12))),
      part('BYMONTHDAY', list(number(-31, 31))),
      part('BYDAY', list(weekday, 5)),
      part('BYHOUR', list(number(0, 23))),
      part('BYMINUTE', list(number(0, 59))),
      // When there are too few for a negative position, rrule.js uses the first one.
      fc.oneof(list(number(1, 9)), fc.constant('-1')).map((positions) => [`BYSETPOS=${positions}`]),
    ),
    ruleOf(
      ['YEARLY'],
      part('INTERVAL', number(1, 5)),
      part('BYMONTH', list(number(1, 12))),
      list(number(-366, 366)).map((days) => [`BYYEARDAY=${days}`]),
    ),
    ruleOf(
      ['YEARLY'],
      part('INTERVAL', number(1, 5)),
      list(number(1, 53)).map((weeks) => [`BYWEEKNO=${weeks}`]),
      list(weekday, 5).map((days) => [`BYDAY=${days}`]),
      part('WKST', weekday),
    ),
  );
  fc.assert(
    fc.property(rule, startsAt, fc.integer({ min: -30, max: 1000 }), (text, start, days) => {
      const after = start + days * dayMs;
      const recurrence = new RRule({ ...rrulestr(`RRULE:${text}`).origOptions, dtstart: new Date(start) });
      const expected = recurrence.after(new Date(Math.max(start - 1, after)));
      const next = nextWallTime(text, start, after);
      // rrule.js miscounts the January days of a year's last week, because it uses the length of the wrong year.
      const inFirstWeek = (at: number): boolean =>
        new Date(at).getUTCMonth() === 0 && new Date(at).getUTCDate() < 7;
      fc.pre(!text.includes('BYWEEKNO') || ![next, expected?.getTime()].some((at) => at && inFirstWeek(at)));
      // rrule.js looks as far as the year 9999.
      if (expected && expected.getTime() < after + 15_000 * dayMs) expect(next).toBe(expected.getTime());
    }),
    { numRuns: 60 },
  );
});

/** Whether an HOURLY or MINUTELY rule occurs at a wall time, by the definition of its parts. */
function occursAt(parts: ReadonlyMap<string, string[]>, start: number, at: number): boolean {
  const date = new Date(at);
  const allows = (name: string, value: number | string): boolean =>
    parts.get(name)?.includes(String(value)) ?? true;
  const hourly = parts.get('FREQ')?.[0] === 'HOURLY';
  const unit = hourly ? hourMs : minuteMs;
  const steps = Math.floor(at / unit) - Math.floor(start / unit);
  const monthLength = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  return (
    steps % Number(parts.get('INTERVAL')?.[0] ?? 1) === 0 &&
    (hourly && !parts.has('BYMINUTE')
      ? date.getUTCMinutes() === new Date(start).getUTCMinutes()
      : allows('BYMINUTE', date.getUTCMinutes())) &&
    allows('BYHOUR', date.getUTCHours()) &&
    allows('BYMONTH', date.getUTCMonth() + 1) &&
    (allows('BYMONTHDAY', date.getUTCDate()) || allows('BYMONTHDAY', date.getUTCDate() - monthLength - 1)) &&
    allows('BYDAY', ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'][date.getUTCDay()] ?? '')
  );
}

test('hourly and minutely rules agree with a check of each minute', () => {
  const rule = ruleOf(
    ['HOURLY', 'MINUTELY'],
    part('INTERVAL', number(1, 200)),
    part('BYMONTH', list(number(1, 12), 8)),
    part('BYMONTHDAY', list(number(-31, 31), 9)),
    part('BYDAY', list(weekday, 5)),
    part('BYHOUR', list(number(0, 23), 6)),
    part('BYMINUTE', list(number(0, 59), 6)),
  );
  fc.assert(
    fc.property(rule, startsAt, fc.integer({ min: 0, max: 40 * 1440 }), (text, start, minutes) => {
      const parts = new Map(
        text.split(';').map((piece): [string, string[]] => {
          const [name = '', values = ''] = piece.split('=');
          return [name, values.split(',')];
        }),
      );
      const after = start + minutes * minuteMs;
      const end = after + 5 * dayMs;
      let expected = after + minuteMs;
      while (expected <= end && !occursAt(parts, start, expected)) expected += minuteMs;
      const found = nextWallTime(text, start, after);
      if (expected <= end) expect(found).toBe(expected);
      else expect(found ?? Infinity).toBeGreaterThan(end);
    }),
    { numRuns: 150 },
  );
});

test.each([
  // The longest wait of the calendar: 2100 is not a leap year.
  ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', '2112-02-29T09:00'],
  ['FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=9;BYMINUTE=0', '2112-02-29T09:00'],
  ['FREQ=YEARLY;BYYEARDAY=366', '2076-12-31T09:00'],
  // Never: a search without a horizon would not return.
  ['FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30', null],
  ['FREQ=MINUTELY;INTERVAL=7;BYDAY=MO;BYHOUR=3;BYMINUTE=6', null],
  ['FREQ=MINUTELY;INTERVAL=1440;BYHOUR=8', null],
  ['FREQ=YEARLY;INTERVAL=10000;BYMONTH=1', '2073-01-01T09:00'],
])('%s occurs next at %s', (rule, expected) => {
  const start = wallTimeOf('2073-01-01T09:00');
  const after = expected === '2073-01-01T09:00' ? start - 1 : start;
  expect(nextWallTime(rule, start, after)).toBe(expected === null ? null : wallTimeOf(expected));
});

test('a week that extends into January belongs to the year of its fourth day', () => {
  // Tuesday 27 December 2022 to Monday 2 January 2023 is week 52 of 2022.
  const rule = 'FREQ=YEARLY;BYWEEKNO=52;BYDAY=MO;WKST=TU';
  const start = Date.UTC(2020, 9, 3);
  expect(nextWallTime(rule, start, start + 450 * dayMs)).toBe(Date.UTC(2023, 0, 2));
});
