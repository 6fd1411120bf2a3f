import type { Sql } from '../db/core/client.ts';
import { getProvider } from '../db/providers/providers.ts';
import { getSetting, holidayDates } from '../db/settings/settings.ts';
import type { Campaign } from '../domain/campaign.ts';
import { failures } from '../domain/failures.ts';
import type { RunSettings } from '../domain/run.ts';
import { finalFailure } from './failure.ts';

/** All that a run needs to know of the settings, as they are now. */
export async function freezeSettings(sql: Sql, campaign: Campaign): Promise<RunSettings> {
  const hours = await getSetting(sql, 'sendingHours', campaign.mailing.sendingHoursId);
  const provider = await getProvider(sql, campaign.message.providerId);
  // Both are foreign keys of the campaign's row: they can't be missing.
  if (!hours || !provider)
    throw finalFailure(failures.notFound, 'The sending hours or the provider of the campaign are gone.');
  return {
    campaign,
    hours: hours.definition,
    holidays: await holidayDates(sql, campaign.schedule.holidayCalendarId),
    segmentProfile: provider.segmentProfile,
  };
}
