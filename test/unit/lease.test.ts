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

test('a lease is valid from its request for a shorter time than the database keeps it', async () => {
  const lease = createLease(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return held;
  });
  expect(lease.isValid()).toBe(false);
  const requested = lease.ask();
  await vi.advanceTimersByTimeAsync(500);
  expect(await requested).toEqual(held);
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(trustMs - 501);
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(lease.isValid()).toBe(false);
  expect(trustMs).toBeLessThan(leaseMs);
});

test('a lease is invalid after the clock jumps, as when a machine wakes, until it is renewed', async () => {
  const lease = createLease(() => Promise.resolve(held));
  await lease.ask();
  vi.setSystemTime(Date.now() + trustMs);
  expect(lease.isValid()).toBe(false);
  await lease.ask();
  expect(lease.isValid()).toBe(true);
});

test('a refused lease is invalid at once', async () => {
  const answers = [held, { ...held, held: false }];
  const lease = createLease(() => Promise.resolve(answers.shift() ?? held));
  await lease.ask();
  await lease.ask();
  expect(lease.isValid()).toBe(false);
});

test('a lease stays valid for the rest of its time while the database is down', async () => {
  const answers = [Promise.resolve(held), Promise.reject(new Error('down'))];
  const lease = createLease(() => answers.shift() ?? Promise.resolve(held));
  await lease.ask();
  await expect(lease.ask()).rejects.toThrow('down');
  expect(lease.isValid()).toBe(true);
  await vi.advanceTimersByTimeAsync(trustMs);
  expect(lease.isValid()).toBe(false);
});

test('a moment is converted to the database clock, and never to a later time', async () => {
  const lease = createLease(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return held;
  });
  const requested = lease.ask();
  await vi.advanceTimersByTimeAsync(300);
  await requested;
  await vi.advanceTimersByTimeAsync(700);
  expect(lease.databaseTime(performance.now())).toBe(5_000_700);
});
