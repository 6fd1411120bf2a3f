import { randomUUID } from 'node:crypto';
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import { type ApiFailure, versionField } from './api.ts';
import type { z } from 'zod';
import { FormValues } from './form-data.ts';
import { problemsInRows, withoutBlankRows } from './schema-form.ts';
import { common } from './words.ts';
import { allProblemWords, problemWords } from './problems.ts';
import { useView, useWords } from './view.tsx';

/** The state of a form: the values it was opened or sent with, and the API's problems with them. */
export interface FormState {
  values: FormValues;
  problems: readonly AnsweredProblem[];
  /** The problem of the form as a whole, in the reader's language. */
  failure?: string | undefined;
  /** The values differ from the saved ones. */
  typed?: boolean;
}

export const newForm = (document: unknown = {}): FormState => ({
  values: FormValues.of(document),
  problems: [],
});

/** Labels by the field's path; in the path of a list's row, `*` replaces the number. */
export type Labels = Readonly<Record<string, string>>;

interface Surroundings extends FormState {
  labels: Labels;
  helps: Labels;
  readOnly: boolean;
  schema?: z.ZodType | undefined;
}
const Surrounding = createContext<Surroundings | null>(null);

/** The form that contains a field. */
export function useForm(): Surroundings {
  const form = useContext(Surrounding);
  if (!form) throw new Error('A field is outside a form.');
  return form;
}

/** Whether the surrounding form, if any, may only be read. */
export const useReadOnly = (): boolean => useContext(Surrounding)?.readOnly ?? false;

/** The values of the form, for parts of it that depend on one another. */
export const useValues = (): FormValues => useForm().values;

/** The path of a field in the labels. */
export const pathOf = (name: string): string => name.replace(/\.(\d+|__N__)(?=\.|$)/g, '.*');
export const fieldId = (name: string): string => `f-${name}`;

export interface FormProps {
  action: string;
  state: FormState;
  /** The document's schema: it sets the limits of the fields. */
  schema?: z.ZodType;
  /** The labels and help texts of the fields. */
  words: { fields: Labels; helps?: Labels };
  /** A user with read access sees the same form, and cannot change it. */
  readOnly?: boolean;
  /** A form that is sent twice (by a double click or a reload) takes effect once. */
  once?: boolean;
  class?: string;
  encType?: string;
  /** The targets of the summary's links, for forms with parts on another page. */
  summaryHref?: (name: string) => string;
  /** Warns before leaving the page with changes. On by default. */
  guarded?: boolean;
  /** Unsaved values are stored under this name until they are saved (drafts.js). */
  draft?: string;
  /** The API path of the document: a change is rejected if the document has changed since it was read for this page. */
  changes?: string | undefined;
  /** For parts outside of the form that belong to one of its choices. */
  id?: string;
  /** The page creates an entry: the back button does not show it again once it has (drafts.js). */
  creates?: boolean;
  children: ComponentChildren;
}

/**
 * A form whose fields are named by their dotted paths in the API's document. Each field shows its problems, and a
 * summary on top lists them all with links.
 */
export function Form({
  action,
  state: given,
  schema,
  words: { fields: labels, helps = {} },
  readOnly = false,
  once = false,
  class: className,
  encType,
  guarded = true,
  draft,
  id,
  summaryHref,
  changes,
  creates = false,
  children,
}: FormProps) {
  const { me, versions } = useView();
  const state = schema ? inRows(schema, given) : given;
  const version = changes === undefined ? undefined : versions.get(changes);
  const refused = state.problems.length > 0 || state.failure !== undefined || state.typed === true;
  const keeps = draft !== undefined && !readOnly;
  return (
    <Surrounding.Provider value={{ ...state, labels, helps, readOnly, schema }}>
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
        data-new={creates ? '' : undefined}
        noValidate
      >
        {keeps && <DraftNotice />}
        {version !== undefined && <input type="hidden" name={versionField} value={version} />}
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

/** Rows as the API has counted them, each with its problems. */
function inRows(schema: z.ZodType, state: FormState): FormState {
  const values = withoutBlankRows(schema, state.values);
  return { ...state, values, problems: problemsInRows(schema, values, state.problems) };
}

/** The notice that earlier values were restored, or can be; shown by drafts.js. */
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

/** Problems, each after the label of its field; `href` returns the page of a field. */
export function ProblemList({
  problems,
  labels,
  href,
}: {
  problems: readonly AnsweredProblem[];
  labels: Labels;
  href?: (name: string) => string;
}) {
  const { format } = useView();
  return (
    <ul class="mb-0">
      {problems.map((problem, index) => {
        const label = labels[pathOf(problem.field)];
        return (
          <li key={index}>
            {label !== undefined && (href ? <a href={href(problem.field)}>{label}</a> : label)}
            {label !== undefined && ': '}
            {problemWords(format, problem)}
          </li>
        );
      })}
    </ul>
  );
}

/** An action that the API refused. `alone`: its problems belong to no field. */
export function RefusedAlert({
  title,
  refused,
  labels,
  alone = false,
}: {
  title: string;
  refused: ApiFailure;
  labels: Labels;
  alone?: boolean;
}) {
  const { format } = useView();
  return (
    <div class="alert alert-danger mb-0" role="alert" tabIndex={-1} data-focus="">
      <p class="alert-title">{title}</p>
      {alone || refused.problems.length === 0 ? (
        <p class="mb-0">{allProblemWords(format, refused)}</p>
      ) : (
        <ProblemList problems={refused.problems} labels={labels} />
      )}
    </div>
  );
}

/** Everything that prevents saving, with a link to each field. `href` returns the page of the fields. */
export function ProblemSummary({
  problems,
  failure,
  labels,
  href = (name) => `#${fieldId(name)}`,
  tone = 'danger',
}: {
  problems: readonly AnsweredProblem[];
  failure?: string | undefined;
  labels: Labels;
  href?: (name: string) => string;
  /** `warning`: the form was saved, but is incomplete. */
  tone?: 'danger' | 'warning';
}) {
  const t = useWords(common);
  if (problems.length === 0 && failure === undefined) return null;
  return (
    <div
      class={`alert alert-${tone} summary`}
      role={tone === 'danger' ? 'alert' : undefined}
      tabIndex={-1}
      data-focus={tone === 'danger' ? '' : undefined}
    >
      <p class="alert-title">{failure ?? t.summary(problems.length)}</p>
      {problems.length > 0 && <ProblemList problems={problems} labels={labels} href={href} />}
    </div>
  );
}
