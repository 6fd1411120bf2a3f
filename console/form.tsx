import { randomUUID } from 'node:crypto';
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Problem } from '../domain/campaign.ts';
import { FormValues } from './form-data.ts';
import { common } from './i18n/common.ts';
import { problemWords } from './i18n/problems.ts';
import { useView, useWords } from './view.tsx';

/** What a form shows: the values it was opened or sent with, and what the API had against them. */
export interface FormState {
  values: FormValues;
  problems: readonly Problem[];
  /** What is wrong with the form as a whole, in the reader's language. */
  failure?: string | undefined;
}

export const newForm = (document: unknown = {}): FormState => ({
  values: FormValues.of(document),
  problems: [],
});

/** Labels by the field's path; a row of a list has `*` in place of its number. */
export type Labels = Readonly<Record<string, string>>;

interface Surroundings extends FormState {
  labels: Labels;
  helps: Labels;
  readOnly: boolean;
}
const Surrounding = createContext<Surroundings | null>(null);

function useForm(): Surroundings {
  const form = useContext(Surrounding);
  if (!form) throw new Error('A field stands outside of a form.');
  return form;
}

/** The values of the form around, for parts of it that depend on one another. */
export const useValues = (): FormValues => useForm().values;

const pathOf = (name: string): string => name.replace(/\.(\d+|__N__)(?=\.|$)/g, '.*');
export const fieldId = (name: string): string => `f-${name}`;

interface FormProps {
  action: string;
  state: FormState;
  labels: Labels;
  helps?: Labels;
  /** Someone who may only look sees the same form, and can't change it. */
  readOnly?: boolean;
  /** A form that is sent twice (a double click, a page that is loaded again) does its work once. */
  once?: boolean;
  class?: string;
  encType?: string;
  /** Where the summary's links lead, for forms of which a part stands on another page. */
  summaryHref?: (name: string) => string;
  /** Warns before leaving the page with changes. On by default. */
  guarded?: boolean;
  /** What was typed and not saved is kept under this name until it is (drafts.js). */
  draft?: string;
  /** For parts outside of it that belong to one of its choices. */
  id?: string;
  children: ComponentChildren;
}

/**
 * A form whose fields are named by their dotted paths in the API's document. The API's problems stand beside their
 * fields, and all of them on top with links.
 */
export function Form({
  action,
  state,
  labels,
  helps = {},
  readOnly = false,
  once = false,
  class: className,
  encType,
  guarded = true,
  draft,
  id,
  summaryHref,
  children,
}: FormProps) {
  const { me } = useView();
  const refused = state.problems.length > 0 || state.failure !== undefined;
  const keeps = draft !== undefined && !readOnly;
  return (
    <Surrounding.Provider value={{ ...state, labels, helps, readOnly }}>
      <ProblemSummary
        problems={state.problems}
        failure={state.failure}
        labels={labels}
        {...(summaryHref ? { href: summaryHref } : {})}
      />
      <form
        method="post"
        action={action}
        class={readOnly ? undefined : className}
        encType={encType}
        id={id}
        autocomplete="off"
        data-guarded={guarded && !readOnly ? '' : undefined}
        data-draft={keeps ? `${me?.id ?? 0} ${draft}` : undefined}
        data-refused={refused ? '' : undefined}
        noValidate
      >
        {keeps && <DraftNotice />}
        {once && <input type="hidden" name="once" value={randomUUID()} />}
        {readOnly ? (
          <fieldset disabled class={`plain${className === undefined ? '' : ` ${className}`}`}>
            {children}
          </fieldset>
        ) : (
          children
        )}
      </form>
    </Surrounding.Provider>
  );
}

/** That what was typed before is there again, or can be; shown by drafts.js. */
function DraftNotice() {
  const t = useWords(common);
  return (
    <div class="alert alert-info draft-notice" role="status" data-draft-notice="" hidden>
      <p class="mb-0" data-draft-words="restored">
        {t.draft.restored}
      </p>
      <p class="mb-0" data-draft-words="offered">
        {t.draft.offered}
      </p>
      <div class="buttons">
        <button type="button" class="btn btn-sm" data-draft-apply="" data-draft-words="offered">
          {t.draft.apply}
        </button>
        <button type="button" class="btn btn-sm" data-draft-discard="">
          {t.draft.discard}
        </button>
      </div>
    </div>
  );
}

/** All that keeps a form from being saved, with a link to each field. `href` says where the fields are. */
export function ProblemSummary({
  problems,
  failure,
  labels,
  href = (name) => `#${fieldId(name)}`,
  tone = 'danger',
}: {
  problems: readonly Problem[];
  failure?: string | undefined;
  labels: Labels;
  href?: (name: string) => string;
  /** `warning`: nothing was refused, something is still missing. */
  tone?: 'danger' | 'warning';
}) {
  const t = useWords(common);
  const { locale } = useView();
  if (problems.length === 0 && failure === undefined) return null;
  return (
    <div
      class={`alert alert-${tone} summary`}
      role={tone === 'danger' ? 'alert' : undefined}
      tabIndex={-1}
      data-focus={tone === 'danger' ? '' : undefined}
    >
      <p class="alert-title">{failure ?? t.summary(problems.length)}</p>
      {problems.length > 0 && (
        <ul>
          {problems.map((problem, index) => {
            const label = labels[pathOf(problem.field)];
            return (
              <li key={index}>
                {label !== undefined && (
                  <>
                    <a href={href(problem.field)}>{label}</a>
                    {': '}
                  </>
                )}
                {problemWords(locale, problem)}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

interface FieldProps {
  name: string;
  label?: string;
  help?: ComponentChildren;
  required?: boolean;
  class?: string;
}

/** What all fields have in common: label, help, problems beside it, and the ids that tie them together. */
function useField({ name, label, help }: FieldProps) {
  const { values, problems, labels, helps } = useForm();
  const { locale } = useView();
  const own = problems.filter(({ field }) => field === name || field.startsWith(`${name}.`));
  const helpText = help ?? helps[pathOf(name)];
  const id = fieldId(name);
  const describedBy = [
    ...(helpText === undefined ? [] : [`${id}-help`]),
    ...(own.length === 0 ? [] : [`${id}-problem`]),
  ].join(' ');
  return {
    id,
    value: values.text(name),
    values,
    label: label ?? labels[pathOf(name)] ?? name,
    help: helpText,
    problem: own.length === 0 ? null : own.map((one) => problemWords(locale, one)).join(' '),
    describedBy: describedBy === '' ? undefined : describedBy,
  };
}

function Below({ field }: { field: ReturnType<typeof useField> }) {
  return (
    <>
      {field.problem !== null && (
        <div class="invalid-feedback d-block" id={`${field.id}-problem`}>
          {field.problem}
        </div>
      )}
      {field.help !== undefined && (
        <div class="form-hint" id={`${field.id}-help`}>
          {field.help}
        </div>
      )}
    </>
  );
}

function Label({
  for: target,
  label,
  required,
}: {
  for: string;
  label: string;
  required?: boolean | undefined;
}) {
  return (
    <label class={`form-label${required === true ? ' required' : ''}`} for={target}>
      {label}
    </label>
  );
}

/** Attributes that all controls share. */
const controlOf = (field: ReturnType<typeof useField>, name: string, required: boolean | undefined) => ({
  id: field.id,
  name,
  'aria-describedby': field.describedBy,
  'aria-invalid': field.problem === null ? undefined : ('true' as const),
  'aria-required': required === true ? ('true' as const) : undefined,
});

/** Fields that are one part of the document, as a list is: what is wrong with it as a whole stands under them. */
export function FieldGroup({
  name,
  class: className,
  children,
}: {
  name: string;
  class?: string;
  children: ComponentChildren;
}) {
  const { problems, labels } = useForm();
  const { locale } = useView();
  const own = problems.filter(({ field }) => field === name);
  return (
    <div id={fieldId(name)} class={className} role="group" aria-label={labels[pathOf(name)] ?? name}>
      {children}
      {own.map((problem) => (
        <div key={problem.message} class="invalid-feedback d-block mb-3">
          {problemWords(locale, problem)}
        </div>
      ))}
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  type?:
    'text' | 'password' | 'datetime-local' | 'date' | 'time' | 'number' | 'url' | 'tel' | 'search' | 'file';
  placeholder?: string;
  autocomplete?: string;
  maxLength?: number;
  min?: number;
  max?: number;
  step?: number | 'any';
  /** Names of a `<datalist>`. */
  list?: string;
  accept?: string;
  autofocus?: boolean;
  /** For htmx and scripts. */
  data?: Readonly<Record<string, string>>;
}

export function TextField(props: TextFieldProps) {
  const { name, label, help, required, class: className, data = {}, ...attributes } = props;
  const field = useField({ name, ...(label === undefined ? {} : { label }), help });
  const hidden = attributes.type === 'password' || attributes.type === 'file';
  return (
    <div class={className ?? 'mb-3'}>
      <Label for={field.id} label={field.label} required={required} />
      <input
        autocomplete="off"
        {...(attributes as object)}
        {...data}
        {...controlOf(field, name, required)}
        class={`form-control${field.problem === null ? '' : ' is-invalid'}`}
        // A password is never sent back, and a file can't be.
        value={hidden ? undefined : field.value}
      />
      <Below field={field} />
    </div>
  );
}

export function TextAreaField(
  props: FieldProps & { rows?: number; maxLength?: number; data?: Readonly<Record<string, string>> },
) {
  const { name, required, class: className, rows = 3, maxLength, data = {} } = props;
  const field = useField(props);
  return (
    <div class={className ?? 'mb-3'}>
      <Label for={field.id} label={field.label} required={required} />
      <textarea
        {...data}
        {...controlOf(field, name, required)}
        class={`form-control${field.problem === null ? '' : ' is-invalid'}`}
        rows={rows}
        maxLength={maxLength}
      >
        {field.value}
      </textarea>
      <Below field={field} />
    </div>
  );
}

export interface Option {
  value: string;
  label: string;
  /** Data attributes, for a list that depends on another. */
  data?: Readonly<Record<string, string>>;
}

export function SelectField(
  props: FieldProps & {
    options: readonly Option[];
    /** The words for choosing none; without them one has to be chosen. */
    empty?: string;
    data?: Readonly<Record<string, string>>;
  },
) {
  const { name, required, class: className, options, empty, data = {} } = props;
  const field = useField(props);
  return (
    <div class={className ?? 'mb-3'}>
      <Label for={field.id} label={field.label} required={required} />
      <select
        {...data}
        {...controlOf(field, name, required)}
        class={`form-select${field.problem === null ? '' : ' is-invalid'}`}
      >
        {empty !== undefined && <option value="">{empty}</option>}
        {options.map(({ value, label, data: own = {} }) => (
          <option key={value} value={value} selected={value === field.value} {...own}>
            {label}
          </option>
        ))}
      </select>
      <Below field={field} />
    </div>
  );
}

/** A box to tick. An unticked one sends nothing, which `FormValues.checked` reads as no. */
export function CheckField(props: FieldProps & { data?: Readonly<Record<string, string>> }) {
  const { name, class: className, data = {} } = props;
  const field = useField(props);
  return (
    <div class={className ?? 'mb-3'}>
      <label class="form-check">
        <input
          {...data}
          {...controlOf(field, name, false)}
          type="checkbox"
          class={`form-check-input${field.problem === null ? '' : ' is-invalid'}`}
          checked={field.values.checked(name)}
        />
        <span class="form-check-label">{field.label}</span>
      </label>
      <Below field={field} />
    </div>
  );
}

/** Several boxes of one name, or, with `radio`, one of several. */
export function ChoiceField(
  props: FieldProps & {
    options: readonly (Option & { help?: string })[];
    radio?: boolean;
    /** Beside each other, for short labels. */
    inline?: boolean;
    data?: Readonly<Record<string, string>>;
  },
) {
  const { name, required, class: className, options, radio = false, inline = false, data = {} } = props;
  const field = useField(props);
  const chosen = field.values.all(name);
  return (
    <fieldset class={className ?? 'mb-3'} id={field.id} aria-describedby={field.describedBy}>
      <legend class={`form-label${required === true ? ' required' : ''}`}>{field.label}</legend>
      <div class={inline ? 'choices-inline' : 'choices'}>
        {options.map(({ value, label, help }) => (
          <label key={value} class={`form-check${inline ? ' form-check-inline' : ''}`}>
            <input
              {...data}
              type={radio ? 'radio' : 'checkbox'}
              class="form-check-input"
              name={name}
              value={value}
              checked={chosen.includes(value)}
              aria-invalid={field.problem === null ? undefined : 'true'}
            />
            <span class="form-check-label">{label}</span>
            {help !== undefined && <span class="form-check-description">{help}</span>}
          </label>
        ))}
      </div>
      <Below field={field} />
    </fieldset>
  );
}

/** The buttons at a form's end. `name` and `value` tell the handler which one was used. */
export function Submit({
  children,
  kind = 'primary',
  name,
  value,
}: {
  children: ComponentChildren;
  kind?: 'primary' | 'danger' | 'plain';
  name?: string;
  value?: string;
}) {
  return (
    <button
      type="submit"
      class={kind === 'plain' ? 'btn' : `btn btn-${kind}`}
      name={name}
      value={value}
      data-submit=""
    >
      {children}
    </button>
  );
}

/** A button that does one thing: a form of its own, which works without scripts. */
export function ActionButton({
  action,
  children,
  kind = 'plain',
  small = false,
  values = {},
}: {
  action: string;
  children: ComponentChildren;
  kind?: 'primary' | 'danger' | 'plain';
  small?: boolean;
  values?: Readonly<Record<string, string>>;
}) {
  const { here } = useView();
  return (
    <form method="post" action={action} class="d-inline">
      <input type="hidden" name="back" value={here} />
      {Object.entries(values).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <button
        type="submit"
        class={`btn${kind === 'plain' ? '' : ` btn-${kind}`}${small ? ' btn-sm' : ''}`}
        data-submit=""
      >
        {children}
      </button>
    </form>
  );
}
