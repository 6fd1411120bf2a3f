import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, wallTimeAt, wallTimeOf } from '../../domain/calendar.ts';
import { nextOccurrences, schedule, type Schedule } from '../../domain/schedule.ts';
import { changes, instantByIntl, instantsByRRule, wallTimeByIntl } from '../kit/calendar-oracle.ts';

const scheduleIn = (timezone: string, startsAt: string, recurrence: object): Schedule =>
  schedule.parse({ recurrence, startsAt, timezone });

const daily = { every: 'day' };

/** Local times with their offset. */
const occurrences = (from: Schedule, count: number, after: string | null = null) =>
  nextOccurrences(from, { after: after === null ? null : new Date(after), count }).map(
    ({ local, offset }) => local + offset,
  );

describe('a time that the clocks skip', () => {
  test('moves forward by the length of the gap, on that day only', () => {
    expect(occurrences(scheduleIn('America/New_York', '2026-03-07T02:30', daily), 3)).toEqual([
      '2026-03-07T02:30-05:00',
      '2026-03-08T03:30-04:00',
      '2026-03-09T02:30-04:00',
    ]);
  });

  test('moves forward past midnight in Brazil before 2019', () => {
    expect(occurrences(scheduleIn('America/Sao_Paulo', '2018-11-03T00:00', daily), 3)).toEqual([
      '2018-11-03T00:00-03:00',
      '2018-11-04T01:00-02:00',
      '2018-11-05T00:00-02:00',
    ]);
  });

  test('moves forward by half an hour on Lord Howe Island', () => {
    expect(occurrences(scheduleIn('Australia/Lord_Howe', '2026-10-03T02:15', daily), 3)).toEqual([
      '2026-10-03T02:15+10:30',
      '2026-10-04T02:45+11:00',
      '2026-10-05T02:15+11:00',
    ]);
  });

  test('moves forward when it is the start, and is then the first occurrence', () => {
    const everyHalfHour = { every: 'rule', rrule: 'FREQ=MINUTELY;INTERVAL=30' };
    expect(occurrences(scheduleIn('America/New_York', '2026-03-08T02:30', everyHalfHour), 2)).toEqual([
      '2026-03-08T03:30-04:00',
      '2026-03-08T04:00-04:00',
    ]);
  });

  test('merges with an occurrence that is due at the same time, and all stay in order', () => {
    const rule = { every: 'rule', rrule: 'FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,20' };
    expect(occurrences(scheduleIn('America/New_York', '2026-03-08T00:00', rule), 5)).toEqual([
      '2026-03-08T01:00-05:00',
      '2026-03-08T01:20-05:00',
      '2026-03-08T03:00-04:00',
      '2026-03-08T03:20-04:00',
      '2026-03-09T01:00-04:00',
    ]);
  });

  test('is sorted among the times that exist', () => {
    const rule = { every: 'rule', rrule: 'FREQ=DAILY;BYHOUR=2,3;BYMINUTE=10,45' };
    const [first, second, third] = [
      '2026-03-08T03:10-04:00',
      '2026-03-08T03:45-04:00',
      '2026-03-09T02:10-04:00',
    ];
    const from = scheduleIn('America/New_York', '2026-03-08T00:00', rule);
    expect(occurrences(from, 3)).toEqual([first, second, third]);
    expect(occurrences(from, 1, '2026-03-08T07:10:00Z')).toEqual([second]);
    expect(occurrences(from, 1, '2026-03-08T07:45:00Z')).toEqual([third]);
  });

  test('is still found after a moment between the jump and the time that it moved to', () => {
    const from = scheduleIn('America/New_York', '2026-03-01T02:30', daily);
    expect(occurrences(from, 1, '2026-03-08T07:15:00Z')).toEqual(['2026-03-08T03:30-04:00']);
    expect(occurrences(from, 1, '2026-03-08T07:30:00Z')).toEqual(['2026-03-09T02:30-04:00']);
  });

  test('moves a whole day forward when a country crosses the date line, and merges with the next occurrence', () => {
    expect(occurrences(scheduleIn('Pacific/Apia', '2011-12-29T09:00', daily), 3)).toEqual([
      '2011-12-29T09:00-10:00',
      '2011-12-31T09:00+14:00',
      '2012-01-01T09:00+14:00',
    ]);
  });

  test('moves forward when it is the end', () => {
    const from = schedule.parse({
      recurrence: { every: 'minutes', interval: 30 },
      startsAt: '2026-03-08T01:30',
      endsAt: '2026-03-08T02:30',
      timezone: 'America/New_York',
    });
    expect(occurrences(from, 9)).toEqual([
      '2026-03-08T01:30-05:00',
      '2026-03-08T03:00-04:00',
      '2026-03-08T03:30-04:00',
    ]);
  });
});

describe('a time that the clocks show twice', () => {
  test('occurs once, the first time', () => {
    const from = scheduleIn('America/New_York', '2026-10-31T01:30', daily);
    expect(occurrences(from, 3)).toEqual([
      '2026-10-31T01:30-04:00',
      '2026-11-01T01:30-04:00',
      '2026-11-02T01:30-05:00',
    ]);
    expect(occurrences(from, 1, '2026-11-01T05:45:00Z')).toEqual(['2026-11-02T01:30-05:00']);
  });

  test('occurs once in the repeated half hour of Lord Howe Island and the repeated hour before midnight in Brazil', () => {
    expect(occurrences(scheduleIn('Australia/Lord_Howe', '2026-04-05T01:45', daily), 2)).toEqual([
      '2026-04-05T01:45+11:00',
      '2026-04-06T01:45+10:30',
    ]);
    expect(occurrences(scheduleIn('America/Sao_Paulo', '2018-02-17T23:30', daily), 2)).toEqual([
      '2018-02-17T23:30-02:00',
      '2018-02-18T23:30-03:00',
    ]);
  });
});

describe('a recurrence by elapsed time', () => {
  test('of 24 hours shifts its local time when the clocks change', () => {
    const recurrence = { every: 'hours', interval: 24 };
    expect(occurrences(scheduleIn('America/New_York', '2026-03-07T09:00', recurrence), 3)).toEqual([
      '2026-03-07T09:00-05:00',
      '2026-03-08T10:00-04:00',
      '2026-03-09T10:00-04:00',
    ]);
  });

  test('of 30 minutes occurs in both of the repeated hours', () => {
    const recurrence = { every: 'minutes', interval: 30 };
    expect(occurrences(scheduleIn('America/New_York', '2026-11-01T01:00', recurrence), 5)).toEqual([
      '2026-11-01T01:00-04:00',
      '2026-11-01T01:30-04:00',
      '2026-11-01T01:00-05:00',
      '2026-11-01T01:30-05:00',
      '2026-11-01T02:00-05:00',
    ]);
  });

  test('differs from a minutely rule, which follows local time and passes the repeated hour once', () => {
    const recurrence = { every: 'rule', rrule: 'FREQ=MINUTELY;INTERVAL=30' };
    expect(occurrences(scheduleIn('America/New_York', '2026-11-01T01:00', recurrence), 3)).toEqual([
      '2026-11-01T01:00-04:00',
      '2026-11-01T01:30-04:00',
      '2026-11-01T02:00-05:00',
    ]);
  });
});

describe('around changes of the clocks', () => {
  const nearAChange = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2880, max: 2880 }));

  test('wall times and instants agree with Intl', () => {
    fc.assert(
      fc.property(nearAChange, ([{ zone, near }, minutes]) => {
        const wallTime = wallTimeOf(near) + minutes * 60_000;
        expect(instantOf(wallTime, zone)).toBe(instantByIntl(wallTime, zone));
        expect(wallTimeAt(wallTime, zone)).toBe(wallTimeByIntl(wallTime, zone));
      }),
      { numRuns: 500 },
    );
  });

  test('occurrences agree with another implementation of RFC 5545, moved out of the gaps', () => {
    const rule = fc.constantFrom(
      'FREQ=DAILY',
      'FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,15,40',
      'FREQ=WEEKLY;BYDAY=SA,SU,MO;BYHOUR=0,2,23;BYMINUTE=30',
      'FREQ=HOURLY',
      'FREQ=HOURLY;INTERVAL=3;BYMINUTE=10,50',
      'FREQ=MINUTELY;INTERVAL=20',
      'FREQ=MINUTELY;INTERVAL=7',
      // rrule.js loses the phase of a minutely rule with BYHOUR, unless the interval divides the hour.
      'FREQ=MINUTELY;INTERVAL=15;BYHOUR=0,1,2,3',
    );
    fc.assert(
      fc.property(
        rule,
        nearAChange,
        fc.integer({ min: 0, max: 5000 }),
        (rrule, [{ zone, near }, minutes], before) => {
          const after = instantByIntl(wallTimeOf(near), zone) + minutes * 60_000;
          const startsAt = new Date(wallTimeByIntl(after - before * 60_000, zone)).toISOString().slice(0, 16);
          const found = nextOccurrences(scheduleIn(zone, startsAt, { every: 'rule', rrule }), {
            after: new Date(after),
            count: 6,
          });
          const expected = instantsByRRule(rrule, startsAt, zone, { after, count: 6, days: 14 });
          expect(found.map(({ at }) => at.getTime())).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });
});
