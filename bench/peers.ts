import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { median } from './numbers.ts';
import { createFactory, sendRun, workerEnvironment } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * The send rate compared with two job queues on PostgreSQL, with a job for each message: the same gateway, the same
 * database server, 50 sends in flight, alternating in one run. Every system keeps a durable outcome of each message.
 * The jobs are created before the measurement.
 *
 * `batched`: the settings that their documentation recommends for throughput; a killed process then repeats up to 500
 * messages. `single`: the defaults, which fetch and complete each job separately; a killed process then repeats up to 50.
 * With its defaults, pg-boss fetches one job for each worker and poll, at most 100 per second.
 */
export interface PeersResult {
  messages: number;
  rounds: number;
  /** Messages per second, medians. */
  torpedo: number;
  peers: Record<PeerName, number>;
  /** Torpedo divided by each: medians of the ratios of adjacent rounds. */
  over: Record<PeerName, number>;
}

const peerNames = ['graphile-worker, batched', 'graphile-worker, single', 'pg-boss, batched'] as const;
type PeerName = (typeof peerNames)[number];

const packages = new URL('peers/node_modules/', import.meta.url);

export async function benchPeers({ messages = 20_000, rounds = 3 } = {}): Promise<PeersResult> {
  if (!existsSync(packages))
    throw new Error(
      'The packages of the job queues are missing: run `npm ci --prefix bench/peers` (Node.js 22.18 or later).',
    );
  return withServers(async ({ databaseUrl, sql, temporalAddress, client, start, stops }) => {
    const sink = await start('bench/sink.ts', {}, /^(http:\S+)/);
    await start(
      'worker/main.ts',
      {
        ...workerEnvironment,
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        SANDBOX_URL: sink.ready,
      },
      null,
    );
    const makeRun = await createFactory(sql);
    let stopPeer = (): Promise<void> => Promise.resolve();
    stops.push(() => stopPeer());
    const startPeer = async (name: PeerName): Promise<(count: number) => Promise<number>> => {
      const [file, jobs = ''] = name.split(', ');
      const child = fork(fileURLToPath(new URL(`peers/${file}.mjs`, import.meta.url)), [
        databaseUrl,
        sink.ready,
        jobs,
      ]);
      stopPeer = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill();
        await once(child, 'exit');
      };
      await answerOf(child);
      return async (count) => {
        child.send(count);
        return count / z.number().parse(await answerOf(child));
      };
    };
    const torpedo = async (count: number): Promise<number> =>
      count / (await sendRun(client, await makeRun(count), count));

    console.error('Warming up.');
    await torpedo(Math.round(messages / 4));
    const results: { torpedo: number; peers: Map<PeerName, number> }[] = [];
    for (let round = 0; round < rounds; round++) {
      const result = { torpedo: await torpedo(messages), peers: new Map<PeerName, number>() };
      for (const name of peerNames) {
        // Only one runs at a time, because an idle queue polls the database all the time.
        const peer = await startPeer(name);
        await peer(Math.round(messages / 4));
        result.peers.set(name, await peer(messages));
        await stopPeer();
      }
      results.push(result);
      console.error(
        [['Torpedo', result.torpedo] as const, ...result.peers]
          .map(([name, rate]) => `${name} ${rate.toFixed(0)}/s (${(result.torpedo / rate).toFixed(1)})`)
          .join('; '),
      );
    }
    const ofPeers = (of: (rate: number, torpedo: number) => number, digits: number) => {
      const middle = (name: PeerName): number =>
        Number(median(results.map((one) => of(one.peers.get(name) ?? NaN, one.torpedo))).toFixed(digits));
      return {
        'graphile-worker, batched': middle('graphile-worker, batched'),
        'graphile-worker, single': middle('graphile-worker, single'),
        'pg-boss, batched': middle('pg-boss, batched'),
      };
    };
    return {
      messages,
      rounds,
      torpedo: Math.round(median(results.map((one) => one.torpedo))),
      peers: ofPeers((rate) => rate, 0),
      over: ofPeers((rate, torpedo) => torpedo / rate, 1),
    };
  });
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (child.exitCode !== null) throw new Error('The process of the job queue has ended.');
  return answer;
}
