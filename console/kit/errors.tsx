import { type Permission, permissions } from '../../domain/user.ts';
import { common } from './words.ts';
import { DoorPage, Page } from './layout.tsx';
import { useView, useWords } from './view.tsx';

/** A page that could not be shown, and how to continue. */
export function ErrorPage({ words, requestId }: { words: string; requestId: string }) {
  const t = useWords(common);
  const { me, here } = useView();
  const content = (
    <>
      <p>{words}</p>
      <p class="text-secondary">{t.errors.requestId(requestId)}</p>
      <div class="buttons">
        <a class="btn btn-primary" href={here}>
          {t.errors.retry}
        </a>
        <a class="btn" href="/">
          {t.errors.home}
        </a>
      </div>
    </>
  );
  if (!me) return <DoorPage title={t.errors.broken}>{content}</DoorPage>;
  return <Page title={t.errors.broken}>{content}</Page>;
}

export function NotFoundPage() {
  const t = useWords(common);
  return (
    <Page title={t.errors.notFound}>
      <p>{t.errors.notFoundText}</p>
      <a class="btn btn-primary" href="/">
        {t.errors.home}
      </a>
    </Page>
  );
}

export function ForbiddenPage({ needs }: { needs: Permission }) {
  const t = useWords(common);
  const { locale, format } = useView();
  const allowed = format.list(permissions[needs].map((role) => t.roles[role]));
  return (
    <Page title={t.errors.forbidden}>
      <p>
        {locale === 'en'
          ? `Roles that may open this page: ${allowed}.`
          : `Perfis que podem abrir esta página: ${allowed}.`}
      </p>
      <a class="btn btn-primary" href="/">
        {t.errors.home}
      </a>
    </Page>
  );
}
