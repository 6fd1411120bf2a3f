import { createHash } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Database } from '../db/client.ts';
import { openIntegration } from '../db/integrations.ts';
import { createAnswerFile, createMailingWriter, finishMailingFile } from '../db/mailings.ts';
import { lastFetch, type RunRow } from '../db/runs.ts';
import { type SecretBox, SecretKeyMissing } from '../db/secrets.ts';
import { failures } from '../domain/failures.ts';
import type { Integration } from '../domain/integration.ts';
import { buildAddress } from '../domain/web-address.ts';
import type { MailingRecord } from '../mailing/record.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { type FetchedPage, readWebservice, type WebserviceDeps } from '../mailing/webservice.ts';

export interface WebserviceSourceDeps {
  sql: Database;
  box: SecretBox;
  clock: () => Date;
  webservice: WebserviceDeps;
  /** A web service that is down is tried again for so long. */
  webserviceRetryMs: number;
}

/** The longest that a service may ask us to wait (Retry-After) before we look again by ourselves. */
const longestPauseMs = 10 * 60_000;
const betweenPages = Buffer.from('\n');

/** The mailing of a run from its web service, each attempt from the start; what came is kept with the run. */
export function createWebserviceSource({ sql, box, clock, webservice }: WebserviceSourceDeps) {
  return async function* (run: RunRow, signal: AbortSignal): AsyncGenerator<MailingRecord[]> {
    const { id: runId, campaignId, occurrence, settings } = run;
    const { campaign } = settings;
    const block = campaign.mailing.webservice;
    if (block.baseUrl === null)
      throw new WebserviceRefused('address_missing', 'The campaign has no address of a web service.');
    const now = clock();
    const url = buildAddress(
      { baseUrl: block.baseUrl, params: block.params },
      {
        timezone: campaign.schedule.timezone,
        now,
        lastRunAt: await lastFetch(sql, { campaignId, before: runId }),
        occurrence,
      },
    );
    const integration =
      block.integrationId === null ? null : await openOrRefuse(sql, box, block.integrationId);

    const fileId = await createAnswerFile(sql, { runId, campaignId, fetchedAt: now });
    const writer = createMailingWriter(sql, fileId);
    const hash = createHash('sha256');
    let bytes = 0;
    let pages = 0;
    const store = async (piece: Buffer): Promise<void> => {
      hash.update(piece);
      bytes += piece.length;
      await writer.write(piece);
    };
    async function* kept(page: FetchedPage): AsyncGenerator<Buffer> {
      if (pages++ > 0) await store(betweenPages);
      for await (const piece of page.bytes) {
        await store(piece);
        yield piece;
      }
    }
    let lines = 0;
    let badLines = 0;
    try {
      const { extraFields } = campaign.mailing;
      const fetched = { url, integration, webservice: block, extraFields, signal };
      for await (const batch of readWebservice(webservice, fetched, { keep: kept })) {
        lines += batch.length;
        for (const record of batch) if (!record.ok) badLines++;
        yield batch;
      }
    } finally {
      // Of a failed attempt, too: it says what the service answered.
      await writer.flush();
      await finishMailingFile(sql, { id: fileId, bytes, sha256: hash.digest(), lines, badLines });
    }
  };
}

/** The integration with its secrets. Throws `WebserviceRefused` when they can't be opened. */
async function openOrRefuse(sql: Database, box: SecretBox, id: number): Promise<Integration | null> {
  try {
    return await openIntegration(sql, box, id);
  } catch (error) {
    if (!(error instanceof SecretKeyMissing)) throw error;
    throw new WebserviceRefused(
      'integration_missing',
      'The secrets of the integration can not be opened: their key is gone from SECRET_KEYS. Enter them again.',
    );
  }
}

/**
 * The failure that makes Temporal try again, for something that may pass; null when it will not pass, or has lasted too
 * long. The message stands in the history: no host and no value of the answer in it.
 */
export function tryAgain(error: WebserviceRefused, retryMs: number): ApplicationFailure | null {
  if (!error.mayPass) return null;
  const { scheduledTimestampMs } = activityInfo();
  const { code, retryAfterMs } = error;
  if (Date.now() - scheduledTimestampMs + (retryAfterMs ?? 0) > retryMs) return null;
  return ApplicationFailure.create({
    type: failures.webserviceUnavailable,
    message: `The web service can't be read now (${code}); it is tried again.`,
    ...(retryAfterMs === null ? {} : { nextRetryDelay: Math.min(retryAfterMs, longestPauseMs) }),
  });
}
