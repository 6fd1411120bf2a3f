import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { findTemporal } from './find-temporal.mjs';
import { prepareNamespace, setRetention } from '../worker/namespace.ts';
import { freePort, requireFreePort } from './ports.ts';
import {
  isRunning,
  lastLines,
  requireWritableFolder,
  startServer,
  stopOrphan,
  type Server,
} from './servers.ts';
import { StartError } from './start-error.ts';

export interface TemporalOptions {
  /** Temporal's CLI: see `requireTemporalBinary`. */
  binary: string;
  /** Contains the server's database and its log. Created if it does not exist. */
  dataDir: string;
  /** 0 takes any free one. */
  port: number;
  /** Null: without the web interface. */
  uiPort: number | null;
  namespace: string;
  /** Names of the keyword search attributes that workflows and operators use. */
  searchAttributes: readonly string[];
  /** For tests: everything is in memory, and is lost at the stop. */
  throwaway?: boolean;
  log: (message: string) => void;
}

export interface EmbeddedTemporal extends Server {
  /** host:port of the gRPC frontend. */
  address: string;
  uiUrl: string | null;
}

const POLL_MS = 20;
/** Long: a laptop that scans the binary for viruses needs many seconds for its first run. */
const START_TIMEOUT_MS = 60_000;

/**
 * This system is the only user of this server: limits that protect tenants from one another only slow it down. Eager
 * execution returns an activity to its worker with the answer to the workflow task. As in docker-compose.yml.
 */
export const dynamicConfig = {
  'system.enableActivityEagerExecution': true,
  'frontend.rps': 20_000,
  'frontend.namespaceRPS': 20_000,
  'frontend.namespaceRPS.visibility': 1_000,
  // Without it, priorities of tasks (workflows/priorities.ts) have no effect.
  'matching.useNewMatcher': true,
};

/** WAL saves a commit one of its two flushes to disk; FULL makes it survive a power cut. */
const SQLITE = ['journal_mode=wal', 'synchronous=full'];
const SQLITE_FILES = ['', '-wal', '-shm', '-journal'];

/** A client that stays connected keeps SIGINT from ending the server; SQLite survives SIGKILL. */
const STOP_SIGNALS = [
  ['SIGINT', 10_000],
  ['SIGKILL', 5_000],
] as const;
const THROWAWAY_STOP_SIGNALS = STOP_SIGNALS.slice(1);

/** Temporal's CLI, installed if necessary. Throws a StartError that lists what was tried. */
export async function requireTemporalBinary(log: (message: string) => void): Promise<string> {
  try {
    return await findTemporal({ log });
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error));
  }
}

/** Starts Temporal's development server on 127.0.0.1 and waits until its namespace exists. */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const { dataDir, namespace, searchAttributes, throwaway = false, log } = options;
  requireWritableFolder(dataDir);
  const dbFile = join(dataDir, 'temporal.db');
  const readyMark = join(dataDir, 'ready');
  const logFile = join(dataDir, 'server.log');
  const pidFile = join(dataDir, 'server.pid');
  const stopSignals = throwaway ? THROWAWAY_STOP_SIGNALS : STOP_SIGNALS;
  await stopOrphan({ name: 'Temporal server', mark: dbFile, pidFile, stopSignals }, log);
  if (existsSync(dbFile) && !existsSync(readyMark)) {
    // The server creates its tables one by one, and only in a new file.
    log('The first start was interrupted: starting with a new Temporal database');
    for (const suffix of SQLITE_FILES.filter((suffix) => existsSync(dbFile + suffix))) {
      renameSync(dbFile + suffix, `${dbFile}.unfinished${suffix}`);
    }
  }

  const port = options.port === 0 ? await freePort() : options.port;
  await requireFreePort(port, 'Temporal', 'TORPEDO_TEMPORAL_PORT');
  const { uiPort } = options;
  if (uiPort !== null) await requireFreePort(uiPort, "Temporal's web interface", 'TORPEDO_TEMPORAL_UI_PORT');

  const spec = {
    name: 'Temporal server',
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'],
      ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...(throwaway
        ? []
        : ['--db-filename', dbFile, ...SQLITE.flatMap((pragma) => ['--sqlite-pragma', pragma])]),
      ...['--namespace', namespace],
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ...Object.entries(dynamicConfig).flatMap(([key, value]) => [
        '--dynamic-config-value',
        `${key}=${value}`,
      ]),
    ],
    mark: throwaway ? `--port ${port}` : dbFile,
    pidFile,
    logFile,
    stopSignals,
  };
  const server = startServer(spec);
  const address = `127.0.0.1:${port}`;
  try {
    const connection = await connectWhenReady(address, () => {
      if (!isRunning(server.pid, spec.mark)) {
        throw new StartError(`Temporal stopped while it was starting. ${lastLines(logFile)}`);
      }
    });
    try {
      // Its flags do this only for a new namespace; and there is no flag for the retention.
      await prepareNamespace(connection, namespace, searchAttributes);
      await setRetention(connection, namespace);
    } finally {
      await connection.close();
    }
    writeFileSync(readyMark, '');
  } catch (error) {
    await server.stop();
    if (error instanceof StartError) throw error;
    throw new StartError(`Temporal did not start: ${String(error)} ${lastLines(logFile)}`);
  }
  return { ...server, address, uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}` };
}

/** Checks the port first: gRPC waits a second and more after each refused connection. */
async function connectWhenReady(address: string, requireAlive: () => void): Promise<Connection> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(address))) {
    requireAlive();
    if (Date.now() > deadline) throw new StartError(`Temporal does not answer at ${address}.`);
    await sleep(POLL_MS);
  }
  return Connection.connect({ address });
}

async function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.once('connect', () => {
      // An open connection would delay the server's stop, which waits for its clients.
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
