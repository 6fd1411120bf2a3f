import type { ComponentChildren } from 'preact';
import { fieldId, pathOf, useForm } from './form.tsx';
import { problemWords } from './problems.ts';
import { useView } from './view.tsx';

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
    value: values.text(name),
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
