import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Pool } from 'undici';
import { connect, type Database } from '../db/client.ts';
import { insertCampaign } from '../db/campaigns.ts';
import { migrate } from '../db/migrate.ts';
import { insertProvider } from '../db/providers.ts';
import { insertRun, type RunRow } from '../db/runs.ts';
import { createSecretBox } from '../db/secrets.ts';
import { campaign, campaignDraft } from '../domain/campaign.ts';
import { sendingHours } from '../domain/hours.ts';
import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { attributes } from '../workflows/attributes.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { median } from './numbers.ts';
import { cpuMicros, startProcess } from './processes.ts';

/**
 * How fast contacts are written to through the whole path (run workflow, streaming sender, durable outcome for each),
 * beside what the machine can do at most (the bare HTTP client in a loop, nothing kept) and beside the plain Temporal
 * way (an activity for each contact). Same sink, same run, alternating.
 *
 * The worker and the sink are processes of their own; PostgreSQL flushes to disk as in production.
 */
export interface SendResult {
  contacts: number;
  rounds: number;
  /** Contacts per second, medians. */
  bare: number;
  torpedo: number;
  activityEach: number;
  /** Torpedo over the peers: medians of the ratios of neighbouring rounds. */
  overBare: number;
  overActivityEach: number;
  workerCpuMicrosPerContact: number;
  transactionsPerContact: number;
}

const inFlight = 50;
/** More would exceed what a history holds; its rate does not depend on the number. */
const activityContacts = 500;
const accountSid = `AC${'0'.repeat(32)}`;
const keys = [{ id: 'bench', key: randomBytes(32) }];

export async function benchSend({ contacts = 20_000, rounds = 5 } = {}): Promise<SendResult> {
  const folder = await mkdtemp(join(tmpdir(), 'torpedo-bench-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const log = (message: string): void => console.error(message);
    const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0, log });
    stops.push(postgres.stop);
    const temporal = await startTemporal({
      binary: await requireTemporalBinary(log),
      dataDir: join(folder, 'temporal'),
      port: 0,
      uiPort: null,
      namespace: 'default',
      searchAttributes: Object.values(attributes).map(({ name }) => name),
      log,
    });
    stops.push(temporal.stop);
    const sql = connect(postgres.url, { max: 4 });
    stops.push(() => sql.end({ timeout: 5 }));
    await migrate(sql);
    const sink = await startProcess('bench/sink.ts', {}, /^(http:\S+)/);
    stops.push(() => sink.stop());
    const worker = await startProcess(
      'worker/main.ts',
      {
        DATABASE_URL: postgres.url,
        TEMPORAL_ADDRESS: temporal.address,
        PUBLIC_URL: 'http://127.0.0.1:1',
        SANDBOX_URL: sink.ready,
        SECRET_KEYS: `bench:${keys[0]?.key.toString('base64') ?? ''}`,
        SINGLE_SEND_UP_TO: String(activityContacts),
        LOG_LEVEL: 'warn',
      },
      null,
    );
    stops.push(() => worker.stop());
    const connection = await Connection.connect({ address: temporal.address });
    stops.push(() => connection.close());
    const client = new Client({ connection });
    const makeRun = await createFactory(sql);

    const torpedo = async (count: number): Promise<{ rate: number; cpu: number; transactions: number }> => {
      const row = await makeRun(count);
      const [cpu, transactions] = [await cpuMicros(worker.child), await committed(sql)];
      const began = performance.now();
      const handle = await client.workflow.start(runWorkflow, {
        args: [{ runId: row.id, campaignId: row.campaignId }],
        workflowId: runWorkflowId(row.campaignId, row.occurrence),
        taskQueue,
      });
      const { counts } = await handle.result();
      const seconds = (performance.now() - began) / 1000;
      if (counts.sent !== count) throw new Error(`Sent ${JSON.stringify(counts)} of ${count}.`);
      return {
        rate: count / seconds,
        cpu: ((await cpuMicros(worker.child)) - cpu) / count,
        transactions: ((await committed(sql)) - transactions) / count,
      };
    };

    console.error('Warming up.');
    await torpedo(contacts);
    await bare(sink.ready, contacts);
    const results: { bare: number; torpedo: number; cpu: number; transactions: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const loop = await bare(sink.ready, contacts);
      const { rate, cpu, transactions } = await torpedo(contacts);
      results.push({ bare: loop, torpedo: rate, cpu, transactions });
      console.error(
        `bare ${loop.toFixed(0)}/s, Torpedo ${rate.toFixed(0)}/s, ratio ${(rate / loop).toFixed(2)}`,
      );
    }
    const activityEach = median([
      (await torpedo(activityContacts)).rate,
      (await torpedo(activityContacts)).rate,
      (await torpedo(activityContacts)).rate,
    ]);
    const rate = median(results.map((one) => one.torpedo));
    return {
      contacts,
      rounds,
      bare: Math.round(median(results.map((one) => one.bare))),
      torpedo: Math.round(rate),
      activityEach: Math.round(activityEach),
      overBare: Number(median(results.map((one) => one.torpedo / one.bare)).toFixed(2)),
      overActivityEach: Math.round(rate / activityEach),
      workerCpuMicrosPerContact: Math.round(median(results.map((one) => one.cpu))),
      transactionsPerContact: Number(median(results.map((one) => one.transactions)).toFixed(3)),
    };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** The bare client: the same POST, so many in flight, the answer read, nothing else. */
async function bare(url: string, count: number): Promise<number> {
  const pool = new Pool(url, { connections: inFlight, pipelining: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${accountSid}:token`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
  let next = 0;
  const began = performance.now();
  const loop = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const body = `From=%2B5511999990000&StatusCallback=http%3A%2F%2F127.0.0.1%3A1%2Fwebhooks%2Fproviders%2F1%2Freceipts%3Fmessage%3D${n}&To=%2B55119${10_000_000 + n}&Body=Ola%2C%20Maria%20${n}%21`;
      const response = await pool.request({ method: 'POST', path, headers, body });
      await response.body.text();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const rate = count / ((performance.now() - began) / 1000);
  await pool.close();
  return rate;
}

/** Makes runs whose mailing has been read: `count` queued messages each. */
async function createFactory(sql: Database): Promise<(count: number) => Promise<RunRow>> {
  const provider = await sql.begin((tx) =>
    insertProvider(tx, createSecretBox(keys), {
      name: 'Sink',
      config: { kind: 'sandbox', accountSid, from: '+5511999990000' },
      secrets: { kind: 'sandbox', authToken: 'token' },
      segmentProfile: 'gsm',
      ratePerSecond: null,
    }),
  );
  const hours = {
    timezone: 'UTC',
    windows: [
      {
        days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
        from: '00:00',
        to: '24:00',
      },
    ],
  };
  const [{ id: sendingHoursId }] = await sql<[{ id: number }]>`
    insert into sending_hours (name, definition) values ('always', ${sql.json(hours)}) returning id`;
  const draft = campaignDraft.parse({
    name: 'Bench',
    schedule: { recurrence: { every: 'once' }, startsAt: '2030-01-01T09:00', timezone: 'UTC' },
    message: { template: 'Ola, {nome}!', providerId: provider.id },
    mailing: { source: 'csv', sendingHoursId, runDespitePending: true },
  });
  const { id: campaignId } = await insertCampaign(sql, draft);
  let occurrence = Date.parse('2030-01-01T00:00:00Z');
  return async (count) => {
    const row = await insertRun(sql, {
      campaignId,
      occurrence: new Date(occurrence++),
      trigger: 'manual',
      status: 'running',
      reason: null,
      settings: {
        campaign: campaign.parse(draft),
        hours: sendingHours.parse(hours),
        holidays: [],
        segmentProfile: 'gsm',
      },
      mailingFileId: null,
      expiresAt: null,
    });
    await sql`
      insert into messages (run_id, line, status, phone, text, segments)
      select ${row.id}, n, 'queued', '+55119' || (10000000 + n), 'Ola, Maria ' || n || '!', 1 from generate_series(1, ${count}::int) as n`;
    await sql`insert into run_counts (run_id, status, messages, segments) values (${row.id}, 'queued', ${count}, ${count})`;
    await sql`update runs set mailing_at = now() where id = ${row.id}`;
    await sql`vacuum analyze messages`;
    await sql`checkpoint`;
    return row;
  };
}

async function committed(sql: Database): Promise<number> {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<[{ count: number }]>`
    select xact_commit as count from pg_stat_database where datname = current_database()`;
  return row.count;
}
