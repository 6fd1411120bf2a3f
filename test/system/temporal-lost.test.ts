import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { createCampaignSync } from '../../api/services/campaign-sync.ts';
import {
  campaignWorkflowId,
  housekeepingScheduleId,
  lookUpsScheduleId,
  reportsScheduleId,
} from '../../domain/ids.ts';
import { createEnabledCampaign } from '../kit/factories.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem();
const { sql, temporal, client, taskQueue } = system;
const schedules = [housekeepingScheduleId, lookUpsScheduleId, reportsScheduleId].map((idOf) =>
  idOf(taskQueue),
);
const sync = createCampaignSync({ sql, temporal, log: pino({ level: 'silent' }) });
afterAll(async () => {
  await sync.close();
  for (const id of schedules)
    await client.schedule
      .getHandle(id)
      .delete()
      .catch(() => undefined);
});

test('lost schedules and workflows are recreated without a restart of the API', async () => {
  const campaign = await createEnabledCampaign(system);
  sync.syncAll();
  await until('the schedules exist', () => temporal.hasSchedules());
  // Simulates the loss of Temporal's database.
  await client.workflow.getHandle(campaignWorkflowId(campaign.id)).terminate('lost');
  for (const id of schedules) await client.schedule.getHandle(id).delete();
  await until('the schedule is gone', async () => !(await temporal.hasSchedules()));
  let lost = 0;
  sync.watch(() => {
    lost++;
  }, 100);
  await until('the schedules exist again', () => temporal.hasSchedules());
  await until('the campaign has its workflow again', async () => {
    const { status } = await client.workflow.getHandle(campaignWorkflowId(campaign.id)).describe();
    return status.name === 'RUNNING';
  });
  expect(lost).toBeGreaterThan(0);
});
