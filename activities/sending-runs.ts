import type { Database } from '../db/core/client.ts';
import { usableFallback } from '../db/providers/fallbacks.ts';
import { startedMessages } from '../db/messages/messages.ts';
import { noteSuspect } from '../db/providers/trouble.ts';
import { getRun, measureRun, type RunRow } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { checkSafeguards, type Measure } from '../domain/safeguards.ts';
import { finalFailure } from './failure.ts';
import type { Costs } from './costs.ts';
import type { Lanes, Urgency } from './lane.ts';
import { suspectsAllowed } from './provider-health.ts';
import type { Providers } from './providers.ts';
import type { RunLooks } from './run-looks.ts';

/**
 * A provider that accepts nothing is tried this often in a row, with waits from a second or two up to a minute, before
 * the run switches to its fallback: an outage of a minute switches no provider.
 */
const defaultFailOverAttempts = 7;

export interface SendingDeps {
  sql: Database;
  providers: Providers;
  lanes: Lanes;
  looks: RunLooks;
  costs: Costs;
  /** How many sending activities run at once in this process (worker/workers.ts). */
  senderSlots: number;
  clock: () => Date;
  sendersPerRun: number;
  singleSendUpTo: number;
  singleSendAttempts?: number;
  failOverAttempts?: number;
  probeDelaysMs?: readonly number[];
}

/** A run that has a provider. */
export type SendingRun = RunRow & { providerId: number };

/** What the sending activities ask about a run. */
export function createSendingRuns({ sql, clock, failOverAttempts = defaultFailOverAttempts }: SendingDeps) {
  const need = async (runId: number): Promise<SendingRun> => {
    const run = await getRun(sql, runId);
    const providerId = run?.providerId;
    if (!run || !providerId) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
    return { ...run, providerId };
  };
  const hasFallback = async (run: SendingRun): Promise<boolean> => {
    const tried = run.failovers.flatMap(({ from, to }) => [from.id, to.id]);
    return (await usableFallback(sql, run.providerId, tried)) !== null;
  };
  /** Whether the run should switch to its provider's fallback, after this many failed attempts in a row. */
  const shouldFailOver = async (run: SendingRun, attempts: number): Promise<boolean> =>
    attempts >= failOverAttempts && (await hasFallback(run));
  const safeguard = async (run: RunRow, measure?: Measure) =>
    checkSafeguards({
      ...run,
      safeguards: run.settings.campaign.safeguards,
      measure: measure ?? (await measureRun(sql, run.id)),
      canaryOver: run.canaryOverAt !== null,
      now: clock(),
    });

  /** Whether the provider has accepted messages of the run. */
  const hasReached = async (runId: number): Promise<boolean> => (await measureRun(sql, runId)).reached > 0;

  /** A run that a user started has priority until its first message was accepted. */
  const urgencyOf = ({ trigger }: RunRow, reached: boolean): Urgency =>
    reached ? null : trigger === 'schedule' ? 'first' : 'user';
  /** How many messages of the canary are still unclaimed; null: the canary is over, or waits. */
  const leftOfCanary = async (run: RunRow): Promise<number | null> => {
    const answer = await safeguard(run);
    if (answer.go !== 'on' || answer.limit === null) return null;
    return Math.max(0, answer.limit - (await startedMessages(sql, run.id)));
  };

  /** Whether an account error is about this message's number, because other messages of the run are accepted. */
  const isOfNumber = async (run: SendingRun, messageId: number): Promise<boolean> =>
    (await hasReached(run.id)) && (await noteSuspect(sql, run.providerId, messageId)) <= suspectsAllowed;

  return {
    need,
    hasFallback,
    shouldFailOver,
    failOverAttempts,
    safeguard,
    hasReached,
    urgencyOf,
    leftOfCanary,
    isOfNumber,
  };
}
export type SendingRuns = ReturnType<typeof createSendingRuns>;
