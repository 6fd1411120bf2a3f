interface Waiter {
  start: () => void;
  giveUp: (error: Error) => void;
}

/**
 * Runs at most `atOnce` pieces of work at a time and lets at most `maxWaiting` wait. Clients take turns: one that asks a
 * thousand times does not keep the others waiting. When too many wait, the newest of the client that has the most gives
 * way, with the error that `refusal` makes.
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
      // Of several, the one whose turn is last.
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

  /** Takes one of a client's waiters; what else it has waits behind the other clients. */
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
