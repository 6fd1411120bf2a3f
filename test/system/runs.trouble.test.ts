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

/** Providers that answer in doubt, ask for endless pauses, or are away: in small runs as in large ones. */
const singleSendUpTo = 20;
const system = await createSystem({ singleSendUpTo, singleSendAttempts: 3, probeDelaysMs: [100, 200, 300] });
const { sql, gateway, temporal } = system;
const { ended, countOf, writtenTo, workflowOf } = createRunProbe(system);

afterEach(() => gateway.behave());

const toOf = ({ path }: RawRequest): string => new URL(path, 'http://gateway').searchParams.get('to') ?? '';

/** A gateway that answers each message as the test says at that moment; null: it drops the connection. */
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
    askedFor: () => server.requests.map(toOf),
    providerId: await createHttpProvider(system, server.url),
  };
}
const taken = httpAnswer(200, 'OK');
const paused = (run: Run) =>
  until('it is paused', async () => {
    const row = await readRun(sql, run.id);
    return row.status === 'paused' && row;
  });

test('Of 30 messages a canary of 5 is all that a gateway gets that leaves everything in doubt', async () => {
  const { providerId, askedFor } = await createGateway(() => httpAnswer(500, 'oops'));
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
  expect(askedFor()).toHaveLength(5);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'unknown: no_answer': 5, queued: 25 });
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
});

test.each([
  [15, () => httpAnswer(500, '')],
  [60, () => httpAnswer(500, '')],
  [60, () => null],
])(
  'After a few answers in doubt nothing more leaves of %i, until a person decides',
  async (lines, answer) => {
    const { providerId, askedFor, state } = await createGateway(answer);
    const run = await startRun(system, { mailing: lines, providerId });
    const { reason } = await paused(run);
    expect(reason).toMatchObject({ code: 'provider_in_doubt', answers: 7 });
    expect(runReasonWords(reason ?? { code: 'workflow_lost' }, plainEnglish)).toContain(
      'do not show whether it accepted the messages',
    );
    // Four at first, then one by one, each later than the one before.
    expect(askedFor()).toHaveLength(7);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      'unknown: no_answer': 7,
      queued: lines - 7,
    });
    // No other run begins to find out by itself.
    const other = await startRun(system, { mailing: 10, providerId });
    expect((await paused(other)).reason?.code).toBe('provider_in_doubt');
    expect(askedFor()).toHaveLength(7);
    await temporal.cancelRun(other, 'user:7');

    state.answerTo = () => taken;
    await tryInDoubt(sql, providerId);
    await temporal.resumeRun(run, 'user:7');
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      'unknown: no_answer': 7,
      sent: lines - 7,
    });
    expect(askedFor().toSorted()).toEqual(phonesOf(lines).toSorted());
    expect(await providerTrouble(sql, providerId)).toBeNull();
  },
);

test('A provider that answers clearly again after a few doubts is trusted again', async () => {
  let asked = 0;
  const { providerId } = await createGateway(() => (++asked > 100 && asked <= 110 ? null : taken));
  const run = await startRun(system, { mailing: 300, providerId });
  await ended(run);
  const { sent = 0, 'unknown: no_answer': unknown = 0 } = await expectCountsToMatchRows(sql, run.id);
  expect([sent + unknown, unknown]).toEqual([300, 10]);
});

test('A provider that leaves everything in doubt is left for its fallback', async () => {
  const { providerId, askedFor } = await createGateway(() => httpAnswer(500, ''));
  const second = await createProvider(system);
  await sql.begin((tx) => setFallback(tx, providerId, second));
  const run = await startRun(system, { mailing: 60, providerId });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'unknown: no_answer': 7, sent: 53 });
  for (const phone of await writtenTo(run)) expect(askedFor()).not.toContain(phone);
});

test.each([15, 60])(
  'A year of Retry-After holds a run of %i for minutes, and until a person lifts it',
  async (lines) => {
    const { providerId, state, askedFor } = await createGateway(() =>
      httpAnswer(503, '', { 'retry-after': '31536000' }),
    );
    const run = await startRun(system, { mailing: lines, providerId });
    const trouble = await until('the pause is known', () => providerTrouble(sql, providerId));
    const until_ = trouble.pause?.until.getTime() ?? 0;
    expect(until_ - Date.now()).toBeLessThan(15 * 60_000 + 1_000);
    expect(until_ - Date.now()).toBeGreaterThan(14 * 60_000);
    const row = await readRun(sql, run.id);
    expect(waitingOf(row, new Date(), trouble)).toMatchObject({ code: 'provider_pause' });
    await until('the run waits, and says so in Temporal', async () => {
      const metadata: unknown = await workflowOf(run).query('__temporal_workflow_metadata');
      return JSON.stringify(metadata).includes('asks to wait (HTTP_503)');
    });
    const before = askedFor().length;
    expect(before).toBeLessThanOrEqual(10);

    state.answerTo = () => taken;
    await releaseProvider(sql, providerId);
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect(await providerTrouble(sql, providerId)).toBeNull();
  },
);

test.each([
  ['asks for fewer', () => httpAnswer(429, '')],
  ['asks to come back', () => httpAnswer(503, '', { 'retry-after': '1' })],
])('A run of 15 loses nobody while its provider %s, however often', async (_case, answer) => {
  const { providerId, state, askedFor } = await createGateway(answer);
  const run = await startRun(system, { mailing: 15, providerId });
  // More often than a message has attempts.
  await until('each of the first was asked for', () => askedFor().length >= 12, { withinMs: 60_000 });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ queued: 15 });
  state.answerTo = () => taken;
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 15 });
});

test('A run of 15 loses nobody while its provider refuses connections', async () => {
  await gateway.down();
  const run = await startRun(system, { mailing: 15 });
  await until('it was tried more often than a message has attempts', async () => {
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
  'One number of %i that is answered as if the account were refused fails, and the run goes on',
  async (lines) => {
    const { providerId, askedFor } = await createGateway((to) =>
      to === phoneOf(7) ? httpAnswer(403, 'Forbidden') : taken,
    );
    const run = await startRun(system, { mailing: lines, providerId });
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      sent: lines - 1,
      'failed: request_refused': 1,
    });
    expect(askedFor().filter((to) => to === phoneOf(7))).toHaveLength(3);
  },
);

test.each([15, 60])('An account that is refused in the middle of a run of %i pauses it', async (lines) => {
  let asked = 0;
  const { providerId, state } = await createGateway(() => (++asked > 6 ? httpAnswer(402, '') : taken));
  const run = await startRun(system, { mailing: lines, providerId });
  expect((await paused(run)).reason).toMatchObject({ code: 'provider_account', providerCode: 'HTTP_402' });
  await until('all are queued again', async () => (await countOf(run.id, 'queued')) === lines - 6);
  state.answerTo = () => taken;
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
});

test.each([15, 300])('A run of %i whose every message is refused pauses early', async (lines) => {
  const { providerId, state } = await createGateway(() => httpAnswer(400, ''));
  const run = await startRun(system, { mailing: lines, providerId });
  const { reason } = await paused(run);
  expect(reason).toMatchObject({ code: 'reached_nobody' });
  expect(await countOf(run.id, 'queued')).toBeGreaterThan(0);
  const failed = await countOf(run.id, 'failed');
  state.answerTo = () => taken;
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    'failed: request_refused': failed,
    sent: lines - failed,
  });
});

test('A short run that reached nobody is shown on the first page', async () => {
  const { providerId } = await createGateway(() => httpAnswer(400, ''));
  const run = await startRun(system, { mailing: 3, providerId });
  await ended(run);
  const shown = await runsNotExecuted(sql, { since: new Date(Date.now() - 86_400_000), limit: 50 });
  expect(shown.map(({ id }) => id)).toContain(run.id);
});
