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

/** A server process that survives a kill of ours: its name, and where it stores its state. */
export interface ServerSpec {
  /** Its display name: "PostgreSQL". */
  name: string;
  command: string;
  args: string[];
  ids?: { uid: number; gid: number } | undefined;
  /** A path on only this server's command line: distinguishes it from a process that reuses its id. */
  mark: string;
  pidFile: string;
  logFile: string;
  /** How to stop it: each signal is followed by the next if the server still runs after this many milliseconds. */
  stopSignals: readonly (readonly [NodeJS.Signals, number])[];
}

/** A running server. */
export interface Server {
  pid: number;
  /** Resolves when the process has ended, by `stop` or by itself. */
  exited: Promise<void>;
  stop: () => Promise<void>;
}

const POLL_MS = 20;

/**
 * Starts a server in its own process group, so that a terminal's Ctrl-C reaches only us and we can stop the clients of
 * the server before the server. A guard process stops it if ours has died without doing so.
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
    // A process whose parent has died gets another parent, whatever process has reused the parent's id by now.
    if (inspect(pid)?.parent === owner) {
      throw new StartError(
        `Torpedo is already running with this data folder, as process ${owner}. Stop it first, or choose another folder with TORPEDO_DATA_DIR.`,
      );
    }
    log(`Stopping the ${spec.name} of an earlier start that was killed (process ${pid})`);
    await stopProcess(pid, spec);
  }
  rmSync(spec.pidFile, { force: true });
}

/** Whether the process is running and is the expected one. A zombie has no command line, and so counts as ended. */
export function isRunning(pid: number, mark: string): boolean {
  return inspect(pid)?.command.includes(mark) ?? false;
}

/** Messages in English everywhere, and a locale that macOS has: without one PostgreSQL does not start there. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C' };
}

/** Creates the folder if necessary, and throws a StartError unless we can write to it. */
export function requireWritableFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data folder ${folder} is not writable (${reason(error)}). Make it writable, or choose another with TORPEDO_DATA_DIR.`,
    );
  }
}

/** The end of a log, for the error message of a server that did not start. */
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

/** Sends SIGINT to the server when our end of a pipe closes, which the operating system does however we die. */
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
      return 'its path leads through a file';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return error.message;
  }
}
