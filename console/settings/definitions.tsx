import { extraTypes } from '../../domain/contact.ts';
import { z } from 'zod';
import { weekdays } from '../../domain/calendar.ts';
import { sendingHours } from '../../domain/hours.ts';
import { extraFieldGroup, holidayCalendar, type SettingKind } from '../../domain/settings.ts';
import { CheckField, ChoiceField, FieldGroup, SelectField, TextField } from '../kit/fields.tsx';
import { useValues } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { common } from '../kit/words.ts';
import { settingWords } from './words.ts';
import { Rows } from '../kit/rows.tsx';
import { TimezoneList, timezoneListId } from '../kit/timezones.tsx';
import { useFormat, useView, useWords } from '../kit/view.tsx';

/** What a form may have to offer from other settings. */
export type Choices = Readonly<Partial<Record<SettingKind, readonly { id: number; name: string }[]>>>;

/** The definition of an entry as its form has it; what is wrong with it the API says. */
export function definitionOf(kind: SettingKind, form: FormValues): object {
  switch (kind) {
    case 'sendingHours':
      return {
        timezone: form.text('definition.timezone'),
        windows: rowsOf(form, 'definition.windows', ['days', 'from', 'to']).map((row) => ({
          days: [...form.all(`${row}.days`)],
          from: form.text(`${row}.from`),
          to: form.text(`${row}.to`),
        })),
      };
    case 'holidayCalendars':
      return {
        holidays: rowsOf(form, 'definition.holidays', ['date', 'name']).map((row) => ({
          date: form.text(`${row}.date`),
          name: form.text(`${row}.name`),
        })),
      };
    case 'extraFieldGroups':
      return {
        fields: rowsOf(form, 'definition.fields', ['name']).map((row) => ({
          name: form.text(`${row}.name`),
          type: form.text(`${row}.type`),
          required: form.checked(`${row}.required`),
        })),
      };
    case 'subcategories':
      return {
        categoryId: form.number('definition.categoryId'),
        extraFieldGroupId: form.number('definition.extraFieldGroupId'),
      };
    case 'regions':
    case 'customerTypes':
    case 'departments':
    case 'assignees':
    case 'categories':
    case 'resolutions':
      return {};
  }
}

/** The rows in which one of the fields was filled in, by their names. */
const rowsOf = (form: FormValues, list: string, fields: readonly string[]): string[] =>
  form
    .rows(list)
    .map((index) => `${list}.${index}`)
    .filter((row) => fields.some((field) => form.text(`${row}.${field}`).trim() !== ''));

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
    case 'regions':
    case 'customerTypes':
    case 'departments':
    case 'assignees':
    case 'categories':
    case 'resolutions':
      return null;
  }
}

function HoursFields() {
  const t = useWords(settingWords);
  const { format } = useView();
  const now = useValues().optional('definition.timezone') ?? format.timeZone;
  return (
    <>
      <TextField name="definition.timezone" list={timezoneListId} required class="mb-3 narrow" />
      <TimezoneList now={now} />
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
                options={weekdays.map((day) => ({ value: day, label: t.days[day] }))}
              />
              <TextField name={`${row}.from`} placeholder="08:00" maxLength={5} class="short-field" />
              <TextField name={`${row}.to`} placeholder="18:00" maxLength={5} class="short-field" />
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
              <TextField name={`${row}.name`} maxLength={100} class="wide-field" />
            </>
          )}
        </Rows>
      </FieldGroup>
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
          {(row) => (
            <>
              <TextField name={`${row}.name`} maxLength={40} class="wide-field" />
              <SelectField
                name={`${row}.type`}
                class="short-field"
                options={extraTypes.map((type) => ({ value: type, label: t.types[type] }))}
              />
              <CheckField name={`${row}.required`} class="edit-row-check" />
            </>
          )}
        </Rows>
      </FieldGroup>
      <p class="form-hint">{t.hints.fields}</p>
    </>
  );
}

function SubcategoryFields({ choices }: { choices: Choices }) {
  const words = useWords(common);
  const optionsOf = (kind: SettingKind) =>
    (choices[kind] ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <>
      <SelectField
        name="definition.categoryId"
        options={optionsOf('categories')}
        empty={words.choose}
        required
        class="mb-3 narrow"
      />
      <SelectField
        name="definition.extraFieldGroupId"
        options={optionsOf('extraFieldGroups')}
        empty={words.notChosen}
        class="mb-3 narrow"
      />
    </>
  );
}

const reference = z.object({ categoryId: z.number() });

/** What an entry holds, in a few words. */
export function DefinitionSummary({
  kind,
  entry: { definition },
  categories,
}: {
  kind: 'sendingHours' | 'holidayCalendars' | 'extraFieldGroups' | 'subcategories';
  entry: { definition: unknown };
  categories: readonly { id: number; name: string }[];
}) {
  const t = useWords(settingWords);
  const format = useFormat();
  switch (kind) {
    case 'sendingHours': {
      const { windows, timezone } = sendingHours.parse(definition);
      return (
        <>
          {windows.map(({ days, from, to }, index) => (
            <div key={index}>
              {days.length === weekdays.length
                ? `${t.days.monday}–${t.days.sunday}`
                : days.map((day) => t.days[day]).join(', ')}{' '}
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
