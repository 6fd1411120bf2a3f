import type { z } from 'zod';
import type { providerRates, providerView } from '../../api/providers/providers.ts';
import { providerFields, type ProviderKind } from '../../domain/provider.ts';
import { SelectField, TextField } from '../kit/fields.tsx';
import { common } from '../kit/words.ts';
import { providerWords } from './words.ts';
import { GatewayFields, GatewaySecretRows } from './gateway.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

export const providersPath = '/settings/providers';
export type Provider = z.output<typeof providerView>;
export type Rate = z.output<typeof providerRates>['rates'][number];

export const useTrail = (inner = true) => {
  const t = useWords(providerWords);
  const words = useWords(common);
  return [
    { href: '/settings', label: words.nav.settings },
    ...(inner ? [{ href: providersPath, label: t.page.title }] : []),
  ];
};

/** What leaves now, in words; looked at again every few seconds (htmx). */
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

/** What a provider of a kind is made of: its account by the schema's fields, a gateway by a form of its own. */
export function ProviderFields({ kind, stored }: { kind: ProviderKind; stored: boolean }) {
  const t = useWords(providerWords);
  const { config, secrets } = providerFields(kind);
  return (
    <>
      <TextField name="name" required maxLength={100} autofocus={!stored} />
      {kind === 'http' ? (
        <GatewayFields />
      ) : (
        config.map((name) => (
          <TextField
            key={name}
            name={`config.${name}`}
            required
            {...(name === 'from' ? { help: t.from[kind] } : {})}
            {...(name === 'baseUrl' ? { placeholder: 'https://xxxxx.api.infobip.com' } : {})}
          />
        ))
      )}
      <SelectField
        name="segmentProfile"
        options={Object.entries(t.profiles).map(([value, label]) => ({ value, label }))}
      />
      <h3 class="section-title">{t.secrets}</h3>
      <p class="form-hint">
        {t.secretsHelp} {stored && (kind === 'http' || kind === 'infobip') && t.enterAgain}
      </p>
      {secrets
        .filter((name) => name !== 'values')
        .map((name) => {
          const made = name === 'callbackSecret';
          const help = [...(stored ? [t.stored] : []), ...(made ? [t.helps['secrets.callbackSecret']] : [])];
          return (
            <TextField
              key={name}
              name={`secrets.${name}`}
              required={!stored}
              autocomplete="new-password"
              // A new callback secret is made here, and has to be seen.
              type={made && !stored ? 'text' : 'password'}
              {...(help.length > 0 ? { help: help.join(' ') } : {})}
            />
          );
        })}
      {kind === 'http' && <GatewaySecretRows stored={stored} />}
    </>
  );
}
