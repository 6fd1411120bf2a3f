import { randomBytes } from 'node:crypto';
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
import { Submit } from '../kit/buttons.tsx';
import { locales } from '../kit/dictionary.ts';
import { CheckField, ChoiceField, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, Facts } from '../kit/parts.tsx';
import { problemWords } from '../kit/problems.ts';
import { consoleOf } from '../kit/request.ts';
import { submit } from '../kit/responses.tsx';
import { Rows } from '../kit/rows.tsx';
import { readForm } from '../kit/schema-form.ts';
import { useFormat, useView, useWords } from '../kit/view.tsx';
import { common } from '../kit/words.ts';
import { alertKindLabels, alertWebhookFieldLabels, emailFieldLabels } from '../../domain/words/alerts.ts';
import { alertWords } from './words.ts';

const alertsPath = '/settings/alerts';
const emailPath = `${alertsPath}/email`;
const webhookPath = `${alertsPath}/webhook`;
const emailApi = '/api/settings/email';
const webhookApi = '/api/settings/alert-webhook';
const rolesApi = '/api/settings/alerts';
const admin = { config: { access: 'admin' } } as const;

type Email = z.output<typeof emailSettingsView>['email'];
type Webhook = z.output<typeof alertWebhookView>['webhook'];
type Undelivered = z.output<typeof undeliveredView>;

const emailOf = async (api: Api): Promise<Email> => (await api.get(emailApi, emailSettingsView)).email;
const webhookOf = async (api: Api): Promise<Webhook> => (await api.get(webhookApi, alertWebhookView)).webhook;

async function rolesPage(api: Api, state?: FormState) {
  const settings = await api.get(rolesApi, alertSettings);
  const undelivered = await api.get('/api/settings/alerts/undelivered', undeliveredView);
  return <RolesPage state={state ?? newForm(settings)} undelivered={undelivered} />;
}

/** How alerts leave, and who receives which. */
export const alertsSettings: FastifyPluginAsync = async (app) => {
  app.get(alertsPath, admin, async (request, reply) => reply.page(await rolesPage(consoleOf(request).api)));

  app.post(alertsPath, admin, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        // A role without a checked box receives no alerts, which the schema would read as its default.
        const settings = Object.fromEntries(roles.map((role) => [role, form.all(role)]));
        await api.send('PUT', rolesApi, settings);
        return { to: alertsPath, notice: 'saved' };
      },
      (state) => rolesPage(api, state),
    );
  });

  app.get(emailPath, admin, async (request, reply) =>
    reply.page(<EmailPage email={await emailOf(consoleOf(request).api)} />),
  );

  app.post(emailPath, admin, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('PUT', emailApi, readForm(emailSettingsChange, form));
        return { to: emailPath, notice: 'saved' };
      },
      async (state) => <EmailPage email={await emailOf(api)} state={state} />,
    );
  });

  app.post(`${emailPath}/test`, admin, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('POST', `${emailApi}/test`, readForm(testMailRequest, form));
        return { to: emailPath, notice: { words: alertWords[view.locale].mailAccepted(form.text('to')) } };
      },
      async (test) => <EmailPage email={await emailOf(api)} test={test} />,
    );
  });

  app.get(webhookPath, admin, async (request, reply) =>
    reply.page(<WebhookPage webhook={await webhookOf(consoleOf(request).api)} />),
  );

  app.post(webhookPath, admin, async (request, reply) => {
    const { api } = consoleOf(request);
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('PUT', webhookApi, readForm(alertWebhookChange, form));
        return { to: webhookPath, notice: 'saved' };
      },
      async (state) => <WebhookPage webhook={await webhookOf(api)} state={state} />,
    );
  });

  app.post(`${webhookPath}/test`, admin, async (request, reply) => {
    const { api, view } = consoleOf(request);
    return submit(
      request,
      reply,
      async () => {
        await api.send('POST', `${webhookApi}/test`);
        return { to: webhookPath, notice: { words: alertWords[view.locale].postAccepted } };
      },
      async (test) => <WebhookPage webhook={await webhookOf(api)} test={test} />,
    );
  });
};

function RolesPage({ state, undelivered }: { state: FormState; undelivered: Undelivered }) {
  const t = useWords(alertWords);
  const words = useWords(common);
  const { locale } = useView();
  return (
    <Page
      title={t.page.title}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
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
                options={alertKindsFor(role).map((kind) => ({
                  value: kind,
                  label: alertKindLabels[locale][kind],
                }))}
              />
            ))}
          </div>
          <Submit>{words.save}</Submit>
        </Form>
      </Card>
    </Page>
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
          ...(problem ? [[t.lastProblem, problemWords(format, { field: '', ...problem })] as const] : []),
        ]}
      />
    </Card>
  );
}

function ChannelPage({ title, children }: { title: string; children: ComponentChildren }) {
  const t = useWords(alertWords);
  const words = useWords(common);
  return (
    <Page
      title={title}
      section="settings"
      trail={[
        { href: '/settings', label: words.nav.settings },
        { href: alertsPath, label: t.page.title },
      ]}
    >
      <div class="narrow">
        <Card>{children}</Card>
      </div>
    </Page>
  );
}

function EmailPage({ email, state, test }: { email: Email; state?: FormState; test?: FormState }) {
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
        <SelectField
          name="security"
          options={smtpSecurities.map((value) => ({ value, label: t.securities[value] }))}
        />
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
        <Submit>{words.save}</Submit>
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

function WebhookPage({ webhook, state, test }: { webhook: Webhook; state?: FormState; test?: FormState }) {
  const t = useWords(alertWords);
  const words = useWords(common);
  const { locale } = useView();
  const fresh = {
    enabled: true,
    kinds: [...alertKindNames],
    locale,
    secret: randomBytes(32).toString('base64url'),
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
        <ChoiceField name="kinds" options={useKindOptions()} />
        <SelectField name="locale" options={locales.map(([value, label]) => ({ value, label }))} />
        <TextField
          name="secret"
          required={!webhook}
          autocomplete="new-password"
          // A new one is generated here, and must be visible.
          type={webhook ? 'password' : 'text'}
          help={webhook ? t.secretStored : t.secretHelp}
        />
        <h3 class="form-label">{t.headers}</h3>
        <Rows name="headers" label={t.headers}>
          {(row) => (
            <>
              <TextField name={`${row}.name`} class="" />
              <TextField
                name={`${row}.value`}
                class="edit-row-wide"
                type="password"
                autocomplete="new-password"
              />
            </>
          )}
        </Rows>
        <Submit>{words.save}</Submit>
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

export function useKindOptions(kinds: readonly (typeof alertKindNames)[number][] = alertKindNames) {
  const { locale } = useView();
  return kinds.map((kind) => ({ value: kind, label: alertKindLabels[locale][kind] }));
}
