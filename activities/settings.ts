import type { Sql } from '../db/core/client.ts';
import { getProvider } from '../db/providers/providers.ts';
import { getCampaign } from '../db/campaigns/campaigns.ts';
import { changeSettings, getRun, type RunRow } from '../db/runs/runs.ts';
import { type Campaign, campaign as completeCampaign } from '../domain/campaign.ts';
import { failures } from '../domain/failures.ts';
import type { RunSettings } from '../domain/run.ts';
import { finalFailure } from './failure.ts';

/** Everything that a run needs from the settings, as they are now. */
export async function freezeSettings(sql: Sql, campaign: Campaign): Promise<RunSettings> {
  const provider = await getProvider(sql, campaign.message.providerId);
  // It always exists: the campaign's row has a foreign key to it.
  if (!provider) throw finalFailure(failures.notFound, 'The provider of the campaign is gone.');
  return { campaign, segmentProfile: provider.segmentProfile };
}

/** When a run of this campaign ends, even with messages left; null: no limit. */
export function expiryOf({ mailing }: Campaign, occurrence: Date): Date | null {
  const { expiresAfterHours } = mailing;
  return expiresAfterHours === null ? null : new Date(occurrence.getTime() + expiresAfterHours * 3_600_000);
}

/**
 * Copies the campaign's current settings into the run until its mailing has been read: text, source, file, policies,
 * expiry. A campaign that is no longer complete changes nothing. A resend keeps the settings frozen by the first run.
 */
export async function followCampaign(
  sql: Sql,
  runId: number,
): Promise<{ run: RunRow; campaignEnabled: boolean }> {
  const run = await getRun(sql, runId);
  const row = run && (await getCampaign(sql, run.campaignId));
  if (!row) throw finalFailure(failures.notFound, `There is no run ${runId}.`);
  const campaignEnabled = row.enabled;
  const { mailingFileId } = row;
  const definition = completeCampaign.safeParse(row.definition).data;
  const isCsv = definition?.mailing.source === 'csv';
  if (run.mailingAt !== null || run.trigger === 'resend' || !definition || (isCsv && mailingFileId === null))
    return { run, campaignEnabled };
  await changeSettings(sql, runId, {
    settings: await freezeSettings(sql, definition),
    mailingFileId: isCsv ? mailingFileId : null,
    expiresAt: expiryOf(definition, run.occurrence),
  });
  return { run: (await getRun(sql, runId)) ?? run, campaignEnabled };
}
