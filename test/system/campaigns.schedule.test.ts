import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { disableCampaign, enableCampaign, updateCampaign } from '../../db/campaigns/campaigns.ts';
import { insertSetting } from '../../db/settings/settings.ts';
import { campaignDraft } from '../../domain/campaign.ts';
import { campaignWorkflowId } from '../../domain/ids.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  type CampaignChoices,
  createCampaign,
  createEnabledCampaign,
  createProvider,
  localTime,
  readCampaign,
  readRun,
  someDay,
} from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const gracePeriodMs = 150_000;
const system = await createSystem({ gracePeriodMs });
const { sql, client, temporal } = system;
const { ended, countOf } = createRunProbe(system);

/** The first whole second at least `ms` from now. Schedules have no milliseconds. */
const inMs = (ms: number): Date => new Date(Math.ceil((Date.now() + ms) / 1000) * 1000);
const once = (at: Date) => ({ recurrence: { every: 'once' }, startsAt: localTime(at), timezone: 'UTC' });
const everyMinute = (at: Date) => ({ ...once(at), recurrence: { every: 'minutes', interval: 1 } });
const daily = (at: Date) => ({ ...once(at), recurrence: { every: 'day' } });

const workflowOf = (campaignId: number) => client.workflow.getHandle(campaignWorkflowId(campaignId));
const statusOf = async (campaignId: number) => (await workflowOf(campaignId).describe()).status.name;
const runsOf = async (campaignId: number) => {
  const rows = await sql<{ id: number }[]>`
    select id from runs where campaign_id = ${campaignId} order by occurrence`;
  return Promise.all(rows.map(({ id }) => readRun(sql, id)));
};
const onlyRunOf = (campaignId: number) =>
  until('there is a run', async () => (await runsOf(campaignId)).find(({ status }) => status !== 'missed'));
const finishedRunOf = async (campaignId: number) => {
  const run = await onlyRunOf(campaignId);
  await ended(run);
  return readRun(sql, run.id);
};

/** Enabled while the system was down: no workflow has planned it yet. */
async function createUnplanned(enabledAt: Date, choices: CampaignChoices) {
  const campaign = await createCampaign(system, choices);
  await sql`update campaigns set enabled = true, enabled_at = ${enabledAt} where id = ${campaign.id}`;
  return campaign;
}

async function edit(id: number, schedule: object): Promise<void> {
  const { definition, version } = await readCampaign(sql, id);
  await updateCampaign(sql, { id, version, definition: campaignDraft.parse({ ...definition, schedule }) });
}

test('a campaign starts the run of an occurrence when it is due, and continues as new', async () => {
  const due = inMs(1_500);
  const campaign = await createEnabledCampaign(system, { schedule: everyMinute(due) });
  const { runId: first } = await workflowOf(campaign.id).describe();
  const run = await finishedRunOf(campaign.id);
  expect(run).toMatchObject({ occurrence: due, trigger: 'schedule', status: 'finished' });
  const lateMs = (run.startedAt?.getTime() ?? 0) - due.getTime();
  expect(lateMs).toBeGreaterThanOrEqual(0);
  // Before the next occurrence.
  expect(lateMs).toBeLessThan(60_000);
  expect((await readCampaign(sql, campaign.id)).scheduledThrough).toEqual(due);
  const { runId: second, status } = await workflowOf(campaign.id).describe();
  expect(second).not.toBe(first);
  expect(status.name).toBe('RUNNING');
  expect(await runsOf(campaign.id)).toHaveLength(1);
});

test('an edit while the campaign waits takes effect at once', async () => {
  const campaign = await createEnabledCampaign(system, { schedule: someDay });
  const due = inMs(1_500);
  await edit(campaign.id, once(due));
  await temporal.syncCampaign(campaign);
  expect(await finishedRunOf(campaign.id)).toMatchObject({ occurrence: due, status: 'finished' });
});

test('disabling ends the campaign workflow and lets the current run finish', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 40 });
  const campaign = await createEnabledCampaign(system, {
    schedule: once(inMs(1_000)),
    providerId,
    mailing: 120,
  });
  const run = await onlyRunOf(campaign.id);
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 0);
  await disableCampaign(sql, campaign.id);
  await temporal.syncCampaign(campaign);
  await until('its workflow has ended', async () => (await statusOf(campaign.id)) === 'COMPLETED');
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'running' });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 120 });
});

test('a campaign that is enabled and disabled in quick succession ends in its last state', async () => {
  const due = inMs(4_000);
  const campaign = await createCampaign(system, { schedule: once(due) });
  for (let turn = 0; turn < 5; turn++) {
    await enableCampaign(sql, campaign.id);
    await temporal.syncCampaign(campaign);
    await disableCampaign(sql, campaign.id);
    await temporal.syncCampaign(campaign);
  }
  await enableCampaign(sql, campaign.id);
  await temporal.syncCampaign(campaign);
  expect(await finishedRunOf(campaign.id)).toMatchObject({ occurrence: due, status: 'finished' });
  await disableCampaign(sql, campaign.id);
  await temporal.syncCampaign(campaign);
  await until('its workflow has ended', async () => (await statusOf(campaign.id)) === 'COMPLETED');
  expect(await runsOf(campaign.id)).toHaveLength(1);
});

test('an occurrence that was due during an outage runs late within the grace period', async () => {
  const due = inMs(-20_000);
  const campaign = await createUnplanned(inMs(-60_000), { schedule: once(due) });
  await temporal.syncCampaign(campaign);
  expect(await finishedRunOf(campaign.id)).toMatchObject({ occurrence: due, status: 'finished' });
});

test('of several missed occurrences the last one runs, and the others are recorded with a reason', async () => {
  const at = (ms: number) => inMs(ms);
  const first = at(-200_000);
  const campaign = await createUnplanned(inMs(-230_000), {
    // The schedule ends before a further occurrence.
    schedule: { ...everyMinute(first), endsAt: localTime(new Date(first.getTime() + 185_000)) },
  });
  await temporal.syncCampaign(campaign);
  const run = await finishedRunOf(campaign.id);
  const by = run.occurrence.toISOString();
  expect(run.occurrence.getTime()).toBe(first.getTime() + 180_000);
  const runs = await runsOf(campaign.id);
  expect(runs.map(({ status, reason }) => ({ status, reason }))).toEqual([
    {
      status: 'missed',
      reason: expect.objectContaining({ code: 'beyond_grace', graceMs: gracePeriodMs }) as object,
    },
    { status: 'missed', reason: { code: 'superseded', by } },
    { status: 'missed', reason: { code: 'superseded', by } },
    { status: 'finished', reason: null },
  ]);
});

test('an occurrence beyond the grace period is only recorded as missed', async () => {
  const campaign = await createUnplanned(inMs(-600_000), { schedule: once(inMs(-500_000)) });
  await temporal.syncCampaign(campaign);
  await until('it is recorded', async () => (await runsOf(campaign.id)).length === 1);
  const [run] = await runsOf(campaign.id);
  expect(run).toMatchObject({ status: 'missed', reason: { code: 'beyond_grace' } });
  expect(await statusOf(campaign.id)).toBe('RUNNING');
});

test('after a long outage all 250 missed occurrences are recorded', async () => {
  const first = inMs(-260 * 60_000);
  const campaign = await createUnplanned(inMs(-261 * 60_000), {
    schedule: { ...everyMinute(first), endsAt: localTime(new Date(first.getTime() + 249 * 60_000 + 1_000)) },
  });
  await temporal.syncCampaign(campaign);
  await until('all are recorded', async () => (await runsOf(campaign.id)).length === 250);
  expect(
    new Set((await runsOf(campaign.id)).map(({ status, reason }) => `${status} ${reason?.code ?? ''}`)),
  ).toEqual(new Set(['missed beyond_grace']));
});

test('an occurrence on a holiday is neither due nor missed', async () => {
  const dayMs = 24 * 60 * 60_000;
  const today = inMs(-20_000);
  const before = (days: number): Date => new Date(today.getTime() - days * dayMs);
  const calendar = await insertSetting(sql, 'holidayCalendars', {
    name: 'Local',
    definition: { holidays: [{ date: localTime(before(1)).slice(0, 10), name: 'Aniversário da cidade' }] },
  });
  const campaign = await createUnplanned(before(3), {
    schedule: { ...daily(before(2)), holidayCalendarId: calendar.id },
  });
  await temporal.syncCampaign(campaign);
  await finishedRunOf(campaign.id);
  expect((await runsOf(campaign.id)).map(({ occurrence, status }) => [occurrence, status])).toEqual([
    [before(2), 'missed'],
    [today, 'finished'],
  ]);
});

test('an occurrence that was due before an edit still runs', async () => {
  const due = inMs(-20_000);
  const campaign = await createUnplanned(inMs(-60_000), { schedule: once(due) });
  await edit(campaign.id, someDay);
  await temporal.syncCampaign(campaign);
  expect(await finishedRunOf(campaign.id)).toMatchObject({ occurrence: due, status: 'finished' });
  await until('the previous schedules are done', async () => {
    const { scheduleSince, ...row } = await readCampaign(sql, campaign.id);
    return scheduleSince !== null && row.previousSchedules.length === 0;
  });
});

test('an occurrence that an edit removed before it was due does not run, also after further edits', async () => {
  const campaign = await createUnplanned(inMs(-60_000), { schedule: once(inMs(2_000)) });
  await edit(campaign.id, once(inMs(60 * 60_000)));
  await sleep(3_000);
  await edit(campaign.id, someDay);
  await temporal.syncCampaign(campaign);
  await until('the campaign has planned', async () => {
    const { previousSchedules } = await readCampaign(sql, campaign.id);
    return previousSchedules.length === 0;
  });
  expect(await runsOf(campaign.id)).toEqual([]);
});

test('"Run now" runs at once and does not change the schedule', async () => {
  const campaign = await createEnabledCampaign(system);
  const { runId } = await temporal.runNow(campaign);
  const run = await readRun(sql, runId);
  await ended(run);
  expect(await readRun(sql, runId)).toMatchObject({ trigger: 'manual', status: 'finished' });
  expect((await readCampaign(sql, campaign.id)).scheduledThrough).toBeNull();
});

test('"Run now" of a disabled campaign is refused', async () => {
  const campaign = await createCampaign(system);
  await expect(temporal.runNow(campaign)).rejects.toMatchObject({ code: 'not_enabled' });
  await until('its workflow has ended', async () => (await statusOf(campaign.id)) === 'COMPLETED');
});

/** Requests both runs while no worker runs, so that they reach the workflow together. */
async function runTwiceAtOnce(choices: CampaignChoices) {
  const campaign = await createEnabledCampaign(system, choices);
  await system.workers.stop();
  const requests = Promise.allSettled([temporal.runNow(campaign), temporal.runNow(campaign)]);
  await sleep(500);
  await system.workers.start();
  return { campaign, answers: await requests };
}

test('two concurrent "Run now" requests start one run, and the refused one names it', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 20 });
  const { campaign, answers } = await runTwiceAtOnce({ providerId, mailing: 40 });
  const [run, ...others] = await runsOf(campaign.id);
  expect(others).toEqual([]);
  const refused = answers.find((answer) => answer.status === 'rejected');
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
  expect(refused?.reason).toMatchObject({
    code: 'run_pending',
    message: expect.stringContaining(`Run ${run?.id ?? 0} `) as string,
  });
});

test('two concurrent "Run now" requests start two runs when runs may overlap', async () => {
  const { campaign, answers } = await runTwiceAtOnce({ runDespitePending: true });
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  const runs = await runsOf(campaign.id);
  expect(runs).toHaveLength(2);
  for (const run of runs) await ended(run);
});
