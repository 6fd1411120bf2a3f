import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { afterAll, expect, inject, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { assertAtHome, proveWrite, RestoredError } from '../../db/core/deployment.ts';
import { getRun } from '../../db/runs/runs.ts';
import { lastRestore, listCatchUps } from '../../db/runs/restores.ts';
import { stopAfterRestore } from '../../worker/restored.ts';
import { lookUps } from '../../workflows/look-ups.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createDatabase } from '../kit/database.ts';
import {
  createEnabledCampaign,
  createProvider,
  localTime,
  phoneOf,
  readRun,
  startRun,
} from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { until } from '../kit/until.ts';
import { createWholeSystem } from '../kit/whole-system.ts';

const system = await createWholeSystem();
const { sql, client, temporal, gateway, taskQueue, databaseUrl } = system;
const probe = createRunProbe(system);
const server = connect(inject('databaseUrl'), { max: 1 });
const name = new URL(databaseUrl).pathname.slice(1);
const backup = `${name}_backup`;
const temporalConnection = await Connection.connect({ address: inject('temporalAddress') });
afterAll(async () => {
  await server`drop database if exists ${server(backup)} with (force)`;
  await server.end();
  await temporalConnection.close();
});

/** Copies a database like a dump and restore: PostgreSQL sees the copy as a different database. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await server`alter database ${server(from)} allow_connections false`;
  await server`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${from}`;
  await server`drop database if exists ${server(to)} with (force)`;
  await until('nobody is connected', () =>
    server`create database ${server(to)} template ${server(from)}`.then(
      () => true,
      () => false,
    ),
  );
  await server`alter database ${server(from)} allow_connections true`;
}

const healthOf = async (): Promise<{ waitingFor: { problem: string }[] }> =>
  (await (await fetch(`${system.publicUrl}/health/ready`)).json()) as { waitingFor: { problem: string }[] };

test('after a restore no message is sent twice, and opt-outs since the backup are kept', async () => {
  await until('the database has recorded its identity', async () => {
    const rows = await sql`select from deployment where home is not null`;
    return rows.count > 0;
  });
  const providerId = await createProvider(system);
  // One run waits for approval with queued messages. The other is due soon.
  const waiting = await startRun(system, {
    providerId,
    template: 'Aguardando, {nome}',
    safeguards: { approval: true },
    mailing: 20,
  });
  await until('it waits for approval', async () => (await readRun(sql, waiting.id)).step === 'approval');
  const due = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000);
  const schedule = { recurrence: { every: 'day' }, startsAt: localTime(due), timezone: 'UTC' };
  await system.workers.stop();
  const campaign = await createEnabledCampaign(system, {
    providerId,
    schedule,
    template: 'Na hora, {nome}',
    mailing: 30,
  });
  await copyDatabase(name, backup);

  // After the backup: a run, the messages of another run, and an opt-out.
  await system.workers.start();
  const runs = (campaignId: number) =>
    sql<{ id: number }[]>`select id from runs where campaign_id = ${campaignId}`;
  const [ran] = await until('the campaign is due', async () => {
    const rows = await runs(campaign.id).catch(() => []);
    return rows.length > 0 ? rows : null;
  });
  if (!ran) throw new Error('No run.');
  const forgotten = await readRun(sql, ran.id);
  await probe.ended(forgotten);
  await temporal.approveRun(await readRun(sql, waiting.id), 'user:1');
  await probe.ended(waiting);
  const leaving = phoneOf(7);
  expect(await gateway.reply(leaving, 'SAIR')).toBe(204);
  expect((await sql`select from opt_outs where phone = ${leaving}`).count).toBe(1);
  const before = await gateway.taken();
  expect(before).toHaveLength(50);

  await system.workers.stop();
  // The API must have written since the backup, otherwise it cannot notice the restore.
  const [{ now }] = await sql<[{ now: Date }]>`select now()`;
  await until('the API has written since', async () => {
    await healthOf();
    return (await sql`select from deployment where alive_at > ${now}`).count > 0;
  });
  await copyDatabase(backup, name);
  // Running processes notice the restore, and a starting process refuses.
  await until('the API notices', async () => (await healthOf()).waitingFor[0]?.problem === 'restored');
  await expect(assertAtHome(sql)).rejects.toThrow(RestoredError);

  // `npm run migrate`
  const ended = await stopAfterRestore(sql, {
    connection: temporalConnection,
    namespace: 'default',
    taskQueue,
  });
  expect(ended).toMatchObject({ stoppedRuns: 1, completedAt: null });
  await assertAtHome(sql);
  expect(await readRun(sql, waiting.id)).toMatchObject({
    status: 'failed',
    reason: { code: 'stopped_by_restore' },
  });

  // The API and the workers start.
  await temporal.syncCampaign(campaign);
  await system.workers.start();
  const missed = await until('the occurrence is recorded as missed', async () => {
    const [row] = await runs(campaign.id);
    return row ? getRun(sql, row.id) : null;
  });
  expect(missed).toMatchObject({
    occurrence: due,
    status: 'missed',
    reason: { code: 'missed_by_restore', backupAt: ended.backupAt.toISOString() },
  });
  expect(missed.id).toBeGreaterThan(forgotten.id);
  await client.workflow.execute(lookUps, { taskQueue, workflowId: `look-ups-${randomUUID()}`, args: [] });

  const restore = await lastRestore(sql);
  expect(restore?.completedBy).toBe('system');
  expect(await listCatchUps(sql, restore?.id ?? 0)).toMatchObject([
    { providerId, state: 'done', problem: null, replies: 1, optOuts: 1, known: 20, others: 30 },
  ]);
  expect((await sql`select from opt_outs where phone = ${leaving}`).count).toBe(1);
  const counts = await expectCountsToMatchRows(sql, waiting.id);
  expect(
    Object.keys(counts).filter((status) => !['sent', 'delivered', 'undelivered'].includes(status)),
  ).toEqual([]);

  // A user retries the run: nothing is left to send.
  await temporal.retryRun({ ...(await readRun(sql, waiting.id)), name: 'Waiting' });
  expect(await probe.ended(waiting)).toMatchObject({ status: 'finished' });
  expect(await gateway.taken()).toHaveLength(before.length);

  // A new run excludes the opted-out phone, and its message ids were never used before.
  const again = await startRun(system, { campaign });
  await probe.ended(again);
  expect(await probe.writtenTo(again)).toHaveLength(29);
  expect(await probe.writtenTo(again)).not.toContain(leaving);
  const [ids] = await sql<
    [{ first: number }]
  >`select min(id) as first from messages where run_id = ${again.id}`;
  const known = before.map(({ reference }) => Number(reference));
  expect(ids.first).toBeGreaterThan(Math.max(...known));
}, 120_000);

test('no campaign starts a run before the providers were queried, unless a user skips the wait', async () => {
  const providerId = await createProvider(system);
  await gateway.down();
  const campaign = await createEnabledCampaign(system, { providerId });
  await system.workers.stop();
  await stopAfterRestore(sql, { connection: temporalConnection, namespace: 'default', taskQueue });
  await system.workers.start();
  await client.workflow.execute(lookUps, { taskQueue, workflowId: `look-ups-${randomUUID()}`, args: [] });
  const restore = await lastRestore(sql);
  expect(restore).toMatchObject({ completedAt: null });
  const catchUps = await listCatchUps(sql, restore?.id ?? 0);
  expect(catchUps.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  expect(catchUps.map(({ problem }) => problem)).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);

  const cookie = await loginAsAdmin();
  const call = (path: string) =>
    fetch(`${system.publicUrl}${path}`, {
      method: 'POST',
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
  const refused = await call(`/api/campaigns/${campaign.id}/run-now`);
  expect([refused.status, await refused.json()]).toMatchObject([
    409,
    { error: { code: 'restore_incomplete' } },
  ]);
  const home = await (await fetch(`${system.publicUrl}/`, { headers: { cookie } })).text();
  expect(home).toContain('O banco de dados foi restaurado de um backup');
  expect(home).toContain('ECONNREFUSED');
  expect(home).toContain('Continuar sem esperar');
  expect((await call('/api/restores/last/complete')).status).toBe(200);
  await gateway.up();
  expect((await call(`/api/campaigns/${campaign.id}/run-now`)).status).toBe(201);
});

/** Returns the cookie of a new session. */
async function loginAsAdmin(): Promise<string> {
  const { login, password } = system.admin;
  const answer = await fetch(`${system.publicUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

test('a running process distinguishes a failover server from a restored database', async () => {
  const database = await createDatabase();
  const first = await proveWrite(database.sql, null);
  await assertAtHome(database.sql);
  // Another timeline: a process that lost no write accepts it, but a starting process cannot decide.
  const takeOver = (): Promise<unknown> => database.sql`update deployment set home = 'elsewhere'`;
  await takeOver();
  await expect(proveWrite(database.sql, null)).rejects.toThrow(RestoredError);
  await expect(assertAtHome(database.sql)).rejects.toThrow('npm run migrate');
  const second = await proveWrite(database.sql, first);
  await assertAtHome(database.sql);

  await database.sql`update deployment set alive_at = alive_at - interval '1 minute'`;
  await expect(proveWrite(database.sql, second)).rejects.toThrow(RestoredError);
});

test('a role without superuser rights can read the identity of the database', async () => {
  const database = await createDatabase();
  const role = `role_${randomUUID().slice(0, 8)}`;
  await server`create role ${server(role)} login password 'x'`;
  const identity = await database.sql.begin(async (tx) => {
    await tx`set local role ${tx(role)}`;
    return tx`select database_identity() as identity`;
  });
  await server`drop role ${server(role)}`;
  expect(identity[0]?.identity).toMatch(/^\d+\/\d+\/[0-9A-F]{8}$/);
});
