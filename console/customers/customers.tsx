import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { consentStatement, customerList, customerView } from '../../api/customers/customers.ts';
import { customerContent } from '../../domain/customer.ts';
import { idParams } from '../../api/http/parameters.ts';
import { urlOf } from '../kit/api.ts';
import { DownloadLink, AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { ConsentState, type Customer, customerPage, customersPath, DataFields } from './page.tsx';
import { type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { Filters, pagesOf, type Query, queryOf, searched } from '../kit/filters.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, ConfirmPage, Empty, Pager, Phone, State, Table } from '../kit/parts.tsx';
import { act, submit } from '../kit/responses.tsx';
import { readForm } from '../kit/schema-form.ts';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';

const pageSize = 50;
type Params = { Params: z.infer<typeof idParams> };
const schema = { params: idParams };
const readOne = { config: { access: 'any_role' }, schema } as const;
const changeOne = { config: { access: 'operator' }, schema } as const;
const deleteOne = { config: { access: 'admin' }, schema } as const;

/** The customers in the database, and their consent. */
export const customers: FastifyPluginAsync = async (app) => {
  app.get(customersPath, { config: { access: 'any_role' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const query = queryOf(request.query);
    let more = false;
    const found = await searched(async () => {
      const list = await api.get('/api/customers', customerList, { ...query, limit: pageSize });
      more = list.more;
      return list.customers;
    });
    return reply.page(<ListPage {...found} more={more} query={query} />);
  });

  app.get(`${customersPath}/new`, { config: { access: 'operator' } }, async (request, reply) => {
    const settings = await settingsOfCustomers(consoleOf(request).api);
    return reply.page(<NewPage state={newForm()} settings={settings} />);
  });

  app.post(customersPath, { config: { access: 'operator' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        const { id } = await api.send(
          'POST',
          '/api/customers',
          readForm(customerContent, form),
          customerView,
        );
        return { to: `${customersPath}/${id}`, notice: 'created' };
      },
      async (state) => <NewPage state={state} settings={await settingsOfCustomers(api)} />,
    );
  });

  app.get<Params>(`${customersPath}/:id`, readOne, async (request, reply) =>
    reply.page(await customerPage(consoleOf(request).api, request.params.id)),
  );

  app.post<Params>(`${customersPath}/:id`, changeOne, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('PUT', `/api/customers/${id}`, readForm(customerContent, form));
        return { to: `${customersPath}/${id}`, notice: 'saved' };
      },
      (state) => customerPage(api, id, { data: state }),
    );
  });

  app.post<Params>(`${customersPath}/:id/consents`, changeOne, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('POST', `/api/customers/${id}/consents`, readForm(consentStatement, form));
        return { to: `${customersPath}/${id}`, notice: 'saved' };
      },
      (state) => customerPage(api, id, { consent: state }),
    );
  });

  app.get<Params>(`${customersPath}/:id/delete`, deleteOne, async (request, reply) => {
    const customer = await consoleOf(request).api.get(`/api/customers/${request.params.id}`, customerView);
    return reply.page(<DeletePage customer={customer} />);
  });

  app.post<Params>(`${customersPath}/:id/delete`, deleteOne, async (request, reply) =>
    act(request, reply, `${customersPath}/${request.params.id}`, async () => {
      await consoleOf(request).api.send('DELETE', `/api/customers/${request.params.id}`);
      return { to: customersPath, notice: 'deleted' };
    }),
  );
};

function ListPage({
  rows,
  refusal,
  query,
  more,
}: Awaited<ReturnType<typeof searched<Customer>>> & {
  query: Query;
  /** More customers have the words than a search reads. */
  more: boolean;
}) {
  const t = useWords(customerWords);
  const words = useWords(common);
  const mayExport = useMay('viewer');
  const mayAdd = useMay('operator');
  const searching = Object.keys(query).length > 0;
  const add = { href: `${customersPath}/new`, label: t.newCustomer };
  return (
    <Page
      title={t.title}
      section="customers"
      actions={
        <>
          {mayExport && (
            <DownloadLink
              href={urlOf('/api/customers.csv', { ...query, after: undefined })}
              label={t.export}
            />
          )}{' '}
          {mayAdd && (
            <>
              <a class="btn" href={`${customersPath}/import`}>
                {t.import}
              </a>{' '}
              <AddLink {...add} />
            </>
          )}
        </>
      }
    >
      <Filters
        action={customersPath}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'name', label: t.fields.name },
          { name: 'code', label: t.fields.code },
          { name: 'phone', label: t.anyPhone },
        ]}
      />
      {more && <p class="text-secondary">{t.more}</p>}
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          {
            heading: t.fields.name,
            cell: ({ id, name }) => <a href={`${customersPath}/${id}`}>{name === '' ? t.unnamed : name}</a>,
          },
          { heading: t.fields.code, cell: ({ code }) => code ?? words.none, wide: true },
          {
            heading: t.fields.mobile,
            cell: ({ mobile, phone }) => <Phone phone={mobile ?? phone} call />,
          },
          { heading: t.fields.regionId, cell: ({ regionName }) => regionName ?? words.none, wide: true },
          {
            heading: t.consent,
            cell: ({ consent, optedOut, held }) =>
              optedOut ? (
                <State tone="bad">{t.optedOut}</State>
              ) : held ? (
                <State tone="warn">{t.held}</State>
              ) : (
                <ConsentState consent={consent} />
              ),
          },
        ]}
        empty={
          <Empty
            icon="customers"
            title={t.empty}
            text={searching ? t.nothingFound : t.emptyText}
            action={mayAdd && !searching ? add : undefined}
          />
        }
      />
      <Pager {...pagesOf(customersPath, query, { rows, size: pageSize, key: 'after' })} />
    </Page>
  );
}

function NewPage({ state, settings }: { state: FormState; settings: CustomerSettings }) {
  const t = useWords(customerWords);
  return (
    <Page title={t.newCustomer} section="customers" trail={[{ href: customersPath, label: t.title }]}>
      <div class="narrow">
        <Card>
          <Form
            action={customersPath}
            state={state}
            schema={customerContent}
            labels={t.fields}
            helps={t.helps}
            once
          >
            <DataFields settings={settings} state={state} />
            <SaveOrCancel back={customersPath} />
          </Form>
        </Card>
      </div>
    </Page>
  );
}

function DeletePage({ customer: { id, name } }: { customer: Customer }) {
  const t = useWords(customerWords);
  const words = useWords(common);
  return (
    <ConfirmPage
      title={t.deleteTitle}
      section="customers"
      text={
        <>
          <strong>{name}</strong> {t.deleteText}
        </>
      }
      action={`${customersPath}/${id}/delete`}
      button={words.delete}
      back={`${customersPath}/${id}`}
    />
  );
}
