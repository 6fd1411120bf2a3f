import { setTimeout as sleep } from 'node:timers/promises';
import type { Workers } from './workers.ts';

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Workers that ran for this long failed for a new reason. */
const longRunMs = 60_000;

export interface KeepWorkingDeps {
  /** Connects, waiting for Temporal if necessary, and creates idle workers. Throws when `signal` is aborted. */
  create: (signal: AbortSignal) => Promise<Workers>;
  log: { error: (fields: object, message: string) => void };
}

/**
 * Keeps workers polling until `stop`. The SDK's workers fail permanently when Temporal answers their polls with errors
 * for a minute, as it may after an outage: this creates new ones, on a new connection.
 */
export function keepWorking({ create, log }: KeepWorkingDeps) {
  const stopping = new AbortController();
  const { signal } = stopping;
  let polling: Workers | null = null;
  let started = (): void => undefined;
  const start = new Promise<void>((resolve) => (started = resolve));

  const workOnce = async (): Promise<void> => {
    const workers = await create(signal);
    const run = workers.run();
    polling = workers;
    started();
    if (signal.aborted) workers.shutdown();
    try {
      await run;
    } finally {
      polling = null;
      await workers.close();
    }
  };

  const work = async (): Promise<void> => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const began = performance.now();
      await workOnce().catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, 'The workers have failed and will be replaced');
      });
      if (signal.aborted) return;
      if (performance.now() - began > longRunMs) pauseMs = firstPauseMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const ended = work();

  return {
    /** Resolves when workers poll for the first time, or were stopped before. */
    started: Promise.race([start, ended]),
    isPolling: (): boolean => polling !== null,
    /** Ends polling, and waits until work in progress has been recorded. */
    async stop(): Promise<void> {
      stopping.abort();
      polling?.shutdown();
      await ended;
    },
  };
}
