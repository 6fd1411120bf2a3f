import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weekdays } from '../../domain/calendar.ts';
import {
  hoursAt,
  openMsBetween,
  openTimeAfter,
  sendingHours,
  type SendingHours,
} from '../../domain/hours.ts';
import { zones } from '../kit/calendar-oracle.ts';
import { changesOf, openStretches, type Stretch } from '../kit/hours-oracle.ts';

/** Compares sending hours over years and time zones with js-joda (test/kit/hours-oracle.ts). */

const hour = 3_600_000;
const day = 24 * hour;
// Only past years: the two time zone databases may differ about newer laws.
const years = { from: 2012, to: 2025 };

const changes = zones.flatMap((zone) => changesOf(zone, years).map((at) => ({ zone, at })));

/** The open stretches that the domain reports, from change to change. */
function domainStretches(hours: SendingHours, [from, to]: Stretch, holidays: ReadonlySet<string>): Stretch[] {
  const found: Stretch[] = [];
  for (let at = from; at < to;) {
    const state = hoursAt(hours, new Date(at), holidays);
    const until = (state.open ? state.closesAt : state.opensAt)?.getTime() ?? to;
    if (until <= at) throw new Error(`The next change (${until}) is not after ${at}.`);
    if (state.open) found.push([at, Math.min(until, to)]);
    at = until;
  }
  return found;
}

const within = (stretches: readonly Stretch[], [from, to]: Stretch): Stretch[] =>
  stretches
    .map(([start, end]): Stretch => [Math.max(start, from), Math.min(end, to)])
    .filter(([start, end]) => start < end);

const lengthOf = (stretches: readonly Stretch[]): number =>
  stretches.reduce((sum, [from, to]) => sum + to - from, 0);

test('the zones have this many clock changes in these years', () => {
  const counted = zones.map((zone) => [zone, changes.filter((one) => one.zone === zone).length]);
  expect(Object.fromEntries(counted)).toEqual({
    UTC: 0,
    // Until February 2019.
    'America/Sao_Paulo': 15,
    'America/New_York': 28,
    'Australia/Lord_Howe': 28,
  });
});

const everyDay = { days: weekdays };
describe.each<[string, object[]]>([
  ['by day', [{ ...everyDay, from: '08:00', to: '20:00' }]],
  ['over midnight', [{ ...everyDay, from: '22:00', to: '03:00' }]],
  ['from midnight', [{ ...everyDay, from: '00:00', to: '06:00' }]],
  ['up to midnight', [{ ...everyDay, from: '20:30', to: '24:00' }]],
  ['into the hour that is skipped or repeated', [{ ...everyDay, from: '00:30', to: '02:15' }]],
  ['from the hour that is skipped or repeated', [{ ...everyDay, from: '01:45', to: '05:00' }]],
  [
    'within that hour',
    [
      { ...everyDay, from: '01:50', to: '02:20' },
      { ...everyDay, from: '23:10', to: '23:40' },
    ],
  ],
  ['on Saturday nights', [{ days: ['saturday'], from: '18:00', to: '12:00' }]],
  ['always', [{ ...everyDay, from: '00:00', to: '24:00' }]],
])('hours %s', (_, windows) => {
  test.each([
    ['', []],
    [', a holiday', [0]],
    [', between holidays', [-1, 1]],
  ] as const)('agree with js-joda around each clock change%s', (_, offDays) => {
    for (const { zone, at } of changes) {
      const hours = sendingHours.parse({ timezone: zone, windows });
      // The date of the change is that of the midnight in `at`, or the one before.
      for (const shift of [-day, 0]) {
        const holidays = new Set(
          offDays.map((off) => new Date(at + shift + off * day).toISOString().slice(0, 10)),
        );
        const span: Stretch = [at - 4 * day, at + 3 * day];
        const expected = openStretches(hours, span[0], { days: 9, holidays });
        expect(domainStretches(hours, span, holidays), `${zone} ${new Date(at).toISOString()}`).toEqual(
          within(expected, span),
        );
        if (offDays.length === 0) break;
      }
    }
  });
});

describe('sending hours with any windows', () => {
  const clock = fc.integer({ min: 0, max: 95 }).map((quarter) => {
    const [hours, minutes] = [Math.floor(quarter / 4), (quarter % 4) * 15];
    return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
  });
  const window = fc
    .record({
      days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
      from: clock,
      to: fc.oneof({ weight: 5, arbitrary: clock }, { weight: 1, arbitrary: fc.constant('24:00') }),
    })
    .filter(({ from, to }) => from !== to);
  const moment = fc.oneof(
    fc.record({
      zone: fc.constantFrom(...zones),
      at: fc.integer({ min: Date.UTC(years.from, 0, 1), max: Date.UTC(years.to, 11, 31) }),
    }),
    fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -3 * day, max: 2 * day }))
      .map(([{ zone, at }, distance]) => ({ zone, at: at + distance })),
  );
  const question = fc
    .record({
      windows: fc.array(window, { minLength: 1, maxLength: 4 }),
      moment,
      offDays: fc.array(fc.integer({ min: -1, max: 8 }), { maxLength: 4 }),
    })
    .map(({ windows, moment: { zone, at }, offDays }) => {
      const hours = sendingHours.parse({ timezone: zone, windows });
      const holidays = new Set(offDays.map((off) => new Date(at + off * day).toISOString().slice(0, 10)));
      // A week after the last holiday: hours that open at all open within these days.
      const days = 25;
      return { hours, at, holidays, days, stretches: openStretches(hours, at, { days, holidays }) };
    });
  const runs = { numRuns: 300 };

  test('are open or closed as in js-joda, and change next at the same moment', () => {
    fc.assert(
      fc.property(question, ({ hours, at, holidays, days, stretches }) => {
        const state = hoursAt(hours, new Date(at), holidays);
        const next = stretches.find(([, to]) => to > at);
        const open = next !== undefined && next[0] <= at;
        expect(state.open).toBe(open);
        if (!state.open) expect(state.opensAt?.getTime()).toBe(next?.[0]);
        // The next change is beyond the days that js-joda was asked for.
        else if (next !== undefined && next[1] < at + (days - 1) * day)
          expect(state.closesAt?.getTime()).toBe(next[1]);
        else expect(state.closesAt?.getTime() ?? Infinity).toBeGreaterThan(at + (days - 2) * day);
      }),
      runs,
    );
  });

  test('have the same open time as in js-joda, and reach it at the same moment', () => {
    fc.assert(
      fc.property(
        question,
        fc.integer({ min: 1, max: 10 * day }),
        ({ hours, at, holidays, stretches }, ms) => {
          const open = within(stretches, [at, at + ms]);
          expect(openMsBetween(hours, new Date(at), new Date(at + ms), holidays)).toBe(lengthOf(open));
          const last = open.at(-1);
          if (last === undefined) return;
          expect(openTimeAfter(hours, new Date(at), lengthOf(open), holidays)?.getTime()).toBe(last[1]);
          const half = Math.ceil((last[1] - last[0]) / 2);
          expect(openTimeAfter(hours, new Date(at), lengthOf(open) - half, holidays)?.getTime()).toBe(
            lengthOf(open) === half ? at : last[1] - half,
          );
        },
      ),
      runs,
    );
  });
});
