import { afterEach, expect, test } from 'vitest';
import { checkEveryOutcomes } from '../../activities/send-messages.ts';
import { maxHeld } from '../../activities/sender.ts';
import { plainEnglish } from '../../domain/format.ts';
import { runReasonWords, waitingWords } from '../../domain/problems/runs.ts';
import { waitingOf } from '../../domain/waiting.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createHttpProvider,
  createProvider,
  maxInFlight,
  readRun,
  type Run,
  startRun,
} from '../kit/factories.ts';
import { httpAnswer, startRawServer } from '../kit/raw-server.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

const sendersPerRun = 2;
const system = await createSystem({ sendersPerRun });
const { sql, gateway, temporal, clock } = system;
const { ended, countOf, workflowOf } = createRunProbe(system);

afterEach(async () => {
  clock.aheadMs = 0;
  await gateway.behave();
});

/** Makes the gateway refuse numbers that end with one of these digits. */
const refuse = (...digits: string[]) =>
  gateway.misbehave({ refuse: digits.map((endsWith) => ({ endsWith, code: 21211 })) });
const paused = (run: Run) =>
  until('it is paused', async () => {
    const row = await readRun(sql, run.id);
    return row.status === 'paused' && row;
  });
/** Its timers wait for real minutes. A pause and a resume make it check the test's clock. */
async function recheck(run: Run): Promise<void> {
  await temporal.pauseRun(run, 'user:7');
  await temporal.resumeRun(run, 'user:7');
}

test('the threshold stops a fast run early', async () => {
  await refuse('1', '2', '3', '4', '5', '6', '7', '8', '9');
  const run = await startRun(system, { mailing: 5_000, safeguards: { stopAtPercent: 20 } });
  expect((await paused(run)).reason).toMatchObject({ code: 'threshold' });
  // The messages that each sender holds at a check are still sent, and outcomes are written in batches of some hundred.
  const maxSent = sendersPerRun * (checkEveryOutcomes + maxHeld(maxInFlight));
  expect(await countOf(run.id, 'queued')).toBeGreaterThanOrEqual(5_000 - maxSent);
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
});

test('a run pauses when more messages fail than its campaign allows, and a resume by a user is accepted', async () => {
  await refuse('7', '8', '9');
  const run = await startRun(system, {
    mailing: 1_500,
    providerId: await createProvider(system, { ratePerSecond: 150 }),
    safeguards: { stopAtPercent: 20 },
  });
  const { reason } = await paused(run);
  expect(reason).toMatchObject({ code: 'threshold', stopAtPercent: 20, canary: false });
  if (reason?.code !== 'threshold') throw new Error('Unexpected reason.');
  expect(reason.outcomes).toBeGreaterThanOrEqual(50);
  expect(reason.failures / reason.outcomes).toBeGreaterThan(0.2);
  expect(runReasonWords(reason, plainEnglish)).toContain(
    `${reason.failures} of ${reason.outcomes} messages (${reason.percent}%) failed or led to an opt-out`,
  );
  expect(await countOf(run.id, 'queued')).toBeGreaterThan(500);

  await gateway.behave();
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect((counts.sent ?? 0) + (counts['failed: number_invalid'] ?? 0)).toBe(1_500);
  expect((await readRun(sql, run.id)).measuredFrom).toMatchObject({
    outcomes: reason.outcomes,
    failures: reason.failures,
  });
});

test('a run below the threshold finishes', async () => {
  await refuse('9');
  const run = await startRun(system, { mailing: 300, safeguards: { stopAtPercent: 20 } });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 270, 'failed: number_invalid': 30 });
});

test.each([5, 400])(
  'of %i messages the canary is sent first, and the others wait for receipts and replies before they are sent',
  async (lines) => {
    const run = await startRun(system, {
      mailing: lines,
      safeguards: { canarySize: 4, canaryMinutes: 10, stopAtPercent: 20 },
    });
    const waiting = await until('the canary is sent', async () => {
      const waiting = waitingOf(await readRun(sql, run.id), clock.now());
      return waiting?.code === 'canary' && waiting;
    });
    expect(waitingWords(waiting, plainEnglish)).toMatch(/^The first 4 messages were sent\. The others wait/);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 4, queued: lines - 4 });
    expect(waiting.until?.getTime()).toBeGreaterThan(Date.now() + 9 * 60_000);
    clock.aheadMs = 11 * 60_000;
    await recheck(run);
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect(waitingOf(await readRun(sql, run.id), clock.now())).toBeNull();
  },
);

test('a message that the provider may have accepted counts as part of the canary until its outcome is known', async () => {
  const attempts = new Map<string, number>();
  const provider = await startRawServer((socket, { path }) => {
    const to = new URL(path, 'http://gateway').searchParams.get('to') ?? '';
    const times = (attempts.get(to) ?? 0) + 1;
    attempts.set(to, times);
    socket.write(httpAnswer(/[369]$/.test(to) && times === 1 ? 500 : 200, 'OK'));
  });
  const run = await startRun(system, {
    mailing: 100,
    providerId: await createHttpProvider(system, provider.url, { deduplicates: true }),
    safeguards: { canarySize: 20, canaryMinutes: 10, stopAtPercent: 50 },
  });
  await until('the canary is sent', async () => (await readRun(sql, run.id)).canaryLeftAt !== null);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 20, queued: 80 });
  expect(attempts.size).toBe(20);
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
  await provider.close();
});

test('a failed canary holds back all other messages', async () => {
  await refuse('1', '2', '3');
  const run = await startRun(system, {
    mailing: 400,
    safeguards: { canarySize: 10, canaryMinutes: 0, stopAtPercent: 20 },
  });
  const { reason } = await paused(run);
  expect(reason).toMatchObject({ code: 'threshold', failures: 3, outcomes: 10, percent: 30, canary: true });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 7,
    'failed: number_invalid': 3,
    queued: 390,
  });
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
  expect(await countOf(run.id, 'cancelled')).toBe(390);
});

test('opt-out replies to the canary count as failures', async () => {
  const providerId = await createProvider(system);
  const run = await startRun(system, {
    mailing: 100,
    providerId,
    safeguards: { canarySize: 10, canaryMinutes: 10, stopAtPercent: 20 },
  });
  await until('the canary is sent', async () => (await readRun(sql, run.id)).canaryLeftAt !== null);
  await sql`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, handled_at, effect, message_id, run_id)
    select ${providerId}, id::text, phone, '+5511999990000', 'SAIR', now(), 'opt_out', id, run_id
    from messages where run_id = ${run.id} and status = 'sent' order by line limit 3`;
  await recheck(run);
  expect((await paused(run)).reason).toMatchObject({ failures: 3, outcomes: 10, canary: true });
  await temporal.cancelRun(run, 'user:7');
  await workflowOf(run).result();
});

test('a pause by a user does not reset the measurement', async () => {
  await refuse('7', '8', '9');
  const run = await startRun(system, {
    mailing: 400,
    providerId: await createProvider(system, { ratePerSecond: 20 }),
    safeguards: { stopAtPercent: 20 },
  });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 5);
  await recheck(run);
  expect((await readRun(sql, run.id)).measuredFrom).toBeNull();
  expect((await paused(run)).reason?.code).toBe('threshold');
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
});
