import { setTimeout as sleep } from 'node:timers/promises';
import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { runCounts } from '../db/runs/runs.ts';
import { median } from './numbers.ts';
import { account, createFactory, insertBenchProvider, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/** Seconds from a fault of the sending worker until the next message leaves through another worker. */
export interface TakeoverResult {
  rounds: number;
  killedMedian: number;
  killedMost: number;
  frozenMedian: number;
  frozenMost: number;
}

const ratePerSecond = 20;
const lines = 50_000;
const pollMs = 50;

/**
 * Two workers process a run with one sender. The sending worker is killed or frozen, in turn; the result is the time
 * until messages leave again. The frozen worker is killed after that, and a new one replaces it.
 */
export async function benchTakeover({ rounds = 3 } = {}): Promise<TakeoverResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, start, log }) => {
    const sandbox = await start('sandbox/main.ts', {}, /(http:\S+)/, [
      ...['--port', '0', '--account-sid', account.accountSid, '--auth-token', account.authToken],
      ...['--faults', JSON.stringify({ receipts: false, latencyMs: 20 })],
    ]);
    const startWorker = () =>
      start(
        'worker/main.ts',
        {
          ...workerEnvironment,
          DATABASE_URL: databaseUrl,
          TEMPORAL_ADDRESS: temporalAddress,
          SANDBOX_URL: sandbox.ready,
          SENDERS_PER_RUN: '1',
        },
        null,
      );
    const workers = new Set([await startWorker(), await startWorker()]);
    const providerId = await insertBenchProvider(sql);
    await sql`update providers set rate_per_second = ${ratePerSecond} where id = ${providerId}`;
    const row = await (await createFactory(sql, { providerId }))(lines);
    const handle = await client.workflow.start(runWorkflow, {
      args: [{ runId: row.id, campaignId: row.campaignId }],
      workflowId: runWorkflowId(row),
      taskQueue,
    });
    const sent = async (): Promise<number> =>
      (await runCounts(sql, row.id)).find(({ status }) => status === 'sent')?.messages ?? 0;
    const sendsAgain = async (): Promise<void> => {
      const before = await sent();
      while ((await sent()) === before) await sleep(pollMs);
    };
    const sendingPid = async (): Promise<number> => {
      for (;;) {
        const { raw } = await handle.describe();
        const [pending] = raw.pendingActivities ?? [];
        const pid = Number.parseInt(pending?.lastWorkerIdentity ?? '', 10);
        if (Number.isInteger(pid) && [...workers].some(({ child }) => child.pid === pid)) return pid;
        await sleep(pollMs);
      }
    };
    await sendsAgain();

    const times = { SIGKILL: [] as number[], SIGSTOP: [] as number[] };
    for (let round = 1; round <= rounds; round++) {
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
        // Both workers must be polling.
        await sleep(5_000);
        const pid = await sendingPid();
        const worker = [...workers].find(({ child }) => child.pid === pid);
        if (!worker) throw new Error('No worker is sending.');
        worker.child.kill(signal);
        const since = performance.now();
        // The last messages of the stopped worker may still arrive.
        await sleep(500);
        await sendsAgain();
        const seconds = (performance.now() - since) / 1_000;
        times[signal].push(seconds);
        log(`${signal}: ${seconds.toFixed(1)} s`);
        if (signal === 'SIGSTOP') worker.child.kill('SIGKILL');
        workers.delete(worker);
        workers.add(await startWorker());
      }
    }
    await handle.terminate();
    const round = (value: number): number => Math.round(value * 10) / 10;
    return {
      rounds,
      killedMedian: round(median(times.SIGKILL)),
      killedMost: round(Math.max(...times.SIGKILL)),
      frozenMedian: round(median(times.SIGSTOP)),
      frozenMost: round(Math.max(...times.SIGSTOP)),
    };
  });
}
