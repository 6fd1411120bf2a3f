import type { Database } from '../db/core/client.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { deleteInboundEvents, purgeRun } from '../db/core/retention.ts';
import type { SecretBox } from '../db/core/secrets.ts';
import { erasePerson, findCustomerPerson, findHoldings, findMentions } from '../db/customers/people.ts';
import { lockReconciling, reconcileCounts, runsToReconcile } from '../db/runs/runs.ts';
import { benchPages, defaultAmounts, type PagesResult } from './pages.ts';

/**
 * Measures maintenance (erasure, reconciliation, retention) and the pages of the console on a large database. For
 * maintenance, the longest transaction matters rather than the total, because a transaction holds its locks to its end.
 */
export interface ScaleResult {
  messages: number;
  events: number;
  gigabytes: number;
  /** The figures below are milliseconds of one attempt each, except for the numbers of rows. */
  /** The search for a customer in the callbacks of providers, and the transaction that erases the customer. */
  searchCalls: number;
  eraseCustomer: number;
  reconcileLargestRun: number;
  largestRun: number;
  /** The rows that 20 batches deleted. */
  deletedEvents: number;
  deleteEventsLongest: number;
  deleteEventsMean: number;
  searchOldEvents: number;
  purgeLongest: number;
  purgeLargestRun: number;
  pages: Pick<PagesResult, 'pages' | 'slow' | 'slowByCpu'> & { slowest: string; slowestMs: number };
}

const largestRun = 1_000_000;
const batches = 20;

export async function benchScale({
  messages = 20_000_000,
  events = 20_000_000,
  rounds = 3,
} = {}): Promise<ScaleResult> {
  const maintenance: Awaited<ReturnType<typeof measureMaintenance>>[] = [];
  const { times, pages, slow, slowByCpu } = await benchPages({
    rounds,
    amounts: {
      ...defaultAmounts,
      messages,
      events,
      largestRun: Math.min(largestRun, Math.floor(messages / 2)),
      runs: Math.max(defaultAmounts.runs, Math.floor(messages / 5_000)),
      customers: Math.min(1_000_000, Math.floor(messages / 5)),
      replies: Math.floor(messages / 100),
      tickets: Math.floor(messages / 500),
    },
    fill: async (sql, box) => {
      console.error('Filled the database. Measuring maintenance.');
      maintenance.push(await measureMaintenance(sql, box));
      console.error(JSON.stringify(maintenance));
    },
  });
  const [measured] = maintenance;
  if (!measured) throw new Error('Maintenance was not measured.');
  return {
    messages,
    events,
    ...measured,
    pages: { pages, slow, slowByCpu, slowest: times[0]?.page ?? '', slowestMs: times[0]?.medianMs ?? NaN },
  };
}

async function measureMaintenance(sql: Database, box: SecretBox) {
  await sql`vacuum analyze`;
  const [{ bytes }] = await sql<
    [{ bytes: number }]
  >`select pg_database_size(current_database())::float8 as bytes`;
  const hash = await createPhoneHashing({ sql, box })();
  const person = await findCustomerPerson(sql, 5);
  if (!person) throw new Error('There is no customer 5.');
  // Outside a transaction, like the API.
  const startedAt = performance.now();
  const mentions = await findMentions(sql, person, await findHoldings(sql, person));
  const searchCalls = Math.round(performance.now() - startedAt);
  const eraseCustomer = await milliseconds(async () => {
    if ((await sql.begin((tx) => erasePerson(tx, hash, person, mentions))) === null)
      throw new Error('The customer was not erased.');
  });
  const runs = await runsToReconcile(sql, 7);
  const [largest] = await sql<[{ id: number; lines: number }]>`
    select run_id as id, sum(messages)::int as lines from run_counts
    where run_id = any(${runs.map(({ id }) => id)}::bigint[]) group by run_id order by 2 desc limit 1`;
  const reconcileLargestRun = await milliseconds(() =>
    sql.begin(async (tx) => {
      await lockReconciling(tx, largest.id);
      await reconcileCounts(tx, largest.id);
    }),
  );
  // No event is that old, so the whole table is read.
  const searchOldEvents = await milliseconds(() => deleteInboundEvents(sql, 1));
  await sql`update inbound_events set received_at = now() - interval '90 days' where ctid < '(20000,0)'`;
  const deletions: number[] = [];
  let deleted = 0;
  for (let batch = 0; batch < batches; batch++)
    deletions.push(await milliseconds(async () => (deleted += await deleteInboundEvents(sql, 30))));
  const steps: number[] = [];
  let last = performance.now();
  const purgeLargestRun = await milliseconds(() =>
    purgeRun(sql, largest.id, () => {
      const now = performance.now();
      steps.push(now - last);
      last = now;
    }),
  );
  return {
    gigabytes: Number((bytes / 2 ** 30).toFixed(1)),
    searchCalls,
    eraseCustomer,
    reconcileLargestRun,
    largestRun: largest.lines,
    searchOldEvents,
    deletedEvents: deleted,
    deleteEventsLongest: Math.max(...deletions),
    deleteEventsMean: Math.round(deletions.reduce((sum, one) => sum + one, 0) / deletions.length),
    purgeLongest: Math.round(Math.max(...steps)),
    purgeLargestRun,
  };
}

async function milliseconds(body: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await body();
  return Math.round(performance.now() - startedAt);
}
