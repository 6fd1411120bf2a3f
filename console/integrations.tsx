import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { integrationListView, integrationView } from '../api/integrations.ts';
import { idParams } from '../api/parameters.ts';
import { type EntryUse, usesView } from '../api/uses.ts';
import type { Api } from './api.ts';
import {
  ActionButton,
  CheckField,
  Form,
  type FormState,
  newForm,
  SelectField,
  Submit,
  TextAreaField,
  TextField,
} from './form.tsx';
import { FormValues } from './form-data.ts';
import { common } from './i18n/common.ts';
import { integrationWords } from './i18n/integrations.ts';
import { Icon } from './icons.tsx';
import { Page } from './layout.tsx';
import { Card, ConfirmPage, Empty, State, Table } from './parts.tsx';
import { rowsWith } from './records.ts';
import { act, submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { Rows } from './rows.tsx';
import { Uses } from './uses.tsx';
import { useMay, useWords } from './view.tsx';

const path = '/settings/integrations';
const api = '/api/integrations';
type Integration = z.output<typeof integrationView>;
type Params = { Params: z.infer<typeof idParams> };
const change = { config: { access: 'admin' }, schema: { params: idParams } } as const;

const getIntegration = (client: Api, id: number): Promise<Integration> =>
  client.get(`${api}/${id}`, integrationView);
const getUses = async (client: Api, id: number): Promise<EntryUse[]> =>
  (await client.get(`${api}/${id}/uses`, usesView)).usedBy;

const auth = 'config.authentication';

/** Authentication and headers for the web services of mailings. */
export const integrations: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const list = await consoleOf(request).api.get(api, integrationListView);
    return reply.page(<ListPage integrations={list.integrations} />);
  });

  app.get(`${path}/new`, { config: { access: 'admin' } }, async (_request, reply) =>
    reply.page(<NewPage state={newForm({ config: { authentication: { kind: 'bearer' } } })} />),
  );

  app.post(path, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        const body = { ...contentOf(form), secrets: secretsOf(form) ?? {} };
        const { id } = await consoleOf(request).api.send('POST', api, body, integrationView);
        return { to: `${path}/${id}`, notice: 'created' };
      },
      (state) => <NewPage state={refused(state)} />,
    ),
  );

  app.get<Params>(
    `${path}/:id`,
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const client = consoleOf(request).api;
      const integration = await getIntegration(client, request.params.id);
      const usedBy = await getUses(client, integration.id);
      const state = newForm(documentOf(integration));
      return reply.page(<IntegrationPage integration={integration} usedBy={usedBy} state={state} />);
    },
  );

  app.post<Params>(`${path}/:id`, change, async (request, reply) => {
    const client = consoleOf(request).api;
    const integration = await getIntegration(client, request.params.id);
    return submit(
      request,
      reply,
      async (form) => {
        const secrets = secretsOf(form);
        const archived = integration.archivedAt !== null;
        const body = { ...contentOf(form), archived, ...(secrets ? { secrets } : {}) };
        await client.send('PUT', `${api}/${integration.id}`, body);
        return { to: `${path}/${integration.id}`, notice: 'saved' };
      },
      async (state) => (
        <IntegrationPage
          integration={integration}
          usedBy={await getUses(client, integration.id)}
          state={refused(state)}
        />
      ),
    );
  });

  for (const page of ['archive', 'delete'] as const) {
    app.get<Params>(`${path}/:id/${page}`, change, async (request, reply) => {
      const client = consoleOf(request).api;
      const integration = await getIntegration(client, request.params.id);
      const usedBy = await getUses(client, integration.id);
      return reply.page(<LeavePage page={page} integration={integration} usedBy={usedBy} />);
    });
  }

  for (const archived of [true, false]) {
    app.post<Params>(`${path}/:id/${archived ? 'archive' : 'restore'}`, change, async (request, reply) => {
      const client = consoleOf(request).api;
      return act(request, reply, path, async () => {
        const { id, name, config } = await getIntegration(client, request.params.id);
        await client.send('PUT', `${api}/${id}`, { name, config, archived });
        return { to: path, notice: archived ? 'archived' : 'restored' };
      });
    });
  }

  app.post<Params>(`${path}/:id/delete`, change, async (request, reply) =>
    act(request, reply, `${path}/${request.params.id}`, async () => {
      await consoleOf(request).api.send('DELETE', `${api}/${request.params.id}`);
      return { to: path, notice: 'deleted' };
    }),
  );
};

/** The form as the API's document; blank rows and fields of other kinds are left out. */
const contentOf = (form: FormValues) => ({
  name: form.text('name'),
  config: {
    authentication: authenticationOf(form),
    hosts: form
      .text('config.hosts')
      .split(/[\s,;]+/)
      .filter((host) => host !== ''),
    headers: rowsWith(form, 'config.headers', 'name').map((row) => ({
      name: form.text(`${row}.name`).trim(),
      value: form.checked(`${row}.secret`) ? null : form.text(`${row}.value`),
    })),
  },
});

function authenticationOf(form: FormValues): object {
  const kind = form.text(`${auth}.kind`);
  const required = (name: string) => form.optional(`${auth}.${name}`) ?? undefined;
  switch (kind) {
    case 'basic':
      return { kind, user: required('user') };
    case 'api_key':
      return { kind, in: required('in'), name: required('name') };
    case 'oauth2':
      return {
        kind,
        tokenUrl: required('tokenUrl'),
        clientId: required('clientId'),
        scope: form.text(`${auth}.scope`),
        audience: form.text(`${auth}.audience`),
        clientAuthentication: required('clientAuthentication'),
      };
    default:
      return { kind };
  }
}

/** The secrets that were filled in; null where none was: what is stored stays. */
function secretsOf(form: FormValues): object | null {
  const secret = form.text(`${auth}.kind`) === 'none' ? null : form.optional('secrets.secret');
  const headers = rowsWith(form, 'config.headers', 'name').flatMap((row) => {
    const entry = [form.text(`${row}.name`).trim(), form.text(`${row}.value`)] as const;
    return form.checked(`${row}.secret`) && entry[1] !== '' ? [entry] : [];
  });
  return secret === null && headers.length === 0 ? null : { secret, headers: Object.fromEntries(headers) };
}

/** The document as its form shows it: hosts as lines, secret headers without their values. */
const documentOf = ({ name, config }: Pick<Integration, 'name' | 'config'>) => ({
  name,
  config: {
    ...config,
    hosts: config.hosts.join('\n'),
    headers: config.headers.map((header) => ({
      name: header.name,
      value: header.value ?? '',
      secret: header.value === null,
    })),
  },
});

/** Shown again without blank rows, as the API has counted them; what it says of a secret header stands at its row. */
function refused({ values, problems, failure }: FormState): FormState {
  const rows = rowsWith(values, 'config.headers', 'name');
  const kept = [...values.pairs()].filter(([name]) => !name.startsWith('config.headers.'));
  const renumbered = rows.flatMap((row, index) =>
    ['name', 'value', 'secret'].map(
      (field) => [`config.headers.${index}.${field}`, values.text(`${row}.${field}`)] as const,
    ),
  );
  const names = rows.map((row) => values.text(`${row}.name`).trim());
  return {
    values: new FormValues([...kept, ...renumbered]),
    problems: problems.map((problem) => {
      const header = /^secrets\.headers\.(.*)$/s.exec(problem.field)?.[1];
      const index = header === undefined ? -1 : names.indexOf(header);
      return index === -1 ? problem : { ...problem, field: `config.headers.${index}.value` };
    }),
    failure,
  };
}

const useTrail = (inner = true) => {
  const t = useWords(integrationWords);
  const words = useWords(common);
  return [
    { href: '/settings', label: words.nav.settings },
    ...(inner ? [{ href: path, label: t.page.title }] : []),
  ];
};

function ListPage({ integrations: rows }: { integrations: readonly Integration[] }) {
  const t = useWords(integrationWords);
  const words = useWords(common);
  const mayAdd = useMay('admin');
  const add = { href: `${path}/new`, label: t.add };
  return (
    <Page
      title={t.page.title}
      section="settings"
      trail={useTrail(false)}
      actions={
        mayAdd && (
          <a class="btn btn-primary" href={add.href}>
            <Icon name="plus" /> {add.label}
          </a>
        )
      }
    >
      <Table
        caption={t.page.title}
        rows={rows}
        columns={[
          { heading: t.fields.name, cell: ({ id, name }) => <a href={`${path}/${id}`}>{name}</a> },
          { heading: t.kind, cell: ({ config }) => t.kinds[config.authentication.kind] },
          { heading: t.fields['config.hosts'], cell: ({ config }) => config.hosts.join(', '), wide: true },
          {
            heading: t.state,
            wide: true,
            cell: ({ archivedAt }) =>
              archivedAt ? (
                <State tone="neutral">{words.archived}</State>
              ) : (
                <State tone="good">{t.inUse}</State>
              ),
          },
        ]}
        empty={<Empty icon="key" title={t.empty} text={t.emptyText} action={mayAdd ? add : undefined} />}
      />
    </Page>
  );
}

function Fields({ stored }: { stored: boolean }) {
  const t = useWords(integrationWords);
  const optionsOf = (words: Readonly<Record<string, string>>) =>
    Object.entries(words).map(([value, label]) => ({ value, label }));
  return (
    <>
      <TextField name="name" required maxLength={100} autofocus={!stored} />
      <SelectField name={`${auth}.kind`} options={optionsOf(t.kinds)} />
      <div data-when={`${auth}.kind=basic`}>
        <TextField name={`${auth}.user`} required maxLength={255} />
      </div>
      <div data-when={`${auth}.kind=api_key`}>
        <SelectField name={`${auth}.in`} options={optionsOf(t.places)} />
        <TextField name={`${auth}.name`} required maxLength={100} placeholder="X-Api-Key" />
      </div>
      <div data-when={`${auth}.kind=oauth2`}>
        <TextField name={`${auth}.tokenUrl`} type="url" required placeholder="https://" />
        <TextField name={`${auth}.clientId`} required maxLength={255} />
        <TextField name={`${auth}.scope`} maxLength={1000} />
        <TextField name={`${auth}.audience`} maxLength={1000} />
        <SelectField name={`${auth}.clientAuthentication`} options={optionsOf(t.clientAuthentications)} />
      </div>
      <div data-when={`${auth}.kind=basic|bearer|api_key|oauth2`}>
        <TextField
          name="secrets.secret"
          type="password"
          autocomplete="new-password"
          required={!stored}
          help={stored ? t.stored : t.helps['secrets.secret']}
        />
      </div>
      <TextAreaField name="config.hosts" required rows={3} />
      <h3 class="form-label">{t.headers}</h3>
      <p class="form-hint">
        {t.headersHelp} {stored && t.stored}
      </p>
      <Rows name="config.headers" label={t.headers}>
        {(row) => (
          <>
            <TextField name={`${row}.name`} class="" maxLength={100} />
            <TextField name={`${row}.value`} class="edit-row-wide" maxLength={4000} />
            <CheckField name={`${row}.secret`} class="edit-row-check" />
          </>
        )}
      </Rows>
      {stored && <p class="form-hint">{t.newSecrets}</p>}
    </>
  );
}

function NewPage({ state }: { state: FormState }) {
  const t = useWords(integrationWords);
  const words = useWords(common);
  return (
    <Page title={t.add} section="settings" trail={useTrail()}>
      <div class="narrow">
        <Card>
          <Form action={path} state={state} labels={t.fields} helps={t.helps} once>
            <Fields stored={false} />
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

function IntegrationPage({
  integration: { id, name, archivedAt },
  usedBy,
  state,
}: {
  integration: Integration;
  usedBy: readonly EntryUse[];
  state: FormState;
}) {
  const t = useWords(integrationWords);
  const words = useWords(common);
  const mayChange = useMay('admin');
  const address = `${path}/${id}`;
  return (
    <Page
      title={name}
      section="settings"
      trail={useTrail()}
      actions={
        mayChange && (
          <>
            {archivedAt ? (
              <ActionButton action={`${address}/restore`}>{words.restore}</ActionButton>
            ) : (
              <a class="btn" href={`${address}/archive`}>
                {words.archive}
              </a>
            )}{' '}
            <a class="btn" href={`${address}/delete`}>
              {words.delete}
            </a>
          </>
        )
      }
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card>
            <Form action={address} state={state} labels={t.fields} helps={t.helps} readOnly={!mayChange}>
              <Fields stored />
              {mayChange && <Submit>{words.save}</Submit>}
            </Form>
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={t.uses}>
            {usedBy.length === 0 ? (
              <p class="text-secondary mb-0">{t.usedByNone}</p>
            ) : (
              <Uses usedBy={usedBy} />
            )}
          </Card>
        </div>
      </div>
    </Page>
  );
}

/** Before an integration is archived or deleted; of one in use the archive stands in place of the deletion. */
function LeavePage({
  page,
  integration: { id, name },
  usedBy,
}: {
  page: 'archive' | 'delete';
  integration: Integration;
  usedBy: readonly EntryUse[];
}) {
  const t = useWords(integrationWords);
  const words = useWords(common);
  const mustStay = page === 'delete' && usedBy.length > 0;
  const deletes = page === 'delete' && !mustStay;
  return (
    <ConfirmPage
      title={page === 'delete' ? t.deleteTitle(name) : t.archiveTitle(name)}
      section="settings"
      text={mustStay ? t.cantDelete : deletes ? t.deleteText : t.archiveText}
      details={<Uses usedBy={usedBy} />}
      {...(deletes ? {} : { note: mustStay ? t.archiveText : t.archiveNote })}
      action={`${path}/${id}/${deletes ? 'delete' : 'archive'}`}
      button={deletes ? words.delete : words.archive}
      back={`${path}/${id}`}
    />
  );
}
