import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunRow } from '../db/runs/runs.ts';
import { mostInFlight } from '../domain/provider.ts';
import { median } from './numbers.ts';
import { cpuMicros } from './processes.ts';
import { createFactory, insertBenchProvider, sendRun, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Measures the send rate through a provider that answers after `latencyMs`. Each round has all variants:
 *
 * - one worker, with 50 sends in flight at most, which the latency limits to 50 per round trip
 * - one worker, with the number in flight that the sender chooses, up to the provider's default
 * - many campaigns at once through one worker
 * - one worker, and two workers with one of the run's two senders each, with the highest limit that a provider can have:
 *   the default limit of 1,000 in flight for all senders is used up by one worker
 */
export interface LatencyResult {
  latencyMs: number;
  tls: boolean;
  rounds: number;
  /** Messages per second, medians. */
  with50InFlight: number;
  adaptive: number;
  campaignsAtOnce: number;
  unlimited: number;
  /** Busy cores of the whole machine. */
  unlimitedBusyCores: number;
  twoWorkers: number;
  twoWorkersBusyCores: number;
  /** Medians of the ratios of adjacent rounds. */
  adaptiveOver50: number;
  twoWorkersOverOne: number;
  campaignsOverOne: number;
  /**
   * For concurrent campaigns: the smallest and the largest number of messages that a campaign sent, divided by the mean.
   * Counted from the moment when all had started until half of all messages were sent. Median of the rounds.
   */
  leastShare: number;
  mostShare: number;
  /** For one worker with the adaptive limit. */
  workerCpuMicrosPerMessage: number;
}

/** The duration of a measurement with 50 in flight; an adaptive one has this multiple of its messages. */
const roundSeconds = 8;
const timesFaster = 12;
/** The same for a measurement with the highest limit of the provider. */
const timesFasterUnlimited = 72;
const pollMs = 50;
/** The certificate of the tests, for 127.0.0.1. */
const certificate = fileURLToPath(new URL('../test/tls/cert.pem', import.meta.url));
const certificateKey = fileURLToPath(new URL('../test/tls/key.pem', import.meta.url));

export async function benchLatency({
  latencyMs = 150,
  rounds = 3,
  campaigns = 20,
  tls = false,
} = {}): Promise<LatencyResult> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, start }) => {
    const sink = await start(
      'bench/sink.ts',
      { LATENCY_MS: String(latencyMs), ...(tls ? { TLS_CERT: certificate, TLS_KEY: certificateKey } : {}) },
      /^(https?:\S+)/,
    );
    const startWorker = (senders: number) =>
      start(
        'worker/main.ts',
        {
          ...workerEnvironment,
          ...(tls ? { NODE_EXTRA_CA_CERTS: certificate } : {}),
          DATABASE_URL: databaseUrl,
          TEMPORAL_ADDRESS: temporalAddress,
          SANDBOX_URL: sink.ready,
          SINGLE_SEND_UP_TO: '0',
          SENDERS_PER_RUN: String(senders),
        },
        null,
      );
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
    const makeUnlimited = await makeRunOf('Unlimited', mostInFlight);
    const shared = await insertBenchProvider(sql, { name: 'Shared' });
    const makeShared = await Promise.all(
      Array.from({ length: campaigns }, (_, index) =>
        createFactory(sql, { name: `Campaign ${index + 1}`, providerId: shared }),
      ),
    );

    const few = Math.round((roundSeconds * 50_000) / latencyMs);
    const many = few * timesFaster;
    const most = few * timesFasterUnlimited;
    const rateOf = async (row: RunRow, count: number): Promise<number> =>
      count / (await sendRun(client, row, count));
    const busyRateOf = async (row: RunRow, count: number): Promise<{ rate: number; cores: number }> => {
      const [startedAt, busy] = [performance.now(), busyMs()];
      const rate = await rateOf(row, count);
      return { rate, cores: (busyMs() - busy) / (performance.now() - startedAt) };
    };
    const together = async () => {
      const count = Math.round(many / campaigns);
      const rows: RunRow[] = [];
      for (const makeRun of makeShared) rows.push(await makeRun(count));
      const ids = rows.map(({ id }) => id);
      const startedAt = performance.now();
      const all = Promise.all(rows.map((row) => sendRun(client, row, count)));
      const sentBy = async (): Promise<number[]> =>
        (
          await sql<{ sent: number }[]>`
            select coalesce(sum(messages) filter (where status = 'sent'), 0)::int as sent
            from unnest(${ids}::bigint[]) as r (id) left join run_counts on run_id = r.id group by r.id order by r.id`
        ).map(({ sent }) => sent);
      let atStart: number[] | null = null;
      let now: number[];
      for (;;) {
        now = await sentBy();
        if (atStart === null && now.every((sent) => sent > 0)) atStart = now;
        if (now.reduce((sum, sent) => sum + sent, 0) >= (count * campaigns) / 2) break;
        await sleep(pollMs);
      }
      await all;
      const sent = now.map((one, index) => one - (atStart?.[index] ?? 0));
      const total = sent.reduce((sum, one) => sum + one, 0);
      const shares = sent.map((one) => (one * campaigns) / Math.max(1, total));
      return {
        rate: (count * campaigns * 1000) / (performance.now() - startedAt),
        least: Math.min(...shares),
        most: Math.max(...shares),
      };
    };

    const results: {
      few: number;
      one: number;
      unlimited: Awaited<ReturnType<typeof busyRateOf>>;
      two: Awaited<ReturnType<typeof busyRateOf>>;
      cpu: number;
      together: Awaited<ReturnType<typeof together>>;
    }[] = [];
    for (let round = 0; round < rounds; round++) {
      const worker = await startWorker(1);
      await sendRun(client, await makeMany(few), few);
      const fewRate = await rateOf(await makeFew(few), few);
      const row = await makeMany(many);
      const cpu = await cpuMicros(worker.child);
      const one = await rateOf(row, many);
      const used = ((await cpuMicros(worker.child)) - cpu) / many;
      const atOnce = await together();
      const unlimited = await busyRateOf(await makeUnlimited(most), most);
      await worker.stop();

      const pair = [await startWorker(2), await startWorker(2)];
      await sendRun(client, await makeMany(few), few);
      const two = await busyRateOf(await makeUnlimited(most), most);
      for (const each of pair) await each.stop();

      results.push({ few: fewRate, one, unlimited, two, cpu: used, together: atOnce });
      console.error(
        `50 in flight ${fewRate.toFixed(0)}/s, adaptive ${one.toFixed(0)}/s (${(one / fewRate).toFixed(1)}), unlimited ${unlimited.rate.toFixed(0)}/s, two workers ${two.rate.toFixed(0)}/s, ${campaigns} campaigns ${atOnce.rate.toFixed(0)}/s (shares ${atOnce.least.toFixed(2)} to ${atOnce.most.toFixed(2)}), CPU ${used.toFixed(0)} us`,
      );
    }
    const medianOf = (of: (one: (typeof results)[number]) => number, digits = 0): number =>
      Number(median(results.map(of)).toFixed(digits));
    return {
      latencyMs,
      tls,
      rounds,
      with50InFlight: medianOf(({ few }) => few),
      adaptive: medianOf(({ one }) => one),
      campaignsAtOnce: medianOf(({ together }) => together.rate),
      unlimited: medianOf(({ unlimited }) => unlimited.rate),
      unlimitedBusyCores: medianOf(({ unlimited }) => unlimited.cores, 2),
      twoWorkers: medianOf(({ two }) => two.rate),
      twoWorkersBusyCores: medianOf(({ two }) => two.cores, 2),
      adaptiveOver50: medianOf(({ one, few }) => one / few, 1),
      twoWorkersOverOne: medianOf(({ two, unlimited }) => two.rate / unlimited.rate, 2),
      campaignsOverOne: medianOf(({ together, one }) => together.rate / one, 2),
      leastShare: medianOf(({ together }) => together.least, 2),
      mostShare: medianOf(({ together }) => together.most, 2),
      workerCpuMicrosPerMessage: medianOf(({ cpu }) => cpu),
    };
  });
}

/** The busy time of all cores since the machine started. */
const busyMs = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
