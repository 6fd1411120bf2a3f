import { expect, test } from 'vitest';
import { housekeepingScheduleId, lookUpsScheduleId, reportsScheduleId } from '../../domain/ids.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const { client, temporal, taskQueue } = await createSystem();

test.each([
  ['Housekeeping', housekeepingScheduleId(taskQueue), 3_600_000],
  ['Looking up unknown messages', lookUpsScheduleId(taskQueue), 300_000],
  ['Counting for reports', reportsScheduleId(taskQueue), 60_000],
])(
  '%s is a schedule that operators see, pause and trigger, and that never overlaps',
  async (_, scheduleId, every) => {
    await temporal.syncSchedules();
    const handle = client.schedule.getHandle(scheduleId);
    // It runs at once: nobody waits an hour for the first look.
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
