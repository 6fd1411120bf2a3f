import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import {
  consentHistoryView,
  consentStatement,
  customerMessages,
  customerView,
} from '../../api/customers/customers.ts';
import { replyList } from '../../api/replies/replies.ts';
import { foundTickets } from '../../api/tickets/tickets.ts';
import { consents, customerContent } from '../../domain/customer.ts';
import type { Api } from '../kit/api.ts';
import { Save, Submit } from '../kit/buttons.tsx';
import { type CustomerSettings, settingsOfCustomers } from '../kit/choices.ts';
import { EntryField, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from './words.ts';
import { holdsPath } from '../replies/holds.tsx';
import { ReplyState } from '../replies/inbound.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, LinkFor, State, Time } from '../kit/parts.tsx';
import { TicketState } from '../tickets/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';

export const customersPath = '/customers';
/** How many messages, replies and tickets a customer's page shows. */
const shown = 10;
export type Customer = z.output<typeof customerView>;

type Story = Awaited<ReturnType<typeof storyOf>>;

const storyOf = async (api: Api, id: number) => ({
  settings: await settingsOfCustomers(api),
  customer: await api.get(`/api/customers/${id}`, customerView),
  history: await api.get(`/api/customers/${id}/consents`, consentHistoryView),
  ...(await api.get(`/api/customers/${id}/messages`, customerMessages, { limit: shown })),
  ...(await api.get('/api/replies', replyList, { customerId: id, limit: shown })),
  ...(await api.get('/api/tickets', foundTickets, { customerId: id, limit: shown })),
});

/** The phones of a customer in a form, as users write them. */
const shownCustomer = (customer: Customer): Customer => ({
  ...customer,
  mobile: customer.mobile && formatPhone(customer.mobile),
  phone: customer.phone && formatPhone(customer.phone),
  phone2: customer.phone2 && formatPhone(customer.phone2),
});

export function ConsentState({ consent }: { consent: Customer['consent'] }) {
  const t = useWords(customerWords);
  const tones = { granted: 'good', refused: 'bad', not_stated: 'neutral' } as const;
  return <State tone={tones[consent]}>{t.consents[consent]}</State>;
}

export function DataFields({ settings }: { settings: CustomerSettings }) {
  const words = useWords(common);
  return (
    <>
      <TextField name="name" />
      <TextField name="code" />
      <TextField name="mobile" type="tel" />
      <TextField name="phone" type="tel" />
      <TextField name="phone2" type="tel" />
      <TextField name="birthDate" type="date" />
      <EntryField name="regionId" entries={settings.regions} empty={words.noneOfThem} />
      <EntryField name="customerTypeId" entries={settings.customerTypes} empty={words.notChosen} />
    </>
  );
}

/** One customer, with all related data; a rejected form is shown again with its values. */
export async function customerPage(
  api: Api,
  id: number,
  { data, consent }: { data?: FormState; consent?: FormState } = {},
) {
  const story = await storyOf(api, id);
  const { customer } = story;
  return (
    <CustomerPage
      {...story}
      data={data ?? newForm(shownCustomer(customer))}
      consent={consent ?? newForm({ consent: customer.consent })}
    />
  );
}

function CustomerPage({
  customer,
  history,
  messages,
  replies,
  tickets,
  settings,
  data,
  consent,
}: Story & { data: FormState; consent: FormState }) {
  const t = useWords(customerWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const mayDelete = useMay('admin');
  const { id } = customer;
  return (
    <Page
      title={customer.name === '' ? t.unnamed : customer.name}
      section="customers"
      trail={[{ href: customersPath, label: t.title }]}
      actions={
        <>
          {mayDelete && (
            <>
              <a class="btn" href={`${customersPath}/${id}/person`}>
                {t.person}
              </a>{' '}
              <a class="btn" href={`${customersPath}/${id}/delete`}>
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
              action={`${customersPath}/${id}`}
              changes={`/api/customers/${id}`}
              state={data}
              schema={customerContent}
              words={t}
              readOnly={!mayChange}
            >
              <DataFields settings={settings} />
              <Save />
            </Form>
          </Card>
        </div>
        <div class="col-lg-6">
          <Card title={t.consent}>
            <p>
              {customer.optedOut ? (
                <State tone="bad">{t.optedOut}</State>
              ) : customer.held ? (
                <a href={holdsPath}>
                  <State tone="warn">{t.held}</State>
                </a>
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
              <Form
                action={`${customersPath}/${id}/consents`}
                state={consent}
                schema={consentStatement}
                words={t}
                once
              >
                <SelectField name="consent" label={t.recordConsent} options={labeled(consents, t.consents)} />
                <TextField name="note" />
                <Submit kind="plain">{t.record}</Submit>
              </Form>
            )}
          </Card>
          <Card title={t.history}>
            <History history={history} />
          </Card>
          <Recent
            title={t.replies}
            all={`/replies?customerId=${id}`}
            none={t.noReplies}
            rows={replies.map((reply) => ({
              id: reply.id,
              at: reply.receivedAt,
              content: (
                <>
                  <span class="long-text">{reply.text}</span> <ReplyState effect={reply.effect} />
                </>
              ),
            }))}
          />
          <Recent
            title={t.tickets}
            all={`/tickets?customerId=${id}`}
            none={t.noTickets}
            rows={tickets.map((ticket) => ({
              id: ticket.id,
              at: ticket.openedAt,
              content: (
                <>
                  <a href={`/tickets/${ticket.id}`}>
                    {ticket.subcategoryName} ({ticket.id})
                  </a>{' '}
                  <TicketState status={ticket.status} />
                </>
              ),
            }))}
          />
          <Recent
            title={t.messages}
            none={t.noMessages}
            rows={messages.map((message) => ({
              id: message.id,
              at: message.sentAt ?? message.endedAt,
              content: <LinkFor href={`/messages/${message.id}`}>{message.text ?? message.id}</LinkFor>,
            }))}
          />
        </div>
      </div>
    </Page>
  );
}

/** The newest entries of one kind. `all`: the list with the others. */
function Recent({
  title,
  all,
  none,
  rows,
}: {
  title: string;
  all?: string;
  none: string;
  rows: readonly { id: number; at: Date | null; content: ComponentChildren }[];
}) {
  const t = useWords(customerWords);
  return (
    <Card title={title} actions={all !== undefined && <a href={all}>{t.all}</a>}>
      {rows.length === 0 ? (
        <p class="text-secondary">{none}</p>
      ) : (
        <ul class="entries">
          {rows.map(({ id, at, content }) => (
            <li key={id}>
              {content}
              <small class="d-block text-secondary">
                <Time at={at} />
              </small>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Statements of consent, opt-outs and opt-ins in one list, newest first. */
function History({ history: { consents, optOuts } }: { history: Story['history'] }) {
  const t = useWords(customerWords);
  const entries = [
    ...consents.map((one) => ({ ...one, key: `consent-${one.id}`, what: t.consents[one.consent] })),
    ...optOuts.map((one) => ({
      ...one,
      key: `opt-out-${one.id}`,
      what: `${t.kinds[one.kind]}: ${formatPhone(one.phone)}`,
    })),
  ].sort((a, b) => b.at.getTime() - a.at.getTime());
  if (entries.length === 0) return <p class="text-secondary">{t.noHistory}</p>;
  return (
    <ul class="entries">
      {entries.map(({ key, what, source, sandbox, note, at }) => (
        <li key={key}>
          <strong>{what}</strong>
          <small class="d-block text-secondary">
            <Time at={at} /> · {sandbox ? t.inSandbox : t.sources[source]}
            {note !== '' && ` · ${note}`}
          </small>
        </li>
      ))}
    </ul>
  );
}
