import { expect, test } from 'vitest';
import { runStatus } from '../../db/runs/runs.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createEnabledCampaign,
  createProvider,
  localTime,
  readRun,
  type Run,
  startRun,
} from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, temporal } = system;
const { ended, countOf } = createRunProbe(system);

const lines = 180;

/** Creates a campaign that is due in a few seconds and has an earlier run that is paused. */
async function createPending(choices: { runDespitePending: boolean }) {
  const providerId = await createProvider(system, { ratePerSecond: 30 });
  const due = new Date(Math.ceil((Date.now() + 4_000) / 1000) * 1000);
  const campaign = await createEnabledCampaign(system, {
    ...choices,
    schedule: { recurrence: { every: 'once' }, startsAt: localTime(due), timezone: 'UTC' },
    providerId,
    mailing: lines,
  });
  const earlier = await startRun(system, { campaign });
  await until('some are sent', async () => (await countOf(earlier.id, 'sent')) > 0);
  await temporal.pauseRun(earlier, 'user:7');
  const later = await until('the next run is opened', async (): Promise<Run | undefined> => {
    const [row] = await sql<{ id: number }[]>`
      select id from runs where campaign_id = ${campaign.id} and trigger = 'schedule'`;
    return row && readRun(sql, row.id);
  });
  return { earlier, later };
}

test('a run with an earlier pending run is skipped with the id and the unsent messages of that run', async () => {
  const { earlier, later } = await createPending({ runDespitePending: false });
  expect(await ended(later)).toMatchObject({ status: 'skipped' });
  const unsent = await countOf(earlier.id, 'queued');
  expect(unsent).toBeGreaterThan(0);
  expect(await readRun(sql, later.id)).toMatchObject({
    status: 'skipped',
    step: 'pending_check',
    reason: { code: 'pending_run', runId: earlier.id, unsent },
  });
  expect(await expectCountsToMatchRows(sql, later.id)).toEqual({});
});

test('a run starts despite an earlier pending run when the campaign allows it', async () => {
  const { earlier, later } = await createPending({ runDespitePending: true });
  await ended(later);
  expect(await expectCountsToMatchRows(sql, later.id)).toEqual({ sent: lines });
  expect(await runStatus(sql, earlier.id)).toBe('paused');
});

test('a failed run without messages blocks no later run, and one with unsent messages blocks until it is retried', async () => {
  const campaign = await createEnabledCampaign(system, { mailing: 'Not a mailing.\n' });
  const failed = await startRun(system, { campaign });
  await expect(ended(failed)).rejects.toThrow();
  const next = await startRun(system, { campaign });
  await expect(ended(next)).rejects.toThrow();

  const slow = await createEnabledCampaign(system, {
    providerId: await createProvider(system, { ratePerSecond: 30 }),
    mailing: lines,
  });
  const broken = await startRun(system, { campaign: slow });
  await until('some are sent', async () => (await countOf(broken.id, 'sent')) > 0);
  const [kept] = await sql<
    [{ settings: string }]
  >`select settings::text as settings from runs where id = ${broken.id}`;
  await sql`update runs set settings = settings - 'segmentProfile' where id = ${broken.id}`;
  // The pause makes the run check its hours, where it fails on the unreadable settings.
  await temporal.pauseRun(broken, 'user:7');
  await expect(ended(broken)).rejects.toThrow();
  await sql`update runs set settings = (${kept.settings}::text)::jsonb where id = ${broken.id}`;
  await expect(temporal.runNow(slow)).rejects.toMatchObject({
    code: 'run_pending',
    message: `Run ${broken.id} of this campaign still has ${await countOf(broken.id, 'queued')} unsent messages.`,
  });
  await temporal.retryRun({ ...broken, name: slow.name });
  await ended(broken);
  const { runId } = await temporal.runNow(slow);
  await ended(await readRun(sql, runId));
});
