/** Lets so many in at once; who comes later waits for a place, in the order of coming, or until its signal aborts. */
export function createPlaces(count: number) {
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
    // The place goes over to the next one: it is free only when nobody waits.
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
