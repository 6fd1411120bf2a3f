import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { findTemporal } from '../../embedded/find-temporal.mjs';
import { startPostgres } from '../../embedded/postgres.ts';
import { startTemporal, requireTemporalBinary, type TemporalOptions } from '../../embedded/temporal.ts';

/** The output of test/kit/embedded-process.ts when its servers are running. */
const Running = z.object({ url: z.string(), address: z.string(), pids: z.array(z.number()) });
type Running = z.infer<typeof Running>;

const quiet = () => undefined;
const binary = await requireTemporalBinary(console.log);

describe('after SIGKILL, the next start', () => {
  test('finds the data written before', async () => {
    const folder = temporaryFolder();
    const first = await startProcess(folder);
    await write(first.running, 'before');
    first.child.kill('SIGKILL');

    const second = await startProcess(folder);
    expect(await read(second.running)).toEqual(['before']);
  });

  test('finds the data when the servers were killed, too', async () => {
    const folder = temporaryFolder();
    const first = await startProcess(folder);
    await write(first.running, 'before');
    for (const pid of first.running.pids) process.kill(pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await vi.waitUntil(() => first.running.pids.every(isGone), { interval: 250 });
    // As after a reboot: PostgreSQL's lock file contains the id of another process.
    const lockFile = join(folder, 'postgres', 'cluster', 'postmaster.pid');
    writeFileSync(lockFile, readFileSync(lockFile, 'utf8').replace(/^\d+/, String(process.pid)));

    const second = await startProcess(folder);
    expect(await read(second.running)).toEqual(['before']);
  });

  test('stops the servers that still run', async () => {
    const folder = temporaryFolder();
    const first = await startProcess(folder);
    await write(first.running, 'before');
    for (const pid of childrenOf(first.child, '/bin/sh')) process.kill(pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    expect(first.running.pids.filter(isGone)).toEqual([]);

    const second = await startProcess(folder);
    expect(first.running.pids.every(isGone)).toBe(true);
    expect(await read(second.running)).toEqual(['before']);
  });

  test('starts over when the first start was interrupted', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'postgres', 'cluster.unfinished', 'base'), { recursive: true });
    mkdirSync(join(folder, 'temporal'));
    writeFileSync(join(folder, 'temporal', 'temporal.db'), 'half a database');

    const { running } = await startProcess(folder);
    await write(running, 'after');
    expect(await read(running)).toEqual(['after']);
  });

  test('is not needed for the servers to stop soon', async () => {
    const { child, running } = await startProcess(temporaryFolder());
    child.kill('SIGKILL');
    await vi.waitUntil(() => running.pids.every(isGone), { timeout: 20_000, interval: 250 });
  });
});

test('a second start on the data folder of a running Torpedo is refused and does not disturb it', async () => {
  const folder = temporaryFolder();
  const { child, running } = await startProcess(folder);
  const options = { dataDir: join(folder, 'postgres'), port: 0, log: quiet };

  await expect(startPostgres(options)).rejects.toThrow(
    `Torpedo is already running with this data folder, as process ${child.pid ?? 0}.`,
  );
  await write(running, 'still there');
});

test('stopping PostgreSQL leaves no process, and it can start again', async () => {
  const options = { dataDir: temporaryFolder(), port: 0, log: quiet };
  const first = await startPostgres(options);
  await first.stop();
  expect(isGone(first.pid)).toBe(true);

  const second = await startPostgres(options);
  await second.stop();
  expect(isGone(second.pid)).toBe(true);
});

test('stopping Temporal leaves no process', async () => {
  const server = await startTemporal(temporalOptions());
  await server.stop();
  expect(isGone(server.pid)).toBe(true);
});

test('Temporal gets the search attributes of a later version and keeps closed workflows for 30 days', async () => {
  const options = temporalOptions();
  await (await startTemporal({ ...options, searchAttributes: ['TorpedoCampaign'] })).stop();

  const server = await startTemporal({ ...options, searchAttributes: ['TorpedoCampaign', 'TorpedoRun'] });
  onTestFinished(server.stop);
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  expect(customAttributes).toMatchObject({ TorpedoCampaign: 2, TorpedoRun: 2 });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
});

test.runIf(process.getuid?.() === 0)(
  'for root, PostgreSQL runs in a folder that only root can access',
  async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o700);
    const server = await startPostgres({
      dataDir: join(folder, 'data'),
      port: 0,
      throwaway: true,
      log: quiet,
    });
    await server.stop();
  },
);

describe('an error message reports', () => {
  test('that the port of PostgreSQL is in use, and its setting', async () => {
    const port = await portInUse();
    await expect(
      startPostgres({ dataDir: temporaryFolder(), port, throwaway: true, log: quiet }),
    ).rejects.toThrow(
      `PostgreSQL needs port ${port}, which another program is using. Stop that program, or choose another port with TORPEDO_PG_PORT.`,
    );
  });

  test('that a port of Temporal is in use, and its setting', async () => {
    const port = await portInUse();
    await expect(startTemporal({ ...temporalOptions(), port })).rejects.toThrow(
      `Temporal needs port ${port}, which another program is using. Stop that program, or choose another port with TORPEDO_TEMPORAL_PORT.`,
    );
    await expect(startTemporal({ ...temporalOptions(), uiPort: port })).rejects.toThrow(
      'TORPEDO_TEMPORAL_UI_PORT',
    );
  });

  test('that the data folder is not writable', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const expected = `The data folder ${join(file, 'data')} is not writable (its path leads through a file).`;
    const dataDir = join(file, 'data');
    await expect(startPostgres({ dataDir, port: 0, log: quiet })).rejects.toThrow(expected);
    await expect(startTemporal({ ...temporalOptions(), dataDir })).rejects.toThrow(expected);
  });

  test('that the database was created by another major version', async () => {
    const dataDir = temporaryFolder();
    mkdirSync(join(dataDir, 'cluster'));
    writeFileSync(join(dataDir, 'cluster', 'PG_VERSION'), '15\n');
    await expect(startPostgres({ dataDir, port: 0, log: quiet })).rejects.toThrow(
      /was created by PostgreSQL 15, but this version of Torpedo includes PostgreSQL 18/,
    );
  });

  test('that the Temporal CLI is not available, what was tried, and how to fix it', async () => {
    const message = await findTemporal({
      env: { PATH: temporaryFolder(), XDG_CACHE_HOME: temporaryFolder() },
      releases: 'http://127.0.0.1:1',
    }).catch(String);
    expect(message).toContain('on the PATH: there is no temporal');
    expect(message).toMatch(/download: 127\.0\.0\.1:1 cannot be reached|download: there is no release/);
    expect(message).toContain('go install: there is no Go on the PATH');
    expect(message).toContain('TEMPORAL_CLI=/path/to/temporal');
    expect(message).toContain('TEMPORAL_ADDRESS=host:port');
  });

  test('that TEMPORAL_CLI is not a usable Temporal CLI', async () => {
    await expect(findTemporal({ env: { TEMPORAL_CLI: '/nowhere/temporal' } })).rejects.toThrow(
      'TEMPORAL_CLI is set to /nowhere/temporal, but it cannot be run (ENOENT).',
    );
    await expect(findTemporal({ env: { TEMPORAL_CLI: '/bin/ls' } })).rejects.toThrow(
      "it is not Temporal's CLI",
    );
    await expect(findTemporal({ env: { TEMPORAL_CLI: fakeCli('Server 1.24.2') } })).rejects.toThrow(
      'its server is 1.24, but Torpedo needs 1.28 or later',
    );
  });
});

describe('the Temporal CLI', () => {
  test('is downloaded once and then comes from the cache', async () => {
    const release = await startRelease();
    const env = { PATH: process.env.PATH, XDG_CACHE_HOME: temporaryFolder() };
    const path = await findTemporal({ env, releases: release.url });
    expect(path).toBe(join(env.XDG_CACHE_HOME, 'torpedo', 'bin', 'temporal-1.5.1'));
    expect(execFileSync(path, ['--version'], { encoding: 'utf8' })).toContain('Server 1.29.1');

    const requests = release.requests.length;
    expect(await findTemporal({ env, releases: release.url })).toBe(path);
    expect(release.requests).toHaveLength(requests);
  });

  test('is not unpacked when the checksum of the download is wrong', async () => {
    const release = await startRelease({ checksum: '0'.repeat(64) });
    const tools = temporaryFolder();
    const message = await findTemporal({
      env: { PATH: tools, XDG_CACHE_HOME: temporaryFolder() },
      releases: release.url,
    }).catch(String);
    expect(message).toMatch(/has the SHA-256 [0-9a-f]{64} instead of 0{64}/);
  });
});

/** Starts test/kit/embedded-process.ts, and stops it and its servers after the test. */
async function startProcess(folder: string): Promise<{ child: ChildProcess; running: Running }> {
  const script = fileURLToPath(new URL('../kit/embedded-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const running = Running.parse(JSON.parse(line));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await vi.waitUntil(() => running.pids.every(isGone), { timeout: 30_000, interval: 250 });
    });
    return { child, running };
  }
  throw new Error('The process ended without starting the servers');
}

async function write({ url, address }: Running, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: quiet });
  await sql`create table if not exists notes (text text)`;
  await sql`insert into notes values (${text})`;
  await sql.end();
  await withClient(address, (client) =>
    client.workflow.start('none', { workflowId: text, taskQueue: 'none' }),
  );
}

/** Reads the texts of `write`, and expects Temporal to have their workflows. */
async function read({ url, address }: Running): Promise<string[]> {
  const sql = postgres(url, { max: 1 });
  const rows = await sql<{ text: string }[]>`select text from notes`;
  await sql.end();
  const texts = rows.map((row) => row.text);
  for (const text of texts) {
    await withClient(address, (client) => client.workflow.getHandle(text).describe());
  }
  return texts;
}

async function withClient(address: string, use: (client: Client) => Promise<unknown>): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

function temporalOptions(): TemporalOptions {
  const dataDir = temporaryFolder();
  return { binary, dataDir, port: 0, uiPort: null, namespace: 'default', searchAttributes: [], log: quiet };
}

/** Readable by the user that PostgreSQL runs as for root. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'torpedo-embedded-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function portInUse(): Promise<number> {
  return listen(createTcpServer());
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}

/** Zombies count as gone, because they may never be reaped. */
function isGone(pid: number): boolean {
  return !processes().some((one) => one.pid === pid && !one.state.startsWith('Z'));
}

function childrenOf(parent: ChildProcess, command: string): number[] {
  return processes()
    .filter((one) => one.parent === parent.pid && one.command.startsWith(command))
    .map((one) => one.pid);
}

function processes() {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state=,command='], { encoding: 'utf8' });
  return lines.split('\n').map((line) => {
    const [pid, parent, state = '', ...command] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state, command: command.join(' ') };
  });
}

function fakeCli(version: string): string {
  const path = join(temporaryFolder(), 'temporal');
  writeFileSync(path, `#!/bin/sh\necho "temporal version 1.5.1 (${version}, UI 2.42.1)"\n`, { mode: 0o755 });
  return path;
}

/** Serves a release as it is published: an archive and a list of checksums. */
async function startRelease({ checksum }: { checksum?: string } = {}) {
  const cli = fakeCli('Server 1.29.1');
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(cli, '..'), 'temporal']);
  const name = `temporal_cli_1.5.1_${platform()}_${arch() === 'x64' ? 'amd64' : arch()}.tar.gz`;
  const files: Record<string, Buffer | string> = {
    [`/v1.5.1/${name}`]: archive,
    '/v1.5.1/checksums.txt': `${checksum ?? createHash('sha256').update(archive).digest('hex')}  ${name}\n`,
  };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const file = files[request.url ?? ''];
    response.statusCode = file === undefined ? 404 : 200;
    response.end(file);
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, requests };
}
