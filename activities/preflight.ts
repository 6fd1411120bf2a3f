import type { Database } from '../db/core/client.ts';
import { getProvider } from '../db/providers/providers.ts';
import { enterStep, getRun, runCounts, setPreflight } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { plainEnglish } from '../domain/format.ts';
import { preflightOf } from '../domain/preflight.ts';
import { preflightWords } from '../domain/problems/runs.ts';
import type { Costs } from './costs.ts';
import { finalFailure } from './failure.ts';
import type { SendingPlan } from './sending-plan.ts';
import { countsByStatus, countsTable } from './runs.ts';

/** A run whose messages exist, and what it is about to do. */
export interface PreparedRun {
  /** Messages by status: `queued` and `skipped`. */
  counts: Record<string, number>;
  segments: number;
  /** No message leaves before a user has approved it. */
  needsApproval: boolean;
  details: string;
  /** How its sending begins; null: another step comes first. */
  plan: SendingPlan | null;
}

const manyLines = 10_000;

export interface PreflightDeps {
  sql: Database;
  clock: () => Date;
  costs: Costs;
  planSending: (run: { runId: number }) => Promise<SendingPlan>;
}

/**
 * The last part of reading a mailing: reports in numbers what the run is about to do, and stores it with the run. A run
 * that may send at once gets its first plan here.
 */
export async function checkPreflight(
  { sql, clock, costs, planSending }: PreflightDeps,
  runId: number,
): Promise<PreparedRun> {
  const run = await getRun(sql, runId);
  if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
  await enterStep(sql, runId, 'preflight');
  const counts = await runCounts(sql, runId);
  // Until autovacuum runs, the planner does not know about a million new rows.
  if (counts.reduce((sum, { messages }) => sum + messages, 0) > manyLines) await sql`analyze messages`;
  const provider = run.providerId === null ? null : await getProvider(sql, run.providerId);
  const flight =
    run.preflight ??
    preflightOf({
      counts,
      ...(await costs.estimate(sql, run)),
      ratePerSecond: provider?.ratePerSecond ?? null,
      hours: run.hours,
      holidays: new Set(run.holidays),
      now: clock(),
      expiresAt: run.expiresAt,
    });
  await setPreflight(sql, runId, flight);
  const needsApproval =
    flight.toSend > 0 && (run.settings.campaign.safeguards.approval || flight.overBudget !== null);
  const maySend = !needsApproval && run.status === 'running' && run.trigger !== 'dry_run';
  return {
    counts: countsByStatus(counts),
    segments: counts.reduce((sum, { status, segments }) => sum + (status === 'queued' ? segments : 0), 0),
    needsApproval,
    details: `**Pre-flight**: ${preflightWords(flight, plainEnglish)}\n\n${countsTable(counts)}`,
    plan: maySend ? await planSending({ runId }) : null,
  };
}
