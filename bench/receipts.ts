import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Database } from '../db/core/client.ts';
import { runCounts } from '../db/runs/runs.ts';
import { callbackPath } from '../domain/provider.ts';
import { freePort } from '../embedded/ports.ts';
import { median } from './numbers.ts';
import { cpuMicros, cpuMicrosOf, startProcess } from './processes.ts';
import { committed } from './send.ts';
import { createFactory, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Measures how many receipts per second are received over HTTP, verified, stored unchanged and applied to their
 * messages, compared with the same Fastify server with an empty handler. The rounds alternate in one run; the load
 * comes from a separate process, and PostgreSQL flushes to disk as in production.
 *
 * Each connection has one call in progress. A receipt is answered after its commit, so a provider that delivers
 * thousands a second has hundreds in progress; with 100 the server has nothing to read while it waits for PostgreSQL.
 */
export interface ReceiptsResult {
  receipts: number;
  rounds: number;
  connections: number;
  /** Answers per second, medians. */
  empty: number;
  torpedo: number;
  /** Median of the ratios of adjacent rounds, and all of them. */
  overEmpty: number;
  ratios: number[];
  serverCpuMicrosPerReceipt: number;
  emptyCpuMicrosPerReceipt: number;
  databaseCpuMicrosPerReceipt: number;
  receiptsPerTransaction: number;
}

export async function benchReceipts({
  receipts = 20_000,
  rounds = 5,
  connections = 500,
} = {}): Promise<ReceiptsResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, start, log }) => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const makeRun = await createFactory(sql);
    const server = await start(
      'bench/receipts-server.ts',
      {
        ...workerEnvironment,
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        PUBLIC_URL: publicUrl,
        PORT: String(port),
      },
      /^(http:\S+)/,
    );
    const database = await postmasterOf(sql);

    const load = async (path: string, first: number): Promise<number> => {
      const process = await startProcess('bench/receipts-load.ts', {}, /^(\{.*\})$/, [
        JSON.stringify({ url: server.ready, publicUrl, path, first, count: receipts, connections }),
      ]);
      return z.object({ rate: z.number() }).parse(JSON.parse(process.ready)).rate;
    };
    const measured = async (path: string, first: number) => {
      const [cpu, databaseCpu] = [await cpuMicros(server.child), await cpuMicrosOf(database)];
      const before = await committed(sql);
      const rate = await load(path, first);
      return {
        rate,
        transactions: ((await committed(sql)) - before) / receipts,
        cpu: ((await cpuMicros(server.child)) - cpu) / receipts,
        databaseCpu: ((await cpuMicrosOf(database)) - databaseCpu) / receipts,
      };
    };
    const empty = () => measured('/empty/1?message={message}', 1);
    const torpedo = async () => {
      const { id: runId, providerId } = await makeRun(receipts);
      const first = await markSent(sql, runId, providerId ?? 0);
      const figures = await measured(`${callbackPath(providerId ?? 0, 'receipts')}?message={message}`, first);
      const counts = await runCounts(sql, runId);
      const delivered = counts.find(({ status }) => status === 'delivered')?.messages;
      if (delivered !== receipts) throw new Error(`Applied ${JSON.stringify(counts)} of ${receipts}.`);
      return figures;
    };

    log('Warming up.');
    await empty();
    await torpedo();
    const all: { empty: Figures; torpedo: Figures }[] = [];
    for (let round = 0; round < rounds; round++) {
      const one = { empty: await empty(), torpedo: await torpedo() };
      all.push(one);
      log(
        `empty ${one.empty.rate.toFixed(0)}/s, receipts ${one.torpedo.rate.toFixed(0)}/s, ratio ${ratioOf(one).toFixed(2)}`,
      );
    }
    return {
      receipts,
      rounds,
      connections,
      empty: Math.round(median(all.map(({ empty: { rate } }) => rate))),
      torpedo: Math.round(median(all.map(({ torpedo: { rate } }) => rate))),
      overEmpty: Number(median(all.map(ratioOf)).toFixed(2)),
      ratios: all.map((one) => Number(ratioOf(one).toFixed(2))),
      serverCpuMicrosPerReceipt: Math.round(median(all.map(({ torpedo: { cpu } }) => cpu))),
      emptyCpuMicrosPerReceipt: Math.round(median(all.map(({ empty: { cpu } }) => cpu))),
      receiptsPerTransaction: Math.round(
        1 / median(all.map(({ torpedo: { transactions } }) => transactions)),
      ),
      databaseCpuMicrosPerReceipt: Math.round(median(all.map(({ torpedo: { databaseCpu } }) => databaseCpu))),
    };
  });
}

interface Figures {
  rate: number;
  transactions: number;
  cpu: number;
  databaseCpu: number;
}

const ratioOf = (one: { empty: Figures; torpedo: Figures }): number => one.torpedo.rate / one.empty.rate;

/** Marks the messages of a run as sent with the same two updates as the senders. Returns the first id. */
async function markSent(sql: Database, runId: number, providerId: number): Promise<number> {
  await sql`update messages set status = 'sending', sending_at = now(), attempts = 1 where run_id = ${runId}`;
  await sql`
    update messages set status = 'sent', sent_at = now(), provider_message_id = 'SM' || lpad(id::text, 32, '0'),
      provider_id = ${providerId}, sender = 'bench'
    where run_id = ${runId}`;
  await sql`update run_counts set status = 'sent' where run_id = ${runId}`;
  const [{ first }] = await sql<
    [{ first: number }]
  >`select min(id) as first from messages where run_id = ${runId}`;
  return first;
}

/** The parent process of PostgreSQL's backends; Linux only. */
async function postmasterOf(sql: Database): Promise<number> {
  const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/PPid:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
