import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { conversationView, virtualPhones, type virtualPhoneView } from '../../api/providers/sandbox.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextAreaField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { phoneWords } from './words-phones.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Phone, Table, Time } from '../kit/parts.tsx';
import { addForm, addPage, type PageRequest } from '../kit/routes.ts';
import { useMay, useWords } from '../kit/view.tsx';

const path = '/phones';
type Phone = z.output<typeof virtualPhoneView>;
type Conversation = z.output<typeof conversationView>;

const pathOf = (phone: string): string => `${path}/${encodeURIComponent(phone)}`;
const addressOf = ({ param }: PageRequest): string =>
  `/api/sandbox/phones/${encodeURIComponent(param('phone'))}`;

/** The phones of the sandbox, from which a user can answer. */
export const phones: FastifyPluginAsync = async (app) => {
  const phonePage = async (request: PageRequest, state: FormState) => (
    <PhonePage {...await request.api.get(addressOf(request), conversationView)} state={state} />
  );

  addPage(app, path, 'viewer', async ({ api }) => <ListPage phones={await latest(api)} />);

  addPage(app, `${path}/:phone`, 'viewer', (request) => phonePage(request, newForm()));

  addForm(app, `${path}/:phone`, 'operator', {
    send: async (request) => {
      const { api, view, form, param } = request;
      await api.send('POST', `${addressOf(request)}/replies`, { text: form.text('text') });
      return { to: pathOf(param('phone')), notice: { words: phoneWords[view.locale].answered } };
    },
    again: phonePage,
  });
};

/** Null if there is no sandbox. */
async function latest(api: Api): Promise<Phone[] | null> {
  try {
    return (await api.get('/api/sandbox/phones', virtualPhones)).phones;
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 'sandbox_unavailable') return null;
    throw error;
  }
}

function ListPage({ phones }: { phones: readonly Phone[] | null }) {
  const t = useWords(phoneWords);
  const rows = (phones ?? []).map((phone) => ({ ...phone, id: phone.phone }));
  return (
    <Page title={t.title} section="phones">
      <p class="text-secondary">{t.intro}</p>
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          {
            heading: t.phone,
            cell: ({ phone }) => (
              <a href={pathOf(phone)}>
                <Phone phone={phone} />
              </a>
            ),
          },
          { heading: t.last, cell: ({ body }) => <span class="long-text">{body}</span> },
          { heading: t.at, cell: ({ at }) => <Time at={at} />, wide: true },
        ]}
        empty={
          phones ? (
            <Empty icon="phones" title={t.empty} text={t.emptyText} />
          ) : (
            <Empty icon="phones" title={t.away} text={t.awayText} />
          )
        }
      />
    </Page>
  );
}

function PhonePage({ phone, messages, state }: Conversation & { state: FormState }) {
  const t = useWords(phoneWords);
  const mayAnswer = useMay('operator');
  return (
    <Page
      title={formatPhone(phone)}
      section="phones"
      trail={[{ href: path, label: t.title }]}
      actions={
        <a class="btn" href={pathOf(phone)}>
          {t.refresh}
        </a>
      }
    >
      <div class="narrow">
        {mayAnswer && (
          <Card>
            <Form action={pathOf(phone)} state={state} words={t} once>
              <TextAreaField name="text" required rows={2} maxLength={1600} />
              <Submit>{t.send}</Submit>
            </Form>
          </Card>
        )}
        <ol class="conversation">
          {messages.map((message) => (
            <li key={message.sid} class={message.direction}>
              <div class="bubble">{message.body}</div>
              <small class="text-secondary">
                {message.direction === 'received'
                  ? t.from(formatPhone(message.other))
                  : t.to(formatPhone(message.other))}{' '}
                · <Time at={message.at} exact />
              </small>
            </li>
          ))}
        </ol>
      </div>
    </Page>
  );
}
