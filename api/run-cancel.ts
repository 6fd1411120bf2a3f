import type { FastifyRequest } from 'fastify';
import type { Database } from '../db/client.ts';
import { cancelRemaining } from '../db/messages.ts';
import { moveRun } from '../db/runs.ts';
import { liveRunStatuses } from '../domain/run.ts';
import { actorId, actorOf, audit } from './auth.ts';
import { ApiError } from './errors.ts';
import type { Temporal } from './temporal.ts';

/**
 * Cancels a run: what has not left is never sent. Its workflow does it; when there is none, because the run failed or
 * its workflow was terminated in Temporal, it is done here. Throws `run_ended` when the run is over.
 */
export async function cancelRun(
  { sql, temporal }: { sql: Database; temporal: Temporal },
  request: FastifyRequest,
  run: { id: number; campaignId: number; occurrence: Date },
): Promise<void> {
  const by = actorId(actorOf(request));
  const answer = await temporal.cancelRun(run, by);
  await sql.begin(async (tx) => {
    if (answer === 'no_workflow') {
      const moved = await moveRun(tx, {
        id: run.id,
        from: [...liveRunStatuses, 'failed'],
        to: 'cancelled',
        reason: { code: 'by_user', user: by },
      });
      if (!moved) throw new ApiError('run_ended');
      await cancelRemaining(tx, run.id);
    }
    await audit(tx, request, 'run.cancel', { kind: 'run', id: run.id });
  });
}
