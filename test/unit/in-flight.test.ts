import { expect, test } from 'vitest';
import { createInFlightLimit } from '../../activities/in-flight.ts';

interface Gateway {
  latencyMs: number;
  /** It answers so many at once; others wait for their turn. Infinity: all. */
  serves: number;
  answer: 'accepted' | 'slow_down';
}

/** Time passes in answers: what is in flight is answered after the latency, or when its turn has come. */
function simulate(gateway: Gateway, { most = Infinity } = {}) {
  const inFlight = createInFlightLimit();
  /** In the order of their answers. */
  const flying: { handedOverAt: number; answeredAt: number }[] = [];
  let now = 0;
  let answered = 0;
  const freeAt = Array.from({ length: Number.isFinite(gateway.serves) ? gateway.serves : 0 }, () => 0);

  const handOver = (): void => {
    while (flying.length < Math.min(most, inFlight.limit())) {
      let begins = now;
      if (freeAt.length > 0) {
        const slot = freeAt.indexOf(Math.min(...freeAt));
        begins = Math.max(now, freeAt[slot] ?? 0);
        freeAt[slot] = begins + gateway.latencyMs;
      }
      const answeredAt = begins + gateway.latencyMs;
      flying.splice(flying.findLastIndex((one) => one.answeredAt <= answeredAt) + 1, 0, {
        handedOverAt: now,
        answeredAt,
      });
      inFlight.handedOver({ now, inFlight: flying.length });
    }
  };

  return {
    inFlight,
    /** Answers a second, over the last fifth of the time. */
    run: (ms: number): number => {
      const ends = now + ms;
      const measuredFrom = now + 0.8 * ms;
      let measured = 0;
      for (;;) {
        handOver();
        const next = flying[0];
        if (!next || next.answeredAt > ends) break;
        now = next.answeredAt;
        flying.shift();
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

test('it begins with four at a time, and with fifty once the provider has answered', () => {
  const inFlight = createInFlightLimit();
  expect(inFlight.limit()).toBe(4);
  inFlight.answered({ handedOverAt: 0, now: 150 });
  expect(inFlight.limit()).toBe(50);
});

test('a provider whose first answer is to slow down does not get fifty at once', () => {
  const inFlight = createInFlightLimit();
  inFlight.troubled({ handedOverAt: 0, now: 150 });
  inFlight.answered({ handedOverAt: 150, now: 300 });
  expect(inFlight.limit()).toBeLessThan(10);
});

test('it grows where messages leave in bursts, whose answers arrive when few are in flight', () => {
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

test.each([80, 150, 300])('a gateway that takes %i ms gets thousands a second', (latencyMs) => {
  const { run } = simulate({ latencyMs, serves: Infinity, answer: 'accepted' }, { most: 1_500 });
  expect(run(10_000)).toBeGreaterThan(0.95 * (1_500 / latencyMs) * 1000);
});

test('it stays at twice what is needed where the rate is limited by something else', () => {
  const { run, inFlight } = simulate({ latencyMs: 150, serves: Infinity, answer: 'accepted' }, { most: 60 });
  run(10_000);
  expect(inFlight.limit()).toBeLessThanOrEqual(121);
});

test('a gateway that serves few at once gets no long queue', () => {
  const { run, inFlight } = simulate({ latencyMs: 100, serves: 100, answer: 'accepted' });
  expect(run(30_000)).toBeGreaterThan(0.95 * 1_000);
  expect(inFlight.limit()).toBeLessThan(450);
});

test('a gateway that becomes slower gets fewer, and more again once it is well', () => {
  const gateway: Gateway = { latencyMs: 100, serves: Infinity, answer: 'accepted' };
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

test('it halves once in a round when the provider asks to slow down, and never ends', () => {
  const gateway: Gateway = { latencyMs: 100, serves: Infinity, answer: 'accepted' };
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
