import { z } from 'zod';
import { overBudget, type OverBudget } from './budget.ts';
import { hoursAt, openMsBetween, openTimeAfter, type SendingHours } from './hours.ts';
import type { CancelReason, MessageStatus } from './message.ts';
import { segmentsByCountry, type SegmentsByCountry } from './price.ts';

/**
 * What a run is about to do, in numbers, after it read its mailing and before the first message leaves. Instants are
 * ISO strings in UTC.
 */
export const preflight = z.object({
  at: z.string(),
  /** Lines of the mailing: `toSend` plus the skipped ones. */
  lines: z.int(),
  leftOut: z.array(z.object({ reason: z.string(), messages: z.int() })),
  toSend: z.int(),
  segments: z.int(),
  /** The segments by country, for their price; sorted by country. */
  countries: segmentsByCountry,
  /** The budget that the run would exceed: it waits for approval. Null: none. */
  overBudget: overBudget.nullable(),
  /** The provider's limit in segments per second; null: none, so the run's duration is unknown. */
  ratePerSecond: z.number().nullable(),
  /** In open hours, if nothing else is sent through the provider meanwhile. */
  durationMs: z.int().nullable(),
  /** When the first message may leave: now, or when the hours open; null: they do not open within a year. */
  startsAt: z.string().nullable(),
  /** When the last one leaves, counting only open hours; null: unknown, or not within a year. */
  endsAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /**
   * `first_opening`: it ends before the hours close. `later_opening`: it continues when they open again. `expires`:
   * messages left at the expiry are cancelled. `never`: it would not end within a year. `unknown`: the provider has no
   * limit.
   */
  fits: z.enum(['nothing_to_send', 'first_opening', 'later_opening', 'expires', 'never', 'unknown']),
  /** If `fits` is `expires`: the segments left. */
  segmentsLeft: z.int().nullable(),
});
export type Preflight = z.infer<typeof preflight>;

/** In a dry run: the message would have been sent. */
export const dryRunReason: CancelReason = 'dry_run';

export interface PreflightFacts {
  /** The counts of the run; its messages are queued, skipped, or those of a dry run. */
  counts: readonly { status: MessageStatus; reason: string; messages: number; segments: number }[];
  countries: SegmentsByCountry;
  overBudget: OverBudget | null;
  ratePerSecond: number | null;
  hours: SendingHours;
  /** Dates in the hours' zone. */
  holidays: ReadonlySet<string>;
  now: Date;
  expiresAt: Date | null;
}

export function preflightOf(facts: PreflightFacts): Preflight {
  const { counts, countries, overBudget, ratePerSecond, hours, holidays, now, expiresAt } = facts;
  const sum = (of: readonly { messages: number }[]): number =>
    of.reduce((total, { messages }) => total + messages, 0);
  const sendable = counts.filter(({ status, reason }) => status === 'queued' || reason === dryRunReason);
  const segments = sendable.reduce((total, count) => total + count.segments, 0);
  const durationMs = ratePerSecond === null ? null : Math.ceil((segments / ratePerSecond) * 1000);
  const opening = hoursAt(hours, now, holidays);
  const startsAt = opening.open ? now : opening.opensAt;
  const endsAt =
    durationMs === null || startsAt === null ? null : openTimeAfter(hours, startsAt, durationMs, holidays);
  const base = {
    at: now.toISOString(),
    lines: sum(counts),
    leftOut: counts
      .filter((count) => !sendable.includes(count))
      .map(({ reason, messages }) => ({ reason, messages })),
    toSend: sum(sendable),
    segments,
    countries,
    overBudget,
    ratePerSecond,
    durationMs,
    startsAt: startsAt?.toISOString() ?? null,
    endsAt: endsAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
    segmentsLeft: null,
  };
  if (base.toSend === 0) return { ...base, fits: 'nothing_to_send' };
  if (startsAt === null) return { ...base, fits: 'never' };
  if (expiresAt !== null && expiresAt <= startsAt)
    return { ...base, fits: 'expires', segmentsLeft: segments };
  if (durationMs === null || ratePerSecond === null) return { ...base, fits: 'unknown' };
  if (expiresAt !== null && (endsAt === null || endsAt > expiresAt)) {
    const openMs = openMsBetween(hours, startsAt, expiresAt, holidays);
    const segmentsLeft = Math.max(1, segments - Math.floor((openMs / 1000) * ratePerSecond));
    return { ...base, fits: 'expires', segmentsLeft };
  }
  if (endsAt === null) return { ...base, fits: 'never' };
  const first = hoursAt(hours, startsAt, holidays);
  const closesAt = first.open ? first.closesAt : startsAt;
  return { ...base, fits: closesAt === null || endsAt <= closesAt ? 'first_opening' : 'later_opening' };
}
