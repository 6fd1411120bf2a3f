import { extraTypes } from '../../domain/contact.ts';
import { z } from 'zod';
import { weekdays } from '../../domain/calendar.ts';
import { weekdayLabels } from '../../domain/words/campaigns.ts';
import { sendingHours } from '../../domain/hours.ts';
import { extraFieldGroup, holidayCalendar, type SettingKind } from '../../domain/settings.ts';
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
import { common } from '../kit/words.ts';
import { settingWords } from './words.ts';
import { Rows } from '../kit/rows.tsx';
import { TimezoneField } from '../kit/timezones.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { type Entry } from '../kit/choices.ts';

/** The options that a form may need from other settings. */
export type Choices = Readonly<Partial<Record<SettingKind, readonly Entry[]>>>;

export function DefinitionFields({ kind, choices }: { kind: SettingKind; choices: Choices }) {
  switch (kind) {
    case 'sendingHours':
      return <HoursFields />;
    case 'holidayCalendars':
      return <HolidayFields />;
    case 'extraFieldGroups':
      return <GroupFields />;
    case 'subcategories':
      return <SubcategoryFields choices={choices} />;
    case 'quickReplies':
      return <QuickReplyFields />;
    case 'regions':
    case 'customerTypes':
    case 'departments':
    case 'assignees':
    case 'categories':
    case 'resolutions':
      return null;
  }
}

/** A day of the week: in both languages, its first three letters are its usual abbreviation. */
function useShortDay(): (day: (typeof weekdays)[number]) => string {
  const names = useWords(weekdayLabels);
  return (day) => names[day].slice(0, 3);
}

function HoursFields() {
  const t = useWords(settingWords);
  const shortDay = useShortDay();
  return (
    <>
      <TimezoneField name="definition.timezone" class="mb-3 narrow" />
      <h2 class="h3">{t.windows}</h2>
      <p class="text-secondary">{t.appliesLater}</p>
      <FieldGroup name="definition.windows">
        <Rows name="definition.windows" label={t.windows} needed>
          {(row) => (
            <>
              <ChoiceField
                name={`${row}.days`}
                inline
                class="wide-field"
                options={weekdays.map((day) => ({ value: day, label: shortDay(day) }))}
              />
              <TextField name={`${row}.from`} placeholder="08:00" class="short-field" />
              <TextField name={`${row}.to`} placeholder="18:00" class="short-field" />
            </>
          )}
        </Rows>
      </FieldGroup>
      <p class="form-hint">{t.hints.windows}</p>
    </>
  );
}

function HolidayFields() {
  const t = useWords(settingWords);
  return (
    <>
      <h2 class="h3">{t.holidays}</h2>
      <p class="text-secondary">{t.appliesLater}</p>
      <FieldGroup name="definition.holidays">
        <Rows name="definition.holidays" label={t.holidays} needed>
          {(row) => (
            <>
              <TextField name={`${row}.date`} type="date" class="short-field" />
              <TextField name={`${row}.name`} class="wide-field" />
            </>
          )}
        </Rows>
      </FieldGroup>
    </>
  );
}

/** The declaration of an extra field, in a row of a list. */
export function ExtraFieldInputs({ row }: { row: string }) {
  const { extraTypes: labels } = useWords(common);
  return (
    <>
      <TextField name={`${row}.name`} class="wide-field" />
      <SelectField name={`${row}.type`} class="short-field" options={labeled(extraTypes, labels)} />
      <CheckField name={`${row}.required`} class="edit-row-check" />
    </>
  );
}

function GroupFields() {
  const t = useWords(settingWords);
  return (
    <>
      <h2 class="h3">{t.fieldsOfGroup}</h2>
      <FieldGroup name="definition.fields">
        <Rows name="definition.fields" label={t.fieldsOfGroup} needed>
          {(row) => <ExtraFieldInputs row={row} />}
        </Rows>
      </FieldGroup>
      <p class="form-hint">{t.hints.fields}</p>
    </>
  );
}

function SubcategoryFields({ choices }: { choices: Choices }) {
  const t = useWords(settingWords);
  const words = useWords(common);
  return (
    <>
      <EntryField
        name="definition.categoryId"
        entries={choices.categories ?? []}
        empty={words.choose}
        class="mb-3 narrow"
      />
      <EntryField
        name="definition.extraFieldGroupId"
        entries={choices.extraFieldGroups ?? []}
        empty={words.notChosen}
        class="mb-3 narrow"
      />
      <TextField
        name="definition.firstAnswerMinutes"
        type="number"
        class="short mb-3"
        help={t.hints.firstAnswer}
      />
    </>
  );
}

function QuickReplyFields() {
  const t = useWords(settingWords);
  return <TextAreaField name="definition.text" help={t.hints.quickReply} />;
}

const reference = z.object({ categoryId: z.number() });

/** A short summary of an entry. */
export function DefinitionSummary({
  kind,
  entry: { definition },
  categories,
}: {
  kind: 'sendingHours' | 'holidayCalendars' | 'extraFieldGroups' | 'subcategories';
  entry: { definition: unknown };
  categories: readonly { id: number; name: string }[];
}) {
  const format = useFormat();
  const shortDay = useShortDay();
  switch (kind) {
    case 'sendingHours': {
      const { windows, timezone } = sendingHours.parse(definition);
      return (
        <>
          {windows.map(({ days, from, to }, index) => (
            <div key={index}>
              {days.length === weekdays.length
                ? `${shortDay('monday')}–${shortDay('sunday')}`
                : days.map(shortDay).join(', ')}{' '}
              {from}–{to}
            </div>
          ))}
          <small class="text-secondary">{timezone}</small>
        </>
      );
    }
    case 'holidayCalendars':
      return <>{format.number(holidayCalendar.parse(definition).holidays.length)}</>;
    case 'extraFieldGroups':
      return (
        <>
          {extraFieldGroup
            .parse(definition)
            .fields.map(({ name }) => name)
            .join(', ')}
        </>
      );
    case 'subcategories': {
      const { categoryId } = reference.parse(definition);
      return <>{categories.find(({ id }) => id === categoryId)?.name ?? ''}</>;
    }
  }
}
