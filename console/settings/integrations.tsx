import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { integrationListView, integrationView } from '../../api/settings/integrations.ts';
import { idParams } from '../../api/http/parameters.ts';
import { usesView } from '../../api/settings/uses.ts';
import type { EntryUse } from '../../domain/problems/errors.ts';
import type { Api } from '../kit/api.ts';
import { FormValues } from '../kit/form-data.ts';
import { type FormState, newForm } from '../kit/form.tsx';
import {
  auth,
  type Integration,
  IntegrationPage,
  integrationsPath,
  LeavePage,
  ListPage,
  NewPage,
} from './integration-pages.tsx';
import { rowsWith } from '../kit/records.ts';
import { act, submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';

const api = '/api/integrations';
type Params = { Params: z.infer<typeof idParams> };
const change = { config: { access: 'admin' }, schema: { params: idParams } } as const;

const getIntegration = (client: Api, id: number): Promise<Integration> =>
  client.get(`${api}/${id}`, integrationView);
const getUses = async (client: Api, id: number): Promise<EntryUse[]> =>
  (await client.get(`${api}/${id}/uses`, usesView)).usedBy;

/** Authentication and headers for the web services of mailings. */
export const integrations: FastifyPluginAsync = async (app) => {
  app.get(integrationsPath, { config: { access: 'viewer' } }, async (request, reply) => {
    const list = await consoleOf(request).api.get(api, integrationListView);
    return reply.page(<ListPage integrations={list.integrations} />);
  });

  app.get(`${integrationsPath}/new`, { config: { access: 'admin' } }, async (_request, reply) =>
    reply.page(<NewPage state={newForm({ config: { authentication: { kind: 'bearer' } } })} />),
  );

  app.post(integrationsPath, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        const body = { ...contentOf(form), secrets: secretsOf(form) ?? {} };
        const { id } = await consoleOf(request).api.send('POST', api, body, integrationView);
        return { to: `${integrationsPath}/${id}`, notice: 'created' };
      },
      (state) => <NewPage state={refused(state)} />,
    ),
  );

  app.get<Params>(
    `${integrationsPath}/:id`,
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const client = consoleOf(request).api;
      const integration = await getIntegration(client, request.params.id);
      const usedBy = await getUses(client, integration.id);
      const state = newForm(documentOf(integration));
      return reply.page(<IntegrationPage integration={integration} usedBy={usedBy} state={state} />);
    },
  );

  app.post<Params>(`${integrationsPath}/:id`, change, async (request, reply) => {
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
        return { to: `${integrationsPath}/${integration.id}`, notice: 'saved' };
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
    app.get<Params>(`${integrationsPath}/:id/${page}`, change, async (request, reply) => {
      const client = consoleOf(request).api;
      const integration = await getIntegration(client, request.params.id);
      const usedBy = await getUses(client, integration.id);
      return reply.page(<LeavePage page={page} integration={integration} usedBy={usedBy} />);
    });
  }

  for (const archived of [true, false]) {
    app.post<Params>(
      `${integrationsPath}/:id/${archived ? 'archive' : 'restore'}`,
      change,
      async (request, reply) => {
        const client = consoleOf(request).api;
        return act(request, reply, integrationsPath, async () => {
          const { id, name, config } = await getIntegration(client, request.params.id);
          await client.send('PUT', `${api}/${id}`, { name, config, archived });
          return { to: integrationsPath, notice: archived ? 'archived' : 'restored' };
        });
      },
    );
  }

  app.post<Params>(`${integrationsPath}/:id/delete`, change, async (request, reply) =>
    act(request, reply, `${integrationsPath}/${request.params.id}`, async () => {
      await consoleOf(request).api.send('DELETE', `${api}/${request.params.id}`);
      return { to: integrationsPath, notice: 'deleted' };
    }),
  );
};

/** The form as the API's document; blank rows and fields of other kinds are left out. */
const contentOf = (form: FormValues) => ({
  name: form.text('name'),
  config: {
    authentication: authenticationOf(form),
    origins: form
      .text('config.origins')
      .split(/[\s,;]+/)
      .filter((origin) => origin !== ''),
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

/** The document as its form shows it: origins as lines, secret headers without their values. */
const documentOf = ({ name, config }: Pick<Integration, 'name' | 'config'>) => ({
  name,
  config: {
    ...config,
    origins: config.origins.join('\n'),
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
