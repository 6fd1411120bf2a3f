import type { FastifyPluginAsync } from 'fastify';
import { companyContent, companyView } from '../../api/settings/company.ts';
import { logoTypes, maxLogoBytes, maxLogoPixels } from '../../domain/company.ts';
import type { ApiFailure } from '../kit/api.ts';
import { ActionButton, Save, Submit } from '../kit/buttons.tsx';
import { addDocument } from '../kit/document.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { failureWords, problemWords } from '../kit/problems.ts';
import type { ConsoleRequest } from '../kit/request.ts';
import { addAction } from '../kit/routes.ts';
import { addUpload } from '../kit/uploads.ts';
import { type Company, useFormat, useMay, useWords } from '../kit/view.tsx';
import { companyWords } from './words-company.ts';

const path = '/settings/company';
const logoPath = `${path}/logo`;
const address = '/api/settings/company';
/** A form around the file needs some room; the API has the exact limit, and its words. */
const maxFormBytes = 4 * maxLogoBytes;

/** The company's name and logo. */
export const companyPages: FastifyPluginAsync = async (app) => {
  const pageOf = async ({ api, view }: ConsoleRequest, state: FormState | null, refused?: ApiFailure) => {
    const company = await api.get(address, companyView);
    return (
      <CompanyPage
        company={company}
        state={state ?? newForm({ name: company.name })}
        refused={
          refused &&
          (refused.problems.map((problem) => problemWords(view.format, problem)).join(' ') ||
            failureWords(view.format, refused))
        }
      />
    );
  };

  addDocument(app, { path, api: address, schema: companyContent, page: pageOf });

  await addUpload(app, logoPath, 'admin', {
    maxBytes: maxFormBytes,
    send: ({ api }, file) => api.upload(`${address}/logo`, file, companyView),
    next: async (request, reply, { refused }) =>
      refused
        ? reply.page(await pageOf(request, null, refused), refused.status)
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
  state,
  refused,
}: {
  company: Company;
  state: FormState;
  /** Why the file was not taken. */
  refused?: string | undefined;
}) {
  const t = useWords(companyWords);
  const mayChange = useMay('admin');
  return (
    <SettingsPage title={t.page.title}>
      <p class="text-secondary">{t.intro}</p>
      <Card>
        <Form
          action={path}
          changes={address}
          state={state}
          schema={companyContent}
          labels={t.fields}
          helps={{ name: t.helps.name }}
          readOnly={!mayChange}
        >
          <TextField name="name" class="mb-3 narrow" autocomplete="organization" />
          <Save />
        </Form>
      </Card>
      <Card title={t.logo}>
        <Logo company={company} refused={refused} mayChange={mayChange} />
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
  refused: string | undefined;
  mayChange: boolean;
}) {
  const t = useWords(companyWords);
  const format = useFormat();
  return (
    <>
      {refused !== undefined && (
        <p class="alert alert-danger" role="alert">
          {refused}
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
              {t.helps.file(format.bytes(maxLogoBytes), format.number(maxLogoPixels))}
            </p>
            <Submit kind="plain">{logo ? t.replace : t.upload}</Submit>
          </form>
          {logo && <ActionButton action={`${logoPath}/remove`}>{t.removeLogo}</ActionButton>}
        </>
      )}
    </>
  );
}
