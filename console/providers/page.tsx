import { fallbackView } from '../../api/providers/fallbacks.ts';
import { usesView } from '../../api/settings/uses.ts';
import type { Api } from '../kit/api.ts';
import { providersOf } from '../kit/choices.ts';
import { providerContent } from '../../api/providers/providers.ts';
import { ActionButton, Save, Submit } from '../kit/buttons.tsx';
import { CopyField } from '../kit/copy.tsx';
import { EntryActions, UsesCard } from '../kit/entries.tsx';
import { EntryField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { PricesCard, pricesOf } from '../money/prices.tsx';
import { unreadPath } from './unread.tsx';
import { providerWords } from './words.ts';
import { unreadWords } from './words-unread.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import {
  getRates,
  hasCallbackSecret,
  LiveRate,
  type Provider,
  ProviderFields,
  providersPath,
  schemaOf,
  useParent,
} from './parts.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

/** What the page shows besides the provider. */
export async function providerSurroundings(api: Api, id: number) {
  const { fallbackId } = await api.get(`/api/providers/${id}/fallback`, fallbackView);
  const { usedBy } = await api.get(`/api/providers/${id}/uses`, usesView);
  return {
    usedBy,
    now: (await getRates(api)).find(({ providerId }) => providerId === id),
    fallback: newForm({ fallbackId }),
    /** The providers that may take over. */
    others: (await providersOf(api)).filter((one) => one.id !== id),
    prices: await pricesOf(api, id),
  };
}

export function ProviderPage({
  provider,
  usedBy,
  now,
  data,
  rate,
  fallback,
  others,
  prices,
  price,
}: Awaited<ReturnType<typeof providerSurroundings>> & {
  provider: Provider;
  data: FormState;
  rate: FormState;
  /** The form of a new price. */
  price: FormState;
}) {
  const t = useWords(providerWords);
  const words = useWords(common);
  const readOnly = !useMay('admin');
  const { id, archivedAt } = provider;
  const { kind } = provider.config;
  const address = `${providersPath}/${id}`;
  return (
    <SettingsPage
      title={provider.name}
      below={useParent()}
      actions={<EntryActions address={address} archivedAt={archivedAt} />}
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card title={t.kinds[kind]}>
            <Form
              action={address}
              changes={`/api/providers/${provider.id}`}
              state={data}
              schema={schemaOf(kind)}
              words={t}
              readOnly={readOnly}
            >
              <ProviderFields kind={kind} provider={provider} />
              <Save />
            </Form>
          </Card>
          <PricesCard address={`${address}/prices`} prices={prices} state={price} />
        </div>
        <div class="col-lg-5">
          <Trouble provider={provider} />
          <Unread provider={provider} />
          <Card title={t.rate}>
            <p>
              {t.now}:{' '}
              <strong>
                <LiveRate id={id} rate={now} />
              </strong>
            </p>
            <Form
              action={`${address}/rate`}
              changes={`/api/providers/${provider.id}`}
              state={rate}
              schema={providerContent}
              words={t}
              readOnly={readOnly}
            >
              <TextField name="ratePerSecond" type="number" step="any" />
              <TextField name="maxInFlight" type="number" required />
              <p class="form-hint">{t.rateNow}</p>
              <Submit kind="plain">{t.setRate}</Submit>
            </Form>
          </Card>
          <Card title={t.fields.fallbackId}>
            <p>{t.fallbackHelp}</p>
            <Form
              action={`${address}/fallback`}
              changes={`/api/providers/${provider.id}/fallback`}
              state={fallback}
              words={t}
              readOnly={readOnly}
            >
              <EntryField name="fallbackId" entries={others} empty={words.notChosen} />
              <Save kind="plain" />
            </Form>
          </Card>
          <Card title={t.callbacks}>
            <p>{t.callbacksHelp[kind]}</p>
            {kind !== 'sandbox' && <Callbacks provider={provider} callbackKey="…" />}
          </Card>
          <UsesCard title={t.uses} none={t.usedByNone} usedBy={usedBy} />
        </div>
      </div>
    </SettingsPage>
  );
}

/** What holds its messages back, and the button to lift that. */
function Trouble({ provider: { id, trouble } }: { provider: Provider }) {
  const t = useWords(providerWords).trouble;
  const format = useFormat();
  const mayLift = useMay('operator');
  if (trouble === null) return null;
  const { pause, doubt } = trouble;
  return (
    <Card title={t.title}>
      {pause && <p>{t.pause(pause.code, format.dateTime(pause.until))}</p>}
      {doubt && (
        <p>
          {t.doubt(format.number(doubt.answers), doubt.code)}{' '}
          {doubt.nextAt ? t.nextAt(format.dateTime(doubt.nextAt)) : t.person}
        </p>
      )}
      {mayLift && <ActionButton action={`${providersPath}/${id}/release`}>{t.lift}</ActionButton>}
    </Card>
  );
}

/** Its calls that could not be read. */
function Unread({ provider: { id, name, unreadCalls } }: { provider: Provider }) {
  const t = useWords(unreadWords);
  const format = useFormat();
  return (
    <Card title={t.title}>
      {unreadCalls === 0 ? (
        <p class="text-secondary mb-0">{t.none}</p>
      ) : (
        <>
          <p>{t.waiting(format.number(unreadCalls), name)}.</p>
          <a class="btn" href={unreadPath(id)}>
            {t.see}
          </a>
        </>
      )}
    </Card>
  );
}

/** The addresses with the callback secret if the provider cannot sign its calls; `…` replaces a stored one. */
function Callbacks({ provider, callbackKey }: { provider: Provider; callbackKey: string }) {
  const t = useWords(providerWords);
  const signs = !hasCallbackSecret(provider.config.kind);
  const end = signs ? '' : `?key=${callbackKey}`;
  return (
    <>
      <CopyField id="callback-receipts" label={t.receipts} value={provider.callbacks.receipts + end} />
      <CopyField id="callback-inbound" label={t.inbound} value={provider.callbacks.inbound + end} />
      {!signs && callbackKey === '…' && <p class="form-hint">{t.withKey}</p>}
    </>
  );
}

/** Shown once: the addresses with a new callback secret. */
export function CallbacksPage({ provider, secret }: { provider: Provider; secret: string }) {
  const t = useWords(providerWords);
  return (
    <SettingsPage title={provider.name} below={useParent()}>
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
    </SettingsPage>
  );
}
