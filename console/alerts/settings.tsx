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
import type { Api } from '../kit/api.ts';
import type { ComponentChildren } from 'preact';
import { Save, Submit } from '../kit/buttons.tsx';
import { locales } from '../kit/dictionary.ts';
import { addDocument } from '../kit/document.tsx';
import { CheckField, ChoiceField, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Facts } from '../kit/parts.tsx';
import { problemWords } from '../kit/problems.ts';
import { addForm } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { HeaderRows, newSecret, SecretField } from '../kit/secrets.tsx';
import { useFormat, useView, useWords } from '../kit/view.tsx';
import { common } from '../kit/words.ts';
import { alertKindLabels, alertWebhookFieldLabels, emailFieldLabels } from '../../domain/words/alerts.ts';
import { alertWords } from './words.ts';

export const alertsPath = '/settings/alerts';
const emailPath = `${alertsPath}/email`;
const webhookPath = `${alertsPath}/webhook`;
const emailApi = '/api/settings/email';
const webhookApi = '/api/settings/alert-webhook';
const rolesApi = '/api/settings/alerts';

type Email = z.output<typeof emailSettingsView>['email'];
type Webhook = z.output<typeof alertWebhookView>['webhook'];
type Undelivered = z.output<typeof undeliveredView>;

const emailOf = async (api: Api): Promise<Email> => (await api.get(emailApi, emailSettingsView)).email;
const webhookOf = async (api: Api): Promise<Webhook> => (await api.get(webhookApi, alertWebhookView)).webhook;

/** How alerts leave, and who receives which. */
export const alertsSettings: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: alertsPath,
    api: rolesApi,
    access: 'admin',
    schema: alertSettings,
    // A role without a checked box receives no alerts, which the schema would read as its default.
    bodyOf: (form) => Object.fromEntries(roles.map((role) => [role, form.all(role)])),
    page: async ({ api }, rejected) => {
      const settings = await api.get(rolesApi, alertSettings);
      const undelivered = await api.get('/api/settings/alerts/undelivered', undeliveredView);
      return <RolesPage state={rejected ?? newForm(settings)} undelivered={undelivered} />;
    },
  });

  addDocument(app, {
    path: emailPath,
    api: emailApi,
    access: 'admin',
    schema: emailSettingsChange,
    page: async ({ api }, state) => <EmailPage email={await emailOf(api)} state={state} />,
  });

  addForm(app, `${emailPath}/test`, 'admin', {
    send: async ({ api, view, form }) => {
      await api.send('POST', `${emailApi}/test`, readForm(testMailRequest, form));
      return { to: emailPath, notice: { words: alertWords[view.locale].mailAccepted(form.text('to')) } };
    },
    again: async ({ api }, test) => <EmailPage email={await emailOf(api)} state={null} test={test} />,
  });

  addDocument(app, {
    path: webhookPath,
    api: webhookApi,
    access: 'admin',
    schema: alertWebhookChange,
    page: async ({ api }, state) => <WebhookPage webhook={await webhookOf(api)} state={state} />,
  });

  addForm(app, `${webhookPath}/test`, 'admin', {
    send: async ({ api, view }) => {
      await api.send('POST', `${webhookApi}/test`);
      return { to: webhookPath, notice: { words: alertWords[view.locale].postAccepted } };
    },
    again: async ({ api }, test) => <WebhookPage webhook={await webhookOf(api)} state={null} test={test} />,
  });
};

function RolesPage({ state, undelivered }: { state: FormState; undelivered: Undelivered }) {
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
        <Form
          action={alertsPath}
          changes={rolesApi}
          state={state}
          schema={alertSettings}
          labels={words.roles}
        >
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
      <div class="narrow">
        <Card>{children}</Card>
      </div>
    </SettingsPage>
  );
}

function EmailPage({ email, state, test }: { email: Email; state: FormState | null; test?: FormState }) {
  const t = useWords(alertWords);
  const words = useWords(common);
  const { company } = useView();
  const fresh = {
    enabled: true,
    port: 587,
    security: 'starttls',
    verifyCertificate: true,
    fromName: company?.name || words.product,
  };
  return (
    <ChannelPage title={t.email}>
      <p class="text-secondary">{t.emailIntro}</p>
      <Form
        action={emailPath}
        changes={emailApi}
        state={state ?? newForm(email ?? fresh)}
        schema={emailSettingsChange}
        labels={useWords(emailFieldLabels)}
        helps={t.emailHelps}
      >
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
          state={test ?? newForm({ to: '' })}
          schema={testMailRequest}
          labels={useWords(emailFieldLabels)}
          guarded={false}
        >
          <TextField name="to" />
          <Submit kind="plain">{t.testMail}</Submit>
        </Form>
      )}
    </ChannelPage>
  );
}

function WebhookPage({
  webhook,
  state,
  test,
}: {
  webhook: Webhook;
  state: FormState | null;
  test?: FormState;
}) {
  const t = useWords(alertWords);
  const { locale } = useView();
  const fresh = {
    enabled: true,
    kinds: [...alertKindNames],
    locale,
    secret: newSecret(),
  };
  const headers = webhook?.headerNames.map((name) => ({ name, value: '' }));
  return (
    <ChannelPage title={t.webhook}>
      <p class="text-secondary">{t.webhookIntro}</p>
      <Form
        action={webhookPath}
        changes={webhookApi}
        state={state ?? newForm({ ...(webhook ?? fresh), headers })}
        schema={alertWebhookChange}
        labels={useWords(alertWebhookFieldLabels)}
      >
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
          <Form
            action={`${webhookPath}/test`}
            state={test ?? newForm()}
            labels={useWords(alertWebhookFieldLabels)}
            guarded={false}
          >
            <Submit kind="plain">{t.testPost}</Submit>
          </Form>
        </>
      )}
    </ChannelPage>
  );
}
