import { parseArgs } from 'node:util';
import { z } from 'zod';
import { benchImport } from './import.ts';
import { benchKill, killTargets } from './kill.ts';
import { benchLarge } from './large.ts';
import { benchLatency } from './latency.ts';
import { benchLive } from './live.ts';
import { benchNine } from './nine.ts';
import { benchPages } from './pages.ts';
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

const number = (value: string | boolean | undefined, fallback: number): number =>
  typeof value === 'string' ? Number(value) : fallback;

const show = (result: object): void => {
  if (values.json) console.log(JSON.stringify(result));
  else console.table(Array.isArray(result) ? result : flat(result));
};

/** Nested figures get keys such as `opened.last`. */
const flat = (result: object): object =>
  Object.fromEntries(
    Object.entries(result).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).map(([inner, one]: [string, unknown]) => [`${key}.${inner}`, one])
        : [[key, value]],
    ),
  );

switch (positionals[0]) {
  case 'send':
    show(await benchSend({ contacts: number(values.contacts, 20_000), rounds: number(values.rounds, 5) }));
    break;
  case 'peers':
    show(await benchPeers({ messages: number(values.count, 20_000), rounds: number(values.rounds, 3) }));
    break;
  case 'latency':
    show(
      await benchLatency({
        latencyMs: number(values.latency, 150),
        rounds: number(values.rounds, 3),
        campaigns: number(values.campaigns, 20),
        tls: values.tls === true,
      }),
    );
    break;
  case 'large':
    show(await benchLarge({ lines: number(values.lines, 1_000_000), receipts: values.receipts === true }));
    break;
  case 'import':
    show(
      await benchImport({
        lines: number(values.lines, 200_000),
        rounds: number(values.rounds, 5),
        customers: number(values.customers, 10_000),
        largeLines: number(values.large, 1_000_000),
        largeBytes: number(values.bytes, 200_000_000),
      }),
    );
    break;
  case 'kill':
    show(
      await benchKill({
        lines: number(values.lines, 20_000),
        kills: number(values.kills, 10),
        latencyMs: number(values.latency, 0),
        targets: z
          .array(z.enum(killTargets))
          .parse(typeof values.targets === 'string' ? values.targets.split(',') : ['worker']),
      }),
    );
    break;
  case 'takeover':
    show(await benchTakeover({ rounds: number(values.rounds, 3) }));
    break;
  case 'receipts':
    show(
      await benchReceipts({
        receipts: number(values.count, 20_000),
        rounds: number(values.rounds, 5),
        connections: number(values.connections, 500),
      }),
    );
    break;
  case 'replies':
    show(await benchReplies({ replies: number(values.count, 1_000), kills: number(values.kills, 2) }));
    break;
  case 'rate':
    show(
      await benchRate({
        ...(typeof values.rates === 'string' ? { rates: values.rates.split(',').map(Number) } : {}),
        seconds: number(values.seconds, 20),
        latencyMs: number(values.latency, 0),
      }),
    );
    break;
  case 'nine':
    show(
      values.runs === undefined
        ? await benchNine({
            campaigns: number(values.campaigns, 100),
            contacts: number(values.contacts, 50),
            historyShards: number(values.shards, 4),
          })
        : await benchLive({
            runs: number(values.runs, 100),
            slowRate: number(values.rate, 100),
            rounds: number(values.rounds, 3),
          }),
    );
    break;
  case 'pages': {
    const { times, ...rest } = await benchPages({
      rounds: number(values.rounds, 9),
      only: typeof values.only === 'string' ? values.only : '',
    });
    if (values.json) show({ ...rest, times });
    else {
      console.table(times.map(({ page, cpuMs, medianMs, p95Ms }) => ({ page, cpuMs, medianMs, p95Ms })));
      show(rest);
    }
    break;
  }
  case 'scale':
    show(
      await benchScale({
        messages: number(values.messages, 20_000_000),
        events: number(values.events, 20_000_000),
        rounds: number(values.rounds, 3),
      }),
    );
    break;
  case 'reports': {
    const { times, ...rest } = await benchReports({ rounds: number(values.rounds, 9) });
    if (values.json) show({ ...rest, times });
    else {
      console.table(times.map(({ page, cpuMs, medianMs, p95Ms }) => ({ page, cpuMs, medianMs, p95Ms })));
      show(rest);
    }
    break;
  }
  case undefined:
  default:
    console.error(
      'Choose a benchmark: send, peers, latency, large, import, kill, takeover, rate, nine, receipts, replies, pages, reports, scale.',
    );
    process.exitCode = 2;
}
