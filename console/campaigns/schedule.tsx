import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { campaignView, occurrencesView } from '../../api/campaigns/view.ts';
import { idParams } from '../../api/http/parameters.ts';
import { dayMs, inZone } from '../../domain/calendar.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { blockQuery, campaignUrl, getCampaign, openedForm, submitBlock } from './blocks.tsx';
import { isCounted, NewCampaignPage, SchedulePage } from './schedule-form.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import type { Option } from '../kit/fields.tsx';
import { type FormState, newForm } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { Occurrences } from './occurrences.tsx';
import { formOf, submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';

const block = 'schedule';
const shownOccurrences = 6;

/** The schedule block, with which a campaign begins. */
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

  // The list beside the form, while it is being filled in.
  app.post(
    '/campaigns/occurrences',
    { config: { access: 'viewer', fragment: true } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { schedule } = scheduleOf(formOf(request));
      const body = { schedule, count: shownOccurrences };
      const ahead = await api
        .send('POST', '/api/campaigns/preview-occurrences', body, occurrencesView)
        .catch((error: unknown) => {
          // The form is not whole yet; saving it says what is wrong.
          if (error instanceof ApiFailure && error.status === 422) return null;
          throw error;
        });
      return reply.fragment(<Occurrences ahead={ahead} timezone={schedule.timezone} />);
    },
  );
};

/** The block as the API takes it. What was typed wrong goes as it is: the API says so. */
function scheduleOf(form: FormValues) {
  const every = form.text('schedule.recurrence.every');
  const dayOfMonth = form.text('schedule.recurrence.dayOfMonth');
  return {
    name: form.text('name'),
    description: form.text('description'),
    ignoreConsent: form.checked('ignoreConsent'),
    schedule: {
      recurrence: {
        every,
        ...(isCounted(every) ? { interval: form.number('schedule.recurrence.interval') ?? 1 } : {}),
        ...(every === 'week' ? { days: form.all('schedule.recurrence.days') } : {}),
        ...(every === 'month' ? { dayOfMonth: dayOfMonth === 'last' ? dayOfMonth : Number(dayOfMonth) } : {}),
        ...(every === 'rule' ? { rrule: form.text('schedule.recurrence.rrule') } : {}),
      },
      startsAt: form.text('schedule.startsAt'),
      endsAt: form.optional('schedule.endsAt'),
      timezone: form.text('schedule.timezone').trim(),
      holidayCalendarId: form.number('schedule.holidayCalendarId'),
    },
  };
}

async function choicesOf(api: Api, { values }: FormState): Promise<Option[]> {
  const calendars = await settingsOf(api, 'holidayCalendars');
  return optionsOf(calendars, values.text('schedule.holidayCalendarId'));
}
