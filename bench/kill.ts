import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { z } from 'zod';
import { maxHeld } from '../activities/sender.ts';
import { defaultInFlight } from '../domain/provider.ts';
import { runCounts } from '../db/runs/runs.ts';
import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { account, createFactory, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

export const killTargets = ['worker', 'postgres', 'temporal'] as const;
export type KillTarget = (typeof killTargets)[number];

/**
 * Repeatedly kills a process (SIGKILL) during a run, each of `targets` in turn, and restarts it at once. Then checks the
 * gateway's ledger for duplicate messages, and the database for lost ones.
 */
export interface KillResult {
  lines: number;
  kills: number;
  /** There are no duplicate and no lost messages, and not more unknown ones than the guaranteed maximum. */
  passed: boolean;
  counts: Record<string, number>;
  acceptedByGateway: number;
  duplicatesAtGateway: number;
  /** Messages that are still queued or being sent after the run has ended. */
  unfinished: number;
  unknown: number;
  /** One micro-batch for each kill. */
  unknownAtMost: number;
  /** The number of unknown messages that the gateway has accepted: their receipts resolve them. */
  unknownAccepted: number;
  seconds: number;
}

const pollMs = 10;
const ledgerShape = z.object({ accepted: z.int(), duplicateReferences: z.int(), duplicateNumbers: z.int() });

export async function benchKill({
  lines = 20_000,
  kills = 10,
  targets = ['worker'],
  latencyMs = 0,
}: {
  lines?: number;
  kills?: number;
  targets?: readonly KillTarget[];
  /** The gateway's answer time. */
  latencyMs?: number;
} = {}): Promise<KillResult> {
  return withServers(async (servers) => {
    const { databaseUrl, sql, temporalAddress, client, start, log } = servers;
    const sandbox = await start('sandbox/main.ts', {}, /(http:\S+)/, [
      ...['--port', '0', '--account-sid', account.accountSid, '--auth-token', account.authToken],
      ...['--faults', JSON.stringify({ receipts: false, latencyMs })],
    ]);
    const environment = {
      ...workerEnvironment,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      SANDBOX_URL: sandbox.ready,
    };
    const startWorker = () => start('worker/main.ts', environment, null);
    let worker = await startWorker();

    const row = await (await createFactory(sql))(lines);
    const startedAt = Date.now();
    const handle = await client.workflow.start(runWorkflow, {
      args: [{ runId: row.id, campaignId: row.campaignId }],
      workflowId: runWorkflowId(row),
      taskQueue,
    });
    const left = async (): Promise<number> => {
      const counts = await runCounts(sql, row.id);
      return counts.find(({ status }) => status === 'queued')?.messages ?? 0;
    };
    const kill: Record<KillTarget, () => Promise<void>> = {
      async worker() {
        worker.child.kill('SIGKILL');
        worker = await startWorker();
      },
      postgres: servers.killPostgres,
      temporal: servers.killTemporal,
    };
    for (let number = 1; number <= kills; number++) {
      const target = targets[(number - 1) % targets.length] ?? 'worker';
      const mark = lines * (1 - (number - Math.random()) / (kills + 1));
      let messages = await left();
      for (; messages > mark; messages = await left()) await sleep(pollMs);
      log(`Kill ${number}, ${target}, with ${messages} messages left.`);
      await kill[target]();
    }
    await resultOf(handle);

    const counts = Object.fromEntries(
      (await runCounts(sql, row.id)).map(({ status, messages }) => [status, messages]),
    );
    const [{ unfinished }] = await sql<[{ unfinished: number }]>`
      select count(*)::int as unfinished from messages where run_id = ${row.id} and status in ('queued', 'sending')`;
    const response = await fetch(`${sandbox.ready}/sandbox/ledger`, {
      headers: { authorization: `Bearer ${account.authToken}` },
    });
    const ledger = ledgerShape.parse(await response.json());
    const unknown = counts.unknown ?? 0;
    const duplicates = ledger.duplicateReferences + ledger.duplicateNumbers;
    const sum = Object.values(counts).reduce((total, count) => total + count, 0);
    const unknownAccepted = ledger.accepted - (counts.sent ?? 0);
    return {
      lines,
      kills,
      passed:
        duplicates === 0 &&
        unfinished === 0 &&
        sum === lines &&
        unknown <= kills * maxHeld(defaultInFlight.sandbox) &&
        unknownAccepted >= 0 &&
        unknownAccepted <= unknown,
      counts,
      acceptedByGateway: ledger.accepted,
      duplicatesAtGateway: duplicates,
      unfinished,
      unknown,
      unknownAtMost: kills * maxHeld(defaultInFlight.sandbox),
      unknownAccepted,
      seconds: Math.round((Date.now() - startedAt) / 1000),
    };
  });
}

/** Waits for the workflow's end, even while the Temporal server is unavailable. */
async function resultOf(handle: { result(): Promise<unknown> }): Promise<void> {
  for (;;) {
    try {
      await handle.result();
      return;
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw error;
      await sleep(100);
    }
  }
}
