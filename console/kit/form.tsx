import { randomUUID } from 'node:crypto';
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import { FormValues } from './form-data.ts';
import { common } from './words.ts';
import { problemWords } from './problems.ts';
import { useView, useWords } from './view.tsx';

/** What a form shows: the values it was opened or sent with, and what the API had against them. */
export interface FormState {
  values: FormValues;
  problems: readonly AnsweredProblem[];
  /** What is wrong with the form as a whole, in the reader's language. */
  failure?: string | undefined;
  /** The values are not those that are saved. */
  typed?: boolean;
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

/** The form around a field. */
export function useForm(): Surroundings {
  const form = useContext(Surrounding);
  if (!form) throw new Error('A field stands outside of a form.');
  return form;
}

/** The values of the form around, for parts of it that depend on one another. */
export const useValues = (): FormValues => useForm().values;

/** A field's place among the labels. */
export const pathOf = (name: string): string => name.replace(/\.(\d+|__N__)(?=\.|$)/g, '.*');
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
  const refused = state.problems.length > 0 || state.failure !== undefined || state.typed === true;
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
  problems: readonly AnsweredProblem[];
  failure?: string | undefined;
  labels: Labels;
  href?: (name: string) => string;
  /** `warning`: nothing was refused, something is still missing. */
  tone?: 'danger' | 'warning';
}) {
  const t = useWords(common);
  const { format } = useView();
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
                {problemWords(format, problem)}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
