import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLanes } from '../../activities/lane.ts';
import { createLease } from '../../activities/lease.ts';
import type { SenderStop } from '../../activities/sender-flow.ts';
import { streamMessages } from '../../activities/sender.ts';
import { createTicks } from '../../activities/ticks.ts';
import {
  claimLines,
  claimMessage,
  endRemaining,
  type Outcome,
  recordOutcomes,
  closeStoppedSenders,
  takeOver,
} from '../../db/messages/claims.ts';
import { endLease, type LeaseAnswer, renewLeases, senderName, takeLease } from '../../db/messages/leases.ts';
import { applyReceipts } from '../../db/messages/receipts.ts';
import type { RunStatus } from '../../domain/run.ts';
import { type Provider, type SendRequest, withheld } from '../../sms/provider.ts';
import { createApi, createCatalog, createRun } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { outcomeWith } from '../kit/sending.ts';
import { until } from '../kit/until.ts';

const api = await createApi();
const { sql } = api;
const catalog = await createCatalog(api);
const { providerId } = catalog;

const phones = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `+55119${String(40_000_000 + index)}`);
const newRun = (count: number) => createRun(api, catalog, { phones: phones(count) });
const setStatus = (runId: number, status: RunStatus) =>
  sql`update runs set status = ${status} where id = ${runId}`;
/** Activity names are unique for each run. */
const activityOf = (runId: number, number = 1): string => `run${runId}/${number}`;
const senderOf = (runId: number, attempt = 1): string => senderName(activityOf(runId), attempt);
const take = (runId: number, attempt = 1, { number = 1, alone = false } = {}) =>
  sql.begin((tx) => takeLease(tx, { runId, activity: activityOf(runId, number), attempt, alone }));
const renew = async (lease: { runId: number; sender: string }): Promise<LeaseAnswer> => {
  const [answer] = await renewLeases(sql, [lease]);
  if (!answer) throw new Error('No answer.');
  return answer;
};
const claimAll = async (runId: number, sender: string) =>
  (await claimLines(sql, { runId, sender, from: 1, lines: 100 })).messages;
const notTaken = (id: number, changes: Partial<Outcome> = {}): Outcome =>
  outcomeWith(id, { status: 'queued', uncounted: true, ...changes });
/** Expires the leases, as if the sender had been silent for too long. */
const expire = (runId: number) =>
  sql`update sender_leases set expires_at = clock_timestamp() where run_id = ${runId}`;

test('only a running run grants and renews leases', async () => {
  const { runId } = await newRun(1);
  const sender = senderOf(runId);
  expect(await take(runId)).toMatchObject({ held: true, status: 'running' });
  expect(await renew({ runId, sender })).toMatchObject({ held: true, status: 'running' });
  for (const status of ['paused', 'cancelling', 'failed', 'finished', 'cancelled'] as const) {
    await setStatus(runId, status);
    expect(await renew({ runId, sender })).toMatchObject({ held: false, status });
    expect(await take(runId, 2)).toMatchObject({ held: false, status });
  }
  await setStatus(runId, 'running');
  await expire(runId);
  // No other sender has taken over, so an expired lease can be renewed, for example after a database outage.
  expect(await renew({ runId, sender })).toMatchObject({ held: true });
  await endLease(sql, sender);
  expect(await renew({ runId, sender })).toMatchObject({ held: false });
});

test('an older attempt gets no lease, and an exclusive lease is granted only without other leases', async () => {
  const { runId } = await newRun(1);
  expect(await take(runId, 3)).toMatchObject({ held: true });
  expect(await take(runId, 2)).toMatchObject({ held: false, status: 'running' });
  expect(await take(runId, 1, { number: 2 })).toMatchObject({ held: true });
  expect(await take(runId, 1, { number: 3, alone: true })).toMatchObject({ held: false });
  await expire(runId);
  const both = await Promise.all([4, 5].map((number) => take(runId, 1, { number, alone: true })));
  expect(both.map(({ held }) => held).toSorted()).toEqual([false, true]);
});

test('the messages of a sender are taken over only after its lease has expired', async () => {
  const { runId } = await newRun(3);
  const [startedAt, dead] = [performance.now(), senderOf(runId)];
  await take(runId, 1);
  await take(runId, 1, { number: 2 });
  const held = await claimAll(runId, dead);
  expect(await closeStoppedSenders(sql, { runId, deduplicates: false })).toBe(0);
  await expect(sql.begin((tx) => endRemaining(tx, runId))).rejects.toThrow('a sender holds a lease');
  expect(
    await takeOver(sql, { runId, before: { activity: activityOf(runId), attempt: 2 }, deduplicates: false }),
  ).toBe(held.length);
  // Longer than a sender trusts its lease.
  expect(performance.now() - startedAt).toBeGreaterThan(2_500);
  expect(await renew({ runId, sender: dead })).toMatchObject({ held: false });
  expect(await renew({ runId, sender: senderName(activityOf(runId, 2), 1) })).toMatchObject({
    held: true,
  });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 3 });
});

test('a takeover does not wait for the lease of a sender that returns its messages', async () => {
  const { runId } = await newRun(3);
  const slow = senderOf(runId);
  await take(runId);
  await sql`update sender_leases set expires_at = now() + interval '1 hour' where run_id = ${runId}`;
  const held = await claimAll(runId, slow);
  const taking = takeOver(sql, { runId, deduplicates: false });
  await until('its lease is revoked', async () => !(await renew({ runId, sender: slow })).held);
  const outcomes = held.map(({ id }) => notTaken(id));
  await recordOutcomes(sql, { runId, sender: slow, outcomes, endsLease: true });
  expect(await taking).toBe(0);
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 3 });
});

test('a single claimed message has a lease for its send', async () => {
  const { runId, messageIds } = await newRun(1);
  const [messageId = 0] = messageIds;
  const sender = senderOf(runId);
  expect(await claimMessage(sql, { messageId, sender, providerId: providerId + 1 })).toBeNull();
  expect(await claimMessage(sql, { messageId, sender, providerId })).toMatchObject({ id: messageId });
  expect(await closeStoppedSenders(sql, { runId, deduplicates: false })).toBe(0);
  await recordOutcomes(sql, { runId, sender, outcomes: [outcomeWith(messageId)], endsLease: true });
  expect(await sql`select from sender_leases where run_id = ${runId}`).toHaveLength(0);
});

test.each([
  ['running', { queued: 2 }],
  ['paused', { queued: 2 }],
  // A retry continues with them.
  ['failed', { queued: 2 }],
  ['finished', { 'failed: not_sent': 2 }],
  ['cancelled', { 'failed: not_sent': 2 }],
] as const)('messages that are returned late to a %s run', async (status, counts) => {
  const { runId } = await newRun(2);
  const sender = senderOf(runId);
  const held = await claimAll(runId, sender);
  await takeOver(sql, { runId, deduplicates: false });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 2 });
  await setStatus(runId, status);
  await recordOutcomes(sql, { runId, sender, outcomes: held.map(({ id }) => notTaken(id)) });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual(counts);
});

test('a message that an earlier attempt may have sent stays unknown after its run has ended', async () => {
  const { runId, messageIds } = await newRun(1);
  const [id = 0] = messageIds;
  const sender = senderOf(runId);
  await claimAll(runId, sender);
  await takeOver(sql, { runId, deduplicates: false });
  await setStatus(runId, 'cancelled');
  await recordOutcomes(sql, { runId, sender, outcomes: [notTaken(id, { providerId })] });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 1 });
});

test('a message that the provider may have accepted becomes unknown, not cancelled, when its run ends before the next attempt', async () => {
  const { runId, messageIds } = await newRun(2);
  const [id = 0] = messageIds;
  const sender = senderOf(runId);
  await claimAll(runId, sender);
  await recordOutcomes(sql, {
    runId,
    sender,
    outcomes: [notTaken(id, { providerId }), notTaken(messageIds[1] ?? 0)],
  });
  await takeOver(sql, { runId, deduplicates: false });
  await sql.begin((tx) => endRemaining(tx, runId));
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ cancelled: 1, 'unknown: no_answer': 1 });
});

test('the end of a run and late returns give consistent counts in any order', async () => {
  for (let round = 0; round < 20; round++) {
    const { runId } = await newRun(4);
    const sender = senderOf(runId);
    const held = await claimAll(runId, sender);
    await takeOver(sql, { runId, deduplicates: false });
    await Promise.all([
      sql.begin(async (tx) => {
        await tx`select from runs where id = ${runId} for no key update`;
        await endRemaining(tx, runId);
        await tx`update runs set status = 'cancelled' where id = ${runId}`;
      }),
      recordOutcomes(sql, { runId, sender, outcomes: held.map(({ id }) => notTaken(id)) }),
    ]);
    const { cancelled = 0, 'failed: not_sent': failed = 0 } = await expectCountsToMatchRows(sql, runId);
    expect(cancelled + failed).toBe(4);
  }
});

test('a message that is returned after a failover belongs to the new provider, and its receipt counts', async () => {
  const { runId, messageIds } = await newRun(1);
  const [id = 0] = messageIds;
  const sender = senderOf(runId);
  await claimAll(runId, sender);
  await takeOver(sql, { runId, deduplicates: false });
  const [{ id: other }] = await sql<[{ id: number }]>`
    insert into providers (name, config, secrets, segment_profile, max_in_flight)
    select 'The other', config, secrets, segment_profile, max_in_flight from providers where id = ${providerId} returning id`;
  await sql`update runs set provider_id = ${other} where id = ${runId}`;
  await recordOutcomes(sql, { runId, sender, outcomes: [notTaken(id)] });
  expect(
    await claimMessage(sql, { messageId: id, sender: senderOf(runId, 2), providerId: other }),
  ).not.toBeNull();
  const moved = await applyReceipts(sql, [
    {
      providerId: other,
      messageId: id,
      providerMessageId: 'SM1',
      status: 'delivered',
      reason: null,
      providerCode: null,
    },
  ]);
  expect(moved).toHaveLength(1);
});

test('the sent time of a message is its handover, also when the outcome is recorded late', async () => {
  const { runId, messageIds } = await newRun(2);
  const [id = 0, lost = 0] = messageIds;
  const sender = senderOf(runId);
  await claimAll(runId, sender);
  const handedOverAt = Date.now() - 240_000;
  await recordOutcomes(sql, {
    runId,
    sender,
    outcomes: [
      outcomeWith(id, { handedOverAt, elapsedMs: 1_500 }),
      outcomeWith(lost, { status: 'unknown', reason: 'no_answer', handedOverAt, elapsedMs: 1_500 }),
    ],
  });
  const rows = await sql<{ sendingAt: Date; answeredAt: Date }[]>`
    select sending_at, coalesce(sent_at, ended_at) as answered_at from messages where run_id = ${runId} order by id`;
  for (const { sendingAt, answeredAt } of rows) {
    expect(sendingAt.getTime()).toBe(handedOverAt);
    expect(answeredAt.getTime()).toBe(handedOverAt + 1_500);
  }
});

/** Blocks the process like SIGSTOP and SIGCONT: time passes and no timer runs. */
const freeze = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/** Longer than a sender trusts its lease. */
const longMs = 2_100;

const lost = { code: 'unreachable', params: { provider: 'gateway', code: withheld } } as const;

/** Creates a sender in this process whose provider accepts everything, and the times of its sends. */
function startSender(
  runId: number,
  { untilMs = 60_000, ratePerSecond = null }: { untilMs?: number; ratePerSecond?: number | null },
  onSend: (count: number) => void,
) {
  const sent: number[] = [];
  const provider: Provider = {
    ...noCallbacks,
    send: async ({ messageId, mayLeave }: SendRequest) => {
      if (mayLeave?.() === false) {
        return {
          kind: 'temporary',
          code: withheld,
          publicCode: withheld,
          detail: lost,
          retryAfterMs: null,
          outage: false,
        };
      }
      sent.push(Date.now());
      onSend(sent.length);
      await sleep(20);
      return { kind: 'accepted', providerMessageId: `SM${messageId ?? 0}` };
    },
  };
  const sender = senderOf(runId);
  let isTaken = false;
  const lease = createLease(() => {
    if (isTaken) return renew({ runId, sender });
    isTaken = true;
    return take(runId);
  });
  const start = async (): Promise<SenderStop> => {
    await sql`update providers set rate_per_second = ${ratePerSecond} where id = ${providerId}`;
    await lease.ask();
    return streamMessages(
      {
        sql,
        provider,
        providerId,
        lane: createLanes({ sql, worker: 'test' })(providerId),
        lease,
        everySecond: createTicks(),
      },
      {
        runId,
        sender,
        until: new Date(Date.now() + untilMs),
        maxAttempts: 3,
        limit: null,
        reached: true,
        urgency: null,
        onPause: () => undefined,
        checkStopReason: () => Promise.resolve(null),
        checkEach: () => null,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onWriteRetry: () => undefined,
      },
    );
  };
  return { sent, start };
}
const noCallbacks: Provider = {
  deduplicates: false,
  send: () => Promise.reject(new Error('Not expected.')),
  verify: () => false,
  referenceSuffices: false,
  receiptsById: false,
  readReceipts: () => ({ read: [], unread: [] }),
  readInbound: () => ({ read: [], unread: [] }),
  close: () => Promise.resolve(),
};

test.each([null, 500])(
  'a sender that was frozen past its deadline sends nothing more (rate %s)',
  async (ratePerSecond) => {
    const { runId } = await newRun(1_000);
    let end = Infinity;
    const { sent, start } = startSender(runId, { untilMs: 1_000, ratePerSecond }, (count) => {
      if (count !== 20) return;
      // The deadline passes during this freeze.
      end = Date.now() + 1_100;
      freeze(1_100);
    });
    expect(await start()).toBe('deadline');
    expect(sent.filter((at) => at >= end)).toEqual([]);
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({
      sent: sent.length,
      queued: 1_000 - sent.length,
    });
  },
);

test.each([null, 500])(
  'a sender that was frozen renews its lease before it sends its claimed messages (rate %s)',
  async (ratePerSecond) => {
    const { runId } = await newRun(2_000);
    let before = 0;
    const { sent, start } = startSender(runId, { ratePerSecond }, (count) => {
      if (count !== 20) return;
      void setStatus(runId, 'paused').then(() => {
        before = sent.length;
        freeze(longMs);
      });
    });
    expect(await start()).toBe('not_running');
    expect(sent).toHaveLength(before);
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ sent: before, queued: 2_000 - before });
  },
);

test('a sender whose lease was revoked returns its claimed messages', async () => {
  const { runId } = await newRun(1_000);
  const taken: Promise<number>[] = [];
  const { sent, start } = startSender(runId, { ratePerSecond: 100 }, (count) => {
    if (count === 20) taken.push(takeOver(sql, { runId, deduplicates: false }));
  });
  expect(await start()).toBe('superseded');
  await endLease(sql, senderOf(runId));
  expect(await Promise.all(taken)).toEqual([0]);
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({
    sent: sent.length,
    queued: 1_000 - sent.length,
  });
});
