import { z } from 'zod';
import type { Campaign } from './campaign.ts';
import type { MessageStatus } from './message.ts';
import type { RunReason } from './run.ts';

/**
 * The canary and the threshold of a run.
 *
 * - Outcomes are the messages that were handed to the provider: sent, delivered, undelivered, failed, unknown. Failures
 *   are those that failed or were undelivered, and the people who answered with an opt-out. A receipt or an answer that
 *   comes later counts from then on.
 * - The run stops for a person once failures are more than `stopAtPercent` of the outcomes. Fewer outcomes than
 *   `fewestOutcomes` say nothing; a canary is as large as it was chosen.
 * - The canary: the first `canarySize` messages leave, then the run waits `canaryMinutes` for receipts and answers, then
 *   the others follow.
 * - When a person resumes a run that the threshold has stopped, the canary is over, and what happens from then on is
 *   measured alone.
 */
export const fewestOutcomes = 50;

export const measure = z.object({ outcomes: z.int(), failures: z.int() });
export type Measure = z.infer<typeof measure>;

export interface SafeguardFacts {
  safeguards: Campaign['safeguards'];
  /** Since the run began. */
  measure: Measure;
  /** What a person knew when they let a stopped run go on. */
  measuredFrom: Measure | null;
  /** When as many messages as the canary has had left. */
  canaryLeftAt: Date | null;
  canaryOver: boolean;
  now: Date;
}

export type SafeguardAnswer =
  /** At most `limit` more messages; null: all. */
  | { go: 'on'; limit: number | null }
  /** The canary has left: the others wait. */
  | { go: 'wait'; until: Date }
  | { go: 'stop'; reason: Extract<RunReason, { code: 'threshold' }> };

const handedOver: ReadonlySet<MessageStatus> = new Set([
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'unknown',
]);

export function measureOf(
  counts: readonly { status: MessageStatus; messages: number }[],
  optOuts: number,
): Measure {
  const sum = (statuses: ReadonlySet<MessageStatus>): number =>
    counts.reduce((total, { status, messages }) => (statuses.has(status) ? total + messages : total), 0);
  return {
    outcomes: sum(handedOver),
    failures: sum(new Set<MessageStatus>(['failed', 'undelivered'])) + optOuts,
  };
}

export function checkSafeguards(facts: SafeguardFacts): SafeguardAnswer {
  const { safeguards, measure, measuredFrom, canaryLeftAt, canaryOver, now } = facts;
  const { canarySize, canaryMinutes, stopAtPercent } = safeguards;
  const canary = canarySize !== null && !canaryOver;
  if (stopAtPercent !== null) {
    const outcomes = measure.outcomes - (measuredFrom?.outcomes ?? 0);
    const failures = measure.failures - (measuredFrom?.failures ?? 0);
    const fewest = canary ? Math.min(fewestOutcomes, canarySize) : fewestOutcomes;
    if (outcomes >= fewest && failures * 100 > outcomes * stopAtPercent) {
      const percent = Math.round((failures / outcomes) * 100);
      return {
        go: 'stop',
        reason: { code: 'threshold', failures, outcomes, percent, stopAtPercent, canary },
      };
    }
  }
  if (!canary) return { go: 'on', limit: null };
  if (measure.outcomes < canarySize) return { go: 'on', limit: canarySize - measure.outcomes };
  const until = canaryUntil(canaryLeftAt ?? now, canaryMinutes);
  return until <= now ? { go: 'on', limit: null } : { go: 'wait', until };
}

export const canaryUntil = (leftAt: Date, minutes: number): Date =>
  new Date(leftAt.getTime() + minutes * 60_000);
