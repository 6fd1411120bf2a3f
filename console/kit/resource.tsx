import type { FastifyInstance } from 'fastify';
import type { VNode } from 'preact';
import type { z } from 'zod';
import { usesView } from '../../api/settings/uses.ts';
import type { EntryUse } from '../../domain/problems/errors.ts';
import type { Api } from './api.ts';
import { addConfirmed } from './confirm.tsx';
import type { Dictionary } from './dictionary.ts';
import type { FormValues } from './form-data.ts';
import { type FormState, newForm } from './form.tsx';
import type { Done } from './responses.tsx';
import { addAction, addForm, addPage, type PageRequest } from './routes.ts';
import { readForm } from './schema-form.ts';
import { Uses } from './uses.tsx';
import type { View } from './view.tsx';
import { common } from './words.ts';

/** Entries that are archived, or, while nothing uses them, deleted. */
interface Entry {
  id: number;
  name: string;
  archivedAt: Date | null;
}

/** The question before an entry is removed. */
interface LeaveWords {
  archiveText: string;
  /** Beside the list of what uses it. */
  archiveNote?: string;
  deleteText: string;
  cantDelete: string;
}

interface Resource<E extends Entry> {
  /** The path of its pages; entries are at `<path>/<id>`. */
  path: string;
  /** The path of its routes in the API. */
  api: string;
  view: z.ZodType<E>;
  /** The API's fields to create or to replace an entry, besides `archived`. */
  content: z.ZodObject;
  words: Dictionary<LeaveWords>;
  list: (api: Api) => Promise<VNode>;
  /** The form of an entry; without an entry, of a new one. */
  page: (api: Api, state: FormState, entry?: E & { usedBy: readonly EntryUse[] }) => Promise<VNode>;
  /** The initial values of a new entry. */
  beginning?: (view: View) => object;
  /** If the form differs from the document: the conversions in both directions. */
  documentOf?: (entry: E) => object;
  bodyOf?: (form: FormValues, entry?: E) => object;
  /** The page after an entry is saved; if omitted: the entry. */
  next?: string;
}

const readerOf = <E extends Entry>({ api: path, view }: Pick<Resource<E>, 'api' | 'view'>) => ({
  entryOf: (api: Api, id: number): Promise<E> => api.get(`${path}/${id}`, view),
  usesOf: async (api: Api, id: number): Promise<EntryUse[]> =>
    (await api.get(`${path}/${id}/uses`, usesView)).usedBy,
});

/** The pages of a kind of entries: list, new, edit, archive, restore, delete. */
export function addResource<E extends Entry>(
  app: FastifyInstance,
  {
    path,
    api: apiPath,
    view,
    content,
    words,
    list,
    page,
    beginning = () => ({}),
    documentOf = (entry) => entry,
    bodyOf = (form) => readForm(content, form),
    next,
  }: Resource<E>,
): void {
  const { entryOf, usesOf } = readerOf({ api: apiPath, view });
  const pageOf = async (api: Api, state: FormState, entry: E): Promise<VNode> =>
    page(api, state, { ...entry, usedBy: await usesOf(api, entry.id) });

  addPage(app, path, 'viewer', ({ api }) => list(api));

  addPage(app, `${path}/new`, 'admin', ({ api, view: reader }) => page(api, newForm(beginning(reader))));

  addForm(app, path, 'admin', {
    send: async ({ api, form }) => {
      const { id } = await api.send('POST', apiPath, bodyOf(form), view);
      return { to: next ?? `${path}/${id}`, notice: 'created' };
    },
    again: ({ api }, state) => page(api, state),
  });

  addPage(app, `${path}/:id`, 'viewer', async ({ api, id }) => {
    const entry = await entryOf(api, id);
    return pageOf(api, newForm(documentOf(entry)), entry);
  });

  addForm(app, `${path}/:id`, 'admin', {
    send: async ({ api, id, form }) => {
      const entry = await entryOf(api, id);
      const body = { ...bodyOf(form, entry), archived: entry.archivedAt !== null };
      await api.send('PUT', `${apiPath}/${id}`, body);
      return { to: next ?? `${path}/${id}`, notice: 'saved' };
    },
    again: async ({ api, id }, state) => pageOf(api, state, await entryOf(api, id)),
  });

  addLeaving(app, { path, api: apiPath, view, content, words });
}

/** How entries are removed: the confirmation pages, archive, restore, delete. */
export function addLeaving<E extends Entry>(
  app: FastifyInstance,
  {
    path,
    api: apiPath,
    view,
    content,
    words,
  }: Pick<Resource<E>, 'path' | 'api' | 'view' | 'content' | 'words'>,
): void {
  const { entryOf, usesOf } = readerOf({ api: apiPath, view });

  const setArchived =
    (archived: boolean) =>
    async ({ api, id }: PageRequest): Promise<Done> => {
      const kept = Object.entries(await entryOf(api, id)).filter(([name]) => name in content.shape);
      await api.send('PUT', `${apiPath}/${id}`, { ...Object.fromEntries(kept), archived });
      return { to: path, notice: archived ? 'archived' : 'restored' };
    };
  const asked = {
    section: 'settings',
    back: ({ id }: PageRequest) => `${path}/${id}`,
  } as const;

  addAction(app, `${path}/:id/restore`, 'admin', { work: setArchived(false), otherwise: () => path });

  addConfirmed(app, `${path}/:id/archive`, 'admin', {
    ...asked,
    ask: async ({ api, view: { locale }, id }) => ({
      title: common[locale].archiveTitle((await entryOf(api, id)).name),
      text: words[locale].archiveText,
      details: <Uses usedBy={await usesOf(api, id)} />,
      note: words[locale].archiveNote,
      button: common[locale].archive,
    }),
    work: setArchived(true),
  });

  addConfirmed(app, `${path}/:id/delete`, 'admin', {
    ...asked,
    ask: async ({ api, view: { locale }, id }) => {
      const t = words[locale];
      const usedBy = await usesOf(api, id);
      const title = common[locale].deleteTitle((await entryOf(api, id)).name);
      if (usedBy.length === 0) return { title, text: t.deleteText, button: common[locale].delete };
      return {
        title,
        text: t.cantDelete,
        details: <Uses usedBy={usedBy} />,
        note: t.archiveText,
        button: common[locale].archive,
        action: `${path}/${id}/archive`,
      };
    },
    work: async ({ api, id }) => {
      await api.send('DELETE', `${apiPath}/${id}`);
      return { to: path, notice: 'deleted' };
    },
  });
}
