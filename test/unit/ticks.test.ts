import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import { createTicks } from '../../activities/ticks.ts';

test('each check runs in the context of its caller until the caller ends it', () => {
  vi.useFakeTimers();
  try {
    const activity = new AsyncLocalStorage<string>();
    const everySecond = createTicks();
    const seen: (string | undefined)[] = [];
    const ends = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      activity.run(name, () => everySecond(() => seen.push(activity.getStore()))),
    );
    vi.advanceTimersByTime(1_000);
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    // The first caller started the timer.
    ends[0]?.();
    seen.length = 0;
    vi.advanceTimersByTime(2_000);
    expect(seen.toSorted()).toEqual(['b', 'b', 'c', 'c', 'd', 'd', 'e', 'e']);
    for (const end of ends) end();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
