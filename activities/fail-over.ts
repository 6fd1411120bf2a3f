import { insertAudit } from '../db/access/audit.ts';
import { takeOver } from '../db/messages/claims.ts';
import type { Database } from '../db/core/client.ts';
import { switchProvider, usableFallback } from '../db/providers/fallbacks.ts';
import { getRun } from '../db/runs/runs.ts';
import type { Failover } from '../domain/failover.ts';
import { failures } from '../domain/failures.ts';
import { plainEnglish } from '../domain/format.ts';
import { failoverWords } from '../domain/problems/runs.ts';
import type { Costs } from './costs.ts';
import { finalFailure } from './failure.ts';
import { whileHeartbeating } from './heartbeat.ts';
import type { Providers } from './providers.ts';

export interface FailOverDeps {
  sql: Database;
  providers: Providers;
  clock: () => Date;
  costs: Costs;
}

export function createFailOver({ sql, providers, clock, costs }: FailOverDeps) {
  return {
    /**
     * Moves a run from `from`, its provider that no longer accepts messages, to the fallback of `from`. Returns a
     * summary. Null if every fallback was already tried in this run. Call it only while no sender of the run is active.
     */
    async failOver({
      runId,
      from,
      cause,
      providerCode,
    }: { runId: number; from: number } & Pick<Failover, 'cause' | 'providerCode'>): Promise<string | null> {
      const run = await getRun(sql, runId);
      if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
      const last = run.failovers.at(-1);
      // An earlier attempt of this activity, whose answer was lost.
      if (run.providerId !== from) return last ? failoverWords(last, plainEnglish) : null;
      const tried = [from, ...run.failovers.flatMap((one) => [one.from.id, one.to.id])];
      const to = await usableFallback(sql, from, tried);
      if (!to) return null;
      return whileHeartbeating(async () => {
        const { deduplicates } = await providers.get(from);
        await takeOver(sql, { runId, deduplicates });
        const at = clock().toISOString();
        // From here on, the costs are those of the new provider.
        await costs.sync(sql, [runId]);
        const switched = await sql.begin(async (tx) => {
          const failover = await switchProvider(tx, { runId, from, to, at, cause, providerCode });
          if (failover) {
            await insertAudit(tx, {
              actor: 'system',
              actorName: 'system',
              action: 'run.fail_over',
              subjectKind: 'run',
              subjectId: runId,
              details: { from: failover.from.name, to: to.name, cause, providerCode },
            });
          }
          return failover;
        });
        return switched && failoverWords(switched, plainEnglish);
      });
    },
  };
}
