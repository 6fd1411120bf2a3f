import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { StartError } from '../embedded/start-error.ts';
import { generateMailing } from '../examples/make-mailing.ts';
import { createExampleWebservice } from '../examples/webservice/server.ts';
import { type ApiClient, ApiRefusal, claimFirstAdmin } from './api-client.ts';
import {
  createCampaign,
  createSandboxProvider,
  createSendingHours,
  createWebserviceCampaign,
} from './first-campaign.ts';
import { callSandbox } from './sandbox-client.ts';
import { startSystem, type System } from './system.ts';
import { until } from './until.ts';

/**
 * `npm run demo [-- --csv FILE | --lines N] [--webservice] [--json] [--keep]`: runs a real campaign unattended, from an
 * empty system to its last receipt, in its own data folder and on its own ports. Exit code 0 only if every line has its
 * outcome, the counts add up, and the gateway's ledger confirms that nobody received two messages. `--keep` leaves
 * everything running for inspection.
 */
const { values } = parseArgs({
  options: {
    csv: { type: 'string' },
    webservice: { type: 'boolean', default: false },
    lines: { type: 'string' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

/** Some of the sandbox's phones are switched off. */
const undeliveredShare = 0.02;
/** From enabling to the first occurrence: enough time for a slow machine to finish enabling. */
const leadMs = 3_000;
const patienceMs = 60 * 60_000;

const progressShape = z.object({
  status: z.string(),
  reason: z.string().nullable(),
  lines: z.int(),
  counts: z.record(z.string(), z.int()),
  reasons: z.array(z.object({ status: z.string(), reason: z.string(), messages: z.int() })),
  segments: z.object({ total: z.int() }),
  ratePerSecond: z.number().nullable(),
  over: z.boolean(),
});
type Progress = z.infer<typeof progressShape>;
const runsShape = z.object({ runs: z.array(z.object({ id: z.int(), temporalUrl: z.string().nullable() })) });
const timesShape = z.object({ sendingAt: z.coerce.date(), finishedAt: z.coerce.date() });
const uploadShape = z.object({ file: z.object({ lines: z.int() }) });
const previewShape = z.object({
  contacts: z.array(
    z.object({ phone: z.string().nullable(), text: z.string().nullable(), problem: z.string().nullable() }),
  ),
});
const ledgerShape = z.object({
  accepted: z.int(),
  duplicateReferences: z.int(),
  duplicateNumbers: z.int(),
  receipts: z.object({ pending: z.int() }),
});
type Ledger = z.infer<typeof ledgerShape>;

const webserviceToken = randomBytes(16).toString('hex');
const webserviceContacts = (): number =>
  z.coerce
    .number()
    .int()
    .positive()
    .parse(values.lines ?? 1000);

/** Starts the example service with this many contacts; returns its address. */
async function startWebservice(): Promise<{ url: string; stop: () => void }> {
  const server = createExampleWebservice({
    contacts: webserviceContacts(),
    // Several pages even for the smallest demonstration.
    pageSize: 400,
    token: webserviceToken,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.int() }).parse(server.address());
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/contacts`, stop };
}

async function* mailing(): AsyncGenerator<Uint8Array> {
  if (values.lines !== undefined) {
    for (const chunk of generateMailing(z.coerce.number().int().positive().parse(values.lines), 1))
      yield Buffer.from(chunk);
    return;
  }
  const file = values.csv ?? fileURLToPath(new URL('../examples/mailing.csv', import.meta.url));
  for await (const chunk of createReadStream(file)) yield z.instanceof(Uint8Array).parse(chunk);
}

/** The wall clock time in a zone, in the format of a campaign's `startsAt`. */
const localTime = (at: Date, timeZone: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    .format(at)
    .replace(' ', 'T');

async function runDemo(
  system: System,
  {
    admin,
    webserviceUrl,
    say,
  }: {
    admin: { login: string; password: string };
    /** The source of the contacts; null: a CSV file. */
    webserviceUrl: string | null;
    say: (text: string) => void;
  },
): Promise<void> {
  const api = await claimFirstAdmin(system.apiUrl, admin);
  await callSandbox(system, 'PUT', 'faults', { undeliveredRate: undeliveredShare });
  const providerId = await createSandboxProvider(api, system.sandbox, null);
  const hoursId = await createSendingHours(api, 'Demonstração');
  say('Created a provider and sending hours.');
  const example = { name: 'Demonstração', providerId, sendingHoursId: hoursId, startsAt: '2030-01-01T09:00' };
  const { campaignId, lines } =
    webserviceUrl === null
      ? await campaignWithFile(api, example, say)
      : await campaignWithWebservice(api, { ...example, url: webserviceUrl }, say);
  const { definition, version } = z
    .object({ definition: z.looseObject({ schedule: z.looseObject({}) }), version: z.int() })
    .parse(await api.call('GET', `/api/campaigns/${campaignId}`));
  const due = new Date(Date.now() + leadMs);
  const schedule = { ...definition.schedule, startsAt: localTime(due, 'America/Sao_Paulo') };
  await api.call('PUT', `/api/campaigns/${campaignId}`, { ...definition, schedule, version });
  await api.call('POST', `/api/campaigns/${campaignId}/enable`, {});
  say(`Enabled it: due daily, first at ${schedule.startsAt}. Waiting for its workflow to start the run.`);

  const run = await until(
    async () => runsShape.parse(await api.call('GET', `/api/runs?campaignId=${campaignId}`)).runs[0],
    patienceMs,
  );
  say(`Run ${run.id} has started.`);
  const progress = await follow(api, run.id, lines);
  say(`The run is ${progress.status}. Waiting for the last receipts.`);
  const ended = await until(async () => {
    const seen = await progressOf(api, run.id);
    const ledger = await ledgerOf(system);
    return ledger.receipts.pending === 0 && !seen.counts.sent ? { progress: seen, ledger } : undefined;
  }, patienceMs);
  const { sendingAt, finishedAt } = timesShape.parse(await api.call('GET', `/api/runs/${run.id}`));
  report(ended.progress, ended.ledger, {
    lines,
    seconds: (finishedAt.getTime() - sendingAt.getTime()) / 1000,
    links: [`Temporal UI  ${run.temporalUrl ?? ''}`, `API          ${system.apiUrl}/api/docs`],
    say,
  });
}

type Example = Parameters<typeof createCampaign>[1];

async function campaignWithFile(
  api: ApiClient,
  example: Example,
  say: (text: string) => void,
): Promise<{ campaignId: number; lines: number }> {
  const campaignId = await createCampaign(api, example);
  const { file } = uploadShape.parse(
    await api.upload(`/api/campaigns/${campaignId}/mailing/file`, mailing()),
  );
  say(`Created a campaign and uploaded its mailing of ${file.lines} lines.`);
  return { campaignId, lines: file.lines };
}

async function campaignWithWebservice(
  api: ApiClient,
  { url, ...example }: Example & { url: string },
  say: (text: string) => void,
): Promise<{ campaignId: number; lines: number }> {
  const campaignId = await createWebserviceCampaign(api, { ...example, url, token: webserviceToken });
  say(`Created an integration and a campaign that fetches its contacts from ${url}. The first contacts:`);
  const { contacts } = previewShape.parse(await api.call('POST', '/api/webservice/preview', { campaignId }));
  for (const { phone, text, problem } of contacts.slice(0, 3))
    say(`  ${phone ?? ''} ${text ?? problem ?? ''}`);
  return { campaignId, lines: webserviceContacts() };
}

async function follow(api: ApiClient, runId: number, lines: number): Promise<Progress> {
  const bar = new SingleBar({
    format: 'Sending {bar} {percentage} % | {value}/{total} lines | {rate}/s',
    hideCursor: true,
  });
  bar.start(lines, 0, { rate: 0 });
  try {
    return await until(async () => {
      const progress = await progressOf(api, runId);
      const done = progress.lines - (progress.counts.queued ?? 0) - (progress.counts.sending ?? 0);
      bar.update(done, { rate: Math.round(progress.ratePerSecond ?? 0) });
      return progress.over ? progress : undefined;
    }, patienceMs);
  } finally {
    bar.stop();
  }
}

function report(
  progress: Progress,
  ledger: Ledger,
  {
    lines,
    seconds,
    links,
    say,
  }: { lines: number; seconds: number; links: string[]; say: (text: string) => void },
): void {
  const reasonsOf = (status: string) =>
    Object.fromEntries(
      progress.reasons
        .filter((one) => one.status === status)
        .map(({ reason, messages }) => [reason, messages]),
    );
  const sum = Object.values(progress.counts).reduce((total, count) => total + count, 0);
  const written = sum - (progress.counts.skipped ?? 0) - (progress.counts.cancelled ?? 0);
  const faults = [
    ...(progress.status === 'finished' ? [] : [`the run is ${progress.status}: ${progress.reason ?? ''}`]),
    ...(sum === lines ? [] : [`${lines} lines, but the counts add up to ${sum}`]),
    ...(ledger.accepted === written - (progress.counts.failed ?? 0)
      ? []
      : [`the gateway accepted ${ledger.accepted} messages, but ${written} were sent`]),
    ...(ledger.duplicateNumbers + ledger.duplicateReferences === 0
      ? []
      : [`${ledger.duplicateNumbers} numbers received a message twice`]),
  ];
  const rows: [string, string | number][] = [
    ['Lines', lines],
    ...Object.entries(progress.counts).map(([status, count]): [string, number] => [`  ${status}`, count]),
    ...Object.entries(reasonsOf('skipped')).map(([reason, count]): [string, number] => [
      `    skipped: ${reason}`,
      count,
    ]),
    ['Segments', progress.segments.total],
    ['Accepted by the gateway', ledger.accepted],
    ['Numbers with two messages', ledger.duplicateNumbers],
    ['Rate', `${Math.round(written / seconds)} messages/s`],
  ];
  say(['', ...rows.map(([name, value]) => `${name.padEnd(32)} ${value}`), '', ...links].join('\n'));
  if (faults.length === 0) say('\nEvery line has a final status, and the gateway has the same counts.');
  else console.error(`\nThe counts differ: ${faults.join('; ')}.`);
  process.exitCode = faults.length === 0 ? 0 : 1;
  if (values.json) {
    const result = {
      lines,
      byStatus: progress.counts,
      skippedByReason: reasonsOf('skipped'),
      acceptedByGateway: ledger.accepted,
      duplicatesAtGateway: ledger.duplicateNumbers,
      seconds,
    };
    console.log(JSON.stringify(result));
  }
}

const progressOf = async (api: ApiClient, runId: number): Promise<Progress> =>
  progressShape.parse(await api.call('GET', `/api/runs/${runId}/progress`));

const ledgerOf = async (system: System): Promise<Ledger> =>
  ledgerShape.parse(await callSandbox(system, 'GET', 'ledger'));

async function main(): Promise<void> {
  // With --json the last line is the result; everything else goes to stderr.
  const say = values.json ? console.error : console.log;
  if (values.csv !== undefined) {
    await access(values.csv).catch(() => {
      throw new StartError(`The file ${values.csv ?? ''} cannot be read.`);
    });
  }
  const webservice = values.webservice ? await startWebservice() : null;
  const dataDir = await mkdtemp(join(tmpdir(), 'torpedo-demo-'));
  say('Starting PostgreSQL, Temporal, the sandbox gateway, API and worker.');
  try {
    const system = await startSystem({
      dataDir,
      ports: { api: 0, postgres: 0, temporal: 0, temporalUi: 0, sandbox: 0 },
      // A separate system, whatever deployment runs on this machine. The example web service runs in this process, and
      // so not in a public network.
      environment: { LOG_LEVEL: 'error', WEBSERVICE_ALLOW: '127.0.0.1' },
      example: false,
      log: say,
    });
    try {
      const { firstAdmin } = system;
      if (!firstAdmin) throw new Error('The demo needs a new data folder.');
      const interrupted = new Promise<void>((resolve) =>
        process.once('SIGINT', resolve).once('SIGTERM', resolve),
      );
      const failed = system.failed.then((why) => {
        throw new Error(why);
      });
      await Promise.race([
        runDemo(system, { admin: firstAdmin, webserviceUrl: webservice?.url ?? null, say }),
        failed,
        interrupted.then(() => {
          throw new StartError('Interrupted.');
        }),
      ]);
      if (values.keep) {
        say('The system runs until you press Ctrl-C.');
        await Promise.race([interrupted, failed]);
      }
    } finally {
      await system.stop();
    }
  } finally {
    webservice?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof StartError || error instanceof ApiRefusal ? error.message : error);
    process.exit(1);
  },
);
