import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { consentStatement, customerList, customerView } from '../../api/customers/customers.ts';
import { customerContent } from '../../domain/customer.ts';
import { urlOf } from '../kit/api.ts';
import { DownloadLink, AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { ConsentState, customerPage, customersPath, DataFields } from './page.tsx';
import { type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { addConfirmed } from '../kit/confirm.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Card, Phone, State } from '../kit/parts.tsx';
import { addForm, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { useMay, useWords } from '../kit/view.tsx';

const pageSize = 50;

/** The customers in the database, and their consent. */
export const customers: FastifyPluginAsync = async (app) => {
  addPage(app, customersPath, 'any_role', async ({ api, query }) => {
    const search = api.get('/api/customers', customerList, { ...query, limit: pageSize });
    return <ListPage {...await searched(query, search)} />;
  });

  addPage(app, `${customersPath}/new`, 'operator', async ({ api }) => (
    <NewPage state={newForm()} settings={await settingsOfCustomers(api)} />
  ));

  addForm(app, customersPath, 'operator', {
    send: async ({ api, form }) => {
      const body = readForm(customerContent, form);
      const { id } = await api.send('POST', '/api/customers', body, customerView);
      return { to: `${customersPath}/${id}`, notice: 'created' };
    },
    again: async ({ api }, state) => <NewPage state={state} settings={await settingsOfCustomers(api)} />,
  });

  addPage(app, `${customersPath}/:id`, 'any_role', ({ api, id }) => customerPage(api, id));

  addForm(app, `${customersPath}/:id`, 'operator', {
    send: async ({ api, id, form }) => {
      await api.send('PUT', `/api/customers/${id}`, readForm(customerContent, form));
      return { to: `${customersPath}/${id}`, notice: 'saved' };
    },
    again: ({ api, id }, data) => customerPage(api, id, { data }),
  });

  addForm(app, `${customersPath}/:id/consents`, 'operator', {
    send: async ({ api, id, form }) => {
      await api.send('POST', `/api/customers/${id}/consents`, readForm(consentStatement, form));
      return { to: `${customersPath}/${id}`, notice: 'saved' };
    },
    again: ({ api, id }, consent) => customerPage(api, id, { consent }),
  });

  addConfirmed(app, `${customersPath}/:id/delete`, 'admin', {
    section: 'customers',
    back: ({ id }) => `${customersPath}/${id}`,
    ask: async ({ api, view, id }) => {
      const { name } = await api.get(`/api/customers/${id}`, customerView);
      const t = customerWords[view.locale];
      return {
        title: t.deleteTitle,
        text: <strong>{name}</strong>,
        details: <p>{t.deleteText}</p>,
        button: common[view.locale].delete,
      };
    },
    work: async ({ api, id }) => {
      await api.send('DELETE', `/api/customers/${id}`);
      return { to: customersPath, notice: 'deleted' };
    },
  });
};

function ListPage({ answer, ...list }: Found<z.output<typeof customerList>>) {
  const t = useWords(customerWords);
  const words = useWords(common);
  const mayExport = useMay('viewer');
  const mayAdd = useMay('operator');
  const add = { href: `${customersPath}/new`, label: t.newCustomer };
  return (
    <Page
      title={t.title}
      section="customers"
      actions={
        <>
          {mayExport && (
            <DownloadLink
              href={urlOf('/api/customers.csv', { ...list.query, after: undefined })}
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
      <List
        {...list}
        path={customersPath}
        caption={t.title}
        filters={[
          { name: 'name', label: t.fields.name },
          { name: 'code', label: t.fields.code },
          { name: 'phone', label: t.anyPhone },
        ]}
        rows={answer?.customers ?? []}
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
        pageSize={pageSize}
        pageBy="after"
        icon="customers"
        empty={{ title: t.empty, text: t.emptyText, action: mayAdd ? add : undefined }}
      >
        {/* More customers have the words than a search reads. */}
        {answer?.more === true && <p class="text-secondary">{t.more}</p>}
      </List>
    </Page>
  );
}

function NewPage({ state, settings }: { state: FormState; settings: CustomerSettings }) {
  const t = useWords(customerWords);
  return (
    <Page title={t.newCustomer} section="customers" trail={[{ href: customersPath, label: t.title }]}>
      <Card narrow>
        <Form action={customersPath} state={state} schema={customerContent} words={t} once>
          <DataFields settings={settings} />
          <SaveOrCancel back={customersPath} />
        </Form>
      </Card>
    </Page>
  );
}
