import { Pool } from 'undici';
import type { Database } from '../db/core/client.ts';
import { median } from './numbers.ts';
import { cpuMicros, cpuMicrosOf } from './processes.ts';
import { account, createFactory, sendRun, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Measures the send rate through the whole path (run workflow, streaming sender, a durable outcome for each message). It
 * is compared with the maximum of the machine (the bare HTTP client in a loop, nothing stored) and with the plain
 * Temporal approach (an activity for each contact). All use the same sink and alternate in one run.
 *
 * The worker and the sink are separate processes; PostgreSQL flushes to disk as in production.
 */
export interface SendResult {
  contacts: number;
  rounds: number;
  /** Contacts per second, medians. */
  bare: number;
  torpedo: number;
  activityEach: number;
  /** Torpedo divided by its peers: medians of the ratios of adjacent rounds. */
  overBare: number;
  overActivityEach: number;
  /** CPU time of each process per contact, on two cores. `bareCpu…` is for the loop of the bare client. */
  bareCpuMicrosPerContact: number;
  bareSinkCpuMicrosPerContact: number;
  workerCpuMicrosPerContact: number;
  sinkCpuMicrosPerContact: number;
  postgresCpuMicrosPerContact: number;
  transactionsPerContact: number;
}

const inFlight = 50;
/** More would exceed the limit of a workflow history. The rate does not depend on this number. */
const activityContacts = 500;

export async function benchSend({ contacts = 20_000, rounds = 5 } = {}): Promise<SendResult> {
  return withServers(async ({ databaseUrl, postgresPid, sql, temporalAddress, client, start }) => {
    const sink = await start('bench/sink.ts', {}, /^(http:\S+)/);
    const environment = {
      ...workerEnvironment,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      SANDBOX_URL: sink.ready,
      SINGLE_SEND_UP_TO: String(activityContacts),
    };
    const worker = await start('worker/main.ts', environment, null);
    const makeRun = await createFactory(sql);

    const cpuNow = async () => ({
      worker: await cpuMicros(worker.child),
      sink: await cpuMicros(sink.child),
      postgres: await cpuMicrosOf(postgresPid),
    });
    const torpedo = async (count: number) => {
      const row = await makeRun(count);
      const [cpu, transactions] = [await cpuNow(), await committed(sql)];
      const seconds = await sendRun(client, row, count);
      return {
        rate: count / seconds,
        cpu: await cpuNow().then(({ worker, sink, postgres }) => ({
          worker: (worker - cpu.worker) / count,
          sink: (sink - cpu.sink) / count,
          postgres: (postgres - cpu.postgres) / count,
        })),
        transactions: ((await committed(sql)) - transactions) / count,
      };
    };

    console.error('Warming up.');
    await torpedo(contacts);
    await bare(sink.ready, contacts);
    const results: (Awaited<ReturnType<typeof torpedo>> & {
      bare: number;
      bareCpu: number;
      bareSink: number;
    })[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = { own: process.cpuUsage(), sink: await cpuMicros(sink.child) };
      const loop = await bare(sink.ready, contacts);
      const own = process.cpuUsage(before.own);
      const bareSink = ((await cpuMicros(sink.child)) - before.sink) / contacts;
      const result = await torpedo(contacts);
      results.push({ ...result, bare: loop, bareCpu: (own.user + own.system) / contacts, bareSink });
      console.error(
        `bare ${loop.toFixed(0)}/s, Torpedo ${result.rate.toFixed(0)}/s, ratio ${(result.rate / loop).toFixed(2)}`,
      );
    }
    const activityEach = median([
      (await torpedo(activityContacts)).rate,
      (await torpedo(activityContacts)).rate,
      (await torpedo(activityContacts)).rate,
    ]);
    const rate = median(results.map((one) => one.rate));
    return {
      contacts,
      rounds,
      bare: Math.round(median(results.map((one) => one.bare))),
      torpedo: Math.round(rate),
      activityEach: Math.round(activityEach),
      overBare: Number(median(results.map((one) => one.rate / one.bare)).toFixed(2)),
      overActivityEach: Math.round(rate / activityEach),
      bareCpuMicrosPerContact: Math.round(median(results.map((one) => one.bareCpu))),
      bareSinkCpuMicrosPerContact: Math.round(median(results.map((one) => one.bareSink))),
      workerCpuMicrosPerContact: Math.round(median(results.map((one) => one.cpu.worker))),
      sinkCpuMicrosPerContact: Math.round(median(results.map((one) => one.cpu.sink))),
      postgresCpuMicrosPerContact: Math.round(median(results.map((one) => one.cpu.postgres))),
      transactionsPerContact: Number(median(results.map((one) => one.transactions)).toFixed(3)),
    };
  });
}

/** Sends the same POST with the bare client, with `inFlight` requests in flight, and only reads the answer. */
async function bare(url: string, count: number): Promise<number> {
  const pool = new Pool(url, { connections: inFlight, pipelining: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const path = `/2010-04-01/Accounts/${account.accountSid}/Messages.json`;
  let next = 0;
  const startedAt = performance.now();
  const loop = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const body = `From=%2B5511999990000&StatusCallback=http%3A%2F%2F127.0.0.1%3A1%2Fwebhooks%2Fproviders%2F1%2Freceipts%3Fmessage%3D${n}&To=%2B55119${10_000_000 + n}&Body=Ola%2C%20Maria%20${n}%21`;
      const response = await pool.request({ method: 'POST', path, headers, body });
      await response.body.text();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const rate = count / ((performance.now() - startedAt) / 1000);
  await pool.close();
  return rate;
}

/** The number of transactions committed so far. */
export async function committed(sql: Database): Promise<number> {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<[{ count: number }]>`
    select xact_commit as count from pg_stat_database where datname = current_database()`;
  return row.count;
}
