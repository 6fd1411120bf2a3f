interface Waiter {
  start: () => void;
  giveUp: (error: Error) => void;
}

/**
 * Runs at most `atOnce` pieces of work at a time and lets at most `maxWaiting` wait. Clients take turns: a client with
 * a thousand requests does not delay the others. When too many wait, the client with the most waiters loses its newest
 * one, which fails with the error that `refusal` creates.
 */
export function createTurns({
  atOnce,
  maxWaiting,
  refusal,
}: {
  atOnce: number;
  maxWaiting: number;
  refusal: () => Error;
}) {
  /** In the order of their turns. No list is empty. */
  const clients = new Map<string, Waiter[]>();
  let running = 0;
  let waiting = 0;

  const wait = (client: string): Promise<void> =>
    new Promise((start, giveUp) => {
      const waiters = clients.get(client);
      if (waiters) waiters.push({ start, giveUp });
      else clients.set(client, [{ start, giveUp }]);
      if (++waiting > maxWaiting) refuseOne();
    });

  const refuseOne = (): void => {
    let busiest = '';
    let most = 0;
    for (const [client, waiters] of clients) {
      // Among equals, the client whose turn is last.
      if (waiters.length >= most) [busiest, most] = [client, waiters.length];
    }
    takeFrom(busiest, (waiters) => waiters.pop())?.giveUp(refusal());
  };

  const startNext = (): void => {
    const [client] = clients.keys();
    const next = client === undefined ? undefined : takeFrom(client, (waiters) => waiters.shift());
    if (next) next.start();
    else running--;
  };

  /** Takes one of a client's waiters; its other waiters move behind the other clients. */
  const takeFrom = (client: string, take: (waiters: Waiter[]) => Waiter | undefined): Waiter | undefined => {
    const waiters = clients.get(client) ?? [];
    const taken = take(waiters);
    clients.delete(client);
    if (waiters.length > 0) clients.set(client, waiters);
    if (taken) waiting--;
    return taken;
  };

  return async <T>(client: string, work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) await wait(client);
    else running++;
    try {
      return await work();
    } finally {
      startNext();
    }
  };
}
