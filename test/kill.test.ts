import { afterAll, expect, inject, test } from 'vitest';
import { microBatch } from '../activities/sender.ts';
import { startProcess } from '../bench/processes.ts';
import { expectCountsToMatchRows } from './counts.ts';
import { startRun } from './factories.ts';
import { createRunProbe } from './runs.ts';
import { createSystem } from './system.ts';
import { until } from './until.ts';

/** The workers are processes of their own here; those of the system are stopped. */
const system = await createSystem({ asProcess: true });
const { sql, gateway } = system;
const { ended, countOf, writtenTo } = createRunProbe(system);
const running = new Set<Awaited<ReturnType<typeof startProcess>>>();
afterAll(async () => {
  for (const worker of running) await worker.stop();
});

async function startWorker() {
  const worker = await startProcess(
    'worker/main.ts',
    {
      DATABASE_URL: system.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      SANDBOX_URL: gateway.url,
      PUBLIC_URL: 'http://127.0.0.1:1',
      SECRET_KEYS: system.secretKeys,
      LOG_LEVEL: 'error',
    },
    null,
  );
  running.add(worker);
  return {
    kill: (): void => {
      worker.child.kill('SIGKILL');
      running.delete(worker);
    },
  };
}

test('A worker killed twice in the middle of a run loses nobody, and writes to nobody twice', async () => {
  const kills = [500, 1_200];
  await gateway.misbehave({ latencyMs: 40 });
  let worker = await startWorker();
  const run = await startRun(system, { mailing: 2_000 });
  for (const mark of kills) {
    await until(`${mark} are sent`, async () => (await countOf(run.id, 'sent')) > mark, { everyMs: 5 });
    worker.kill();
    worker = await startWorker();
  }
  await ended(run);
  const { sent = 0, ...others } = await expectCountsToMatchRows(sql, run.id);
  const unknown = others['unknown: sender_died'] ?? 0;
  expect(sent + unknown).toBe(2_000);
  expect(unknown).toBeLessThanOrEqual(kills.length * microBatch);
  const phones = await writtenTo(run);
  expect(new Set(phones).size).toBe(phones.length);
  expect(phones.length).toBeGreaterThanOrEqual(sent);
  expect(phones.length).toBeLessThanOrEqual(sent + unknown);
});
