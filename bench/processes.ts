import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Process {
  child: ChildProcess;
  /** What `ready` found in its output. */
  ready: string;
  stop(): Promise<unknown>;
}

/** Starts one of our files as a process, and waits for the line that says it is ready (null: does not wait). */
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
    if (child.exitCode !== null) return;
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
    // A pipe that nobody reads fills up, and stops who writes.
    child.stdout.resume();
    return { child, ready: found, stop };
  }
  throw new Error(`${file} ended before it was ready.`);
}

/** CPU time of a process so far, from the kernel's clock ticks; Linux only. */
export async function cpuMicros(child: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid ?? 0}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const microsPerTick = 10_000;
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * microsPerTick;
}

/** The most memory a process has held so far, in MB; Linux only. */
export async function peakMegabytes(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid ?? 0}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
