import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { settingPath, settingView } from '../../api/settings/settings.ts';
import { usesView } from '../../api/settings/uses.ts';
import type { EntryUse } from '../../domain/problems/errors.ts';
import type { SettingKind } from '../../domain/settings.ts';
import type { Api } from '../kit/api.ts';
import { AddLink, SaveOrCancel } from '../kit/buttons.tsx';
import { EntryActions, EntryState } from '../kit/entries.tsx';
import { TextField } from '../kit/fields.tsx';
import { FormValues } from '../kit/form-data.ts';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { settingWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, type Column, ConfirmPage, Empty, Table } from '../kit/parts.tsx';
import { act, submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { type Choices, DefinitionFields, definitionOf, DefinitionSummary } from './definitions.tsx';
import { settingsGroups } from './groups.ts';
import { Uses } from '../kit/uses.tsx';
import { useMay, useWords } from '../kit/view.tsx';

type Entry<K extends SettingKind = SettingKind> = z.output<ReturnType<typeof settingView>> & { kind?: K };

const pathOf = (kind: SettingKind): string => settingPath(kind).slice('/api'.length);
const entriesOf = async (api: Api, kind: SettingKind): Promise<Entry[]> =>
  (await api.get(settingPath(kind), z.object({ entries: z.array(settingView(kind)) }))).entries;

async function choicesOf(api: Api, kind: SettingKind): Promise<Choices> {
  if (kind !== 'subcategories') return {};
  const available = async (other: SettingKind) =>
    (await entriesOf(api, other)).filter(({ archivedAt }) => archivedAt === null);
  return { categories: await available('categories'), extraFieldGroups: await available('extraFieldGroups') };
}

/** The form as the API's document; blank rows of its lists are left out. */
const contentOf = (kind: SettingKind, form: FormValues) => ({
  name: form.text('name'),
  definition: definitionOf(kind, form),
});

/** The settings' own page, and the same pages for each kind of them. */
export const settings: FastifyPluginAsync = async (app) => {
  app.get('/settings', { config: { access: 'viewer' } }, async (_request, reply) =>
    reply.page(<SettingsPage />),
  );

  const kinds = settingsGroups.flatMap(({ kinds }) => kinds);
  for (const kind of kinds) {
    const path = pathOf(kind);
    const view = settingView(kind);

    app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
      const { api } = consoleOf(request);
      const entries = await entriesOf(api, kind);
      // The name of what an entry refers to.
      const names = kind === 'subcategories' ? await entriesOf(api, 'categories') : [];
      return reply.page(<ListPage kind={kind} entries={entries} categories={names} />);
    });

    app.get(`${path}/new`, { config: { access: 'admin' } }, async (request, reply) => {
      const { api, view } = consoleOf(request);
      const state = newForm(
        kind === 'sendingHours' ? { definition: { timezone: view.format.timeZone } } : {},
      );
      return reply.page(<EntryPage kind={kind} state={state} choices={await choicesOf(api, kind)} />);
    });

    app.post(path, { config: { access: 'admin' } }, async (request, reply) => {
      const { api } = consoleOf(request);
      return submit(
        request,
        reply,
        async (form) => {
          await api.send('POST', settingPath(kind), contentOf(kind, form));
          return { to: path, notice: 'created' };
        },
        async (state) => (
          <EntryPage kind={kind} state={compact(kind, state)} choices={await choicesOf(api, kind)} />
        ),
      );
    });

    app.get<{ Params: z.infer<typeof idParams> }>(
      `${path}/:id`,
      { config: { access: 'viewer' }, schema: { params: idParams } },
      async (request, reply) => {
        const { api } = consoleOf(request);
        const entry = await api.get(`${settingPath(kind)}/${request.params.id}`, view);
        const choices = await choicesOf(api, kind);
        return reply.page(<EntryPage kind={kind} entry={entry} state={newForm(entry)} choices={choices} />);
      },
    );

    app.post<{ Params: z.infer<typeof idParams> }>(
      `${path}/:id`,
      { config: { access: 'admin' }, schema: { params: idParams } },
      async (request, reply) => {
        const { api } = consoleOf(request);
        const address = `${settingPath(kind)}/${request.params.id}`;
        const entry = await api.get(address, view);
        return submit(
          request,
          reply,
          async (form) => {
            const archived = entry.archivedAt !== null;
            await api.send('PUT', address, { ...contentOf(kind, form), archived });
            return { to: path, notice: 'saved' };
          },
          async (state) => (
            <EntryPage
              kind={kind}
              entry={entry}
              state={compact(kind, state)}
              choices={await choicesOf(api, kind)}
            />
          ),
        );
      },
    );

    for (const archived of [true, false]) {
      app.post<{ Params: z.infer<typeof idParams> }>(
        `${path}/:id/${archived ? 'archive' : 'restore'}`,
        { config: { access: 'admin' }, schema: { params: idParams } },
        async (request, reply) => {
          const { api } = consoleOf(request);
          const address = `${settingPath(kind)}/${request.params.id}`;
          return act(request, reply, path, async () => {
            const { name, definition } = await api.get(address, view);
            await api.send('PUT', address, { name, definition, archived });
            return { to: path, notice: archived ? 'archived' : 'restored' };
          });
        },
      );
    }

    app.get<{ Params: z.infer<typeof idParams> }>(
      `${path}/:id/delete`,
      { config: { access: 'admin' }, schema: { params: idParams } },
      async (request, reply) => {
        const { id } = request.params;
        const { api } = consoleOf(request);
        const address = `${settingPath(kind)}/${id}`;
        const { name } = await api.get(address, view);
        const { usedBy } = await api.get(`${address}/uses`, usesView);
        return reply.page(<DeletePage kind={kind} id={id} name={name} usedBy={usedBy} />);
      },
    );

    app.post<{ Params: z.infer<typeof idParams> }>(
      `${path}/:id/delete`,
      { config: { access: 'admin' }, schema: { params: idParams } },
      async (request, reply) => {
        const { id } = request.params;
        return act(request, reply, `${path}/${id}`, async () => {
          await consoleOf(request).api.send('DELETE', `${settingPath(kind)}/${id}`);
          return { to: path, notice: 'deleted' };
        });
      },
    );
  }
};

/** Shown again, a form has the rows that the API has seen, so that its problems stand at the right ones. */
const compact = (kind: SettingKind, state: FormState): FormState => ({
  ...state,
  values: FormValues.of(contentOf(kind, state.values)),
});

function SettingsPage() {
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
  const words = useWords(common);
  const path = pathOf(kind);
  const mayAdd = useMay('admin');
  const columns: Column<Entry>[] = [
    { heading: t.fields.name, cell: ({ id, name }) => <a href={`${path}/${id}`}>{name}</a> },
    ...(hasSummary(kind)
      ? [
          {
            heading: kind === 'sendingHours' ? t.windows : t.count[kind],
            cell: (entry: Entry) => <DefinitionSummary kind={kind} entry={entry} categories={categories} />,
          },
        ]
      : []),
    {
      heading: t.state,
      wide: true,
      cell: ({ archivedAt }) => <EntryState archivedAt={archivedAt} inUse={t.inUse} />,
    },
  ];
  const add = { href: `${path}/new`, label: t.add };
  return (
    <Page
      title={t.kinds[kind]}
      section="settings"
      trail={[{ href: '/settings', label: words.nav.settings }]}
      actions={mayAdd && <AddLink {...add} />}
    >
      <Table
        caption={t.kinds[kind]}
        columns={columns}
        rows={entries}
        empty={<Empty icon="settings" title={t.empty} text={t.emptyText} action={mayAdd ? add : undefined} />}
      />
    </Page>
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
  const words = useWords(common);
  const path = pathOf(kind);
  const mayChange = useMay('admin');
  return (
    <Page
      title={entry ? entry.name : t.newEntry(t.kinds[kind])}
      section="settings"
      trail={[
        { href: '/settings', label: words.nav.settings },
        { href: path, label: t.kinds[kind] },
      ]}
      actions={
        entry && <EntryActions address={`${path}/${entry.id}`} archivedAt={entry.archivedAt} atOnce={path} />
      }
    >
      <Card>
        <Form
          action={entry ? `${path}/${entry.id}` : path}
          state={state}
          labels={t.fields}
          readOnly={!mayChange}
          once={!entry}
        >
          <TextField name="name" required maxLength={100} class="mb-3 narrow" autofocus={!entry} />
          <DefinitionFields kind={kind} choices={choices} />
          {mayChange && <SaveOrCancel back={path} />}
        </Form>
      </Card>
    </Page>
  );
}

/** Of an entry in use it says by what, and offers the archive in place of the deletion. */
function DeletePage({
  kind,
  id,
  name,
  usedBy,
}: {
  kind: SettingKind;
  id: number;
  name: string;
  usedBy: readonly EntryUse[];
}) {
  const t = useWords(settingWords);
  const words = useWords(common);
  const path = pathOf(kind);
  const used = usedBy.length > 0;
  return (
    <ConfirmPage
      title={t.deleteTitle(name)}
      section="settings"
      text={used ? t.cantDelete : t.deleteText}
      details={<Uses usedBy={usedBy} />}
      {...(used ? { note: t.archiveText } : {})}
      action={`${path}/${id}/${used ? 'archive' : 'delete'}`}
      button={used ? words.archive : words.delete}
      back={`${path}/${id}`}
    />
  );
}
