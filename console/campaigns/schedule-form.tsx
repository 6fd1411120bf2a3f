import type { ComponentProps } from 'preact';
import { campaign as wholeCampaign } from '../../domain/campaign.ts';
import { weekdays } from '../../domain/calendar.ts';
import type { Campaign } from './blocks.tsx';
import { BlockEnd, BlockForm } from './frame.tsx';
import type { Entry } from '../kit/choices.ts';
import {
  CheckField,
  ChoiceField,
  EntryField,
  FieldGroup,
  labeled,
  SelectField,
  TextAreaField,
  TextField,
} from '../kit/fields.tsx';
import { Form, type FormState, useValues } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { LivePart } from '../kit/live-part.tsx';
import { Page } from '../kit/layout.tsx';
import { Occurrences } from './occurrences.tsx';
import { Card } from '../kit/parts.tsx';
import { TimezoneField } from '../kit/timezones.tsx';
import { useWords } from '../kit/view.tsx';

const kinds = ['once', 'minutes', 'hours', 'day', 'week', 'month', 'rule'] as const;
/** The recurrences with an interval of N units. */
const counted = ['minutes', 'hours', 'day', 'week', 'month'] as const;

export function NewCampaignPage({ state, calendars }: { state: FormState; calendars: readonly Entry[] }) {
  const t = useWords(campaignWords);
  return (
    <Page title={t.add} section="campaigns" trail={[{ href: '/campaigns', label: t.title }]}>
      <Form
        action="/campaigns/new"
        state={state}
        schema={wholeCampaign}
        words={t}
        once
        creates
        draft="campaign"
        class="with-aside"
      >
        <ScheduleFields calendars={calendars} takesZone={!state.values.has('once')} ahead={null} />
      </Form>
    </Page>
  );
}

export function SchedulePage({
  campaign,
  state,
  calendars,
}: {
  campaign: Campaign;
  state: FormState;
  calendars: readonly Entry[];
}) {
  return (
    <BlockForm campaign={campaign} block="schedule" state={state} class="with-aside">
      <ScheduleFields calendars={calendars} ahead={{ occurrences: campaign.nextOccurrences }} />
    </BlockForm>
  );
}

function ScheduleFields({
  calendars,
  takesZone = false,
  ahead,
}: {
  calendars: readonly Entry[];
  /** Fills in the browser's time zone: not when the form is shown again, with entered values. */
  takesZone?: boolean;
  ahead: ComponentProps<typeof Occurrences>['ahead'];
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const values = useValues();
  return (
    <>
      <div>
        <Card title={t.summaryOf}>
          <TextField name="name" />
          <SelectField name="kind" options={[{ value: 'sms', label: t.kindSms }]} />
          <TextAreaField name="description" rows={2} />
          <CheckField name="ignoreConsent" />
        </Card>
        <Card title={t.blocks.schedule}>
          <RecurrenceFields />
          <div class="row">
            <TextField name="schedule.startsAt" type="datetime-local" class="col-sm-6 mb-3" />
            <TextField name="schedule.endsAt" type="datetime-local" class="col-sm-6 mb-3" />
          </div>
          <TimezoneField
            name="schedule.timezone"
            {...(takesZone ? { data: { 'data-browser-zone': '' } } : {})}
          />
          <EntryField name="schedule.holidayCalendarId" entries={calendars} empty={words.notChosen} />
        </Card>
        <BlockEnd />
      </div>
      <aside>
        <Card title={t.occurrences}>
          <LivePart from="/campaigns/occurrences" atOnce>
            <Occurrences ahead={ahead} timezone={values.text('schedule.timezone')} />
          </LivePart>
        </Card>
      </aside>
    </>
  );
}

/** The fields of the chosen recurrence; without scripts all of them, of which only those of the choice are read. */
function RecurrenceFields() {
  const t = useWords(campaignWords);
  const when = (...of: string[]) => ({ 'data-when': `schedule.recurrence.every=${of.join('|')}` });
  const days = Array.from({ length: 31 }, (_, index) => String(index + 1));
  return (
    <FieldGroup name="schedule.recurrence">
      <div class="row">
        <SelectField
          name="schedule.recurrence.every"
          class="col-sm-6 mb-3"
          options={labeled(kinds, t.every)}
        />
        <div class="col-sm-6" {...when(...counted)}>
          <TextField
            name="schedule.recurrence.interval"
            type="number"
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
        <ChoiceField name="schedule.recurrence.days" inline options={labeled(weekdays, t.weekdays)} />
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
    </FieldGroup>
  );
}
