import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { claimLines, closeStoppedSenders } from '../../db/messages/claims.ts';
import { applyReceipts } from '../../db/messages/receipts.ts';
import { setProviderSecrets } from '../../db/providers/providers.ts';
import { openSendTickets } from '../../db/tickets/opening.ts';
import { getLookUp } from '../../db/messages/unknown.ts';
import { openingsOnSend, ticketPolicy } from '../../domain/ticket.ts';
import { createProvider as createAdapter } from '../../sms/index.ts';
import { lookUps } from '../../workflows/look-ups.ts';
import { createRun } from '../kit/api.ts';
import { connectAnywhere, localTokens } from '../kit/connect.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createHours, createProvider, phonesOf } from '../kit/factories.ts';
import { account } from '../kit/gateway.ts';
import { createSystem } from '../kit/system.ts';
import { createTicketCatalog, onSend } from '../kit/tickets.ts';

const system = await createSystem();
const { sql, box, gateway, client, clock, taskQueue } = system;
const minuteMs = 60_000;
afterEach(() => {
  clock.aheadMs = 0;
});

/** Runs one round of look-ups at a later time and returns its summary, which the Temporal UI shows. */
async function round(afterMs = 6 * minuteMs): Promise<string> {
  clock.aheadMs = afterMs;
  const handle = await client.workflow.start(lookUps, {
    workflowId: `look-ups-${randomBytes(4).toString('hex')}`,
    taskQueue,
    args: [],
  });
  return handle.result();
}

/** Creates a run whose sender stopped after it claimed all messages and sent the first `taken`. */
async function createAbandonedRun({
  phones,
  taken,
  providerId,
  changes = {},
}: {
  phones: string[];
  taken: number;
  providerId: number;
  changes?: object;
}) {
  const run = await createRun(system, { providerId, hoursId: await createHours(sql) }, { phones, changes });
  const claim = await claimLines(sql, { runId: run.runId, sender: 'dead#1', from: 1, lines: 1_000 });
  const adapter = createAdapter(
    { id: providerId, reference: 'r', segmentProfile: 'gsm', kind: 'sandbox', ...account },
    {
      publicUrl: 'http://127.0.0.1:1',
      sandboxUrl: gateway.url,
      sendTimeoutMs: 5_000,
      connections: 1,
      connect: connectAnywhere,
      tokens: localTokens,
    },
  );
  for (const { id, phone, text } of claim.messages.slice(0, taken))
    await adapter.send({ messageId: id, to: phone, text });
  await adapter.close();
  await closeStoppedSenders(sql, { runId: run.runId, deduplicates: false });
  return run;
}
const resultOf = async (messageId: number) => (await getLookUp(sql, messageId))?.result;

test('messages of a killed sender are resolved by the message list of the provider', async () => {
  const providerId = await createProvider(system);
  const { runId, messageIds } = await createAbandonedRun({ phones: phonesOf(10), taken: 4, providerId });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 10 });
  // Receipts get some time to arrive first.
  expect(await round(0)).toContain('| Resolved | 0 |');

  expect(await round()).toContain('| Resolved | 4 |');
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ sent: 4, 'unknown: sender_died': 6 });
  const ledger = new Map((await gateway.taken()).map(({ reference, sid }) => [Number(reference), sid]));
  const rows = await sql<{ id: number; status: string; providerMessageId: string | null }[]>`
    select id, status, provider_message_id from messages where run_id = ${runId} order by line`;
  for (const { id, status, providerMessageId } of rows) {
    expect([id, status]).toEqual([id, ledger.has(id) ? 'sent' : 'unknown']);
    expect(providerMessageId).toBe(ledger.get(id) ?? null);
  }
  expect(await sql`select kind from inbound_events where message_id = ${messageIds[0] ?? 0}`).toEqual([
    { kind: 'look_up' },
  ]);
  // A missing entry proves nothing: the message stays unknown and is looked up again after an hour and a day.
  const last = messageIds.at(-1) ?? 0;
  const lookUp = await getLookUp(sql, last);
  expect(lookUp).toMatchObject({ result: 'not_found' });
  expect(lookUp?.dueAt?.getTime()).toBeGreaterThan(Date.now() + 50 * minuteMs);
  await round(61 * minuteMs);
  await round(25 * 60 * minuteMs);
  expect(await getLookUp(sql, last)).toMatchObject({ result: 'not_found', dueAt: null });
});

test('a receipt can arrive before or after the look-up', async () => {
  const providerId = await createProvider(system);
  const { runId, messageIds } = await createAbandonedRun({ phones: phonesOf(2), taken: 2, providerId });
  const [before = 0, after = 0] = messageIds;
  const sids = new Map((await gateway.taken()).map(({ reference, sid }) => [Number(reference), sid]));
  const receipt = (messageId: number) =>
    applyReceipts(sql, [
      {
        providerId,
        messageId,
        providerMessageId: sids.get(messageId) ?? '',
        status: 'delivered',
        reason: null,
        providerCode: null,
      },
    ]);
  await receipt(before);
  expect(await round()).toContain('| Resolved | 1 |');
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ delivered: 1, sent: 1 });
  await receipt(after);
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ delivered: 2 });
});

test('two messages that cannot be distinguished are not resolved', async () => {
  const providerId = await createProvider(system);
  const phones = ['+5511977776666'];
  const first = await createAbandonedRun({ phones, taken: 1, providerId });
  const second = await createAbandonedRun({ phones, taken: 0, providerId });
  await round();
  for (const { runId, messageIds } of [first, second]) {
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'unknown: sender_died': 1 });
    expect(await resultOf(messageIds[0] ?? 0)).toBe('ambiguous');
  }
});

test('a listed message that belongs to another of our messages resolves nothing', async () => {
  const providerId = await createProvider(system);
  const phones = ['+5511977775555'];
  const other = await createAbandonedRun({ phones, taken: 1, providerId });
  expect(await round()).toContain('| Resolved | 1 |');
  expect(await expectCountsToMatchRows(sql, other.runId)).toEqual({ sent: 1 });
  const { messageIds } = await createAbandonedRun({ phones, taken: 0, providerId });
  await round();
  expect(await resultOf(messageIds[0] ?? 0)).toBe('not_found');
});

test('an unavailable provider is queried again later and given up after three days', async () => {
  const providerId = await createProvider(system, { authToken: 'refused' });
  const { runId, messageIds } = await createAbandonedRun({
    phones: ['+5511977774444', '+5511977774445'],
    taken: 1,
    providerId,
  });
  const [taken = 0, other = 0] = messageIds;
  expect(await round()).toContain('| Providers that could not be queried | 1 |');
  expect(await resultOf(taken)).toBe('unavailable');
  await setProviderSecrets(sql, box, providerId, { kind: 'sandbox', authToken: account.authToken });
  expect(await round(12 * minuteMs)).toContain('| Resolved | 1 |');
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ sent: 1, 'unknown: sender_died': 1 });

  await setProviderSecrets(sql, box, providerId, { kind: 'sandbox', authToken: 'refused' });
  await round(73 * 60 * minuteMs);
  expect(await getLookUp(sql, other)).toMatchObject({ result: 'unavailable', dueAt: null });
});

test('tickets follow the result of a look-up', async () => {
  const providerId = await createProvider(system);
  const catalog = await createTicketCatalog(sql);
  const policy = ticketPolicy.parse(onSend(catalog));
  if (policy.when !== 'on_send') throw new Error('unreachable');
  const { runId, campaignId } = await createAbandonedRun({
    phones: ['+5511977773333'],
    taken: 1,
    providerId,
    changes: { ticketPolicy: policy },
  });
  await sql.begin((tx) =>
    openSendTickets(tx, { runId, campaignId, after: 0, limit: 10, openings: openingsOnSend(policy) }),
  );
  const resolution = () => sql`select resolution_id from tickets where run_id = ${runId}`;
  expect(await resolution()).toEqual([{ resolutionId: catalog.unsolvedId }]);
  await round();
  expect(await resolution()).toEqual([{ resolutionId: catalog.solvedId }]);
});
