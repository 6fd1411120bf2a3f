import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { providerView } from '../../api/providers/providers.ts';
import {
  readAgainView,
  setAsideView,
  unreadCallList,
  type unreadCallView,
} from '../../api/providers/unread.ts';
import { readUnreadFault, unreadWords as faultWords } from '../../domain/problems/callbacks.ts';
import { ActionButton } from '../kit/buttons.tsx';
import type { Query } from '../kit/filters.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { List } from '../kit/list.tsx';
import { Time } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { type Provider, providersPath, useParent } from './parts.tsx';
import { unreadWords } from './words-unread.ts';

export const unreadPath = (providerId: number): string => `${providersPath}/${providerId}/unread`;
const pageSize = 25;
type UnreadCall = z.output<typeof unreadCallView>;

/** Provider calls that could not be read. */
export const unread: FastifyPluginAsync = async (app) => {
  const path = `${providersPath}/:id/unread`;

  addPage(app, path, 'viewer', async ({ api, id, query }) => {
    const [provider, { unread: calls }] = await Promise.all([
      api.get(`/api/providers/${id}`, providerView),
      api.get(`/api/providers/${id}/unread`, unreadCallList, { after: query.after, limit: pageSize }),
    ]);
    return <UnreadPage provider={provider} calls={calls} query={query} />;
  });

  addAction(app, `${path}/read-again`, 'operator', {
    work: async ({ api, view, id, form }) => {
      const one = form.number('id');
      const body = one === null ? {} : { ids: [one] };
      const answer = await api.send('POST', `/api/providers/${id}/unread/read-again`, body, readAgainView);
      const t = unreadWords[view.locale];
      const { format } = view;
      const words = t.read(format.number(answer.read), format.number(answer.unread));
      return { to: unreadPath(id), notice: { words: answer.more ? `${words} ${t.more}` : words } };
    },
    otherwise: ({ id }) => unreadPath(id),
  });

  addAction(app, `${path}/set-aside`, 'operator', {
    work: async ({ api, view, id, form }) => {
      const ids = form.text('ids').split(',').map(Number);
      const answer = await api.send('POST', `/api/providers/${id}/unread/set-aside`, { ids }, setAsideView);
      const words = unreadWords[view.locale].wasSetAside(view.format.number(answer.setAside));
      return { to: unreadPath(id), notice: { words } };
    },
    otherwise: ({ id }) => unreadPath(id),
  });
};

function UnreadPage({
  provider,
  calls,
  query,
}: {
  provider: Provider;
  calls: readonly UnreadCall[];
  query: Query;
}) {
  const t = useWords(unreadWords);
  const mayAct = useMay('operator');
  const path = unreadPath(provider.id);
  return (
    <SettingsPage
      title={t.title}
      below={[...useParent(), { href: `${providersPath}/${provider.id}`, label: provider.name }]}
    >
      <p class="text-secondary">{provider.config.kind === 'http' ? t.intro : t.introFixed}</p>
      {mayAct && calls.length > 0 && (
        <div class="buttons mb-3">
          <ActionButton action={`${path}/read-again`} kind="primary">
            {t.readAllAgain}
          </ActionButton>
          <ActionButton action={`${path}/set-aside`} values={{ ids: calls.map(({ id }) => id).join(',') }}>
            {t.setThoseAside}
          </ActionButton>
        </div>
      )}
      <List
        path={path}
        query={query}
        caption={t.title}
        rows={calls}
        columns={[
          { heading: t.received, cell: ({ receivedAt }) => <Time at={receivedAt} exact /> },
          { heading: t.kind, cell: ({ kind }) => t.kinds[kind] },
          { heading: t.problem, cell: (call) => <Problem call={call} /> },
          {
            heading: t.payload,
            cell: ({ payload }) => <pre tabIndex={0}>{JSON.stringify(payload, null, 2)}</pre>,
          },
          {
            heading: t.actions,
            shown: mayAct,
            cell: ({ id }) => (
              <div class="buttons">
                <ActionButton action={`${path}/read-again`} values={{ id: String(id) }} small>
                  {t.readAgain}
                </ActionButton>
                <ActionButton action={`${path}/set-aside`} values={{ ids: String(id) }} small>
                  {t.setAside}
                </ActionButton>
              </div>
            ),
          },
        ]}
        pageSize={pageSize}
        pageBy="after"
        icon="replies"
        empty={{ title: t.empty, text: t.emptyText }}
      />
    </SettingsPage>
  );
}

function Problem({ call: { problem, messageId } }: { call: UnreadCall }) {
  const t = useWords(unreadWords);
  const format = useFormat();
  const fault = readUnreadFault(problem);
  return (
    <>
      <span class="long-text">{fault ? faultWords(fault, format) : t.otherVersion}</span>
      {messageId !== null && (
        <a class="d-block" href={`/messages/${messageId}`}>
          {t.message(String(messageId))}
        </a>
      )}
    </>
  );
}
