import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { createApi } from '../kit/api.ts';
import { freePort } from '../../embedded/ports.ts';
import { until } from '../kit/until.ts';

const api = await createApi();
const { app, sql } = api;

interface Answer {
  ready: boolean;
  database: boolean;
  temporal: boolean;
  waitingFor: { server: string; problem: string; since: string }[];
}
const ask = async (): Promise<{ status: number; body: Answer }> => {
  const { statusCode, json } = await app.inject('/health/ready');
  return { status: statusCode, body: json<Answer>() };
};
const whenReady = (ready: boolean) =>
  until(`the API is ${ready ? 'ready' : 'not ready'}`, async () => {
    const { status, body } = await ask();
    return body.ready === ready ? { status, body } : null;
  });

test('the API is ready when the database accepts writes and Temporal responds', async () => {
  const [before] = await sql`select alive_at from deployment`;
  expect(await whenReady(true)).toEqual({
    status: 200,
    body: { ready: true, database: true, temporal: true, waitingFor: [] },
  });
  const [after] = await sql`select alive_at from deployment`;
  expect(after?.aliveAt).not.toEqual(before?.aliveAt);
});

/** Changes a setting of the database for all its connections; null resets it. */
async function setForAll(
  setting: 'default_transaction_read_only' | 'temp_tablespaces',
  value: string | null,
) {
  const server = connect(inject('databaseUrl'), { max: 1 });
  const name = new URL(api.url).pathname.slice(1);
  await (value === null
    ? server`alter database ${server(name)} reset ${server.unsafe(setting)}`
    : server`alter database ${server(name)} set ${server.unsafe(setting)} = ${server.unsafe(value)}`);
  await server`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  await server.end();
}

test('the API is not ready while the database is read-only', async () => {
  onTestFinished(() => setForAll('default_transaction_read_only', null));
  await setForAll('default_transaction_read_only', 'on');
  const { status, body } = await until('the database is read-only', async () => {
    const answer = await ask();
    return answer.body.waitingFor[0]?.problem === 'read_only' ? answer : null;
  });
  expect(status).toBe(503);
  expect(body).toMatchObject({ ready: false, database: false, temporal: true });
  await setForAll('default_transaction_read_only', null);
  await whenReady(true);
});

/** A file system of one megabyte, or null if this process cannot mount one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'torpedo-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test('the API is not ready while the disk is full', async (context) => {
  const folder = smallDisk();
  if (folder === null) return context.skip('Only root can mount a small disk.');
  // Only temporary files use the small disk, as a substitute for all data that needs space.
  const server = connect(inject('databaseUrl'), { max: 1 });
  const [row] = await server<{ dataDir: string }[]>`select current_setting('data_directory') as data_dir`;
  const { uid, gid } = statSync(row?.dataDir ?? '');
  execFileSync('chown', [`${uid}:${gid}`, folder]);
  await server`create tablespace small location ${server.unsafe(`'${folder}'`)}`;
  onTestFinished(async () => {
    await setForAll('temp_tablespaces', null);
    await server`drop tablespace small`;
    await server.end();
  });
  await setForAll('temp_tablespaces', 'small');
  await whenReady(true);
  const filler = join(folder, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
  await until('the disk is full', async () => (await ask()).body.waitingFor[0]?.problem === 'disk_full');
  expect((await sql`select 1`).count).toBe(1);
  writeFileSync(filler, '');
  await whenReady(true);
});

test('the API names Temporal while it is unreachable, and still reports itself live', async () => {
  const withoutTemporal = await createApi({ temporalAddress: `127.0.0.1:${await freePort()}` });
  // On a busy machine the first check can end before the connection is refused; until then it reports no answer.
  await until('the refused connection is reported', async () => {
    const { statusCode, json } = await withoutTemporal.app.inject('/health/ready');
    const readiness = json<{ waitingFor: { problem: string }[] }>();
    expect([statusCode, readiness]).toMatchObject([
      503,
      { ready: false, database: true, temporal: false, waitingFor: [{ server: 'temporal' }] },
    ]);
    return readiness.waitingFor[0]?.problem === 'unreachable';
  });
  expect((await withoutTemporal.app.inject('/health/live')).json()).toEqual({ live: true });
});
