import { cancellationSignal } from '@temporalio/activity';
import { skipRefusedInRun, skipWithoutConsent } from '../db/customers/consents.ts';
import { skipOptedOut } from '../db/customers/opt-outs.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import { copyResendable } from '../db/runs/resends.ts';
import { enterStep, getRun, lockImport, markMailingRead } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { finalFailure } from './failure.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { checkPreflight, type PreflightDeps, type PreparedRun } from './preflight.ts';

export interface ResendsDeps extends PreflightDeps {
  phoneHash: () => Promise<PhoneHash>;
}

export function createResends(deps: ResendsDeps) {
  const { sql, phoneHash } = deps;
  return {
    /**
     * Creates the messages of a resend (db/runs/resends.ts), all or nothing. Leaves out contacts that have opted out
     * since the first send, and those whose consent is no longer sufficient. If the run already has its messages, none
     * are copied. Then runs the pre-flight.
     */
    async copyMessages({ runId }: { runId: number }): Promise<PreparedRun> {
      const run = await getRun(sql, runId);
      if (!run || run.resendOf === null || run.resendScope === null)
        throw finalFailure(failures.notFound, `There is no resend ${runId}.`);
      const { campaignId, resendOf: of, resendScope: scope } = run;
      await enterStep(sql, runId, 'mailing');
      const hash = await phoneHash();
      await whileHeartbeating(async () => {
        await sql.begin(async (tx) => {
          if (!(await lockImport(tx, runId))) return;
          await copyResendable(tx, { runId, of, campaignId, scope });
          cancellationSignal().throwIfAborted();
          const { consentRequired } = await getPrivacySettings(tx);
          await skipWithoutConsent(tx, { runId, required: consentRequired });
          await markMailingRead(tx, runId);
        });
        // After the copy is visible: an opt-out from now on finds its messages.
        await skipOptedOut(sql, hash, runId);
        await skipRefusedInRun(sql, runId);
      });
      return checkPreflight(deps, runId);
    },
  };
}
