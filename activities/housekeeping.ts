import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { insertAudit } from '../db/access/audit.ts';
import { enabledCampaigns } from '../db/campaigns/campaigns.ts';
import type { Database } from '../db/core/client.ts';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import {
  liveRunKeys,
  lockReconciling,
  moveRun,
  reconcileCounts,
  runCounts,
  runsToReconcile,
} from '../db/runs/runs.ts';
import { campaignWorkflowId, runWorkflowId } from '../domain/ids.ts';
import { liveRunStatuses } from '../domain/run.ts';

/** Runs are looked at while they live, and for so long after they have ended: receipts come for days. */
const reconcileForDays = 7;

export interface HousekeepingDeps {
  sql: Database;
  /** Whether Temporal has a running workflow of this id. */
  isWorkflowRunning: (workflowId: string) => Promise<boolean>;
}

/** Finds, and mends, what should never be and yet may be: after a terminated workflow, a restored backup, a bug. */
export function createHousekeeping({ sql, isWorkflowRunning }: HousekeepingDeps) {
  const lostAmong = async <T>(all: readonly T[], workflowIdOf: (one: T) => string): Promise<T[]> => {
    const lost: T[] = [];
    for (const one of all) {
      heartbeat();
      cancellationSignal().throwIfAborted();
      if (!(await isWorkflowRunning(workflowIdOf(one)))) lost.push(one);
    }
    return lost;
  };
  const lostRuns = async () => lostAmong(await liveRunKeys(sql), runWorkflowId);

  return {
    /** Enabled campaigns and live runs that no workflow looks after. A run may be just about to get its own. */
    async findLost(): Promise<{ campaigns: { id: number; name: string }[]; runIds: number[] }> {
      const campaigns = await lostAmong(await enabledCampaigns(sql), ({ id }) => campaignWorkflowId(id));
      return { campaigns, runIds: (await lostRuns()).map(({ id }) => id) };
    },

    /** Marks those of the runs that still have no workflow as failed, so that people see them and can retry them. */
    async failLostRuns({ runIds }: { runIds: readonly number[] }): Promise<number> {
      let failed = 0;
      for (const { id } of await lostRuns()) {
        if (!runIds.includes(id)) continue;
        const moved = await sql.begin(async (tx) => {
          const moved = await moveRun(tx, {
            id,
            from: liveRunStatuses,
            to: 'failed',
            reason: { code: 'workflow_lost' },
          });
          if (moved) await insertAudit(tx, entry('run.workflow_lost', id, {}));
          return moved;
        });
        if (moved) failed++;
      }
      return failed;
    },

    /** Compares the kept counts with the messages, and ends what an ended run has left in a passing state. */
    async reconcileRuns(): Promise<{ runs: number; mended: number; stuck: number }> {
      const runs = await runsToReconcile(sql, reconcileForDays);
      let mended = 0;
      let stuck = 0;
      for (const { id, ended } of runs) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        const passing = await sql.begin(async (tx) => {
          await lockReconciling(tx, id);
          const differing = await reconcileCounts(tx, id);
          if (differing > 0) {
            mended++;
            await insertAudit(tx, entry('run.counts_mended', id, { counts: differing }));
          }
          return (await runCounts(tx, id)).find(({ status }) => status === 'queued');
        });
        if (!ended || !passing) continue;
        stuck += passing.messages;
        await takeOver(sql, { runId: id, deduplicates: false });
        await sql.begin(async (tx) => {
          // Not cancelled: nobody asked for that, and a resend takes up what failed.
          await endRemaining(tx, id, { status: 'failed', reason: 'not_sent' });
          await insertAudit(tx, entry('run.messages_ended', id, { messages: passing.messages }));
        });
      }
      return { runs: runs.length, mended, stuck };
    },
  };
}

const entry = (action: string, runId: number, details: Record<string, number>) => ({
  actor: 'system',
  actorName: 'system',
  action,
  subjectKind: 'run' as const,
  subjectId: runId,
  details,
});
