import type { ComponentChildren } from 'preact';
import { common } from './words.ts';
import { useWords } from './view.tsx';

/** A part of a form that the server renders again as the user fills in the form. */
export function LivePart({
  from,
  atOnce = false,
  children,
}: {
  /** The address that renders it: the form is posted there. */
  from: string;
  /** Also when the page opens: scripts may have filled in something by then. */
  atOnce?: boolean;
  /** Its content when the page opens. */
  children: ComponentChildren;
}) {
  const t = useWords(common);
  const typed = "input from:'closest form' delay:300ms, change from:'closest form' delay:100ms";
  return (
    <div
      aria-live="polite"
      data-failed={t.partFailed}
      hx-post={from}
      hx-trigger={atOnce ? `load, ${typed}` : typed}
      hx-include="closest form"
      hx-target="this"
      hx-swap="innerHTML"
      hx-sync="this:replace"
    >
      {children}
    </div>
  );
}
