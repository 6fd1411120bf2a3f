import { expect, test } from 'vitest';
import { createInFlightLimit } from '../../activities/in-flight.ts';

interface Gateway {
  latencyMs: number;
  /** How many requests it handles at once; others wait. */
  concurrency: number;
  answer: 'accepted' | 'slow_down';
}

/** Simulated time advances from answer to answer; a gateway without a free slot answers later. */
function simulate(gateway: Gateway, { most = Infinity } = {}) {
  const inFlight = createInFlightLimit();
  /** Requests in flight, in the order of their answers. */
  const pending: { handedOverAt: number; answeredAt: number }[] = [];
  let now = 0;
  let answered = 0;
  const freeAt = Array.from(
    { length: Number.isFinite(gateway.concurrency) ? gateway.concurrency : 0 },
    () => 0,
  );

  const handOver = (): void => {
    while (pending.length < Math.min(most, inFlight.limit())) {
      let begins = now;
      if (freeAt.length > 0) {
        const slot = freeAt.indexOf(Math.min(...freeAt));
        begins = Math.max(now, freeAt[slot] ?? 0);
        freeAt[slot] = begins + gateway.latencyMs;
      }
      const answeredAt = begins + gateway.latencyMs;
      pending.splice(pending.findLastIndex((one) => one.answeredAt <= answeredAt) + 1, 0, {
        handedOverAt: now,
        answeredAt,
      });
      inFlight.handedOver({ now, inFlight: pending.length });
    }
  };

  return {
    inFlight,
    /** Runs for `ms` and returns the answers per second over the last fifth of that time. */
    run: (ms: number): number => {
      const ends = now + ms;
      const measuredFrom = now + 0.8 * ms;
      let measured = 0;
      for (;;) {
        handOver();
        const next = pending[0];
        if (!next || next.answeredAt > ends) break;
        now = next.answeredAt;
        pending.shift();
        answered++;
        if (now > measuredFrom) measured++;
        if (gateway.answer === 'accepted') inFlight.answered({ handedOverAt: next.handedOverAt, now });
        else inFlight.troubled({ handedOverAt: next.handedOverAt, now });
      }
      now = ends;
      return (measured / (0.2 * ms)) * 1000;
    },
    answered: () => answered,
  };
}

test('the limit starts at 4 and becomes 50 when the provider has accepted a message', () => {
  const inFlight = createInFlightLimit();
  expect(inFlight.limit()).toBe(4);
  inFlight.answered({ handedOverAt: 0, now: 150 });
  expect(inFlight.limit()).toBe(50);
});

test('a provider whose first answer is to slow down does not get 50 messages at once', () => {
  const inFlight = createInFlightLimit();
  inFlight.troubled({ handedOverAt: 0, now: 150 });
  inFlight.answered({ handedOverAt: 150, now: 300 });
  expect(inFlight.limit()).toBeLessThan(10);
});

test('the limit grows with bursts, whose answers arrive when few messages are in flight', () => {
  const inFlight = createInFlightLimit();
  const burst = 250;
  for (let round = 0; round < 8; round++) {
    const handedOverAt = round * 500;
    const count = Math.min(burst, inFlight.limit());
    for (let one = 1; one <= count; one++) inFlight.handedOver({ now: handedOverAt, inFlight: one });
    for (let one = 0; one < count; one++) inFlight.answered({ handedOverAt, now: handedOverAt + 300 });
  }
  expect(inFlight.limit()).toBeGreaterThanOrEqual(burst);
  expect(inFlight.limit()).toBeLessThanOrEqual(2 * burst + 1);
});

test.each([80, 150, 300])(
  'a gateway with a latency of %i ms gets thousands of messages per second',
  (latencyMs) => {
    const { run } = simulate({ latencyMs, concurrency: Infinity, answer: 'accepted' }, { most: 1_500 });
    expect(run(10_000)).toBeGreaterThan(0.95 * (1_500 / latencyMs) * 1000);
  },
);

test('the limit stays at twice the need when something else limits the rate', () => {
  const { run, inFlight } = simulate(
    { latencyMs: 150, concurrency: Infinity, answer: 'accepted' },
    { most: 60 },
  );
  run(10_000);
  expect(inFlight.limit()).toBeLessThanOrEqual(121);
});

test('a gateway with little concurrency gets no long queue', () => {
  const { run, inFlight } = simulate({ latencyMs: 100, concurrency: 100, answer: 'accepted' });
  expect(run(30_000)).toBeGreaterThan(0.95 * 1_000);
  expect(inFlight.limit()).toBeLessThan(450);
});

test('the limit falls when a gateway becomes slower, and rises again when it recovers', () => {
  const gateway: Gateway = { latencyMs: 100, concurrency: Infinity, answer: 'accepted' };
  const { run, inFlight } = simulate(gateway, { most: 1_000 });
  run(10_000);
  expect(inFlight.limit()).toBeGreaterThan(900);
  gateway.latencyMs = 2_000;
  run(20_000);
  const slow = inFlight.limit();
  expect(slow).toBeLessThan(700);
  gateway.latencyMs = 100;
  run(60_000);
  expect(inFlight.limit()).toBeGreaterThan(slow);
});

test('the limit halves once a round when the provider asks to slow down, and stays at 4 or more', () => {
  const gateway: Gateway = { latencyMs: 100, concurrency: Infinity, answer: 'accepted' };
  const { run, inFlight } = simulate(gateway, { most: 1_000 });
  run(10_000);
  const before = inFlight.limit();
  gateway.answer = 'slow_down';
  run(100);
  expect(inFlight.limit()).toBeGreaterThanOrEqual(Math.floor(before / 4));
  expect(inFlight.limit()).toBeLessThan(before);
  run(10_000);
  expect(inFlight.limit()).toBe(4);
});
