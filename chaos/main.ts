import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { freePort } from '../embedded/ports.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { requireTemporalBinary, startTemporal } from '../embedded/temporal.ts';
import { findingKinds } from './oracle.ts';
import { describeDisruption, describeMark, makePlan } from './plan.ts';
import { runChaos } from './run.ts';

/**
 * `npm run chaos -- [--seed N] [--kills N] [--contacts N] [--longest SECONDS] [--temporal dev|server] [--plan]
 * [--json]` or `-- --open FOLDER`: kills, freezes and disconnects the processes of a whole system while it sends, and
 * checks the guarantees of docs/reliability.md against the gateway's ledger. The same options give the same plan;
 * `--plan` only prints it. The exit code is 0 if there are no findings; otherwise the data folder is kept.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    /** The number of faults of all kinds; half of them are freezes. */
    kills: { type: 'string', default: '20' },
    /** The contacts of each round of ten faults. */
    contacts: { type: 'string', default: '1000' },
    longest: { type: 'string', default: '30' },
    temporal: { type: 'string', default: 'dev' },
    plan: { type: 'boolean', default: false },
    open: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const options = z
  .object({
    seed: z.coerce.number().int().min(0).max(0xffffffff),
    kills: z.coerce.number().int().min(1).max(10_000),
    contacts: z.coerce.number().int().min(50).max(1_000_000),
    longest: z.coerce.number().min(1).max(600),
    temporal: z.enum(['dev', 'server']),
  })
  .parse({ ...values, seed: values.seed ?? randomInt(0xffffffff) });

// With --json the last line is the result; everything else goes to stderr.
const print = values.json ? console.error : console.log;
const plan = makePlan({
  seed: options.seed,
  disruptions: options.kills,
  contacts: options.contacts,
  longestMs: options.longest * 1000,
});

/** Starts the database and the Temporal server of a stored run, until Ctrl-C. No worker or API runs. */
async function openServers(folder: string): Promise<void> {
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0, log: print });
  print(`psql ${postgres.url}`);
  const temporalFolder = join(folder, 'temporal');
  const temporal = existsSync(join(temporalFolder, 'temporal.db'))
    ? await startTemporal({
        ...{ binary: await requireTemporalBinary(print), dataDir: temporalFolder, port: 0 },
        ...{ uiPort: await freePort(), namespace: 'default', searchAttributes: [], log: print },
      })
    : null;
  if (temporal?.uiUrl) print(`Temporal's histories: ${temporal.uiUrl}, server ${temporal.address}`);
  print('Ctrl-C stops them.');
  // A signal handler alone does not keep the process running.
  const keepAlive = setInterval(() => undefined, 60_000);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(keepAlive);
  await temporal?.stop();
  await postgres.stop();
}

async function main(): Promise<void> {
  if (values.open !== undefined) return openServers(values.open);
  print(
    `Plan: seed ${options.seed}, ${options.kills} disruptions in ${plan.rounds.length} rounds of ${options.contacts} contacts, ${plan.sendersPerRun} senders for each run.`,
  );
  print(`Gateway: ${JSON.stringify(plan.faults)}`);
  for (const { number, disruptions } of plan.rounds) {
    for (const disruption of disruptions)
      print(
        `  round ${number}, ${describeMark(disruption.at)}: ${describeDisruption(disruption)}${disruption.overlaps ? ', overlapped' : ''}`,
      );
  }
  if (values.plan) return;

  const folder = await mkdtemp(join(tmpdir(), 'torpedo-chaos-'));
  // PostgreSQL runs as another user if we are root, and needs access to the folder.
  await chmod(folder, 0o711);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`Interrupted by ${signal}.`)));
  const hint = `To inspect the run: ${folder} has logs/, ledger.ndjson (the messages that the gateway accepted), postgres/ and temporal/. \`npm run chaos -- --open ${folder}\` starts its database and Temporal's histories.`;
  let passed = false;
  try {
    const result = await runChaos({
      ...{ plan, folder, temporal: options.temporal, print, signal: interrupted.signal },
    });
    passed = result.passed;
    print('');
    for (const { round, kind, count, examples } of result.findings) {
      print(`Round ${round}: ${findingKinds[kind]} (${kind}, ${count} times) ${examples.join('; ')}`);
    }
    print(
      passed
        ? `All guarantees held under ${result.disruptions} disruptions (${result.freezes} freezes, ${result.kills} kills, ${result.cuts} cuts), in ${result.seconds} s.`
        : hint,
    );
    if (values.json) console.log(JSON.stringify(result));
  } catch (error) {
    print(hint);
    throw error;
  } finally {
    if (passed) await rm(folder, { recursive: true, force: true });
  }
  process.exitCode = passed ? 0 : 1;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
