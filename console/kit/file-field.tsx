import type { ComponentChildren } from 'preact';
import type { ApiFailure } from './api.ts';
import { allProblemWords } from './problems.ts';
import { useFormat, useWords } from './view.tsx';
import { lineWords } from './words-lines.ts';

/** The texts that forms.js shows while it uploads a file; on the form. */
export function useUploadWords() {
  const { uploading, checking } = useWords(lineWords);
  return { 'data-uploading': uploading, 'data-checking': checking };
}

/** A CSV file to upload, with its progress. `form`: the id of its form, if that is elsewhere on the page. */
export function FileField({
  label,
  help,
  form,
}: {
  label: string;
  help: ComponentChildren;
  form?: string | undefined;
}) {
  const t = useWords(lineWords);
  return (
    <>
      <label class="form-label" for="file">
        {label}
      </label>
      <input
        class="form-control mb-2"
        type="file"
        id="file"
        name="file"
        form={form}
        accept=".csv,text/csv,text/plain"
        aria-describedby="file-help"
        required
      />
      <p class="form-hint" id="file-help">
        {help}
      </p>
      <div class="upload-progress mb-3" data-upload-progress="" hidden>
        <p role="status" class="mb-1" />
        <progress class="progress mb-2" max={100} value={0} aria-label={t.uploading} />
        <button type="button" class="btn btn-sm" data-cancel="">
          {t.cancel}
        </button>
      </div>
    </>
  );
}

/** What was expected, what was found, and where: the user fixes the file outside of the console. */
export function FileRefused({ title, refused }: { title: string; refused: ApiFailure }) {
  const t = useWords(lineWords);
  const format = useFormat();
  const { line, expected, found } = refused.details;
  const words = allProblemWords(format, refused);
  const where = typeof line === 'number' && !words.includes(String(line)) ? line : null;
  return (
    <div class="alert alert-danger" role="alert" tabIndex={-1} data-focus="">
      <p class="alert-title">{title}</p>
      <p class="mb-1">
        {where === null ? '' : `${t.line} ${format.number(where)}: `}
        {words}
      </p>
      {typeof expected === 'string' && (
        <p class="mb-1">
          {t.expected}: <code>{expected}</code>
        </p>
      )}
      {typeof found === 'string' && (
        <p class="mb-0">
          {t.found}: <code>{found}</code>
        </p>
      )}
    </div>
  );
}
