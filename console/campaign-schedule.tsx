import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { campaignView, occurrenceView } from '../api/campaign-view.ts';
import { idParams } from '../api/parameters.ts';
import { weekdays } from '../domain/calendar.ts';
import { type Api, ApiFailure } from './api.ts';
import {
  type Campaign,
  CampaignFrame,
  campaignUrl,
  fieldUrl,
  getCampaign,
  nextUrl,
  saveCampaign,
} from './campaign-frame.tsx';
import { optionsOf, settingsOf } from './choices.ts';
import {
  CheckField,
  ChoiceField,
  Form,
  type FormState,
  newForm,
  type Option,
  SelectField,
  Submit,
  TextAreaField,
  TextField,
} from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { common } from './i18n/common.ts';
import { Page } from './layout.tsx';
import { Card } from './parts.tsx';
import { formOf, submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { TimezoneList, timezoneListId } from './timezones.tsx';
import { useFormat, useMay, useView, useWords } from './view.tsx';

const previewed = z.object({ occurrences: z.array(occurrenceView) });
const kinds = ['once', 'minutes', 'hours', 'day', 'week', 'month', 'rule'] as const;
const counted = ['minutes', 'hours', 'day', 'week', 'month'] as const;
const isCounted = (every: string): every is (typeof counted)[number] => counted.some((one) => one === every);

/** The schedule block, with which a campaign begins. */
export const campaignSchedule: FastifyPluginAsyncZod = async (app) => {
  app.get('/campaigns/new', { config: { access: 'operator' } }, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const state = newForm({
      schedule: { recurrence: { every: 'day', interval: 1 }, timezone: view.format.timeZone },
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
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      const state = newForm({ ...campaign.definition, version: campaign.version });
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
      return submit(
        request,
        reply,
        async (form) => {
          await saveCampaign(api, id, form, () => scheduleOf(form));
          return { to: nextUrl(id, 'schedule'), notice: 'saved' };
        },
        async (state) => (
          <SchedulePage
            campaign={await getCampaign(api, id)}
            state={state}
            choices={await choicesOf(api, state)}
          />
        ),
      );
    },
  );

  // The list beside the form, while it is being filled in.
  app.post(
    '/campaigns/occurrences',
    { config: { access: 'viewer', fragment: true } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { schedule } = scheduleOf(formOf(request));
      const answer = await api
        .send('POST', '/api/campaigns/preview-occurrences', { schedule, count: 6 }, previewed)
        .catch((error: unknown) => {
          // The form is not whole yet; saving it says what is wrong.
          if (error instanceof ApiFailure && error.status === 422) return null;
          throw error;
        });
      return reply.fragment(<Occurrences occurrences={answer?.occurrences ?? null} />);
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

function NewCampaignPage({ state, choices }: { state: FormState; choices: readonly Option[] }) {
  const t = useWords(campaignWords);
  return (
    <Page title={t.add} section="campaigns" trail={[{ href: '/campaigns', label: t.title }]}>
      <ScheduleForm action="/campaigns/new" state={state} choices={choices} isNew />
    </Page>
  );
}

function SchedulePage({
  campaign,
  state,
  choices,
}: {
  campaign: Campaign;
  state: FormState;
  choices: readonly Option[];
}) {
  return (
    <CampaignFrame campaign={campaign} block="schedule">
      <ScheduleForm
        action={campaignUrl(campaign.id, 'schedule')}
        state={state}
        choices={choices}
        campaign={campaign}
      />
    </CampaignFrame>
  );
}

function ScheduleForm({
  action,
  state,
  choices,
  isNew = false,
  campaign,
}: {
  action: string;
  state: FormState;
  choices: readonly Option[];
  isNew?: boolean;
  campaign?: Campaign;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const { format } = useView();
  return (
    <Form
      action={action}
      state={state}
      labels={t.fields}
      helps={t.helps}
      readOnly={!mayChange}
      once={isNew}
      class="with-aside"
      {...(campaign ? { summaryHref: fieldUrl(campaign.id) } : {})}
    >
      <div>
        <input type="hidden" name="version" value={state.values.text('version')} />
        <Card title={t.summaryOf}>
          <TextField name="name" required maxLength={120} />
          <SelectField name="kind" options={[{ value: 'sms', label: t.kindSms }]} required />
          <TextAreaField name="description" rows={2} />
          <CheckField name="ignoreConsent" />
        </Card>
        <Card title={t.blocks.schedule}>
          <RecurrenceFields />
          <div class="row">
            <TextField name="schedule.startsAt" type="datetime-local" required class="col-sm-6 mb-3" />
            <TextField name="schedule.endsAt" type="datetime-local" class="col-sm-6 mb-3" />
          </div>
          <TextField
            name="schedule.timezone"
            required
            list={timezoneListId}
            {...(isNew ? { data: { 'data-browser-zone': '' } } : {})}
          />
          <TimezoneList now={format.timeZone} />
          <SelectField name="schedule.holidayCalendarId" options={choices} empty={words.notChosen} />
        </Card>
        {mayChange && (
          <div class="buttons">
            <Submit>{words.saveAndContinue}</Submit>
          </div>
        )}
      </div>
      <aside>
        <Card title={t.occurrences}>
          <div
            aria-live="polite"
            hx-post="/campaigns/occurrences"
            hx-trigger="load, input from:closest form delay:400ms, change from:closest form delay:100ms"
            hx-include="closest form"
            hx-target="this"
            hx-swap="innerHTML"
            hx-sync="this:replace"
          >
            <Occurrences occurrences={campaign?.nextOccurrences ?? null} />
          </div>
        </Card>
      </aside>
    </Form>
  );
}

/** The fields of the chosen recurrence; without scripts all of them, of which the chosen one's are read. */
function RecurrenceFields() {
  const t = useWords(campaignWords);
  const when = (...of: string[]) => ({ 'data-when': `schedule.recurrence.every=${of.join('|')}` });
  const days = Array.from({ length: 31 }, (_, index) => String(index + 1));
  return (
    <>
      <div class="row">
        <SelectField
          name="schedule.recurrence.every"
          required
          class="col-sm-6 mb-3"
          options={kinds.map((kind) => ({ value: kind, label: t.every[kind] }))}
        />
        <div class="col-sm-6" {...when(...counted)}>
          <TextField
            name="schedule.recurrence.interval"
            type="number"
            min={1}
            help={
              <span data-unit="schedule.recurrence.every">
                {counted.map((kind) => (
                  <span key={kind} {...when(kind)}>
                    {t.units[kind]}{' '}
                  </span>
                ))}
              </span>
            }
          />
        </div>
      </div>
      <div {...when('week')}>
        <ChoiceField
          name="schedule.recurrence.days"
          inline
          options={weekdays.map((day) => ({ value: day, label: t.weekdays[day] }))}
        />
      </div>
      <div {...when('month')}>
        <SelectField
          name="schedule.recurrence.dayOfMonth"
          options={[...days.map((day) => ({ value: day, label: day })), { value: 'last', label: t.lastDay }]}
        />
      </div>
      <div {...when('rule')}>
        <TextField name="schedule.recurrence.rrule" />
      </div>
    </>
  );
}

/** When a schedule is due, by the clocks of its own zone. Null: it is not whole yet. */
export function Occurrences({
  occurrences,
}: {
  occurrences: readonly { at: Date; local: string; offset: string }[] | null;
}) {
  const t = useWords(campaignWords);
  const format = useFormat();
  if (!occurrences) return <p class="text-secondary mb-0">{t.occurrencesWait}</p>;
  if (occurrences.length === 0) return <p class="mb-0">{t.noOccurrences}</p>;
  return (
    <ol class="occurrences">
      {occurrences.map(({ at, local, offset }) => (
        <li key={at.getTime()}>
          <time dateTime={at.toISOString()}>{format.wallTime(local)}</time>
          <small class="text-secondary"> GMT{offset}</small>
        </li>
      ))}
    </ol>
  );
}
