import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureFirstAdmin, hashSecret, newToken } from '../api/http/auth.ts';
import { connect, type Database } from '../db/core/client.ts';
import { migrate } from '../db/core/migrate.ts';
import { insertProvider } from '../db/providers/providers.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { seedSettings } from '../db/settings/seed.ts';
import { insertToken } from '../db/access/tokens.ts';
import { startParts, type Stops } from '../embedded/parts.ts';
import { freePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import type { Server } from '../embedded/servers.ts';
import { prepareTemporalOnPostgres } from '../embedded/temporal-server.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';
import { type ApiClient, createApiClient } from './api.ts';
import { createGatewayClient, type GatewayClient } from './gateway.ts';
import { type Disruption, type Link, links, type Plan, type Target } from './plan.ts';
import { freeze, processTree, signalAll, type Supervised, supervise } from './processes.ts';
import { type Proxy, startProxy } from './proxy.ts';

export interface ChaosSystemOptions {
  plan: Plan;
  /** Databases, logs and the gateway's ledger. */
  folder: string;
  /** Temporal's development server on SQLite, or a server as in production, on PostgreSQL. */
  temporal: 'dev' | 'server';
  log: (message: string) => void;
  /** A process has ended unexpectedly; it is restarted. */
  onEnd: (name: string, how: string) => void;
}

/** A system of separate processes for fault injection, with interfaces for users and for the oracle. */
export interface ChaosSystem {
  /** Connects directly, not through a proxy. */
  api: ApiClient;
  /** The address of the API for the gateway and its phones, through a proxy. */
  publicUrl: string;
  gateway: GatewayClient;
  /** Two providers of the same gateway, with and without a rate limit. */
  providerIds: { limited: number; unlimited: number };
  databaseUrl: string;
  temporalAddress: string;
  ledgerFile: string;
  /** Resolves when the process runs again and the link is repaired. */
  hit(disruption: Disruption): Promise<void>;
  /** Waits until the API and the workers report that they can reach the database and Temporal. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const namespace = 'default';
const account = { accountSid: `AC${'c'.repeat(32)}`, authToken: 'chaos-token', from: '+5511999990000' };
/** Short, so that a message that the gateway never answers does not delay its run. */
const sendTimeoutMs = 3_000;
const singleSendUpTo = 50;
const retryMs = 500;
const pollMs = 100;
const readyTimeoutMs = 120_000;

interface SupervisedServer {
  pid(): number;
  /** Sends the signal, waits for the end, and restarts it after `downMs`. */
  restart(signal: 'SIGKILL' | 'SIGINT', downMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** A server of `embedded/` that is restarted when it ends, until its port and its database are available. */
async function superviseServer(start: () => Promise<Server>, onEnd: () => void): Promise<SupervisedServer> {
  let server = await start();
  let isDisrupted = false;
  let stopped = false;
  let starting: Promise<void> | null = null;
  const startAgain = async (): Promise<void> => {
    while (!stopped) {
      try {
        server = await start();
        watch(server);
        return;
      } catch {
        await sleep(retryMs);
      }
    }
  };
  const ensureStarted = (): Promise<void> => {
    starting ??= startAgain().finally(() => (starting = null));
    return starting;
  };
  const watch = ({ exited }: Server): void => {
    void exited.then(() => {
      if (isDisrupted || stopped) return;
      onEnd();
      void ensureStarted();
    });
  };
  watch(server);
  return {
    pid: () => server.pid,
    async restart(signal, downMs) {
      await starting;
      isDisrupted = true;
      signalAll([server.pid], signal);
      await server.exited;
      await sleep(downMs);
      isDisrupted = false;
      await ensureStarted();
    },
    async stop() {
      stopped = true;
      await starting;
      await server.stop();
    },
  };
}

export async function startChaosSystem(options: ChaosSystemOptions): Promise<ChaosSystem> {
  return startParts((stops) => start(options, stops));
}

async function start(
  { plan, folder, temporal, log, onEnd }: ChaosSystemOptions,
  stops: Stops,
): Promise<Omit<ChaosSystem, 'stop'>> {
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true });
  const key = randomBytes(32);

  const postgresFolder = join(folder, 'postgres');
  const quiet = (): void => undefined;
  let postgresPort = 0;
  let databaseUrl = '';
  const postgres = await superviseServer(
    async () => {
      const server = await startPostgres({ dataDir: postgresFolder, port: postgresPort, log: quiet });
      databaseUrl = server.url;
      postgresPort = Number(new URL(server.url).port);
      return server;
    },
    () => onEnd('postgres', 'see postgres/server.log'),
  );
  stops.push(() => postgres.stop());

  const searchAttributes = Object.values(attributes).map(({ name }) => name);
  const temporalFolder = join(folder, 'temporal');
  const temporalServer =
    temporal === 'dev'
      ? await temporalOnSqlite(temporalFolder, searchAttributes, log)
      : await prepareTemporalOnPostgres({
          ...{ postgresUrl: databaseUrl, folder: temporalFolder, namespace, searchAttributes, log },
        });
  const temporalProcess = await superviseServer(
    () => temporalServer.start(),
    () => onEnd('temporal', 'see temporal/server.log'),
  );
  stops.push(() => temporalProcess.stop());

  const gatewayPort = await freePort();
  const apiPort = await freePort();
  const proxies = new Map<Link, Proxy>();
  const ports = {
    provider: gatewayPort,
    postgres: postgresPort,
    temporal: Number(temporalServer.address.split(':')[1]),
    api: apiPort,
  };
  for (const link of links) {
    const to = link.slice(link.indexOf('/') + 1);
    const proxy = await startProxy(ports[to as keyof typeof ports]);
    proxies.set(link, proxy);
    stops.push(() => proxy.close());
  }
  const through = (link: Link): number => proxies.get(link)?.port ?? 0;
  const databaseThrough = (link: Link): string => {
    const url = new URL(databaseUrl);
    url.port = String(through(link));
    return url.href;
  };

  const ledgerFile = join(folder, 'ledger.ndjson');
  const gatewayProcess = supervise({
    name: 'gateway',
    file: 'sandbox/main.ts',
    args: [
      ...['--port', String(gatewayPort), '--account-sid', account.accountSid],
      ...['--auth-token', account.authToken, '--ledger', ledgerFile, '--seed', String(plan.seed)],
      ...['--faults', JSON.stringify(plan.faults)],
    ],
    environment: {},
    logFile: join(logs, 'gateway.log'),
    onEnd: (how) => onEnd('gateway', how),
  });
  stops.push(() => gatewayProcess.stop());

  const publicUrl = `http://${host}:${through('provider/api')}`;
  const { token, providerIds } = await prepareDatabase(databaseUrl, key, plan);
  const common = {
    PUBLIC_URL: publicUrl,
    SECRET_KEYS: `chaos:${key.toString('base64')}`,
    TEMPORAL_NAMESPACE: namespace,
    SEND_TIMEOUT_MS: String(sendTimeoutMs),
    SINGLE_SEND_UP_TO: String(singleSendUpTo),
    SENDERS_PER_RUN: String(plan.sendersPerRun),
    WEBSERVICE_ALLOW: host,
    LOG_LEVEL: 'warn',
  };
  const supervised = new Map<Target, Supervised>();
  const run = (
    name: 'worker-1' | 'worker-2' | 'api',
    file: string,
    environment: Record<string, string>,
  ): void => {
    const process = supervise({
      ...{ name, file, environment: { ...common, ...environment } },
      logFile: join(logs, `${name}.log`),
      onEnd: (how) => onEnd(name, how),
    });
    supervised.set(name, process);
    stops.push(() => process.stop());
  };
  /** The addresses of the health checks, which report whether a process can reach the database and Temporal. */
  const healths = [`http://${host}:${apiPort}`];
  for (const name of ['worker-1', 'worker-2'] as const) {
    const healthPort = await freePort();
    healths.push(`http://${host}:${healthPort}`);
    run(name, 'worker/main.ts', {
      WORKER_HEALTH_ADDRESS: `${host}:${healthPort}`,
      DATABASE_URL: databaseThrough(`${name}/postgres`),
      TEMPORAL_ADDRESS: `${host}:${through(`${name}/temporal`)}`,
      SANDBOX_URL: `http://${host}:${through(`${name}/provider`)}`,
    });
  }
  run('api', 'api/main.ts', {
    DATABASE_URL: databaseThrough('api/postgres'),
    TEMPORAL_ADDRESS: temporalServer.address,
    SANDBOX_URL: `http://${host}:${gatewayPort}`,
    HOST: host,
    PORT: String(apiPort),
  });

  const pidOf = (target: Target): number => {
    if (target === 'postgres') return postgres.pid();
    if (target === 'temporal') return temporalProcess.pid();
    return supervised.get(target)?.pid() ?? 0;
  };
  const hitNow = async (disruption: Disruption): Promise<void> => {
    switch (disruption.kind) {
      case 'freeze':
        return freeze(() => processTree(pidOf(disruption.target)), disruption.ms);
      case 'kill':
      case 'stop': {
        const kill = disruption.kind === 'kill';
        if (disruption.target === 'postgres')
          return postgres.restart(kill ? 'SIGKILL' : 'SIGINT', disruption.ms);
        if (disruption.target === 'temporal')
          return temporalProcess.restart(kill ? 'SIGKILL' : 'SIGINT', disruption.ms);
        return supervised
          .get(disruption.target)
          ?.restart(kill ? 'SIGKILL' : 'SIGTERM', () => sleep(disruption.ms));
      }
      case 'cut': {
        const { how, delayMs } = disruption;
        const proxy = proxies.get(disruption.link);
        proxy?.breakWith(how === 'delay' ? { how, delayMs } : { how });
        await sleep(disruption.ms);
        return proxy?.repair();
      }
    }
  };
  /** Faults on one target run one after the other. */
  const turns = new Map<Target | Link, Promise<void>>();

  const api = createApiClient(`http://${host}:${apiPort}`, token);
  const gateway = createGatewayClient(`http://${host}:${gatewayPort}`, account);
  const ready = async (): Promise<void> => {
    const giveUpAt = Date.now() + readyTimeoutMs;
    for (const url of healths) {
      const check = () =>
        fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
          async (answer) => (answer.status === 200 ? null : await answer.text()),
          (error: unknown) => String(error),
        );
      for (let problem = await check(); problem !== null; problem = await check()) {
        if (Date.now() > giveUpAt)
          throw new Error(`Not ready after ${readyTimeoutMs / 1000} s: ${url}: ${problem}`);
        await sleep(pollMs);
      }
    }
  };
  await ready();
  return {
    ...{ api, publicUrl, gateway, providerIds, databaseUrl, ledgerFile, ready },
    temporalAddress: temporalServer.address,
    hit(disruption) {
      const place = disruption.kind === 'cut' ? disruption.link : disruption.target;
      const turn = (turns.get(place) ?? Promise.resolve()).then(() => hitNow(disruption));
      turns.set(
        place,
        turn.catch(() => undefined),
      );
      return turn;
    },
  };
}

async function temporalOnSqlite(
  dataDir: string,
  searchAttributes: readonly string[],
  log: (message: string) => void,
): Promise<{ address: string; start: () => Promise<Server> }> {
  const binary = await requireTemporalBinary(log);
  const port = await freePort();
  return {
    address: `${host}:${port}`,
    start: () =>
      startTemporal({
        ...{ binary, dataDir, port, uiPort: null, namespace, searchAttributes },
        log: () => undefined,
      }),
  };
}

/** Creates the schema, the initial settings, the providers, and a token for the chaos tool. */
async function prepareDatabase(
  url: string,
  key: Buffer,
  { ratePerSecond }: Plan,
): Promise<{ token: string; providerIds: ChaosSystem['providerIds'] }> {
  const sql = connect(url, { max: 3 });
  try {
    await migrate(sql);
    await seedSettings(sql, new Date());
    await ensureFirstAdmin(sql);
    const token = newToken();
    const [{ id: createdBy }] = await sql<[{ id: number }]>`select id from users limit 1`;
    await insertToken(sql, {
      ...{ name: 'chaos', tokenHash: hashSecret(token), role: 'operator', createdBy, expiresAt: null },
    });
    return {
      token,
      providerIds: {
        limited: await addProvider(sql, key, 'With a limit', ratePerSecond),
        unlimited: await addProvider(sql, key, 'Without a limit', null),
      },
    };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The maximum number of sends in flight through one provider. */
export const maxInFlight = 50;

const addProvider = async (
  sql: Database,
  key: Buffer,
  name: string,
  ratePerSecond: number | null,
): Promise<number> =>
  (
    await sql.begin((tx) =>
      insertProvider(tx, createSecretBox([{ id: 'chaos', key }]), {
        ...{ name, ratePerSecond, maxInFlight, segmentProfile: 'gsm' },
        config: { kind: 'sandbox', accountSid: account.accountSid, from: account.from },
        secrets: { kind: 'sandbox', authToken: account.authToken },
      }),
    )
  ).id;
