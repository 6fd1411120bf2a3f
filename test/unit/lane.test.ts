import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLane, type Urgency } from '../../activities/lane.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Stands in for the provider's row, on the fake clock; one segment takes `1 / ratePerSecond`. */
function createProvider({
  ratePerSecond = null,
  inFlight = 100,
}: {
  ratePerSecond?: number | null;
  inFlight?: number;
}) {
  let reservedUntil = 0;
  const provider = {
    ratePerSecond,
    inFlight,
    heldMs: 0,
    doubts: 0,
    isDatabaseDown: false,
    reserved: [] as number[],
  };
  const lane = createLane({
    reserve(segments) {
      if (provider.isDatabaseDown) return Promise.reject(new Error('The database is down.'));
      const clock = performance.now();
      const start = Math.max(reservedUntil, clock + provider.heldMs);
      provider.reserved.push(segments);
      const rate = provider.ratePerSecond;
      if (rate !== null) reservedUntil = start + (segments / rate) * 1_000;
      const { heldMs, doubts } = provider;
      return Promise.resolve({
        clock,
        waitMs: rate === null ? heldMs : start - clock,
        ratePerSecond: rate,
        heldMs,
        doubts,
      });
    },
    confirm: (senders) => Promise.resolve({ inFlight: provider.inFlight, senders }),
  });
  return Object.assign(provider, { lane });
}

type Provider = ReturnType<typeof createProvider>;

/** A sender with an endless supply of messages, and the times at which they left. `answerMs`: null for never. */
function startSender(
  { lane }: Provider,
  {
    segments = 1,
    urgency = null,
    answerMs = 0,
  }: { segments?: number; urgency?: Urgency; answerMs?: number | null } = {},
) {
  const left: number[] = [];
  const trouble: string[] = [];
  const member = lane.join(
    {
      next: () => ({ segments }),
      leave() {
        left.push(performance.now());
        if (answerMs !== null) setTimeout(member.done, answerMs);
      },
      waiting: () => 10 * segments,
      onProviderTrouble: (what) => trouble.push(what),
    },
    urgency,
  );
  member.wake();
  return { left, trouble, quit: member.quit };
}

const never = new AbortController().signal;
const later = (ms: number): AbortSignal => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
};

const during = (left: readonly number[], from: number, until: number): number =>
  left.filter((at) => at >= from && at < until).length;

test('senders share a rate equally, counted in segments', async () => {
  const provider = createProvider({ ratePerSecond: 100 });
  const [short, other, long] = [
    startSender(provider),
    startSender(provider),
    startSender(provider, { segments: 2 }),
  ];
  await vi.advanceTimersByTimeAsync(3_000);
  const now = performance.now();
  const [a, b, c] = [short, other, long].map(({ left }) => during(left, now - 2_000, now)) as [
    number,
    number,
    number,
  ];
  expect(Math.abs(a + b + 2 * c - 200)).toBeLessThanOrEqual(4);
  for (const segments of [a, b, 2 * c]) expect(Math.abs(segments - 66)).toBeLessThanOrEqual(4);
});

test('a new run sends its first message at once, and a run that a user waits for sends before it', async () => {
  const provider = createProvider({ ratePerSecond: 10 });
  const others = Array.from({ length: 200 }, () => startSender(provider));
  await vi.advanceTimersByTimeAsync(5_000);
  const startedAt = performance.now();
  const first = startSender(provider, { urgency: 'first' });
  const user = startSender(provider, { urgency: 'user' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(user.left).toHaveLength(1);
  expect(first.left).toHaveLength(1);
  expect((user.left[0] ?? Infinity) - startedAt).toBeLessThanOrEqual(101);
  expect(first.left[0]).toBeGreaterThan(user.left[0] ?? Infinity);
  // After that, all senders take turns.
  await vi.advanceTimersByTimeAsync(10_000);
  expect(user.left.length + first.left.length).toBeLessThanOrEqual(4);
  expect(others.filter(({ left }) => left.length > 0).length).toBeGreaterThan(100);
});

test('the messages in flight stay within the limit of the process, and senders take turns', async () => {
  const provider = createProvider({ inFlight: 3 });
  const senders = Array.from({ length: 10 }, () => startSender(provider, { answerMs: 100 }));
  await vi.advanceTimersByTimeAsync(10_050);
  const total = senders.reduce((sum, { left }) => sum + left.length, 0);
  expect(total).toBe(3 * 101);
  for (const { left } of senders) expect(Math.abs(left.length - total / 10)).toBeLessThanOrEqual(1);
  provider.inFlight = 0;
  await vi.advanceTimersByTimeAsync(1_200);
  const before = senders.map(({ left }) => left.length);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(senders.map(({ left }) => left.length)).toEqual(before);
});

test('only the segments that wait are reserved', async () => {
  const provider = createProvider({ ratePerSecond: 1_000 });
  const turn = provider.lane.turn(3, {
    urgency: null,
    until: never,
    signal: never,
  });
  await vi.advanceTimersByTimeAsync(100);
  (await turn)?.();
  expect(provider.reserved).toEqual([0, 3]);
});

test('a pause holds back all senders, which are notified of a long pause and of doubtful outcomes', async () => {
  const provider = createProvider({ inFlight: 2 });
  const sender = startSender(provider, { answerMs: 10 });
  await vi.advanceTimersByTimeAsync(100);
  provider.lane.hold(2_000);
  const heldAt = performance.now();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(during(sender.left, heldAt + 1, heldAt + 1_999)).toBe(0);
  expect(during(sender.left, heldAt + 2_000, heldAt + 2_500)).toBeGreaterThan(5);
  expect(sender.trouble).toEqual([]);
  provider.doubts = 4;
  await vi.advanceTimersByTimeAsync(300);
  expect(sender.trouble).toContain('doubt');
  provider.heldMs = 60_000;
  await vi.advanceTimersByTimeAsync(300);
  expect(sender.trouble).toContain('pause');
});

test('nothing leaves while the database is down', async () => {
  const provider = createProvider({ inFlight: 2 });
  const sender = startSender(provider, { answerMs: 10 });
  await vi.advanceTimersByTimeAsync(1_000);
  provider.isDatabaseDown = true;
  await vi.advanceTimersByTimeAsync(3_000);
  const before = sender.left.length;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sender.left).toHaveLength(before);
  provider.isDatabaseDown = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sender.left.length).toBeGreaterThan(before);
});

test('a single message gets a turn, or null when its time is over', async () => {
  const provider = createProvider({ inFlight: 1 });
  const signal = new AbortController();
  const requestTurn = () =>
    provider.lane.turn(1, { urgency: null, until: later(1_000), signal: signal.signal });
  const first = await Promise.all([requestTurn(), vi.advanceTimersByTimeAsync(10)]);
  const second = requestTurn();
  await vi.advanceTimersByTimeAsync(1_001);
  expect(await second).toBeNull();
  const third = requestTurn();
  await vi.advanceTimersByTimeAsync(10);
  first[0]?.();
  const endThird = await third;
  expect(endThird).not.toBeNull();
  const cancelled = requestTurn();
  signal.abort(new Error('Cancelled.'));
  await expect(cancelled).rejects.toThrow('Cancelled.');
});
