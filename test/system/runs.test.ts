import { expect, test } from 'vitest';
import { generateMailing } from '../../examples/make-mailing.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createProvider, mailing, phonesOf, readRun, startRun } from '../kit/factories.ts';
import { eventsOf } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem, singleSendUpTo } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, client, temporal } = system;

const { workflowOf, ended, countOf, writtenTo } = createRunProbe(system);

test('a run sends to every contact of its mailing once, and each line has one final status', async () => {
  const run = await startRun(system, { mailing: [...generateMailing(600, 7)].join('') });
  expect(await ended(run)).toMatchObject({ status: 'finished' });

  const counts = await expectCountsToMatchRows(sql, run.id);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(600);
  expect(Object.keys(counts).filter((key) => key !== 'sent' && !key.startsWith('skipped: '))).toEqual([]);
  const phones = await writtenTo(run);
  expect(phones).toHaveLength(counts.sent ?? 0);
  expect(new Set(phones).size).toBe(phones.length);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished', step: 'done', reason: null });
});

test('a run of few lines sends each message in a separate activity', async () => {
  const run = await startRun(system, { mailing: singleSendUpTo });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: singleSendUpTo });
  const events = await eventsOf(client, run);
  expect(events.activities('sendMessage')).toBe(singleSendUpTo);
  expect(events.activities('sendMessages')).toBe(0);
});

test('a run of more lines streams them in one activity', async () => {
  const run = await startRun(system, { mailing: singleSendUpTo + 1 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: singleSendUpTo + 1 });
  const events = await eventsOf(client, run);
  expect(events.activities('sendMessage')).toBe(0);
  expect(events.activities('sendMessages')).toBe(1);
});

test('a paused run sends nothing until it is resumed, and then each remaining message once', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 200, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);

  await temporal.pauseRun(run, 'user:7');
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'paused',
    reason: { code: 'by_user', user: 'user:7' },
  });
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect(Object.keys(counts).toSorted()).toEqual(['queued', 'sent']);
  expect(await writtenTo(run)).toHaveLength(counts.sent ?? 0);

  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 200 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(200));
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished', reason: null });
});

test('concurrent pauses and resumes leave the run in the state of the last one', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 100, providerId });
  for (let round = 0; round < 3; round++) {
    await Promise.all([
      temporal.pauseRun(run, 'user:7'),
      temporal.resumeRun(run, 'user:8'),
      temporal.pauseRun(run, 'user:7'),
      temporal.resumeRun(run, 'user:8'),
    ]);
  }
  // In status `running` it really sends.
  if ((await readRun(sql, run.id)).status === 'paused') await temporal.resumeRun(run, 'user:8');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 100 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(100));
});

test('a cancelled run sends nothing more, and its unsent messages are cancelled', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 200, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);

  await temporal.cancelRun(run, 'token:3');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect(Object.keys(counts).toSorted()).toEqual(['cancelled', 'sent']);
  expect((counts.cancelled ?? 0) + (counts.sent ?? 0)).toBe(200);
  expect(await writtenTo(run)).toHaveLength(counts.sent ?? 0);
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'cancelled',
    reason: { code: 'by_user', user: 'token:3' },
  });
});

test('a paused run can be cancelled', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 100, providerId });
  await temporal.pauseRun(run, 'user:7');
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  await expectCountsToMatchRows(sql, run.id);
});

test('a run that is cancelled in Temporal ends as cancelled, here and in Temporal', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 20 });
  const run = await startRun(system, { mailing: 500, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 4);

  await workflowOf(run).cancel();
  await expect(ended(run)).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect((counts.cancelled ?? 0) + (counts.sent ?? 0)).toBe(500);
  // The senders learn of it with their next heartbeats.
  expect(counts.sent).toBeLessThan(250);
  expect(await writtenTo(run)).toHaveLength(counts.sent ?? 0);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'cancelled', reason: { code: 'by_temporal' } });
});

test('a run that is paused while its mailing is read imports all of it and sends nothing', async () => {
  const run = await startRun(system, { mailing: 20_000 });
  await until('the mailing is being read', async () => (await readRun(sql, run.id)).step === 'mailing');
  await temporal.pauseRun(run, 'user:7');
  await until('it has been read', async () => (await readRun(sql, run.id)).mailingAt !== null);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ queued: 20_000 });
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ cancelled: 20_000 });
  expect(await writtenTo(run)).toEqual([]);
});

test('a run that is cancelled while its mailing is read stops reading soon', async () => {
  const run = await startRun(system, { mailing: mailing(150_000) });
  await until('the mailing is being read', async () => (await readRun(sql, run.id)).step === 'mailing');
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
  expect(await writtenTo(run)).toEqual([]);
});

test('an ended run cannot be paused or resumed', async () => {
  const run = await startRun(system, { mailing: 1 });
  await ended(run);
  await expect(temporal.pauseRun(run, 'user:7')).rejects.toMatchObject({ code: 'run_ended' });
  await expect(temporal.resumeRun(run, 'user:7')).rejects.toMatchObject({ code: 'run_ended' });
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished' });
});
