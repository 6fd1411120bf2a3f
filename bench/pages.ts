import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { request } from 'undici';
import { buildApp } from '../api/http/app.ts';
import { createTemporal } from '../api/services/temporal.ts';
import { adminConsole } from '../console/app.tsx';
import { type Database, connect } from '../db/core/client.ts';
import { createSecretBox, type SecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { buildSandbox } from '../sandbox/index.ts';
import { connectAnywhere, localTokens } from '../test/kit/connect.ts';
import { type Amounts, fillDatabase, sandboxAccount } from '../test/kit/filled.ts';
import { addressOf, redirects, collectPages, searchesOf } from '../test/kit/pages.ts';
import { explain, hasPlan, type Statement, watchStatements } from '../test/kit/plans.ts';
import { localWebservice } from '../test/kit/webservice.ts';
import { median } from './numbers.ts';
import { withServers } from './servers.ts';
import { createOutgoing } from '../outgoing/index.ts';

/**
 * Measures the server's time for each page of the console, with and without filters, on a database after long use. One
 * client opens the pages one after the other over HTTP, in several rounds. The result is the time until the whole
 * compressed page has arrived.
 */
export interface PagesResult {
  amounts: Amounts;
  rounds: number;
  pages: number;
  /** The number of pages with a median of 100 ms or more, by elapsed time and by CPU time. */
  slow: number;
  slowByCpu: number;
  /** Slowest first. */
  times: PageTimes[];
}

interface PageTimes {
  page: string;
  medianMs: number;
  p95Ms: number;
  /** Median CPU time of server and database together, which is the elapsed time on an otherwise idle machine. */
  cpuMs: number;
  /** The compressed size. */
  bytes: number;
  /** Requests to the API, each of which looks up the session. */
  calls: number;
  statements: number;
  /** For a slow page, the statements that read the most rows. */
  queries?: string[];
}

export const defaultAmounts: Amounts = {
  messages: 1_000_000,
  largestRun: 500_000,
  runs: 2_000,
  campaigns: 500,
  customers: 200_000,
  tickets: 10_000,
  replies: 50_000,
  events: 200_000,
  optOuts: 20_000,
  auditEntries: 100_000,
};

const slowMs = 100;
const application = 'bench-pages';

export async function benchPages({
  amounts = defaultAmounts,
  rounds = 9,
  only = '',
  fill = async () => undefined,
}: {
  amounts?: Amounts;
  rounds?: number;
  /** Only pages whose pattern contains this. */
  only?: string;
  /** Adds rows. */
  fill?: (sql: Database, box: SecretBox) => Promise<void>;
} = {}): Promise<PagesResult> {
  return withServers(async ({ databaseUrl, sql: owner, temporalAddress, stops, log }) => {
    const box = createSecretBox([{ id: 'bench', key: randomBytes(32) }]);
    const startedAt = performance.now();
    const { subjects, cookie } = await fillDatabase(owner, box, amounts);
    await fill(owner, box);
    log(`Filled the database in ${Math.round((performance.now() - startedAt) / 1000)} s.`);
    const sandbox = await buildSandbox(sandboxAccount);
    const sandboxUrl = await sandbox.listen(0);
    stops.push(() => sandbox.close());
    const sql = connect(databaseUrl, { application });
    stops.push(() => sql.end({ timeout: 5 }));
    const temporal = createTemporal({
      address: temporalAddress,
      namespace: 'default',
      tls: false,
      taskQueue,
      uiUrl: 'http://127.0.0.1:8233',
    });
    stops.push(() => temporal.close());
    const publicUrl = 'http://127.0.0.1:3000';
    const app = await buildApp({
      sql,
      box,
      temporal,
      logger: pino({ level: 'silent' }),
      sms: {
        publicUrl,
        sandboxUrl,
        sendTimeoutMs: 2_000,
        connections: 4,
        connect: connectAnywhere,
        tokens: localTokens,
      },
      outgoing: createOutgoing([]),
      webservice: localWebservice,
      uploadLimitBytes: 1024,
      // Lets the benchmark use many addresses, because the limits allow too few requests for one.
      trustedProxies: '127.0.0.1',
    });
    const counted = countWork(app, sql);
    const patterns = collectPages(app);
    await app.register(adminConsole, { publicUrl });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    stops.push(() => app.close());

    const addresses = patterns
      .filter((pattern) => pattern.includes(only))
      .flatMap((pattern) => {
        const address = addressOf(pattern, subjects);
        return [address, ...searchesOf(pattern, subjects).map((query) => `${address}?${query}`)];
      });
    let addressNumber = 0;
    let sessions: number[] = [];
    const open = async (address: string): Promise<{ ms: number; cpuMs: number; bytes: number }> => {
      addressNumber = (addressNumber + 1) % 250;
      const before = await cpuTime(sessions);
      const start = performance.now();
      const answer = await request(url + address, {
        headers: { cookie, 'accept-encoding': 'br', 'x-forwarded-for': `10.0.0.${addressNumber}` },
      });
      const body = await answer.body.arrayBuffer();
      if (answer.statusCode !== (redirects(address) ? 303 : 200))
        throw new Error(`${address} answered ${answer.statusCode}.`);
      const ms = performance.now() - start;
      return { ms, cpuMs: (await cpuTime(sessions)) - before, bytes: body.byteLength };
    };

    log(`Warming up on ${addresses.length} pages.`);
    const work = new Map<string, ReturnType<typeof counted.take>>();
    for (const address of addresses) {
      counted.take();
      await open(address);
      work.set(address, counted.take());
    }
    counted.stop();
    sessions = (
      await owner<{ pid: number }[]>`select pid from pg_stat_activity where application_name = ${application}`
    ).map(({ pid }) => pid);
    const visits = new Map(addresses.map((address) => [address, [] as Awaited<ReturnType<typeof open>>[]]));
    for (let round = 0; round < rounds; round++) {
      for (const address of addresses) visits.get(address)?.push(await open(address));
      log(`Round ${round + 1} of ${rounds}.`);
    }
    const pages: PageTimes[] = [];
    for (const [page, all] of visits) {
      const { calls = 0, statements = [] } = work.get(page) ?? {};
      const times = all.map(({ ms }) => ms).toSorted((a, b) => a - b);
      const medianMs = rounded(median(times));
      const cpuMs = rounded(median(all.map((visit) => visit.cpuMs)));
      pages.push({
        page,
        medianMs,
        p95Ms: rounded(times[Math.ceil(times.length * 0.95) - 1] ?? NaN),
        cpuMs,
        bytes: all.at(-1)?.bytes ?? 0,
        calls,
        statements: statements.length,
        ...(cpuMs < slowMs / 2 ? {} : { queries: await heaviestStatements(owner, statements) }),
      });
    }
    pages.sort((a, b) => b.cpuMs - a.cpuMs);
    return {
      amounts,
      rounds,
      pages: pages.length,
      slow: pages.filter(({ medianMs }) => medianMs >= slowMs).length,
      slowByCpu: pages.filter(({ cpuMs }) => cpuMs >= slowMs).length,
      times: pages,
    };
  });
}

/** CPU time so far, in ms, of this process, which includes the server, and of the pool's sessions; Linux only. */
async function cpuTime(sessions: readonly number[]): Promise<number> {
  const { user, system } = process.cpuUsage();
  const times = await Promise.all(sessions.map(cpuTimeOf));
  return (user + system) / 1000 + times.reduce((sum, ms) => sum + ms, 0);
}

/** https://docs.kernel.org/scheduler/sched-stats.html: /proc/<pid>/schedstat starts with the CPU time in ns. */
async function cpuTimeOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0');
  return Number(stat.split(' ')[0]) / 1e6;
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** Records the API requests and the database statements of a page. */
function countWork(app: FastifyInstance, sql: Database) {
  let calls = 0;
  let statements: Statement[] = [];
  let counting = true;
  app.addHook('onRequest', async ({ url }) => {
    if (url.startsWith('/api/')) calls += 1;
  });
  watchStatements(sql, (statement) => {
    if (counting && hasPlan(statement)) statements.push(statement);
  });
  return {
    /** Since the last call. */
    take() {
      const taken = { calls, statements };
      calls = 0;
      statements = [];
      return taken;
    },
    stop(): void {
      counting = false;
      sql.options.debug = false;
    },
  };
}

async function heaviestStatements(sql: Database, statements: readonly Statement[]): Promise<string[]> {
  const read: { statement: Statement; rows: number }[] = [];
  for (const statement of statements) {
    const reads = await explain(sql, statement);
    read.push({ statement, rows: reads.reduce((sum, { rows }) => sum + rows, 0) });
  }
  return read
    .toSorted((a, b) => b.rows - a.rows)
    .slice(0, 2)
    .map(({ statement, rows }) => `${rows} rows: ${statement.text.replace(/\s+/g, ' ')}`);
}
