import type { z } from 'zod';
import { providerContent, providerRates, type providerView } from '../../api/providers/providers.ts';
import {
  configSchemaOf,
  profilesOf,
  providerFields,
  type ProviderKind,
  secretsAskedFor,
  secretsSchemaOf,
} from '../../domain/provider.ts';
import { labeled, SelectField, TextField } from '../kit/fields.tsx';
import type { Api } from '../kit/api.ts';
import type { Labels } from '../kit/form.tsx';
import { providerWords } from './words.ts';
import { GatewayFields, GatewaySecretRows } from './gateway.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

export const providersPath = '/settings/providers';
export type Provider = z.output<typeof providerView>;
export type Rate = z.output<typeof providerRates>['rates'][number];

/** The form of a kind: it sets the limits of the fields. */
export const schemaOf = (kind: ProviderKind): z.ZodType =>
  providerContent.extend({ config: configSchemaOf(kind), secrets: secretsSchemaOf(kind) });

export const getRates = async (api: Api): Promise<Rate[]> =>
  (await api.get('/api/providers/rates', providerRates)).rates;

export const useParent = () => [{ href: providersPath, label: useWords(providerWords).page.title }];

/** The current throughput as text; refreshed every few seconds (htmx). */
export function RateNow({ rate }: { rate: Rate | undefined }) {
  const t = useWords(providerWords);
  const format = useFormat();
  if (!rate) return <span class="text-secondary">{t.idle}</span>;
  if (rate.segmentsPerSecond === null) return <>{t.measuring}</>;
  return <>{t.nowOf(format.number(rate.segmentsPerSecond), rate.runs)}</>;
}

export const LiveRate = ({ id, rate }: { id: number; rate: Rate | undefined }) => (
  <span hx-get={`${providersPath}/${id}/rate-now`} hx-trigger="every 3s" hx-swap="innerHTML">
    <RateNow rate={rate} />
  </span>
);

/** Whether a provider of the kind authenticates with a secret of ours, because it cannot sign its calls. */
export const hasCallbackSecret = (kind: ProviderKind): boolean =>
  providerFields(kind).secrets.some(({ name }) => name === 'callbackSecret');

/**
 * The fields of a provider by kind: its account by the schema's fields, a gateway by its own form. `provider`: the one
 * to change; null for a new one.
 */
export function ProviderFields({ kind, provider }: { kind: ProviderKind; provider: Provider | null }) {
  const t = useWords(providerWords);
  const { config, secrets } = providerFields(kind);
  const helps: Labels = t.helps;
  const stored = provider !== null;
  const asked: readonly string[] = provider === null ? [] : secretsAskedFor(provider.config);
  return (
    <>
      <TextField name="name" autofocus={!stored} />
      {kind === 'http' ? (
        <GatewayFields />
      ) : (
        config.map(({ name }) => (
          <TextField
            key={name}
            name={`config.${name}`}
            {...(name === 'from' ? { help: t.from[kind] } : {})}
            {...(name === 'baseUrl' ? { placeholder: 'https://xxxxx.api.infobip.com' } : {})}
          />
        ))
      )}
      <SelectField
        name="segmentProfile"
        options={labeled(profilesOf(kind), t.profiles)}
        {...(profilesOf(kind).includes('portuguese') ? { help: t.portugueseHelp } : {})}
      />
      <h3 class="section-title">{t.secrets}</h3>
      <p class="form-hint">
        {t.secretsHelp} {stored && (kind === 'http' || kind === 'infobip') && t.enterAgain}
      </p>
      {secrets
        .filter(({ name }) => name !== 'values')
        .map(({ name, required }) => {
          const made = name === 'callbackSecret';
          const about = helps[`secrets.${name}`];
          const isStored = stored && (required || asked.includes(name));
          const help = [...(isStored ? [t.stored] : []), ...(about === undefined ? [] : [about])];
          return (
            <TextField
              key={name}
              name={`secrets.${name}`}
              required={required && !stored}
              autocomplete="new-password"
              // A new callback secret is generated here, and must be visible.
              type={made && !stored ? 'text' : 'password'}
              {...(help.length > 0 ? { help: help.join(' ') } : {})}
            />
          );
        })}
      {kind === 'http' && <GatewaySecretRows stored={stored} />}
    </>
  );
}
