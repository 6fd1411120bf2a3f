import { expect, test } from 'vitest';
import { claimLines, recordOutcomes } from '../../db/messages/claims.ts';
import { activityName, senderName } from '../../db/messages/leases.ts';
import { connect } from '../../db/core/client.ts';
import { createDatabase } from '../kit/database.ts';
import { outcomeWith } from '../kit/sending.ts';

/** Enough rows for PostgreSQL to choose a sequential scan when it overestimates a range. */
const lines = 100_000;
const runId = 1;
const { sql, url } = await createDatabase();

// A run after the import of its mailing. Foreign keys are off because the rows that it refers to do not exist.
await sql.begin(async (tx) => {
  await tx`set local session_replication_role = replica`;
  await tx`
    insert into runs (id, campaign_id, occurrence, trigger, status, step, settings) overriding system value
    values (${runId}, 1, now(), 'manual', 'running', 'sending', '{}')`;
  await tx`
    insert into messages (run_id, line, status, code, name, phone, text, segments)
    select ${runId}, n, 'queued', n::text, 'Maria da Conceição', '+55119' || (10000000 + n),
      'Olá, Maria da Conceição! Seu pedido ' || n || ' está pronto para retirada.', 1
    from generate_series(1, ${lines}::int) as n`;
  await tx`insert into run_counts (run_id, status, messages, segments) values (${runId}, 'queued', ${lines}, ${lines})`;
});
await sql`vacuum analyze messages`;

/** The access statistics of the table `messages`. */
async function tableStatistics() {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<[{ scanned: number; updated: number; hot: number }]>`
    select seq_tup_read as scanned, n_tup_upd as updated, n_tup_hot_upd as hot
    from pg_stat_user_tables where relname = 'messages'`;
  return row;
}

test('claims and outcomes of a large run read only their own lines and update no index', async () => {
  // Like a worker: one generic plan for each statement.
  const worker = connect(url, { max: 1, genericPlans: true });
  const before = await tableStatistics();
  const sender = senderName(activityName('0199f5a3-5c1e-7d5e-9a53-0242ac120002', '12'), 1);
  for (let from = 1; from <= 5_000; from += 125) {
    const { id, messages } = await claimLines(worker, { runId, sender, from, lines: 125 });
    expect(messages).toHaveLength(125);
    await recordOutcomes(worker, {
      runId,
      sender,
      outcomes: messages.map((message) =>
        outcomeWith(message.id, {
          providerId: 1,
          providerMessageId: `SM${'0'.repeat(24)}${String(message.id).padStart(8, '0')}`,
          handedOverAt: Date.now(),
          elapsedMs: 3,
        }),
      ),
      endedClaims: id === null ? [] : [id],
    });
  }
  await worker.end();
  const after = await tableStatistics();
  expect(after.scanned - before.scanned).toBe(0);
  expect(after.updated - before.updated).toBe(5_000);
  expect((after.hot - before.hot) / 5_000).toBeGreaterThan(0.95);
});
