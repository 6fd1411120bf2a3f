import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSafeguards, measureOf, type SafeguardFacts } from '../../domain/safeguards.ts';

const now = new Date('2026-11-24T12:00:00Z');
const facts: SafeguardFacts = {
  safeguards: { approval: false, canarySize: null, canaryMinutes: 5, stopAtPercent: 20, monthlyBudget: null },
  measure: { outcomes: 100, failures: 0, reached: 1, refused: 0 },
  measuredFrom: null,
  canaryLeftAt: null,
  canaryOver: false,
  now,
};
const withCanary = { ...facts.safeguards, canarySize: 30 };

describe('the threshold', () => {
  test('is exceeded by a higher share of failures, not by the same share', () => {
    expect(
      checkSafeguards({ ...facts, measure: { outcomes: 100, failures: 20, reached: 1, refused: 0 } }),
    ).toEqual({
      go: 'on',
      limit: null,
    });
    expect(
      checkSafeguards({ ...facts, measure: { outcomes: 100, failures: 21, reached: 1, refused: 0 } }),
    ).toEqual({
      go: 'stop',
      reason: {
        code: 'threshold',
        failures: 21,
        outcomes: 100,
        percent: 21,
        stopAtPercent: 20,
        canary: false,
      },
    });
  });

  test('does not apply to fewer than 50 outcomes', () => {
    expect(
      checkSafeguards({ ...facts, measure: { outcomes: 49, failures: 49, reached: 1, refused: 0 } }).go,
    ).toBe('on');
    expect(
      checkSafeguards({ ...facts, measure: { outcomes: 50, failures: 49, reached: 1, refused: 0 } }).go,
    ).toBe('stop');
  });

  test('counts only the outcomes after a user has resumed the run', () => {
    const measuredFrom = { outcomes: 100, failures: 90, reached: 1, refused: 0 };
    expect(
      checkSafeguards({
        ...facts,
        measuredFrom,
        measure: { outcomes: 200, failures: 110, reached: 1, refused: 0 },
      }).go,
    ).toBe('on');
    expect(
      checkSafeguards({
        ...facts,
        measuredFrom,
        measure: { outcomes: 200, failures: 111, reached: 1, refused: 0 },
      }),
    ).toMatchObject({ go: 'stop', reason: { outcomes: 100, failures: 21 } });
  });

  test('counts failed, undelivered, doubtful and opted-out messages as failures, among all messages handed over', () => {
    const counts = (
      [
        ['queued', 1],
        ['skipped', 2],
        ['cancelled', 4],
        ['sent', 8],
        ['delivered', 16],
        ['undelivered', 32],
        ['failed', 64],
        ['unknown', 128, 'no_answer'],
        ['unknown', 256, 'sender_died'],
      ] as const
    ).map(([status, messages, reason = '']) => ({ status, messages, reason }));
    expect(measureOf(counts, 3)).toEqual({
      outcomes: 8 + 16 + 32 + 64 + 128 + 256,
      failures: 32 + 64 + 128 + 3,
      reached: 8 + 16 + 32,
      refused: 64,
    });
  });
});

test.each([null, 50])(
  'a run without a single reached phone stops after ten failures (threshold: %s)',
  (stopAtPercent) => {
    const safeguards = { ...facts.safeguards, stopAtPercent };
    const noneReached = { outcomes: 10, failures: 10, reached: 0, refused: 10 };
    expect(checkSafeguards({ ...facts, safeguards, measure: noneReached })).toEqual({
      go: 'stop',
      reason: { code: 'reached_nobody', failures: 10 },
    });
    for (const measure of [
      { ...noneReached, failures: 9, outcomes: 9, refused: 9 },
      { ...noneReached, reached: 1 },
      // The outcome of the other seven is unknown.
      { ...noneReached, refused: 3 },
    ])
      expect(checkSafeguards({ ...facts, safeguards, measure }).go).toBe('on');
    // After a user has resumed the run, it stops after ten more failures.
    const measuredFrom = noneReached;
    const after = (failed: number) => ({ outcomes: failed, failures: failed, reached: 0, refused: failed });
    expect(checkSafeguards({ ...facts, safeguards, measuredFrom, measure: after(19) }).go).toBe('on');
    expect(checkSafeguards({ ...facts, safeguards, measuredFrom, measure: after(20) }).go).toBe('stop');
  },
);

describe('the canary', () => {
  test('sends its messages, waits, and then allows the others', () => {
    const canary = { ...facts, safeguards: withCanary };
    expect(
      checkSafeguards({ ...canary, measure: { outcomes: 12, failures: 0, reached: 1, refused: 0 } }),
    ).toEqual({
      go: 'on',
      limit: 18,
    });
    const left = { ...canary, measure: { outcomes: 30, failures: 6, reached: 1, refused: 0 } };
    expect(checkSafeguards(left)).toEqual({ go: 'wait', until: new Date('2026-11-24T12:05:00Z') });
    const canaryLeftAt = new Date('2026-11-24T11:55:00Z');
    expect(checkSafeguards({ ...left, canaryLeftAt })).toEqual({ go: 'on', limit: null });
    expect(checkSafeguards({ ...left, canaryOver: true })).toEqual({ go: 'on', limit: null });
  });

  test('stops the run with fewer messages than the threshold needs', () => {
    expect(
      checkSafeguards({
        ...facts,
        safeguards: withCanary,
        measure: { outcomes: 30, failures: 7, reached: 1, refused: 0 },
      }),
    ).toMatchObject({ go: 'stop', reason: { percent: 23, canary: true } });
  });
});

test('no more messages leave than the canary allows, and a run continues only below the threshold', () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 1, max: 200 })),
      fc.option(fc.integer({ min: 1, max: 100 })),
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.boolean(),
      (canarySize, stopAtPercent, outcomes, failed, canaryOver) => {
        const failures = Math.min(failed, outcomes);
        const answer = checkSafeguards({
          ...facts,
          safeguards: { approval: false, canarySize, canaryMinutes: 5, stopAtPercent, monthlyBudget: null },
          measure: { outcomes, failures, reached: 1, refused: 0 },
          canaryOver,
        });
        if (answer.go === 'on' && canarySize !== null && !canaryOver)
          expect(outcomes + (answer.limit ?? Infinity)).toBe(canarySize);
        if (answer.go !== 'stop' && stopAtPercent !== null && outcomes >= 50)
          expect(failures / outcomes).toBeLessThanOrEqual(stopAtPercent / 100 + 1e-9);
        if (answer.go === 'stop') expect(stopAtPercent).not.toBeNull();
      },
    ),
    { numRuns: 1_000 },
  );
});
