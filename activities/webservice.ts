import { createHash } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import type { Database } from '../db/core/client.ts';
import { openIntegration } from '../db/settings/integrations.ts';
import {
  createAnswerFile,
  createMailingWriter,
  finishAnswerFile,
  type KeptPage,
  recordFetchProgress,
} from '../db/campaigns/mailings.ts';
import { lastFetch, type RunRow } from '../db/runs/runs.ts';
import { type SecretBox, SecretKeyMissing } from '../db/core/secrets.ts';
import { failures } from '../domain/failures.ts';
import type { Integration } from '../domain/integration.ts';
import { passingWebserviceProblems } from '../domain/problems/retries.ts';
import { buildAddress } from '../domain/web-address.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { type AnswerPage, fetchWebservice, type WebserviceDeps } from '../mailing/webservice.ts';
import { passingFailure } from './retries.ts';

export interface FetchDeps {
  sql: Database;
  box: SecretBox;
  clock: () => Date;
  webservice: WebserviceDeps;
  /** A web service that is down is retried for this long. */
  webserviceRetryMs: number;
}

/** The longest wait that a service may request (Retry-After) before we try again anyway. */
const longestPauseMs = 10 * 60_000;
const betweenPages = Buffer.from('\n');
/** How often a fetch reports its progress. */
const reportMs = 1_000;

/**
 * Fetches the mailing of a run from its web service, each time from the start, and stores the answer. Does nothing if
 * the run already has its mailing. While the service answers, no transaction is open and no connection is held.
 *
 * The answer is only scanned here, to follow its pages and to verify that it is complete; its records are read from the
 * stored answer.
 */
export function createFetch({ sql, box, clock, webservice }: FetchDeps) {
  return async (run: RunRow, signal: AbortSignal): Promise<void> => {
    const { id: runId, campaignId, occurrence, settings } = run;
    const { campaign } = settings;
    const block = campaign.mailing.webservice;
    if (block.baseUrl === null) throw WebserviceRefused.of({ code: 'address_missing', params: {} });
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

    const id = await createAnswerFile(sql, { runId, campaignId, fetchedAt: now });
    if (id === null) return;
    const writer = createMailingWriter(sql, id);
    const hash = createHash('sha256');
    const pages: KeptPage[] = [];
    let bytes = 0;
    let lines = 0;
    let isWhole = false;
    let reportedAt = performance.now();
    const store = async (piece: Buffer): Promise<void> => {
      hash.update(piece);
      bytes += piece.length;
      await writer.write(piece);
      if (performance.now() - reportedAt < reportMs) return;
      reportedAt = performance.now();
      await recordFetchProgress(sql, { id, bytes, lines });
    };
    async function* kept({ host, contentType, bytes: pieces }: AnswerPage): AsyncGenerator<Buffer> {
      if (pages.length > 0) await store(betweenPages);
      pages.push({ host, contentType, from: bytes });
      for await (const piece of pieces) {
        await store(piece);
        yield piece;
      }
    }
    try {
      const { recordsPath, paging } = block;
      for await (const records of fetchWebservice(
        webservice,
        { url, integration, recordsPath, paging, signal },
        kept,
      ))
        lines += records;
      isWhole = true;
    } finally {
      // Also for a failed attempt: it shows what the service answered.
      await writer.flush();
      await finishAnswerFile(sql, {
        id,
        bytes,
        sha256: hash.digest(),
        lines,
        pages: isWhole ? pages : null,
      });
    }
  };
}

/** The integration with its secrets. Throws `WebserviceRefused` when they cannot be decrypted. */
async function openOrRefuse(sql: Database, box: SecretBox, id: number): Promise<Integration | null> {
  try {
    return await openIntegration(sql, box, id);
  } catch (error) {
    if (!(error instanceof SecretKeyMissing)) throw error;
    throw WebserviceRefused.of({ code: 'integration_sealed', params: {} });
  }
}

/**
 * The failure that makes Temporal retry, for a problem that may be temporary; null if it is permanent, or has lasted
 * too long. The message is stored in the history: no host and no value of the answer in it.
 */
export function tryAgain(error: WebserviceRefused, retryMs: number): ApplicationFailure | null {
  const { code, retryAfterMs } = error;
  const problem = passingWebserviceProblems.find((passing) => passing === code);
  if (problem === undefined) return null;
  const { scheduledTimestampMs } = activityInfo();
  const leftMs = retryMs - (Date.now() - scheduledTimestampMs);
  if (leftMs < (retryAfterMs ?? 0)) return null;
  return passingFailure(
    failures.webserviceUnavailable,
    `The web service can't be read now (${code}); it is tried again.`,
    {
      cause: { code: 'webservice_unavailable', params: { problem } },
      nextInMs: retryAfterMs === null ? null : Math.min(retryAfterMs, longestPauseMs),
      givesUpInMs: leftMs,
    },
  );
}
