import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Database } from '../db/core/client.ts';
import { insertCampaign } from '../db/campaigns/campaigns.ts';
import { insertProvider } from '../db/providers/providers.ts';
import { insertRun, type RunRow } from '../db/runs/runs.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { weekdays } from '../domain/calendar.ts';
import { campaign, campaignDraft } from '../domain/campaign.ts';
import type { Process } from './processes.ts';
import type { Servers } from './servers.ts';

export const account = {
  accountSid: `AC${'0'.repeat(32)}`,
  authToken: 'bench-token',
  from: '+5511999990000',
};

const key = randomBytes(32);

/** Settings of a worker in addition to its servers. The key decrypts the secrets of `createFactory`'s provider. */
export const workerEnvironment = {
  PUBLIC_URL: 'http://127.0.0.1:1',
  SECRET_KEYS: `bench:${key.toString('base64')}`,
  LOG_LEVEL: 'error',
};

/** Starts `count` workers, whose sandbox is a gateway that answers after `latencyMs`. */
export async function startWorkers(
  { databaseUrl, temporalAddress, start }: Pick<Servers, 'databaseUrl' | 'temporalAddress' | 'start'>,
  { count, latencyMs }: { count: number; latencyMs: number },
): Promise<Process[]> {
  const sink = await start('bench/sink.ts', { LATENCY_MS: String(latencyMs) }, /^(http:\S+)/);
  const environment = {
    ...workerEnvironment,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    SANDBOX_URL: sink.ready,
  };
  const workers: Process[] = [];
  while (workers.length < count) workers.push(await start('worker/main.ts', environment, null));
  return workers;
}

export async function insertBenchProvider(
  sql: Database,
  { name = 'Sink', maxInFlight }: { name?: string; maxInFlight?: number } = {},
): Promise<number> {
  const provider = await sql.begin((tx) =>
    insertProvider(tx, createSecretBox([{ id: 'bench', key }]), {
      name,
      maxInFlight,
      config: { kind: 'sandbox', accountSid: account.accountSid, from: account.from },
      secrets: { kind: 'sandbox', authToken: account.authToken },
      segmentProfile: 'gsm',
      ratePerSecond: null,
    }),
  );
  return provider.id;
}

/** `longEvery`: one in this many messages has two segments; if omitted: none. */
type MakeRun = (count: number, options?: { longEvery?: number }) => Promise<RunRow>;

interface CampaignOptions {
  name?: string;
  providerId?: number;
  ticketPolicy?: object;
  mailing?: object;
}

/** Creates a campaign, and runs of it whose mailing has not been read. */
export async function createEmptyRuns(
  sql: Database,
  { name = 'Bench', providerId, mailing = { source: 'csv' }, ...changes }: CampaignOptions = {},
): Promise<{ campaignId: number; makeRun: (mailingFileId?: number | null) => Promise<RunRow> }> {
  const hours = {
    timezone: 'UTC',
    windows: [{ days: [...weekdays], from: '00:00', to: '24:00' }],
  };
  const [{ id: sendingHoursId }] = await sql<[{ id: number }]>`
    insert into sending_hours (name, definition) values (${name}, ${sql.json(hours)}) returning id`;
  const draft = campaignDraft.parse({
    name,
    schedule: { recurrence: { every: 'once' }, startsAt: '2030-01-01T09:00', timezone: 'UTC' },
    message: { template: 'Ola, {nome}!', providerId: providerId ?? (await insertBenchProvider(sql)) },
    mailing: { ...mailing, sendingHoursId, runDespitePending: true },
    ...changes,
  });
  const { id: campaignId } = await insertCampaign(sql, draft);
  let occurrence = Date.parse('2030-01-01T00:00:00Z');
  const makeRun = (mailingFileId: number | null = null) =>
    insertRun(sql, {
      campaignId,
      occurrence: new Date(occurrence++),
      trigger: 'manual',
      status: 'running',
      reason: null,
      settings: {
        campaign: campaign.parse(draft),
        segmentProfile: 'gsm',
      },
      mailingFileId,
      expiresAt: null,
    });
  return { campaignId, makeRun };
}

/** Creates a campaign, and runs of it whose mailing has been read. Each run has `count` queued messages. */
export async function createFactory(sql: Database, options: CampaignOptions = {}): Promise<MakeRun> {
  const { makeRun } = await createEmptyRuns(sql, options);
  return async (count, { longEvery = count + 1 } = {}) => {
    const row = await makeRun();
    await sql`
      insert into messages (run_id, line, status, phone, text, segments)
      select ${row.id}, n, 'queued', '+55119' || (10000000 + n),
        'Ola, Maria ' || n || '!' || case when n % ${longEvery}::int = 0 then repeat('!', 160) else '' end,
        case when n % ${longEvery}::int = 0 then 2 else 1 end
      from generate_series(1, ${count}::int) as n`;
    const segments = count + Math.floor(count / longEvery);
    await sql`
      insert into run_counts (run_id, status, messages, segments) values (${row.id}, 'queued', ${count}, ${segments})`;
    await sql`update runs set mailing_at = now() where id = ${row.id}`;
    // The import also analyzes the table.
    await sql`analyze messages`;
    return row;
  };
}

/** Executes the run and returns the seconds until its end. Throws unless all of its messages were sent. */
export async function sendRun(client: Client, row: RunRow, count: number): Promise<number> {
  const startedAt = performance.now();
  const handle = await client.workflow.start(runWorkflow, {
    args: [{ runId: row.id, campaignId: row.campaignId }],
    workflowId: runWorkflowId(row),
    taskQueue,
  });
  const { counts } = await handle.result();
  if (counts['sent'] !== count) throw new Error(`Sent ${JSON.stringify(counts)} of ${count}.`);
  return (performance.now() - startedAt) / 1000;
}
