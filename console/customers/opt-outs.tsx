import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { newOptOut, optOutList, optOutRemoval } from '../../api/customers/opt-outs.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { AddLink, DownloadLink, SaveOrCancel } from '../kit/buttons.tsx';
import { labeled, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from './words.ts';
import { replyWordTexts } from '../replies/words-reply-words.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Card, Phone, Time } from '../kit/parts.tsx';
import { addForm, addPage, type PageRequest } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { replyWordsPath } from '../replies/reply-words.tsx';
import { useMay, useWords } from '../kit/view.tsx';

const path = '/opt-outs';
const pageSize = 50;
const sources = ['reply', 'provider', 'agent', 'admin'] as const;

/** The phones that have opted out. */
export const optOuts: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'viewer', async ({ api, query }) => {
    const search = api.get('/api/opt-outs', optOutList, { ...query, limit: pageSize });
    return <ListPage {...await searched(query, search)} />;
  });

  addPage(app, `${path}/new`, 'admin', () => <NewPage state={newForm()} />);

  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      await api.send('POST', '/api/opt-outs', readForm(newOptOut, form));
      return { to: path, notice: 'saved' };
    },
    again: (_, state) => <NewPage state={state} />,
  });

  const removePage = async ({ api, id }: PageRequest, state: FormState) => (
    <RemovePage id={id} phone={await phoneOf(api, id)} state={state} />
  );

  addPage(app, `${path}/:id/remove`, 'admin', (request) => removePage(request, newForm()));

  addForm(app, `${path}/:id/remove`, 'admin', {
    send: async ({ api, id, form }) => {
      await api.send('POST', `/api/opt-outs/${id}/remove`, readForm(optOutRemoval, form));
      return { to: path, notice: 'saved' };
    },
    again: removePage,
  });
};

/** Empty for an erased customer. */
async function phoneOf(api: Api, id: number): Promise<string> {
  const { optOuts } = await api.get('/api/opt-outs', optOutList, { before: id + 1, limit: 1 });
  return optOuts.find((one) => one.id === id)?.phone ?? '';
}

function ListPage({ answer, ...list }: Found<z.output<typeof optOutList>>) {
  const t = useWords(customerWords);
  const replyTexts = useWords(replyWordTexts);
  const mayChange = useMay('admin');
  const words = useWords(common);
  return (
    <Page
      title={t.optOuts}
      section="optOuts"
      actions={
        <>
          <DownloadLink href={urlOf('/api/opt-outs.csv', { ...list.query, before: undefined })} />
          <a class="btn" href={replyWordsPath}>
            {replyTexts.page.title}
          </a>
          {mayChange && <AddLink href={`${path}/new`} label={t.addOptOut} />}
        </>
      }
    >
      <List
        {...list}
        path={path}
        caption={t.optOuts}
        filters={[
          { name: 'phone', label: t.anyPhone },
          { name: 'source', label: t.source, options: labeled(sources, t.sources) },
        ]}
        rows={answer?.optOuts ?? []}
        columns={[
          { heading: t.anyPhone, cell: ({ phone }) => (phone === null ? t.erased : <Phone phone={phone} />) },
          { heading: t.source, cell: ({ source, sandbox }) => (sandbox ? t.inSandbox : t.sources[source]) },
          { heading: t.since, cell: ({ at }) => <Time at={at} />, wide: true },
          {
            heading: words.remove,
            shown: mayChange,
            cell: ({ id }) => (
              <a class="btn btn-sm" href={`${path}/${id}/remove`}>
                {words.remove}
              </a>
            ),
          },
        ]}
        pageSize={pageSize}
        icon="optOuts"
        empty={{ title: t.optOutsEmpty, text: t.optOutsEmptyText }}
      />
    </Page>
  );
}

function NewPage({ state }: { state: FormState }) {
  const t = useWords(customerWords);
  return (
    <Page title={t.addOptOut} section="optOuts" trail={[{ href: path, label: t.optOuts }]}>
      <Card narrow>
        <Form
          action={path}
          state={state}
          schema={newOptOut}
          words={{ fields: { ...t.fields, phone: t.anyPhone } }}
          once
        >
          <TextField name="phone" type="tel" autofocus />
          <TextField name="note" />
          <SaveOrCancel back={path} />
        </Form>
      </Card>
    </Page>
  );
}

function RemovePage({ id, phone, state }: { id: number; phone: string; state: FormState }) {
  const t = useWords(customerWords);
  return (
    <Page
      title={t.removeTitle(phone === '' ? t.erased : formatPhone(phone))}
      section="optOuts"
      trail={[{ href: path, label: t.optOuts }]}
    >
      <Card narrow>
        <p>{t.removeNote}</p>
        <Form action={`${path}/${id}/remove`} state={state} schema={optOutRemoval} words={t}>
          <TextField name="note" autofocus />
          <SaveOrCancel kind="danger" words={t.removeOptOut} back={path} />
        </Form>
      </Card>
    </Page>
  );
}
