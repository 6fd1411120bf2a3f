import { afterAll, afterEach, expect, inject, test } from 'vitest';
import { ApiError } from '../../api/http/errors.ts';
import { startProcess } from '../../bench/processes.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createProvider, maxInFlight, readRun, type Run, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** The workers run as separate processes; those of the test system are stopped. */
const system = await createSystem({ asProcess: true });
const { sql, gateway, temporal } = system;
const { ended, countOf, workflowOf, writtenTo } = createRunProbe(system);
const running = new Set<Awaited<ReturnType<typeof startProcess>>>();

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
      SENDERS_PER_RUN: '1',
    },
    null,
  );
  running.add(worker);
}
await Promise.all([startWorker(), startWorker()]);
await until(
  'both workers poll for tasks',
  async () => {
    const { pollers } = await system.client.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: system.taskQueue },
    });
    // Temporal also lists workers of other test files for some minutes after they have ended.
    return [...running].every(({ child }) =>
      pollers.some(({ identity }) => identity?.startsWith(`${child.pid ?? ''}@`)),
    );
  },
  { withinMs: 110_000 },
);

let thaw = (): unknown => undefined;
afterEach(async () => {
  thaw();
  await gateway.behave();
});
afterAll(async () => {
  for (const worker of running) await worker.stop();
});

const pendingOf = async (run: Run) => (await workflowOf(run).describe()).raw.pendingActivities ?? [];

/**
 * A run that is sending, whose sender is frozen as on a paused machine: its process keeps its connections and does not
 * notice how much time passes. Another worker is running.
 */
async function startFrozenRun({
  lines,
  ratePerSecond,
  latencyMs = 40,
}: {
  lines: number;
  ratePerSecond: number | null;
  latencyMs?: number;
}) {
  await gateway.misbehave({ latencyMs });
  const providerId = await createProvider(system, { ratePerSecond });
  const run = await startRun(system, { mailing: lines, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 100, {
    withinMs: 60_000,
    everyMs: 5,
  });
  const identity = (await pendingOf(run))[0]?.lastWorkerIdentity ?? '';
  const sender = [...running].find(({ child }) => identity.startsWith(`${child.pid ?? ''}@`));
  if (!sender) throw new Error(`The sender is not one of the workers: ${identity}`);
  sender.child.kill('SIGSTOP');
  thaw = () => sender.child.kill('SIGCONT');
  return run;
}

/** Temporal may give the request to the frozen worker: then it is repeated until the other worker answers. */
const retryUntilAnswered = (request: () => Promise<unknown>) =>
  until(
    'a worker has answered',
    () =>
      request().then(
        () => true,
        (error: unknown) => {
          if (error instanceof ApiError && error.code === 'worker_unavailable') return false;
          if (error instanceof ApiError && error.code === 'run_ended') return true;
          throw error;
        },
      ),
    { withinMs: 60_000 },
  );

/** The messages that the thawed sender had in flight may stay unknown; it reports all others as not sent. */
const outcomesOf = (run: Run) =>
  until('the thawed sender has reported its outcomes', async () => {
    const counts = await expectCountsToMatchRows(sql, run.id);
    const [claims] = await sql<
      [{ n: number }]
    >`select count(*)::int as n from claims where run_id = ${run.id}`;
    return claims.n === 0 && (counts['unknown: sender_died'] ?? 0) <= maxInFlight && counts;
  });

test('the messages that a frozen worker held when its run ended fail, and do not leave when the worker resumes', async () => {
  const run = await startFrozenRun({ lines: 1_500, ratePerSecond: null });
  await ended(run);
  const held = await countOf(run.id, 'unknown');
  expect(held).toBeGreaterThan(maxInFlight);
  const before = await writtenTo(run);
  thaw();
  const counts = await outcomesOf(run);
  const after = await writtenTo(run);
  expect(after.slice(0, before.length)).toEqual(before);
  // The sender may have been frozen between its check and its write (docs/architecture.md).
  expect(after.length - before.length).toBeLessThanOrEqual(1);
  expect(new Set(after).size).toBe(after.length);
  const notSent = counts['failed: not_sent'] ?? 0;
  expect(notSent).toBeGreaterThan(0);
  expect(after.length).toBe(1_500 - notSent);
  expect(Object.keys(counts).filter((status) => !/^(sent|unknown|failed: not_sent)/.test(status))).toEqual(
    [],
  );
}, 150_000);

test('a frozen worker that resumes during its run returns the messages that it held, and each is sent once', async () => {
  const run = await startFrozenRun({ lines: 3_000, ratePerSecond: 100 });
  await until('the other worker sends', async () => (await countOf(run.id, 'unknown')) > 0, {
    withinMs: 60_000,
  });
  thaw();
  await ended(run);
  const {
    sent = 0,
    'unknown: sender_died': unknown = 0,
    ...others
  } = await expectCountsToMatchRows(sql, run.id);
  expect(others).toEqual({});
  expect(sent + unknown).toBe(3_000);
  expect(unknown).toBeLessThanOrEqual(maxInFlight);
  const phones = await writtenTo(run);
  expect(new Set(phones).size).toBe(phones.length);
}, 150_000);

test.each([
  { ratePerSecond: null, waits: false, when: 'at once' },
  { ratePerSecond: 100, waits: true, when: 'after its timeout' },
])(
  'no message leaves after a confirmed pause, also when a frozen worker resumes $when',
  async ({ ratePerSecond, waits }) => {
    // The other worker may send 50 messages each 400 ms until the pause is confirmed; some must be left by then.
    const lines = 4_000;
    const run = await startFrozenRun({ lines, ratePerSecond, latencyMs: 400 });
    await retryUntilAnswered(() => temporal.pauseRun(run, 'user:7'));
    const before = await writtenTo(run);
    if (waits) await until('its activity has timed out', async () => (await pendingOf(run)).length === 0);
    thaw();
    await outcomesOf(run);
    expect(await writtenTo(run)).toEqual(before);
    expect(await readRun(sql, run.id)).toMatchObject({ status: 'paused', reason: { code: 'by_user' } });
    await gateway.misbehave({ latencyMs: 0 });
    await sql`update providers set rate_per_second = null where id = ${run.providerId}`;
    await temporal.resumeRun(run, 'user:7');
    await ended(run);
    const phones = await writtenTo(run);
    expect(new Set(phones).size).toBe(phones.length);
    expect(phones.length + (await countOf(run.id, 'unknown'))).toBeGreaterThanOrEqual(lines);
  },
  150_000,
);

test('a frozen worker that resumes after its run was cancelled sends no more messages', async () => {
  const run = await startFrozenRun({ lines: 1_500, ratePerSecond: null });
  await retryUntilAnswered(() => temporal.cancelRun(run, 'user:7'));
  await ended(run);
  const before = await writtenTo(run);
  thaw();
  const counts = await outcomesOf(run);
  expect(await writtenTo(run)).toEqual(before);
  expect(await countOf(run.id, 'queued')).toBe(0);
  expect((counts['failed: not_sent'] ?? 0) + (counts.cancelled ?? 0)).toBeGreaterThan(0);
}, 150_000);
