import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { customerImportView } from '../../api/customers/files.ts';
import { Submit } from '../kit/buttons.tsx';
import { customerImportWords } from './words-import.ts';
import { customerWords } from './words.ts';
import { FileField, FileRefused, useUploadWords } from '../kit/file-field.tsx';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { LineProblems, LineWarnings } from '../kit/line-problems.tsx';
import { Facts } from '../kit/parts.tsx';
import { addPage, addPart } from '../kit/routes.ts';
import { addUpload, forwardedUpload, type Uploaded } from '../kit/uploads.ts';
import { useFormat, useWords } from '../kit/view.tsx';

const path = '/customers/import';
const address = '/api/customers/import';
const maxBytes = 20 * 1024 * 1024;

type Imported = z.output<typeof customerImportView>;

/** Customers from a CSV file. */
export const customerImport: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'operator', () => <ImportPage sent={{}} />);

  await addUpload(app, path, 'operator', {
    maxBytes,
    send: ({ api }, file) => api.upload(address, { method: 'POST', ...file }, customerImportView),
    next: async (_, reply, sent) => reply.page(<ImportPage sent={sent} />, sent.refused?.status ?? 200),
  });

  addPart(
    app,
    `${path}-result`,
    'operator',
    ({ form }) => <ImportBlock sent={forwardedUpload(form, customerImportView)} />,
    { method: 'POST' },
  );
};

function ImportPage({ sent }: { sent: Uploaded<Imported> }) {
  const t = useWords(customerImportWords);
  const customers = useWords(customerWords);
  return (
    <Page
      title={t.title}
      section="customers"
      trail={[{ href: '/customers', label: customers.title }]}
      actions={
        <a class="btn" href="/api/customers/layout" download>
          <Icon name="download" /> {t.layout}
        </a>
      }
    >
      <div class="card narrow">
        <div class="card-body" id="file-block">
          <ImportBlock sent={sent} />
        </div>
      </div>
    </Page>
  );
}

function ImportBlock({ sent: { accepted, refused } }: { sent: Uploaded<Imported> }) {
  const t = useWords(customerImportWords);
  return (
    <>
      {refused && <FileRefused title={t.refused} refused={refused} />}
      {accepted && <ImportResult imported={accepted} />}
      <form
        method="post"
        action={path}
        encType="multipart/form-data"
        data-upload={address}
        data-method="POST"
        {...useUploadWords()}
      >
        <FileField label={t.file} help={t.help} />
        <Submit>{t.upload}</Submit>
      </form>
    </>
  );
}

function ImportResult({ imported }: { imported: z.output<typeof customerImportView> }) {
  const t = useWords(customerImportWords);
  const format = useFormat();
  const { lines, inserted, updated, unchanged, badLines, problems, warnings } = imported;
  return (
    <div
      class={`alert ${badLines === 0 && warnings.lines === 0 ? 'alert-success' : 'alert-warning'}`}
      role="status"
      tabIndex={-1}
      data-focus=""
    >
      <p class="alert-title">{t.done(format.number(lines))}</p>
      <Facts
        facts={[
          [t.inserted, format.number(inserted)],
          [t.updated, format.number(updated)],
          [t.unchanged, format.number(unchanged)],
          [t.badLines, format.number(badLines)],
        ]}
      />
      {problems.length > 0 && (
        <details open>
          <summary>{t.first(format.number(problems.length))}</summary>
          <LineProblems problems={problems} />
        </details>
      )}
      <LineWarnings warnings={warnings} first={warnings.first} />
      <a class="btn btn-sm" href="/customers">
        {t.see}
      </a>
    </div>
  );
}
