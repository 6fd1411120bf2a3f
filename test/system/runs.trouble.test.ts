import { afterEach, expect, onTestFinished, test } from 'vitest';
import { providerTrouble, releaseProvider, tryInDoubt } from '../../db/providers/trouble.ts';
import { setFallback } from '../../db/providers/fallbacks.ts';
import { runsNotExecuted } from '../../db/runs/overview.ts';
import { plainEnglish } from '../../domain/format.ts';
import { runReasonWords } from '../../domain/problems/runs.ts';
import { waitingOf } from '../../domain/waiting.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createHttpProvider,
  createProvider,
  phoneOf,
  phonesOf,
  readRun,
  type Run,
  startRun,
} from '../kit/factories.ts';
import { httpAnswer, type RawRequest, startRawServer } from '../kit/raw-server.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** Providers with unclear answers, endless pauses or outages, in small and in large runs. */
const singleSendUpTo = 20;
const system = await createSystem({ singleSendUpTo, singleSendAttempts: 3, probeDelaysMs: [100, 200, 300] });
const { sql, gateway, temporal } = system;
const { ended, countOf, writtenTo, workflowOf } = createRunProbe(system);

afterEach(() => gateway.behave());

const toOf = ({ path }: RawRequest): string => new URL(path, 'http://gateway').searchParams.get('to') ?? '';

/** A gateway that answers each message with the current `answerTo`. On null it drops the connection. */
async function createGateway(answerTo: (to: string) => string | null) {
  const state = { answerTo };
  const server = await startRawServer((socket, request) => {
    const answer = state.answerTo(toOf(request));
    if (answer === null) socket.destroy();
    else socket.write(answer);
  });
  onTestFinished(() => server.close());
  return {
    ...server,
    state,
    requestedPhones: () => server.requests.map(toOf),
    providerId: await createHttpProvider(system, server.url),
  };
}
const accepted = httpAnswer(200, 'OK');
const paused = (run: Run) =>
  until('it is paused', async () => {
    const row = await readRun(sql, run.id);
    return row.status === 'paused' && row;
  });

test('a gateway whose answers are all unclear gets only the canary of 5 out of 30 messages', async () => {
  const { providerId, requestedPhones } = await createGateway(() => httpAnswer(500, 'oops'));
  const run = await startRun(system, {
    mailing: 30,
    providerId,
    safeguards: { canarySize: 5, canaryMinutes: 0, stopAtPercent: 10 },
  });
  expect((await paused(run)).reason).toMatchObject({
    code: 'threshold',
    failures: 5,
    outcomes: 5,
    canary: true,
  });
  expect(requestedPhones()).toHaveLength(5);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'unknown: no_answer': 5, queued: 25 });
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
});

test.each([
  [15, () => httpAnswer(500, '')],
  [60, () => httpAnswer(500, '')],
  [60, () => null],
])(
  'after a few unclear answers nothing more of %i messages is sent until a user decides',
  async (lines, answer) => {
    const { providerId, requestedPhones, state } = await createGateway(answer);
    const run = await startRun(system, { mailing: lines, providerId });
    const { reason } = await paused(run);
    expect(reason).toMatchObject({ code: 'provider_in_doubt', answers: 7 });
    expect(runReasonWords(reason ?? { code: 'workflow_lost' }, plainEnglish)).toContain(
      'do not show whether it accepted the messages',
    );
    // Four at first, then one by one with growing delays.
    expect(requestedPhones()).toHaveLength(7);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      'unknown: no_answer': 7,
      queued: lines - 7,
    });
    // Another run does not try the provider on its own.
    const other = await startRun(system, { mailing: 10, providerId });
    expect((await paused(other)).reason?.code).toBe('provider_in_doubt');
    expect(requestedPhones()).toHaveLength(7);
    await temporal.cancelRun(other, 'user:7');

    state.answerTo = () => accepted;
    await tryInDoubt(sql, providerId);
    await temporal.resumeRun(run, 'user:7');
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      'unknown: no_answer': 7,
      sent: lines - 7,
    });
    expect(requestedPhones().toSorted()).toEqual(phonesOf(lines).toSorted());
    expect(await providerTrouble(sql, providerId)).toBeNull();
  },
);

test('a provider that answers clearly again after a few unclear answers is trusted again', async () => {
  let requests = 0;
  const { providerId } = await createGateway(() => (++requests > 100 && requests <= 110 ? null : accepted));
  const run = await startRun(system, { mailing: 300, providerId });
  await ended(run);
  const { sent = 0, 'unknown: no_answer': unknown = 0 } = await expectCountsToMatchRows(sql, run.id);
  expect([sent + unknown, unknown]).toEqual([300, 10]);
});

test('a provider whose answers are all unclear is replaced by its fallback', async () => {
  const { providerId, requestedPhones } = await createGateway(() => httpAnswer(500, ''));
  const second = await createProvider(system);
  await sql.begin((tx) => setFallback(tx, providerId, second));
  const run = await startRun(system, { mailing: 60, providerId });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'unknown: no_answer': 7, sent: 53 });
  for (const phone of await writtenTo(run)) expect(requestedPhones()).not.toContain(phone);
});

test.each([15, 60])(
  'a Retry-After of a year holds a run of %i messages for minutes, or until a user lifts it',
  async (lines) => {
    const { providerId, state, requestedPhones } = await createGateway(() =>
      httpAnswer(503, '', { 'retry-after': '31536000' }),
    );
    const run = await startRun(system, { mailing: lines, providerId });
    const trouble = await until('the pause is known', () => providerTrouble(sql, providerId));
    const until_ = trouble.pause?.until.getTime() ?? 0;
    expect(until_ - Date.now()).toBeLessThan(15 * 60_000 + 1_000);
    expect(until_ - Date.now()).toBeGreaterThan(14 * 60_000);
    const row = await readRun(sql, run.id);
    expect(waitingOf(row, new Date(), trouble)).toMatchObject({ code: 'provider_pause' });
    await until('the run shows in Temporal that it waits', async () => {
      const metadata: unknown = await workflowOf(run).query('__temporal_workflow_metadata');
      return JSON.stringify(metadata).includes('asks to wait (HTTP_503)');
    });
    const before = requestedPhones().length;
    expect(before).toBeLessThanOrEqual(10);

    state.answerTo = () => accepted;
    await releaseProvider(sql, providerId);
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect(await providerTrouble(sql, providerId)).toBeNull();
  },
);

test.each([
  ['answers 429', () => httpAnswer(429, '')],
  ['answers 503 with Retry-After', () => httpAnswer(503, '', { 'retry-after': '1' })],
])('a run of 15 messages loses none while its provider %s repeatedly', async (_case, answer) => {
  const { providerId, state, requestedPhones } = await createGateway(answer);
  const run = await startRun(system, { mailing: 15, providerId });
  // More often than the attempts of a message.
  await until('each of the first messages was requested', () => requestedPhones().length >= 12, {
    withinMs: 60_000,
  });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ queued: 15 });
  state.answerTo = () => accepted;
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 15 });
});

test('a run of 15 messages loses none while its provider refuses connections', async () => {
  await gateway.down();
  const run = await startRun(system, { mailing: 15 });
  await until('there were more attempts than a message has', async () => {
    const { raw } = await workflowOf(run).describe();
    return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= 4);
  });
  expect(await countOf(run.id, 'queued')).toBe(15);
  await gateway.up();
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 15 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(15));
});

test.each([15, 60])(
  'a single number out of %i with an account error fails, and the run continues',
  async (lines) => {
    const { providerId, requestedPhones } = await createGateway((to) =>
      to === phoneOf(7) ? httpAnswer(403, 'Forbidden') : accepted,
    );
    const run = await startRun(system, { mailing: lines, providerId });
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      sent: lines - 1,
      'failed: request_refused': 1,
    });
    expect(requestedPhones().filter((to) => to === phoneOf(7))).toHaveLength(3);
  },
);

test.each([15, 60])('an account that is refused during a run of %i messages pauses it', async (lines) => {
  let requests = 0;
  const { providerId, state } = await createGateway(() => (++requests > 6 ? httpAnswer(402, '') : accepted));
  const run = await startRun(system, { mailing: lines, providerId });
  expect((await paused(run)).reason).toMatchObject({ code: 'provider_account', providerCode: 'HTTP_402' });
  await until('all are queued again', async () => (await countOf(run.id, 'queued')) === lines - 6);
  state.answerTo = () => accepted;
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
});

test.each([15, 300])('a run of %i messages that are all refused pauses early', async (lines) => {
  const { providerId, state } = await createGateway(() => httpAnswer(400, ''));
  const run = await startRun(system, { mailing: lines, providerId });
  const { reason } = await paused(run);
  expect(reason).toMatchObject({ code: 'reached_nobody' });
  const failed = await countOf(run.id, 'failed');
  // Ten, and those in flight with the tenth.
  expect(failed).toBeLessThanOrEqual(13);
  state.answerTo = () => accepted;
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    'failed: request_refused': failed,
    sent: lines - failed,
  });
});

test('a short run that reached nobody is listed on the home page', async () => {
  const { providerId } = await createGateway(() => httpAnswer(400, ''));
  const run = await startRun(system, { mailing: 3, providerId });
  await ended(run);
  const shown = await runsNotExecuted(sql, { since: new Date(Date.now() - 86_400_000), limit: 50 });
  expect(shown.map(({ id }) => id)).toContain(run.id);
});
