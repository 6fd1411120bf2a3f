import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './servers.ts';

/** A server that ends this often within `windowMs` is not fixed by another restart. */
const maxStarts = 3;
const windowMs = 60_000;
const pauseMs = 1_000;

export interface KeptServer<S extends Server> {
  /** The server of the first start. Later ones have its port. */
  server: S;
  /** Resolves with a message when it could not be kept running. */
  failed: Promise<string>;
  stop: () => Promise<void>;
}

/**
 * Starts an embedded server, and restarts it whenever it stops unexpectedly. Nothing else would: its clients only wait.
 * Throws what the first start throws.
 */
export async function keepRunning<S extends Server>({
  name,
  start,
  log,
}: {
  name: string;
  /** `before` is the server that has ended; the new one takes its port. */
  start: (before: S | null) => Promise<S>;
  log: (message: string) => void;
}): Promise<KeptServer<S>> {
  const first = await start(null);
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let current: S | null = first;

  const keep = async (): Promise<string | null> => {
    const ends: number[] = [];
    let last = first;
    for (;;) {
      await last.exited;
      current = null;
      if (isStopping()) return null;
      ends.push(performance.now());
      const recent = ends.filter((at) => performance.now() - at < windowMs);
      if (recent.length >= maxStarts) return `${name} stopped ${maxStarts} times within a minute.`;
      log(`${name} stopped unexpectedly. Restarting it.`);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (isStopping()) return null;
      try {
        last = await start(last);
      } catch (error) {
        return `${name} could not be restarted: ${error instanceof Error ? error.message : String(error)}`;
      }
      current = last;
      log(`${name} is running again.`);
    }
  };
  const kept = keep();

  return {
    server: first,
    failed: kept.then((why) => why ?? new Promise<never>(() => undefined)),
    async stop() {
      stopping.abort();
      await current?.stop();
      // It may just have been started.
      await kept;
      await current?.stop();
    },
  };
}
