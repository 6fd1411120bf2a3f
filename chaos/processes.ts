import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A process of the system that is restarted whenever it ends, as by a supervisor. */
export interface Supervised {
  name: string;
  logFile: string;
  /** Of the current process. */
  pid(): number;
  /** Sends the signal, waits for the end, and restarts it after `downMs`. */
  restart(signal: 'SIGKILL' | 'SIGTERM', downMs: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** The delay of a restart, so that a process that cannot start does not use up the CPU. */
const restartDelayMs = 500;
/** The time until SIGKILL: longer than the processes need to drain (docs/operations.md). */
const stopGraceMs = 45_000;

/**
 * Starts one of our files as a separate process, with its output in `logFile`. `onEnd` is called when it ends
 * unexpectedly.
 */
export function supervise({
  name,
  file,
  args = [],
  environment,
  logFile,
  onEnd,
}: {
  name: string;
  file: string;
  args?: readonly string[];
  environment: Record<string, string>;
  logFile: string;
  onEnd: (how: string) => void;
}): Supervised {
  let child: ChildProcess;
  /** Its end is expected: because of a fault or of `stop`. */
  let expected = false;
  let stopped = false;

  const start = (): void => {
    const log = openSync(logFile, 'a');
    child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
      { env: { ...process.env, ...environment }, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    expected = false;
    const started = child;
    started.once('exit', (code, signal) => {
      if (expected || stopped) return;
      onEnd(`${signal ?? `exit code ${code ?? ''}`}: ${lastError(logFile)}`);
      setTimeout(() => {
        if (!expected && !stopped && child === started) start();
      }, restartDelayMs);
    });
  };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    expected = true;
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const forcedStop = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
    await ended;
    clearTimeout(forcedStop);
  };
  start();

  return {
    name,
    logFile,
    pid: () => child.pid ?? 0,
    async restart(signal, down) {
      await end(signal);
      await down();
      if (!stopped) start();
    },
    async stop() {
      stopped = true;
      await end('SIGTERM');
    },
  };
}

/** The last error in the last lines of the log, or its last line. */
function lastError(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-50);
  const error = lines.findLast((line) => /^\S*(Error|Exception)\b/.test(line));
  return (error ?? lines.at(-1) ?? '').slice(0, 500);
}

/** Freezes these processes for `ms`: the parent first, so that it starts no others meanwhile. */
export async function freeze(pids: () => number[], ms: number): Promise<void> {
  const frozen = pids();
  signalAll(frozen, 'SIGSTOP');
  // Children that the parent started before it was frozen.
  const later = pids().filter((pid) => !frozen.includes(pid));
  signalAll(later, 'SIGSTOP');
  try {
    await sleep(ms);
  } finally {
    signalAll([...frozen, ...later].toReversed(), 'SIGCONT');
  }
}

/** Skips a process that has ended meanwhile. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** A process and all its descendants; Linux only. */
export function processTree(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
  return [pid, ...children.flatMap(processTree)];
}
