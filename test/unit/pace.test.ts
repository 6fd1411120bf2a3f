import { expect, test } from 'vitest';
import { createPace } from '../../activities/pace.ts';
import type { Reservation } from '../../db/providers/providers.ts';

/** A rate as the database keeps it, on a clock of its own. */
function createRate(ratePerSecond: number | null) {
  const offset = 1_000_000;
  let reservedUntil = 0;
  const rate = {
    ratePerSecond,
    reservations: [] as number[],
    reserve: (segments: number): Promise<Reservation> => {
      const clock = performance.now() + offset;
      const start = Math.max(reservedUntil, clock);
      rate.reservations.push(segments);
      if (rate.ratePerSecond !== null) reservedUntil = start + (segments / rate.ratePerSecond) * 1_000;
      return Promise.resolve({ clock, waitMs: start - clock, ratePerSecond: rate.ratePerSecond });
    },
  };
  return rate;
}

const one = { segments: 1 };
const long = { segments: 2 };
const gaps = (places: readonly (number | null)[]): number[] =>
  places.slice(1).map((at, index) => Math.round((at ?? NaN) - (places[index] ?? NaN)));

test('Each message has the place of its segments in the rate', async () => {
  const pace = createPace(createRate(10).reserve);
  const places = await pace.place([one, long, one, one]);
  expect(gaps(places)).toEqual([100, 200, 100]);
  const next = await pace.place([one, one]);
  expect(Math.round((next[0] ?? NaN) - (places[3] ?? NaN))).toBe(100);
});

test('Two senders of one rate never have the same place', async () => {
  const rate = createRate(10);
  const [first, second] = [createPace(rate.reserve), createPace(rate.reserve)];
  const places = [await first.place([one, long]), await second.place([long, one]), await first.place([one])];
  expect(gaps(places.flat())).toEqual([100, 200, 200, 100]);
});

test('A change of the rate counts from the next reservation on', async () => {
  const rate = createRate(10);
  const pace = createPace(rate.reserve);
  const before = await pace.place([one, one]);
  rate.ratePerSecond = 100;
  const after = await pace.place([one, one]);
  expect(gaps([...before, ...after])).toEqual([100, 100, 10]);
  rate.ratePerSecond = null;
  expect(await pace.place([one])).toEqual([expect.any(Number)]);
  rate.ratePerSecond = 10;
});

test('Without a limit nothing has a place, and the provider is asked now and then', async () => {
  const rate = createRate(null);
  const pace = createPace(rate.reserve);
  await pace.look();
  expect(pace.claimSize(125)).toBe(125);
  expect(pace.claimInMs()).toBe(0);
  expect(await pace.place([one, one])).toEqual([null, null]);
  expect(await pace.place([one, one])).toEqual([null, null]);
  expect(rate.reservations).toEqual([0, 2]);
});

test('A claim is a quarter of a second of the rate, in segments, and has time while the last lasts', async () => {
  const pace = createPace(createRate(40).reserve);
  await pace.look();
  expect(pace.claimSize(125)).toBe(10);
  expect(pace.claimInMs()).toBe(0);
  await pace.place(Array.from({ length: 40 }, () => long));
  expect(pace.claimSize(125)).toBe(5);
  // Two seconds of segments, and half a second before their end the next is due.
  expect(pace.claimInMs()).toBeGreaterThan(1_000);
  expect(pace.claimInMs()).toBeLessThanOrEqual(1_500);
  expect(createPace(createRate(0.1).reserve).claimSize(125)).toBe(125);
});

test('What was reserved while the answer was on its way leaves at once', async () => {
  const pace = createPace(() => Promise.resolve({ clock: 0, waitMs: 0, ratePerSecond: 10 }));
  await pace.place([one]);
  const now = performance.now();
  const [place] = await createPace(() =>
    Promise.resolve({ clock: 0, waitMs: -5_000, ratePerSecond: 10 }),
  ).place([one]);
  expect(place).toBeGreaterThanOrEqual(now);
});
