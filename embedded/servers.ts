import { execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './start-error.ts';

/** A server process that outlives whatever kills ours: what it is, and where it leaves its traces. */
export interface ServerSpec {
  /** What people call it: "PostgreSQL". */
  name: string;
  command: string;
  args: string[];
  ids?: { uid: number; gid: number } | undefined;
  /** A path that stands on this server's command line and on no other's: tells it from a process that got its id. */
  mark: string;
  pidFile: string;
  logFile: string;
  /** How to stop it: each signal is followed by the next when the server is still there after so many milliseconds. */
  stopSignals: readonly (readonly [NodeJS.Signals, number])[];
}

/** A server that runs. */
export interface Server {
  pid: number;
  /** Resolves when the process has ended, by `stop` or by itself. */
  exited: Promise<void>;
  stop: () => Promise<void>;
}

const POLL_MS = 20;

/**
 * Starts a server in a process group of its own, so that a terminal's Ctrl-C reaches only us and we can stop what uses
 * the server before the server. A guard process stops it when ours has died without doing so.
 */
export function startServer(spec: ServerSpec): Server {
  if (existsSync(spec.logFile)) renameSync(spec.logFile, `${spec.logFile}.old`);
  const log = openSync(spec.logFile, 'w');
  const child = spawn(spec.command, spec.args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: serverEnvironment(),
    ...spec.ids,
  });
  closeSync(log);
  const { pid } = child;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  if (pid === undefined) throw new StartError(`${spec.name} could not be started from ${spec.command}.`);
  writeFileSync(spec.pidFile, `${pid} ${process.pid}\n`);
  child.unref();
  guard(pid, exited);

  return {
    pid,
    exited,
    stop: async () => {
      child.ref();
      await stopProcess(pid, spec);
      await exited;
      rmSync(spec.pidFile, { force: true });
    },
  };
}

/** Stops the server that a killed process of ours left behind, if there is one. */
export async function stopOrphan(
  spec: Pick<ServerSpec, 'name' | 'mark' | 'pidFile' | 'stopSignals'>,
  log: (message: string) => void,
): Promise<void> {
  if (!existsSync(spec.pidFile)) return;
  const [pid = NaN, owner = NaN] = readFileSync(spec.pidFile, 'utf8').split(' ').map(Number);
  if (isRunning(pid, spec.mark)) {
    // A process whose parent has died gets another parent, whatever process has the dead one's id by now.
    if (inspect(pid)?.parent === owner) {
      throw new StartError(
        `Torpedo is running already with this data folder, as process ${owner}. Stop that one first, or give this one a folder of its own with TORPEDO_DATA_DIR.`,
      );
    }
    log(`Stopping the ${spec.name} that a killed Torpedo left behind (process ${pid})`);
    await stopProcess(pid, spec);
  }
  rmSync(spec.pidFile, { force: true });
}

/** Whether the process runs and is the one meant. A zombie has no command line, and so counts as gone. */
export function isRunning(pid: number, mark: string): boolean {
  return inspect(pid)?.command.includes(mark) ?? false;
}

/** Messages in English everywhere, and a locale that macOS has: PostgreSQL does not start there without one. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C' };
}

/** Makes the folder if need be, and throws a StartError unless we can write to it. */
export function requireWritableFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data folder ${folder} can't be written to (${reason(error)}). Make it writable, or choose another with TORPEDO_DATA_DIR.`,
    );
  }
}

/** The end of a log, for a message about a server that did not start. */
export function lastLines(logFile: string, count = 6): string {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n') : [];
  return [`The end of ${logFile}:`, ...lines.slice(-count)].join('\n  ');
}

async function stopProcess(
  pid: number,
  { name, mark, stopSignals }: Pick<ServerSpec, 'name' | 'mark' | 'stopSignals'>,
) {
  for (const [signal, graceMs] of stopSignals) {
    if (!isRunning(pid, mark)) return;
    sendSignal(pid, signal);
    const deadline = Date.now() + graceMs;
    while (isRunning(pid, mark) && Date.now() < deadline) await sleep(POLL_MS);
  }
  if (isRunning(pid, mark)) throw new StartError(`${name} (process ${pid}) does not stop.`);
}

/** Sends SIGINT to the server when our end of a pipe closes, which the system does for us however we die. */
function guard(pid: number, exited: Promise<void>): void {
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  void exited.then(() => shell.kill());
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function inspect(pid: number): { parent: number; command: string } | null {
  if (!Number.isInteger(pid)) return null;
  try {
    if (process.platform === 'linux') {
      // Fields of stat after the name in brackets, which may itself hold spaces and brackets: state, parent, …
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return { parent: Number(parent), command };
    }
    const line = execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [parent = '', ...command] = line.split(' ');
    return { parent: Number(parent), command: command.join(' ') };
  } catch {
    return null;
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return String(error);
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file is in its way';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return error.message;
  }
}
