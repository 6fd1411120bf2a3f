import type { FastifyPluginAsync } from 'fastify';
import { companyContent, companyView } from '../../api/settings/company.ts';
import { logoTypes, maxLogoBytes, maxLogoPixels } from '../../domain/company.ts';
import type { ApiFailure } from '../kit/api.ts';
import { ActionButton, Save, Submit } from '../kit/buttons.tsx';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { allProblemWords } from '../kit/problems.ts';
import { addAction } from '../kit/routes.ts';
import { addUpload } from '../kit/uploads.ts';
import { type Company, useFormat, useWords } from '../kit/view.tsx';
import { companyWords } from './words-company.ts';

const path = '/settings/company';
const logoPath = `${path}/logo`;
const address = '/api/settings/company';
/** A form around the file needs some room; the API has the exact limit, and its words. */
const maxFormBytes = 4 * maxLogoBytes;

/** The company's name and logo. */
export const companyPages: FastifyPluginAsync = async (app) => {
  const show = addDocument(app, {
    path,
    api: address,
    schema: companyView,
    change: companyContent,
    page: (_, form, { document, more }: { document: Company; more: ApiFailure | undefined }) => (
      <CompanyPage company={document} form={form} refused={more} />
    ),
  });

  await addUpload(app, logoPath, 'admin', {
    maxBytes: maxFormBytes,
    send: ({ api }, file) => api.upload(`${address}/logo`, file, companyView),
    next: async (request, reply, { refused }) =>
      refused
        ? reply.page(await show(request, refused), refused.status)
        : reply.done(path, { words: companyWords[request.view.locale].notices.uploaded }),
  });

  addAction(app, `${logoPath}/remove`, 'admin', {
    work: async ({ api, view }) => {
      await api.send('DELETE', `${address}/logo`);
      return { to: path, notice: { words: companyWords[view.locale].notices.removed } };
    },
    otherwise: () => path,
  });
};

function CompanyPage({
  company,
  form,
  refused,
}: {
  company: Company;
  form: DocumentForm;
  /** Why the file was not taken. */
  refused: ApiFailure | undefined;
}) {
  const t = useWords(companyWords);
  return (
    <SettingsPage title={t.page.title}>
      <p class="text-secondary">{t.intro}</p>
      <Card>
        <Form {...form} words={t}>
          <TextField name="name" class="mb-3 narrow" autocomplete="organization" />
          <Save />
        </Form>
      </Card>
      <Card title={t.logo}>
        <Logo company={company} refused={refused} mayChange={form.readOnly !== true} />
      </Card>
    </SettingsPage>
  );
}

function Logo({
  company: { logo },
  refused,
  mayChange,
}: {
  company: Company;
  refused: ApiFailure | undefined;
  mayChange: boolean;
}) {
  const t = useWords(companyWords);
  const format = useFormat();
  return (
    <>
      {refused && (
        <p class="alert alert-danger" role="alert">
          {allProblemWords(format, refused)}
        </p>
      )}
      {logo ? (
        <figure>
          <img class="logo" src={logo.url} width={logo.width} height={logo.height} alt={t.logo} />
          <figcaption class="form-hint">
            {t.facts(
              logo.type.slice('image/'.length).toUpperCase(),
              format.number(logo.width),
              format.number(logo.height),
            )}
          </figcaption>
        </figure>
      ) : (
        <p class="text-secondary">{t.noLogo}</p>
      )}
      {mayChange && (
        <>
          <form method="post" action={logoPath} encType="multipart/form-data" class="mb-2">
            <label class="form-label" for="file">
              {t.fields.file}
            </label>
            <input
              class="form-control narrow mb-1"
              type="file"
              id="file"
              name="file"
              accept={logoTypes.join(',')}
              aria-describedby="file-help"
              required
            />
            <p class="form-hint" id="file-help">
              {t.fileHelp(format.bytes(maxLogoBytes), format.number(maxLogoPixels))}
            </p>
            <Submit kind="plain">{logo ? t.replace : t.upload}</Submit>
          </form>
          {logo && <ActionButton action={`${logoPath}/remove`}>{t.removeLogo}</ActionButton>}
        </>
      )}
    </>
  );
}
