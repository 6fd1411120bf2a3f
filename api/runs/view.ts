import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import { readRetries } from '../../db/core/retries.ts';
import { providerTroubles } from '../../db/providers/trouble.ts';
import { type Decided, type Decision, decisionsOf } from '../../db/runs/decisions.ts';
import { resendScope } from '../../db/runs/resends.ts';
import type { RunRow } from '../../db/runs/runs.ts';
import { failover } from '../../domain/failover.ts';
import type { Format } from '../../domain/format.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { messageStatuses } from '../../domain/message.ts';
import { preflight } from '../../domain/preflight.ts';
import {
  failoverWords,
  preflightWords,
  runReasonWords,
  waitingCodes,
  waitingWords,
} from '../../domain/problems/runs.ts';
import {
  liveRunStatuses,
  type RunReason,
  runReason,
  runSettings,
  runStatuses,
  runSteps,
  runTriggers,
} from '../../domain/run.ts';
import type { ProviderTrouble } from '../../domain/provider-trouble.ts';
import { waitingOf } from '../../domain/waiting.ts';
import { warningsView } from '../campaigns/mailing-check.ts';
import { type Cost, cost } from '../../domain/price.ts';
import { instant } from '../http/instant.ts';
import { type RetryingView, retryingView, viewRetrying } from '../http/retrying.ts';
import { progressView } from '../services/progress.ts';
import type { Temporal } from '../services/temporal.ts';

/** What a run waits for, and until when. */
export const waitingView = z.object({
  code: z.enum(waitingCodes),
  params: z.record(z.string(), z.unknown()),
  until: instant.nullable(),
  words: z.string(),
});

export const runSummaryView = z.object({
  id: z.int(),
  campaignId: z.int(),
  campaignName: z.string(),
  occurrence: instant,
  trigger: z.enum(runTriggers),
  status: z.enum(runStatuses),
  step: z.enum(runSteps),
  /** The reason's code with its numbers, and as plain text; the address of the run it refers to, if any. */
  reason: z
    .object({ words: z.string(), code: z.string(), details: runReason, run: z.string().nullable() })
    .nullable(),
  /** Null: it does not wait, or is over. */
  waiting: waitingView.nullable(),
  /** What failed and is retried; until it succeeds, the run does not progress. Null: nothing. */
  retrying: retryingView.nullable(),
  counts: z.partialRecord(z.enum(messageStatuses), z.int()),
  /** The cost of what its provider has accepted so far, without messages with an unknown outcome. */
  cost,
  startedAt: instant.nullable(),
  mailingAt: instant.nullable(),
  sendingAt: instant.nullable(),
  finishedAt: instant.nullable(),
  expiresAt: instant.nullable(),
  temporalUrl: z.string().nullable(),
});
export const runList = z.object({ runs: z.array(runSummaryView) });

export const runView = runSummaryView.extend({
  progress: progressView,
  /** The plan when its mailing was read; null before that. */
  preflight: preflight.extend({ words: z.string(), cost }).nullable(),
  /** The cost of messages with an unknown outcome, at the mean price of the run. */
  costInDoubt: cost,
  /** The values in its mailing's lines that could not be read, whether the lines are sent or not. */
  warnings: warningsView,
  approvedAt: instant.nullable(),
  /** `user:7`, `token:3`; and the name at that time, as in the audit log. */
  approvedBy: z.string().nullable(),
  approvedByName: z.string().nullable(),
  /** When a user permitted it to exceed the monthly budget. */
  beyondBudgetAt: instant.nullable(),
  /** For a resend: the run whose messages it resends, and which of them. */
  resendOf: z.int().nullable(),
  resendScope: resendScope.nullable(),
  /** The runs that resent messages of this one. */
  resends: z.array(z.object({ id: z.int(), status: z.enum(runStatuses) })),
  /** Its current provider: the campaign's, or the fallback that it switched to. */
  providerId: z.int().nullable(),
  /** Its switches to other providers, in order. */
  failovers: z.array(failover.extend({ words: z.string() })),
  mailingFileId: z.int().nullable(),
  /** Whether the answer fetched from its web service is available: `GET /api/runs/{id}/answer`. */
  hasAnswer: z.boolean(),
  /** The settings when the run started. */
  settings: runSettings,
});

export const runAddress = (id: number): string => `/api/runs/${id}`;

export function viewRunSummary(
  run: RunRow,
  counts: z.infer<typeof runSummaryView>['counts'],
  {
    temporal,
    now,
    retrying,
    trouble,
    decided,
    cost,
    format,
  }: {
    temporal: Temporal;
    now: Date;
    retrying: RetryingView | null;
    trouble: ProviderTrouble | null;
    decided: (runId: number, decision: Decision) => Decided | null;
    cost: Cost;
    format: Format;
  },
): z.infer<typeof runSummaryView> {
  return {
    ...run,
    campaignName: run.settings.campaign.name,
    reason: viewReason(byWhom(run, decided) ?? reachedNobody(run, counts), format),
    waiting: viewWaiting(run, now, { trouble, format }),
    retrying,
    counts,
    cost,
    temporalUrl: temporal.runPage(run),
  };
}

export function viewWaiting(
  run: RunRow,
  now: Date,
  { trouble, format }: { trouble: ProviderTrouble | null; format: Format },
): z.infer<typeof waitingView> | null {
  const waiting = waitingOf(run, now, trouble);
  return waiting && { ...waiting, words: waitingWords(waiting, format) };
}

/** Its reason; with the name and the time if a user requested it. */
function byWhom(
  { id, status, reason }: RunRow,
  decided: (runId: number, decision: Decision) => Decided | null,
): RunReason | null {
  if (reason?.code !== 'by_user') return reason;
  const found = decided(id, status === 'paused' ? 'pause' : 'cancel');
  return found ? { ...reason, name: found.name, at: found.at.toISOString() } : reason;
}

const viewReason = (reason: RunReason | null, format: Format): z.infer<typeof runSummaryView>['reason'] =>
  reason && {
    words: runReasonWords(reason, format),
    code: reason.code,
    details: reason,
    run: 'runId' in reason ? runAddress(reason.runId) : null,
  };

/** The reason shown for a finished run when all that it sent was refused. */
function reachedNobody(
  { status }: RunRow,
  counts: z.infer<typeof runSummaryView>['counts'],
): RunReason | null {
  const { failed: failures = 0, sent = 0, delivered = 0, undelivered = 0, unknown = 0 } = counts;
  const isReported = status === 'finished' && failures > 0 && sent + delivered + undelivered + unknown === 0;
  return isReported ? { code: 'reached_nobody', failures } : null;
}

export const viewFailovers = ({ failovers }: RunRow, format: Format): z.infer<typeof runView>['failovers'] =>
  failovers.map((one) => ({ ...one, words: failoverWords(one, format) }));

/** `estimate`: the cost of its segments. */
export const viewPreflight = (
  { preflight }: RunRow,
  estimate: Cost,
  format: Format,
): z.infer<typeof runView>['preflight'] =>
  preflight && { ...preflight, words: preflightWords(preflight, format), cost: estimate };

/** For each run: what is retried, what delays its provider, and who paused or cancelled it. */
export async function troublesOfRuns(
  sql: Sql,
  runs: readonly RunRow[],
  now: Date,
  format: Format,
): Promise<
  (run: RunRow) => {
    retrying: RetryingView | null;
    trouble: ProviderTrouble | null;
    decided: (runId: number, decision: Decision) => Decided | null;
  }
> {
  const decided = await decisionsOf(
    sql,
    runs.flatMap(({ id, reason }) => (reason?.code === 'by_user' ? [id] : [])),
  );
  const live = runs.filter(({ status }) => liveRunStatuses.some((one) => one === status));
  const retries = await readRetries(sql, live.map(runWorkflowId));
  const troubles = await providerTroubles(sql, [
    ...new Set(live.flatMap(({ providerId }) => providerId ?? [])),
  ]);
  return (run) => {
    const retrying = retries.get(runWorkflowId(run));
    return {
      retrying: retrying ? viewRetrying(retrying, now, format) : null,
      trouble: (run.providerId === null ? null : troubles.get(run.providerId)) ?? null,
      decided,
    };
  };
}
