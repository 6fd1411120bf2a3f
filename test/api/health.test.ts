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
  until(`it is ${ready ? 'ready' : 'not ready'}`, async () => {
    const { status, body } = await ask();
    return body.ready === ready ? { status, body } : null;
  });

test('is ready when the database takes writes and Temporal answers', async () => {
  const [before] = await sql`select alive_at from deployment`;
  expect(await whenReady(true)).toEqual({
    status: 200,
    body: { ready: true, database: true, temporal: true, waitingFor: [] },
  });
  const [after] = await sql`select alive_at from deployment`;
  expect(after?.aliveAt).not.toEqual(before?.aliveAt);
});

/** Changes a setting of the database, for all its connections from now on; null: as it was. */
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

test('is not ready while the database answers but takes no writes', async () => {
  onTestFinished(() => setForAll('default_transaction_read_only', null));
  await setForAll('default_transaction_read_only', 'on');
  const { status, body } = await until('it takes no writes', async () => {
    const answer = await ask();
    return answer.body.waitingFor[0]?.problem === 'read_only' ? answer : null;
  });
  expect(status).toBe(503);
  expect(body).toMatchObject({ ready: false, database: false, temporal: true });
  await setForAll('default_transaction_read_only', null);
  await whenReady(true);
});

/** A file system of a megabyte, where this process may make one; null otherwise. */
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

test('is not ready while the disk is full', async (context) => {
  const folder = smallDisk();
  if (folder === null) return context.skip('Only root can mount a small disk.');
  // Temporary files go there, in place of all else that needs space.
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

test('names Temporal while it is away, and answers live all the same', async () => {
  const away = await createApi({ temporalAddress: `127.0.0.1:${await freePort()}` });
  // On a busy machine, the first check may end before the connection is refused: it is silent until then.
  await until('the refused connection is reported', async () => {
    const { statusCode, json } = await away.app.inject('/health/ready');
    const readiness = json<{ waitingFor: { problem: string }[] }>();
    expect([statusCode, readiness]).toMatchObject([
      503,
      { ready: false, database: true, temporal: false, waitingFor: [{ server: 'temporal' }] },
    ]);
    return readiness.waitingFor[0]?.problem === 'unreachable';
  });
  expect((await away.app.inject('/health/live')).json()).toEqual({ live: true });
});
