import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { deleteOldAnswers } from '../db/campaigns/mailings.ts';
import { enterStep, getRun, moveRun, runCounts } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { liveRunStatuses, type RunReason } from '../domain/run.ts';
import { MailingRefused } from '../mailing/csv.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { finalFailure } from './failure.ts';
import { createImport, type ImportDeps } from './import.ts';
import { countsByStatus, countsTable } from './runs.ts';
import { tryAgain } from './webservice.ts';
import { whileHeartbeating } from './heartbeat.ts';

export interface ImportedMailing {
  /** Messages by status: `queued` and `skipped`. */
  counts: Record<string, number>;
  segments: number;
  details: string;
}

const manyLines = 10_000;

export interface MailingDeps extends ImportDeps {
  /** What was fetched from web services is kept for so long. */
  rawAnswerDays: number;
}

export function createMailing(deps: MailingDeps) {
  const { sql } = deps;
  const importRun = createImport(deps);
  /**
   * The failure that an error while reading becomes: of a mailing that can't be read, the run has failed and says why.
   * What it says may quote the file, and a history is for ever: only the code goes there.
   */
  const refusal = async (runId: number, error: unknown): Promise<unknown> => {
    const failed = async (reason: RunReason, message: string) => {
      // Another attempt may have read it meanwhile.
      await moveRun(sql, { id: runId, from: liveRunStatuses, to: 'failed', reason, unread: true });
      return finalFailure(failures.mailingRefused, message);
    };
    if (error instanceof MailingRefused) {
      const { code: mailingCode, message: detail } = error;
      return failed(
        { code: 'mailing_refused', mailingCode, detail },
        `The mailing can't be read (${mailingCode}). Torpedo shows the details.`,
      );
    }
    if (error instanceof WebserviceRefused) {
      const { code: mailingCode, message: detail, fault } = error;
      const reason = { code: 'webservice_refused', mailingCode, detail, params: fault.params } as const;
      return (
        tryAgain(error, deps.webserviceRetryMs) ??
        (await failed(reason, `The web service can't be read (${mailingCode}). Torpedo shows the details.`))
      );
    }
    return error;
  };

  return {
    /**
     * Reads the run's mailing into `messages`, one row for each line, all or nothing. A mailing that can't be read
     * fails the run for good. When the run has its messages already, only their counts are returned.
     */
    async importMailing({ runId }: { runId: number }): Promise<ImportedMailing> {
      const run = await getRun(sql, runId);
      if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
      await enterStep(sql, runId, 'mailing');
      // By the clock and not by what is read: a web service may take its time before it says anything.
      await whileHeartbeating(async () => {
        try {
          await importRun(run, { attempt: activityInfo().attempt, signal: cancellationSignal() });
        } catch (error) {
          throw await refusal(runId, error);
        }
      });
      return importedMailing(sql, runId);
    },

    /** Deletes fetched answers that have been kept for long enough. */
    async deleteOldAnswers(): Promise<{ deleted: number }> {
      let deleted = 0;
      for (;;) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        const some = await deleteOldAnswers(sql, deps.rawAnswerDays);
        if (some === 0) return { deleted };
        deleted += some;
      }
    },
  };
}

/** What a run has to do, now that its messages are there. */
export async function importedMailing(sql: Database, runId: number): Promise<ImportedMailing> {
  const counts = await runCounts(sql, runId);
  // Until autovacuum has come by, the planner knows nothing of a million new rows.
  if (counts.reduce((sum, { messages }) => sum + messages, 0) > manyLines) await sql`analyze messages`;
  return {
    counts: countsByStatus(counts),
    segments: counts.reduce((sum, { status, segments }) => sum + (status === 'queued' ? segments : 0), 0),
    details: `Mailing read.\n\n${countsTable(counts)}`,
  };
}
