import { z } from 'zod';
import type { Campaign } from './campaign.ts';
import type { MessageStatus } from './message.ts';
import type { RunReason } from './run.ts';

/**
 * The canary and the threshold of a run.
 *
 * - Outcomes are the messages that were handed to the provider: sent, delivered, undelivered, failed, unknown. Failures
 *   are those that failed or were undelivered, those whose outcome the provider's answer leaves unknown, and
 *   recipients who replied with an opt-out or a probable one. A later receipt or reply counts from its arrival.
 * - The run pauses for a user once failures exceed `stopAtPercent` of the outcomes. Fewer outcomes than
 *   `fewestOutcomes` are too few to judge, except for a canary, which has the size that the user chose.
 * - A run with `fewestRefused` failed messages and none accepted also pauses, whatever its campaign allows.
 * - The canary: the first `canarySize` messages leave, the run waits `canaryMinutes` for receipts and replies, then the
 *   others leave.
 * - When a user resumes a run that the threshold has paused, the canary is over, and only later outcomes are measured.
 */
export const fewestOutcomes = 50;
export const fewestRefused = 10;

/** `reached`: messages that the provider has accepted; `refused`: messages that failed. */
export const measure = z.object({ outcomes: z.int(), failures: z.int(), reached: z.int(), refused: z.int() });
export type Measure = z.infer<typeof measure>;

export interface SafeguardFacts {
  safeguards: Campaign['safeguards'];
  /** Since the run began. */
  measure: Measure;
  /** The measure when a user resumed a paused run. */
  measuredFrom: Measure | null;
  /** When as many messages as the canary has had left. */
  canaryLeftAt: Date | null;
  canaryOver: boolean;
  now: Date;
}

export type SafeguardAnswer =
  /** At most `limit` more messages may leave; null: all. */
  | { go: 'on'; limit: number | null }
  /** The canary has left: the others wait. */
  | { go: 'wait'; until: Date }
  | { go: 'stop'; reason: Extract<RunReason, { code: 'threshold' | 'reached_nobody' }> };

const handedOver: ReadonlySet<MessageStatus> = new Set([
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'unknown',
]);

const failed: ReadonlySet<MessageStatus> = new Set(['failed', 'undelivered']);
const taken: ReadonlySet<MessageStatus> = new Set(['sent', 'delivered', 'undelivered']);

export function measureOf(
  counts: readonly { status: MessageStatus; reason: string; messages: number }[],
  optOuts: number,
): Measure {
  const known = { outcomes: 0, failures: optOuts, reached: 0, refused: 0 };
  for (const { status, reason, messages } of counts) {
    if (handedOver.has(status)) known.outcomes += messages;
    // A message that a stopped sender left does not count against the provider.
    if (failed.has(status) || (status === 'unknown' && reason === 'no_answer')) known.failures += messages;
    if (status === 'failed') known.refused += messages;
    if (taken.has(status)) known.reached += messages;
  }
  return known;
}

export function checkSafeguards(facts: SafeguardFacts): SafeguardAnswer {
  const { safeguards, measure, measuredFrom, canaryLeftAt, canaryOver, now } = facts;
  const { canarySize, canaryMinutes, stopAtPercent } = safeguards;
  const canary = canarySize !== null && !canaryOver;
  const outcomes = measure.outcomes - (measuredFrom?.outcomes ?? 0);
  const failures = measure.failures - (measuredFrom?.failures ?? 0);
  if (stopAtPercent !== null) {
    const fewest = canary ? Math.min(fewestOutcomes, canarySize) : fewestOutcomes;
    if (outcomes >= fewest && failures * 100 > outcomes * stopAtPercent) {
      const percent = Math.round((failures / outcomes) * 100);
      return {
        go: 'stop',
        reason: { code: 'threshold', failures, outcomes, percent, stopAtPercent, canary },
      };
    }
  }
  const refused = measure.refused - (measuredFrom?.refused ?? 0);
  if (measure.reached === 0 && refused >= fewestRefused) {
    return { go: 'stop', reason: { code: 'reached_nobody', failures: refused } };
  }
  if (!canary) return { go: 'on', limit: null };
  if (measure.outcomes < canarySize) return { go: 'on', limit: canarySize - measure.outcomes };
  const until = canaryUntil(canaryLeftAt ?? now, canaryMinutes);
  return until <= now ? { go: 'on', limit: null } : { go: 'wait', until };
}

export const canaryUntil = (leftAt: Date, minutes: number): Date =>
  new Date(leftAt.getTime() + minutes * 60_000);
