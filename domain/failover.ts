import { z } from 'zod';
import { segmentProfileName } from './segments.ts';

/** How a run went over to the fallback of its provider. Names, codes and numbers; words by `describeFailover`. */
export const failover = z.object({
  at: z.string(),
  from: z.object({ id: z.int(), name: z.string() }),
  to: z.object({ id: z.int(), name: z.string() }),
  /** `account`: the provider refused the account. `unavailable`: it could not be reached, or took nothing, for too long. */
  cause: z.enum(['account', 'unavailable']),
  providerCode: z.string(),
  /** How the new one counts segments. */
  segmentProfile: segmentProfileName,
  /** Messages that the old one may have taken: they stay with it, as unknown. */
  unknown: z.int(),
  /** Messages that were left out, because they need too many segments there. */
  tooLong: z.int(),
});
export type Failover = z.infer<typeof failover>;

/** Plain words for an operator. */
export function describeFailover({ at, from, to, cause, providerCode, unknown, tooLong }: Failover): string {
  const why =
    cause === 'account'
      ? `refused the account (${providerCode})`
      : `took nothing for too long (${providerCode})`;
  return [
    `Since ${at} it sends through “${to.name}”, because “${from.name}” ${why}.`,
    ...(unknown > 0 ? [`Messages that “${from.name}” may have taken stay unknown: ${unknown}.`] : []),
    ...(tooLong > 0 ? [`Left out, because they need more segments there than allowed: ${tooLong}.`] : []),
  ].join(' ');
}
