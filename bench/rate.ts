import { z } from 'zod';
import type { RunRow } from '../db/runs/runs.ts';
import { cpuMicros } from './processes.ts';
import { createFactory, insertBenchProvider, sendRun, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Measures how exactly the rate of a provider is kept, with two concurrent campaigns that have senders in two worker
 * processes. Every fourth message has two segments, and the provider answers after `latencyMs`. The sink, a separate
 * process, records when each message arrives.
 */
export interface RateResult {
  /** Segments per second, as configured. */
  rate: number;
  /** Segments per second while both campaigns are sending, without the first seconds (`rampMs`). */
  mean: number;
  meanOverRate: number;
  /** The most segments in any 1-second window, and in any clock second. */
  busiestSecond: number;
  busiestOverRate: number;
  busiestClockSecond: number;
  /** The first campaign's share of the segments while both are sending, in percent. */
  sharePercent: number;
  seconds: number;
  /** The first worker's share of the CPU time of both, in percent. */
  firstWorkerPercent: number;
}

const arrivalsSchema = z.array(z.object({ at: z.number(), messageId: z.int(), segments: z.int() }));
type Arrival = z.infer<typeof arrivalsSchema>[number];

/** The number of sends in flight starts low and doubles with each round of answers. */
const rampMs = 3_000;
/** Every fourth message has two segments. */
const longEvery = 4;
const segmentsOf = (messages: number): number => messages * (1 + 1 / longEvery);

export async function benchRate({ rates = [50, 500, 2_000], seconds = 20, latencyMs = 0 } = {}): Promise<
  RateResult[]
> {
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, start, log }) => {
    const sink = await start('bench/rate-sink.ts', { LATENCY_MS: String(latencyMs) }, /^(http:\S+)/);
    const environment = {
      ...workerEnvironment,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      SANDBOX_URL: sink.ready,
      SENDERS_PER_RUN: '2',
      SINGLE_SEND_UP_TO: '0',
    };
    const workers = [
      await start('worker/main.ts', environment, null),
      await start('worker/main.ts', environment, null),
    ];
    const providerId = await insertBenchProvider(sql);
    const campaigns = [
      await createFactory(sql, { name: 'First', providerId }),
      await createFactory(sql, { name: 'Second', providerId }),
    ];
    const arrivals = async (): Promise<Arrival[]> =>
      arrivalsSchema.parse(await (await fetch(sink.ready)).json());

    const measure = async (rate: number): Promise<RateResult> => {
      await sql`update providers set rate_per_second = ${rate} where id = ${providerId}`;
      const messages = Math.round((rate * seconds) / segmentsOf(1) / campaigns.length);
      const rows: RunRow[] = [];
      for (const makeRun of campaigns) rows.push(await makeRun(messages, { longEvery }));
      await arrivals();
      const cpu = await Promise.all(workers.map(({ child }) => cpuMicros(child)));
      await Promise.all(rows.map((row) => sendRun(client, row, messages)));
      const used = await Promise.all(
        workers.map(async ({ child }, index) => (await cpuMicros(child)) - (cpu[index] ?? 0)),
      );
      const [{ lastOfFirst }] = await sql<[{ lastOfFirst: number }]>`
        select max(id) as last_of_first from messages where run_id = ${rows[0]?.id ?? 0}`;
      const all = (await arrivals()).toSorted((a, b) => a.at - b.at);
      const result = {
        rate,
        ...evaluate(all, rate, ({ messageId }) => messageId <= lastOfFirst),
        firstWorkerPercent: Math.round(((used[0] ?? 0) / used.reduce((sum, one) => sum + one, 0)) * 100),
      };
      log(JSON.stringify(result));
      return result;
    };

    const results: RateResult[] = [];
    for (const rate of rates) results.push(await measure(rate));
    return results;
  });
}

/** `all` in order of arrival. */
function evaluate(all: readonly Arrival[], rate: number, isFirst: (one: Arrival) => boolean) {
  const [first, second] = [all.filter(isFirst), all.filter((one) => !isFirst(one))];
  const [from, to] = [
    Math.max(first[0]?.at ?? NaN, second[0]?.at ?? NaN) + rampMs,
    Math.min(first.at(-1)?.at ?? NaN, second.at(-1)?.at ?? NaN),
  ];
  const both = all.filter(({ at }) => at >= from && at < to);
  const mean = sum(both) / ((to - from) / 1000);
  const clockSeconds = new Map<number, number>();
  for (const { at, segments } of all) {
    const second = Math.floor(at / 1000);
    clockSeconds.set(second, (clockSeconds.get(second) ?? 0) + segments);
  }
  const busiestSecond = busiest(all, 1_000);
  return {
    mean: Number(mean.toFixed(1)),
    meanOverRate: Number((mean / rate).toFixed(3)),
    busiestSecond,
    busiestOverRate: Number((busiestSecond / rate).toFixed(3)),
    busiestClockSecond: Math.max(...clockSeconds.values()),
    sharePercent: Number(((sum(both.filter(isFirst)) / sum(both)) * 100).toFixed(1)),
    seconds: Number(((to - from) / 1000).toFixed(1)),
  };
}

const sum = (arrivals: readonly Arrival[]): number =>
  arrivals.reduce((total, { segments }) => total + segments, 0);

/** The most segments that arrived in any `spanMs`. */
function busiest(all: readonly Arrival[], spanMs: number): number {
  let most = 0;
  let within = 0;
  let start = 0;
  for (const { at, segments } of all) {
    within += segments;
    for (let oldest = all[start]; oldest && oldest.at <= at - spanMs; oldest = all[++start])
      within -= oldest.segments;
    most = Math.max(most, within);
  }
  return most;
}
