import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { promoteBuild } from '../../worker/promote.ts';
import { createProvider, type Run, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const [first, second] = [`1-${randomBytes(4).toString('hex')}`, `2-${randomBytes(4).toString('hex')}`];
const system = await createSystem({ buildId: first });
const { client, taskQueue, temporal, workers } = system;
const { ended, writtenTo, workflowOf } = createRunProbe(system);

const promote = (buildId: string) =>
  promoteBuild({
    connection: client.connection,
    namespace: 'default',
    build: { deployment: taskQueue, buildId },
    log: { info: () => undefined, warn: () => undefined },
    signal: new AbortController().signal,
    pauseMs: 100,
  });
const buildOf = async (run: Run): Promise<unknown> =>
  (await workflowOf(run).describe()).raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;

test(
  'live runs continue on a new build, and an older build does not take them back',
  { timeout: 90_000 },
  async () => {
    expect(await promote(first)).toBe('current');
    const startSlowRun = async () => {
      const run = await startRun(system, {
        mailing: 200,
        providerId: await createProvider(system, { ratePerSecond: 20 }),
      });
      await until('the run is sending', async () => (await writtenTo(run)).length > 0);
      return run;
    };
    const paused = await startSlowRun();
    await temporal.pauseRun(paused, 'user:7');
    const sending = await startSlowRun();
    expect(await buildOf(sending)).toBe(first);

    const stopFirst = await workers.startBuild(second);
    expect(await promote(second)).toBe('current');
    await stopFirst();
    expect(await ended(sending)).toMatchObject({ status: 'finished' });
    const reached = await writtenTo(sending);
    expect([reached.length, new Set(reached).size]).toEqual([200, 200]);
    expect(await buildOf(sending)).toBe(second);

    await temporal.resumeRun(paused, 'user:7');
    expect(await ended(paused)).toMatchObject({ status: 'finished' });
    expect(await buildOf(paused)).toBe(second);

    const stopSecond = await workers.startBuild(first);
    expect(await promote(first)).toBe('older');
    const later = await startRun(system, { mailing: 3 });
    expect(await ended(later)).toMatchObject({ status: 'finished' });
    expect(await buildOf(later)).toBe(second);
    await stopSecond();
  },
);
