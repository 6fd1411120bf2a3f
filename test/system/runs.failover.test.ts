import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { applyReceipts } from '../../db/messages/receipts.ts';
import { setFallback } from '../../db/providers/fallbacks.ts';
import { setProviderArchived, setProviderSecrets } from '../../db/providers/providers.ts';
import { findAnsweredMessage, insertReplies } from '../../db/replies/replies.ts';
import { plainEnglish } from '../../domain/format.ts';
import { failoverWords } from '../../domain/problems/runs.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import {
  createEnabledCampaign,
  createHttpProvider,
  createProvider,
  mailing,
  phonesOf,
  readRun,
  type Run,
  startRun,
} from '../kit/factories.ts';
import { account } from '../kit/gateway.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { startRawServer } from '../kit/raw-server.ts';
import { until } from '../kit/until.ts';

/** Fails over after one failure, so that no test waits for Temporal's back-off. */
const system = await createSystem({ failOverAttempts: 1, singleSendAttempts: 4 });
const { sql, box, gateway, temporal } = system;
const { ended, countOf, writtenTo, workflowOf } = createRunProbe(system);
afterEach(() => gateway.behave());

const withFallback = async (providerId: number, fallbackId: number): Promise<number> => {
  await sql.begin((tx) => setFallback(tx, providerId, fallbackId));
  return providerId;
};
/** A provider at a gateway that is down or drops its connections. */
const createGatewayProvider = (url: string, options: { deduplicates?: boolean } = {}) =>
  createHttpProvider(system, url, options);
const statusesByProvider = async (runId: number): Promise<Record<string, number>> => {
  const rows = await sql<{ key: string; n: number }[]>`
    select coalesce(provider_id::text, 'nobody') || ' ' || status as key, count(*)::int as n
    from messages where run_id = ${runId} group by 1`;
  return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
};
const wordsOf = async (run: Run): Promise<string> =>
  (await readRun(sql, run.id)).failovers.map((one) => failoverWords(one, plainEnglish)).join('\n');

test.each([5, 60])(
  'a run of %i messages continues with the fallback when its provider refuses the account, and the next run starts with its own provider',
  async (lines) => {
    const second = await createProvider(system);
    const first = await withFallback(await createProvider(system, { authToken: 'wrong' }), second);
    const campaign = await createEnabledCampaign(system, { mailing: lines, providerId: first });
    const run = await startRun(system, { campaign });
    expect(await ended(run)).toMatchObject({ status: 'finished' });
    expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: lines });
    expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines).toSorted());
    expect(await statusesByProvider(run.id)).toEqual({ [`${second} sent`]: lines });
    expect(await readRun(sql, run.id)).toMatchObject({
      providerId: second,
      failovers: [{ from: { id: first }, to: { id: second }, cause: 'account', providerCode: '20003' }],
    });
    expect(await wordsOf(run)).toMatch(
      /it sends through “Sandbox \w+”, because “Sandbox \w+” refused the account/,
    );
    const metadata: unknown = await workflowOf(run).query('__temporal_workflow_metadata');
    expect(JSON.stringify(metadata)).toContain('refused the account (20003)');
    expect(
      await sql`select action, actor from audit_log where subject_kind = 'run' and subject_id = ${run.id}`,
    ).toEqual([{ action: 'run.fail_over', actor: 'system' }]);

    await setProviderSecrets(sql, box, first, { kind: 'sandbox', authToken: account.authToken });
    const next = await startRun(system, { campaign });
    await ended(next);
    expect(await statusesByProvider(next.id)).toEqual({ [`${first} sent`]: lines });
  },
);

test.each([5, 60])(
  'a run of %i messages continues with the fallback when its provider cannot be reached',
  async (lines) => {
    const second = await createProvider(system);
    const first = await withFallback(await createGatewayProvider('http://127.0.0.1:1'), second);
    const run = await startRun(system, { mailing: lines, providerId: first });
    expect(await ended(run)).toMatchObject({ status: 'finished' });
    expect(await statusesByProvider(run.id)).toEqual({ [`${second} sent`]: lines });
    expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(lines).toSorted());
    expect(await wordsOf(run)).toContain('accepted nothing for too long (ECONNREFUSED)');
  },
);

test('messages that the first provider accepted stay with it, and each provider keeps its receipts and replies', async () => {
  const second = await createProvider(system);
  const first = await withFallback(await createProvider(system, { ratePerSecond: 40 }), second);
  // Each provider has its own sender number in this file, because replies are also matched by it.
  for (const [id, from] of [
    [first, '+5511999991111'],
    [second, '+5511999992222'],
  ] as const)
    await sql`update providers set config = config || ${sql.json({ from })} where id = ${id}`;
  const run = await startRun(system, { mailing: 120, providerId: first });
  await until('some are sent', async () => (await countOf(run.id, 'sent')) > 10);
  await temporal.pauseRun(run, 'user:7');
  await setProviderSecrets(sql, box, first, { kind: 'sandbox', authToken: 'wrong' });
  await temporal.resumeRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 120 });
  expect((await writtenTo(run)).toSorted()).toEqual(phonesOf(120));

  const rows = await sql<{ id: number; providerId: number; providerMessageId: string }[]>`
    select id, provider_id, provider_message_id from messages where run_id = ${run.id} order by line`;
  const ofFirst = rows.filter(({ providerId }) => providerId === first);
  const ofSecond = rows.filter(({ providerId }) => providerId === second);
  expect(ofFirst.length).toBeGreaterThan(10);
  expect(ofFirst.length + ofSecond.length).toBe(120);
  const receipt = ({ id, providerMessageId }: (typeof rows)[number], providerId: number) => ({
    providerId,
    messageId: id,
    providerMessageId,
    status: 'delivered' as const,
    reason: null,
    providerCode: null,
  });
  const answered = async ({ id }: (typeof rows)[number], by: number): Promise<number | null> => {
    const [to] = await sql<[{ phone: string; recipient: string }]>`
      select phone, (select config ->> 'from' from providers where id = ${by}) as recipient from messages where id = ${id}`;
    const [reply] = await insertReplies(sql, [
      { providerId: by, providerMessageId: randomUUID(), ...to, text: 'Quero saber mais.', intent: null },
    ]);
    return (await findAnsweredMessage(sql, reply?.id ?? 0, { windowDays: 30 }))?.messageId ?? null;
  };
  for (const [own, provider, other] of [
    [ofFirst[0], first, second],
    [ofSecond[0], second, first],
  ] as const) {
    if (!own) throw new Error('Each provider must have accepted some.');
    expect(await answered(own, provider)).toBe(own.id);
    expect(await answered(own, other)).toBeNull();
  }
  // A receipt for a message of the other provider is ignored.
  expect(
    await applyReceipts(sql, [
      ...ofFirst.map((row) => receipt(row, second)),
      ...ofSecond.map((row) => receipt(row, first)),
    ]),
  ).toEqual([]);
  await applyReceipts(
    sql,
    rows.map((row) => receipt(row, row.providerId)),
  );
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ delivered: 120 });
});

test('a message that the first provider may have accepted is never sent by the second, even if the first deduplicates', async () => {
  const dropping = await startRawServer((socket) => socket.destroy());
  const second = await createProvider(system);
  const first = await withFallback(await createGatewayProvider(dropping.url, { deduplicates: true }), second);
  const run = await startRun(system, { mailing: 60, providerId: first });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  const { sent = 0, 'unknown: no_answer': unknown = 0 } = await expectCountsToMatchRows(sql, run.id);
  expect(sent + unknown).toBe(60);
  expect(unknown).toBeGreaterThan(0);
  expect(await statusesByProvider(run.id)).toEqual({
    [`${second} sent`]: sent,
    [`${first} unknown`]: unknown,
  });
  const requested = new Set(
    dropping.requests.map(({ path }) => new URL(path, dropping.url).searchParams.get('to')),
  );
  for (const phone of await writtenTo(run)) expect(requested).not.toContain(phone);
  expect(await wordsOf(run)).toContain(`may have accepted stay unknown: ${unknown}.`);
  await dropping.close();
});

test('the length of texts is checked again with the segment profile of the fallback', async () => {
  const second = await createProvider(system, { segmentProfile: 'zenvia' });
  const first = await withFallback(await createProvider(system, { authToken: 'wrong' }), second);
  // The bar is not in Zenvia's alphabet and forces UCS-2.
  const long = `${'x'.repeat(140)}|`;
  const run = await startRun(system, {
    providerId: first,
    mailing: [
      mailing(0).trim(),
      `1;Ana;11900000001;;;;${long}`,
      '2;Bia;11900000002;;;;curto | curto',
      `3;Cid;11900000003;;;;${'y'.repeat(140)}`,
    ].join('\n'),
  });
  expect(await ended(run)).toMatchObject({ status: 'finished' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'skipped: message_too_long': 1, sent: 2 });
  expect(await wordsOf(run)).toContain('too long there: 1.');
});

test('a run with an archived fallback pauses', async () => {
  const second = await createProvider(system);
  const first = await withFallback(await createProvider(system, { authToken: 'wrong' }), second);
  await setProviderArchived(sql, second, true);
  const run = await startRun(system, { mailing: 5, providerId: first });
  await until('it is paused', async () => (await readRun(sql, run.id)).status === 'paused');
  expect(await readRun(sql, run.id)).toMatchObject({
    reason: { code: 'provider_account', providerCode: '20003' },
    failovers: [],
  });
  // The restored fallback is used at once when the run is resumed.
  await setProviderArchived(sql, second, false);
  await temporal.resumeRun(run, 'user:7');
  await ended(run);
  expect(await statusesByProvider(run.id)).toEqual({ [`${second} sent`]: 5 });
});

test('a run whose fallbacks are exhausted pauses with the last one', async () => {
  const second = await createProvider(system, { authToken: 'wrong' });
  const first = await withFallback(await createProvider(system, { authToken: 'wrong' }), second);
  const run = await startRun(system, { mailing: 5, providerId: first });
  await until('it is paused', async () => (await readRun(sql, run.id)).status === 'paused');
  expect(await readRun(sql, run.id)).toMatchObject({
    providerId: second,
    failovers: [{ to: { id: second } }],
  });
  await temporal.cancelRun(run, 'user:7');
  expect(await ended(run)).toMatchObject({ status: 'cancelled' });
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ cancelled: 5 });
});
