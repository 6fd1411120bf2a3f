/** Admits at most this many at once; later callers wait in order of arrival, or until their signal aborts. */
export function createSemaphore(count: number) {
  let free = count;
  const waiting = new Set<() => void>();

  const take = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        waiting.delete(enter);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(enter);
        reject(signal.reason as Error);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  };
  const giveBack = (): void => {
    // The slot passes to the next waiter: it is free only when nobody waits.
    const [next] = waiting;
    if (next) next();
    else free++;
  };

  return async <T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> => {
    await take(signal);
    try {
      return await body();
    } finally {
      giveBack();
    }
  };
}
