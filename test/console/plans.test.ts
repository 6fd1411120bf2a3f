import { expect, test } from 'vitest';
import { box } from '../kit/api.ts';
import { createConsole } from '../kit/console.ts';
import { bigTables, fillDatabase } from '../kit/filled.ts';
import { createGateway } from '../kit/gateway.ts';
import { addressOf, leadsElsewhere, searchesOf } from '../kit/pages.ts';
import { explain, hasPlan, type Read, type Statement, watchStatements } from '../kit/plans.ts';

/**
 * What each page really asks the database, with what PostgreSQL makes of it where the tables are large enough that it
 * would rather use an index than read all of them.
 */
const rows = 100_000;
const gateway = await createGateway();
const ui = await createConsole({ sandboxUrl: gateway.url });
const { subjects, cookie } = await fillDatabase(ui.sql, box, {
  messages: rows,
  largestRun: rows / 2,
  runs: 200,
  campaigns: 100,
  customers: rows / 2,
  tickets: rows,
  replies: rows / 4,
  events: rows,
  optOuts: rows / 10,
  auditEntries: rows,
});

/** More than a page shows, or a person has; less than any table holds. */
const mostRows = 3_000;

const addresses = ui.pages.flatMap((pattern) => {
  const address = addressOf(pattern, subjects);
  return [address, ...searchesOf(pattern, subjects).map((query) => `${address}?${query}`)];
});

/** What a page reads of the tables that grow beyond what it shows. */
async function largeReadsOf(address: string): Promise<{ statement: string; read: Read }[]> {
  const statements: Statement[] = [];
  watchStatements(ui.sql, (statement) => statements.push(statement));
  const answer = await ui.app.inject({ method: 'GET', url: address, headers: { cookie } });
  expect(answer.statusCode).toBe(leadsElsewhere(address) ? 303 : 200);
  const asked = statements.filter(hasPlan);
  expect(asked.length).toBeGreaterThan(0);
  const large: { statement: string; read: Read }[] = [];
  for (const statement of asked) {
    for (const read of await explain(ui.sql, statement)) {
      const grows = bigTables.some((one) => one === read.table);
      if (grows && (read.by === 'Seq Scan' || read.rows > mostRows))
        large.push({ statement: statement.text, read });
    }
  }
  return large;
}

test.each(addresses)('%s reads little of the tables that grow', async (address) => {
  expect(await largeReadsOf(address)).toEqual([]);
});

// Last: the index is gone then.
test('It would be seen if an index were missing', async () => {
  await ui.sql`drop index messages_phone`;
  const [found] = await largeReadsOf(`/runs/1/messages?phone=%2B5511900000002`);
  expect(found?.read.table).toBe('messages');
  await ui.sql`drop index messages_with_reason`;
  expect(await largeReadsOf('/runs/1/messages?status=unknown')).not.toEqual([]);
});
