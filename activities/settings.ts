import type { Sql } from '../db/client.ts';
import { getProvider } from '../db/providers.ts';
import { getSetting } from '../db/settings.ts';
import type { Campaign, CampaignDraft } from '../domain/campaign.ts';
import { failures } from '../domain/failures.ts';
import type { RunSettings } from '../domain/run.ts';
import { finalFailure } from './failure.ts';

/** The dates `YYYY-MM-DD` of the campaign's holiday calendar; none without one. */
export async function holidaysOf(sql: Sql, { schedule }: CampaignDraft): Promise<string[]> {
  if (schedule.holidayCalendarId === null) return [];
  const calendar = await getSetting(sql, 'holidayCalendars', schedule.holidayCalendarId);
  return calendar?.definition.holidays.map(({ date }) => date) ?? [];
}

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
    holidays: await holidaysOf(sql, campaign),
    segmentProfile: provider.segmentProfile,
  };
}
