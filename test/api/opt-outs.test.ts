import { expect, test } from 'vitest';
import { claimLines, recordOutcomes } from '../../db/messages/claims.ts';
import { optInPhone, optOutPhone, optOutRecipients, sendBlockOf } from '../../db/customers/opt-outs.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { box, createApi, createCatalog, createRun } from '../kit/api.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { outcomeWith } from '../kit/sending.ts';

const api = await createApi();
const { sql } = api;
const catalog = await createCatalog(api);
const phoneHash = createPhoneHashing({ sql, box });

const [a, b, c] = ['+5511900000001', '+5511900000002', '+5511900000003'] as const;
const events = (phone: string) =>
  sql`select kind, source, actor, note from opt_out_events where phone = ${phone} order by id`;

test('an opt-out skips the queued messages to the phone in every run, and is recorded once', async () => {
  const [first, second] = [
    await createRun(api, catalog, { phones: [a, b] }),
    await createRun(api, catalog, { phones: [c, a] }),
  ];
  expect(await optOutPhone(sql, { phone: a, source: 'reply' })).toBe(true);
  expect(await optOutPhone(sql, { phone: a, source: 'provider' })).toBe(false);

  for (const { runId } of [first, second]) {
    expect(await expectCountsToMatchRows(sql, runId)).toEqual({ queued: 1, 'skipped: opted_out': 1 });
  }
  expect(await events(a)).toEqual([{ kind: 'opt_out', source: 'reply', actor: 'system', note: '' }]);
});

test('the outcome of a message that a sender had already claimed replaces the skip of an opt-out', async () => {
  const phone = '+5511900000004';
  const { runId } = await createRun(api, catalog, { phones: [phone] });
  const claim = await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 10 });
  await optOutPhone(sql, { phone, source: 'admin', actor: 'user:1', note: 'on the phone' });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'skipped: opted_out': 1 });
  await recordOutcomes(sql, {
    runId,
    sender: 's#1',
    outcomes: claim.messages.map(({ id }) => outcomeWith(id, { providerMessageId: 'SM1' })),
    endedClaims: claim.id === null ? [] : [claim.id],
  });
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ sent: 1 });
  expect(await events(phone)).toMatchObject([{ source: 'admin', actor: 'user:1', note: 'on the phone' }]);
});

test('an opt-out reported by the provider for a message opts out its phone', async () => {
  const phone = '+5511900000005';
  const { messageIds } = await createRun(api, catalog, { phones: [phone] });
  await optOutRecipients(sql, messageIds);
  await optOutRecipients(sql, messageIds);
  await optOutRecipients(sql, []);
  expect(await events(phone)).toMatchObject([{ kind: 'opt_out', source: 'provider' }]);
});

test('an opt-in allows messages to the phone again, even after the customer was erased', async () => {
  const phone = '+5511900000006';
  const hash = await phoneHash();
  expect(await sendBlockOf(sql, hash, phone)).toBeNull();
  expect(await optInPhone(sql, hash, { phone, source: 'reply' })).toBe(false);

  await optOutPhone(sql, { phone, source: 'reply' });
  expect(await sendBlockOf(sql, hash, phone)).toBe('opted_out');
  await sql`update opt_outs set phone = null, phone_hash = ${hash(phone)} where phone = ${phone}`;
  expect(await sendBlockOf(sql, hash, phone)).toBe('opted_out');
  expect(await optInPhone(sql, hash, { phone, source: 'reply' })).toBe(true);
  expect(await sendBlockOf(sql, hash, phone)).toBeNull();
  expect((await events(phone)).map(({ kind }) => kind as string)).toEqual(['opt_out', 'opt_in']);
});
