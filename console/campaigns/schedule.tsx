import type { FastifyPluginAsync } from 'fastify';
import { campaignView, occurrencesView } from '../../api/campaigns/view.ts';
import { dayMs, inZone } from '../../domain/calendar.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { addBlock, campaignUrl } from './blocks.tsx';
import { NewCampaignPage, SchedulePage } from './schedule-form.tsx';
import { keptDraft } from '../../domain/campaign.ts';
import { schedule } from '../../domain/schedule.ts';
import { settingsOf } from '../kit/choices.ts';
import { type FormState, newForm } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { Occurrences } from './occurrences.tsx';
import { addForm, addPage, addPart } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';

const shownOccurrences = 6;

/** The schedule block, the first of a campaign. */
export const campaignSchedule: FastifyPluginAsync = async (app) => {
  const newPage = async (api: Api, state: FormState) => (
    <NewCampaignPage state={state} calendars={await settingsOf(api, 'holidayCalendars')} />
  );

  addPage(app, '/campaigns/new', 'operator', ({ api, view }) => {
    const { timeZone } = view.format;
    const tomorrow = inZone(Date.now() + dayMs, timeZone)
      .toPlainDate()
      .toString();
    const schedule = {
      recurrence: { every: 'day', interval: 1 },
      startsAt: `${tomorrow}T09:00`,
      timezone: timeZone,
    };
    return newPage(api, newForm({ schedule }));
  });

  addForm(app, '/campaigns/new', 'operator', {
    send: async ({ api, form }) => {
      const { id } = await api.send('POST', '/api/campaigns', scheduleOf(form), campaignView);
      return { to: campaignUrl(id, 'message'), notice: 'saved' };
    },
    again: ({ api }, state) => newPage(api, state),
  });

  addBlock(app, 'schedule', {
    change: ({ form }) => scheduleOf(form),
    page: async ({ api }, campaign, state) => (
      <SchedulePage campaign={campaign} state={state} calendars={await settingsOf(api, 'holidayCalendars')} />
    ),
  });

  // The list beside the form, while the user fills it in.
  addPart(
    app,
    '/campaigns/occurrences',
    'viewer',
    async ({ api, form }) => {
      const body = { schedule: scheduleOf(form).schedule, count: shownOccurrences };
      const ahead = await api
        .send('POST', '/api/campaigns/preview-occurrences', body, occurrencesView)
        .catch((error: unknown) => {
          // The form is not complete yet; saving it shows what is wrong.
          if (error instanceof ApiFailure && error.status === 422) return null;
          throw error;
        });
      return <Occurrences ahead={ahead} timezone={form.text('schedule.timezone').trim()} />;
    },
    { method: 'POST' },
  );
};

/** The block in the API's format. */
const scheduleOf = (form: FormValues) => ({
  ...readForm(keptDraft.pick({ name: true, description: true, ignoreConsent: true }), form),
  schedule: readForm(schedule, form, 'schedule'),
});
