import { cancellationSignal } from '@temporalio/activity';
import type { Database } from '../db/core/client.ts';
import { skipRefusedInRun, skipWithoutConsent } from '../db/customers/consents.ts';
import { skipOptedOut } from '../db/customers/opt-outs.ts';
import type { PhoneHash } from '../db/core/phone-hash.ts';
import { getPrivacySettings } from '../db/customers/privacy.ts';
import { copyResendable } from '../db/runs/resends.ts';
import { enterStep, getRun, lockImport, markMailingRead } from '../db/runs/runs.ts';
import { failures } from '../domain/failures.ts';
import { finalFailure } from './failure.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { type ImportedMailing, importedMailing } from './mailing.ts';

export interface ResendsDeps {
  sql: Database;
  phoneHash: () => Promise<PhoneHash>;
}

export function createResends({ sql, phoneHash }: ResendsDeps) {
  return {
    /**
     * Takes up the messages of a resend (db/runs/resends.ts), all or nothing. Whoever has opted out since the first send is
     * left out, and whose consent does not suffice any more. When the run has its messages already, only their counts are returned.
     */
    async copyMessages({ runId }: { runId: number }): Promise<ImportedMailing> {
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
        // After the copy is there for all to see: who opts out from now on finds its messages.
        await skipOptedOut(sql, hash, runId);
        await skipRefusedInRun(sql, runId);
      });
      return importedMailing(sql, runId);
    },
  };
}
