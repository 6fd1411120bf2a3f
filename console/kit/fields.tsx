import type { ComponentChildren } from 'preact';
import { type Entry, optionsOf } from './choices.ts';
import { fieldId, pathOf, useForm } from './form.tsx';
import { problemWords } from './problems.ts';
import { type Limits, limitsOf } from './schema-form.ts';
import { Icon } from './icons.tsx';
import { useView, useWords } from './view.tsx';
import { common } from './words.ts';

interface FieldProps {
  name: string;
  label?: string;
  help?: ComponentChildren;
  required?: boolean;
  class?: string;
}

/** The shared parts of all fields: label, help, problems, and the ids that connect them. */
function useField({ name, label, help, required }: FieldProps) {
  const { values, problems, labels, helps, schema } = useForm();
  const limits: Limits = schema ? limitsOf(schema, name) : {};
  const { format } = useView();
  const own = problems.filter(({ field }) => field === name || field.startsWith(`${name}.`));
  const helpText = help ?? helps[pathOf(name)];
  const id = fieldId(name);
  const describedBy = [
    ...(helpText === undefined ? [] : [`${id}-help`]),
    ...(own.length === 0 ? [] : [`${id}-problem`]),
  ].join(' ');
  return {
    id,
    limits: { ...limits, required: required ?? limits.required },
    values,
    label: label ?? labels[pathOf(name)] ?? name,
    help: helpText,
    problem: own.length === 0 ? null : own.map((one) => problemWords(format, one)).join(' '),
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

/** A control with its label, its problem and its help text. */
function Labeled({
  field,
  class: className = 'mb-3',
  children,
}: {
  field: ReturnType<typeof useField>;
  class?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <div class={className}>
      <label class={`form-label${field.limits.required === true ? ' required' : ''}`} for={field.id}>
        {field.label}
      </label>
      {children}
      <Below field={field} />
    </div>
  );
}

/** Attributes that all controls share. `look`: the class of their kind. */
const controlOf = (field: ReturnType<typeof useField>, name: string, look: string) => ({
  id: field.id,
  class: field.problem === null ? look : `${look} is-invalid`,
  name,
  'aria-describedby': field.describedBy,
  'aria-invalid': field.problem === null ? undefined : ('true' as const),
  'aria-required': field.limits.required === true ? ('true' as const) : undefined,
});

/** Fields that form one part of the document, such as a list: problems of the whole are shown below them. */
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
  const { format } = useView();
  const own = problems.filter(({ field }) => field === name);
  return (
    <div id={fieldId(name)} class={className} role="group" aria-label={labels[pathOf(name)] ?? name}>
      {children}
      {own.map((problem) => (
        <div key={problem.message} class="invalid-feedback d-block mb-3">
          {problemWords(format, problem)}
        </div>
      ))}
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  type?:
    | 'text'
    | 'password'
    | 'email'
    | 'datetime-local'
    | 'date'
    | 'time'
    | 'number'
    | 'url'
    | 'tel'
    | 'search'
    | 'file';
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
  const t = useWords(common);
  const { name, type, class: className, data = {}, placeholder, autocomplete = 'off' } = props;
  const { maxLength, min, max, step, list, accept, autofocus } = props;
  const field = useField(props);
  const { limits } = field;
  const hidden = type === 'password' || type === 'file';
  const range = type === 'number' ? { min: min ?? limits.min, max: max ?? limits.max } : { min, max };
  // Preact's types know no input whose type is a variable.
  const attributes: object = {
    type,
    placeholder,
    autocomplete,
    step,
    list,
    accept,
    autofocus,
    maxLength: maxLength ?? limits.maxLength,
    ...range,
  };
  const input = (
    <input
      {...attributes}
      {...data}
      {...controlOf(field, name, 'form-control')}
      // A password is never sent back, and a file cannot be.
      value={hidden ? undefined : field.values.all(name).join(', ')}
    />
  );
  return (
    <Labeled field={field} class={className}>
      {type === 'password' ? (
        <div class="password-field">
          {input}
          {/* Shown by forms.js: it needs a script. */}
          <button
            type="button"
            class="btn btn-icon"
            aria-label={t.showPassword}
            aria-pressed="false"
            aria-controls={field.id}
            data-show-password=""
            hidden
          >
            <Icon name="eye" />
          </button>
        </div>
      ) : (
        input
      )}
    </Labeled>
  );
}

export function TextAreaField(
  props: FieldProps & { rows?: number; maxLength?: number; data?: Readonly<Record<string, string>> },
) {
  const { name, class: className, rows = 3, maxLength, data = {} } = props;
  const field = useField(props);
  return (
    <Labeled field={field} class={className}>
      <textarea
        {...data}
        {...controlOf(field, name, 'form-control')}
        rows={rows}
        maxLength={maxLength ?? field.limits.maxLength}
      >
        {field.values.all(name).join('\n')}
      </textarea>
    </Labeled>
  );
}

export interface Option {
  value: string;
  label: string;
  /** Data attributes, for a list that depends on another. */
  data?: Readonly<Record<string, string>>;
}

/** Choices with their labels. */
export const labeled = <K extends string>(
  values: readonly K[],
  labels: Readonly<Record<K, string>>,
): Option[] => values.map((value) => ({ value, label: labels[value] }));

/** All choices that have a label. */
export const allOf = (labels: Readonly<Record<string, string>>): Option[] =>
  labeled(Object.keys(labels), labels);

/** The options of a select. */
export const Options = ({ options, chosen }: { options: readonly Option[]; chosen?: string | undefined }) => (
  <>
    {options.map(({ value, label, data = {} }) => (
      <option key={value} value={value} selected={value === chosen} {...data}>
        {label}
      </option>
    ))}
  </>
);

export function SelectField(
  props: FieldProps & {
    options: readonly Option[];
    /** The label of the empty choice; without it a choice is required. */
    empty?: string;
    data?: Readonly<Record<string, string>>;
  },
) {
  const { name, class: className, options, empty, data = {} } = props;
  // A field that always has a value needs no `required`.
  const field = useField(empty === undefined ? { required: false, ...props } : props);
  return (
    <Labeled field={field} class={className}>
      <select {...data} {...controlOf(field, name, 'form-select')}>
        {empty !== undefined && <option value="">{empty}</option>}
        <Options options={options} chosen={field.values.text(name)} />
      </select>
    </Labeled>
  );
}

/** A choice among entries; archived ones are offered only where they are chosen. `noneYet`: the help without any. */
export function EntryField({
  entries,
  noneYet,
  ...props
}: FieldProps & { entries: readonly Entry[]; empty?: string; noneYet?: ComponentChildren }) {
  const options = optionsOf(entries, useForm().values.text(props.name));
  return (
    <SelectField
      {...props}
      {...(options.length === 0 && noneYet ? { help: noneYet } : {})}
      options={options}
    />
  );
}

/** A checkbox. An unchecked one sends nothing, which `FormValues.checked` reads as false. */
export function CheckField(props: FieldProps & { data?: Readonly<Record<string, string>> }) {
  const { name, class: className, data = {} } = props;
  const field = useField(props);
  return (
    <div class={className ?? 'mb-3'}>
      <label class="form-check">
        <input
          {...data}
          {...controlOf(field, name, 'form-check-input')}
          type="checkbox"
          checked={field.values.checked(name)}
        />
        <span class="form-check-label">{field.label}</span>
      </label>
      <Below field={field} />
    </div>
  );
}

/** Several checkboxes with one name, or, with `radio`, a single choice. */
export function ChoiceField(
  props: FieldProps & {
    options: readonly (Option & { help?: string })[];
    radio?: boolean;
    /** Side by side, for short labels. */
    inline?: boolean;
    data?: Readonly<Record<string, string>>;
  },
) {
  const { name, class: className, options, radio = false, inline = false, data = {} } = props;
  const field = useField(props);
  const chosen = field.values.all(name);
  return (
    <fieldset class={className ?? 'mb-3'} id={field.id} aria-describedby={field.describedBy}>
      <legend class={`form-label${field.limits.required === true ? ' required' : ''}`}>{field.label}</legend>
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
