import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { insertAudit } from '../db/access/audit.ts';
import { enabledCampaigns } from '../db/campaigns/campaigns.ts';
import type { Database } from '../db/core/client.ts';
import { endRemaining, takeOver } from '../db/messages/claims.ts';
import { closeStoppedAnswer, oldUnsentAnswers } from '../db/tickets/answers.ts';
import { decideHold, undecidedHolds } from '../db/replies/holds.ts';
import { finishQuietTickets } from '../db/tickets/automation.ts';
import { getReplyWords } from '../db/replies/reply-words.ts';
import {
  liveRunKeys,
  lockReconciling,
  moveRun,
  reconcileCounts,
  runCounts,
  runsToReconcile,
} from '../db/runs/runs.ts';
import { answerWorkflowId, campaignWorkflowId, runWorkflowId } from '../domain/ids.ts';
import { liveRunStatuses } from '../domain/run.ts';
import type { AuditAction } from '../domain/words/audit.ts';
import type { Costs } from './costs.ts';

/** Runs are checked while they are live, and for this long after they ended: receipts arrive for days. */
const reconcileForDays = 7;
const holdsAtOnce = 100;
const ticketsAtOnce = 500;
const answersAtOnce = 1_000;

export interface HousekeepingDeps {
  sql: Database;
  costs: Costs;
  /** Whether Temporal has a running workflow of this id. */
  isWorkflowRunning: (workflowId: string) => Promise<boolean>;
}

/** Finds and repairs states that should not occur but can: after a terminated workflow, a restored backup or a bug. */
export function createHousekeeping({ sql, costs, isWorkflowRunning }: HousekeepingDeps) {
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
    /** Enabled campaigns and live runs that have no workflow. A run may be about to get one. */
    async findLost(): Promise<{ campaigns: { id: number; name: string }[]; runIds: number[] }> {
      const campaigns = await lostAmong(await enabledCampaigns(sql), ({ id }) => campaignWorkflowId(id));
      return { campaigns, runIds: (await lostRuns()).map(({ id }) => id) };
    },

    /** Marks the runs that still have no workflow as failed, so that users see them and can retry them. */
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

    /** Finishes tickets that have waited for their customers for the days that an admin has set. */
    async finishQuietTickets(): Promise<{ finished: number }> {
      for (let finished = 0; ;) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        const count = await finishQuietTickets(sql, ticketsAtOnce);
        if (count === 0) return { finished };
        finished += count;
      }
    },

    /** Opts out the phones that were held for the deployment's full decision period. */
    async decideOldHolds(): Promise<{ optedOut: number }> {
      const { holdDays } = await getReplyWords(sql);
      let optedOut = 0;
      for (;;) {
        const ids = await undecidedHolds(sql, { days: holdDays, limit: holdsAtOnce });
        if (ids.length === 0) return { optedOut };
        for (const id of ids) {
          heartbeat();
          cancellationSignal().throwIfAborted();
          const decided = await sql.begin(async (tx) => {
            if (!(await decideHold(tx, id, { decision: 'opt_out', actor: 'system' }))) return false;
            await insertAudit(tx, {
              ...system,
              action: 'hold.undecided',
              subjectKind: 'opt_out',
              subjectId: id,
            });
            return true;
          });
          if (decided) optedOut++;
        }
      }
    },

    /**
     * Compares the stored counts with the messages, and finishes what an ended run, or an answer without a workflow,
     * left in a transient state.
     */
    async reconcileRuns(): Promise<{ runs: number; corrected: number; stuck: number }> {
      const runs = await runsToReconcile(sql, reconcileForDays);
      let corrected = 0;
      let stuck = 0;
      for (const { id, ended } of runs) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        const passing = await sql.begin(async (tx) => {
          await lockReconciling(tx, id);
          const differing = await reconcileCounts(tx, id);
          if (differing > 0) {
            corrected++;
            await insertAudit(tx, entry('run.counts_corrected', id, { counts: differing }));
          }
          return (await runCounts(tx, id)).find(({ status }) => status === 'queued');
        });
        // Receipts have changed the counts since the run ended.
        await costs.sync(sql, [id]);
        if (!ended || !passing) continue;
        stuck += passing.messages;
        await takeOver(sql, { runId: id, deduplicates: false });
        await sql.begin(async (tx) => {
          // Not cancelled: nobody requested that, and a resend includes what failed.
          await endRemaining(tx, id, { status: 'failed', reason: 'not_sent' });
          await insertAudit(tx, entry('run.messages_ended', id, { messages: passing.messages }));
        });
      }
      for (const { id } of await lostAmong(await oldUnsentAnswers(sql, answersAtOnce), answerWorkflowId))
        if (await closeStoppedAnswer(sql, { id, deduplicates: false })) stuck++;
      return { runs: runs.length, corrected, stuck };
    },
  };
}

const system = { actor: 'system', actorName: 'system', details: {} } as const;

const entry = (action: AuditAction, runId: number, details: Record<string, number>) => ({
  ...system,
  action,
  subjectKind: 'run' as const,
  subjectId: runId,
  details,
});
