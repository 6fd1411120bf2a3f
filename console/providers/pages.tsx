import { type ProviderKind, providerKinds } from '../../domain/provider.ts';
import { SaveOrCancel } from '../kit/buttons.tsx';
import { EntryListPage } from '../kit/entries.tsx';
import { Options, TextField } from '../kit/fields.tsx';
import { Form, type FormState, useValues } from '../kit/form.tsx';
import { useStarterWords } from './gateway.tsx';
import { starterWords } from './starter-words.ts';
import { starters } from './starters.ts';
import { providerWords } from './words.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import {
  LiveRate,
  type Provider,
  ProviderFields,
  providersPath,
  type Rate,
  schemaOf,
  useParent,
} from './parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';

export function ListPage({ providers, rates }: { providers: readonly Provider[]; rates: readonly Rate[] }) {
  const t = useWords(providerWords);
  const format = useFormat();
  return (
    <EntryListPage
      path={providersPath}
      title={t.page.title}
      icon="messages"
      rows={providers}
      columns={[
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
      ]}
      words={t}
    />
  );
}

export function KindsPage() {
  const t = useWords(providerWords);
  return (
    <SettingsPage title={t.add} below={useParent()}>
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
    </SettingsPage>
  );
}

export function NewPage({ kind, state }: { kind: ProviderKind; state: FormState }) {
  const t = useWords(providerWords);
  return (
    <SettingsPage title={t.addKind(t.kinds[kind])} below={useParent()}>
      <div class={kind === 'http' ? undefined : 'narrow'}>
        {kind === 'http' && <StartFrom chosen={state.values.text('starter')} />}
        <Card>
          <Form action={`${providersPath}/new/${kind}`} state={state} schema={schemaOf(kind)} words={t}>
            {kind === 'http' && <AfterSaving />}
            <ProviderFields kind={kind} provider={null} />
            <TextField name="ratePerSecond" type="number" step="any" />
            <SaveOrCancel back={providersPath} />
          </Form>
        </Card>
      </div>
    </SettingsPage>
  );
}

/** A ready description fills in the form: a separate page, so that it works without scripts. */
function StartFrom({ chosen }: { chosen: string }) {
  const t = useWords(providerWords).gateway;
  const words = useWords(starterWords);
  return (
    <form method="get" action={`${providersPath}/new/http`} class="filters mb-3">
      <div>
        <label class="form-label" for="start-from">
          {t.startFrom}
        </label>
        <select class="form-select" id="start-from" name="from">
          <option value="">{t.startEmpty}</option>
          <Options
            options={starters.map((name) => ({ value: name, label: words[name].name }))}
            chosen={chosen}
          />
        </select>
      </div>
      <div class="buttons">
        <button class="btn">{t.fillIn}</button>
      </div>
    </form>
  );
}

/** In a form that a ready description has filled in. */
function AfterSaving() {
  const t = useWords(providerWords).gateway;
  const start = useStarterWords();
  if (!start) return null;
  return (
    <>
      <input type="hidden" name="starter" value={useValues().text('starter')} />
      <div class="alert alert-info" role="note">
        <p class="alert-title">{t.filledIn(start.name)}</p>
        <p>{t.leftToEnter}</p>
        <p class="mb-0">
          {t.afterSaving} {start.after}
        </p>
      </div>
    </>
  );
}
