import type { z } from 'zod';
import type { providerRates, providerView } from '../api/providers.ts';
import type { EntryUse } from '../api/uses.ts';
import { providerFields, type ProviderKind, providerKinds } from '../domain/provider.ts';
import { optionsOf } from './choices.ts';
import { CopyField } from './copy.tsx';
import { ActionButton, Form, type FormState, SelectField, Submit, TextField } from './form.tsx';
import { common } from './i18n/common.ts';
import { providerWords } from './i18n/providers.ts';
import { Icon } from './icons.tsx';
import { Page } from './layout.tsx';
import { Card, ConfirmPage, Empty, State, Table } from './parts.tsx';
import { GatewayFields, GatewaySecretRows } from './provider-gateway.tsx';
import { Uses } from './uses.tsx';
import { useFormat, useMay, useWords } from './view.tsx';

export const providersPath = '/settings/providers';
export type Provider = z.output<typeof providerView>;
export type Rate = z.output<typeof providerRates>['rates'][number];

const useTrail = (inner = true) => {
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

const LiveRate = ({ id, rate }: { id: number; rate: Rate | undefined }) => (
  <span hx-get={`${providersPath}/${id}/rate-now`} hx-trigger="every 3s" hx-swap="innerHTML">
    <RateNow rate={rate} />
  </span>
);

export function ListPage({ providers, rates }: { providers: readonly Provider[]; rates: readonly Rate[] }) {
  const t = useWords(providerWords);
  const words = useWords(common);
  const format = useFormat();
  const mayAdd = useMay('admin');
  const add = { href: `${providersPath}/new`, label: t.add };
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
        rows={providers}
        columns={[
          { heading: t.fields.name, cell: ({ id, name }) => <a href={`${providersPath}/${id}`}>{name}</a> },
          { heading: t.kind, cell: ({ config }) => t.kinds[config.kind], wide: true },
          {
            heading: t.limit,
            cell: ({ ratePerSecond }) =>
              ratePerSecond === null ? (
                t.noLimit
              ) : (
                <span class="text-nowrap">{t.perSecond(format.number(ratePerSecond))}</span>
              ),
          },
          {
            heading: t.now,
            cell: ({ id }) => <LiveRate id={id} rate={rates.find(({ providerId }) => providerId === id)} />,
          },
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
        empty={<Empty icon="messages" title={t.empty} text={t.emptyText} action={mayAdd ? add : undefined} />}
      />
    </Page>
  );
}

export function KindsPage() {
  const t = useWords(providerWords);
  return (
    <Page title={t.add} section="settings" trail={useTrail()}>
      <p class="text-secondary">{t.chooseKind}</p>
      <div class="card narrow">
        <div class="list-group list-group-flush">
          {providerKinds.map((kind) => (
            <a
              key={kind}
              class="list-group-item list-group-item-action"
              href={`${providersPath}/new/${kind}`}
            >
              {t.kinds[kind]}
              <small class="d-block text-secondary">{t.aboutKind[kind]}</small>
            </a>
          ))}
        </div>
      </div>
    </Page>
  );
}

/** What a provider of a kind is made of: its account by the schema's fields, a gateway by a form of its own. */
function ProviderFields({ kind, stored }: { kind: ProviderKind; stored: boolean }) {
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
      <p class="form-hint">{t.secretsHelp}</p>
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

export function NewPage({ kind, state }: { kind: ProviderKind; state: FormState }) {
  const t = useWords(providerWords);
  const words = useWords(common);
  return (
    <Page title={t.addKind(t.kinds[kind])} section="settings" trail={useTrail()}>
      <div class={kind === 'http' ? undefined : 'narrow'}>
        <Card>
          <Form action={`${providersPath}/new/${kind}`} state={state} labels={t.fields} helps={t.helps}>
            <ProviderFields kind={kind} stored={false} />
            <TextField name="ratePerSecond" type="number" min={0} step="any" />
            <div class="buttons">
              <Submit>{words.save}</Submit>
              <a class="btn" href={providersPath}>
                {words.cancel}
              </a>
            </div>
          </Form>
        </Card>
      </div>
    </Page>
  );
}

export function ProviderPage({
  provider,
  usedBy,
  now,
  data,
  rate,
  fallback,
  others,
}: {
  provider: Provider;
  usedBy: readonly EntryUse[];
  now: Rate | undefined;
  data: FormState;
  rate: FormState;
  fallback: FormState;
  /** Those that may take over. */
  others: readonly Provider[];
}) {
  const t = useWords(providerWords);
  const words = useWords(common);
  const mayChange = useMay('admin');
  const { id, archivedAt } = provider;
  const { kind } = provider.config;
  const address = `${providersPath}/${id}`;
  return (
    <Page
      title={provider.name}
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
          <Card title={t.kinds[kind]}>
            <Form action={address} state={data} labels={t.fields} helps={t.helps} readOnly={!mayChange}>
              <ProviderFields kind={kind} stored />
              {mayChange && <Submit>{words.save}</Submit>}
            </Form>
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={t.rate}>
            <p>
              {t.now}:{' '}
              <strong>
                <LiveRate id={id} rate={now} />
              </strong>
            </p>
            <Form
              action={`${address}/rate`}
              state={rate}
              labels={t.fields}
              helps={t.helps}
              readOnly={!mayChange}
            >
              <TextField name="ratePerSecond" type="number" min={0} step="any" />
              <p class="form-hint">{t.rateNow}</p>
              {mayChange && <Submit kind="plain">{t.setRate}</Submit>}
            </Form>
          </Card>
          <Card title={t.fields.fallbackId}>
            <p>{t.fallbackHelp}</p>
            <Form action={`${address}/fallback`} state={fallback} labels={t.fields} readOnly={!mayChange}>
              <SelectField
                name="fallbackId"
                options={optionsOf(others, fallback.values.text('fallbackId'))}
                empty={words.notChosen}
              />
              {mayChange && <Submit kind="plain">{words.save}</Submit>}
            </Form>
          </Card>
          <Card title={t.callbacks}>
            <p>{t.callbacksHelp[kind]}</p>
            {kind !== 'sandbox' && <Callbacks provider={provider} callbackKey="…" />}
          </Card>
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

/** The addresses with the callback secret where the provider can't sign its calls; `…` stands for one that is stored. */
function Callbacks({ provider, callbackKey }: { provider: Provider; callbackKey: string }) {
  const t = useWords(providerWords);
  const signs = !providerFields(provider.config.kind).secrets.includes('callbackSecret');
  const end = signs ? '' : `?key=${callbackKey}`;
  return (
    <>
      <CopyField id="callback-receipts" label={t.receipts} value={provider.callbacks.receipts + end} />
      <CopyField id="callback-inbound" label={t.inbound} value={provider.callbacks.inbound + end} />
      {!signs && callbackKey === '…' && <p class="form-hint">{t.withKey}</p>}
    </>
  );
}

/** Shown once: the addresses with a callback secret that was just given. */
export function CallbacksPage({ provider, secret }: { provider: Provider; secret: string }) {
  const t = useWords(providerWords);
  return (
    <Page title={provider.name} section="settings" trail={useTrail()}>
      <div class="alert alert-success" role="status">
        {t.saveTitle}.
      </div>
      <Card title={t.onceTitle}>
        <p>{t.onceText}</p>
        <p>{t.callbacksHelp[provider.config.kind]}</p>
        <Callbacks provider={provider} callbackKey={secret} />
        <CopyField id="callback-secret" label={t.fields['secrets.callbackSecret']} value={secret} />
        <a class="btn btn-primary" href={`${providersPath}/${provider.id}`}>
          {t.continue}
        </a>
      </Card>
    </Page>
  );
}

export function ArchivePage({ provider, usedBy }: { provider: Provider; usedBy: readonly EntryUse[] }) {
  const t = useWords(providerWords);
  const words = useWords(common);
  const address = `${providersPath}/${provider.id}`;
  return (
    <ConfirmPage
      title={t.archiveTitle(provider.name)}
      section="settings"
      text={t.archiveText}
      details={<Uses usedBy={usedBy} />}
      note={t.archiveNote}
      action={`${address}/archive`}
      button={words.archive}
      back={address}
    />
  );
}

/** Of one in use it offers the archive in place of the deletion. */
export function DeletePage({ provider, usedBy }: { provider: Provider; usedBy: readonly EntryUse[] }) {
  const t = useWords(providerWords);
  const words = useWords(common);
  const address = `${providersPath}/${provider.id}`;
  const used = usedBy.length > 0;
  return (
    <ConfirmPage
      title={t.deleteTitle(provider.name)}
      section="settings"
      text={used ? t.cantDelete : t.deleteText}
      details={<Uses usedBy={usedBy} />}
      {...(used ? { note: t.archiveText } : {})}
      action={`${address}/${used ? 'archive' : 'delete'}`}
      button={used ? words.archive : words.delete}
      back={address}
    />
  );
}
