import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse';
import type { Database } from '../db/core/client.ts';
import { createMailingFile, finishMailingFile, storeMailingFile } from '../db/campaigns/mailings.ts';
import type { RunRow } from '../db/runs/runs.ts';
import { type MailingFile, serveJson, writeCsv, writeJson } from './import-data.ts';
import { median } from './numbers.ts';
import { cpuMicros, cpuMicrosOf, peakMegabytes } from './processes.ts';
import { createEmptyRuns, insertBenchProvider } from './runs.ts';
import { withDatabase } from './servers.ts';

/**
 * Measures the import of a mailing from a CSV file and from a web service: parsing, phones, duplicates, customers and
 * their consent, opt-outs, rendering and writing. The import is compared with PostgreSQL's COPY of the same prepared rows
 * from a file into the same table with its indexes, and with csv-parse, which only splits the same file. The variants
 * alternate in one run. The peak memory of the importing process is measured with a large mailing of each kind.
 *
 * The importer is a separate process; PostgreSQL flushes to disk as in production.
 */
export interface ImportResult {
  lines: number;
  rounds: number;
  /** Customers in the database; the mailing contains half of them. */
  customers: number;
  /** Lines per second, medians. */
  csv: number;
  json: number;
  copy: number;
  csvParse: number;
  /** Medians of the ratios of adjacent rounds. */
  csvOverCopy: number;
  jsonOverCopy: number;
  csvOverCsvParse: number;
  /** CPU time per line: of the importing process, of PostgreSQL during the import, and of PostgreSQL for the COPY. */
  csvCpuMicros: number;
  csvServerCpuMicros: number;
  jsonCpuMicros: number;
  jsonServerCpuMicros: number;
  copyServerCpuMicros: number;
  csvLines: number;
  csvBytes: number;
  csvSeconds: number;
  csvPeakMegabytes: number;
  jsonLines: number;
  jsonBytes: number;
  jsonSeconds: number;
  jsonPeakMegabytes: number;
}

export interface ImportOptions {
  lines?: number;
  rounds?: number;
  customers?: number;
  largeLines?: number;
  largeBytes?: number;
}

export async function benchImport({
  lines = 200_000,
  rounds = 5,
  customers = 10_000,
  largeLines = 1_000_000,
  largeBytes = 200_000_000,
}: ImportOptions = {}): Promise<ImportResult> {
  return withDatabase(async ({ databaseUrl, sql, folder, stops, log }) => {
    const files = join(folder, 'files');
    await mkdir(files);
    // PostgreSQL also reads and writes here.
    await Promise.all([chmod(folder, 0o711), chmod(files, 0o777)]);
    const csvFile = await writeCsv(join(files, 'mailing.csv'), lines);
    let served = await writeJson(join(files, 'mailing.json'), { lines });
    const service = await serveJson(() => served.path);
    stops.push(() => service.close());

    const providerId = await insertBenchProvider(sql);
    const fromCsv = await createEmptyRuns(sql, { providerId });
    const fromJson = await createEmptyRuns(sql, {
      name: 'Bench JSON',
      providerId,
      mailing: { source: 'webservice', webservice: { baseUrl: service.url } },
    });
    await insertCustomers(sql, { count: customers, known: lines / 2 });
    const start = async () => {
      const importer = startImporter(databaseUrl);
      stops.push(importer.stop);
      return importer;
    };
    const importer = await start();
    const csvRun = async (file: MailingFile) =>
      fromCsv.makeRun(await storeFile(sql, fromCsv.campaignId, file.path));
    const emptyMessages = async () => {
      await sql`truncate messages cascade`;
      await sql`checkpoint`;
    };
    const [{ postmaster }] = await sql<[{ postmaster: string }]>`
      select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as postmaster`;
    const serverCpu = () => cpuMicrosOf(Number(postmaster));
    const measured = async ({ id }: RunRow): Promise<Measured> => {
      const [cpu, server] = [await cpuMicros(importer.child), await serverCpu()];
      const rate = lines / (await importer.run(id));
      return {
        rate,
        cpu: ((await cpuMicros(importer.child)) - cpu) / lines,
        server: ((await serverCpu()) - server) / lines,
      };
    };
    const importCsv = async () => {
      const run = await csvRun(csvFile);
      await emptyMessages();
      return { run, ...(await measured(run)) };
    };
    const importJson = async () => {
      const run = await fromJson.makeRun();
      await emptyMessages();
      return measured(run);
    };

    log('Warming up.');
    const { run } = await importCsv();
    const copyFile = join(files, 'messages.copy');
    await sql.unsafe(`copy (${copyQuery(run)}) to '${copyFile}'`);
    await importJson();
    const results: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const csv = await importCsv();
      await emptyMessages();
      const before = await serverCpu();
      const copied = await seconds(() => sql.unsafe(`copy messages (${columns}) from '${copyFile}'`));
      const copy = { rate: lines / copied, server: ((await serverCpu()) - before) / lines };
      const json = await importJson();
      const csvParse = { rate: lines / (await seconds(() => parseOnly(csvFile))) };
      results.push({ csv, json, copy, csvParse });
      log(
        Object.entries({ csv, json, copy, csvParse })
          .map(([name, { rate }]) => `${name} ${rate.toFixed(0)}/s (${(rate / copy.rate).toFixed(2)})`)
          .join(', '),
      );
    }
    await importer.stop();

    const large = async (makeRun: () => Promise<RunRow>) => {
      const run = await makeRun();
      await emptyMessages();
      const importer = await start();
      const took = await importer.run(run.id);
      const peak = await peakMegabytes(importer.child);
      await importer.stop();
      return { seconds: Math.round(took * 10) / 10, peak };
    };
    const largeCsv = await writeCsv(join(files, 'large.csv'), largeLines);
    const csv = await large(() => csvRun(largeCsv));
    log(`${largeLines} lines of CSV: ${csv.seconds} s, ${csv.peak} MB.`);
    served = await writeJson(join(files, 'large.json'), { lines: 0, bytes: largeBytes });
    const json = await large(() => fromJson.makeRun());
    log(`${served.bytes} bytes of JSON: ${json.seconds} s, ${json.peak} MB.`);

    const medianOf = (of: (one: Round) => number, digits = 0): number =>
      Number(median(results.map(of)).toFixed(digits));
    return {
      lines,
      rounds,
      customers,
      csv: medianOf(({ csv }) => csv.rate),
      json: medianOf(({ json }) => json.rate),
      copy: medianOf(({ copy }) => copy.rate),
      csvParse: medianOf(({ csvParse }) => csvParse.rate),
      csvOverCopy: medianOf(({ csv, copy }) => csv.rate / copy.rate, 2),
      jsonOverCopy: medianOf(({ json, copy }) => json.rate / copy.rate, 2),
      csvOverCsvParse: medianOf(({ csv, csvParse }) => csv.rate / csvParse.rate, 2),
      csvCpuMicros: medianOf(({ csv }) => csv.cpu, 1),
      csvServerCpuMicros: medianOf(({ csv }) => csv.server, 1),
      jsonCpuMicros: medianOf(({ json }) => json.cpu, 1),
      jsonServerCpuMicros: medianOf(({ json }) => json.server, 1),
      copyServerCpuMicros: medianOf(({ copy }) => copy.server, 1),
      csvLines: largeCsv.lines,
      csvBytes: largeCsv.bytes,
      csvSeconds: csv.seconds,
      csvPeakMegabytes: csv.peak,
      jsonLines: served.lines,
      jsonBytes: served.bytes,
      jsonSeconds: json.seconds,
      jsonPeakMegabytes: json.peak,
    };
  });
}

interface Measured {
  /** Lines per second. */
  rate: number;
  /** Microseconds per line. */
  cpu: number;
  server: number;
}

interface Round {
  csv: Measured;
  json: Measured;
  copy: Omit<Measured, 'cpu'>;
  csvParse: Pick<Measured, 'rate'>;
}

/** The rows that an import writes. */
const columns = 'run_id, line, status, reason, code, name, phone, text, segments, customer_id, extra';

const copyQuery = ({ id }: RunRow): string =>
  `select ${columns} from messages where run_id = ${id} order by line`;

async function seconds(body: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await body();
  return (performance.now() - startedAt) / 1000;
}

async function parseOnly({ path }: MailingFile): Promise<void> {
  const parser = createReadStream(path).pipe(parse({ delimiter: ';', bom: true }));
  parser.resume();
  await finished(parser);
}

/** Creates customers with codes, half of whom are contacts of the mailing. */
async function insertCustomers(
  sql: Database,
  { count, known }: { count: number; known: number },
): Promise<void> {
  await sql`
    insert into customers (code, name, mobile, consent)
    select (case when n % 2 = 0 then 100000 + n % ${known}::int else 900000000 + n end)::text, 'Cliente ' || n,
      '+55119' || (10000000 + n), case when n % 20 = 0 then 'refused' else 'not_stated' end
    from generate_series(1, ${count}::int) as n on conflict do nothing`;
  await sql`analyze customers`;
}

async function storeFile(sql: Database, campaignId: number, path: string): Promise<number> {
  return sql.begin(async (tx) => {
    const id = await createMailingFile(tx, campaignId, 'system');
    let bytes = 0;
    for await (const piece of storeMailingFile(tx, id, createReadStream(path))) bytes += piece.length;
    await finishMailingFile(tx, { id, bytes, sha256: Buffer.alloc(32), lines: 0, badLines: 0 });
    return id;
  });
}

interface Importer {
  child: ChildProcess;
  /** Imports a run; returns the seconds it took. */
  run: (runId: number) => Promise<number>;
  stop: () => Promise<void>;
}

function startImporter(databaseUrl: string): Importer {
  const child = fork(fileURLToPath(new URL('importer.ts', import.meta.url)), [databaseUrl], {
    execArgv: ['--import', 'tsx'],
  });
  return {
    child,
    async run(runId) {
      child.send(runId);
      const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
      if (child.exitCode !== null) throw new Error('The importer has ended.');
      return Number(answer);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}
