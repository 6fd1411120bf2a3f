import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { erasedView, personView } from '../../api/customers/privacy.ts';
import { privacySettings } from '../../domain/privacy.ts';
import { ApiFailure, refusalOf } from '../kit/api.ts';
import { Save, Submit } from '../kit/buttons.tsx';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { CheckField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { privacyWords } from './words-privacy.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Facts } from '../kit/parts.tsx';
import { formOf } from '../kit/responses.tsx';
import { type ConsoleRequest, consoleOf } from '../kit/request.ts';
import { addForm, addPage } from '../kit/routes.ts';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

const path = '/settings/privacy';
const admin = { config: { access: 'admin' } } as const;
const api = '/api/privacy';
type Person = z.output<typeof personView>;
/**
 * A customer; a phone or a code that belongs to no customer; or a line of a mailing. In the body of requests, because
 * addresses end up in histories.
 */
type Who = { customerId: number } | { phone: string } | { code: string } | { messageId: number };

/** All of them: saving a form without one of them would set it to "forever". */
const days = Object.keys(privacySettings.shape).filter((name) => name !== 'consentRequired');

/** What a data subject may request, and for how long data is kept. */
export const privacy: FastifyPluginAsync = async (app) => {
  const personPage = async (request: ConsoleRequest, who: Who, state = newForm(who)) => (
    <PersonPage
      person={await request.api.send('POST', `${api}/look-up`, who, personView)}
      who={who}
      state={state}
    />
  );

  const settingsPage = addDocument(app, {
    path,
    api: `${api}/settings`,
    schema: privacySettings,
    page: (_, form, { more = newForm() }: { more: FormState | undefined }) => (
      <PrivacyPage form={form} person={more} />
    ),
  });

  addForm(app, `${path}/person`, 'admin', {
    send: async (request) => {
      try {
        return { page: await personPage(request, whoOf(request.form)) };
      } catch (error) {
        if (!(error instanceof ApiFailure) || error.status !== 422) throw error;
        const ids = z.array(z.int()).safeParse(error.problems[0]?.params?.customerIds);
        if (!ids.success) throw error;
        const [first, ...others] = ids.data;
        if (first !== undefined && others.length === 0) return { to: `/customers/${first}/person` };
        return { page: <SeveralPage ids={ids.data} /> };
      }
    },
    again: settingsPage,
  });

  addPage(app, '/customers/:id/person', 'admin', async ({ api: client, id }) => {
    const person = await client.get(`${api}/customers/${id}`, personView);
    const who = { customerId: id };
    return <PersonPage person={person} who={who} state={newForm(who)} />;
  });

  addPage(app, '/messages/:id/person', 'admin', (request) => personPage(request, { messageId: request.id }));

  app.post(`${path}/export`, admin, async (request, reply) => {
    const file = await consoleOf(request).api.download(`${api}/export`, whoOf(formOf(request)));
    return reply
      .header('cache-control', 'no-store')
      .header('content-disposition', 'attachment; filename="person.json"')
      .type(file.type)
      .send(file.content);
  });

  addForm(app, `${path}/erase`, 'admin', {
    send: async ({ api: client, view, form }) => {
      if (!form.checked('confirmed'))
        throw refusalOf(422, 'invalid_fields', {
          problems: [
            {
              field: 'confirmed',
              code: 'not_confirmed',
              message: privacyWords[view.locale].confirmMissing,
            },
          ],
        });
      const erased = await client.send('POST', `${api}/erase`, whoOf(form), erasedView);
      return { page: <ErasedPage erased={erased} />, secret: true };
    },
    again: (request, state) => personPage(request, whoOf(request.form), state),
  });
};

function whoOf(form: FormValues): Who {
  const customerId = form.number('customerId');
  if (typeof customerId === 'number') return { customerId };
  const messageId = form.number('messageId');
  if (typeof messageId === 'number') return { messageId };
  const phone = form.text('phone');
  const code = form.text('code');
  return phone === '' && code !== '' ? { code } : { phone };
}

const useParent = () => [{ href: path, label: useWords(privacyWords).page.title }];

function PrivacyPage({ form, person }: { form: DocumentForm; person: FormState }) {
  const t = useWords(privacyWords);
  return (
    <SettingsPage title={t.page.title}>
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card title={t.keep}>
            <Form {...form} words={t}>
              <CheckField name="consentRequired" />
              <p class="form-hint">{t.keepHelp}</p>
              {days.map((name) => (
                <TextField key={name} name={name} type="number" class="mb-3 narrow" />
              ))}
              <Save />
            </Form>
          </Card>
        </div>
        {useMay('admin') && (
          <div class="col-lg-5">
            <Card title={t.person}>
              <p class="text-secondary">{t.personHelp}</p>
              <Form action={`${path}/person`} state={person} words={t} guarded={false}>
                <TextField name="phone" type="tel" maxLength={40} />
                <TextField name="code" maxLength={60} />
                <TextField name="messageId" type="number" min={1} class="mb-3 narrow" />
                <Submit kind="plain">{t.find}</Submit>
              </Form>
            </Card>
          </div>
        )}
      </div>
    </SettingsPage>
  );
}

function SeveralPage({ ids }: { ids: readonly number[] }) {
  const t = useWords(privacyWords);
  return (
    <SettingsPage title={t.severalTitle} below={useParent()}>
      <Card>
        <p>{t.several}</p>
        <ul>
          {ids.map((id) => (
            <li key={id}>
              <a href={`/customers/${id}/person`}>{t.customer(String(id))}</a>
            </li>
          ))}
        </ul>
      </Card>
    </SettingsPage>
  );
}

/** The stored data of a person, its file, and the button to erase it, which asks for confirmation. */
function PersonPage({ person, who, state }: { person: Person; who: Who; state: FormState }) {
  const t = useWords(privacyWords);
  const format = useFormat();
  const { customer, phones, codes } = person;
  const [name = '', value = ''] = Object.entries(who)[0] ?? [];
  const subject = { name, value: String(value) };
  return (
    <SettingsPage title={t.person} below={useParent()}>
      <div class="row row-cards">
        <div class="col-lg-6">
          <Card title={t.holding}>
            <Facts
              facts={[
                [
                  t.name,
                  customer ? (
                    <a href={`/customers/${customer.id}`}>
                      {customer.name === '' ? t.customer(String(customer.id)) : customer.name}
                    </a>
                  ) : (
                    t.noName
                  ),
                ],
                [t.phones, phones.map(formatPhone).join(', ')],
                [t.codes, codes.join(', ')],
                [t.messages, format.number(person.messages)],
                [t.queued, format.number(person.queued)],
                [t.replies, format.number(person.replies)],
                [t.tickets, format.number(person.tickets)],
                [t.optOuts, format.number(person.optOuts)],
              ]}
            />
          </Card>
          <Card title={t.export}>
            <p>{t.exportText}</p>
            <form method="post" action={`${path}/export`}>
              <input type="hidden" {...subject} />
              <button class="btn" data-download="">
                {t.download}
              </button>
            </form>
          </Card>
        </div>
        <div class="col-lg-6">
          <Card title={t.erase}>
            <h3 class="h4">{t.goes}</h3>
            <ul>
              {Object.values(t.goesItems).map((item) => (
                <li key={item}>{item}</li>
              ))}
            </ul>
            <h3 class="h4">{t.stays}</h3>
            <ul>
              {Object.values(t.staysItems).map((item) => (
                <li key={item}>{item}</li>
              ))}
            </ul>
            <Form
              action={`${path}/erase`}
              state={{ ...state, values: state.values.with({ confirmed: null }) }}
              words={t}
              guarded={false}
            >
              <input type="hidden" {...subject} />
              <CheckField name="confirmed" />
              <Submit kind="danger">{t.eraseButton}</Submit>
            </Form>
          </Card>
        </div>
      </div>
    </SettingsPage>
  );
}

function ErasedPage({ erased }: { erased: z.output<typeof erasedView> }) {
  const t = useWords(privacyWords);
  const format = useFormat();
  const { messages, replies, tickets, mailingFiles } = erased;
  return (
    <SettingsPage title={t.erasedTitle} below={useParent()}>
      <Card>
        <p role="status">
          {t.erasedText(format.number(messages), format.number(replies), format.number(tickets))}
        </p>
        {mailingFiles.length > 0 && (
          <>
            <h2 class="h3">{t.files}</h2>
            <p class="text-secondary">{t.filesHelp}</p>
            <ul>
              {mailingFiles.map(({ campaignId, campaignName, fileId, current }) => (
                <li key={fileId}>
                  <a href={`/campaigns/${campaignId}/mailing`}>{campaignName}</a>:{' '}
                  {current ? t.current : t.former}
                </li>
              ))}
            </ul>
          </>
        )}
        <a class="btn" href={path}>
          {t.back}
        </a>
      </Card>
    </SettingsPage>
  );
}
