import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { runWorkflowId } from '../domain/ids.ts';
import { freePort } from '../embedded/ports.ts';
import { generateMailing } from '../examples/make-mailing.ts';
import { claimFirstAdmin } from '../scripts/api-client.ts';
import { createCampaign, createSandboxProvider, createSendingHours } from '../scripts/first-campaign.ts';
import { peakMegabytes } from './processes.ts';
import { account } from './runs.ts';
import { withServers } from './servers.ts';

/**
 * Sends one large mailing through the whole system, with separate processes as in production: it is uploaded over HTTP,
 * imported, and sent to the sandbox gateway. With `receipts`, the receipts are written, too. Reports times, memory, and
 * the size of the run's history.
 */
export interface LargeResult {
  lines: number;
  uploadSeconds: number;
  importSeconds: number;
  sendSeconds: number;
  /** From the last send to the last receipt. */
  receiptSeconds: number;
  counts: Record<string, number>;
  acceptedByGateway: number;
  duplicatesAtGateway: number;
  apiPeakMegabytes: number;
  workerPeakMegabytes: number;
  historyEvents: number;
  historyBytes: number;
}

const pollMs = 500;
const runTimes = z.object({
  occurrence: z.coerce.date(),
  startedAt: z.coerce.date(),
  mailingAt: z.coerce.date(),
  sendingAt: z.coerce.date(),
  finishedAt: z.coerce.date(),
});
const progressShape = z.object({
  over: z.boolean(),
  status: z.string(),
  counts: z.record(z.string(), z.int()),
});
const ledgerShape = z.object({
  accepted: z.int(),
  duplicateNumbers: z.int(),
  receipts: z.object({ pending: z.int() }),
});

export async function benchLarge({ lines = 1_000_000, receipts = false } = {}): Promise<LargeResult> {
  return withServers(async ({ databaseUrl, temporalAddress, client: temporal, start, log }) => {
    const sandbox = await start('sandbox/main.ts', {}, /(http:\S+)/, [
      ...['--port', '0', '--account-sid', account.accountSid, '--auth-token', account.authToken],
      ...['--faults', JSON.stringify({ receipts })],
    ]);
    const port = await freePort();
    const apiUrl = `http://127.0.0.1:${port}`;
    const environment = {
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      PUBLIC_URL: apiUrl,
      PORT: String(port),
      SANDBOX_URL: sandbox.ready,
      SECRET_KEYS: `bench:${randomBytes(32).toString('base64')}`,
      LOG_LEVEL: 'error',
    };
    const worker = await start('worker/main.ts', environment, null);
    const api = await start('api/main.ts', environment, /password (\S+)/);

    const client = await claimFirstAdmin(apiUrl, { login: 'admin', password: api.ready });
    const campaignId = await createCampaign(client, {
      name: 'Large',
      providerId: await createSandboxProvider(client, account, null),
      sendingHoursId: await createSendingHours(client, 'Always'),
      startsAt: '2099-01-01T09:00',
    });
    const startedAt = Date.now();
    await client.upload(`/api/campaigns/${campaignId}/mailing/file`, bytesOf(generateMailing(lines, 1)));
    const uploaded = Date.now();
    log(`Uploaded in ${seconds(startedAt, uploaded)} s.`);
    await client.call('POST', `/api/campaigns/${campaignId}/enable`, {});
    const { runId } = z
      .object({ runId: z.int() })
      .parse(await client.call('POST', `/api/campaigns/${campaignId}/run-now`));

    const readProgress = async () =>
      progressShape.parse(await client.call('GET', `/api/runs/${runId}/progress`));
    let progress = await readProgress();
    while (!progress.over) {
      await sleep(pollMs);
      progress = await readProgress();
      log(JSON.stringify(progress.counts));
    }
    const ledgerOf = async () => {
      const response = await fetch(`${sandbox.ready}/sandbox/ledger`, {
        headers: { authorization: `Bearer ${account.authToken}` },
      });
      return ledgerShape.parse(await response.json());
    };
    let ledger = await ledgerOf();
    while (receipts && ledger.receipts.pending > 0) {
      await sleep(pollMs);
      ledger = await ledgerOf();
    }
    const received = Date.now();
    const times = runTimes.parse(await client.call('GET', `/api/runs/${runId}`));
    const { raw } = await temporal.workflow
      .getHandle(runWorkflowId({ ...times, campaignId, trigger: 'manual' }))
      .describe();
    return {
      lines,
      uploadSeconds: seconds(startedAt, uploaded),
      importSeconds: seconds(times.startedAt, times.mailingAt),
      sendSeconds: seconds(times.sendingAt, times.finishedAt),
      receiptSeconds: seconds(times.finishedAt, received),
      counts: (await readProgress()).counts,
      acceptedByGateway: ledger.accepted,
      duplicatesAtGateway: ledger.duplicateNumbers,
      apiPeakMegabytes: await peakMegabytes(api.child),
      workerPeakMegabytes: await peakMegabytes(worker.child),
      historyEvents: Number(raw.workflowExecutionInfo?.historyLength),
      historyBytes: Number(raw.workflowExecutionInfo?.historySizeBytes),
    };
  });
}

const seconds = (from: Date | number, to: Date | number): number =>
  Math.round((Number(to) - Number(from)) / 100) / 10;

async function* bytesOf(chunks: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
