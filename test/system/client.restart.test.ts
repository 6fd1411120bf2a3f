import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../db/core/client.ts';
import { freePort } from '../../embedded/ports.ts';
import { startPostgres } from '../../embedded/postgres.ts';
import { until } from '../kit/until.ts';

type Kind = 'copies' | 'transactions' | 'queries' | 'failed';
interface Report {
  done?: Record<Kind, number>;
  ended?: boolean;
  partial?: unknown[];
}

const folder = await mkdtemp(join(tmpdir(), 'torpedo-restart-'));
// For root, PostgreSQL runs as another user, who needs access to the folder.
await chmod(folder, 0o711);
const port = await freePort();
const start = () =>
  startPostgres({ dataDir: join(folder, 'postgres'), port, throwaway: true, log: () => undefined });
let server = await start();
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** SIGINT is a fast shutdown, which supervisors use to restart the server. */
test.each<[string, NodeJS.Signals]>([
  ['an orderly restart', 'SIGINT'],
  ['a kill', 'SIGKILL'],
])(
  '%s of PostgreSQL rolls back open transactions and COPY completely, and the process continues to work',
  async (_, signal) => {
    const sql = connect(server.url, { max: 1 });
    await sql`drop table if exists steps, copied`;
    await sql`create table steps (kind text, number int, step int)`;
    await sql`create table copied (n int)`;
    await sql.end();

    const script = fileURLToPath(new URL('../kit/restart-client.ts', import.meta.url));
    const child = fork(script, [server.url], { execArgv: ['--import', 'tsx'] });
    const progress = { done: { copies: 0, transactions: 0, queries: 0, failed: 0 } };
    let report: Report = {};
    let exit: string | null = null;
    child.on('message', (message: Report) => {
      report = message;
      if (message.done) progress.done = message.done;
    });
    child.once('exit', (code, by) => (exit = String(by ?? code)));
    /** Waits until each kind of work succeeds again. */
    const expectProgress = async () => {
      const before = { ...progress.done };
      await until(
        'each kind of work is done again',
        () =>
          exit !== null ||
          (['copies', 'transactions', 'queries'] as const).every(
            (kind) => progress.done[kind] > before[kind] + 1,
          ),
        { withinMs: 60_000 },
      );
      expect(exit, 'the process has ended').toBeNull();
    };

    await expectProgress();
    for (let restart = 0; restart < 4; restart++) {
      // A random moment of a COPY.
      await sleep(randomInt(150));
      process.kill(server.pid, signal);
      await server.exited;
      server = await until('PostgreSQL is started again', () => start().catch(() => null));
      await expectProgress();
    }
    expect(progress.done.failed).toBeGreaterThan(0);
    child.send('end');
    await until('the process has ended', () => exit !== null);
    expect({ exit, report }).toEqual({ exit: '0', report: { ended: true, partial: [] } });
  },
  240_000,
);
