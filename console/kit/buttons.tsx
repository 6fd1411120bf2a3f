import { randomUUID } from 'node:crypto';
import type { ComponentChildren } from 'preact';
import { common } from './words.ts';
import { useReadOnly } from './form.tsx';
import { Icon } from './icons.tsx';
import { useView, useWords } from './view.tsx';

/** A button at the end of a form; none if the user may only read it. `name` and `value` identify it to the handler. */
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
  if (useReadOnly()) return null;
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

/** A button with one action: a separate form, which works without scripts. */
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
      <input type="hidden" name="once" value={randomUUID()} />
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

/** The end of a form that stays on its page. */
export const Save = ({ kind = 'primary' }: { kind?: 'primary' | 'plain' }) => (
  <Submit kind={kind}>{useWords(common).save}</Submit>
);

/** The end of a form with a page of its own: a save button, or a link back. `words`: replaces "save". */
export function SaveOrCancel({
  back,
  words,
  kind = 'primary',
}: {
  back: string;
  words?: string;
  kind?: 'primary' | 'danger';
}) {
  const t = useWords(common);
  if (useReadOnly()) return null;
  return (
    <div class="buttons">
      <Submit kind={kind}>{words ?? t.save}</Submit>
      <a class="btn" href={back}>
        {t.cancel}
      </a>
    </div>
  );
}

/** Beside the title of a list: the link to create an entry. */
export const AddLink = ({ href, label }: { href: string; label: string }) => (
  <a class="btn btn-primary" href={href}>
    <Icon name="plus" /> {label}
  </a>
);

/** Beside the title of a list: its contents as a CSV file. */
export function DownloadLink({ href, label }: { href: string; label?: string }) {
  const t = useWords(common);
  return (
    <a class="btn" href={href} download>
      <Icon name="download" /> {label ?? t.download}
    </a>
  );
}
