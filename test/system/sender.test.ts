import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, expect, test } from 'vitest';
import { maxHeld } from '../../activities/sender.ts';
import { claimLines } from '../../db/messages/claims.ts';
import { senderName } from '../../db/messages/leases.ts';
import { freePort } from '../../embedded/ports.ts';
import { createProvider as createAdapter } from '../../sms/index.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createEnabledCampaign,
  createProvider,
  maxInFlight,
  phonesOf,
  readRun,
  startRun,
} from '../kit/factories.ts';
import { account, type Taken } from '../kit/gateway.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem, workerApplication } from '../kit/system.ts';
import { until } from '../kit/until.ts';
import { listenForReceipts } from '../kit/webhooks.ts';
import { connectAnywhere, localTokens } from '../kit/connect.ts';

const sendTimeoutMs = 3_000;
const publicUrl = `http://127.0.0.1:${await freePort()}`;
const probeDelaysMs = [50, 100, 100, 200, 200];
const system = await createSystem({ publicUrl, sendTimeoutMs, sendersPerRun: 2, probeDelaysMs });
await listenForReceipts(system, publicUrl);
const { sql, gateway } = system;
const { ended, countOf, writtenTo } = createRunProbe(system);

afterEach(() => gateway.behave());

const messagesOf = (runId: number) =>
  sql<
    {
      id: number;
      phone: string;
      status: string;
      reason: string | null;
      attempts: number;
      providerCode: string | null;
      providerMessageId: string | null;
    }[]
  >`select id, phone, status, reason, attempts, provider_code, provider_message_id from messages where run_id = ${runId}`;

test('each kind of provider answer leads to the right message status', async () => {
  const before = await gateway.answers();
  await gateway.misbehave({
    errorRate: {
      http429: 0.05,
      http503: 0.05,
      drop_before_accept: 0.05,
      http500: 0.05,
      http500_after_accept: 0.05,
      drop_after_accept: 0.05,
      hang_after_accept: 0.05,
    },
  });
  const run = await startRun(system, { mailing: 200 });
  await ended(run);
  const after = await gateway.answers();
  const hits = (fault: string): number => (after[fault] ?? 0) - (before[fault] ?? 0);

  const counts = await expectCountsToMatchRows(sql, run.id);
  const doubtful = [
    'drop_before_accept',
    'http500',
    'http500_after_accept',
    'drop_after_accept',
    'hang_after_accept',
  ];
  expect(hits('http429') + hits('http503')).toBeGreaterThan(5);
  expect(counts['unknown: no_answer']).toBe(doubtful.reduce((sum, fault) => sum + hits(fault), 0));
  const phones = await writtenTo(run);
  const taken = new Map(phones.map((phone) => [phone, phones.filter((other) => other === phone).length]));
  for (const { phone, status, reason, attempts, providerMessageId } of await messagesOf(run.id)) {
    // A pause that the provider requests costs no attempt.
    expect(attempts).toBe(1);
    switch (status) {
      case 'sent':
        expect(taken.get(phone)).toBe(1);
        expect(providerMessageId).toMatch(/^SM/);
        break;
      default:
        expect([status, reason]).toEqual(['unknown', 'no_answer']);
        expect(taken.get(phone) ?? 0).toBeLessThanOrEqual(1);
    }
  }
});

test('a number that the provider refuses fails with the reason and is not retried', async () => {
  await gateway.misbehave({
    refuse: [
      { endsWith: '7', code: 21211 },
      { endsWith: '8', code: 21614 },
    ],
  });
  const run = await startRun(system, { mailing: 30 });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 24,
    'failed: number_invalid': 3,
    'failed: number_not_mobile': 3,
  });
  expect(new Set((await messagesOf(run.id)).map(({ attempts }) => attempts))).toEqual(new Set([1]));
});

test('a sender holds at most a micro-batch of messages without an outcome', async () => {
  await sql`create table peaks (sender text, held int)`;
  await sql.unsafe(`
    create function note_peak() returns trigger language plpgsql as $$ begin
      insert into peaks select claims.sender, count(*) from claims join messages on messages.id = any(message_ids)
        where messages.status = 'queued' and messages.sender is null group by claims.sender;
      return null;
    end $$;
    create trigger note_peak after insert on claims for each statement execute function note_peak()`);
  await gateway.misbehave({ latencyMs: 5 });
  const run = await startRun(system, { mailing: 3_000 });
  await ended(run);
  await sql`drop trigger note_peak on claims`;
  // On a busy machine some answers time out.
  const counts = await expectCountsToMatchRows(sql, run.id);
  expect((counts.sent ?? 0) + (counts['unknown: no_answer'] ?? 0)).toBe(3_000);
  const [peak] = await sql<[{ held: number; senders: number }]>`
    select max(held)::int as held, count(distinct sender)::int as senders from peaks`;
  expect(peak.senders).toBe(2);
  expect(peak.held).toBeGreaterThan(50);
  expect(peak.held).toBeLessThanOrEqual(maxHeld(maxInFlight));
});

/** The largest number of messages that the gateway accepted in any second. */
function busiestSecond(taken: readonly Taken[]): number {
  const times = taken.map(({ at }) => Date.parse(at)).toSorted((a, b) => a - b);
  return Math.max(...times.map((from, index) => times.slice(index).filter((at) => at < from + 1_000).length));
}

test('the rate of a provider limits all senders and campaigns together', async () => {
  const ratePerSecond = 80;
  const providerId = await createProvider(system, { ratePerSecond });
  const before = (await gateway.taken()).length;
  const stalls = monitorEventLoopDelay({ resolution: 5 });
  stalls.enable();
  const campaigns = [
    await createEnabledCampaign(system, { mailing: 120, providerId }),
    await createEnabledCampaign(system, { mailing: 120, providerId }),
  ];
  const runs = await Promise.all(campaigns.map((campaign) => startRun(system, { campaign })));
  await Promise.all(runs.map(ended));
  const taken = (await gateway.taken()).slice(before);
  expect(taken).toHaveLength(240);
  stalls.disable();
  // Timestamps are in milliseconds, and messages that were due during a stall of this process leave after it.
  const stalledSeconds = stalls.max / 1e9;
  expect(busiestSecond(taken)).toBeLessThanOrEqual(ratePerSecond * (1.15 + stalledSeconds));
  for (const run of runs) expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 120 });
});

test.each([
  ['that send one by one', 5],
  ['that stream', 40],
])('runs %s have no more messages in flight than the provider allows', async (_, mailing) => {
  const latencyMs = 100;
  const inFlight = 3;
  await gateway.misbehave({ latencyMs });
  const providerId = await createProvider(system, { inFlight });
  const before = (await gateway.taken()).length;
  const campaigns = await Promise.all(
    [1, 2, 3].map(() => createEnabledCampaign(system, { mailing, providerId })),
  );
  const runs = await Promise.all(campaigns.map((campaign) => startRun(system, { campaign })));
  await Promise.all(runs.map(ended));
  const taken = (await gateway.taken()).slice(before);
  expect(taken).toHaveLength(3 * mailing);
  const times = taken.map(({ at }) => Date.parse(at)).toSorted((a, b) => a - b);
  // Each message is in flight for at least the latency, so the third next one starts after that.
  const gaps = times.slice(inFlight).map((at, index) => at - (times[index] ?? NaN));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(latencyMs - 5);
});

test('a receipt that arrives before the answer to its send determines the status', async () => {
  await gateway.misbehave({ latencyMs: 700, receipts: true, receiptDelayMs: 0 });
  // Thousands of receipts: a busy machine needs a minute for them.
  await until('the receipts of earlier tests are sent', async () => (await gateway.receiptsLeft()) === 0, {
    withinMs: 240_000,
  });
  const run = await startRun(system, { mailing: 30 });
  await until(
    'receipts have arrived before the answers',
    async () => (await countOf(run.id, 'delivered')) > 0,
  );
  await ended(run);
  await until('all are delivered', async () => (await countOf(run.id, 'delivered')) === 30);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ delivered: 30 });
  for (const { providerMessageId } of await messagesOf(run.id)) expect(providerMessageId).toMatch(/^SM/);
}, 360_000);

test('a message without an answer is resolved by its receipt', async () => {
  await gateway.misbehave({
    errorRate: { hang_after_accept: 0.3 },
    undeliveredRate: 0.2,
    receipts: true,
    receiptDelayMs: 2 * sendTimeoutMs,
  });
  const run = await startRun(system, { mailing: 20 });
  await until('some are unknown', async () => (await countOf(run.id, 'unknown')) > 0);
  await until(
    'all have ended',
    async () => (await countOf(run.id, 'delivered')) + (await countOf(run.id, 'undelivered')) === 20,
  );
  await expectCountsToMatchRows(sql, run.id);
});

test('the messages of a stopped sender become unknown, and receipts resolve those that the provider accepted', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 300 });
  const run = await startRun(system, { mailing: 900, providerId });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 0);
  // The sender stops after it claimed ten messages and sent four.
  const { messages: claimed } = await claimLines(sql, {
    runId: run.id,
    sender: senderName('dead', 1),
    from: 1,
    lines: 10,
  });
  expect(claimed).toHaveLength(10);
  const adapter = createAdapter(
    { id: providerId, reference: 'r', segmentProfile: 'gsm', kind: 'sandbox', ...account },
    {
      publicUrl,
      sandboxUrl: gateway.url,
      sendTimeoutMs,
      connections: 1,
      connect: connectAnywhere,
      tokens: localTokens,
    },
  );
  for (const { id, phone, text } of claimed.slice(0, 4))
    await adapter.send({ messageId: id, to: phone, text });
  await adapter.close();

  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 890, 'unknown: sender_died': 10 });
  await gateway.misbehave({ receipts: true, receiptDelayMs: 0 });
  await until('the receipts have arrived', async () => (await countOf(run.id, 'delivered')) === 894);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ delivered: 894, 'unknown: sender_died': 6 });
});

const terminate = () => sql`
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = ${workerApplication}`;

test('lost database connections neither lose nor duplicate messages', async () => {
  await gateway.misbehave({ latencyMs: 20 });
  const run = await startRun(system, { mailing: 2_500 });
  for (const mark of [100, 500, 900, 1_300, 1_700]) {
    await until(`${mark} are sent`, async () => (await countOf(run.id, 'sent')) > mark);
    await terminate();
  }
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 2_500 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(2_500));
});

test('claimed messages are returned when their rate slots cannot be reserved', async () => {
  // The second rate reservation of the sender follows its first claim.
  await sql.unsafe(`
    create sequence looks;
    create function fail_once() returns trigger language plpgsql as $$ begin
      if nextval('looks') = 2 then raise exception using errcode = 'admin_shutdown'; end if;
      return new;
    end $$;
    create trigger fail_once before update on provider_rates for each row execute function fail_once()`);
  const providerId = await createProvider(system, { ratePerSecond: 1_000 });
  const run = await startRun(system, { mailing: 50, providerId });
  await ended(run);
  await sql`drop trigger fail_once on provider_rates`;
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 50 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(50));
});

test('a stopped worker lets its senders finish their messages in flight, and the next worker continues', async () => {
  await gateway.misbehave({ latencyMs: 30 });
  const run = await startRun(system, { mailing: 1_500 });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 100);
  await system.workers.stop();
  const [left] = await sql<[{ n: number }]>`
    select count(*)::int as n from claims where run_id = ${run.id}`;
  expect(left.n).toBe(0);
  expect(await countOf(run.id, 'sent')).toBeLessThan(1_500);
  await system.workers.start();
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 1_500 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(1_500));
});

test('a rate change applies from the next reservation during the run', async () => {
  const providerId = await createProvider(system, { ratePerSecond: 10 });
  await sql`create table reserved (rate float8, span float8)`;
  // Only reservations that follow another one: a reservation that starts at once starts between two clock readings.
  await sql.unsafe(`
    create function note_reserved() returns trigger language plpgsql as $$ begin
      if old.reserved_until > clock_timestamp() and new.reserved_until > old.reserved_until then
        insert into reserved select rate_per_second, extract(epoch from new.reserved_until - old.reserved_until)
        from providers where id = new.provider_id;
      end if;
      return null;
    end $$;
    create trigger note_reserved after update on provider_rates for each row execute function note_reserved()`);
  const countAt = async (rate: number): Promise<number> =>
    (await sql`select from reserved where rate = ${rate}`).count;
  const run = await startRun(system, { mailing: 60, providerId });
  await until('some has been reserved', async () => (await countAt(10)) > 1);
  await sql`update providers set rate_per_second = 40 where id = ${providerId}`;
  await until('more has been reserved', async () => (await countAt(40)) > 1);
  await sql`update providers set rate_per_second = null where id = ${providerId}`;
  await ended(run);
  await sql`drop trigger note_reserved on provider_rates`;
  expect(await readRun(sql, run.id)).toMatchObject({ status: 'finished' });
  // Each message has one segment, so a reservation has a whole number of slots at the current rate.
  for (const { rate, span } of await sql<{ rate: number; span: number }[]>`select rate, span from reserved`) {
    const slots = rate * span;
    expect(Math.abs(slots - Math.round(slots))).toBeLessThan(0.001);
    expect(slots).toBeGreaterThan(0.9);
  }
});
