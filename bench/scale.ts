import type { Database } from '../db/core/client.ts';
import { createPhoneHashing } from '../db/core/phone-hash.ts';
import { deleteInboundEvents, purgeRun } from '../db/core/retention.ts';
import type { SecretBox } from '../db/core/secrets.ts';
import { erasePerson, findCustomerPerson, findHoldings, findMentions } from '../db/customers/people.ts';
import { lockReconciling, reconcileCounts, runsToReconcile } from '../db/runs/runs.ts';
import { benchPages, presentAmounts, type PagesResult } from './pages.ts';

/**
 * What a large database costs the work that reads it: the upkeep (erasure, reconciliation, retention), and each page of
 * the console. The longest time for which one transaction of the upkeep holds its locks counts, not the total.
 */
export interface ScaleResult {
  messages: number;
  events: number;
  gigabytes: number;
  /** Milliseconds, one try of each, except where a number of rows is given. */
  /** The search for a person in the calls of providers, and the transaction that erases. */
  searchCalls: number;
  eraseCustomer: number;
  reconcileLargestRun: number;
  largestRun: number;
  /** Of 20 portions. */
  deletedEvents: number;
  deleteEventsLongest: number;
  deleteEventsEach: number;
  lookForOldEvents: number;
  purgeLongest: number;
  purgeLargestRun: number;
  pages: Pick<PagesResult, 'pages' | 'slow' | 'slowByCpu'> & { slowest: string; slowestMs: number };
}

const largestRun = 1_000_000;
const portions = 20;

export async function benchScale({
  messages = 20_000_000,
  events = 20_000_000,
  rounds = 3,
} = {}): Promise<ScaleResult> {
  const upkeep: Awaited<ReturnType<typeof measureUpkeep>>[] = [];
  const { times, pages, slow, slowByCpu } = await benchPages({
    rounds,
    amounts: {
      ...presentAmounts,
      messages,
      events,
      largestRun: Math.min(largestRun, Math.floor(messages / 2)),
      runs: Math.max(presentAmounts.runs, Math.floor(messages / 5_000)),
      customers: Math.min(1_000_000, Math.floor(messages / 5)),
      replies: Math.floor(messages / 100),
      tickets: Math.floor(messages / 500),
    },
    fill: async (sql, box) => {
      console.error('Filled; the upkeep follows.');
      upkeep.push(await measureUpkeep(sql, box));
      console.error(JSON.stringify(upkeep));
    },
  });
  const [measured] = upkeep;
  if (!measured) throw new Error('The upkeep was not measured.');
  return {
    messages,
    events,
    ...measured,
    pages: { pages, slow, slowByCpu, slowest: times[0]?.page ?? '', slowestMs: times[0]?.medianMs ?? NaN },
  };
}

async function measureUpkeep(sql: Database, box: SecretBox) {
  await sql`vacuum analyze`;
  const [{ bytes }] = await sql<
    [{ bytes: number }]
  >`select pg_database_size(current_database())::float8 as bytes`;
  const hash = await createPhoneHashing({ sql, box })();
  const person = await findCustomerPerson(sql, 5);
  if (!person) throw new Error('There is no customer 5.');
  // Without a transaction, as the API does it.
  const began = performance.now();
  const mentions = await findMentions(sql, person, await findHoldings(sql, person));
  const searchCalls = Math.round(performance.now() - began);
  const eraseCustomer = await milliseconds(async () => {
    if ((await sql.begin((tx) => erasePerson(tx, hash, person, mentions))) === null)
      throw new Error('Nothing was erased.');
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
  // Nothing is as old as that: the whole table is read.
  const lookForOldEvents = await milliseconds(() => deleteInboundEvents(sql, 1));
  await sql`update inbound_events set received_at = now() - interval '90 days' where ctid < '(20000,0)'`;
  const deletions: number[] = [];
  let deleted = 0;
  for (let portion = 0; portion < portions; portion++)
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
    lookForOldEvents,
    deletedEvents: deleted,
    deleteEventsLongest: Math.max(...deletions),
    deleteEventsEach: Math.round(deletions.reduce((sum, one) => sum + one, 0) / deletions.length),
    purgeLongest: Math.round(Math.max(...steps)),
    purgeLargestRun,
  };
}

async function milliseconds(body: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await body();
  return Math.round(performance.now() - began);
}
