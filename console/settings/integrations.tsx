import type { FastifyPluginAsync } from 'fastify';
import { integrationContent, integrationListView, integrationView } from '../../api/settings/integrations.ts';
import { integrationConfig } from '../../domain/integration.ts';
import type { FormValues } from '../kit/form-data.ts';
import type { FormState } from '../kit/form.tsx';
import { addResource } from '../kit/resource.tsx';
import { readForm, withoutBlankRows } from '../kit/schema-form.ts';
import {
  auth,
  type Integration,
  IntegrationPage,
  integrationsPath,
  ListPage,
  NewPage,
} from './integration-pages.tsx';
import { integrationWords } from './words-integrations.ts';

const api = '/api/integrations';

/** Authentication and headers for the web services of mailings. */
export const integrations: FastifyPluginAsync = async (app) =>
  addResource(app, {
    path: integrationsPath,
    api,
    view: integrationView,
    content: integrationContent,
    words: integrationWords,
    beginning: () => ({ config: { authentication: { kind: 'bearer' } } }),
    documentOf,
    bodyOf,
    list: async (client) => (
      <ListPage integrations={(await client.get(api, integrationListView)).integrations} />
    ),
    page: async (_, state, integration) =>
      integration ? (
        <IntegrationPage integration={integration} state={refused(state)} />
      ) : (
        <NewPage state={refused(state)} />
      ),
  });

const headers = 'config.headers';
const headerRows = (form: FormValues) =>
  form.rows(headers).map((index) => ({
    name: form.text(`${headers}.${index}.name`).trim(),
    value: form.text(`${headers}.${index}.value`),
    secret: form.checked(`${headers}.${index}.secret`),
  }));

/** The API's document. It omits the value of a secret header; secrets that were not entered stay unchanged. */
function bodyOf(form: FormValues, integration?: Integration): object {
  const shown = headerRows(withoutBlankRows(integrationContent, form)).map(({ name, value, secret }) => ({
    name,
    value: secret ? null : value,
  }));
  const secrets = secretsOf(form) ?? (integration ? undefined : {});
  return {
    ...readForm(integrationContent, form),
    config: { ...readForm(integrationConfig, form, 'config'), headers: shown },
    ...(secrets ? { secrets } : {}),
  };
}

/** The secrets that were entered; null if none was. */
function secretsOf(form: FormValues): object | null {
  const secret = form.text(`${auth}.kind`) === 'none' ? null : form.optional('secrets.secret');
  const typed = headerRows(form).filter((header) => header.secret && header.value !== '');
  if (secret === null && typed.length === 0) return null;
  return { secret, headers: Object.fromEntries(typed.map(({ name, value }) => [name, value])) };
}

/** The document in its form: secret headers without their values. */
const documentOf = ({ name, config }: Integration) => ({
  name,
  config: {
    ...config,
    headers: config.headers.map((header) => ({
      name: header.name,
      value: header.value ?? '',
      secret: header.value === null,
    })),
  },
});

/** The API's problems with a secret header are shown at its row. */
function refused(state: FormState): FormState {
  const values = withoutBlankRows(integrationContent, state.values);
  const names = headerRows(values).map(({ name }) => name);
  return {
    ...state,
    values,
    problems: state.problems.map((problem) => {
      const header = /^secrets\.headers\.(.*)$/s.exec(problem.field)?.[1];
      const index = header === undefined ? -1 : names.indexOf(header);
      return index === -1 ? problem : { ...problem, field: `${headers}.${index}.value` };
    }),
  };
}
