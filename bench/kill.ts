import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { microBatch } from '../activities/sender.ts';
import { runCounts } from '../db/runs.ts';
import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { startProcess } from './processes.ts';
import { account, createFactory, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * The worker is killed (SIGKILL) in the middle of a run, again and again, and started anew at once. Then the gateway's
 * ledger is asked whether anybody was written to twice, and the database whether anybody was lost.
 */
export interface KillResult {
  lines: number;
  kills: number;
  /** All promises kept: nobody twice, nobody lost, not more unknown than promised. */
  kept: boolean;
  counts: Record<string, number>;
  acceptedByGateway: number;
  duplicatesAtGateway: number;
  /** Messages that are still queued or being sent after the run has ended. */
  passing: number;
  unknown: number;
  /** One micro-batch for each kill. */
  unknownAtMost: number;
  /** Of the unknown, those that the gateway has taken: their receipts settle them. */
  unknownTaken: number;
  seconds: number;
}

const pollMs = 10;
const ledgerShape = z.object({ accepted: z.int(), duplicateReferences: z.int(), duplicateNumbers: z.int() });

export async function benchKill({ lines = 20_000, kills = 10 } = {}): Promise<KillResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, stops, log }) => {
    const sandbox = await startProcess('sandbox/main.ts', {}, /(http:\S+)/, [
      ...['--port', '0', '--account-sid', account.accountSid, '--auth-token', account.authToken],
      ...['--faults', JSON.stringify({ receipts: false })],
    ]);
    stops.push(() => sandbox.stop());
    const environment = {
      ...workerEnvironment,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      SANDBOX_URL: sandbox.ready,
    };
    const startWorker = () => startProcess('worker/main.ts', environment, null);
    let worker = await startWorker();
    stops.push(() => worker.stop());

    const row = await (await createFactory(sql))(lines);
    const began = Date.now();
    const handle = await client.workflow.start(runWorkflow, {
      args: [{ runId: row.id, campaignId: row.campaignId }],
      workflowId: runWorkflowId(row),
      taskQueue,
    });
    const left = async (): Promise<number> => {
      const counts = await runCounts(sql, row.id);
      return counts.find(({ status }) => status === 'queued')?.messages ?? 0;
    };
    for (let kill = 1; kill <= kills; kill++) {
      const mark = lines * (1 - (kill - Math.random()) / (kills + 1));
      while ((await left()) > mark) await sleep(pollMs);
      worker.child.kill('SIGKILL');
      worker = await startWorker();
      log(`Kill ${kill} with ${await left()} messages left.`);
    }
    await handle.result();

    const counts = Object.fromEntries(
      (await runCounts(sql, row.id)).map(({ status, messages }) => [status, messages]),
    );
    const [{ passing }] = await sql<[{ passing: number }]>`
      select count(*)::int as passing from messages where run_id = ${row.id} and status in ('queued', 'sending')`;
    const response = await fetch(`${sandbox.ready}/sandbox/ledger`, {
      headers: { authorization: `Bearer ${account.authToken}` },
    });
    const ledger = ledgerShape.parse(await response.json());
    const unknown = counts.unknown ?? 0;
    const duplicates = ledger.duplicateReferences + ledger.duplicateNumbers;
    const sum = Object.values(counts).reduce((total, count) => total + count, 0);
    const unknownTaken = ledger.accepted - (counts.sent ?? 0);
    return {
      lines,
      kills,
      kept:
        duplicates === 0 &&
        passing === 0 &&
        sum === lines &&
        unknown <= kills * microBatch &&
        unknownTaken >= 0 &&
        unknownTaken <= unknown,
      counts,
      acceptedByGateway: ledger.accepted,
      duplicatesAtGateway: duplicates,
      passing,
      unknown,
      unknownAtMost: kills * microBatch,
      unknownTaken,
      seconds: Math.round((Date.now() - began) / 1000),
    };
  });
}
