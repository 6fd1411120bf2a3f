import { z } from 'zod';
import { hoursAt, openMsBetween, openTimeAfter, type SendingHours } from './hours.ts';
import type { CancelReason, MessageStatus } from './message.ts';

/**
 * What a run is about to do, in numbers, after its mailing has been read and before the first message leaves. Instants
 * are ISO strings in UTC.
 */
export const preflight = z.object({
  at: z.string(),
  /** Lines of the mailing: `toSend` and those left out. */
  lines: z.int(),
  leftOut: z.array(z.object({ reason: z.string(), messages: z.int() })),
  toSend: z.int(),
  segments: z.int(),
  /** The provider's limit, segments a second; null: it has none, and how long the run takes is not known. */
  ratePerSecond: z.number().nullable(),
  /** Of open hours, if nothing else is sent through the provider meanwhile. */
  durationMs: z.int().nullable(),
  /** When the first message may leave: now, or as the hours open; null: they do not open within a year. */
  startsAt: z.string().nullable(),
  /** When the last one leaves, counting open hours alone; null: not known, or not within a year. */
  endsAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /**
   * `first_opening`: it ends before the hours close. `later_opening`: it goes on as they open again. `expires`: what is
   * left at the expiry is cancelled. `never`: it would not end within a year. `unknown`: the provider has no limit.
   */
  fits: z.enum(['nothing_to_send', 'first_opening', 'later_opening', 'expires', 'never', 'unknown']),
  /** Where `fits` is `expires`: what would be left. */
  segmentsLeft: z.int().nullable(),
});
export type Preflight = z.infer<typeof preflight>;

/** Of a dry run: it would have been sent. */
export const dryRunReason: CancelReason = 'dry_run';

export interface PreflightFacts {
  /** The counts of the run; its messages are queued, skipped, or those of a dry run. */
  counts: readonly { status: MessageStatus; reason: string; messages: number; segments: number }[];
  ratePerSecond: number | null;
  hours: SendingHours;
  /** Dates in the hours' zone. */
  holidays: ReadonlySet<string>;
  now: Date;
  expiresAt: Date | null;
}

export function preflightOf(facts: PreflightFacts): Preflight {
  const { counts, ratePerSecond, hours, holidays, now, expiresAt } = facts;
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

/** Plain words for an operator. */
export function describePreflight(flight: Preflight): string {
  const { lines, toSend, segments, leftOut, ratePerSecond, durationMs } = flight;
  const reasons = leftOut.map(({ reason, messages }) => `${reason} ${messages}`).join(', ');
  const left = leftOut.length === 0 ? 'none left out' : `${lines - toSend} left out (${reasons})`;
  const numbers = `${lines} lines: ${toSend} to send in ${segments} segments, ${left}.`;
  const time =
    ratePerSecond === null || durationMs === null
      ? 'The provider has no rate limit: how long it takes is not known.'
      : `At ${ratePerSecond} segments a second it takes ${inWords(durationMs)} of open hours.`;
  switch (flight.fits) {
    case 'nothing_to_send':
      return numbers;
    case 'first_opening':
      return `${numbers} ${time} It ends at ${flight.endsAt}, before the sending hours close.`;
    case 'later_opening':
      return `${numbers} ${time} It does not fit into one opening of the sending hours, and ends at ${flight.endsAt}.`;
    case 'expires':
      return `${numbers} ${time} It expires at ${flight.expiresAt} with about ${flight.segmentsLeft} segments unsent.`;
    case 'never':
      return `${numbers} ${time} With these sending hours it would not end within a year.`;
    case 'unknown':
      return `${numbers} ${time}`;
  }
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).slice(0, 2);
  return told.length === 0 ? '0 s' : told.map(([count, unit]) => `${count} ${unit}`).join(' ');
}
