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
 * Nine o'clock: many campaigns are due at the same second, on a Temporal server as in production, on the PostgreSQL
 * that Torpedo uses, with two worker processes and a gateway that answers after 20 ms. Seconds count from the due time.
 */
export interface NineResult {
  campaigns: number;
  contactsEach: number;
  historyShards: number;
  /** When its row existed. */
  opened: Spread;
  /** When it handed its first message to the provider. */
  firstMessage: Spread;
  /** When the last message was accepted. */
  allOut: number;
  /** When the last run had ended. */
  finished: number;
  messagesPerSecond: number;
  /** Runs that did not finish. */
  failed: number;
  /** For one run's workflow. */
  run: HistorySize;
  /** For a campaign's workflow, from one occurrence to the next. */
  campaign: HistorySize;
  /** From the due time until the last has ended, without the system's idle cost per second before. */
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
const lookMs = 100;
/** To register all campaigns before they are due, in total and for each. */
const leadMs = 10_000;
const leadMsEach = 200;
const someDay = new Date('2099-01-01T09:00:00Z');
const patienceMs = 20 * 60_000;

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
      const warmingUp = { name: 'Warm up', at: someDay, contacts, providerId, sendingHoursId };
      await startCampaigns(client, [await insertDueCampaign(sql, warmingUp)]);
      await untilPlanned(sql, 1, someDay);
      const at = new Date(Math.ceil((Date.now() + leadMs + campaigns * leadMsEach) / 1000) * 1000);
      const made: BenchCampaign[] = [];
      for (let n = 1; n <= campaigns; n++)
        made.push(
          await insertDueCampaign(sql, { name: `Nine ${n}`, at, contacts, providerId, sendingHoursId }),
        );
      await sql`analyze`;
      await startCampaigns(client, made);
      await untilPlanned(sql, campaigns, at);
      log(`${campaigns} campaigns are due in ${Math.round((at.getTime() - Date.now()) / 1000)} s.`);
      const waiting = await usage.now();
      const waitMs = at.getTime() - Date.now();
      await sleep(waitMs);

      const before = await usage.now();
      const openedAt: number[] = [];
      for (let ended = 0; ended < campaigns;) {
        await sleep(lookMs);
        const [look] = await sql<[{ opened: number; ended: number }]>`
          select count(*)::int as opened, count(*) filter (where status <> 'running')::int as ended from runs`;
        const since = secondsSince(at, new Date());
        while (openedAt.length < look.opened) openedAt.push(since);
        ended = look.ended;
        if (since * 1000 > patienceMs) throw new Error(`Only ${ended} of ${campaigns} runs have ended.`);
      }
      const [after, endedMs] = [await usage.now(), Date.now()];

      const runs = await listRuns(sql, { limit: campaigns });
      const firsts = await sql<{ first: Date; last: Date }[]>`
        select min(sending_at) as first, max(sent_at) as last from messages where status = 'sent' group by run_id`;
      const [{ sent }] = await sql<[{ sent: number }]>`
        select count(*)::int as sent from messages where status = 'sent'`;
      const [one] = runs;
      if (!one) throw new Error('There is no run.');
      const allOut = Math.max(...firsts.map(({ last }) => secondsSince(at, last)));
      return {
        campaigns,
        contactsEach: contacts,
        historyShards,
        opened: spread(openedAt),
        firstMessage: spread(firsts.map(({ first }) => secondsSince(at, first))),
        allOut: rounded(allOut, 1),
        finished: rounded(Math.max(...runs.map((run) => secondsSince(at, run.finishedAt ?? at))), 1),
        messagesPerSecond: Math.round(sent / allOut),
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

/** Waits until all campaigns wait for that moment. */
async function untilPlanned(sql: Database, campaigns: number, at: Date): Promise<void> {
  for (;;) {
    const [{ planned }] = await sql<[{ planned: number }]>`
      select count(*)::int as planned from campaigns where next_at = ${at}`;
    if (planned === campaigns) return;
    if (Date.now() > at.getTime())
      throw new Error(`Only ${planned} campaigns were planned before ${at.toISOString()}.`);
    await sleep(lookMs);
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
