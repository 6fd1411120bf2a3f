import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { consentHistoryView, customerList, customerView } from '../api/customers.ts';
import { messageView } from '../api/messages.ts';
import { idParams } from '../api/parameters.ts';
import { replyView } from '../api/replies.ts';
import { ticketView } from '../api/tickets.ts';
import { consents } from '../domain/customer.ts';
import { type Api, urlOf } from './api.ts';
import { optionsOf, settingsOf } from './choices.ts';
import { Filters, pagesOf, type Query, queryOf, searched } from './filters.tsx';
import { Form, type FormState, newForm, SelectField, Submit, TextField } from './form.tsx';
import type { FormValues } from './form-data.ts';
import { common } from './i18n/common.ts';
import { customerWords } from './i18n/customers.ts';
import { Icon } from './icons.tsx';
import { ReplyState } from './inbound.tsx';
import { Page } from './layout.tsx';
import { Card, ConfirmPage, Empty, Pager, State, Table, Time } from './parts.tsx';
import { act, submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { TicketState } from './tickets.tsx';
import { useMay, useWords } from './view.tsx';

const path = '/customers';
const pageSize = 50;
/** Of messages, replies and tickets on a customer's page. */
const shown = 10;
type Customer = z.output<typeof customerView>;
type Params = { Params: z.infer<typeof idParams> };

interface Story {
  customer: Customer;
  history: z.output<typeof consentHistoryView>;
  messages: z.output<typeof messageView>[];
  replies: z.output<typeof replyView>[];
  tickets: z.output<typeof ticketView>[];
}

const storyOf = async (api: Api, id: number): Promise<Story> => ({
  customer: await api.get(`/api/customers/${id}`, customerView),
  history: await api.get(`/api/customers/${id}/consents`, consentHistoryView),
  messages: (
    await api.get(`/api/customers/${id}/messages`, z.object({ messages: z.array(messageView) }), {
      limit: shown,
    })
  ).messages,
  replies: (
    await api.get('/api/replies', z.object({ replies: z.array(replyView) }), { customerId: id, limit: shown })
  ).replies,
  tickets: (
    await api.get('/api/tickets', z.object({ tickets: z.array(ticketView) }), {
      customerId: id,
      limit: shown,
    })
  ).tickets,
});

const settingsOfCustomers = async (api: Api) => ({
  regions: await settingsOf(api, 'regions'),
  customerTypes: await settingsOf(api, 'customerTypes'),
});
type Settings = Awaited<ReturnType<typeof settingsOfCustomers>>;

const contentOf = (form: FormValues) => ({
  code: form.optional('code'),
  name: form.text('name'),
  mobile: form.optional('mobile'),
  phone: form.optional('phone'),
  phone2: form.optional('phone2'),
  birthDate: form.optional('birthDate'),
  regionId: form.number('regionId'),
  customerTypeId: form.number('customerTypeId'),
});

/** The people in our base, and what they have said of being written to. */
export const customers: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const query = queryOf(request.query);
    const found = await searched(
      async () => (await api.get('/api/customers', customerList, { ...query, limit: pageSize })).customers,
    );
    return reply.page(<ListPage {...found} query={query} />);
  });

  app.get(`${path}/new`, { config: { access: 'operator' } }, async (request, reply) => {
    const settings = await settingsOfCustomers(consoleOf(request).api);
    return reply.page(<NewPage state={newForm()} settings={settings} />);
  });

  app.post(path, { config: { access: 'operator' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        const { id } = await api.send('POST', '/api/customers', contentOf(form), customerView);
        return { to: `${path}/${id}`, notice: 'created' };
      },
      async (state) => <NewPage state={state} settings={await settingsOfCustomers(api)} />,
    );
  });

  app.get<Params>(
    `${path}/:id`,
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const story = await storyOf(api, request.params.id);
      const settings = await settingsOfCustomers(api);
      return reply.page(
        <CustomerPage
          story={story}
          settings={settings}
          data={newForm(story.customer)}
          consent={newForm({ consent: story.customer.consent })}
        />,
      );
    },
  );

  app.post<Params>(
    `${path}/:id`,
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          await api.send('PUT', `/api/customers/${id}`, contentOf(form));
          return { to: `${path}/${id}`, notice: 'saved' };
        },
        async (state) => {
          const story = await storyOf(api, id);
          const consent = newForm({ consent: story.customer.consent });
          const settings = await settingsOfCustomers(api);
          return <CustomerPage story={story} settings={settings} data={state} consent={consent} />;
        },
      );
    },
  );

  app.post<Params>(
    `${path}/:id/consents`,
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          const stated = { consent: form.text('consent'), note: form.text('note') };
          await api.send('POST', `/api/customers/${id}/consents`, stated);
          return { to: `${path}/${id}`, notice: 'saved' };
        },
        async (state) => {
          const story = await storyOf(api, id);
          const settings = await settingsOfCustomers(api);
          return (
            <CustomerPage story={story} settings={settings} data={newForm(story.customer)} consent={state} />
          );
        },
      );
    },
  );

  app.get<Params>(
    `${path}/:id/delete`,
    { config: { access: 'admin' }, schema: { params: idParams } },
    async (request, reply) => {
      const customer = await consoleOf(request).api.get(`/api/customers/${request.params.id}`, customerView);
      return reply.page(<DeletePage customer={customer} />);
    },
  );

  app.post<Params>(
    `${path}/:id/delete`,
    { config: { access: 'admin' }, schema: { params: idParams } },
    async (request, reply) =>
      act(request, reply, `${path}/${request.params.id}`, async () => {
        await consoleOf(request).api.send('DELETE', `/api/customers/${request.params.id}`);
        return { to: path, notice: 'deleted' };
      }),
  );
};

export function ConsentState({ consent }: { consent: Customer['consent'] }) {
  const t = useWords(customerWords);
  const tones = { granted: 'good', refused: 'bad', not_stated: 'neutral' } as const;
  return <State tone={tones[consent]}>{t.consents[consent]}</State>;
}

function ListPage({
  rows,
  refusal,
  query,
}: Awaited<ReturnType<typeof searched<Customer>>> & { query: Query }) {
  const t = useWords(customerWords);
  const words = useWords(common);
  const mayAdd = useMay('operator');
  const searching = Object.keys(query).length > 0;
  const add = { href: `${path}/new`, label: t.newCustomer };
  return (
    <Page
      title={t.title}
      section="customers"
      actions={
        <>
          <a class="btn" href={urlOf('/api/customers.csv', { ...query, after: undefined })} download>
            <Icon name="download" /> {t.export}
          </a>{' '}
          {mayAdd && (
            <>
              <a class="btn" href={`${path}/import`}>
                {t.import}
              </a>{' '}
              <a class="btn btn-primary" href={add.href}>
                <Icon name="plus" /> {add.label}
              </a>
            </>
          )}
        </>
      }
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          { name: 'name', label: t.fields.name },
          { name: 'code', label: t.fields.code },
          { name: 'phone', label: t.anyPhone },
        ]}
      />
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          {
            heading: t.fields.name,
            cell: ({ id, name }) => <a href={`${path}/${id}`}>{name === '' ? t.unnamed : name}</a>,
          },
          { heading: t.fields.code, cell: ({ code }) => code ?? words.none, wide: true },
          {
            heading: t.fields.mobile,
            cell: ({ mobile, phone }) => <span class="text-nowrap">{mobile ?? phone ?? words.none}</span>,
          },
          { heading: t.fields.regionId, cell: ({ regionName }) => regionName ?? words.none, wide: true },
          {
            heading: t.consent,
            cell: ({ consent, optedOut }) =>
              optedOut ? <State tone="bad">{t.optedOut}</State> : <ConsentState consent={consent} />,
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
      <Pager {...pagesOf(path, query, { rows, size: pageSize, key: 'after' })} />
    </Page>
  );
}

function DataFields({ settings, state }: { settings: Settings; state: FormState }) {
  const words = useWords(common);
  return (
    <>
      <TextField name="name" maxLength={120} />
      <TextField name="code" maxLength={60} />
      <TextField name="mobile" type="tel" maxLength={40} />
      <TextField name="phone" type="tel" maxLength={40} />
      <TextField name="phone2" type="tel" maxLength={40} />
      <TextField name="birthDate" type="date" />
      <SelectField
        name="regionId"
        options={optionsOf(settings.regions, state.values.text('regionId'))}
        empty={words.notChosen}
      />
      <SelectField
        name="customerTypeId"
        options={optionsOf(settings.customerTypes, state.values.text('customerTypeId'))}
        empty={words.notChosen}
      />
    </>
  );
}

function NewPage({ state, settings }: { state: FormState; settings: Settings }) {
  const t = useWords(customerWords);
  const words = useWords(common);
  return (
    <Page title={t.newCustomer} section="customers" trail={[{ href: path, label: t.title }]}>
      <div class="narrow">
        <Card>
          <Form action={path} state={state} labels={t.fields} helps={t.helps} once>
            <DataFields settings={settings} state={state} />
            <div class="buttons">
              <Submit>{words.save}</Submit>
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

function CustomerPage({
  story: { customer, history, messages, replies, tickets },
  settings,
  data,
  consent,
}: {
  story: Story;
  settings: Settings;
  data: FormState;
  consent: FormState;
}) {
  const t = useWords(customerWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const mayDelete = useMay('admin');
  const { id } = customer;
  return (
    <Page
      title={customer.name === '' ? t.unnamed : customer.name}
      section="customers"
      trail={[{ href: path, label: t.title }]}
      actions={
        <>
          {mayDelete && (
            <>
              <a class="btn" href={`${path}/${id}/person`}>
                {t.person}
              </a>{' '}
              <a class="btn" href={`${path}/${id}/delete`}>
                {words.delete}
              </a>
            </>
          )}
        </>
      }
    >
      <div class="row row-cards">
        <div class="col-lg-6">
          <Card title={t.data}>
            <Form
              action={`${path}/${id}`}
              state={data}
              labels={t.fields}
              helps={t.helps}
              readOnly={!mayChange}
            >
              <DataFields settings={settings} state={data} />
              {mayChange && <Submit>{words.save}</Submit>}
            </Form>
          </Card>
        </div>
        <div class="col-lg-6">
          <Card title={t.consent}>
            <p>
              {customer.optedOut ? (
                <State tone="bad">{t.optedOut}</State>
              ) : (
                <ConsentState consent={customer.consent} />
              )}
              {customer.consentSource && (
                <span class="text-secondary">
                  {' '}
                  {t.sources[customer.consentSource]}, <Time at={customer.consentAt} />
                </span>
              )}
            </p>
            {mayChange && (
              <Form action={`${path}/${id}/consents`} state={consent} labels={t.fields} once>
                <SelectField
                  name="consent"
                  label={t.recordConsent}
                  options={consents.map((value) => ({ value, label: t.consents[value] }))}
                />
                <TextField name="note" maxLength={500} />
                <Submit kind="plain">{t.record}</Submit>
              </Form>
            )}
          </Card>
          <Card title={t.history}>
            <History history={history} />
          </Card>
          <Card title={t.replies} actions={<a href={`/replies?customerId=${id}`}>{t.all}</a>}>
            {replies.length === 0 ? (
              <p class="text-secondary">{t.noReplies}</p>
            ) : (
              <ul class="story">
                {replies.map((reply) => (
                  <li key={reply.id}>
                    <span class="long-text">{reply.text}</span> <ReplyState effect={reply.effect} />
                    <small class="d-block text-secondary">
                      <Time at={reply.receivedAt} />
                    </small>
                  </li>
                ))}
              </ul>
            )}
          </Card>
          <Card title={t.tickets} actions={<a href={`/tickets?customerId=${id}`}>{t.all}</a>}>
            {tickets.length === 0 ? (
              <p class="text-secondary">{t.noTickets}</p>
            ) : (
              <ul class="story">
                {tickets.map((ticket) => (
                  <li key={ticket.id}>
                    <a href={`/tickets/${ticket.id}`}>
                      {ticket.subcategoryName} ({ticket.id})
                    </a>{' '}
                    <TicketState status={ticket.status} />
                    <small class="d-block text-secondary">
                      <Time at={ticket.openedAt} />
                    </small>
                  </li>
                ))}
              </ul>
            )}
          </Card>
          <Card title={t.messages}>
            {messages.length === 0 ? (
              <p class="text-secondary">{t.noMessages}</p>
            ) : (
              <ul class="story">
                {messages.map((message) => (
                  <li key={message.id}>
                    <a href={`/messages/${message.id}`}>{message.text ?? message.id}</a>
                    <small class="d-block text-secondary">
                      <Time at={message.sentAt ?? message.endedAt} />
                    </small>
                  </li>
                ))}
              </ul>
            )}
          </Card>
        </div>
      </div>
    </Page>
  );
}

/** Statements of consent, opt-outs and opt-ins in one row of time, newest first. */
function History({ history: { consents, optOuts } }: { history: Story['history'] }) {
  const t = useWords(customerWords);
  const entries = [
    ...consents.map(({ id, consent, source, note, at }) => ({
      key: `consent-${id}`,
      what: t.consents[consent],
      source,
      note,
      at,
    })),
    ...optOuts.map(({ id, kind, phone, source, note, at }) => ({
      key: `opt-out-${id}`,
      what: `${t.kinds[kind]}: ${phone}`,
      source,
      note,
      at,
    })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime());
  if (entries.length === 0) return <p class="text-secondary">{t.noHistory}</p>;
  return (
    <ul class="story">
      {entries.map(({ key, what, source, note, at }) => (
        <li key={key}>
          <strong>{what}</strong>
          <small class="d-block text-secondary">
            <Time at={at} /> · {t.sources[source]}
            {note !== '' && ` · ${note}`}
          </small>
        </li>
      ))}
    </ul>
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
      action={`${path}/${id}/delete`}
      button={words.delete}
      back={`${path}/${id}`}
    />
  );
}
