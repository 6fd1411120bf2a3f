import { expect, test } from 'vitest';
import { createTimeLine } from '../../activities/time-line.ts';

/** The times at which messages of these segments leave, each as early as possible. */
const leaveAll = (line: ReturnType<typeof createTimeLine>, segments: readonly number[]): (number | null)[] =>
  segments.map((one) => {
    const at = line.next(0);
    if (at !== null) line.use(one);
    return at;
  });

test('each message leaves at the time that the rate gives its segments', () => {
  const line = createTimeLine();
  line.add({ from: 1_000, segments: 5, ratePerSecond: 10 });
  expect(line.segments()).toBe(5);
  expect(line.end()).toBe(1_500);
  expect(leaveAll(line, [1, 2, 1, 1, 1])).toEqual([1_000, 1_100, 1_300, 1_400, null]);
  expect(line.end()).toBe(0);
});

test('a stretch at another rate has other times', () => {
  const line = createTimeLine();
  line.add({ from: 0, segments: 2, ratePerSecond: 10 });
  line.add({ from: 500, segments: 2, ratePerSecond: 100 });
  expect(leaveAll(line, [1, 1, 1, 1, 1])).toEqual([0, 100, 500, 510, null]);
});

test('a message that exceeds the reserved segments uses up the next reservation', () => {
  const line = createTimeLine();
  line.add({ from: 0, segments: 1, ratePerSecond: 10 });
  expect(leaveAll(line, [3, 1])).toEqual([0, null]);
  expect(line.segments()).toBe(-2);
  line.add({ from: 100, segments: 2, ratePerSecond: 10 });
  expect(line.next(0)).toBeNull();
  line.add({ from: 300, segments: 2, ratePerSecond: 10 });
  expect(leaveAll(line, [1, 1, 1])).toEqual([300, 400, null]);
});

test('unused time is lost, except for the last moment', () => {
  const line = createTimeLine();
  line.add({ from: 0, segments: 10, ratePerSecond: 100 });
  expect(line.next(20)).toBe(0);
  expect(line.next(60)).toBe(35);
  expect(line.segments()).toBeCloseTo(6.5);
  expect(line.next(200)).toBeNull();
  expect(line.segments()).toBe(0);
});
