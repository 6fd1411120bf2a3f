import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { prepareNamespace } from '../worker/namespace.ts';
import { requireFreePort } from './ports.ts';
import { lastLines, type Server, startServer } from './servers.ts';
import { dynamicConfig } from './temporal.ts';

const run = promisify(execFile);

/** The same release as in Temporal's CLI (embedded/find-temporal.mjs); the Go proxy has both programs. */
const version = '1.29.1';
const programs = { server: 'cmd/server', sql: 'cmd/tools/sql' } as const;
const plugin = 'postgres12_pgx';
const startTimeoutMs = 120_000;
const pollMs = 100;

/**
 * The programs of the server and its schema tool, built with Go once (about three minutes) and kept in the user's
 * cache.
 */
export async function requireServerPrograms(
  log: (message: string) => void,
): Promise<Record<keyof typeof programs, string>> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'torpedo', 'bin');
  const folder = join(cache, `temporal-server-${version}`);
  if (!existsSync(folder)) {
    log(`Building Temporal's server ${version} with Go: about three minutes, first start only`);
    mkdirSync(cache, { recursive: true });
    const unfinished = mkdtempSync(join(cache, 'unfinished-'));
    try {
      const packages = Object.values(programs).map((path) => `go.temporal.io/server/${path}@v${version}`);
      await run('go', ['install', ...packages], { env: { ...process.env, GOBIN: unfinished } });
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return { server: join(folder, 'server'), sql: join(folder, 'sql') };
}

/** The server keeps its ports in columns of the type smallint. */
async function lowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const free = await requireFreePort(port, 'Temporal', '').then(
      () => true,
      () => false,
    );
    if (free) return port;
  }
}

export interface TemporalOnPostgres {
  address: string;
  /** On its databases, which it creates the first time. */
  start(): Promise<Server>;
}

/**
 * A Temporal server as in production: all four services in one process, on the databases `temporal` and
 * `temporal_visibility` of the PostgreSQL at `postgresUrl`.
 */
export async function prepareTemporalOnPostgres({
  postgresUrl,
  folder,
  namespace,
  searchAttributes,
  historyShards = 4,
  log,
}: {
  postgresUrl: string;
  /** Its settings, process id and log. */
  folder: string;
  namespace: string;
  searchAttributes: readonly string[];
  /** Permanent: a database keeps the number with which it was created. */
  historyShards?: number;
  log: (message: string) => void;
}): Promise<TemporalOnPostgres> {
  const found = await requireServerPrograms(log);
  const { hostname, port, username, password } = new URL(postgresUrl);
  mkdirSync(join(folder, 'config'), { recursive: true });
  const tool = (database: string, ...args: string[]) =>
    run(found.sql, [
      ...['--plugin', plugin, '--endpoint', hostname, '--port', port, '--user', username],
      ...['--password', decodeURIComponent(password), '--database', database],
      ...args,
    ]);
  const schemas = { temporal: 'postgresql/v12/temporal', temporal_visibility: 'postgresql/v12/visibility' };
  for (const [database, schema] of Object.entries(schemas)) {
    await tool(database, 'create-database');
    await tool(database, 'setup-schema', '--version', '0.0');
    await tool(database, 'update-schema', '--schema-name', schema);
  }

  const ports = { frontend: await lowPort(), history: 0, matching: 0, worker: 0 };
  const services: Record<string, object> = {};
  for (const service of ['frontend', 'history', 'matching', 'worker'] as const) {
    if (ports[service] === 0) ports[service] = await lowPort();
    services[service] = {
      rpc: { grpcPort: ports[service], membershipPort: await lowPort(), bindOnIP: '127.0.0.1' },
    };
  }
  const address = `127.0.0.1:${ports.frontend}`;
  const store = (databaseName: string) => ({
    sql: {
      ...{ pluginName: plugin, databaseName, connectAddr: `${hostname}:${port}`, connectProtocol: 'tcp' },
      ...{ user: username, password: decodeURIComponent(password), maxConns: 20, maxIdleConns: 20 },
    },
  });
  // JSON is valid YAML. https://docs.temporal.io/references/configuration
  const settings = {
    log: { stdout: true, level: 'warn' },
    persistence: {
      ...{ defaultStore: 'default', visibilityStore: 'visibility', numHistoryShards: historyShards },
      datastores: { default: store('temporal'), visibility: store('temporal_visibility') },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services,
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: 'active', currentClusterName: 'active' },
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: address },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    publicClient: { hostPort: address },
    dynamicConfigClient: { filepath: join(folder, 'config', 'dynamic.yaml'), pollInterval: '1m' },
  };
  writeFileSync(join(folder, 'config', 'server.yaml'), JSON.stringify(settings, null, 2), { mode: 0o600 });
  const dynamic = Object.entries(dynamicConfig).map(([key, value]) => [key, [{ value }]] as const);
  writeFileSync(join(folder, 'config', 'dynamic.yaml'), JSON.stringify(Object.fromEntries(dynamic)));

  return {
    address,
    async start() {
      const logFile = join(folder, 'server.log');
      const server = startServer({
        name: 'Temporal server',
        command: found.server,
        args: ['--root', folder, '--config', 'config', '--env', 'server', '--allow-no-auth', 'start'],
        mark: folder,
        pidFile: join(folder, 'server.pid'),
        logFile,
        stopSignals: [
          ['SIGINT', 10_000],
          ['SIGKILL', 5_000],
        ],
      });
      const ended = server.exited.then(() => {
        throw new Error(`Temporal's server stopped while it was starting. ${lastLines(logFile)}`);
      });
      ended.catch(() => undefined);
      const ready = async (): Promise<void> => {
        for (const giveUpAt = Date.now() + startTimeoutMs; ;) {
          try {
            const connection = await Connection.connect({ address, connectTimeout: 1_000 });
            try {
              await prepareNamespace(connection, namespace, searchAttributes);
              return;
            } finally {
              await connection.close();
            }
          } catch (error) {
            if (Date.now() > giveUpAt) throw error;
            await sleep(pollMs);
          }
        }
      };
      await Promise.race([ready(), ended]);
      return server;
    },
  };
}
