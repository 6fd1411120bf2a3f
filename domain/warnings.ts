import { z } from 'zod';
import type { LineWarning } from './contact.ts';

/** Counts of unreadable values in a mailing: codes of the catalog with their columns, and no values. */
export const warningCounts = z.object({
  /** Lines with at least one warning. */
  lines: z.int(),
  of: z.array(z.object({ code: z.string(), params: z.record(z.string(), z.unknown()), lines: z.int() })),
});
export type WarningCounts = z.infer<typeof warningCounts>;

/** Counts the warnings of lines as they arrive. */
export function createWarningCounts(): {
  add: (warnings: readonly LineWarning[]) => void;
  /** Most frequent first. */
  counts: () => WarningCounts;
} {
  const byFault = new Map<string, WarningCounts['of'][number]>();
  let lines = 0;
  return {
    add(warnings) {
      if (warnings.length === 0) return;
      lines++;
      for (const { code, params } of warnings) {
        const key = JSON.stringify([code, params]);
        const known = byFault.get(key);
        if (known === undefined) byFault.set(key, { code, params, lines: 1 });
        else known.lines++;
      }
    },
    counts: () => ({ lines, of: [...byFault.values()].sort((a, b) => b.lines - a.lines) }),
  };
}
