import { EventEmitter, once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { setProviderSecrets } from '../../db/providers/providers.ts';
import { campaignWorkflowId, runWorkflowId } from '../../domain/ids.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createCampaign,
  createProvider,
  mailing,
  phoneOf,
  phonesOf,
  readRun,
  startRun,
} from '../kit/factories.ts';
import { account } from '../kit/gateway.ts';
import { eventsOf, historyText } from '../kit/history.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { until } from '../kit/until.ts';

/** Few attempts, because each waits twice as long as the one before. */
const system = await createSystem({ singleSendAttempts: 3 });
const { sql, gateway, client, temporal } = system;
const { workflowOf, ended, countOf, writtenTo } = createRunProbe(system);

afterEach(() => gateway.behave());

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.cause : error),
  );
const attemptsOf = async (runId: number): Promise<Record<number, number>> => {
  const rows = await sql<{ attempts: number; n: number }[]>`
    select attempts, count(*)::int as n from messages where run_id = ${runId} group by 1`;
  return Object.fromEntries(rows.map(({ attempts, n }) => [attempts, n]));
};

test('a refused mailing fails the run with the reason, and Temporal stores no content of the file', async () => {
  const run = await startRun(system, { mailing: 'Fulano de Tal;segredo\n1;2\n' });
  expect(await failureOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    step: 'mailing',
    reason: { code: 'mailing_refused', mailingCode: 'column_missing' },
  });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
  const history = await historyText(client, runWorkflowId(run));
  expect(history).toContain('column_missing');
  expect(history).not.toMatch(/segredo|Fulano/);
});

test('a mailing that fails in its last line leaves no messages', async () => {
  const run = await startRun(system, { mailing: `${mailing(2_000)}7;No\0ulo;;;;;\n` });
  expect(await failureOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
});

test('retrying a failed run continues with the remaining messages under the same workflow id', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 200, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);
  await temporal.pauseRun(run, 'user:7');
  const before = await countOf(run.id, 'sent');

  // A system fault: no attempt can read the settings.
  const [kept] = await sql<
    [{ settings: string }]
  >`select settings::text as settings from runs where id = ${run.id}`;
  await sql`update runs set settings = settings - 'segmentProfile' where id = ${run.id}`;
  await temporal.resumeRun(run, 'user:7');
  expect(await failureOf(ended(run))).toMatchObject({ type: 'ZodError' });
  await sql`update runs set settings = (${kept.settings}::text)::jsonb where id = ${run.id}`;
  expect(await readRun(sql, run.id)).toMatchObject({
    status: 'failed',
    step: 'sending',
    reason: { code: 'fault', step: 'sending' },
  });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: before, queued: 200 - before });

  await temporal.retryRun({ ...run, name: 'again' });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 200 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(200));
  expect((await eventsOf(client, run)).activities('importMailing')).toBe(0);
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished', reason: null });
});

test.each([5, 300])(
  'a provider that refuses the account pauses a run of %i messages, which continues after the account is fixed',
  async (lines) => {
    const providerId = await createProvider(system, { authToken: 'wrong' });
    const run = await startRun(system, { mailing: lines, providerId });
    await until('it is paused', async () => (await readRun(sql, run.id)).status === 'paused');
    expect(await readRun(sql, run.id)).toMatchObject({
      reason: { code: 'provider_account', providerCode: '20003' },
    });
    await until('all are queued again', async () => {
      const [row] = await sql<[{ n: number }]>`
      select count(*)::int as n from messages where run_id = ${run.id} and status = 'queued' and attempts = 0`;
      return row.n === lines;
    });
    await expectCountsToMatchRows(sql, run.id);

    await setProviderSecrets(sql, system.box, providerId, { kind: 'sandbox', authToken: account.authToken });
    await temporal.resumeRun(run, 'user:7');
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines).toSorted());
  },
);

test.each([5, 300])(
  'a run of %i messages waits while the provider is down, and then sends each message exactly once',
  async (lines) => {
    await gateway.down();
    const run = await startRun(system, { mailing: lines });
    await until('two attempts were made', async () => {
      const { raw } = await workflowOf(run).describe();
      return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= 2);
    });
    expect(await countOf(run.id, 'queued')).toBe(lines);
    await gateway.up();
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines).toSorted());
  },
);

test('during a provider outage only messages that may have been accepted become unknown', async () => {
  await gateway.misbehave({ latencyMs: 20 });
  const run = await startRun(system, { mailing: 1_500 });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 100);
  await gateway.down();
  await until('sends fail', async () => {
    const { raw } = await workflowOf(run).describe();
    return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= 2);
  });
  await gateway.up();
  await ended(run);
  const counts = await expectCountsToMatchRows(sql, run.id);
  const unknown = counts['unknown: no_answer'] ?? 0;
  expect(unknown).toBeLessThanOrEqual(50);
  expect((counts.sent ?? 0) + unknown).toBe(1_500);
  const phones = await writtenTo(run);
  expect(new Set(phones).size).toBe(phones.length);
  expect(phones.length).toBeGreaterThanOrEqual(counts.sent ?? 0);
});

test.each([5, 300])(
  'a run of %i messages honors the Retry-After of its provider, and no message loses an attempt',
  async (lines) => {
    await gateway.misbehave({ errorRate: { http429: 1 }, retryAfterSeconds: 2 });
    const before = (await gateway.answers()).requests ?? 0;
    const run = await startRun(system, { mailing: lines });
    await until('it got a request', async () => ((await gateway.answers()).requests ?? 0) > before);
    const from = performance.now();
    await until('it got requests again', async () => {
      const requests = ((await gateway.answers()).requests ?? 0) - before;
      // More than the requests that were in flight at the first answer.
      return requests > 10;
    });
    // Two seconds, less the delay of the polling.
    expect(performance.now() - from).toBeGreaterThan(1_500);
    await gateway.behave();
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect(await attemptsOf(run.id)).toEqual({ 1: lines });
  },
);

test('a phone that opts out before or during the run gets no message', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 30 });
  await sql`insert into opt_outs (phone, source) values (${phoneOf(2)}, 'reply')`;
  const run = await startRun(system, { mailing: 150, providerId });
  await until('the mailing was read', async () => (await readRun(sql, run.id)).mailingAt !== null);
  expect(await countOf(run.id, 'skipped')).toBe(1);
  await sql`insert into opt_outs (phone, source) values (${phoneOf(149)}, 'reply')`;
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 148, 'skipped: opted_out': 2 });
  const phones = await writtenTo(run);
  expect(phones).not.toContain(phoneOf(2));
  expect(phones).not.toContain(phoneOf(149));
  await sql`delete from opt_outs`;
});

test.each([10, 60])(
  'a phone that the provider reports as opted out is opted out before the outcome is recorded (%i contacts)',
  async (contacts) => {
    await gateway.misbehave({ refuse: [{ endsWith: phoneOf(3).slice(-8), code: 21610 }] });
    // A process can end between the two, so the test holds the outcome back.
    await sql.unsafe(`
      create function hold_outcome() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(21610); return new; end $$;
      create trigger hold_outcome before update on messages for each row
        when (new.status = 'failed') execute function hold_outcome()`);
    const release = new EventEmitter();
    const holding = sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(21610)`;
      await once(release, 'now');
    });
    const run = await startRun(system, { mailing: contacts });
    await until('the opt-out is known', async () => (await sql`select from opt_outs`).count === 1);
    expect(await countOf(run.id, 'failed')).toBe(0);
    release.emit('now');
    await holding;
    await ended(run);
    await sql`drop function hold_outcome cascade`;
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
      sent: contacts - 1,
      'failed: number_opted_out': 1,
    });
    expect(await sql`select phone, source from opt_outs`).toEqual([
      { phone: phoneOf(3), source: 'provider' },
    ]);
    await sql`delete from opt_outs`;
  },
);

test('a message of a small run that keeps failing temporarily fails after its last attempt', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: phoneOf(2).slice(-8), code: 14107 }] });
  const run = await startRun(system, { mailing: 5 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 4, 'failed: temporary_failure': 1 });
  expect(await attemptsOf(run.id)).toEqual({ 1: 4, 3: 1 });
});

test('messages of a large run that keep failing temporarily are retried after the others, then one by one', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: '1', code: 14107 }] });
  const run = await startRun(system, { mailing: 30 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 27, 'failed: temporary_failure': 3 });
  const events = await eventsOf(client, run);
  expect(events.activities('sendMessage')).toBe(3);
  // The workflow waits for the next attempt without polling.
  expect(events.count).toBeLessThan(200);
});

test('many failing messages are streamed again without polling in the workflow', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: '1', code: 14107 }] });
  const run = await startRun(system, { mailing: 80 });
  await until('all have failed three times', async () => {
    const attempts = await attemptsOf(run.id);
    return (attempts[3] ?? 0) + (attempts[4] ?? 0) >= 8;
  });
  const before = (await eventsOf(client, run)).count;
  await until('they have failed once more', async () => ((await attemptsOf(run.id))[4] ?? 0) >= 8);
  expect((await eventsOf(client, run)).count - before).toBeLessThan(60);
  await gateway.behave();
  await temporal.cancelRun(run, 'user:7');
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 72, cancelled: 8 });
});

test('the histories of a campaign and its run contain no phone, name or text', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: '1', code: 21211 }] });
  const campaign = await createCampaign(system, {
    template: 'Texto secreto para {nome}',
    mailing: mailing(40).replaceAll('Contato', 'Fulana de Souza'),
  });
  await sql`update campaigns set enabled = true, enabled_at = now() where id = ${campaign.id}`;
  await temporal.syncCampaign(campaign);
  const run = await startRun(system, { campaign });
  await ended(run);
  for (const id of [campaignWorkflowId(campaign.id), runWorkflowId(run)]) {
    const history = await historyText(client, id);
    expect(history).toContain(String(campaign.id));
    expect(history).not.toMatch(/Fulana|Souza|secreto|\+55|1190\d{7}/);
  }
});
