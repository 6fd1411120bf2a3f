import { common } from './words.ts';
import { useWords } from './view.tsx';

/** A text to be pasted elsewhere: the user selects it, or with scripts copies it with a button (console.js). */
export function CopyField({ id, label, value }: { id: string; label: string; value: string }) {
  const t = useWords(common);
  return (
    <div class="mb-3">
      <label class="form-label" for={id}>
        {label}
      </label>
      <div class="input-group">
        <input class="form-control" id={id} value={value} readOnly />
        <button type="button" class="btn" data-copy={id} data-copied={t.copied} hidden>
          {t.copy}
        </button>
      </div>
    </div>
  );
}
