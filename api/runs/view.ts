import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import { readRetries } from '../../db/core/retries.ts';
import { resendScope } from '../../db/runs/resends.ts';
import type { RunRow } from '../../db/runs/runs.ts';
import { describeFailover, failover } from '../../domain/failover.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { messageStatuses } from '../../domain/message.ts';
import { describePreflight, preflight } from '../../domain/preflight.ts';
import {
  describeRunReason,
  liveRunStatuses,
  runReason,
  runSettings,
  runStatuses,
  runSteps,
  runTriggers,
} from '../../domain/run.ts';
import { waitingCodes, waitingOf } from '../../domain/waiting.ts';
import { warningsView } from '../campaigns/mailing-check.ts';
import { instant } from '../http/instant.ts';
import { type RetryingView, retryingView, viewRetrying } from '../http/retrying.ts';
import { progressView } from '../services/progress.ts';
import type { Temporal } from '../services/temporal.ts';

export const runSummaryView = z.object({
  id: z.int(),
  campaignId: z.int(),
  campaignName: z.string(),
  occurrence: instant,
  trigger: z.enum(runTriggers),
  status: z.enum(runStatuses),
  step: z.enum(runSteps),
  /** The reason's code with its numbers, and in plain words; the address of the run it speaks of, if any. */
  reason: z
    .object({ words: z.string(), code: z.string(), details: runReason, run: z.string().nullable() })
    .nullable(),
  /** What it waits for, and until when; null: it is at work, or over. */
  waiting: z.object({ code: z.enum(waitingCodes), until: instant.nullable(), words: z.string() }).nullable(),
  /** What failed and is tried again: the run does not go on meanwhile. Null: nothing. */
  retrying: retryingView.nullable(),
  counts: z.partialRecord(z.enum(messageStatuses), z.int()),
  startedAt: instant.nullable(),
  mailingAt: instant.nullable(),
  sendingAt: instant.nullable(),
  finishedAt: instant.nullable(),
  expiresAt: instant.nullable(),
  temporalUrl: z.string().nullable(),
});

export const runView = runSummaryView.extend({
  progress: progressView,
  /** What it was about to do when its mailing had been read; null before that. */
  preflight: preflight.extend({ words: z.string() }).nullable(),
  /** What could not be read of its mailing's lines, whether they are sent or not. */
  warnings: warningsView,
  approvedAt: instant.nullable(),
  /** `user:7`, `token:3`. */
  approvedBy: z.string().nullable(),
  /** Of a resend: the run whose messages it sends again, and which of them. */
  resendOf: z.int().nullable(),
  resendScope: resendScope.nullable(),
  /** The runs that sent messages of this one again. */
  resends: z.array(z.object({ id: z.int(), status: z.enum(runStatuses) })),
  /** Who sends for it now: its campaign's provider, or the fallback it went over to. */
  providerId: z.int().nullable(),
  /** How it went over to other providers, in their order. */
  failovers: z.array(failover.extend({ words: z.string() })),
  mailingFileId: z.int().nullable(),
  /** Whether what it fetched from its web service can be had: `GET /api/runs/{id}/answer`. */
  hasAnswer: z.boolean(),
  /** As they were when the run started. */
  settings: runSettings,
});

export const runAddress = (id: number): string => `/api/runs/${id}`;

export const viewRunSummary = (
  run: RunRow,
  counts: z.infer<typeof runSummaryView>['counts'],
  { temporal, now, retrying }: { temporal: Temporal; now: Date; retrying: RetryingView | null },
): z.infer<typeof runSummaryView> => ({
  ...run,
  campaignName: run.settings.campaign.name,
  reason: run.reason && {
    words: describeRunReason(run.reason),
    code: run.reason.code,
    details: run.reason,
    run: 'runId' in run.reason ? runAddress(run.reason.runId) : null,
  },
  waiting: waitingOf(run, now),
  retrying,
  counts,
  temporalUrl: temporal.runPage(run),
});

export const viewFailovers = ({ failovers }: RunRow): z.infer<typeof runView>['failovers'] =>
  failovers.map((one) => ({ ...one, words: describeFailover(one) }));

export const viewPreflight = ({ preflight }: RunRow): z.infer<typeof runView>['preflight'] =>
  preflight && { ...preflight, words: describePreflight(preflight) };

/** What is tried again in each of the runs that live. */
export async function retryingRuns(
  sql: Sql,
  runs: readonly RunRow[],
  now: Date,
): Promise<(run: RunRow) => RetryingView | null> {
  const live = runs.filter(({ status }) => liveRunStatuses.some((one) => one === status));
  const retries = await readRetries(sql, live.map(runWorkflowId));
  return (run) => {
    const retrying = retries.get(runWorkflowId(run));
    return retrying ? viewRetrying(retrying, now) : null;
  };
}
