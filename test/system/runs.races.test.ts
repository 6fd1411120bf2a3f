import { ApplicationFailure } from '@temporalio/common';
import { afterEach, expect, test } from 'vitest';
import { createGate, type Gate } from '../kit/gate.ts';
import { readRun, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** Gates that hold steps, so that a request of a user arrives during a step. */
const held = { importMailing: createGate(), failRun: createGate(), closeRun: createGate() };
let importFails = true;

const system = await createSystem({
  replaceActivities: (real) => ({
    async importMailing(input) {
      await held.importMailing.pass();
      if (importFails) throw ApplicationFailure.nonRetryable('The disk is on fire.');
      return real.importMailing(input);
    },
    async failRun(input) {
      await held.failRun.pass();
      return real.failRun(input);
    },
    async closeRun(input) {
      await held.closeRun.pass();
      return real.closeRun(input);
    },
  }),
});
const { sql, temporal } = system;
const { workflowOf, ended } = createRunProbe(system);

afterEach(() => {
  importFails = true;
  for (const gate of Object.values(held)) gate.open();
});

const reached = (gate: Gate) => until('the step is under way', () => gate.waiting > 0);
const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.cause : error),
  );

test('a cancel that arrives while the run is being marked as failed is refused, and the run fails', async () => {
  held.failRun.close();
  const run = await startRun(system);
  await reached(held.failRun);
  const cancelled = temporal.cancelRun(run, 'user:7').catch((error: unknown) => error);
  await until('the cancel has arrived', async () => (await updatesOf(run)) > 0);
  held.failRun.open();
  expect(await cancelled).toMatchObject({ code: 'run_ended' });
  expect(await failureOf(ended(run))).toMatchObject({
    message: expect.stringContaining('on fire') as string,
  });
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    reason: { code: 'fault', step: 'mailing' },
  });
});

test('a cancel that arrives before a step fails cancels the run, here and in Temporal', async () => {
  held.importMailing.close();
  const run = await startRun(system);
  await reached(held.importMailing);
  await temporal.cancelRun(run, 'user:7');
  held.importMailing.open();
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'cancelled', reason: { code: 'by_user' } });
});

test('a cancel in Temporal during a failing step cancels the run, here and in Temporal', async () => {
  held.importMailing.close();
  const run = await startRun(system);
  await reached(held.importMailing);
  await workflowOf(run).cancel();
  held.importMailing.open();
  await expect(ended(run)).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'cancelled', reason: { code: 'by_temporal' } });
});

test('a cancel in Temporal while the run is being marked as failed leaves it failed, here and in Temporal', async () => {
  held.failRun.close();
  const run = await startRun(system);
  await reached(held.failRun);
  await workflowOf(run).cancel();
  held.failRun.open();
  expect(await failureOf(ended(run))).toMatchObject({
    message: expect.stringContaining('on fire') as string,
  });
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    reason: { code: 'fault', step: 'mailing' },
  });
});

test('a cancel in Temporal while the run is being closed has no effect, here and in Temporal', async () => {
  importFails = false;
  held.closeRun.close();
  const run = await startRun(system);
  await reached(held.closeRun);
  await workflowOf(run).cancel();
  held.closeRun.open();
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished' });
});

/** The number of updates that the workflow of a run has accepted. */
async function updatesOf(run: Parameters<typeof workflowOf>[0]): Promise<number> {
  const { events } = await workflowOf(run).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}
