import { afterEach, expect, test } from 'vitest';
import { disableCampaign, updateCampaign } from '../../db/campaigns/campaigns.ts';
import { weekdays } from '../../domain/calendar.ts';
import { waitingOf } from '../../domain/waiting.ts';
import { insertSetting } from '../../db/settings/settings.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  addMailing,
  always,
  createEnabledCampaign,
  createHours,
  createProvider,
  mailing,
  phonesOf,
  readCampaign,
  readRun,
  someDay,
  startRun,
} from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, clock, gateway, temporal } = system;
const { ended, countOf, writtenTo } = createRunProbe(system);

const commercial = {
  timezone: 'UTC',
  windows: [{ days: [...weekdays], from: '08:00', to: '18:00' }],
};
const hourMs = 60 * 60_000;

/** Sets the clock of the activities, which then continues in real time. */
function setClock(time: string, { days = 0 } = {}): void {
  const today = new Date().toISOString().slice(0, 10);
  clock.aheadMs = Date.parse(`${today}T${time}Z`) + days * 24 * hourMs - Date.now();
}
afterEach(() => {
  clock.aheadMs = 0;
});

test('a run that is due outside its hours waits, also across a worker restart, and continues when they open', async () => {
  setClock('07:59:55');
  const run = await startRun(system, { hoursId: await createHours(sql, commercial), mailing: 10 });
  await until('it waits for its hours', async () => (await readRun(sql, run.id)).step === 'hours');
  await system.workers.stop();
  await system.workers.start();
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(clock.now().toISOString().slice(11)).toMatch(/^08:00/);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 10 });
});

test.each([5, 100])(
  'a run of %i lines stops at the end of its hours and later sends the rest',
  async (lines) => {
    const providerId = await createProvider(system, { ratePerSecond: lines / 12 });
    setClock('17:59:52');
    const run = await startRun(system, {
      hoursId: await createHours(sql, commercial),
      mailing: lines,
      providerId,
    });
    await until('the hours are over', () => clock.now().toISOString().slice(11) > '18:00:01');
    await until('nothing is being sent', async () => {
      const [row] = await sql<[{ n: number }]>`
      select count(*)::int as n from messages where run_id = ${run.id} and status = 'sending'`;
      return row.n === 0;
    });
    const sent = await countOf(run.id, 'sent');
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(lines);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent, queued: lines - sent });

    // Its timer is set for the next morning. A resume makes it check the hours at once.
    setClock('08:00:00', { days: 1 });
    await temporal.pauseRun(run, 'user:7');
    await temporal.resumeRun(run, 'user:7');
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines).toSorted());
  },
);

test.each([5, 100])('unsent messages of a run of %i lines are cancelled when it expires', async (lines) => {
  const providerId = await createProvider(system, { ratePerSecond: lines / 6 });
  clock.aheadMs = hourMs - 4_000;
  const run = await startRun(system, { expiresAfterHours: 1, mailing: lines, providerId });
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect(Object.keys(counts).toSorted()).toEqual(['cancelled', 'sent']);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'cancelled', reason: { code: 'expired' } });
  expect(await writtenTo(run)).toHaveLength(counts.sent ?? 0);
});

test('a run that waits for its hours can be paused, resumed and cancelled', async () => {
  setClock('07:59:52');
  const hoursId = await createHours(sql, commercial);
  const before = (await gateway.taken()).length;
  const run = await startRun(system, { hoursId, mailing: 10 });
  await until('it waits for its hours', async () => (await readRun(sql, run.id)).step === 'hours');
  await temporal.pauseRun(run, 'user:7');
  setClock('08:00:05');
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'paused', step: 'hours' });
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 10 });

  setClock('20:00:00');
  const other = await startRun(system, { hoursId, mailing: 10 });
  await until('it waits for its hours', async () => (await readRun(sql, other.id)).step === 'hours');
  await temporal.cancelRun(other, 'user:7');
  expect(await ended(other)).toEqual({ status: 'cancelled', counts: {} });
  expect((await gateway.taken()).length - before).toBe(10);
});

test('a run whose hours never open fails with this reason', async () => {
  const mondays = Array.from({ length: 60 }, (_, week) => {
    const day = new Date(Date.now() + week * 7 * 24 * hourMs);
    day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
    return { date: day.toISOString().slice(0, 10), name: 'Segunda' };
  });
  const calendar = await insertSetting(sql, 'holidayCalendars', {
    name: 'Mondays',
    definition: { holidays: mondays },
  });
  const run = await startRun(system, {
    hoursId: await createHours(sql, {
      timezone: 'UTC',
      windows: [{ days: ['monday'], from: '08:00', to: '18:00' }],
    }),
    schedule: { ...someDay, holidayCalendarId: calendar.id },
  });
  await expect(ended(run)).rejects.toMatchObject({ cause: { type: 'HoursNeverOpen' } });
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    step: 'hours',
    reason: { code: 'hours_never_open' },
  });
});

test('a paused run expires, too', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 5 });
  const run = await startRun(system, { mailing: 100, expiresAfterHours: 1, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 0);
  clock.aheadMs = run.occurrence.getTime() + hourMs - 4_000 - Date.now();
  await temporal.pauseRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'cancelled', reason: { code: 'expired' } });
  const { sent = 0, cancelled = 0 } = await expectCountsToMatchRows(sql, run.id);
  expect(sent + cancelled).toBe(100);
});

test('a run that waits for its hours uses the text and file of the campaign at the time that they open', async () => {
  setClock('07:59:40');
  const campaign = await createEnabledCampaign(system, {
    hoursId: await createHours(sql, commercial),
    template: 'Texto de sexta, {nome}',
    mailing: 5,
  });
  const run = await startRun(system, { campaign });
  await until('it waits for its hours', async () => (await readRun(sql, run.id)).step === 'hours');
  const before = await readCampaign(sql, campaign.id);
  const definition = structuredClone(before.definition);
  definition.message.template = 'Texto de segunda, {nome}';
  definition.mailing.expiresAfterHours = 30;
  await updateCampaign(sql, { id: campaign.id, version: before.version, definition });
  await addMailing(sql, campaign.id, mailing(2));

  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(clock.now().toISOString().slice(11)).toMatch(/^08:00/);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 2 });
  const texts = await sql<
    { text: string }[]
  >`select text from messages where run_id = ${run.id} order by line`;
  expect(texts.map(({ text }) => text)).toEqual([
    'Texto de segunda, Contato 1',
    'Texto de segunda, Contato 2',
  ]);
  expect((await readRun(sql, run.id)).expiresAt?.getTime()).toBe(run.occurrence.getTime() + 30 * hourMs);

  // From then on the settings are frozen.
  await sql`
    update campaigns set definition = jsonb_set(definition, '{message,template}', '"Outro"') where id = ${campaign.id}`;
  expect((await readRun(sql, run.id)).settings.campaign.message.template).toBe('Texto de segunda, {nome}');
});

test('a run whose campaign is disabled while it waits is skipped with this reason', async () => {
  setClock('07:59:46');
  const campaign = await createEnabledCampaign(system, { hoursId: await createHours(sql, commercial) });
  const before = (await gateway.taken()).length;
  const run = await startRun(system, { campaign });
  await until('it waits for its hours', async () => (await readRun(sql, run.id)).step === 'hours');
  await disableCampaign(sql, campaign.id);
  expect(await ended(run)).toEqual({ status: 'skipped', counts: {} });
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'skipped',
    reason: { code: 'campaign_disabled' },
    mailingAt: null,
  });
  expect((await gateway.taken()).length).toBe(before);
});

test.each([15, 200])(
  'changed hours apply at once to a run of %i lines, narrowed or widened',
  async (lines) => {
    const providerId = await createProvider(system, { ratePerSecond: lines / 10 });
    const hoursId = await createHours(sql);
    const run = await startRun(system, { hoursId, mailing: lines, providerId });
    await until('some are sent', async () => (await countOf(run.id, 'sent')) > 2);
    // Open for one minute of another day.
    const day = weekdays[(new Date().getUTCDay() + 3) % 7] ?? 'monday';
    const change = (definition: object) =>
      sql`update sending_hours set definition = ${sql.json(definition as never)} where id = ${hoursId}`;
    await change({ timezone: 'UTC', windows: [{ days: [day], from: '08:00', to: '08:01' }] });
    await until('it waits for its hours', async () => {
      const row = await readRun(sql, run.id);
      const left = await sql`select from claims where run_id = ${run.id}`;
      return waitingOf(row, clock.now())?.code === 'hours' && left.count === 0;
    });
    const sent = (await gateway.taken()).length;
    expect(await countOf(run.id, 'sent')).toBeLessThan(lines);
    await until('some time has passed', () => Date.now() > run.occurrence.getTime() + 4_000);
    await change(always);
    await temporal.pauseRun(run, 'user:7');
    expect((await gateway.taken()).length - sent).toBeLessThanOrEqual(1);
    await temporal.resumeRun(run, 'user:7');
    expect(await ended(run)).toMatchObject({ status: 'finished' });
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
  },
);
