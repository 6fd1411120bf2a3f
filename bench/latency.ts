import { runWorkflowId, taskQueue } from '../domain/ids.ts';
import { run as runWorkflow } from '../workflows/run.ts';
import { median } from './numbers.ts';
import { cpuMicros } from './processes.ts';
import { createFactory, insertBenchProvider, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * How fast one worker process sends through a provider that answers after `latencyMs`, with as many sends in flight as the
 * sender finds right, beside the same with 50 at most. Alternating, in one run.
 */
export interface LatencyResult {
  latencyMs: number;
  rounds: number;
  /** Contacts a second, medians. With 50 in flight it can't be more than 50 by the latency. */
  with50InFlight: number;
  adaptive: number;
  /** Median of the ratios of neighbouring rounds. */
  adaptiveOver50: number;
  workerCpuMicrosPerContact: number;
}

/** How long a round with 50 in flight takes, and one that adapts if it were twenty times as fast. */
const roundSeconds = 10;
const timesFaster = 20;

export async function benchLatency({ latencyMs = 150, rounds = 3 } = {}): Promise<LatencyResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, start }) => {
    const sink = await start('bench/sink.ts', { LATENCY_MS: String(latencyMs) }, /^(http:\S+)/);
    const environment = {
      ...workerEnvironment,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      SANDBOX_URL: sink.ready,
      SINGLE_SEND_UP_TO: '0',
    };
    const worker = await start('worker/main.ts', environment, null);
    const makeRunOf = async (name: string, maxInFlight?: number) =>
      createFactory(sql, {
        name,
        providerId: await insertBenchProvider(sql, {
          name,
          ...(maxInFlight === undefined ? {} : { maxInFlight }),
        }),
      });
    const makeFew = await makeRunOf('50 in flight', 50);
    const makeMany = await makeRunOf('Adaptive');

    const send = async (makeRun: typeof makeFew, count: number) => {
      const row = await makeRun(count);
      const cpu = await cpuMicros(worker.child);
      const began = performance.now();
      const handle = await client.workflow.start(runWorkflow, {
        args: [{ runId: row.id, campaignId: row.campaignId }],
        workflowId: runWorkflowId(row),
        taskQueue,
      });
      const { counts } = await handle.result();
      const seconds = (performance.now() - began) / 1000;
      if (counts['sent'] !== count) throw new Error(`Sent ${JSON.stringify(counts)} of ${count}.`);
      return { rate: count / seconds, cpu: ((await cpuMicros(worker.child)) - cpu) / count };
    };

    const few = Math.round((roundSeconds * 50_000) / latencyMs);
    console.error('Warming up.');
    await send(makeMany, few);
    const results: { few: number; many: number; cpu: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const one = await send(makeFew, few);
      const other = await send(makeMany, few * timesFaster);
      results.push({ few: one.rate, many: other.rate, cpu: other.cpu });
      console.error(
        `50 in flight ${one.rate.toFixed(0)}/s, adaptive ${other.rate.toFixed(0)}/s, ratio ${(other.rate / one.rate).toFixed(1)}`,
      );
    }
    return {
      latencyMs,
      rounds,
      with50InFlight: Math.round(median(results.map((one) => one.few))),
      adaptive: Math.round(median(results.map((one) => one.many))),
      adaptiveOver50: Number(median(results.map((one) => one.many / one.few)).toFixed(1)),
      workerCpuMicrosPerContact: Math.round(median(results.map((one) => one.cpu))),
    };
  });
}
