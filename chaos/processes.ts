import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A process of the system that is started again whenever it ends, as a supervisor would. */
export interface Supervised {
  name: string;
  logFile: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Sends the signal, waits for the end, and starts it again after `downMs`. */
  restart(signal: 'SIGKILL' | 'SIGTERM', downMs: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** A supervisor waits for a moment, lest a process that can't start takes all of the machine. */
const restartDelayMs = 500;
/** Longer than the processes take to drain (docs/operations.md); then SIGKILL. */
const stopGraceMs = 45_000;

/**
 * Starts one of our files as a process of its own, with its output in `logFile`. `onEnd` is called when it ends without
 * having been told to.
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
  /** Told to end: by a blow, or for good. */
  let told = false;
  let over = false;

  const start = (): void => {
    const log = openSync(logFile, 'a');
    child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
      { env: { ...process.env, ...environment }, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    told = false;
    const started = child;
    started.once('exit', (code, signal) => {
      if (told || over) return;
      onEnd(`${signal ?? `exit code ${code ?? ''}`}: ${lastLine(logFile)}`);
      setTimeout(() => {
        if (!told && !over && child === started) start();
      }, restartDelayMs);
    });
  };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    told = true;
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
    await ended;
    clearTimeout(patience);
  };
  start();

  return {
    name,
    logFile,
    pid: () => child.pid ?? 0,
    async restart(signal, down) {
      await end(signal);
      await down();
      if (!over) start();
    },
    async stop() {
      over = true;
      await end('SIGTERM');
    },
  };
}

function lastLine(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1)?.slice(0, 500) ?? '';
}

/** Stops all of these for `ms`: the parent first, so that it starts no others meanwhile. */
export async function freeze(pids: () => number[], ms: number): Promise<void> {
  const frozen = pids();
  signalAll(frozen, 'SIGSTOP');
  // What the parent had started before it was stopped.
  const later = pids().filter((pid) => !frozen.includes(pid));
  signalAll(later, 'SIGSTOP');
  try {
    await sleep(ms);
  } finally {
    signalAll([...frozen, ...later].toReversed(), 'SIGCONT');
  }
}

/** A process that has ended meanwhile is left out. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** A process and all below it; Linux only. */
export function family(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
  return [pid, ...children.flatMap(family)];
}
