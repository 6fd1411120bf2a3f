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
 * The jobs exist before the time is taken.
 */
export interface PeersResult {
  messages: number;
  rounds: number;
  /** Messages per second, medians. */
  torpedo: number;
  graphileWorker: number;
  pgBoss: number;
  /** Medians of the ratios of adjacent rounds. */
  overGraphileWorker: number;
  overPgBoss: number;
}

const packages = new URL('peers/node_modules/', import.meta.url);

export async function benchPeers({ messages = 20_000, rounds = 3 } = {}): Promise<PeersResult> {
  if (!existsSync(packages))
    throw new Error(
      'Their packages are missing: run `npm ci --prefix bench/peers` (Node.js 22.18 or later).',
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
    const peer = async (file: string): Promise<(count: number) => Promise<number>> => {
      const child = fork(fileURLToPath(new URL(`peers/${file}`, import.meta.url)), [databaseUrl, sink.ready]);
      stops.push(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill();
        await once(child, 'exit');
      });
      await answerOf(child);
      return async (count) => {
        child.send(count);
        return count / z.number().parse(await answerOf(child));
      };
    };
    const graphileWorker = await peer('graphile-worker.mjs');
    const pgBoss = await peer('pg-boss.mjs');
    const torpedo = async (count: number): Promise<number> =>
      count / (await sendRun(client, await makeRun(count), count));

    console.error('Warming up.');
    for (const one of [torpedo, graphileWorker, pgBoss]) await one(Math.round(messages / 4));
    const results: { torpedo: number; graphileWorker: number; pgBoss: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const result = {
        torpedo: await torpedo(messages),
        graphileWorker: await graphileWorker(messages),
        pgBoss: await pgBoss(messages),
      };
      results.push(result);
      console.error(
        `Torpedo ${result.torpedo.toFixed(0)}/s, graphile-worker ${result.graphileWorker.toFixed(0)}/s (${(result.torpedo / result.graphileWorker).toFixed(1)}), pg-boss ${result.pgBoss.toFixed(0)}/s (${(result.torpedo / result.pgBoss).toFixed(1)})`,
      );
    }
    const middle = (of: (one: (typeof results)[number]) => number, digits = 0): number =>
      Number(median(results.map(of)).toFixed(digits));
    return {
      messages,
      rounds,
      torpedo: middle((one) => one.torpedo),
      graphileWorker: middle((one) => one.graphileWorker),
      pgBoss: middle((one) => one.pgBoss),
      overGraphileWorker: middle((one) => one.torpedo / one.graphileWorker, 1),
      overPgBoss: middle((one) => one.torpedo / one.pgBoss, 1),
    };
  });
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (child.exitCode !== null) throw new Error('The other system has ended.');
  return answer;
}
