import type { FastifyInstance } from 'fastify';
import type { ComponentChildren } from 'preact';
import { ActionButton } from './buttons.tsx';
import { Page, type Section } from './layout.tsx';
import type { Done } from './responses.tsx';
import { type Access, addAction, addPage, type PageRequest } from './routes.ts';
import { useView, useWords } from './view.tsx';
import { common } from './words.ts';

interface Question {
  title: string;
  /** The effect, with the number of affected items. */
  text: ComponentChildren;
  /** Below it, details longer than a sentence. */
  details?: ComponentChildren;
  /** Replaces "this can't be undone". */
  note?: string | undefined;
  button: string;
  /** Another action than that of the page. */
  action?: string;
  /** Replaces "cancel", where the action itself is a cancel. */
  backWords?: string;
}

interface ConfirmedRoute {
  section: Section;
  /** The page with the link to the question. */
  back: (request: PageRequest) => string;
  /** Null: an outdated page has led here, and there is nothing to confirm. */
  ask: (request: PageRequest) => Question | null | Promise<Question | null>;
  work: (request: PageRequest) => Promise<Done>;
}

/** An irreversible action and, at the same address, the page that asks for its confirmation. */
export function addConfirmed(
  app: FastifyInstance,
  path: string,
  access: Access,
  { section, back, ask, work }: ConfirmedRoute,
): void {
  addPage(app, path, access, async (request) => {
    const question = await ask(request);
    return question ? (
      <ConfirmPage section={section} back={back(request)} {...question} />
    ) : (
      { to: back(request) }
    );
  });
  addAction(app, path, access, { work, otherwise: back });
}

function ConfirmPage({
  title,
  section,
  text,
  details,
  note,
  button,
  action,
  back,
  backWords,
}: Question & { section: Section; back: string }) {
  const t = useWords(common);
  const { here } = useView();
  return (
    <Page title={title} section={section}>
      <div class="card narrow">
        <div class="card-body">
          <p>{text}</p>
          {details}
          <p class="text-secondary">{note ?? t.cantUndo}</p>
          <div class="buttons">
            <ActionButton action={action ?? here} kind="danger">
              {button}
            </ActionButton>
            <a class="btn" href={back}>
              {backWords ?? t.cancel}
            </a>
          </div>
        </div>
      </div>
    </Page>
  );
}
