import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Process {
  child: ChildProcess;
  /** The match of `ready` in its output. */
  ready: string;
  stop(): Promise<unknown>;
}

/** Starts one of our files as a process, and waits for the line that reports it as ready (null: does not wait). */
export async function startProcess(
  file: string,
  environment: Record<string, string>,
  ready: RegExp | null,
  args: readonly string[] = [],
): Promise<Process> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(`../${file}`, import.meta.url)), ...args],
    {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const stop = async (): Promise<unknown> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    return once(child, 'exit');
  };
  if (!ready) {
    child.stdout.resume();
    return { child, ready: '', stop };
  }
  for await (const line of createInterface(child.stdout)) {
    const found = ready.exec(line)?.[1];
    if (found === undefined) continue;
    // A pipe that is not read fills up, and blocks the writer.
    child.stdout.resume();
    return { child, ready: found, stop };
  }
  throw new Error(`${file} ended before it was ready.`);
}

const microsPerTick = 10_000;

/** CPU time of a process so far, from the kernel's clock ticks; Linux only. */
export const cpuMicros = (child: ChildProcess): Promise<number> => microsOf(child.pid ?? 0, 2);

/** The same for a process with all its children, including ended ones. */
export async function cpuMicrosOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const all = [String(pid), ...children.split(' ').filter((child) => child !== '')];
  const micros = await Promise.all(all.map((one) => microsOf(Number(one), 4)));
  return micros.reduce((sum, one) => sum + one, 0);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime, stime, and the same two of ended children. */
async function microsOf(pid: number, times: 2 | 4): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 11 + times).reduce((sum, ticks) => sum + Number(ticks), 0) * microsPerTick;
}

/** The peak memory of a process so far, in MB; Linux only. */
export async function peakMegabytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
