import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { conversationView, virtualPhones, type virtualPhoneView } from '../../api/providers/sandbox.ts';
import { type Api, ApiFailure } from '../kit/api.ts';
import { Submit } from '../kit/buttons.tsx';
import { TextAreaField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { phoneWords } from './words-phones.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Phone, Table, Time } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';

const path = '/phones';
const params = z.object({ phone: z.string() });
type Params = { Params: z.infer<typeof params> };
type Phone = z.output<typeof virtualPhoneView>;
type Conversation = z.output<typeof conversationView>;

const addressOf = (phone: string): string => `/api/sandbox/phones/${encodeURIComponent(phone)}`;

/** The phones of the sandbox, from which a user can answer. */
export const phones: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    return reply.page(<ListPage phones={await latest(api)} />);
  });

  app.get<Params>(
    `${path}/:phone`,
    { config: { access: 'viewer' }, schema: { params } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const conversation = await api.get(addressOf(request.params.phone), conversationView);
      return reply.page(<PhonePage conversation={conversation} state={newForm()} />);
    },
  );

  app.post<Params>(
    `${path}/:phone`,
    { config: { access: 'operator' }, schema: { params } },
    async (request, reply) => {
      const { api, view } = consoleOf(request);
      const { phone } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          await api.send('POST', `${addressOf(phone)}/replies`, { text: form.text('text') });
          const words = phoneWords[view.locale].answered;
          return { to: `${path}/${encodeURIComponent(phone)}`, notice: { words } };
        },
        async (state) => (
          <PhonePage conversation={await api.get(addressOf(phone), conversationView)} state={state} />
        ),
      );
    },
  );
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
              <a href={`${path}/${encodeURIComponent(phone)}`}>
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

function PhonePage({ conversation, state }: { conversation: Conversation; state: FormState }) {
  const t = useWords(phoneWords);
  const mayAnswer = useMay('operator');
  const { phone, messages } = conversation;
  return (
    <Page
      title={formatPhone(phone)}
      section="phones"
      trail={[{ href: path, label: t.title }]}
      actions={
        <a class="btn" href={`${path}/${encodeURIComponent(phone)}`}>
          {t.refresh}
        </a>
      }
    >
      <div class="narrow">
        {mayAnswer && (
          <Card>
            <Form
              action={`${path}/${encodeURIComponent(phone)}`}
              state={state}
              labels={t.fields}
              helps={t.helps}
              once
            >
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
