import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Database } from '../db/core/client.ts';
import { listRuns, type RunRow } from '../db/runs/runs.ts';
import { campaignWorkflowId, runWorkflowId } from '../domain/ids.ts';
import { type BenchCampaign, insertAlwaysOpen, insertDueCampaign, startCampaigns } from './due-campaigns.ts';
import { median, rounded } from './numbers.ts';
import { createUsage, type Usage } from './usage.ts';
import { insertBenchProvider, startWorkers } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Many campaigns are due in the same second, as at nine o'clock. There is a Temporal server as in production, on the
 * PostgreSQL of Torpedo, with two worker processes and a gateway that answers after 20 ms. Seconds count from the due
 * time.
 */
export interface NineResult {
  campaigns: number;
  contactsEach: number;
  historyShards: number;
  /** When the row of the run was created. */
  opened: Spread;
  /** When the run sent its first message to the provider. */
  firstMessage: Spread;
  /** When the last message was accepted. */
  lastMessage: number;
  /** When the last run had ended. */
  finished: number;
  messagesPerSecond: number;
  /** Runs that did not finish. */
  failed: number;
  /** The history of one run's workflow. */
  run: HistorySize;
  /** The history of a campaign's workflow from one occurrence to the next. */
  campaign: HistorySize;
  /** The cost for each run, from the due time until the last run ended, without the idle cost of the system. */
  usageOfRun: Usage;
}

interface Spread {
  first: number;
  median: number;
  last: number;
}

interface HistorySize {
  events: number;
  workflowTasks: number;
  activities: string;
}

const latencyMs = 20;
const workerCount = 2;
const pollMs = 100;
/** The time to register the campaigns before they are due: in total, and additionally for each. */
const leadMs = 10_000;
const leadMsEach = 200;
const farFuture = new Date('2099-01-01T09:00:00Z');
const giveUpMs = 20 * 60_000;

export async function benchNine({
  campaigns = 100,
  contacts = 50,
  historyShards = 4,
} = {}): Promise<NineResult> {
  return withServers(
    async (servers) => {
      const { postgresPid, sql, temporalPid, client, log } = servers;
      const workers = await startWorkers(servers, { count: workerCount, latencyMs });
      const usage = createUsage({ sql, postgresPid, temporalPid: temporalPid(), workers });

      const providerId = await insertBenchProvider(sql);
      const sendingHoursId = await insertAlwaysOpen(sql);
      const warmingUp = { name: 'Warm up', at: farFuture, contacts, providerId, sendingHoursId };
      await startCampaigns(client, [await insertDueCampaign(sql, warmingUp)]);
      await untilPlanned(sql, 1, farFuture);
      const at = new Date(Math.ceil((Date.now() + leadMs + campaigns * leadMsEach) / 1000) * 1000);
      const created: BenchCampaign[] = [];
      for (let n = 1; n <= campaigns; n++)
        created.push(
          await insertDueCampaign(sql, { name: `Nine ${n}`, at, contacts, providerId, sendingHoursId }),
        );
      await sql`analyze`;
      await startCampaigns(client, created);
      await untilPlanned(sql, campaigns, at);
      log(`${campaigns} campaigns are due in ${Math.round((at.getTime() - Date.now()) / 1000)} s.`);
      const waiting = await usage.now();
      const waitMs = at.getTime() - Date.now();
      await sleep(waitMs);

      const before = await usage.now();
      const openedAt: number[] = [];
      for (let ended = 0; ended < campaigns;) {
        await sleep(pollMs);
        const [counts] = await sql<[{ opened: number; ended: number }]>`
          select count(*)::int as opened, count(*) filter (where status <> 'running')::int as ended from runs`;
        const since = secondsSince(at, new Date());
        while (openedAt.length < counts.opened) openedAt.push(since);
        ended = counts.ended;
        if (since * 1000 > giveUpMs) throw new Error(`Only ${ended} of ${campaigns} runs have ended.`);
      }
      const [after, endedMs] = [await usage.now(), Date.now()];

      const runs = await listRuns(sql, { limit: campaigns });
      const firsts = await sql<{ first: Date; last: Date }[]>`
        select min(sending_at) as first, max(sent_at) as last from messages where status = 'sent' group by run_id`;
      const [{ sent }] = await sql<[{ sent: number }]>`
        select count(*)::int as sent from messages where status = 'sent'`;
      const [one] = runs;
      if (!one) throw new Error('There is no run.');
      const lastMessage = Math.max(...firsts.map(({ last }) => secondsSince(at, last)));
      return {
        campaigns,
        contactsEach: contacts,
        historyShards,
        opened: spread(openedAt),
        firstMessage: spread(firsts.map(({ first }) => secondsSince(at, first))),
        lastMessage: rounded(lastMessage, 1),
        finished: rounded(Math.max(...runs.map((run) => secondsSince(at, run.finishedAt ?? at))), 1),
        messagesPerSecond: Math.round(sent / lastMessage),
        failed: runs.filter(({ status }) => status !== 'finished').length,
        run: await sizeOf(client, runWorkflowId(one)),
        campaign: await sizeOf(client, campaignWorkflowId(one.campaignId), await firstExecution(client, one)),
        usageOfRun: usage.each(before, after, campaigns, {
          of: usage.each(waiting, before, waitMs),
          times: endedMs - at.getTime(),
        }),
      };
    },
    { temporal: 'server', historyShards },
  );
}

/** Waits until all campaigns have this next occurrence. */
async function untilPlanned(sql: Database, campaigns: number, at: Date): Promise<void> {
  for (;;) {
    const [{ planned }] = await sql<[{ planned: number }]>`
      select count(*)::int as planned from campaigns where next_at = ${at}`;
    if (planned === campaigns) return;
    if (Date.now() > at.getTime())
      throw new Error(`Only ${planned} campaigns were planned before ${at.toISOString()}.`);
    await sleep(pollMs);
  }
}

/** The execution of a campaign's workflow that opened the run. */
async function firstExecution(client: Client, { campaignId }: RunRow): Promise<string> {
  const id = campaignWorkflowId(campaignId);
  const { events } = await client.workflow.getHandle(id).fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
}

async function sizeOf(client: Client, workflowId: string, runId?: string): Promise<HistorySize> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = events ?? [];
  const activities = all.flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
  );
  return {
    events: all.length,
    workflowTasks: all.filter((event) => event.workflowTaskCompletedEventAttributes).length,
    activities: activities.join(' '),
  };
}

const secondsSince = (at: Date, moment: Date): number => (moment.getTime() - at.getTime()) / 1000;

const spread = (seconds: readonly number[]): Spread => ({
  first: rounded(Math.min(...seconds), 1),
  median: rounded(median(seconds), 1),
  last: rounded(Math.max(...seconds), 1),
});
