import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { migrate } from '../../db/core/migrate.ts';
import { taskQueue } from '../../domain/ids.ts';
import { keepRunning } from '../../embedded/keep-running.ts';
import { freePort } from '../../embedded/ports.ts';
import { startPostgres } from '../../embedded/postgres.ts';
import type { Server } from '../../embedded/servers.ts';
import { requireTemporalBinary, startTemporal } from '../../embedded/temporal.ts';
import { keepWorking } from '../../worker/keep-working.ts';
import type { Workers } from '../../worker/workers.ts';
import { attributes } from '../../workflows/attributes.ts';
import { lookUps } from '../../workflows/look-ups.ts';
import { until } from '../kit/until.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'torpedo-outage-'));
  // For root, PostgreSQL runs as another user, who needs access to the folder.
  chmodSync(folder, 0o711);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Servers that keep their data and ports over restarts. */
async function createServers() {
  const folder = temporaryFolder();
  const binary = await requireTemporalBinary(console.log);
  const [pgPort, temporalPort] = [await freePort(), await freePort()];
  const running = new Set<Server>();
  const kept = <S extends Server>(server: S): S => {
    running.add(server);
    void server.exited.then(() => running.delete(server));
    return server;
  };
  onTestFinished(async () => {
    for (const server of running) await server.stop();
  });
  const quiet = (): void => undefined;
  return {
    startPostgres: async () =>
      kept(await startPostgres({ dataDir: join(folder, 'postgres'), port: pgPort, log: quiet })),
    startTemporal: async () =>
      kept(
        await startTemporal({
          binary,
          dataDir: join(folder, 'temporal'),
          port: temporalPort,
          uiPort: null,
          namespace: 'default',
          searchAttributes: Object.values(attributes).map(({ name }) => name),
          log: quiet,
        }),
      ),
    temporalAddress: `127.0.0.1:${temporalPort}`,
  };
}

/** Starts one of our processes and collects its output. `isRunning` throws when it has ended. */
function startProcess(file: string, environment: Record<string, string>) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(`../../${file}`, import.meta.url))],
    {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    return child.exitCode;
  };
  onTestFinished(async () => {
    await stop();
  });
  return {
    stop,
    count: (text: string) => output.split(text).length - 1,
    isRunning: () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${file} has ended: ${output}`);
      return true;
    },
  };
}

interface Health {
  ready: boolean;
  database: boolean;
  temporal: boolean;
}
async function health(port: number): Promise<Health | null> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
  return response && ((await response.json()) as Health);
}

test('worker and API wait for their servers at the start and during outages, and log it', async () => {
  const servers = await createServers();
  const first = await servers.startPostgres();
  const { url } = first;
  const sql = connect(url, { max: 2 });
  await migrate(sql);
  await sql.end();
  await first.stop();

  const [apiPort, workerPort] = [await freePort(), await freePort()];
  const environment = {
    DATABASE_URL: url,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    SECRET_KEYS: `a:${randomBytes(32).toString('base64')}`,
    PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
    PORT: String(apiPort),
    WORKER_HEALTH_ADDRESS: `127.0.0.1:${workerPort}`,
    LOG_LEVEL: 'warn',
  };
  const processes = [startProcess('worker/main.ts', environment), startProcess('api/main.ts', environment)];
  const ports = [workerPort, apiPort];
  const all = (what: string, expected: Partial<Health>): Promise<unknown> =>
    until(
      what,
      async () => {
        for (const one of processes) one.isRunning();
        const answers = await Promise.all(ports.map(health));
        return answers.every(
          (answer) =>
            answer && Object.entries(expected).every(([key, value]) => answer[key as keyof Health] === value),
        );
      },
      { withinMs: 90_000, everyMs: 100 },
    );

  await all('both wait for both servers', { ready: false, database: false, temporal: false });
  const api = `http://127.0.0.1:${apiPort}`;
  expect((await fetch(`${api}/health/live`)).status).toBe(200);
  expect((await fetch(`${api}/api/campaigns`)).status).toBe(503);
  const postgres = await servers.startPostgres();
  await all('the database is available', { ready: false, database: true, temporal: false });
  const temporal = await servers.startTemporal();
  await all('both are ready', { ready: true });
  expect((await fetch(`${api}/api/campaigns`)).status).toBe(401);

  process.kill(temporal.pid, 'SIGKILL');
  process.kill(postgres.pid, 'SIGKILL');
  await Promise.all([temporal.exited, postgres.exited]);
  await all('both are unavailable', { ready: false, database: false, temporal: false });
  await Promise.all([servers.startPostgres(), servers.startTemporal()]);
  await all('both are ready again', { ready: true });

  const connection = await Connection.connect({ address: servers.temporalAddress });
  const { workflow } = new Client({ connection });
  const workflowId = 'look-ups/after-the-outage';
  expect(await workflow.execute(lookUps, { workflowId, taskQueue, args: [] })).toEqual(expect.any(String));
  await connection.close();
  for (const one of processes) {
    for (const server of ['PostgreSQL', 'Temporal']) {
      expect(one.count(`"Waiting for ${server}"`)).toBe(2);
      expect(one.count(`"${server} can be used again"`)).toBe(2);
    }
    expect(await one.stop()).toBe(0);
  }
}, 240_000);

test('a process that is stopped while it waits for its servers ends at once without an error', async () => {
  const port = await freePort();
  const environment = {
    DATABASE_URL: `postgres://nobody:none@127.0.0.1:${port}/none`,
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    SECRET_KEYS: `a:${randomBytes(32).toString('base64')}`,
    PUBLIC_URL: 'http://127.0.0.1:1',
    PORT: '0',
  };
  const processes = [startProcess('worker/main.ts', environment), startProcess('api/main.ts', environment)];
  for (const one of processes) {
    await until('it waits', () => one.isRunning() && one.count('Waiting for PostgreSQL') > 0);
    expect(await one.stop()).toBe(0);
  }
});

test('failed workers are replaced until they are stopped', async () => {
  const made: { fail: (error: Error) => void; closed: boolean }[] = [];
  const create = async (): Promise<Workers> => {
    let end = (): void => undefined;
    const one = { fail: (_: Error): void => undefined, closed: false };
    const run = new Promise<void>((resolve, reject) => {
      end = resolve;
      one.fail = reject;
    });
    made.push(one);
    return {
      run: () => run,
      shutdown: () => end(),
      close: async () => {
        one.closed = true;
      },
    };
  };
  const errors: string[] = [];
  const working = keepWorking({ create, log: { error: (_, message) => errors.push(message) } });
  await working.started;
  made[0]?.fail(new Error('The poll has failed.'));
  await until('the new workers poll', () => made.length === 2 && working.isPolling());
  expect(errors).toHaveLength(1);
  await working.stop();
  expect(working.isPolling()).toBe(false);
  expect(made.map(({ closed }) => closed)).toEqual([true, true]);
});

test('an embedded server that ends unexpectedly is restarted at the same address', async () => {
  const folder = temporaryFolder();
  const logged: string[] = [];
  const pids: number[] = [];
  const kept = await keepRunning({
    name: 'PostgreSQL',
    start: async (before: Awaited<ReturnType<typeof startPostgres>> | null) => {
      const server = await startPostgres({
        dataDir: join(folder, 'postgres'),
        port: before ? Number(new URL(before.url).port) : 0,
        log: () => undefined,
      });
      pids.push(server.pid);
      return server;
    },
    log: (message) => logged.push(message),
  });
  onTestFinished(kept.stop);
  const sql = connect(kept.server.url, { max: 1 });
  await sql`create table kept as select 1 as n`;
  process.kill(pids[0] ?? NaN, 'SIGKILL');
  await until('it runs again', () => pids.length === 2);
  const rows = await until('it answers', () => sql`select n from kept`.catch(() => null));
  expect(rows).toEqual([{ n: 1 }]);
  await sql.end();
  expect(logged).toEqual(['PostgreSQL stopped unexpectedly. Restarting it.', 'PostgreSQL is running again.']);

  // A server that ends repeatedly is given up.
  process.kill(pids[1] ?? NaN, 'SIGKILL');
  await until('it runs for the third time', () => pids.length === 3);
  process.kill(pids[2] ?? NaN, 'SIGKILL');
  expect(await kept.failed).toContain('3 times within a minute');
});
