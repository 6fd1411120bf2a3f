import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import {
  alertWebhookView,
  emailSettingsView,
  testMailRequest,
  undeliveredView,
} from '../../api/alerts/channels.ts';
import { alertKindNames, alertKindsFor, alertSettings } from '../../domain/alert.ts';
import { alertWebhookChange } from '../../domain/alert-webhook.ts';
import { emailSettingsChange, smtpSecurities } from '../../domain/email.ts';
import { roles } from '../../domain/user.ts';
import type { ComponentChildren } from 'preact';
import { Save, Submit } from '../kit/buttons.tsx';
import { locales } from '../kit/dictionary.ts';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { CheckField, ChoiceField, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Facts } from '../kit/parts.tsx';
import { problemWords } from '../kit/problems.ts';
import { addForm } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { HeaderRows, receiverValues, SecretField } from '../kit/secrets.tsx';
import { useFormat, useView, useWords } from '../kit/view.tsx';
import { common } from '../kit/words.ts';
import { alertKindLabels } from '../../domain/words/alerts.ts';
import { alertWords } from './words.ts';

export const alertsPath = '/settings/alerts';
const emailPath = `${alertsPath}/email`;
const webhookPath = `${alertsPath}/webhook`;
const emailApi = '/api/settings/email';
const webhookApi = '/api/settings/alert-webhook';

type Undelivered = z.output<typeof undeliveredView>;
/** A channel, and the form of its test if that was rejected. */
interface Shown<S extends z.ZodType> {
  document: z.output<S>;
  more: FormState | undefined;
}
type ChannelProps<S extends z.ZodType> = z.output<S> & { form: DocumentForm; test: FormState | undefined };

/** How alerts leave, and who receives which. */
export const alertsSettings: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: alertsPath,
    api: '/api/settings/alerts',
    access: 'admin',
    schema: alertSettings,
    // A role without a checked box receives no alerts, which the schema would read as its default.
    bodyOf: (form) => Object.fromEntries(roles.map((role) => [role, form.all(role)])),
    page: async ({ api }, form) => (
      <RolesPage
        form={form}
        undelivered={await api.get('/api/settings/alerts/undelivered', undeliveredView)}
      />
    ),
  });

  const emailPage = addDocument(app, {
    path: emailPath,
    api: emailApi,
    access: 'admin',
    schema: emailSettingsView,
    change: emailSettingsChange,
    valuesOf: ({ email }, { view: { company, locale } }) =>
      email ?? {
        enabled: true,
        port: 587,
        security: 'starttls',
        verifyCertificate: true,
        fromName: company?.name || common[locale].product,
      },
    page: (_, form, { document, more }: Shown<typeof emailSettingsView>) => (
      <EmailPage {...document} form={form} test={more} />
    ),
  });

  addForm(app, `${emailPath}/test`, 'admin', {
    send: async ({ api, view, form }) => {
      await api.send('POST', `${emailApi}/test`, readForm(testMailRequest, form));
      return { to: emailPath, notice: { words: alertWords[view.locale].mailAccepted(form.text('to')) } };
    },
    again: emailPage,
  });

  const webhookPage = addDocument(app, {
    path: webhookPath,
    api: webhookApi,
    access: 'admin',
    schema: alertWebhookView,
    change: alertWebhookChange,
    valuesOf: ({ webhook }, { view: { locale } }) =>
      receiverValues(webhook, { enabled: true, kinds: [...alertKindNames], locale }),
    page: (_, form, { document, more }: Shown<typeof alertWebhookView>) => (
      <WebhookPage {...document} form={form} test={more} />
    ),
  });

  addForm(app, `${webhookPath}/test`, 'admin', {
    send: async ({ api, view }) => {
      await api.send('POST', `${webhookApi}/test`);
      return { to: webhookPath, notice: { words: alertWords[view.locale].postAccepted } };
    },
    again: webhookPage,
  });
};

function RolesPage({ form, undelivered }: { form: DocumentForm; undelivered: Undelivered }) {
  const t = useWords(alertWords);
  const words = useWords(common);
  const { locale } = useView();
  return (
    <SettingsPage
      title={t.page.title}
      actions={
        <>
          <a class="btn" href={emailPath}>
            {t.email}
          </a>{' '}
          <a class="btn" href={webhookPath}>
            {t.webhook}
          </a>
        </>
      }
    >
      <p class="text-secondary">{t.intro}</p>
      <NotDelivered {...undelivered} />
      <Card title={t.roles}>
        <p class="text-secondary">{t.rolesIntro}</p>
        <Form {...form} words={{ fields: words.roles }}>
          <div class="row">
            {roles.map((role) => (
              <ChoiceField
                key={role}
                name={role}
                class="col-md-6 mb-3"
                options={labeled(alertKindsFor(role), alertKindLabels[locale])}
              />
            ))}
          </div>
          <Save />
        </Form>
      </Card>
    </SettingsPage>
  );
}

function NotDelivered({ waiting, failed, problem }: Undelivered) {
  const t = useWords(alertWords);
  const format = useFormat();
  if (waiting + failed === 0) return null;
  return (
    <Card title={t.undelivered}>
      <Facts
        facts={[
          [t.waiting, format.number(waiting)],
          [t.failed, format.number(failed)],
          problem && [t.lastProblem, problemWords(format, { field: '', ...problem })],
        ]}
      />
    </Card>
  );
}

function ChannelPage({ title, children }: { title: string; children: ComponentChildren }) {
  const t = useWords(alertWords);
  return (
    <SettingsPage title={title} below={[{ href: alertsPath, label: t.page.title }]}>
      <Card narrow>{children}</Card>
    </SettingsPage>
  );
}

function EmailPage({ email, form, test = newForm({ to: '' }) }: ChannelProps<typeof emailSettingsView>) {
  const t = useWords(alertWords);
  return (
    <ChannelPage title={t.email}>
      <p class="text-secondary">{t.emailIntro}</p>
      <Form {...form} words={t.emailForm}>
        <CheckField name="enabled" />
        <TextField name="host" placeholder="smtp.example.com" />
        <SelectField name="security" options={labeled(smtpSecurities, t.securities)} />
        <TextField name="port" type="number" class="short mb-3" />
        <CheckField name="verifyCertificate" />
        <TextField name="user" />
        <TextField
          name="password"
          type="password"
          autocomplete="new-password"
          {...(email?.hasPassword === true ? { help: t.stored } : {})}
        />
        <TextField name="from" />
        <TextField name="fromName" />
        <Save />
      </Form>
      <h2 class="h3 mt-4">{t.test}</h2>
      {email === null ? (
        <p class="form-hint">{t.saveFirst}</p>
      ) : (
        <Form
          action={`${emailPath}/test`}
          state={test}
          schema={testMailRequest}
          words={t.emailForm}
          guarded={false}
        >
          <TextField name="to" />
          <Submit kind="plain">{t.testMail}</Submit>
        </Form>
      )}
    </ChannelPage>
  );
}

function WebhookPage({ webhook, form, test = newForm() }: ChannelProps<typeof alertWebhookView>) {
  const t = useWords(alertWords);
  const { locale } = useView();
  return (
    <ChannelPage title={t.webhook}>
      <p class="text-secondary">{t.webhookIntro}</p>
      <Form {...form} words={t.webhookForm}>
        <CheckField name="enabled" />
        <TextField name="url" type="url" placeholder="https://" />
        <ChoiceField name="kinds" options={labeled(alertKindNames, alertKindLabels[locale])} />
        <SelectField name="locale" options={locales.map(([value, label]) => ({ value, label }))} />
        <SecretField stored={webhook !== null} words={t} />
        <HeaderRows title={t.headers} />
        <Save />
      </Form>
      {webhook !== null && (
        <>
          <h2 class="h3 mt-4">{t.test}</h2>
          <Form action={`${webhookPath}/test`} state={test} words={t.webhookForm} guarded={false}>
            <Submit kind="plain">{t.testPost}</Submit>
          </Form>
        </>
      )}
    </ChannelPage>
  );
}
