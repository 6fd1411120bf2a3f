import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { overviewView } from '../../api/runs/overview.ts';
import { enableCampaign, setNextAt } from '../../db/campaigns/campaigns.ts';
import { recordFailedAttempt } from '../../db/core/retries.ts';
import { sampleRun } from '../../db/runs/samples.ts';
import { enterStep, getRun, moveRun } from '../../db/runs/runs.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { createApi, createCatalog, createRun, errorOf } from '../kit/api.ts';

/** 01:30 in São Paulo; in Los Angeles it is still the evening of the day before. */
const now = new Date('2030-03-15T04:30:00Z');
const api = await createApi({ clock: () => now });
const { sql } = api;
const viewer = api.as('viewer');
type Overview = z.input<typeof overviewView>;

const overviewOf = async (query = ''): Promise<Overview> => {
  const answer = await viewer('GET', `/api/overview${query}`);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Overview>();
};

test('the overview of a new deployment shows the setup progress', async () => {
  const overview = await overviewOf('?days=2');
  expect(overview).toMatchObject({ running: [], attention: [], notExecuted: [], next: [] });
  expect(overview.setUp).toEqual({
    providers: 0,
    campaigns: 0,
    enabledCampaigns: 0,
    nextCampaignId: null,
    hasRun: false,
  });
  expect(overview.days).toEqual([
    { day: '2030-03-14', counts: {} },
    { day: '2030-03-15', counts: {} },
  ]);
});

test('running runs, runs that need attention and runs that were not executed are listed separately', async () => {
  const catalog = await createCatalog(api);
  const [sending, paused, failed, skipped, approval, dry] = await Promise.all(
    Array.from({ length: 6 }, async () => (await createRun(api, catalog)).runId),
  );
  const ids = { sending, paused, failed, skipped, approval, dry };
  const move = (
    id = 0,
    to: 'paused' | 'failed' | 'skipped',
    reason: Parameters<typeof moveRun>[1]['reason'],
  ) => moveRun(sql, { id, from: ['running'], to, reason });
  await move(ids.paused, 'paused', { code: 'by_user', user: 'user:1' });
  await move(ids.failed, 'failed', { code: 'workflow_lost' });
  await move(ids.skipped, 'skipped', { code: 'pending_run', runId: ids.failed ?? 0, unsent: 1 });
  await enterStep(sql, ids.approval ?? 0, 'approval');
  await sql`update runs set trigger = 'dry_run', step = 'preflight' where id = ${ids.dry ?? 0}`;
  await sql`update runs set occurrence = ${now}`;

  const idsOf = (runs: { id: number }[]) => runs.map(({ id }) => id).toSorted();
  const overview = await overviewOf();
  expect(idsOf(overview.running)).toEqual([ids.sending, ids.dry].toSorted());
  expect(idsOf(overview.attention)).toEqual([ids.paused, ids.failed, ids.approval].toSorted());
  expect(idsOf(overview.notExecuted)).toEqual([ids.skipped]);
  expect(overview.moreRuns).toBe(0);
  expect(overview.running.find(({ id }) => id === ids.dry)).toMatchObject({
    step: 'preflight',
    counts: { queued: 1 },
  });
  expect(overview.setUp).toMatchObject({ providers: 1, campaigns: 6, enabledCampaigns: 0, hasRun: true });

  // A run that finds no contacts counts as not executed if the run before had many.
  const reason = { code: 'no_contacts', runId: 1, lines: 312 } as const;
  await moveRun(sql, { id: ids.sending ?? 0, from: ['running'], to: 'finished', reason });
  const { notExecuted } = await overviewOf();
  expect(idsOf(notExecuted)).toEqual([ids.sending, ids.skipped].toSorted());
  // A later run of the campaign supersedes it.
  const [later] = await sql<[{ id: number }]>`
    insert into runs (campaign_id, occurrence, trigger, status, step, settings)
    select campaign_id, occurrence + interval '1 minute', 'manual', 'finished', 'done', settings from runs where id = ${ids.sending ?? 0}
    returning id`;
  expect(idsOf((await overviewOf()).notExecuted)).toEqual([ids.skipped]);
  await sql`delete from runs where id = ${later.id}`;
  await sql`update runs set status = 'running', step = 'sending', reason = null, finished_at = null where id = ${ids.sending ?? 0}`;

  // After a week it is no longer listed.
  await sql`update runs set occurrence = ${new Date(now.getTime() - 8 * 24 * 3_600_000)} where id = ${ids.skipped ?? 0}`;
  expect((await overviewOf()).notExecuted).toEqual([]);
});

test('the next occurrences are those that the campaign workflows wait for, earliest first', async () => {
  const campaigns = await sql<{ id: number }[]>`select id from campaigns order by id limit 3`;
  const [first, second, disabled] = campaigns.map(({ id }) => id);
  for (const id of [first, second]) await enableCampaign(sql, id ?? 0);
  await setNextAt(sql, first ?? 0, new Date('2030-03-16T12:00:00Z'));
  await setNextAt(sql, second ?? 0, new Date('2030-03-15T12:00:00Z'));
  await setNextAt(sql, disabled ?? 0, new Date('2030-03-15T11:00:00Z'));
  const { next, setUp } = await overviewOf();
  expect(next).toMatchObject([
    { campaignId: second, at: '2030-03-15T12:00:00.000Z', timezone: 'America/Sao_Paulo' },
    { campaignId: first, at: '2030-03-16T12:00:00.000Z' },
  ]);
  expect(setUp.enabledCampaigns).toBe(2);
  // After it is enabled again, its next occurrence is not planned yet.
  await sql`update campaigns set enabled = false where id = ${second ?? 0}`;
  await enableCampaign(sql, second ?? 0);
  expect((await overviewOf()).next.map(({ campaignId }) => campaignId)).toEqual([first]);
});

test('messages per day are counted by the occurrence of their run, in the requested time zone', async () => {
  await sql`delete from run_counts`;
  const runs = await sql<
    { id: number }[]
  >`select id from runs where trigger <> 'dry_run' order by id limit 3`;
  const dry = await sql<{ id: number }[]>`select id from runs where trigger = 'dry_run'`;
  const setCounts = async (id = 0, occurrence: string, status: string, messages: number) => {
    await sql`update runs set occurrence = ${occurrence} where id = ${id}`;
    await sql`insert into run_counts ${sql({ runId: id, status, reason: '', messages, segments: 0 })}`;
  };
  await setCounts(runs[0]?.id, '2030-03-15T02:59:59Z', 'delivered', 5);
  await setCounts(runs[1]?.id, '2030-03-15T03:00:00Z', 'delivered', 7);
  await setCounts(runs[2]?.id, '2030-03-13T03:00:00Z', 'failed', 2);
  await setCounts(dry[0]?.id, '2030-03-15T03:00:01Z', 'cancelled', 100);
  const daysOf = async (zone: string) => (await overviewOf(`?days=3&timezone=${zone}`)).days;
  expect(await daysOf('America/Sao_Paulo')).toEqual([
    { day: '2030-03-13', counts: { failed: 2 } },
    { day: '2030-03-14', counts: { delivered: 5 } },
    { day: '2030-03-15', counts: { delivered: 7 } },
  ]);
  expect(await daysOf('America/Los_Angeles')).toEqual([
    { day: '2030-03-12', counts: { failed: 2 } },
    { day: '2030-03-13', counts: {} },
    { day: '2030-03-14', counts: { delivered: 12 } },
  ]);
  const wrong = await viewer('GET', '/api/overview?timezone=Mars/Olympus');
  expect([wrong.statusCode, errorOf(wrong).problems?.[0]?.field]).toEqual([400, 'timezone']);
});

test('a sample of a run is stored at start and end, otherwise only when the last one is old enough', async () => {
  const [run] = await sql<
    { id: number }[]
  >`select id from runs where status = 'running' and step = 'sending' limit 1`;
  const id = run?.id ?? 0;
  await sql`delete from run_counts where run_id = ${id}`;
  await sql`insert into run_counts values (${id}, 'queued', '', 5, 5), (${id}, 'sent', '', 2, 2),
    (${id}, 'undelivered', 'not_delivered', 1, 1), (${id}, 'skipped', 'phone_missing', 9, 0)`;
  await sampleRun(sql, id);
  await sampleRun(sql, id);
  await sampleRun(sql, id, { always: true });
  const samplesOf = async () =>
    (await viewer('GET', `/api/runs/${id}/samples`)).json<{ samples: { at: string }[] }>().samples;
  expect(await samplesOf()).toMatchObject([
    { messages: 3, failed: 1 },
    { messages: 3, failed: 1 },
  ]);
  // After an hour of sending, a sample from five seconds ago is still recent.
  await sql`update runs set sending_at = now() - interval '1 hour' where id = ${id}`;
  await sql`update run_samples set at = at - interval '5 seconds' where run_id = ${id}`;
  await sampleRun(sql, id);
  expect(await samplesOf()).toHaveLength(2);
  await sql`update run_samples set at = at - interval '20 seconds' where run_id = ${id}`;
  await sampleRun(sql, id);
  expect(await samplesOf()).toHaveLength(3);
  expect((await viewer('GET', '/api/runs/999999999/samples')).statusCode).toBe(404);
});

test('a run that has retried for two minutes needs attention', async () => {
  const [catalog] = await sql<[{ providerId: number; hoursId: number }]>`
    select p.id as provider_id, h.id as hours_id from providers as p, sending_hours as h limit 1`;
  const { runId } = await createRun(api, catalog);
  const run = await getRun(sql, runId);
  if (!run) throw new Error('There is no run.');
  await recordFailedAttempt(sql, {
    workflowId: runWorkflowId(run),
    activityId: '1',
    activity: 'sendMessages',
    attempt: 1,
    cause: { code: 'fault', params: { name: 'Error' } },
    nextInMs: 1_000,
    givesUpInMs: null,
    attemptsLeft: null,
  });
  const listsOf = async (since: Date) => {
    await sql`update retries set since = ${since}`;
    const { running, attention } = await overviewOf();
    return [running, attention].map((all) => all.some(({ id }) => id === runId));
  };
  expect(await listsOf(new Date(now.getTime() - 110_000))).toEqual([true, false]);
  expect(await listsOf(new Date(now.getTime() - 130_000))).toEqual([false, true]);
});
