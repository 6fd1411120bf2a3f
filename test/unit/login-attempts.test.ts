import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLoginAttempts } from '../../api/access/login-attempts.ts';

const minute = 60_000;
function createClock() {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  return clock;
}
/** Fails `count` attempts, after the wait that each of them requires. */
function failTimes(attempts: ReturnType<typeof createLoginAttempts>, clock: { ms: number }, count: number) {
  for (let failed = 0; failed < count;) {
    const waitMs = attempts.begin('key');
    clock.ms += waitMs;
    if (waitMs > 0) continue;
    attempts.fail('key');
    failed++;
  }
}

test('ten failures have no wait; then the wait doubles from 5 seconds to 15 minutes', () => {
  const clock = createClock();
  const attempts = createLoginAttempts(clock);
  failTimes(attempts, clock, 10);
  const waits: number[] = [];
  for (let index = 0; index < 10; index++) {
    const waitMs = attempts.begin('key');
    waits.push(waitMs / 1000);
    clock.ms += waitMs;
    expect(attempts.begin('key')).toBe(0);
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
});

test('the wait starts when an attempt fails, not when it starts', () => {
  const clock = createClock();
  const attempts = createLoginAttempts(clock);
  failTimes(attempts, clock, 9);
  expect(attempts.begin('key')).toBe(0);
  clock.ms += 60_000;
  attempts.fail('key');
  expect(attempts.begin('key')).toBe(5_000);
});

test('refused attempts do not extend the wait, and another key is not affected', () => {
  const clock = createClock();
  const attempts = createLoginAttempts(clock);
  failTimes(attempts, clock, 10);
  for (let index = 0; index < 1_000; index++) expect(attempts.begin('key')).toBe(5_000);
  expect(attempts.begin('other')).toBe(0);
  clock.ms += 5_000;
  expect(attempts.begin('key')).toBe(0);
});

test('concurrent attempts cannot avoid the wait', () => {
  const attempts = createLoginAttempts(createClock());
  const started = Array.from({ length: 100 }, () => attempts.begin('key')).filter((waitMs) => waitMs === 0);
  expect(started).toHaveLength(10);
});

test('the count restarts after a correct password or an hour without attempts, and omits a withdrawn attempt', () => {
  const clock = createClock();
  const attempts = createLoginAttempts(clock);
  failTimes(attempts, clock, 9);
  expect(attempts.begin('key')).toBe(0);
  attempts.withdraw('key');
  expect(attempts.begin('key')).toBe(0);
  attempts.succeed('key');
  failTimes(attempts, clock, 12);
  expect(attempts.begin('key')).toBeGreaterThan(0);
  clock.ms += 61 * minute;
  failTimes(attempts, clock, 10);
  expect(attempts.begin('key')).toBe(5_000);
});

test('a day has at most 114 checked attempts, at any times', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 * minute }), { maxLength: 2_000 }), (pauses) => {
      const clock = createClock();
      const attempts = createLoginAttempts(clock);
      const end = clock.ms + 24 * 60 * minute;
      let checked = 0;
      for (const pause of pauses) {
        clock.ms += Math.min(pause, 59 * minute);
        if (clock.ms > end) break;
        if (attempts.begin('key') === 0) checked++;
      }
      expect(checked).toBeLessThanOrEqual(10 + 8 + 96);
    }),
  );
});
