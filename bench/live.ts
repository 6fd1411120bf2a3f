import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Database } from '../db/core/client.ts';
import { campaignWorkflowId, runWorkflowId, taskQueue } from '../domain/ids.ts';
import { type campaign as campaignWorkflow, runNow } from '../workflows/campaign.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { type BenchCampaign, insertAlwaysOpen, insertDueCampaign, startCampaigns } from './due-campaigns.ts';
import { median, rounded } from './numbers.ts';
import { peakMegabytes } from './processes.ts';
import { createFactory, insertBenchProvider, startWorkers } from './runs.ts';
import { withServers } from './servers.ts';
import { createUsage, type Usage } from './usage.ts';

/**
 * Many runs send at the same time, 90 % of them through a provider with a slow rate and the others through a fast one.
 * Meanwhile a user starts more runs manually. There are two worker processes and a Temporal server as in production.
 */
export interface LiveResult {
  runs: number;
  /** Segments per second of the slow and of the fast provider. */
  rates: string;
  /** Seconds from the start of all runs until each had sent its first message; null: some had sent none by the end. */
  allSentAfter: number | null;
  /** How many of these runs had sent a message before the first manual start. */
  sendingRuns: number;
  /** Seconds from the request to the first message of a manually started run, through each provider. */
  manualSlow: string;
  manualFast: string;
  /** Segments sent per second while the runs were sending, divided by the rate. */
  slowOverRate: number;
  fastOverRate: number;
  /** Per second while the runs were sending. */
  usageOfSecond: Usage;
  workerPeakMegabytes: number;
}

const latencyMs = 20;
const workerCount = 2;
const contactsOfManualRun = 50;
/** The runs have messages for this time. */
const sendingSeconds = 240;
const settleMs = 30_000;
const windowMs = 20_000;
const pollMs = 100;
/** The time limit for the first message of a manually started run. */
const longestFirstMs = 240_000;

export async function benchLive({
  runs = 100,
  slowRate = 100,
  fastRate = 1_000,
  rounds = 3,
} = {}): Promise<LiveResult> {
  return withServers(
    async (servers) => {
      const { postgresPid, sql, temporalPid, client, log } = servers;
      const workers = await startWorkers(servers, { count: workerCount, latencyMs });
      const usage = createUsage({ sql, postgresPid, temporalPid: temporalPid(), workers });

      const sendingHoursId = await insertAlwaysOpen(sql);
      const lanes = await Promise.all(
        [
          { name: 'Slow', rate: slowRate, count: runs - Math.floor(runs / 10) },
          { name: 'Fast', rate: fastRate, count: Math.floor(runs / 10) },
        ].map(async ({ name, rate, count }) => {
          const providerId = await insertBenchProvider(sql, { name });
          await sql`update providers set rate_per_second = ${rate} where id = ${providerId}`;
          const makeRun = await createFactory(sql, { name, providerId });
          const manual = await insertDueCampaign(sql, {
            ...{ name: `${name} manual`, contacts: contactsOfManualRun, providerId, sendingHoursId },
            at: new Date('2099-01-01T09:00:00Z'),
          });
          return { name, rate, count, providerId, makeRun, manual };
        }),
      );
      await startCampaigns(
        client,
        lanes.map(({ manual }) => manual),
      );

      log('Creating the runs.');
      const rows = [];
      for (const { rate, count, makeRun } of lanes) {
        const contacts = Math.max(25, Math.ceil((rate * sendingSeconds) / count));
        for (let n = 0; n < count; n++) rows.push(await makeRun(contacts));
      }
      const startedAt = Date.now();
      await Promise.all(
        rows.map((row) =>
          client.workflow.start(runWorkflow, {
            args: [{ runId: row.id, campaignId: row.campaignId }],
            workflowId: runWorkflowId(row),
            taskQueue,
          }),
        ),
      );
      log(`Started ${runs} runs in ${(Date.now() - startedAt) / 1000} s.`);
      const firstRunIds = rows.map(({ id }) => id);
      await sleep(settleMs);
      const sendingRuns = (await firstMessages(sql, firstRunIds)).length;

      const before = { usage: await usage.now(), sent: await sentBy(sql), at: Date.now() };
      await sleep(windowMs);
      const seconds = (Date.now() - before.at) / 1000;
      const usageOfSecond = usage.each(before.usage, await usage.now(), seconds);
      const after = await sentBy(sql);
      const overRate = ({ rate, providerId }: { rate: number; providerId: number }): number =>
        rounded(((after.get(providerId) ?? 0) - (before.sent.get(providerId) ?? 0)) / seconds / rate, 2);

      const firsts: number[][] = [];
      for (const lane of lanes) {
        const tries: number[] = [];
        while (tries.length < rounds) tries.push(await startManually(sql, client, lane.manual));
        log(`Manual start, ${lane.name}: ${tries.join(' ')} s`);
        firsts.push(tries);
      }
      const sending = await firstMessages(sql, firstRunIds);
      const [slow, fast] = lanes;
      if (!slow || !fast) throw new Error('There are two lanes.');
      return {
        runs,
        rates: `${slowRate} and ${fastRate}`,
        allSentAfter:
          sending.length < runs ? null : rounded((Math.max(...sending.map(Number)) - startedAt) / 1000, 1),
        sendingRuns,
        manualSlow: spread(firsts[0] ?? []),
        manualFast: spread(firsts[1] ?? []),
        slowOverRate: overRate(slow),
        fastOverRate: overRate(fast),
        usageOfSecond,
        workerPeakMegabytes: Math.max(
          ...(await Promise.all(workers.map(({ child }) => peakMegabytes(child)))),
        ),
      };
    },
    { temporal: 'server' },
  );
}

/** When each of the runs sent its first message; runs without one are omitted. */
async function firstMessages(sql: Database, runIds: readonly number[]): Promise<Date[]> {
  const rows = await sql<{ first: Date }[]>`
    select min(sending_at) as first from messages
    where run_id = any(${[...runIds]}::bigint[]) and sending_at is not null group by run_id`;
  return rows.map(({ first }) => first);
}

/** The number of messages that each provider has accepted so far. */
async function sentBy(sql: Database): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{ providerId: number; sent: number }[]>`
    select runs.provider_id, sum(messages)::int as sent from run_counts join runs on runs.id = run_id
    where run_counts.status = 'sent' group by 1`;
  return new Map(rows.map(({ providerId, sent }) => [providerId, sent]));
}

/** Starts a run like a user; returns the seconds from the request to its first message. */
async function startManually(sql: Database, client: Client, campaign: BenchCampaign): Promise<number> {
  const requestedAt = Date.now();
  const requestKey = `run-now/${randomUUID()}`;
  const { runId } = await client.workflow
    .getHandle<typeof campaignWorkflow>(campaignWorkflowId(campaign.id))
    .executeUpdate(runNow, { updateId: requestKey, args: [{ requestKey }] });
  let first: Date | undefined;
  while (first === undefined) {
    if (Date.now() - requestedAt > longestFirstMs) return Infinity;
    await sleep(pollMs);
    [first] = await firstMessages(sql, [runId]);
  }
  return rounded((Number(first) - requestedAt) / 1000, 2);
}

const spread = (seconds: readonly number[]): string => `${median(seconds)} (at most ${Math.max(...seconds)})`;
