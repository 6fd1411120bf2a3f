import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { providerContent, providerView } from '../../api/providers/providers.ts';
import { httpGatewaySecrets } from '../../domain/http-gateway.ts';
import { configSchemaOf, type ProviderKind, providerKinds, secretsSchemaOf } from '../../domain/provider.ts';
import type { Api } from '../kit/api.ts';
import { providersOf } from '../kit/choices.ts';
import type { FormValues } from '../kit/form-data.ts';
import { type FormState, newForm } from '../kit/form.tsx';
import { addPrices } from '../money/prices.tsx';
import { gatewayDocument, gatewayOf, newGateway } from './gateway.tsx';
import { readStarter, type Starter, starterName } from './starters.ts';
import { providerWords } from './words.ts';
import { CallbacksPage, ProviderPage, providerSurroundings } from './page.tsx';
import { KindsPage, ListPage, NewPage } from './pages.tsx';
import { hasCallbackSecret, type Provider, getRates, RateNow, providersPath as path } from './parts.tsx';
import { addLeaving } from '../kit/resource.tsx';
import { readForm } from '../kit/schema-form.ts';
import type { Done, Shown } from '../kit/responses.tsx';
import { addAction, addForm, addPage, addPart } from '../kit/routes.ts';

const getProvider = (api: Api, id: number): Promise<Provider> =>
  api.get(`/api/providers/${id}`, providerView);

/** After saving: the provider, or first its addresses with a callback secret, which only this answer contains. */
function kept(provider: Provider, form: FormValues, notice: 'created' | 'saved'): Done | Shown {
  const secret = form.text('secrets.callbackSecret').trim();
  if (secret === '') return { to: `${path}/${provider.id}`, notice };
  return { page: <CallbacksPage provider={provider} secret={secret} />, secret: true };
}

/** SMS providers: the account at each, its rate, and the addresses that it calls. */
export const providers: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'viewer', async ({ api }) => (
    <ListPage providers={await providersOf(api)} rates={await getRates(api)} />
  ));

  addPage(app, `${path}/new`, 'admin', () => <KindsPage />);

  for (const kind of providerKinds) {
    addPage(app, `${path}/new/${kind}`, 'admin', async ({ query }) => {
      const from = starterName.safeParse(query.from);
      const start = kind === 'http' && from.success ? await startingWith(from.data) : beginningOf(kind);
      return <NewPage kind={kind} state={newForm(start)} />;
    });

    addForm(app, `${path}/new/${kind}`, 'admin', {
      send: async ({ api, form }) => {
        const body = {
          ...contentOf(kind, form),
          ratePerSecond: form.number('ratePerSecond'),
          secrets: secretsOf(kind, form) ?? { kind },
        };
        return kept(await api.send('POST', '/api/providers', body, providerView), form, 'created');
      },
      again: (_, state) => <NewPage kind={kind} state={state} />,
    });
  }

  addPage(app, `${path}/:id`, 'viewer', async ({ api, id }) =>
    providerPage(api, await getProvider(api, id), {}),
  );

  addForm(app, `${path}/:id`, 'admin', {
    send: async ({ api, id, form }) => {
      const { config, ratePerSecond, archivedAt } = await getProvider(api, id);
      const secrets = secretsOf(config.kind, form);
      const content = { ...contentOf(config.kind, form), ratePerSecond, archived: archivedAt !== null };
      const body = { ...content, ...(secrets ? { secrets } : {}) };
      return kept(await api.send('PUT', `/api/providers/${id}`, body, providerView), form, 'saved');
    },
    again: async ({ api, id }, state) => providerPage(api, await getProvider(api, id), { data: state }),
  });

  addForm(app, `${path}/:id/rate`, 'admin', {
    send: async ({ api, id, form }) => {
      const provider = await getProvider(api, id);
      await put(api, provider, {
        ratePerSecond: form.number('ratePerSecond'),
        maxInFlight: form.number('maxInFlight') ?? provider.maxInFlight,
      });
      return { to: `${path}/${id}`, notice: 'saved' };
    },
    again: async ({ api, id }, rate) => providerPage(api, await getProvider(api, id), { rate }),
  });

  addAction(app, `${path}/:id/release`, 'operator', {
    work: async ({ api, view, id }) => {
      await api.send('POST', `/api/providers/${id}/release`);
      return { to: `${path}/${id}`, notice: { words: providerWords[view.locale].trouble.released } };
    },
    otherwise: ({ id }) => `${path}/${id}`,
  });

  addForm(app, `${path}/:id/fallback`, 'admin', {
    send: async ({ api, id, form }) => {
      await api.send('PUT', `/api/providers/${id}/fallback`, { fallbackId: form.number('fallbackId') });
      return { to: `${path}/${id}`, notice: 'saved' };
    },
    again: async ({ api, id }, fallback) => providerPage(api, await getProvider(api, id), { fallback }),
  });

  addPrices(app, {
    path,
    page: async (api, id, price) => providerPage(api, await getProvider(api, id), { price }),
  });

  addPart(app, `${path}/:id/rate-now`, 'viewer', async ({ api, id }) => (
    <RateNow rate={(await getRates(api)).find(({ providerId }) => providerId === id)} />
  ));

  addLeaving(app, {
    path,
    api: '/api/providers',
    view: providerView,
    content: providerContent,
    words: providerWords,
  });
};

/** Changes some fields of a provider and keeps the rest. */
async function put(
  api: Api,
  { id, name, config, segmentProfile, ratePerSecond, archivedAt }: Provider,
  changes: object,
): Promise<void> {
  const content = { name, config, segmentProfile, ratePerSecond, archived: archivedAt !== null };
  await api.send('PUT', `/api/providers/${id}`, { ...content, ...changes });
}

async function providerPage(
  api: Api,
  provider: Provider,
  {
    data,
    rate,
    fallback,
    price,
  }: { data?: FormState; rate?: FormState; fallback?: FormState; price?: FormState },
) {
  const { id, config, ratePerSecond, maxInFlight } = provider;
  const document = config.kind === 'http' ? gatewayDocument(config) : {};
  return (
    <ProviderPage
      {...await providerSurroundings(api, id)}
      provider={provider}
      data={data ?? newForm({ ...provider, ...document })}
      rate={rate ?? newForm({ ratePerSecond, maxInFlight })}
      {...(fallback ? { fallback } : {})}
      price={price ?? newForm()}
    />
  );
}

const ownProfile = {
  twilio: 'twilio',
  sandbox: 'twilio',
  zenvia: 'zenvia',
  infobip: 'gsm',
  http: 'gsm',
} as const;

function beginningOf(kind: ProviderKind) {
  return {
    ...(kind === 'http' ? newGateway : {}),
    segmentProfile: ownProfile[kind],
    // Random, as it has to be; users may change it.
    secrets: hasCallbackSecret(kind) ? { callbackSecret: randomBytes(24).toString('base64url') } : {},
  };
}

async function startingWith(starter: Starter): Promise<object> {
  const { name, config, ratePerSecond } = await readStarter(starter);
  const { config: document, secrets, ...has } = gatewayDocument(config);
  const begun = beginningOf('http');
  return {
    ...begun,
    ...has,
    starter,
    name,
    config: document,
    ratePerSecond,
    secrets: { ...begun.secrets, ...secrets },
  };
}

/** Spaces around pasted values do not count, except in the texts of a gateway. */
const typedIn = (form: FormValues): FormValues => form.trimmed(/\.(?:after|before|body|template|value)$/);

const contentOf = (kind: ProviderKind, form: FormValues) => ({
  name: form.text('name'),
  segmentProfile: form.text('segmentProfile'),
  config: {
    kind,
    ...(kind === 'http' ? gatewayOf(typedIn(form)) : readForm(configSchemaOf(kind), typedIn(form), 'config')),
  },
});

/** The secrets that were entered; null if none was. */
function secretsOf(kind: ProviderKind, form: FormValues): object | null {
  const given = Object.entries(readForm(secretsSchemaOf(kind), typedIn(form), 'secrets')).filter(
    ([name]) => name !== 'values',
  );
  const named = Object.entries(readForm(httpGatewaySecrets, form, 'secrets.values')).filter(
    ([, value]) => value !== '',
  );
  if (given.length + named.length === 0) return null;
  return {
    kind,
    ...Object.fromEntries(given),
    ...(kind === 'http' ? { values: Object.fromEntries(named) } : {}),
  };
}
