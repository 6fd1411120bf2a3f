import { z } from 'zod';
import type { Sql } from '../../db/core/client.ts';
import { readRetries } from '../../db/core/retries.ts';
import { getRunProgress, type RunProgressRow } from '../../db/runs/progress.ts';
import type { Format } from '../../domain/format.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import { messageStatuses, type MessageStatus } from '../../domain/message.ts';
import type { Retrying } from '../../domain/problems/retries.ts';
import { runReasonWords } from '../../domain/problems/runs.ts';
import { liveRunStatuses, type RunReason, runStatuses, runSteps } from '../../domain/run.ts';
import { retryingView, viewRetrying } from '../http/retrying.ts';

export const progressView = z.object({
  runId: z.int(),
  status: z.enum(runStatuses),
  step: z.enum(runSteps),
  /** Why it is paused or ended other than by finishing, in plain words. */
  reason: z.string().nullable(),
  /** While a web service's mailing is read: what it has answered so far, or as a `whole`, which is then imported. */
  fetched: z.object({ bytes: z.int(), records: z.int(), whole: z.boolean() }).nullable(),
  /** Lines of the mailing: the sum of the counts. */
  lines: z.int(),
  /** Messages that are being sent at this moment count as queued (db/messages/messages.ts). */
  counts: z.partialRecord(z.enum(messageStatuses), z.int()),
  /** Counts of the messages that have a reason: failures, skips and unknown outcomes. */
  reasons: z.array(z.object({ status: z.enum(messageStatuses), reason: z.string(), messages: z.int() })),
  segments: z.object({ total: z.int(), left: z.int() }),
  /** Recently sent messages per second; null until it was measured twice, or if nothing leaves. */
  ratePerSecond: z.number().nullable(),
  /** The same in segments, as the limit counts. */
  segmentsPerSecond: z.number().nullable(),
  /** The provider's limit in segments per second; null: none. */
  limitPerSecond: z.number().nullable(),
  /** Milliseconds until the last message leaves at the present rate, or at the limit; null: unknown. */
  etaMs: z.number().nullable(),
  /** What failed and is retried: the run does not progress meanwhile. Null: nothing. */
  retrying: retryingView.nullable(),
  /** Nothing more will change automatically. */
  over: z.boolean(),
});

/** The same without a reader's language: codes instead of text. */
export type Progress = Omit<z.infer<typeof progressView>, 'reason' | 'retrying'> & {
  reason: RunReason | null;
  retrying: Retrying | null;
};

export const viewProgress = (
  { reason, retrying, ...progress }: Progress,
  now: Date,
  format: Format,
): z.infer<typeof progressView> => ({
  ...progress,
  reason: reason && runReasonWords(reason, format),
  retrying: retrying && viewRetrying(retrying, now, format),
});

/** The observed state: one query for each run serves all its subscribers. */
const pollMs = 500;
const pollAfterErrorMs = 3_000;
/** The rate is measured over about this time. */
const rateSpanMs = 10_000;
const oldestSampleMs = 60_000;
const shortestSpanMs = 900;
const maxRunsRemembered = 1_000;

interface Sample {
  at: number;
  messages: number;
  segments: number;
}

interface Watch {
  watchers: Set<Watcher>;
  last: Progress | null;
}

export interface Watcher {
  progress(progress: Progress): void;
  /** The run is over, or the API shuts down: no more updates follow. */
  end(): void;
}

/** Progress of runs, for single requests and for subscribers. */
export function createProgressHub({ sql }: { sql: Sql }) {
  const samples = new Map<number, Sample[]>();
  const watches = new Map<number, Watch>();
  let closed = false;

  const look = async (runId: number): Promise<Progress | null> => {
    const row = await getRunProgress(sql, runId);
    if (!row) return null;
    const workflowId = runWorkflowId(row);
    const retrying = isLive(row.status) ? (await readRetries(sql, [workflowId])).get(workflowId) : null;
    const progress = progressOf(row, remember(row), retrying ?? null);
    if (progress.over) samples.delete(runId);
    return progress;
  };

  /** Records how far the run is, and returns the earlier samples, oldest first. */
  const remember = (row: RunProgressRow): Sample[] => {
    const now = performance.now();
    const known = (samples.get(row.id) ?? []).filter(({ at }) => now - at < oldestSampleMs);
    const sum = leftSums(row);
    samples.delete(row.id);
    samples.set(row.id, [...known, { at: now, ...sum }]);
    const [oldest] = samples.keys();
    if (samples.size > maxRunsRemembered && oldest !== undefined) samples.delete(oldest);
    return known;
  };

  const poll = async (runId: number, watch: Watch): Promise<void> => {
    let wait = pollMs;
    try {
      const progress = await look(runId);
      if (progress && JSON.stringify(progress) !== JSON.stringify(watch.last)) {
        watch.last = progress;
        for (const watcher of watch.watchers) watcher.progress(progress);
      }
      if (!progress || progress.over) {
        finish(runId, watch);
        return;
      }
    } catch {
      // The database is briefly unavailable; subscribers get no updates meanwhile.
      wait = pollAfterErrorMs;
    }
    if (watch.watchers.size === 0 || closed) finish(runId, watch);
    else setTimeout(() => void poll(runId, watch), wait);
  };

  const finish = (runId: number, watch: Watch): void => {
    if (watches.get(runId) === watch) watches.delete(runId);
    for (const watcher of watch.watchers) watcher.end();
    watch.watchers.clear();
  };

  return {
    /** Null if there is no such run. */
    look,

    /** Reports the run's progress at once and on each change, at most twice a second. Returns a function to stop it. */
    watch(runId: number, watcher: Watcher): () => void {
      const existing = watches.get(runId);
      const watch = existing ?? { watchers: new Set(), last: null };
      watch.watchers.add(watcher);
      if (watch.last) watcher.progress(watch.last);
      if (!existing) {
        watches.set(runId, watch);
        void poll(runId, watch);
      }
      return () => watch.watchers.delete(watcher);
    },

    /** The present number of subscribers. */
    watching: (): number => [...watches.values()].reduce((sum, { watchers }) => sum + watchers.size, 0),

    close(): void {
      closed = true;
      for (const [runId, watch] of [...watches]) finish(runId, watch);
    },
  };
}
export type ProgressHub = ReturnType<typeof createProgressHub>;

const notLeft: ReadonlySet<MessageStatus> = new Set(['queued', 'sending', 'skipped', 'cancelled']);

/** The number of messages handed to the provider. */
function leftSums({ counts }: RunProgressRow): { messages: number; segments: number } {
  const left = counts.filter(({ status }) => !notLeft.has(status));
  return {
    messages: left.reduce((sum, count) => sum + count.messages, 0),
    segments: left.reduce((sum, count) => sum + count.segments, 0),
  };
}

const isLive = (status: RunProgressRow['status']): boolean => liveRunStatuses.some((live) => live === status);

const rounded = (rate: number | null): number | null => (rate === null ? null : Math.round(rate * 10) / 10);

function progressOf(row: RunProgressRow, before: readonly Sample[], retrying: Retrying | null): Progress {
  const { counts } = row;
  const byStatus: Partial<Record<MessageStatus, number>> = {};
  for (const { status, messages } of counts) byStatus[status] = (byStatus[status] ?? 0) + messages;
  const left = leftSums(row);
  const total = counts.reduce(
    (sum, { status, segments }) => (status === 'skipped' ? sum : sum + segments),
    0,
  );
  const waiting = counts.reduce(
    (sum, { status, segments }) => (status === 'queued' || status === 'sending' ? sum + segments : sum),
    0,
  );

  const now = performance.now();
  const isSending = row.status === 'running' && row.step === 'sending';
  const since =
    before.findLast(({ at }) => now - at >= rateSpanMs) ??
    before.find(({ at }) => now - at >= shortestSpanMs);
  const seconds = since && isSending ? (now - since.at) / 1000 : null;
  const rate = seconds && since ? (left.messages - since.messages) / seconds : null;
  const segmentRate = seconds && since ? (left.segments - since.segments) / seconds : null;
  const expectedRate = segmentRate ?? row.ratePerSecond;
  return {
    runId: row.id,
    status: row.status,
    step: row.step,
    reason: row.reason,
    fetched: row.fetched,
    lines: counts.reduce((sum, { messages }) => sum + messages, 0),
    counts: byStatus,
    reasons: counts
      .filter(({ reason }) => reason !== '')
      .map(({ status, reason, messages }) => ({ status, reason, messages })),
    segments: { total, left: left.segments },
    ratePerSecond: rounded(rate),
    segmentsPerSecond: rounded(segmentRate),
    limitPerSecond: row.ratePerSecond,
    etaMs:
      isSending && expectedRate && retrying === null ? Math.round((waiting / expectedRate) * 1000) : null,
    retrying,
    over: !isLive(row.status),
  };
}
