import { expect, test } from 'vitest';
import { box } from '../kit/api.ts';
import { createConsole } from '../kit/console.ts';
import { bigTables, fillDatabase } from '../kit/filled.ts';
import { createGateway } from '../kit/gateway.ts';
import { addressOf, redirects, searchesOf } from '../kit/pages.ts';
import { explain, hasPlan, type Read, type Statement, watchStatements } from '../kit/plans.ts';

/**
 * The queries of each page and their plans, with tables that are large enough for PostgreSQL to prefer an index to a
 * sequential scan.
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

/** More rows than a page shows or a customer has, and fewer than any large table contains. */
const maxRows = 3_000;

const addresses = ui.pages.flatMap((pattern) => {
  const address = addressOf(pattern, subjects);
  return [address, ...searchesOf(pattern, subjects).map((query) => `${address}?${query}`)];
});

/** Finds sequential scans and large reads of the growing tables that a page causes. */
async function largeReadsOf(address: string): Promise<{ statement: string; read: Read }[]> {
  const statements: Statement[] = [];
  watchStatements(ui.sql, (statement) => statements.push(statement));
  const answer = await ui.app.inject({ method: 'GET', url: address, headers: { cookie } });
  expect(answer.statusCode).toBe(redirects(address) ? 303 : 200);
  const planned = statements.filter(hasPlan);
  expect(planned.length).toBeGreaterThan(0);
  const large: { statement: string; read: Read }[] = [];
  for (const statement of planned) {
    for (const read of await explain(ui.sql, statement)) {
      const grows = bigTables.some((one) => one === read.table);
      if (grows && (read.by === 'Seq Scan' || read.rows > maxRows))
        large.push({ statement: statement.text, read });
    }
  }
  return large;
}

test.each(addresses)('%s reads few rows of the growing tables', async (address) => {
  expect(await largeReadsOf(address)).toEqual([]);
});

// The last test, because it drops indexes.
test('a missing index is detected', async () => {
  await ui.sql`drop index messages_phone`;
  const [found] = await largeReadsOf(`/runs/1/messages?phone=%2B5511900000002`);
  expect(found?.read.table).toBe('messages');
  await ui.sql`drop index messages_with_reason`;
  expect(await largeReadsOf('/runs/1/messages?status=unknown')).not.toEqual([]);
});
