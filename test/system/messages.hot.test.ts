import { expect, test } from 'vitest';
import { applyReceipts } from '../../db/messages/receipts.ts';
import { createCatalog, createApi, createRun } from '../kit/api.ts';

const api = await createApi();
const { sql } = api;
const phones = Array.from({ length: 5 }, (_, i) => `+55119000${String(i).padStart(5, '0')}`);

async function updates(): Promise<{ all: number; hot: number }> {
  const [row] = await sql<[{ all: number; hot: number }]>`
    select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables where relname = 'messages'`;
  return row;
}

test('sending and delivering a message updates no index', async () => {
  const { messageIds } = await createRun(api, await createCatalog(api), { phones });
  const [{ providerId }] = await sql<[{ providerId: number }]>`select min(id) as provider_id from providers`;
  const receipts = (status: 'sent' | 'delivered') =>
    messageIds.map((messageId) => ({
      providerId,
      messageId,
      providerMessageId: `SM${messageId}`,
      status,
      reason: null,
      providerCode: null,
    }));
  const moved = await sql.begin(async (tx) => {
    await tx`update messages set status = 'sending', sender = 'a', sending_at = now(), attempts = 1`;
    await applyReceipts(tx, receipts('sent'));
    await applyReceipts(tx, receipts('delivered'));
    // Each session reports its statistics with a delay.
    await tx`select pg_stat_force_next_flush()`;
    return tx<{ status: string }[]>`select status from messages`;
  });
  expect(new Set(moved.map(({ status }) => status))).toEqual(new Set(['delivered']));
  const { all, hot } = await updates();
  expect(all).toBe(phones.length * 3);
  expect(hot).toBe(all);
});
