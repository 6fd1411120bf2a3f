import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { createClaiming } from '../../activities/sender-claims.ts';
import { createFlow } from '../../activities/sender-flow.ts';
import { claimLines } from '../../db/messages/claims.ts';
import { connect } from '../../db/core/client.ts';
import { createDatabase } from '../kit/database.ts';
import { until } from '../kit/until.ts';

/** The cost of claims in a small run. At nine o'clock hundreds of runs start together. */
const contacts = 50;
const runId = 1;
const { sql, url } = await createDatabase();

beforeEach(() =>
  sql.begin(async (tx) => {
    // Foreign keys are off because the rows that the run refers to do not exist.
    await tx`set local session_replication_role = replica`;
    await tx`truncate runs, messages, run_counts, send_cursors, claims cascade`;
    await tx`
      insert into runs (id, campaign_id, occurrence, trigger, status, step, settings) overriding system value
      values (${runId}, 1, now(), 'manual', 'running', 'sending', '{}')`;
    await tx`
      insert into messages (run_id, line, status, phone, text, segments)
      select ${runId}, n, 'queued', '+55119' || (10000000 + n), 'Olá!', 1 from generate_series(1, ${contacts}::int) as n`;
    await tx`insert into run_counts (run_id, status, messages, segments) values (${runId}, 'queued', ${contacts}, ${contacts})`;
  }),
);

test('while the last messages are in flight, their outcomes do not trigger queries for retries', async () => {
  const worker = connect(url, { max: 1 });
  const statements: string[] = [];
  Object.assign(worker.options, { debug: (_: number, text: string) => statements.push(text) });
  const flow = createFlow({ until: new Date(Date.now() + 60_000), signal: new AbortController().signal });
  const claiming = createClaiming({
    ...{ sql: worker, flow, maxHeld: () => 1_000, mayClaim: () => true, onClaimed: () => undefined },
    task: { runId, sender: 's#1', maxAttempts: 5, limit: null },
    lane: { look: () => Promise.resolve(), appetite: () => null },
  });
  const done = claiming.run();
  await until('all messages are claimed', () => flow.waiting.length === contacts);
  while (flow.held > 0) {
    flow.held--;
    flow.roomFreed.notify();
    await setImmediate();
    await worker`select 'the claims had their turn'`;
  }
  await done;
  await worker.end();
  expect(flow.why()).toBe('nothing_due');
  expect(statements.filter((text) => text.includes('skip locked')).length).toBeLessThan(contacts / 5);
  expect(statements.filter((text) => text.includes('handed_out'))).toHaveLength(1);
});

test('a claim that returns all requested lines never reports to be the last one', async () => {
  const claim = (from: number, lines: number) => claimLines(sql, { runId, sender: 's#1', from, lines });
  await sql`update messages set status = 'skipped' where line in (3, 4)`;
  expect(await claim(1, 10)).toMatchObject({ isLast: false, messages: { length: 8 } });
  expect(await claim(11, 20)).toMatchObject({ isLast: false, messages: { length: 20 } });
  expect(await claim(31, 20)).toMatchObject({ isLast: false, messages: { length: 20 } });
});

test('a claim that returns fewer lines than requested is the last one', async () => {
  await sql`update messages set status = 'skipped' where line > 40`;
  expect(await claimLines(sql, { runId, sender: 's#1', from: 1, lines: 125 })).toMatchObject({
    isLast: true,
    messages: { length: 40 },
  });
});
