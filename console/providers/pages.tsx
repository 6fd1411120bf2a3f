import type { EntryUse } from '../../domain/problems/errors.ts';
import { type ProviderKind, providerKinds } from '../../domain/provider.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { EntryState } from '../kit/entries.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { providerWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, ConfirmPage, Empty, Table } from '../kit/parts.tsx';
import { LiveRate, type Provider, ProviderFields, providersPath, type Rate, useTrail } from './parts.tsx';
import { Uses } from '../kit/uses.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

export function ListPage({ providers, rates }: { providers: readonly Provider[]; rates: readonly Rate[] }) {
  const t = useWords(providerWords);
  const format = useFormat();
  const mayAdd = useMay('admin');
  const add = { href: `${providersPath}/new`, label: t.add };
  return (
    <Page
      title={t.page.title}
      section="settings"
      trail={useTrail(false)}
      actions={mayAdd && <AddLink {...add} />}
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
            cell: ({ archivedAt }) => <EntryState archivedAt={archivedAt} inUse={t.inUse} />,
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

export function NewPage({ kind, state }: { kind: ProviderKind; state: FormState }) {
  const t = useWords(providerWords);
  return (
    <Page title={t.addKind(t.kinds[kind])} section="settings" trail={useTrail()}>
      <div class={kind === 'http' ? undefined : 'narrow'}>
        <Card>
          <Form action={`${providersPath}/new/${kind}`} state={state} labels={t.fields} helps={t.helps}>
            <ProviderFields kind={kind} stored={false} />
            <TextField name="ratePerSecond" type="number" min={0} step="any" />
            <SaveOrCancel back={providersPath} />
          </Form>
        </Card>
      </div>
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
