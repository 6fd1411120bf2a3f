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

/** Copies a database whole, as a dump and its restore do: the copy is another database to PostgreSQL. */
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

test('After a restore nobody is written to twice, and who has opted out since stays so', async () => {
  await until('the database knows where it is', async () => {
    const rows = await sql`select from deployment where home is not null`;
    return rows.count > 0;
  });
  const providerId = await createProvider(system);
  // One waits for a person, with its messages queued; the other is due in a moment.
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

  // What the backup does not know: a run, the messages of another, an opt-out.
  await system.workers.start();
  const runs = (campaignId: number) =>
    sql<{ id: number }[]>`select id from runs where campaign_id = ${campaignId}`;
  const [ran] = await until('the campaign is due', async () => {
    const rows = await runs(campaign.id).catch(() => []);
    return rows.length > 0 ? rows : null;
  });
  if (!ran) throw new Error('There is one.');
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
  // What it has not seen since the backup, it can't miss.
  const [{ now }] = await sql<[{ now: Date }]>`select now()`;
  await until('the API has written since', async () => {
    await healthOf();
    return (await sql`select from deployment where alive_at > ${now}`).count > 0;
  });
  await copyDatabase(backup, name);
  // Processes that run notice; one that starts refuses.
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

  // The start of the API and of workers.
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

  // A person retries the run: nothing is left to send.
  await temporal.retryRun({ ...(await readRun(sql, waiting.id)), name: 'Waiting' });
  expect(await probe.ended(waiting)).toMatchObject({ status: 'finished' });
  expect(await gateway.taken()).toHaveLength(before.length);

  // And runs the campaign again: but for the one who has opted out, under ids that were never given out.
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

test('No campaign starts a run before the providers have been asked, unless a person goes on without', async () => {
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
  expect(home).toContain('Seguir sem esperar');
  expect((await call('/api/restores/last/complete')).status).toBe(200);
  await gateway.up();
  expect((await call(`/api/campaigns/${campaign.id}/run-now`)).status).toBe(201);
});

/** The cookie of a session. */
async function loginAsAdmin(): Promise<string> {
  const { login, password } = system.admin;
  const answer = await fetch(`${system.publicUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

test('A process tells a server that took over from a database that was put back', async () => {
  const database = await createDatabase();
  const first = await proveWrite(database.sql, null);
  await assertAtHome(database.sql);
  // Another timeline: a process that has lost nothing is at home there, one that starts cannot know.
  const takeOver = (): Promise<unknown> => database.sql`update deployment set home = 'elsewhere'`;
  await takeOver();
  await expect(proveWrite(database.sql, null)).rejects.toThrow(RestoredError);
  await expect(assertAtHome(database.sql)).rejects.toThrow('npm run migrate');
  const second = await proveWrite(database.sql, first);
  await assertAtHome(database.sql);

  await database.sql`update deployment set alive_at = alive_at - interval '1 minute'`;
  await expect(proveWrite(database.sql, second)).rejects.toThrow(RestoredError);
});

test('A role that is no superuser can tell which database it is in', async () => {
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
