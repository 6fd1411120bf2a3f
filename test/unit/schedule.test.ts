import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wallTimeOf, weekdays } from '../../domain/calendar.ts';
import {
  isOver,
  neverOccurs,
  nextOccurrences,
  schedule,
  type Recurrence,
  type Schedule,
} from '../../domain/schedule.ts';
import { instantByIntl, instantsByRRule, zones } from '../kit/calendar-oracle.ts';
import { problemsIn } from '../kit/problems.ts';

/** A valid schedule: every day at 09:00 in São Paulo from 2026-03-02, a Monday. */
function scheduleWith(changes: object = {}): Schedule {
  return schedule.parse({
    recurrence: { every: 'day' },
    startsAt: '2026-03-02T09:00',
    timezone: 'America/Sao_Paulo',
    ...changes,
  });
}

const ruled = (rrule: string, changes: object = {}) =>
  scheduleWith({ recurrence: { every: 'rule', rrule }, ...changes });

function localTimes(
  from: Schedule,
  count: number,
  after: Date | null = null,
  holidays?: ReadonlySet<string>,
) {
  return nextOccurrences(from, { after, count, holidays }).map(({ local }) => local);
}

/** Each problem of the input as `path: message`. */
function problemsOf(changes: object): string[] {
  const written = {
    recurrence: { every: 'day' },
    startsAt: '2026-03-02T09:00',
    timezone: 'America/Sao_Paulo',
  };
  return problemsIn(schedule, { ...written, ...changes });
}

const problemsOfRule = (rrule: string) => problemsOf({ recurrence: { every: 'rule', rrule } });

describe('a schedule', () => {
  test('has defaults for omitted keys', () => {
    expect(scheduleWith()).toEqual({
      recurrence: { every: 'day', interval: 1 },
      startsAt: '2026-03-02T09:00',
      endsAt: null,
      timezone: 'America/Sao_Paulo',
      holidayCalendarId: null,
    });
  });

  test('has its rule in capitals and without the RRULE prefix', () => {
    expect(ruled(' rrule:freq=weekly;byday=mo ').recurrence).toEqual({
      every: 'rule',
      rrule: 'FREQ=WEEKLY;BYDAY=MO',
    });
  });

  test.each([
    ['2026-02-30T09:00', 'The calendar has no such date or time.'],
    ['2026-02-29T09:00', 'The calendar has no such date or time.'],
    ['2026-03-02T24:00', 'The calendar has no such date or time.'],
    ['2026-03-02T09:60', 'The calendar has no such date or time.'],
    ['2026-03-02', 'Expected a date and time such as 2026-03-31T09:00.'],
    ['2026-03-02T09:00Z', 'Expected a date and time such as 2026-03-31T09:00.'],
    ['0026-03-02T09:00', 'Expected a year from 1970 to 2199.'],
    [20260302, 'Expected a date and time such as 2026-03-31T09:00.'],
  ])('is refused with the start %s', (startsAt, message) => {
    expect(problemsOf({ startsAt })).toEqual([`startsAt: ${message}`]);
  });

  test.each(['Brasilia', '-03:00', '+0300', '', 'America/Sao Paulo'])(
    'is refused with the time zone "%s"',
    (timezone) => {
      expect(problemsOf({ timezone })).toEqual([
        'timezone: This time zone is not known. Expected an IANA name such as America/Sao_Paulo.',
      ]);
    },
  );

  test('is refused with an end that is not after the start', () => {
    const message = 'endsAt: The end is not after the start. Expected a later date and time, or none.';
    expect(problemsOf({ endsAt: '2026-03-01T09:00' })).toEqual([message]);
    expect(problemsOf({ endsAt: '2026-03-02T09:00:00' })).toEqual([message]);
    expect(problemsOf({ endsAt: '2026-03-02T09:01' })).toEqual([]);
  });

  test('is refused with an unknown key', () => {
    expect(problemsOf({ endAt: '2026-04-01T09:00' })).toEqual(['endAt: There is no such field.']);
    expect(problemsOf({ recurrence: { every: 'once', interval: 2 } })).toEqual([
      'recurrence.interval: There is no such field.',
    ]);
  });

  test('has all its problems reported at once', () => {
    const recurrence = { every: 'week', interval: 0, days: ['monday', 'monday'] };
    expect(problemsOf({ recurrence, endsAt: '2026-01-01T00:00', timezone: 'Brasilia' })).toEqual([
      'recurrence.interval: The interval is at least 1.',
      'recurrence.days: A day of the week is listed twice.',
      'timezone: This time zone is not known. Expected an IANA name such as America/Sao_Paulo.',
      'endsAt: The end is not after the start. Expected a later date and time, or none.',
    ]);
  });

  test.each([
    [
      { every: 'fortnight' },
      'recurrence.every: Expected every to be one of once, minutes, hours, day, week, month, rule.',
    ],
    [{ every: 'minutes', interval: 1441 }, 'recurrence.interval: The interval is at most 1,440.'],
    [{ every: 'hours', interval: 1.5 }, 'recurrence.interval: The interval is a whole number.'],
    [{ every: 'week', days: [] }, 'recurrence.days: Choose at least one day of the week.'],
    [
      { every: 'week', days: ['segunda'] },
      'recurrence.days.0: Expected a day of the week: monday, tuesday, wednesday, thursday, friday, saturday or sunday.',
    ],
    [
      { every: 'month', dayOfMonth: 32 },
      'recurrence.dayOfMonth: Expected a day of the month from 1 to 31, or last.',
    ],
    [
      { every: 'month', dayOfMonth: 'first' },
      'recurrence.dayOfMonth: Expected a day of the month from 1 to 31, or last.',
    ],
  ])('is refused with the recurrence %j', (recurrence, problem) => {
    expect(problemsOf({ recurrence })).toEqual([problem]);
  });
});

describe('a rule is refused', () => {
  test.each([
    ['', 'Enter a rule such as FREQ=WEEKLY;BYDAY=MO,WE.'],
    ['every monday', '"EVERY MONDAY" is not a part of a rule. Expected NAME=VALUE, separated by semicolons.'],
    ['FREQ=DAILY;', '"" is not a part of a rule. Expected NAME=VALUE, separated by semicolons.'],
    ['BYDAY=MO', 'FREQ is missing, as in FREQ=DAILY.'],
    [
      'FREQ=SECONDLY',
      'FREQ=SECONDLY is not valid. Expected YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, or MINUTELY.',
    ],
    ['DTSTART:20260302T090000\nRRULE:FREQ=DAILY', 'Remove DTSTART: the rule starts with the schedule.'],
    ['FREQ=DAILY;DTSTART=20260302T090000', 'Remove DTSTART: the rule starts with the schedule.'],
    ['FREQ=DAILY;BYSECOND=0,30', 'Remove BYSECOND: the seconds are those of the start.'],
    ['FREQ=DAILY;FREQ=WEEKLY', 'The rule contains FREQ twice.'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL=0 is not valid. Expected a whole number from 1 to 10,000.'],
    ['FREQ=DAILY;COUNT=1001', 'COUNT=1001 is not valid. Expected a whole number from 1 to 1,000.'],
    [
      'FREQ=DAILY;BYHOUR=8,24',
      'BYHOUR=8,24 is not valid. Expected a whole number from 0 to 23, or several separated by commas.',
    ],
    [
      'FREQ=MONTHLY;BYMONTHDAY=0',
      'BYMONTHDAY=0 is not valid. Expected a whole number from 1 to 31 or from -31 to -1, or several separated by commas.',
    ],
    [
      'FREQ=WEEKLY;BYDAY=MO,SEG',
      'BYDAY=MO,SEG is not valid. Expected days such as MO, 1MO or -1FR, separated by commas.',
    ],
    [
      'FREQ=DAILY;UNTIL=20260230',
      'UNTIL=20260230 is not valid. Expected a date (20261231), a local time (20261231T180000) or a time in UTC (20261231T210000Z).',
    ],
    ['FREQ=DAILY;COUNT=3;UNTIL=20261231', 'Use COUNT or UNTIL, not both.'],
    ['FREQ=WEEKLY;BYMONTHDAY=3', 'BYMONTHDAY does not work with FREQ=WEEKLY.'],
    ['FREQ=DAILY;BYYEARDAY=3', 'BYYEARDAY does not work with FREQ=DAILY, FREQ=WEEKLY, or FREQ=MONTHLY.'],
    ['FREQ=MONTHLY;BYWEEKNO=3;BYDAY=MO', 'BYWEEKNO works only with FREQ=YEARLY.'],
    [
      'FREQ=WEEKLY;BYDAY=1MO',
      'A numbered day in BYDAY, such as 1MO, works only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO.',
    ],
    ['FREQ=MONTHLY;BYSETPOS=1', 'BYSETPOS needs another part to choose from, such as BYDAY.'],
    [
      `FREQ=DAILY;BYHOUR=9,10,11;BYMINUTE=${Array.from({ length: 60 }, (_, minute) => minute).join()}`,
      'BYHOUR and BYMINUTE result in too many times a day. Expected at most 144; for more use FREQ=MINUTELY.',
    ],
  ])('when it is "%s"', (rrule, message) => {
    expect(problemsOfRule(rrule)).toEqual([`recurrence.rrule: ${message}`]);
  });

  test('with all its problems', () => {
    expect(problemsOfRule('FREQ=HOURLY;FOO=1;BYMONTH=13')).toHaveLength(2);
  });
});

describe('occurrences', () => {
  test('of a single run are the start', () => {
    const once = scheduleWith({ recurrence: { every: 'once' } });
    const [first] = nextOccurrences(once, { after: null, count: 5 });
    expect(first).toEqual({
      at: new Date('2026-03-02T12:00:00Z'),
      local: '2026-03-02T09:00',
      offset: '-03:00',
    });
    expect(localTimes(once, 5)).toHaveLength(1);
    expect(localTimes(once, 5, new Date('2026-03-02T12:00:00Z'))).toEqual([]);
  });

  test('include the start when no time is given, and are strictly after a given time', () => {
    expect(localTimes(scheduleWith(), 2)).toEqual(['2026-03-02T09:00', '2026-03-03T09:00']);
    expect(localTimes(scheduleWith(), 1, new Date('2026-03-02T12:00:00Z'))).toEqual(['2026-03-03T09:00']);
    expect(localTimes(scheduleWith(), 1, new Date('2026-03-02T11:59:59.999Z'))).toEqual(['2026-03-02T09:00']);
    expect(localTimes(scheduleWith(), 1, new Date('2020-01-01T00:00:00Z'))).toEqual(['2026-03-02T09:00']);
  });

  test('keep the seconds of the start', () => {
    expect(localTimes(scheduleWith({ startsAt: '2026-03-02T09:00:30' }), 1)).toEqual(['2026-03-02T09:00:30']);
  });

  test('of a week are on the chosen days after the start, which need not be one of them', () => {
    const recurrence = { every: 'week', interval: 2, days: ['friday', 'monday'] };
    expect(localTimes(scheduleWith({ recurrence, startsAt: '2026-03-04T09:00' }), 3)).toEqual([
      '2026-03-06T09:00',
      '2026-03-16T09:00',
      '2026-03-20T09:00',
    ]);
  });

  test('on the 31st skip the months that do not have it', () => {
    const monthly = scheduleWith({
      recurrence: { every: 'month', dayOfMonth: 31 },
      startsAt: '2026-01-01T09:00',
    });
    expect(localTimes(monthly, 7)).toEqual(
      ['01-31', '03-31', '05-31', '07-31', '08-31', '10-31', '12-31'].map((date) => `2026-${date}T09:00`),
    );
  });

  test('on the last day of the month follow its length', () => {
    const monthly = scheduleWith({
      recurrence: { every: 'month', dayOfMonth: 'last' },
      startsAt: '2028-01-01T09:00',
    });
    expect(localTimes(monthly, 4)).toEqual(
      ['01-31', '02-29', '03-31', '04-30'].map((date) => `2028-${date}T09:00`),
    );
  });

  test('on 29 February are in leap years', () => {
    const leapDay = ruled('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', { startsAt: '2096-01-01T09:00' });
    expect(localTimes(leapDay, 2)).toEqual(['2096-02-29T09:00', '2104-02-29T09:00']);
  });

  test('are found 40 years ahead, the longest wait for a date on a given weekday', () => {
    const rare = ruled('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO', { startsAt: '2073-01-01T09:00' });
    expect(localTimes(rare, 1)).toEqual(['2112-02-29T09:00']);
  });

  test.each([
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', ['2026-03-13', '2026-11-13', '2027-08-13']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', ['2026-03-31', '2026-04-30', '2026-05-29']],
    ['FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO', ['2026-12-28', '2032-12-27', '2037-12-28']],
    ['FREQ=MONTHLY;BYDAY=2TU', ['2026-03-10', '2026-04-14', '2026-05-12']],
    ['FREQ=DAILY;COUNT=2', ['2026-03-02', '2026-03-03']],
  ])('of %s are the days of RFC 5545', (rrule, dates) => {
    expect(localTimes(ruled(rrule), 3)).toEqual(dates.map((date) => `${date}T09:00`));
  });

  test('are counted from the start, not from the time given', () => {
    expect(localTimes(ruled('FREQ=DAILY;COUNT=3'), 5, new Date('2026-03-03T12:00:00Z'))).toEqual([
      '2026-03-04T09:00',
    ]);
  });

  test('go up to UNTIL, which may be a date, a local time or a time in UTC', () => {
    expect(localTimes(ruled('FREQ=DAILY;UNTIL=20260303'), 5)).toHaveLength(2);
    expect(localTimes(ruled('FREQ=DAILY;UNTIL=20260303T090000'), 5)).toHaveLength(2);
    expect(localTimes(ruled('FREQ=DAILY;UNTIL=20260303T085959'), 5)).toHaveLength(1);
    expect(localTimes(ruled('FREQ=DAILY;UNTIL=20260303T120000Z'), 5)).toHaveLength(2);
    expect(localTimes(ruled('UNTIL=20260303T115959Z;FREQ=DAILY'), 5)).toHaveLength(1);
  });

  test('go up to the end, which is included', () => {
    expect(localTimes(scheduleWith({ endsAt: '2026-03-04T09:00' }), 9)).toHaveLength(3);
    expect(localTimes(scheduleWith({ endsAt: '2026-03-04T08:59' }), 9)).toHaveLength(2);
  });

  test('skip the holidays in their own time zone', () => {
    // 22:00 in São Paulo is the next day in UTC.
    const evening = scheduleWith({ startsAt: '2026-04-20T22:00' });
    expect(localTimes(evening, 2, null, new Set(['2026-04-21']))).toEqual([
      '2026-04-20T22:00',
      '2026-04-22T22:00',
    ]);
  });

  test('on a holiday still count for COUNT', () => {
    expect(localTimes(ruled('FREQ=DAILY;COUNT=3'), 9, null, new Set(['2026-03-03']))).toEqual([
      '2026-03-02T09:00',
      '2026-03-04T09:00',
    ]);
  });

  test('by the minute skip a holiday in one step and keep their phase', () => {
    const often = scheduleWith({
      recurrence: { every: 'minutes', interval: 7 },
      startsAt: '2026-04-20T23:53',
    });
    expect(localTimes(often, 3, null, new Set(['2026-04-21', '2026-04-22']))).toEqual([
      '2026-04-20T23:53',
      '2026-04-23T00:04',
      '2026-04-23T00:11',
    ]);
  });

  test('are found at once, however long ago the start is', () => {
    const startsAt = '1970-01-01T00:00';
    const after = new Date('2199-06-01T00:00:30Z');
    for (const recurrence of [{ every: 'minutes' }, { every: 'rule', rrule: 'FREQ=MINUTELY' }]) {
      expect(localTimes(scheduleWith({ recurrence, startsAt, timezone: 'UTC' }), 2, after)).toEqual([
        '2199-06-01T00:01',
        '2199-06-01T00:02',
      ]);
    }
  });
});

describe('a schedule is over', () => {
  const holidays = new Set(['2026-03-05', '2026-03-06']);
  test.each<[object, boolean[]]>([
    [{ recurrence: { every: 'once' } }, [false, true, true]],
    [{ recurrence: { every: 'rule', rrule: 'FREQ=DAILY;COUNT=5' } }, [false, false, true]],
    [{ recurrence: { every: 'rule', rrule: 'FREQ=DAILY' } }, [false, false, false]],
    [{ endsAt: '2026-03-06T09:00' }, [false, false, true]],
    [{ endsAt: '2026-03-07T09:00' }, [false, false, false]],
    [
      { recurrence: { every: 'month', dayOfMonth: 29, interval: 12 }, startsAt: '2024-02-29T09:00' },
      [false, false, false],
    ],
    ...['minutes', 'hours', 'day'].map((every): [object, boolean[]] => [
      { recurrence: { every } },
      [false, false, false],
    ]),
    [{ recurrence: { every: 'week', days: ['thursday'], interval: 104 } }, [false, false, false]],
  ])('when all its later occurrences are holidays: %j', (changes, expected) => {
    const moments = ['2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z', '2026-03-04T13:00:00Z'];
    const found = moments.map((at) => isOver(scheduleWith(changes), { after: new Date(at), holidays }));
    expect(found).toEqual(expected);
    const searched = moments.map(
      (at) =>
        nextOccurrences(scheduleWith(changes), { after: new Date(at), count: 1, holidays }).length === 0,
    );
    expect(found).toEqual(searched);
  });
});

describe('a schedule never occurs', () => {
  test.each(['YEARLY', 'MONTHLY', 'DAILY', 'HOURLY', 'MINUTELY'])(
    'when it is on 30 February (%s)',
    (frequency) => {
      const impossible = ruled(`FREQ=${frequency};BYMONTH=2;BYMONTHDAY=30`);
      expect(neverOccurs(impossible)).toBe(true);
      expect(localTimes(impossible, 5, new Date('2030-01-01T00:00:00Z'))).toEqual([]);
    },
  );

  test.each([
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5',
    'FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1',
    'FREQ=HOURLY;INTERVAL=24;BYHOUR=8',
    'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6',
    'FREQ=DAILY;INTERVAL=7;BYDAY=TU',
  ])('when its rule is %s', (rrule) => {
    expect(neverOccurs(ruled(rrule))).toBe(true);
  });

  test('when it ends before the first occurrence', () => {
    const recurrence = { every: 'week', days: ['sunday'] };
    expect(neverOccurs(scheduleWith({ recurrence, endsAt: '2026-03-07T23:59' }))).toBe(true);
    expect(neverOccurs(scheduleWith({ recurrence, endsAt: '2026-03-08T09:00' }))).toBe(false);
    expect(neverOccurs(ruled('FREQ=DAILY;UNTIL=20260301'))).toBe(true);
  });

  test('when every occurrence is a holiday', () => {
    const holidays = new Set(['2026-03-02', '2026-03-03']);
    expect(neverOccurs(scheduleWith({ endsAt: '2026-03-03T23:00' }), holidays)).toBe(true);
    expect(neverOccurs(scheduleWith({ recurrence: { every: 'once' } }), holidays)).toBe(true);
    expect(neverOccurs(ruled('FREQ=DAILY;COUNT=2'), holidays)).toBe(true);
    expect(neverOccurs(ruled('FREQ=DAILY;COUNT=3'), holidays)).toBe(false);
  });

  test('when a thousand days of minutes are holidays', () => {
    const holidays = new Set(
      Array.from({ length: 1000 }, (_, day) =>
        new Date(Date.UTC(2026, 2, 2 + day)).toISOString().slice(0, 10),
      ),
    );
    const often = { recurrence: { every: 'minutes' }, endsAt: '2028-11-20T00:00' };
    expect(neverOccurs(scheduleWith(often), holidays)).toBe(true);
  });
});

describe('compared with another implementation of RFC 5545', () => {
  const days = (min: number, max: number) => fc.integer({ min: min * 1440, max: max * 1440 });
  const startsAt = days(0, 9000).map((minutes) =>
    new Date(Date.UTC(2008, 0, 1) + minutes * 60_000).toISOString().slice(0, 16),
  );
  const interval = fc.integer({ min: 1, max: 9 });
  const dayOfMonth = fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const));
  const calendar: fc.Arbitrary<Recurrence> = fc.oneof(
    fc.record({ every: fc.constant('day' as const), interval }),
    fc.record({
      every: fc.constant('week' as const),
      interval,
      days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
    }),
    fc.record({ every: fc.constant('month' as const), interval, dayOfMonth }),
  );

  function rruleOf(recurrence: Recurrence): string {
    switch (recurrence.every) {
      case 'day':
        return `FREQ=DAILY;INTERVAL=${recurrence.interval}`;
      case 'week':
        return `FREQ=WEEKLY;INTERVAL=${recurrence.interval};BYDAY=${recurrence.days.map((day) => day.slice(0, 2).toUpperCase()).join()}`;
      case 'month':
        return `FREQ=MONTHLY;INTERVAL=${recurrence.interval};BYMONTHDAY=${recurrence.dayOfMonth === 'last' ? -1 : recurrence.dayOfMonth}`;
      case 'minutes':
        return `FREQ=MINUTELY;INTERVAL=${recurrence.interval}`;
      case 'hours':
        return `FREQ=HOURLY;INTERVAL=${recurrence.interval}`;
      case 'once':
        return 'FREQ=DAILY;COUNT=1';
      case 'rule':
        return recurrence.rrule;
    }
  }

  test('every N days, weeks and months agree in each time zone', () => {
    fc.assert(
      fc.property(
        calendar,
        startsAt,
        fc.constantFrom(...zones),
        days(-30, 2000),
        (recurrence, start, zone, later) => {
          const after = wallTimeOf(start) + later * 60_000;
          const found = nextOccurrences(scheduleWith({ recurrence, startsAt: start, timezone: zone }), {
            after: new Date(after),
            count: 5,
          });
          const expected = instantsByRRule(rruleOf(recurrence), start, zone, { after, count: 5, days: 4000 });
          expect(found.map(({ at }) => at.getTime())).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('every N minutes and hours agree in each time zone', () => {
    const often = fc.record({ every: fc.constantFrom('minutes' as const, 'hours' as const), interval });
    fc.assert(
      fc.property(
        often,
        startsAt,
        fc.constantFrom(...zones),
        days(0, 3),
        (recurrence, start, zone, later) => {
          // Elapsed time follows the same rule in UTC from the same instant.
          const startInUtc = new Date(instantByIntl(wallTimeOf(start), zone)).toISOString().slice(0, 16);
          const after = wallTimeOf(startInUtc) + later * 60_000;
          const found = nextOccurrences(scheduleWith({ recurrence, startsAt: start, timezone: zone }), {
            after: new Date(after),
            count: 5,
          });
          const expected = instantsByRRule(rruleOf(recurrence), startInUtc, 'UTC', {
            after,
            count: 5,
            days: 5,
          });
          expect(found.map(({ at }) => at.getTime())).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('rules with many parts agree', () => {
    // Sorted, because rrule.js counts the values of a list in the order given.
    const list = <T extends string | number>(value: fc.Arbitrary<T>, maxLength = 3) =>
      fc
        .uniqueArray(value, { minLength: 1, maxLength })
        .map((values) => values.sort((a, b) => (a < b ? -1 : 1)).join());
    const number = (min: number, max: number) =>
      fc.integer({ min, max }).filter((value) => value !== 0 || min === 0);
    const part = (name: string, value: fc.Arbitrary<string | number>) =>
      fc.option(value, { freq: 2 }).map((chosen) => (chosen === null ? [] : [`${name}=${chosen}`]));
    const day = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU');
    const numberedDay = fc.tuple(number(-5, 5), day).map(([position, name]) => `${position}${name}`);
    const rule = fc
      .tuple(
        part('INTERVAL', number(1, 12)),
        part('COUNT', number(1, 60)),
        part('BYMONTH', list(number(1, 12))),
        part('BYMONTHDAY', list(number(-31, 31))),
        part('BYDAY', fc.oneof(list(day, 5), list(numberedDay))),
        part('BYHOUR', list(number(0, 23))),
        part('BYMINUTE', list(number(0, 59))),
        part('WKST', day),
      )
      .chain((parts) =>
        fc
          .constantFrom('YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY')
          .map((frequency) => [`FREQ=${frequency}`, ...parts.flat()].join(';')),
      )
      .filter((text) => problemsOfRule(text).length === 0);

    fc.assert(
      fc.property(rule, startsAt, fc.constantFrom(...zones), days(-30, 1000), (rrule, start, zone, later) => {
        const after = wallTimeOf(start) + later * 60_000;
        const expected = instantsByRRule(rrule, start, zone, { after, count: 4, days: 3000 });
        const found = nextOccurrences(ruled(rrule, { startsAt: start, timezone: zone }), {
          after: new Date(after),
          count: expected.length,
        });
        expect(found.map(({ at }) => at.getTime())).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});
