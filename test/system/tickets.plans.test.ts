import { expect, test } from 'vitest';
import {
  countTickets,
  fewTicketsWith,
  type TicketFilter,
  ticketQueue,
  ticketSearch,
} from '../../db/tickets/search.ts';
import { phonesMeant } from '../../domain/phone.ts';
import { createDatabase } from '../kit/database.ts';
import { explain, readsIn, type Statement, watchStatements } from '../kit/plans.ts';

/** Enough rows for PostgreSQL to prefer an index to a sequential scan. */
const rows = 100_000;
const { sql } = await createDatabase();

// Campaign 1 has half of the tickets, all finished. Of campaign 2 every fifth is open. One phone, customer and name is
// rare, and one first name in six is Maria. Foreign keys are off because the referenced rows do not exist.
await sql.begin(async (tx) => {
  await tx`set local session_replication_role = replica`;
  await tx`
    insert into tickets (cause, campaign_id, run_id, message_id, customer_id, phone, name, code, status, department_id,
      assignee_id, category_id, subcategory_id, resolution_id, user_id, customer_wrote_at, answered_at, answer_due_at)
    select 'send', 1 + i % 2, 1 + i % 20, i, i, '+55119' || lpad(i::text, 8, '0'),
      (array['Maria', 'João', 'Ana', 'José', 'Paulo', 'Rita'])[1 + i % 6] || case when i = 777 then ' Raríssima' else ' Silva' end,
      'C-' || i, case when i % 10 = 1 then 'open' else 'finished' end, 1 + i % 5, 1 + i % 7, 1 + i % 3, 1, 1, case when i % 10 = 1 then 1 + i / 10 % 40 end,
      now() - i * interval '1 minute', case when i % 10 <> 1 then now() end, now() - i * interval '1 second'
    from generate_series(1, ${rows}::int) as i`;
});
await sql`vacuum analyze tickets`;

/** How a page of a search reads the tickets: the plan nodes and the number of rows. */
async function readsOf(filter: Omit<TicketFilter, 'text'>, words: string | null) {
  const answer = await sql.begin(async (tx) => {
    await tx`set local plan_cache_mode = force_custom_plan`;
    const search = words === null ? null : { words, few: await fewTicketsWith(tx, words) };
    return tx<[{ queryPlan: unknown }]>`
      explain (analyze, format json) ${ticketSearch(tx, filter, search, { limit: 50 })}`;
  });
  const reads = readsIn(Object.values(answer[0])[0]).filter(({ table }) => table === 'tickets');
  return { by: reads.map(({ by }) => by), rows: reads.reduce((sum, read) => sum + read.rows, 0) };
}

test.each([
  ['nothing', {}, null],
  ['open tickets', { view: 'open' }, null],
  ['open tickets of a user', { view: 'open', userId: 2 }, null],
  ['open tickets of a user without any', { view: 'open', userId: 77 }, null],
  ['status', { status: 'open' }, null],
  ['a status that no ticket has', { status: 'waiting' }, null],
  ['campaign', { campaignId: 1 }, null],
  ['open tickets of a campaign without any', { campaignId: 1, status: 'open' }, null],
  ['open tickets of a campaign', { campaignId: 2, status: 'open' }, null],
  ['run', { runId: 7 }, null],
  ['department', { departmentId: 3 }, null],
  ['open tickets of an assignee', { assigneeId: 4, status: 'open' }, null],
  ['category and department', { categoryId: 2, departmentId: 5 }, null],
  ['phone', { phone: ['+5511900000777'] }, null],
  ['a phone without its DDD', { phone: phonesMeant('90000-0777') }, null],
  ['customer', { customerId: 777 }, null],
  ['a rare word', {}, `'rarissima':*`],
  ['a frequent word', {}, `'maria':*`],
  ['a code', {}, `'777':*`],
  ['a word without matches', {}, `'zzz':*`],
] as const)('a search by %s reads few tickets', async (_, filter, words) => {
  const { by, rows: read } = await readsOf(filter, words);
  expect(by).not.toContain('Seq Scan');
  expect(read).toBeLessThan(3_000);
});

test.each(['unanswered', 'overdue'] as const)('the queue of %s tickets reads few tickets', async (queue) => {
  for (const after of [null, { at: '2026-01-01T00:00:00Z', id: 7 }]) {
    const answer = await sql<[{ queryPlan: unknown }]>`
      explain (analyze, format json) ${ticketQueue(sql, queue, {}, null, { after, limit: 50 })}`;
    const reads = readsIn(Object.values(answer[0])[0]).filter(({ table }) => table === 'tickets');
    expect(reads.map(({ by }) => by)).not.toContain('Seq Scan');
    expect(reads.reduce((sum, read) => sum + read.rows, 0)).toBeLessThan(3_000);
  }
});

test('the counts of the views stop at a thousand', async () => {
  const statements: Statement[] = [];
  watchStatements(sql, (statement) => statements.push(statement));
  expect(await countTickets(sql, 2)).toEqual({ mine: 250, unanswered: 1_000, overdue: 1_000, open: 1_000 });
  const [statement] = statements.filter(({ text }) => text.includes('as unanswered'));
  if (!statement) throw new Error('Nothing was counted.');
  for (const read of await explain(sql, statement)) {
    expect(read.by).not.toBe('Seq Scan');
    expect(read.rows).toBeLessThan(3_000);
  }
});
