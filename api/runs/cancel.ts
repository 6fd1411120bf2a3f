import type { FastifyRequest } from 'fastify';
import { endPastAlerts } from '../../db/alerts/conditions.ts';
import type { Database } from '../../db/core/client.ts';
import { endRemaining, takeOver } from '../../db/messages/claims.ts';
import { getRun, moveRun } from '../../db/runs/runs.ts';
import type { RunKey } from '../../domain/ids.ts';
import { liveRunStatuses, type RunStatus } from '../../domain/run.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import type { Temporal } from '../services/temporal.ts';

/**
 * Cancels a run: messages that have not left are never sent. Its workflow does this. If there is none, because the run
 * failed or its workflow was terminated in Temporal, this function does it; it starts a workflow only if messages have
 * left that need tickets. Throws `run_ended` if the run is over.
 */
export async function cancelRun(
  { sql, longSql, temporal }: { sql: Database; longSql: Database; temporal: Temporal },
  request: FastifyRequest,
  run: { id: number } & RunKey,
): Promise<void> {
  const by = actorId(actorOf(request));
  const subject = { kind: 'run', id: run.id } as const;

  const close = async (from: readonly RunStatus[]): Promise<boolean> => {
    const row = await getRun(sql, run.id);
    if (!row || !from.includes(row.status)) return false;
    const ticketsDue = row.sendingAt !== null && row.settings.campaign.ticketPolicy.when === 'on_send';
    // Its senders may still be running, or frozen.
    if (!ticketsDue) await takeOver(longSql, { runId: run.id, deduplicates: false });
    const closed = await longSql.begin(async (tx) => {
      const reason = { code: 'by_user', user: by } as const;
      const to = ticketsDue ? 'cancelling' : 'cancelled';
      if (!(await moveRun(tx, { id: run.id, from, to, reason }))) return false;
      if (!ticketsDue) await endRemaining(tx, run.id);
      await audit(tx, request, 'run.cancel', subject);
      return true;
    });
    // If Temporal is unavailable now, housekeeping finds a run without a workflow, and it can be cancelled again.
    if (closed && ticketsDue) await temporal.retryRun({ ...row, name: row.settings.campaign.name });
    return closed;
  };

  // Its workflow has ended or is about to: it would accept the request and still fail.
  if (!(await close(['failed']))) {
    if ((await temporal.cancelRun(run, by)) === 'asked') await audit(sql, request, 'run.cancel', subject);
    else if (!(await close([...liveRunStatuses, 'failed']))) throw new ApiError('run_ended');
  }
  await endPastAlerts(sql, 'run_approval', 'run_paused', 'run_failed');
}
