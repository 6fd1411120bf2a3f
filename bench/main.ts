import { parseArgs } from 'node:util';
import { z } from 'zod';
import { benchImport } from './import.ts';
import { benchKill, killTargets } from './kill.ts';
import { benchLarge } from './large.ts';
import { benchLatency } from './latency.ts';
import { benchLive } from './live.ts';
import { benchNine } from './nine.ts';
import { benchPages, type PagesResult } from './pages.ts';
import { benchPeers } from './peers.ts';
import { benchRate } from './rate.ts';
import { benchReceipts } from './receipts.ts';
import { benchReplies } from './replies.ts';
import { benchReports } from './reports.ts';
import { benchScale } from './scale.ts';
import { benchSend } from './send.ts';
import { benchTakeover } from './takeover.ts';

/**
 * Each of them accepts `--json`. Figures are comparable only within one run.
 *
 * - `npm run bench -- send [--contacts N] [--rounds N]`
 * - `… peers [--count N] [--rounds N]`, after `npm ci --prefix bench/peers`
 * - `… latency [--latency MS] [--rounds N] [--campaigns N] [--tls]`
 * - `… large [--lines N] [--receipts]`
 * - `… import [--lines N] [--rounds N] [--customers N] [--large N] [--bytes N]`
 * - `… kill [--lines N] [--kills N] [--targets worker,postgres,temporal] [--latency MS]`
 * - `… takeover [--rounds N]`
 * - `… receipts [--count N] [--rounds N] [--connections N]`
 * - `… replies [--count N] [--kills N]`
 * - `… rate [--rates 50,500] [--seconds N] [--latency MS]`
 * - `… nine [--campaigns N] [--contacts N] [--shards N]`, `… nine --runs N [--rate N] [--rounds N]`
 * - `… pages [--rounds N] [--only /runs]`
 * - `… reports [--rounds N]`
 * - `… scale [--messages N] [--events N] [--rounds N]`
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    json: { type: 'boolean', default: false },
    contacts: { type: 'string' },
    rounds: { type: 'string' },
    latency: { type: 'string' },
    campaigns: { type: 'string' },
    tls: { type: 'boolean', default: false },
    lines: { type: 'string' },
    shards: { type: 'string' },
    runs: { type: 'string' },
    rate: { type: 'string' },
    kills: { type: 'string' },
    count: { type: 'string' },
    connections: { type: 'string' },
    rates: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    targets: { type: 'string' },
    receipts: { type: 'boolean', default: false },
    large: { type: 'string' },
    bytes: { type: 'string' },
    customers: { type: 'string' },
    messages: { type: 'string' },
    events: { type: 'string' },
  },
});

/** An option as a number; undefined: the default of the benchmark. */
const number = (name: keyof typeof values): number | undefined => {
  const value = values[name];
  return typeof value === 'string' ? Number(value) : undefined;
};
const list = (name: keyof typeof values): string[] | undefined => {
  const value = values[name];
  return typeof value === 'string' ? value.split(',') : undefined;
};

const benchmarks: Readonly<Record<string, () => Promise<object>>> = {
  send: () => benchSend({ contacts: number('contacts'), rounds: number('rounds') }),
  peers: () => benchPeers({ messages: number('count'), rounds: number('rounds') }),
  latency: () =>
    benchLatency({
      latencyMs: number('latency'),
      rounds: number('rounds'),
      campaigns: number('campaigns'),
      tls: values.tls === true,
    }),
  large: () => benchLarge({ lines: number('lines'), receipts: values.receipts === true }),
  import: () =>
    benchImport({
      lines: number('lines'),
      rounds: number('rounds'),
      customers: number('customers'),
      largeLines: number('large'),
      largeBytes: number('bytes'),
    }),
  kill: () =>
    benchKill({
      lines: number('lines'),
      kills: number('kills'),
      latencyMs: number('latency'),
      targets: z.array(z.enum(killTargets)).optional().parse(list('targets')),
    }),
  takeover: () => benchTakeover({ rounds: number('rounds') }),
  rate: () =>
    benchRate({
      rates: list('rates')?.map(Number),
      seconds: number('seconds'),
      latencyMs: number('latency'),
    }),
  nine: () =>
    values.runs === undefined
      ? benchNine({
          campaigns: number('campaigns'),
          contacts: number('contacts'),
          historyShards: number('shards'),
        })
      : benchLive({ runs: number('runs'), slowRate: number('rate'), rounds: number('rounds') }),
  receipts: () =>
    benchReceipts({
      receipts: number('count'),
      rounds: number('rounds'),
      connections: number('connections'),
    }),
  replies: () => benchReplies({ replies: number('count'), kills: number('kills') }),
  pages: async () =>
    shownPages(
      await benchPages({
        rounds: number('rounds'),
        only: typeof values.only === 'string' ? values.only : undefined,
      }),
    ),
  reports: async () => shownPages(await benchReports({ rounds: number('rounds') })),
  scale: () =>
    benchScale({ messages: number('messages'), events: number('events'), rounds: number('rounds') }),
};

/** The times of pages as a table of their own. */
function shownPages({ times, ...rest }: PagesResult): object {
  if (values.json) return { ...rest, times };
  console.table(times.map(({ page, cpuMs, medianMs, p95Ms }) => ({ page, cpuMs, medianMs, p95Ms })));
  return rest;
}

/** Nested figures get keys such as `opened.last`. */
const flat = (result: object): object =>
  Object.fromEntries(
    Object.entries(result).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([inner, one]: [string, unknown]) => [`${key}.${inner}`, one])
        : [[key, value]],
    ),
  );

const benchmark = benchmarks[positionals[0] ?? ''];
if (benchmark) {
  const result = await benchmark();
  if (values.json) console.log(JSON.stringify(result));
  else console.table(Array.isArray(result) ? result : flat(result));
} else {
  console.error(`Name a benchmark: ${Object.keys(benchmarks).join(', ')}.`);
  process.exitCode = 2;
}
