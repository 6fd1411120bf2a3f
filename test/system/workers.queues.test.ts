import { expect, test } from 'vitest';
import { readRun, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const system = await createSystem({ queues: ['workflows'] });
const { sql } = system;
const { ended, writtenTo } = createRunProbe(system);

test('a worker for workflows sends nothing, and a worker for sending sends', async () => {
  const run = await startRun(system, { mailing: 3 });
  await until('the run is sending', async () => (await readRun(sql, run.id)).step === 'sending');
  expect(await writtenTo(run)).toEqual([]);

  await system.workers.start(['sending']);
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(await writtenTo(run)).toHaveLength(3);
});
