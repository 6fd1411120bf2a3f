import { expect, test } from 'vitest';
import { moveRun, wasMovedAfter } from '../../db/runs/runs.ts';
import { createProvider, readRun, startRun } from '../kit/factories.ts';
import { eventsOf } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

// The tests run concurrently: each has its own provider and campaigns and mostly waits.
const system = await createSystem();
const { sql, client, temporal } = system;
const { workflowOf, ended, countOf } = createRunProbe(system);

/** Starts a run that sends slowly, and waits for its first messages. */
async function startSlowRun() {
  const run = await startRun(system, {
    mailing: 100,
    providerId: await createProvider(system, { ratePerSecond: 20 }),
  });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 5);
  return run;
}

test.concurrent('a frozen attempt does not undo the moves of later ones', async () => {
  const run = await startSlowRun();
  await temporal.pauseRun(run, 'user:7');
  await temporal.resumeRun(run, 'user:7');
  const [{ resumedAt }] = await sql<[{ resumedAt: number }]>`
    select moved_attempt_at as resumed_at from runs where id = ${run.id}`;
  const pausing = (attemptAt: number) =>
    moveRun(sql, {
      id: run.id,
      from: ['running'],
      to: 'paused',
      reason: { code: 'by_user', user: 'user:7' },
      attemptAt,
    });

  // The frozen attempt of the pause resumes after another worker has repeated it.
  expect(await pausing(resumedAt - 1)).toBe(false);
  expect(await wasMovedAfter(sql, run.id, resumedAt - 1)).toBe(true);
  // So does an attempt that reads the mailing and cannot reach the web service.
  const reason = { code: 'mailing_refused', mailingCode: 'empty', params: {} } as const;
  expect(await moveRun(sql, { id: run.id, from: ['running'], to: 'failed', reason, unread: true })).toBe(
    false,
  );
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'running', reason: null });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
});

test.concurrent('a request of a user takes effect also after the clock of Temporal went back', async () => {
  const run = await startSlowRun();
  await sql`update runs set moved_attempt_at = ${Date.now() + 2_000} where id = ${run.id}`;
  await temporal.pauseRun(run, 'user:7');
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'paused' });
  await temporal.resumeRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'finished' });
});

test.concurrent(
  'a run whose row is paused without its workflow polls the row every five seconds',
  async () => {
    const run = await startSlowRun();
    const moved = { id: run.id, reason: null };
    await moveRun(sql, { ...moved, from: ['running'], to: 'paused' });
    const stepsOf = async (): Promise<string[]> => {
      const { events } = await workflowOf(run).fetchHistory();
      return (events ?? []).flatMap((event) => {
        const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
        return name ? [name] : event.timerStartedEventAttributes ? ['a wait'] : [];
      });
    };
    const steps = await until('the workflow waits', async () => {
      const steps = await stepsOf();
      return steps.at(-1) === 'a wait' && steps;
    });
    expect(steps.slice(-2)).toEqual(['planSending', 'a wait']);
    await moveRun(sql, { ...moved, from: ['paused'], to: 'running' });
    expect(await ended(run)).toMatchObject({ status: 'finished' });
    expect((await eventsOf(client, run)).activities('planSending')).toBeLessThan(10);
  },
);
