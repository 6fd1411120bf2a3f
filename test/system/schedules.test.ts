import { expect, test } from 'vitest';
import { housekeepingScheduleId, lookUpsScheduleId, reportsScheduleId } from '../../domain/ids.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const { client, temporal, taskQueue } = await createSystem();

test.each([
  ['housekeeping', housekeepingScheduleId(taskQueue), 3_600_000],
  ['the look-up of unknown messages', lookUpsScheduleId(taskQueue), 300_000],
  ['counting for reports', reportsScheduleId(taskQueue), 60_000],
])(
  '%s is a Temporal Schedule that runs at once, never overlaps, and stays paused after a sync',
  async (_, scheduleId, every) => {
    await temporal.syncSchedules();
    const handle = client.schedule.getHandle(scheduleId);
    // The first round starts at once instead of after the first interval.
    const workflowId = await until('its first round has begun', async () => {
      const [first] = (await handle.describe()).info.recentActions;
      return first?.action.type === 'startWorkflow' ? first.action.workflow.workflowId : null;
    });
    expect(await client.workflow.getHandle(workflowId).result()).toEqual(expect.any(String));
    const { spec, policies } = await handle.describe();
    expect(spec.intervals).toMatchObject([{ every }]);
    expect(policies.overlap).toBe('SKIP');

    await handle.pause('maintenance');
    await temporal.syncSchedules();
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'maintenance' });
    await handle.delete();
  },
);
