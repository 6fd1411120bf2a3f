import { z } from 'zod';
import { segmentProfileName } from './segments.ts';

/** A run's failover to a fallback provider: names, codes and numbers, for `failoverWords` (problems/runs.ts). */
export const failover = z.object({
  at: z.string(),
  from: z.object({ id: z.int(), name: z.string() }),
  to: z.object({ id: z.int(), name: z.string() }),
  /** `account`: the provider refused the account. `unavailable`: it was unreachable, or took nothing, for too long. */
  cause: z.enum(['account', 'unavailable']),
  providerCode: z.string(),
  /** The segment profile of the new provider. */
  segmentProfile: segmentProfileName,
  /** Messages that the old one may have accepted: they stay with it, as unknown. */
  unknown: z.int(),
  /** Messages that were skipped, because they need too many segments there. */
  tooLong: z.int(),
});
export type Failover = z.infer<typeof failover>;
