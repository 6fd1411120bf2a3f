import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { campaignView, occurrencesView } from '../../api/campaigns/view.ts';
import { idParams } from '../../api/http/parameters.ts';
import { dayMs, inZone } from '../../domain/calendar.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { blockQuery, campaignUrl, getCampaign, openedForm, submitBlock } from './blocks.tsx';
import { NewCampaignPage, SchedulePage } from './schedule-form.tsx';
import { keptDraft } from '../../domain/campaign.ts';
import { schedule } from '../../domain/schedule.ts';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import type { Option } from '../kit/fields.tsx';
import { type FormState, newForm } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { Occurrences } from './occurrences.tsx';
import { formOf, submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { readForm } from '../kit/schema-form.ts';

const block = 'schedule';
const shownOccurrences = 6;

/** The schedule block, the first of a campaign. */
export const campaignSchedule: FastifyPluginAsyncZod = async (app) => {
  app.get('/campaigns/new', { config: { access: 'operator' } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { timeZone } = view.format;
    const state = newForm({
      schedule: {
        recurrence: { every: 'day', interval: 1 },
        startsAt: `${inZone(Date.now() + dayMs, timeZone)
          .toPlainDate()
          .toString()}T09:00`,
        timezone: timeZone,
      },
    });
    return reply.page(<NewCampaignPage state={state} choices={await choicesOf(api, state)} />);
  });

  app.post('/campaigns/new', { config: { access: 'operator' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        const { id } = await api.send('POST', '/api/campaigns', scheduleOf(form), campaignView);
        return { to: campaignUrl(id, 'message'), notice: 'saved' };
      },
      async (state) => <NewCampaignPage state={state} choices={await choicesOf(api, state)} />,
    );
  });

  app.get(
    '/campaigns/:id/schedule',
    { config: { access: 'viewer' }, schema: { params: idParams, querystring: blockQuery } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      const state = openedForm(campaign, { block, lacking: request.query.lacking === '1' });
      return reply.page(
        <SchedulePage campaign={campaign} state={state} choices={await choicesOf(api, state)} />,
      );
    },
  );

  app.post(
    '/campaigns/:id/schedule',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submitBlock(request, reply, {
        id,
        block,
        change: (_, form) => scheduleOf(form),
        page: async (campaign, state) => (
          <SchedulePage campaign={campaign} state={state} choices={await choicesOf(api, state)} />
        ),
      });
    },
  );

  // The list beside the form, while the user fills it in.
  app.post(
    '/campaigns/occurrences',
    { config: { access: 'viewer', fragment: true } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const form = formOf(request);
      const body = { schedule: scheduleOf(form).schedule, count: shownOccurrences };
      const ahead = await api
        .send('POST', '/api/campaigns/preview-occurrences', body, occurrencesView)
        .catch((error: unknown) => {
          // The form is not complete yet; saving it shows what is wrong.
          if (error instanceof ApiFailure && error.status === 422) return null;
          throw error;
        });
      return reply.fragment(<Occurrences ahead={ahead} timezone={form.text('schedule.timezone').trim()} />);
    },
  );
};

/** The block in the API's format. */
const scheduleOf = (form: FormValues) => ({
  ...readForm(keptDraft.pick({ name: true, description: true, ignoreConsent: true }), form),
  schedule: readForm(schedule, form, 'schedule'),
});

async function choicesOf(api: Api, { values }: FormState): Promise<Option[]> {
  const calendars = await settingsOf(api, 'holidayCalendars');
  return optionsOf(calendars, values.text('schedule.holidayCalendarId'));
}
