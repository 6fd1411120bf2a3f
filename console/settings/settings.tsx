import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { settingContent, settingPath, settingView } from '../../api/settings/settings.ts';
import type { SettingKind } from '../../domain/settings.ts';
import type { Api } from '../kit/api.ts';
import { SaveOrCancel } from '../kit/buttons.tsx';
import { EntryActions, EntryListPage } from '../kit/entries.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { settingWords } from './words.ts';
import { Page, SettingsPage } from '../kit/layout.tsx';
import { Card, type Column } from '../kit/parts.tsx';
import { addResource } from '../kit/resource.tsx';
import { addPage } from '../kit/routes.ts';
import { type Choices, DefinitionFields, DefinitionSummary } from './definitions.tsx';
import { settingsGroups } from './groups.ts';
import { useMay, useWords } from '../kit/view.tsx';

type Entry<K extends SettingKind = SettingKind> = z.output<ReturnType<typeof settingView>> & { kind?: K };

const pathOf = (kind: SettingKind): string => settingPath(kind).slice('/api'.length);
const entriesOf = async (api: Api, kind: SettingKind): Promise<Entry[]> =>
  (await api.get(settingPath(kind), z.object({ entries: z.array(settingView(kind)) }))).entries;

async function choicesOf(api: Api, kind: SettingKind): Promise<Choices> {
  if (kind !== 'subcategories') return {};
  return {
    categories: await entriesOf(api, 'categories'),
    extraFieldGroups: await entriesOf(api, 'extraFieldGroups'),
  };
}

/** The settings page, and the same pages for each kind of entry. */
export const settings: FastifyPluginAsync = async (app) => {
  addPage(app, '/settings', 'viewer', () => <OverviewPage />);

  const kinds = settingsGroups.flatMap(({ kinds }) => kinds);
  for (const kind of kinds) {
    const path = pathOf(kind);
    addResource(app, {
      path,
      api: settingPath(kind),
      view: settingView(kind),
      content: settingContent(kind),
      words: settingWords,
      next: path,
      beginning: ({ format }) =>
        kind === 'sendingHours' ? { definition: { timezone: format.timeZone } } : {},
      list: async (api) => {
        // The name of a referenced entry.
        const categories = kind === 'subcategories' ? await entriesOf(api, 'categories') : [];
        return <ListPage kind={kind} entries={await entriesOf(api, kind)} categories={categories} />;
      },
      page: async (api, state, entry) => (
        <EntryPage
          kind={kind}
          {...(entry ? { entry } : {})}
          state={state}
          choices={await choicesOf(api, kind)}
        />
      ),
    });
  }
};

function OverviewPage() {
  const t = useWords(settingWords);
  const words = useWords(common);
  return (
    <Page title={words.nav.settings} section="settings">
      <p class="text-secondary">{t.intro}</p>
      <div class="card-columns">
        {settingsGroups.map(({ name, kinds, pages }) => (
          <section key={name} class="card">
            <div class="card-header">
              <h2 class="card-title">{t.groups[name]}</h2>
            </div>
            <div class="list-group list-group-flush">
              {kinds.map((kind) => (
                <a key={kind} class="list-group-item list-group-item-action" href={pathOf(kind)}>
                  {t.kinds[kind]}
                  <small class="d-block text-secondary">{t.about[kind]}</small>
                </a>
              ))}
              {pages.map((page) => (
                <PageLink key={page.href} {...page} />
              ))}
            </div>
          </section>
        ))}
      </div>
    </Page>
  );
}

function PageLink({ href, label, access = 'viewer' }: (typeof settingsGroups)[number]['pages'][number]) {
  const page = useWords(label);
  if (!useMay(access)) return null;
  return (
    <a class="list-group-item list-group-item-action" href={href}>
      {page.title}
      <small class="d-block text-secondary">{page.about}</small>
    </a>
  );
}

function ListPage({
  kind,
  entries,
  categories,
}: {
  kind: SettingKind;
  entries: readonly Entry[];
  categories: readonly Entry[];
}) {
  const t = useWords(settingWords);
  const summary: Column<Entry>[] = hasSummary(kind)
    ? [
        {
          heading: kind === 'sendingHours' ? t.windows : t.count[kind],
          cell: (entry) => <DefinitionSummary kind={kind} entry={entry} categories={categories} />,
        },
      ]
    : [];
  return (
    <EntryListPage
      path={pathOf(kind)}
      title={t.kinds[kind]}
      icon="settings"
      rows={entries}
      columns={summary}
      words={t}
    />
  );
}

const hasSummary = (
  kind: SettingKind,
): kind is 'sendingHours' | 'holidayCalendars' | 'extraFieldGroups' | 'subcategories' =>
  ['sendingHours', 'holidayCalendars', 'extraFieldGroups', 'subcategories'].includes(kind);

function EntryPage({
  kind,
  entry,
  state,
  choices,
}: {
  kind: SettingKind;
  entry?: Entry;
  state: FormState;
  choices: Choices;
}) {
  const t = useWords(settingWords);
  const path = pathOf(kind);
  return (
    <SettingsPage
      title={entry ? entry.name : t.newEntry(t.kinds[kind])}
      below={[{ href: path, label: t.kinds[kind] }]}
      actions={
        entry && <EntryActions address={`${path}/${entry.id}`} archivedAt={entry.archivedAt} atOnce={path} />
      }
    >
      <Card>
        <Form
          action={entry ? `${path}/${entry.id}` : path}
          changes={entry && `${settingPath(kind)}/${entry.id}`}
          state={state}
          schema={settingContent(kind)}
          words={t}
          readOnly={!useMay('admin')}
          once={!entry}
        >
          <TextField name="name" class="mb-3 narrow" autofocus={!entry} />
          <DefinitionFields kind={kind} choices={choices} />
          <SaveOrCancel back={path} />
        </Form>
      </Card>
    </SettingsPage>
  );
}
