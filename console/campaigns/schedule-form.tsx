import { campaign as wholeCampaign } from '../../domain/campaign.ts';
import { weekdays } from '../../domain/calendar.ts';
import { BlockMarks, type Campaign, campaignUrl, fieldUrlFrom, useMayEdit } from './blocks.tsx';
import { CampaignFrame } from './frame.tsx';
import { Submit } from '../kit/buttons.tsx';
import {
  CheckField,
  ChoiceField,
  FieldGroup,
  type Option,
  SelectField,
  TextAreaField,
  TextField,
} from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { LivePart } from '../kit/live-part.tsx';
import { Page } from '../kit/layout.tsx';
import { Occurrences } from './occurrences.tsx';
import { Card } from '../kit/parts.tsx';
import { TimezoneList, timezoneListId } from '../kit/timezones.tsx';
import { useView, useWords } from '../kit/view.tsx';

const block = 'schedule';
const kinds = ['once', 'minutes', 'hours', 'day', 'week', 'month', 'rule'] as const;
/** The recurrences with an interval of N units. */
const counted = ['minutes', 'hours', 'day', 'week', 'month'] as const;

export function NewCampaignPage({ state, choices }: { state: FormState; choices: readonly Option[] }) {
  const t = useWords(campaignWords);
  return (
    <Page title={t.add} section="campaigns" trail={[{ href: '/campaigns', label: t.title }]}>
      <ScheduleForm action="/campaigns/new" state={state} choices={choices} isNew />
    </Page>
  );
}

export function SchedulePage({
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
  const mayChange = useMayEdit(campaign);
  const { format } = useView();
  return (
    <Form
      action={action}
      state={state}
      schema={wholeCampaign}
      labels={t.fields}
      helps={t.helps}
      readOnly={!mayChange}
      once={isNew}
      creates={isNew}
      draft={isNew ? 'campaign' : `campaign ${campaign?.id ?? 0} ${block}`}
      class="with-aside"
      {...(campaign ? { summaryHref: fieldUrlFrom(campaign.id, block) } : {})}
    >
      <div>
        {campaign && <BlockMarks campaign={campaign} block={block} state={state} />}
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
          <TextField
            name="schedule.timezone"
            list={timezoneListId}
            // Does not overwrite entered values when the form is shown again.
            {...(isNew && !state.values.has('once') ? { data: { 'data-browser-zone': '' } } : {})}
          />
          <TimezoneList now={format.timeZone} />
          <SelectField name="schedule.holidayCalendarId" options={choices} empty={words.notChosen} />
        </Card>
        {mayChange && (
          <div class="buttons within-reach">
            <Submit>{words.saveAndContinue}</Submit>
          </div>
        )}
      </div>
      <aside>
        <Card title={t.occurrences}>
          <LivePart from="/campaigns/occurrences" atOnce>
            <Occurrences
              ahead={campaign ? { occurrences: campaign.nextOccurrences } : null}
              timezone={state.values.text('schedule.timezone')}
            />
          </LivePart>
        </Card>
      </aside>
    </Form>
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
          options={kinds.map((kind) => ({ value: kind, label: t.every[kind] }))}
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
    </FieldGroup>
  );
}
