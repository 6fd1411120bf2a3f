import { expect, test } from 'vitest';
import { fewTicketsWith, ticketSearch, type TicketFilter } from '../../db/tickets/tickets.ts';
import { createDatabase } from '../kit/database.ts';
import { readsIn } from '../kit/plans.ts';

/** Enough that PostgreSQL would rather use an index than read all of it. */
const rows = 100_000;
const { sql } = await createDatabase();

// Campaign 1 has sent to half of them, and all of these tickets are finished; of campaign 2 every fifth is not. One
// phone, customer and name is rare, one first name in six is Maria. What the rows refer to is not there: keys off.
await sql.begin(async (tx) => {
  await tx`set local session_replication_role = replica`;
  await tx`
    insert into tickets (cause, campaign_id, run_id, message_id, customer_id, phone, name, code, status, department_id,
      assignee_id, category_id, subcategory_id, resolution_id)
    select 'send', 1 + i % 2, 1 + i % 20, i, i, '+55119' || lpad(i::text, 8, '0'),
      (array['Maria', 'João', 'Ana', 'José', 'Paulo', 'Rita'])[1 + i % 6] || case when i = 777 then ' Raríssima' else ' Silva' end,
      'C-' || i, case when i % 10 = 1 then 'open' else 'finished' end, 1 + i % 5, 1 + i % 7, 1 + i % 3, 1, 1
    from generate_series(1, ${rows}::int) as i`;
});
await sql`vacuum analyze tickets`;

/** How a page of a search reads the tickets: by what, and how many rows it looks at. */
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
  ['status', { status: 'open' }, null],
  ['a status that no ticket has', { status: 'waiting' }, null],
  ['campaign', { campaignId: 1 }, null],
  ['the open ones of a campaign that has none', { campaignId: 1, status: 'open' }, null],
  ['the open ones of a campaign', { campaignId: 2, status: 'open' }, null],
  ['run', { runId: 7 }, null],
  ['department', { departmentId: 3 }, null],
  ['the open ones of an assignee', { assigneeId: 4, status: 'open' }, null],
  ['category and department', { categoryId: 2, departmentId: 5 }, null],
  ['phone', { phone: '+5511900000777' }, null],
  ['customer', { customerId: 777 }, null],
  ['a rare word', {}, `'rarissima':*`],
  ['a frequent word', {}, `'maria':*`],
  ['a code', {}, `'777':*`],
  ['a word that is in none', {}, `'zzz':*`],
] as const)('a search by %s looks at few of the tickets', async (_, filter, words) => {
  const { by, rows: looked } = await readsOf(filter, words);
  expect(by).not.toContain('Seq Scan');
  expect(looked).toBeLessThan(3_000);
});
