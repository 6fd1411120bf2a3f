import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { newOptOut, optOutList, optOutRemoval, type optOutView } from '../../api/customers/opt-outs.ts';
import { idParams } from '../../api/http/parameters.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { AddLink, DownloadLink, SaveOrCancel, Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Filters, pagesOf, type Query, queryOf, searched } from '../kit/filters.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from './words.ts';
import { replyWordTexts } from '../replies/words-reply-words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Pager, Phone, Table, Time } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { readForm } from '../kit/schema-form.ts';
import { replyWordsPath } from '../replies/reply-words.tsx';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';

const path = '/opt-outs';
const pageSize = 50;
type OptOut = z.output<typeof optOutView>;
const sources = ['reply', 'provider', 'agent', 'admin'] as const;

/** The phones that have opted out. */
export const optOuts: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const query = queryOf(request.query);
    const found = await searched(
      async () => (await api.get('/api/opt-outs', optOutList, { ...query, limit: pageSize })).optOuts,
    );
    return reply.page(<ListPage {...found} query={query} />);
  });

  app.get(`${path}/new`, { config: { access: 'admin' } }, async (_request, reply) =>
    reply.page(<NewPage state={newForm()} />),
  );

  app.post(path, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        await consoleOf(request).api.send('POST', '/api/opt-outs', readForm(newOptOut, form));
        return { to: path, notice: 'saved' };
      },
      (state) => <NewPage state={state} />,
    ),
  );

  app.get<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id/remove`,
    { config: { access: 'admin' }, schema: { params: idParams } },
    async (request, reply) => {
      const phone = await phoneOf(consoleOf(request).api, request.params.id);
      return reply.page(<RemovePage id={request.params.id} phone={phone} state={newForm()} />);
    },
  );

  app.post<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id/remove`,
    { config: { access: 'admin' }, schema: { params: idParams } },
    async (request, reply) => {
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          const removal = readForm(optOutRemoval, form);
          await consoleOf(request).api.send('POST', `/api/opt-outs/${id}/remove`, removal);
          return { to: path, notice: 'saved' };
        },
        async (state) => (
          <RemovePage id={id} phone={await phoneOf(consoleOf(request).api, id)} state={state} />
        ),
      );
    },
  );
};

/** Empty for an erased customer. */
async function phoneOf(api: Api, id: number): Promise<string> {
  const { optOuts } = await api.get('/api/opt-outs', optOutList, { before: id + 1, limit: 1 });
  return optOuts.find((one) => one.id === id)?.phone ?? '';
}

function ListPage({ rows, refusal, query }: Awaited<ReturnType<typeof searched<OptOut>>> & { query: Query }) {
  const t = useWords(customerWords);
  const replyTexts = useWords(replyWordTexts);
  const mayChange = useMay('admin');
  const words = useWords(common);
  const searching = Object.keys(query).length > 0;
  return (
    <Page
      title={t.optOuts}
      section="optOuts"
      actions={
        <>
          <DownloadLink href={urlOf('/api/opt-outs.csv', { ...query, before: undefined })} />
          <a class="btn" href={replyWordsPath}>
            {replyTexts.page.title}
          </a>
          {mayChange && <AddLink href={`${path}/new`} label={t.addOptOut} />}
        </>
      }
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'phone', label: t.anyPhone },
          {
            name: 'source',
            label: t.source,
            options: sources.map((source) => ({ value: source, label: t.sources[source] })),
          },
        ]}
      />
      <Table
        caption={t.optOuts}
        rows={rows}
        columns={[
          { heading: t.anyPhone, cell: ({ phone }) => (phone === null ? t.erased : <Phone phone={phone} />) },
          { heading: t.source, cell: ({ source, sandbox }) => (sandbox ? t.inSandbox : t.sources[source]) },
          { heading: t.since, cell: ({ at }) => <Time at={at} />, wide: true },
          ...(mayChange
            ? [
                {
                  heading: words.remove,
                  cell: ({ id }: OptOut) => (
                    <a class="btn btn-sm" href={`${path}/${id}/remove`}>
                      {words.remove}
                    </a>
                  ),
                },
              ]
            : []),
        ]}
        empty={
          <Empty
            icon="optOuts"
            title={t.optOutsEmpty}
            text={searching ? t.nothingFound : t.optOutsEmptyText}
          />
        }
      />
      <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
    </Page>
  );
}

function NewPage({ state }: { state: FormState }) {
  const t = useWords(customerWords);
  return (
    <Page title={t.addOptOut} section="optOuts" trail={[{ href: path, label: t.optOuts }]}>
      <div class="narrow">
        <Card>
          <Form
            action={path}
            state={state}
            schema={newOptOut}
            labels={{ ...t.fields, phone: t.anyPhone }}
            once
          >
            <TextField name="phone" type="tel" autofocus />
            <TextField name="note" />
            <SaveOrCancel back={path} />
          </Form>
        </Card>
      </div>
    </Page>
  );
}

function RemovePage({ id, phone, state }: { id: number; phone: string; state: FormState }) {
  const t = useWords(customerWords);
  const words = useWords(common);
  return (
    <Page
      title={t.removeTitle(phone === '' ? t.erased : formatPhone(phone))}
      section="optOuts"
      trail={[{ href: path, label: t.optOuts }]}
    >
      <div class="narrow">
        <Card>
          <p>{t.removeNote}</p>
          <Form action={`${path}/${id}/remove`} state={state} schema={optOutRemoval} labels={t.fields}>
            <TextField name="note" autofocus />
            <div class="buttons">
              <Submit kind="danger">{t.removeOptOut}</Submit>
              <a class="btn" href={path}>
                {words.cancel}
              </a>
            </div>
          </Form>
        </Card>
      </div>
    </Page>
  );
}
