import { describe, expect, test } from 'vitest';
import {
  chartKeys,
  chartStep,
  daysIn,
  type Period,
  periodBefore,
  presetPeriod,
  wholeMonths,
} from '../../domain/report.ts';

const period = (from: string, to: string): Period => ({ from, to });

describe('the period before', () => {
  test.each<[string, Period, Period]>([
    ['a month', period('2026-11-01', '2026-11-30'), period('2026-10-01', '2026-10-31')],
    ['a quarter', period('2026-01-01', '2026-03-31'), period('2025-10-01', '2025-12-31')],
    ['a year', period('2026-01-01', '2026-12-31'), period('2025-01-01', '2025-12-31')],
    ['the first days of a month', period('2026-11-01', '2026-11-10'), period('2026-10-01', '2026-10-10')],
    [
      'more days than the month before has',
      period('2027-03-01', '2027-03-30'),
      period('2027-02-01', '2027-02-28'),
    ],
    ['a week', period('2026-11-24', '2026-11-30'), period('2026-11-17', '2026-11-23')],
    ['a day', period('2026-03-01', '2026-03-01'), period('2026-02-01', '2026-02-01')],
    ['days over a new year', period('2026-12-28', '2027-01-03'), period('2026-12-21', '2026-12-27')],
  ])('of %s', (_, of, before) => {
    expect(periodBefore(of)).toEqual(before);
  });
});

describe('a period', () => {
  test('of each preset except the last month ends today', () => {
    const today = '2026-03-31';
    expect(presetPeriod('this_month', today)).toEqual(period('2026-03-01', today));
    expect(presetPeriod('last_month', today)).toEqual(period('2026-02-01', '2026-02-28'));
    expect(presetPeriod('this_year', today)).toEqual(period('2026-01-01', today));
    expect(daysIn(presetPeriod('last_7', today))).toBe(7);
    expect(daysIn(presetPeriod('last_30', today))).toBe(30);
    expect(daysIn(presetPeriod('last_90', today))).toBe(90);
  });

  test('is reduced to the whole months inside it', () => {
    expect(wholeMonths(period('2026-11-01', '2026-11-30'))).toEqual({
      from: '2026-11-01',
      until: '2026-12-01',
    });
    expect(wholeMonths(period('2026-10-31', '2027-01-30'))).toEqual({
      from: '2026-11-01',
      until: '2027-01-01',
    });
    expect(wholeMonths(period('2026-11-02', '2026-11-30'))).toBeNull();
    expect(wholeMonths(period('2026-11-02', '2026-12-30'))).toBeNull();
  });

  test('has a bar for each hour, day or month', () => {
    expect(chartKeys(period('2026-11-30', '2026-11-30'))).toHaveLength(24);
    expect(chartKeys(period('2026-11-29', '2026-12-01'))).toEqual(['2026-11-29', '2026-11-30', '2026-12-01']);
    expect(chartStep(period('2026-01-15', '2026-12-01'))).toBe('month');
    expect(chartKeys(period('2026-08-15', '2026-12-01'))).toEqual([
      '2026-08-01',
      '2026-09-01',
      '2026-10-01',
      '2026-11-01',
      '2026-12-01',
    ]);
  });
});
