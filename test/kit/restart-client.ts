/**
 * A process that keeps a database busy with work that a server restart interrupts: transactions, COPY and single
 * queries. It reports its progress every 50 ms, and the state of the tables after a request to end. For
 * test/system/client.restart.test.ts.
 */
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Sql } from '../../db/core/client.ts';

const [url = ''] = process.argv.slice(2);
// Few connections, so that the pool reopens a lost one for other work while its transaction is still ending.
const sql = connect(url, { max: 4 });
const done = { copies: 0, transactions: 0, queries: 0, failed: 0 };
let ending = false;
let number = 0;

async function copyIn(tx: Sql): Promise<void> {
  const workNumber = ++number;
  await tx`insert into steps values ('copy', ${workNumber}, 1)`;
  const copy = await tx`copy copied from stdin`.writable();
  const copied = finished(copy);
  copied.catch(() => undefined);
  try {
    for (let rows = 0; rows < 300; rows++) {
      if (!copy.write('1\n'.repeat(1_000))) await Promise.race([once(copy, 'drain'), copied]);
    }
    copy.end();
    await copied;
  } catch (error) {
    copy.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  await tx`insert into steps values ('copy', ${workNumber}, 2)`;
  await tx`delete from copied`;
}

/** Ignores a failed statement and continues the transaction, like careless code. */
async function inThreeSteps(tx: Sql): Promise<void> {
  const workNumber = ++number;
  await tx`insert into steps values ('transaction', ${workNumber}, 1)`;
  await tx`select pg_sleep(0.005)`.catch(() => undefined);
  await sleep(2);
  await Promise.all([
    tx`insert into steps values ('transaction', ${workNumber}, 2)`,
    tx`insert into steps values ('transaction', ${workNumber}, 3)`,
  ]);
}

async function repeat(kind: 'copies' | 'transactions' | 'queries', work: () => Promise<unknown>) {
  while (!ending) {
    try {
      await work();
      done[kind]++;
    } catch {
      done.failed++;
      await sleep(5);
    }
  }
}

const loops = [
  ...[1, 2].map(() => repeat('copies', () => sql.begin(copyIn))),
  ...[1, 2, 3].map(() => repeat('transactions', () => sql.begin(inThreeSteps))),
  ...[1, 2, 3].map(() => repeat('queries', () => sql`select 1`)),
];
const reporting = setInterval(() => process.send?.({ done }), 50);

process.once('message', () => {
  ending = true;
  void Promise.all(loops).then(async () => {
    clearInterval(reporting);
    const partial = await sql`
      select kind, number, count(*)::int as steps from steps group by 1, 2
      having count(*) <> case kind when 'copy' then 2 else 3 end`;
    process.send?.({ ended: true, partial: [...partial] }, () => process.exit(0));
  });
});
