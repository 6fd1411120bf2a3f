import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weekdays } from '../../domain/calendar.ts';
import { openMsBetween, openTimeAfter, sendingHours } from '../../domain/hours.ts';
import { skipReasons } from '../../domain/message.ts';
import { plainEnglish } from '../../domain/format.ts';
import { type PreflightFacts, preflightOf } from '../../domain/preflight.ts';
import { preflightWords } from '../../domain/problems/runs.ts';
import { zones } from '../kit/calendar-oracle.ts';

const office = sendingHours.parse({
  timezone: 'UTC',
  windows: [{ days: weekdays.slice(0, 5), from: '08:00', to: '18:00' }],
});
const queued = (messages: number, segments = messages) => ({
  status: 'queued' as const,
  reason: '',
  messages,
  segments,
});
// Monday.
const facts: PreflightFacts = {
  counts: [queued(3_600), { status: 'skipped', reason: 'phone_invalid', messages: 40, segments: 0 }],
  countries: [{ country: '55', segments: 3_600 }],
  overBudget: null,
  ratePerSecond: 1,
  hours: office,
  holidays: new Set(),
  now: new Date('2026-03-02T09:00:00Z'),
  expiresAt: null,
};

describe('a pre-flight', () => {
  test('counts the messages to skip and to send, and estimates the end', () => {
    const flight = preflightOf(facts);
    expect(flight).toMatchObject({
      lines: 3_640,
      leftOut: [{ reason: 'phone_invalid', messages: 40 }],
      toSend: 3_600,
      segments: 3_600,
      durationMs: 3_600_000,
      startsAt: '2026-03-02T09:00:00.000Z',
      endsAt: '2026-03-02T10:00:00.000Z',
      fits: 'first_opening',
    });
    expect(preflightWords(flight, plainEnglish)).toBe(
      '3,640 lines: 3,600 to send in 3,600 segments, 40 skipped (Invalid phone: 40). At 1 segment a second it takes 1 h of open hours. It ends at 2026-03-02T10:00:00.000Z, before the sending hours close.',
    );
  });

  test('counts only open hours, and reports that one opening is not enough', () => {
    const flight = preflightOf({ ...facts, now: new Date('2026-03-06T17:30:00Z') });
    expect(flight).toMatchObject({ endsAt: '2026-03-09T08:30:00.000Z', fits: 'later_opening' });
  });

  test('starts at the next opening, also after a holiday', () => {
    const flight = preflightOf({
      ...facts,
      now: new Date('2026-03-02T20:00:00Z'),
      holidays: new Set(['2026-03-03']),
    });
    expect(flight).toMatchObject({
      startsAt: '2026-03-04T08:00:00.000Z',
      endsAt: '2026-03-04T09:00:00.000Z',
      fits: 'first_opening',
    });
  });

  test('reports how many segments stay unsent at the expiry', () => {
    const expiresAt = new Date('2026-03-02T09:45:00Z');
    const flight = preflightOf({ ...facts, expiresAt });
    expect(flight).toMatchObject({ fits: 'expires', segmentsLeft: 900 });
    expect(preflightWords(flight, plainEnglish)).toContain(
      'It expires at 2026-03-02T09:45:00.000Z with about 900 segments unsent.',
    );
    expect(preflightOf({ ...facts, expiresAt, now: new Date('2026-03-02T07:00:00Z') })).toMatchObject({
      fits: 'first_opening',
      segmentsLeft: null,
    } satisfies object);
  });

  test('reports an unknown duration when the provider has no rate limit', () => {
    const flight = preflightOf({ ...facts, ratePerSecond: null });
    expect(flight).toMatchObject({ durationMs: null, endsAt: null, fits: 'unknown' });
    expect(preflightWords(flight, plainEnglish)).toContain(
      'The duration is unknown, because the provider has no rate limit.',
    );
  });

  test('counts the messages of a dry run as messages to send', () => {
    const counts = [{ ...queued(7, 9), status: 'cancelled' as const, reason: 'dry_run' }];
    expect(preflightOf({ ...facts, counts })).toMatchObject({
      lines: 7,
      toSend: 7,
      segments: 9,
      leftOut: [],
    });
  });
});

describe('a pre-flight for any mailing, hours and rate', () => {
  const clock = fc
    .integer({ min: 0, max: 95 })
    .map((quarter) =>
      [Math.floor(quarter / 4), (quarter % 4) * 15].map((part) => String(part).padStart(2, '0')).join(':'),
    );
  const hours = fc
    .record({
      timezone: fc.constantFrom(...zones),
      windows: fc.array(
        fc
          .record({
            days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
            from: clock,
            to: clock,
          })
          .filter(({ from, to }) => from !== to),
        { minLength: 1, maxLength: 3 },
      ),
    })
    .map((hours) => sendingHours.parse(hours));
  const now = fc
    .integer({ min: Date.UTC(2017, 0, 1), max: Date.UTC(2030, 0, 1) })
    .map((instant) => new Date(instant));
  const holidays = (from: Date, days: readonly number[]) =>
    new Set(days.map((day) => new Date(from.getTime() + day * 86_400_000).toISOString().slice(0, 10)));
  const someDays = fc.array(fc.integer({ min: -1, max: 8 }), { maxLength: 4 });

  test('ends at the first instant at which the hours have been open long enough', () => {
    fc.assert(
      fc.property(
        hours,
        now,
        someDays,
        fc.integer({ min: 1, max: 300 * 3_600_000 }),
        (hours, now, days, ms) => {
          const closed = holidays(now, days);
          const end = openTimeAfter(hours, now, ms, closed);
          // A window inside a clock change may be the only one of a day, but not of a year.
          fc.pre(end !== null);
          expect(openMsBetween(hours, now, end, closed)).toBe(ms);
          expect(openMsBetween(hours, now, new Date(end.getTime() - 1), closed)).toBe(ms - 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('has lines that add up, and an end that agrees with the hours and the expiry', () => {
    const count = fc.record({
      messages: fc.integer({ min: 1, max: 100_000 }),
      reason: fc.constantFrom('', ...skipReasons),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(count, { maxLength: 6, selector: ({ reason }) => reason }),
        fc.option(fc.integer({ min: 1, max: 500 })),
        hours,
        now,
        someDays,
        fc.option(fc.integer({ min: 0, max: 14 * 86_400_000 })),
        (counted, ratePerSecond, hours, now, days, lifeMs) => {
          const counts = counted.map(({ messages, reason }) =>
            reason === ''
              ? queued(messages, messages * 2)
              : { status: 'skipped' as const, reason, messages, segments: 0 },
          );
          const closed = holidays(now, days);
          const expiresAt = lifeMs === null ? null : new Date(now.getTime() + lifeMs);
          const flight = preflightOf({
            ...{ counts, ratePerSecond, hours, holidays: closed, now, expiresAt },
            ...{ countries: [], overBudget: null },
          });
          const leftOut = flight.leftOut.reduce((sum, { messages }) => sum + messages, 0);
          expect(flight.toSend + leftOut).toBe(flight.lines);
          expect(flight.lines).toBe(counted.reduce((sum, { messages }) => sum + messages, 0));
          const { durationMs, startsAt, endsAt, fits, segmentsLeft } = flight;
          expect(durationMs === null).toBe(ratePerSecond === null);
          if (endsAt !== null && startsAt !== null && durationMs !== null) {
            expect(openMsBetween(hours, now, new Date(endsAt), closed)).toBe(durationMs);
          }
          if (fits === 'first_opening' && startsAt !== null && endsAt !== null) {
            // Without a gap: the time that passes is open time.
            expect(Date.parse(endsAt) - Date.parse(startsAt)).toBe(durationMs);
          }
          if (fits === 'later_opening' && startsAt !== null && endsAt !== null) {
            expect(Date.parse(endsAt) - Date.parse(startsAt)).toBeGreaterThan(durationMs ?? 0);
          }
          if (fits === 'first_opening' || fits === 'later_opening') {
            expect(expiresAt === null || Date.parse(endsAt ?? '') <= expiresAt.getTime()).toBe(true);
          }
          expect(segmentsLeft !== null).toBe(fits === 'expires');
          if (segmentsLeft !== null) {
            expect(segmentsLeft).toBeGreaterThan(0);
            expect(segmentsLeft).toBeLessThanOrEqual(flight.segments);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
