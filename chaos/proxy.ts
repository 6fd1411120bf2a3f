import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type ProxyFault = { how: 'reset' } | { how: 'half_open' } | { how: 'delay'; delayMs: number };

/** A TCP proxy that can inject faults. */
export interface Proxy {
  /** On 127.0.0.1. */
  port: number;
  /** Until `repair`. */
  breakWith(fault: ProxyFault): void;
  /** New connections work again. Half-open ones are reset: data sent into them never arrives. */
  repair(): void;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  /** Null: the connection was accepted while the link was half-open, and has no other end. */
  server: Socket | null;
}

/** Forwards every connection to `port` of 127.0.0.1, byte by byte, until a fault is set. */
export async function startProxy(port: number, listenOn = 0): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let fault: ProxyFault | null = null;

  const drop = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server?.resetAndDestroy();
  };
  const forward = (from: Socket, to: Socket): void => {
    let due = 0;
    let waiting = 0;
    const pass = (chunk: Buffer): void => {
      // `pause` alone would forward the data that has already been read.
      if (fault?.how === 'half_open' || to.destroyed) return;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (chunk: Buffer) => {
      const delayMs = fault?.how === 'delay' ? fault.delayMs : 0;
      due = Math.max(due, performance.now() + delayMs);
      if (delayMs === 0 && waiting === 0) {
        pass(chunk);
        return;
      }
      // After the delayed chunks, so that the order is kept.
      waiting++;
      setTimeout(() => {
        waiting--;
        pass(chunk);
      }, due - performance.now());
    });
    from.on('end', () => {
      if (fault?.how !== 'half_open') setTimeout(() => to.end(), Math.max(0, due - performance.now()) + 1);
    });
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const pair: Pair = {
      client,
      server:
        fault?.how === 'half_open'
          ? null
          : connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
    };
    pairs.add(pair);
    for (const socket of [client, pair.server]) {
      // An orderly end is forwarded, except while the link is half-open.
      socket?.on('close', () => {
        if (pair.client.destroyed && pair.server?.destroyed !== false) pairs.delete(pair);
      });
      socket?.on('error', () => {
        if (fault?.how !== 'half_open') drop(pair);
      });
    }
    if (fault?.how === 'reset') drop(pair);
    else if (pair.server) {
      forward(client, pair.server);
      forward(pair.server, client);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOn, '127.0.0.1', resolve);
  });

  const dropAll = (): void => [...pairs].forEach(drop);
  return {
    port: (server.address() as AddressInfo).port,
    breakWith(next) {
      fault = next;
      if (next.how === 'reset') dropAll();
    },
    repair() {
      if (fault?.how === 'half_open') dropAll();
      fault = null;
    },
    async close() {
      dropAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
