import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { deleteOldAnswers } from '../db/campaigns/mailings.ts';
import { enterStep, getRun, moveRun } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { liveRunStatuses, type RunReason } from '../domain/run.ts';
import { MailingRefused } from '../mailing/csv.ts';
import { WebserviceRefused } from '../mailing/refused.ts';
import { finalFailure } from './failure.ts';
import { createImport, type ImportDeps } from './import.ts';
import { checkPreflight, type PreflightDeps, type PreparedRun } from './preflight.ts';
import { followCampaign } from './settings.ts';
import { tryAgain } from './webservice.ts';
import { whileHeartbeating } from './heartbeat.ts';

export interface MailingDeps extends ImportDeps, PreflightDeps {
  /** Answers fetched from web services are kept for this long. */
  rawAnswerDays: number;
}

export function createMailing(deps: MailingDeps) {
  const { sql } = deps;
  const importRun = createImport(deps);
  /**
   * Converts an error while reading into a failure. If the mailing cannot be read, the run fails and stores the reason.
   * That reason may quote the file, and a history is permanent: the failure carries only the code.
   */
  const refusal = async (runId: number, error: unknown): Promise<unknown> => {
    const failed = async (reason: RunReason, message: string) => {
      // Another attempt may have read it meanwhile.
      await moveRun(sql, { id: runId, from: liveRunStatuses, to: 'failed', reason, unread: true });
      return finalFailure(failures.mailingRefused, message);
    };
    if (error instanceof MailingRefused) {
      const { code: mailingCode, params } = error.fault;
      return failed(
        { code: 'mailing_refused', mailingCode, params },
        `The mailing can't be read (${mailingCode}). Torpedo shows the details.`,
      );
    }
    if (error instanceof WebserviceRefused) {
      const { code: mailingCode, params } = error.fault;
      const reason = { code: 'webservice_refused', mailingCode, params } as const;
      return (
        tryAgain(error, deps.webserviceRetryMs) ??
        (await failed(reason, `The web service can't be read (${mailingCode}). Torpedo shows the details.`))
      );
    }
    return error;
  };

  return {
    /**
     * Reads the run's mailing into `messages`, one row for each line, all or nothing. A mailing that cannot be read
     * fails the run permanently. If the run already has its messages, nothing is read. Then runs the pre-flight.
     */
    async importMailing({ runId }: { runId: number }): Promise<PreparedRun> {
      const { attempt } = activityInfo();
      // The first attempt copies the campaign's current settings into the run: a later attempt may find the answer
      // stored.
      const run = attempt === 1 ? (await followCampaign(sql, runId)).run : await getRun(sql, runId);
      if (!run) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
      await enterStep(sql, runId, 'mailing');
      // By time and not by progress: a web service may take long before its first byte.
      await whileHeartbeating(async () => {
        try {
          await importRun(run, { attempt, signal: cancellationSignal() });
        } catch (error) {
          throw await refusal(runId, error);
        }
      });
      return checkPreflight(deps, runId);
    },

    /** Deletes fetched answers whose retention time is over. */
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
