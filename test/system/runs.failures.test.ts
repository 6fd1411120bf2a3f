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

/** Few attempts: each waits twice as long as the one before. */
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

test('A mailing that is refused fails the run, here with the reason and in Temporal without a word of the file', async () => {
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

test('A mailing that breaks off in its last line leaves no message behind', async () => {
  const run = await startRun(system, { mailing: `${mailing(2_000)}7;No\0ulo;;;;;\n` });
  expect(await failureOf(ended(run))).toMatchObject({ type: 'MailingRefused' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({});
});

test('A failed run that is retried goes on under the same workflow id with what is not done', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 50 });
  const run = await startRun(system, { mailing: 200, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);
  await temporal.pauseRun(run, 'user:7');
  const before = await countOf(run.id, 'sent');

  // A fault of the system: no attempt can read the settings.
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
  'A provider that refuses the account pauses a run of %i, which goes on once that is mended',
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
  'While the provider is down a run of %i waits, and then loses nobody and writes to nobody twice',
  async (lines) => {
    await gateway.down();
    const run = await startRun(system, { mailing: lines });
    await until('it was tried twice', async () => {
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

test('A provider that goes down in the middle of a run leaves as unknown only what it may have taken', async () => {
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
  'A provider that asks a run of %i for a pause gets it, and no message loses an attempt',
  async (lines) => {
    await gateway.misbehave({ errorRate: { http429: 1 }, retryAfterSeconds: 2 });
    const before = (await gateway.answers()).requests ?? 0;
    const run = await startRun(system, { mailing: lines });
    await until('it was asked', async () => ((await gateway.answers()).requests ?? 0) > before);
    const from = performance.now();
    await until('it was asked again', async () => {
      const asked = ((await gateway.answers()).requests ?? 0) - before;
      // Those that were on their way when the first was answered.
      return asked > 10;
    });
    // Of the two seconds, what the first look and the last cost.
    expect(performance.now() - from).toBeGreaterThan(1_500);
    await gateway.behave();
    await ended(run);
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect(await attemptsOf(run.id)).toEqual({ 1: lines });
  },
);

test('Whoever has opted out is not written to: neither before the run nor while it goes on', async () => {
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
  'A person whom the provider knows to have opted out is opted out here before the outcome is written (%i contacts)',
  async (contacts) => {
    await gateway.misbehave({ refuse: [{ endsWith: phoneOf(3).slice(-8), code: 21610 }] });
    // A process may end between the two: this outcome waits until the test lets it through.
    await sql.unsafe(`
      create function hold_outcome() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(21610); return new; end $$;
      create trigger hold_outcome before update on messages for each row
        when (new.status = 'failed') execute function hold_outcome()`);
    const letThrough = new EventEmitter();
    const holding = sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(21610)`;
      await once(letThrough, 'now');
    });
    const run = await startRun(system, { mailing: contacts });
    await until('the opt-out is known', async () => (await sql`select from opt_outs`).count === 1);
    expect(await countOf(run.id, 'failed')).toBe(0);
    letThrough.emit('now');
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

test('A message of a small run that keeps failing temporarily fails after its attempts', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: phoneOf(2).slice(-8), code: 14107 }] });
  const run = await startRun(system, { mailing: 5 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 4, 'failed: temporary_failure': 1 });
  expect(await attemptsOf(run.id)).toEqual({ 1: 4, 3: 1 });
});

test('Messages of a large run that keep failing temporarily are tried again behind the others, then one by one', async () => {
  await gateway.misbehave({ refuse: [{ endsWith: '1', code: 14107 }] });
  const run = await startRun(system, { mailing: 30 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 27, 'failed: temporary_failure': 3 });
  const events = await eventsOf(client, run);
  expect(events.activities('sendMessage')).toBe(3);
  // It waits for the next attempt, and does not ask again and again whether it is time.
  expect(events.count).toBeLessThan(200);
});

test('Many stragglers are streamed on, and nothing is asked again and again', async () => {
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

test('The histories of a campaign and its run hold no phone number, name or text', async () => {
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
