import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weekdays } from '../../domain/calendar.ts';
import { hoursAt, openMsBetween, sendingHours, type SendingHours } from '../../domain/hours.ts';
import { changes, zones } from '../kit/calendar-oracle.ts';
import { problemsIn } from '../kit/problems.ts';

const workdays = weekdays.slice(0, 5);
const hour = 3_600_000;

const hoursOf = (timezone: string, ...windows: object[]): SendingHours =>
  sendingHours.parse({ timezone, windows });

const office = hoursOf(
  'America/Sao_Paulo',
  { days: workdays, from: '08:00', to: '18:00' },
  { days: ['saturday'], from: '09:00', to: '13:00' },
);
const always = hoursOf('America/Sao_Paulo', { days: weekdays, from: '00:00', to: '24:00' });

/** `open until …` or `closed until …`, in UTC. */
function at(hours: SendingHours, now: string, ...holidays: string[]): string {
  const state = hoursAt(hours, new Date(now), new Set(holidays));
  const until = state.open ? state.closesAt : state.opensAt;
  return `${state.open ? 'open' : 'closed'} until ${until?.toISOString().replace(':00.000Z', 'Z') ?? 'ever'}`;
}

describe('sending hours', () => {
  test('are open from the start of a window until its end, which is excluded', () => {
    // Monday; São Paulo is three hours behind UTC.
    expect(at(office, '2026-03-02T10:59:59.999Z')).toBe('closed until 2026-03-02T11:00Z');
    expect(at(office, '2026-03-02T11:00:00Z')).toBe('open until 2026-03-02T21:00Z');
    expect(at(office, '2026-03-02T20:59:59.999Z')).toBe('open until 2026-03-02T21:00Z');
    expect(at(office, '2026-03-02T21:00:00Z')).toBe('closed until 2026-03-03T11:00Z');
  });

  test('open again after the weekend', () => {
    expect(at(office, '2026-03-06T22:00:00Z')).toBe('closed until 2026-03-07T12:00Z');
    expect(at(office, '2026-03-07T16:00:00Z')).toBe('closed until 2026-03-09T11:00Z');
  });

  test('never close when their windows cover all times', () => {
    expect(at(always, '2026-03-02T10:00:00Z')).toBe('open until ever');
    const inShifts = hoursOf(
      'UTC',
      { days: weekdays, from: '20:00', to: '08:00' },
      { days: weekdays, from: '08:00', to: '20:00' },
    );
    expect(at(inShifts, '2026-03-02T10:00:00Z')).toBe('open until ever');
  });

  test('without a break still close on a holiday, however far away', () => {
    expect(at(always, '2026-03-02T10:00:00Z', '2026-01-01', '2031-12-25', '2030-12-25')).toBe(
      'open until 2030-12-25T03:00Z',
    );
    expect(at(always, '2030-12-25T03:00:00Z', '2030-12-25', '2030-12-26')).toBe(
      'closed until 2030-12-27T03:00Z',
    );
  });

  test('are closed for the whole holiday in their own time zone', () => {
    expect(at(office, '2026-04-21T12:00:00Z', '2026-04-21')).toBe('closed until 2026-04-22T11:00Z');
    expect(at(office, '2026-04-20T21:00:00Z', '2026-04-21', '2026-04-22')).toBe(
      'closed until 2026-04-23T11:00Z',
    );
  });

  test('with adjacent or overlapping windows close at the end of the last one', () => {
    const split = hoursOf(
      'UTC',
      { days: ['monday'], from: '12:00', to: '14:00' },
      { days: ['monday'], from: '08:00', to: '12:00' },
      { days: ['monday'], from: '13:00', to: '18:00' },
      { days: ['monday'], from: '09:00', to: '10:00' },
    );
    expect(at(split, '2026-03-02T09:00:00Z')).toBe('open until 2026-03-02T18:00Z');
  });

  test('with windows that meet at midnight close on a later day', () => {
    const weekend = hoursOf('UTC', { days: ['saturday', 'sunday'], from: '00:00', to: '24:00' });
    expect(at(weekend, '2026-03-07T09:00:00Z')).toBe('open until 2026-03-09T00:00Z');
  });

  test('past midnight belong to the day on which they start', () => {
    const night = hoursOf('UTC', { days: ['friday'], from: '22:00', to: '02:00' });
    expect(at(night, '2026-03-06T01:00:00Z')).toBe('closed until 2026-03-06T22:00Z');
    expect(at(night, '2026-03-06T23:00:00Z')).toBe('open until 2026-03-07T02:00Z');
    expect(at(night, '2026-03-07T01:00:00Z')).toBe('open until 2026-03-07T02:00Z');
  });

  test('past midnight are closed only on the date of the holiday', () => {
    const nights = hoursOf('UTC', { days: weekdays, from: '22:00', to: '02:00' });
    expect(at(nights, '2026-04-20T23:00:00Z', '2026-04-21')).toBe('open until 2026-04-21T00:00Z');
    expect(at(nights, '2026-04-21T00:00:00Z', '2026-04-21')).toBe('closed until 2026-04-22T00:00Z');
    expect(at(nights, '2026-04-22T00:00:00Z', '2026-04-21')).toBe('open until 2026-04-22T02:00Z');
  });

  test('do not open during 400 days of holidays', () => {
    const year = Array.from({ length: 400 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
    );
    expect(at(office, '2026-01-01T12:00:00Z', ...year)).toBe('closed until ever');
  });

  test.each([
    [{ days: [], from: '08:00', to: '18:00' }, 'windows.0.days: Choose at least one day of the week.'],
    [
      { days: ['monday'], from: '24:00', to: '18:00' },
      'windows.0.from: Expected a time from 00:00 to 23:59.',
    ],
    [{ days: ['monday'], from: '8:00', to: '18:00' }, 'windows.0.from: Expected a time from 00:00 to 23:59.'],
    [{ days: ['monday'], from: '08:00', to: '24:01' }, 'windows.0.to: Expected a time from 00:00 to 24:00.'],
    [
      { days: ['monday'], from: '08:00', to: '08:00' },
      'windows.0.to: The window ends when it starts. For a whole day enter 00:00 to 24:00.',
    ],
  ])('are refused with the window %j', (window, problem) => {
    expect(problemsIn(sendingHours, { timezone: 'UTC', windows: [window] })).toEqual([problem]);
  });

  test('are refused without a window', () => {
    expect(problemsIn(sendingHours, { timezone: 'UTC', windows: [] })).toEqual([
      'windows: Enter at least one window in which messages may be sent.',
    ]);
  });
});

describe('when the clocks change', () => {
  const sundays = (timezone: string, from: string, to: string) =>
    hoursOf(timezone, { days: ['sunday'], from, to });

  test('a window that starts or ends in the gap starts or ends at the jump', () => {
    expect(at(sundays('America/New_York', '02:30', '04:00'), '2026-03-08T06:00:00Z')).toBe(
      'closed until 2026-03-08T07:00Z',
    );
    expect(at(sundays('America/New_York', '01:00', '02:30'), '2026-03-08T06:30:00Z')).toBe(
      'open until 2026-03-08T07:00Z',
    );
    expect(at(sundays('America/New_York', '02:00', '04:00'), '2026-03-08T06:00:00Z')).toBe(
      'closed until 2026-03-08T07:00Z',
    );
  });

  test('a window inside the gap does not open', () => {
    expect(at(sundays('America/New_York', '02:10', '02:50'), '2026-03-08T06:00:00Z')).toBe(
      'closed until 2026-03-15T06:10Z',
    );
    expect(at(sundays('Australia/Lord_Howe', '02:00', '02:30'), '2026-10-03T14:00:00Z')).toBe(
      'closed until 2026-10-10T15:00Z',
    );
  });

  test('a window over a repeated hour is open for both', () => {
    const night = sundays('America/New_York', '00:00', '04:00');
    expect(at(night, '2026-11-01T04:00:00Z')).toBe('open until 2026-11-01T09:00Z');
    expect(openMsBetween(night, new Date('2026-11-01T00:00:00Z'), new Date('2026-11-02T00:00:00Z'))).toBe(
      5 * hour,
    );
  });

  test('a day that starts at 01:00 is open from 01:00', () => {
    const days = hoursOf('America/Sao_Paulo', { days: ['sunday'], from: '00:00', to: '24:00' });
    expect(at(days, '2018-11-04T00:00:00Z')).toBe('closed until 2018-11-04T03:00Z');
    expect(openMsBetween(days, new Date('2018-11-03T00:00:00Z'), new Date('2018-11-06T00:00:00Z'))).toBe(
      23 * hour,
    );
  });

  test('a date that a country skipped does not interrupt hours without a break', () => {
    const samoa = hoursOf('Pacific/Apia', { days: weekdays, from: '00:00', to: '24:00' });
    const [from, to] = [new Date('2011-12-28T00:00:00Z'), new Date('2012-01-02T00:00:00Z')];
    expect(openMsBetween(samoa, from, to)).toBe(5 * 24 * hour);
  });
});

describe('open time between two instants', () => {
  test('is the part of the windows between them', () => {
    const [monday, tuesday] = [new Date('2026-03-02T20:00:00Z'), new Date('2026-03-03T12:00:00Z')];
    expect(openMsBetween(office, monday, tuesday)).toBe(2 * hour);
    expect(openMsBetween(office, monday, tuesday, new Set(['2026-03-03']))).toBe(hour);
  });

  test('is 0 when the second instant is not later', () => {
    const [monday, tuesday] = [new Date('2026-03-02T12:00:00Z'), new Date('2026-03-03T12:00:00Z')];
    expect(openMsBetween(always, tuesday, monday)).toBe(0);
    expect(openMsBetween(always, monday, monday)).toBe(0);
  });
});

describe('sending hours with any windows and holidays', () => {
  const clock = fc.integer({ min: 0, max: 47 }).map((half) => {
    const minute = half % 2 === 0 ? '00' : '30';
    return `${String(Math.floor(half / 2)).padStart(2, '0')}:${minute}`;
  });
  const window = fc
    .record({
      days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
      from: clock,
      to: fc.oneof(clock, fc.constant('24:00')),
    })
    .filter(({ from, to }) => from !== to);
  const windows = fc.array(window, { minLength: 1, maxLength: 4 });
  const quietMoment = fc.record({
    zone: fc.constantFrom(...zones),
    instant: fc.integer({ min: Date.UTC(2016, 0, 1), max: Date.UTC(2030, 0, 1) }),
  });
  // Without the date that Samoa skipped: if it were a holiday, hours without a break would close for no time at all.
  const changesWithinADay = changes.filter(({ zone }) => zone !== 'Pacific/Apia');
  const momentOfChange = fc
    .tuple(fc.constantFrom(...changesWithinADay), fc.integer({ min: -60 * hour, max: 60 * hour }))
    .map(([{ zone, near }, distance]) => ({ zone, instant: Date.parse(`${near}Z`) + distance }));
  const moment = fc.oneof(quietMoment, momentOfChange);

  /** The dates at these distances in days from an instant. */
  const holidaysAround = (instant: number, days: readonly number[]) =>
    new Set(days.map((day) => new Date(instant + day * 24 * hour).toISOString().slice(0, 10)));
  const someDays = fc.array(fc.integer({ min: -1, max: 8 }), { maxLength: 4 });

  test('open or close exactly at the reported moment, and do not change before it', () => {
    fc.assert(
      fc.property(windows, moment, someDays, (windows, { zone, instant }, days) => {
        const hours = hoursOf(zone, ...windows);
        const holidays = holidaysAround(instant, days);
        const state = hoursAt(hours, new Date(instant), holidays);
        const change = state.open ? state.closesAt : state.opensAt;
        fc.pre(change !== null);
        const changeAt = change.getTime();
        expect(changeAt).toBeGreaterThan(instant);
        expect(hoursAt(hours, change, holidays).open).toBe(!state.open);
        expect(hoursAt(hours, new Date(changeAt - 1), holidays)).toEqual(state);
        expect(openMsBetween(hours, new Date(instant), change, holidays)).toBe(
          state.open ? changeAt - instant : 0,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('have open times that add up over adjacent periods', () => {
    fc.assert(
      fc.property(
        windows,
        moment,
        someDays,
        fc.integer({ min: 0, max: 100 * hour }),
        fc.integer({ min: 0, max: 100 * hour }),
        (windows, { zone, instant }, days, first, second) => {
          const hours = hoursOf(zone, ...windows);
          const holidays = holidaysAround(instant, days);
          const [from, middle, to] = [0, first, first + second].map((ms) => new Date(instant + ms));
          fc.pre(from !== undefined && middle !== undefined && to !== undefined);
          const whole = openMsBetween(hours, from, to, holidays);
          expect(
            openMsBetween(hours, from, middle, holidays) + openMsBetween(hours, middle, to, holidays),
          ).toBe(whole);
        },
      ),
      { numRuns: 200 },
    );
  });
});
