import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLease } from '../../activities/lease.ts';
import { type LeaseAnswer, leaseMs, trustMs } from '../../db/messages/leases.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const held: LeaseAnswer = { held: true, status: 'running', clock: 5_000_000 };

test('A lease is trusted for a time from when it was asked for, which is shorter than the database keeps it', async () => {
  const lease = createLease(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return held;
  });
  expect(lease.isValid()).toBe(false);
  const asked = lease.ask();
  await vi.advanceTimersByTimeAsync(500);
  expect(await asked).toEqual(held);
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(trustMs - 501);
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(lease.isValid()).toBe(false);
  expect(trustMs).toBeLessThan(leaseMs);
});

test('A lease is not trusted after the clock has jumped, as when a machine wakes, until it was renewed', async () => {
  const lease = createLease(() => Promise.resolve(held));
  await lease.ask();
  vi.setSystemTime(Date.now() + trustMs);
  expect(lease.isValid()).toBe(false);
  await lease.ask();
  expect(lease.isValid()).toBe(true);
});

test('A lease that is refused is over at once', async () => {
  const answers = [held, { ...held, held: false }];
  const lease = createLease(() => Promise.resolve(answers.shift() ?? held));
  await lease.ask();
  await lease.ask();
  expect(lease.isValid()).toBe(false);
});

test('While the database is away the lease is trusted for what is left of its time', async () => {
  const answers = [Promise.resolve(held), Promise.reject(new Error('away'))];
  const lease = createLease(() => answers.shift() ?? Promise.resolve(held));
  await lease.ask();
  await expect(lease.ask()).rejects.toThrow('away');
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(trustMs);
  expect(lease.isValid()).toBe(false);
});

test('A moment is told by the clock of the database, never as later than it was', async () => {
  const lease = createLease(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return held;
  });
  const asked = lease.ask();
  await vi.advanceTimersByTimeAsync(300);
  await asked;
  await vi.advanceTimersByTimeAsync(700);
  expect(lease.databaseTime(performance.now())).toBe(5_000_700);
});
