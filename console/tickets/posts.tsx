import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { ticketPostingChange, ticketPostingView, ticketPostList } from '../../api/tickets/posts.ts';
import { ticketEventKinds, ticketPostStates } from '../../domain/ticket-posting.ts';
import { ActionButton, Save } from '../kit/buttons.tsx';
import { addConfirmed } from '../kit/confirm.tsx';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { CheckField, ChoiceField, labeled, TextField } from '../kit/fields.tsx';
import { Form } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { ticketPostWords } from './words-posts.ts';
import { SettingsPage } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { Retrying } from '../kit/retrying.tsx';
import { Card, Facts, State, Time, type Tone } from '../kit/parts.tsx';
import { addAction, addPage } from '../kit/routes.ts';
import { HeaderRows, receiverValues, SecretField } from '../kit/secrets.tsx';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';

const path = '/settings/ticket-posting';
export const postsPath = '/settings/ticket-posts';
const pageSize = 50;
const replayed = z.object({ replayed: z.int() });

/** The helpdesk to which tickets are posted, and the results of the posts. */
export const ticketPosts: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path,
    api: '/api/settings/ticket-posting',
    access: 'admin',
    schema: ticketPostingView,
    change: ticketPostingChange,
    valuesOf: ({ posting }) => receiverValues(posting, { enabled: true, events: [...ticketEventKinds] }),
    page: (_, form, { document }) => <PostingPage {...document} form={form} />,
  });

  addPage(app, postsPath, 'operator', async ({ api, query }) => {
    const search = api.get('/api/ticket-posts', ticketPostList, { ...query, limit: pageSize });
    return <ListPage {...await searched(query, search)} />;
  });

  addAction(app, `${postsPath}/:id/replay`, 'operator', {
    work: async ({ api, view, id }) => {
      await api.send('POST', `/api/ticket-posts/${id}/replay`);
      return { to: postsPath, notice: { words: ticketPostWords[view.locale].replayed } };
    },
    otherwise: () => postsPath,
  });

  addConfirmed(app, `${postsPath}/replay-failed`, 'operator', {
    section: 'settings',
    back: () => postsPath,
    ask: async ({ api, view }) => {
      const { failed } = await api.get('/api/ticket-posts', ticketPostList, { limit: 1 });
      const t = ticketPostWords[view.locale];
      return {
        title: t.replayFailedTitle,
        text: t.replayFailedText(view.format.number(failed)),
        note: t.replayFailedNote,
        button: t.replayFailed,
      };
    },
    work: async ({ api, view }) => {
      const result = await api.send('POST', '/api/ticket-posts/replay-failed', {}, replayed);
      const words = ticketPostWords[view.locale].replayFailedDone(view.format.number(result.replayed));
      return { to: postsPath, notice: { words } };
    },
  });
};

function PostingPage({ posting, posts, form }: z.output<typeof ticketPostingView> & { form: DocumentForm }) {
  const t = useWords(ticketPostWords);
  const format = useFormat();
  return (
    <SettingsPage
      title={t.page.title}
      actions={
        <a class="btn" href={postsPath}>
          {t.seePosts}
        </a>
      }
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card>
            <p class="text-secondary">{t.intro}</p>
            <Form {...form} words={t}>
              <CheckField name="enabled" />
              <TextField name="url" type="url" placeholder="https://" />
              <ChoiceField name="events" required options={labeled(ticketEventKinds, t.events)} />
              <SecretField stored={posting !== null} words={t} />
              <HeaderRows
                title={t.headers}
                hint={posting ? `${t.headersHelp} ${t.secretStored}` : t.headersHelp}
              />
              <Save />
            </Form>
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={t.posts.title}>
            <Facts
              facts={[
                [t.waiting, format.number(posts.waiting)],
                [t.failed, <a href={`${postsPath}?state=failed`}>{format.number(posts.failed)}</a>],
              ]}
            />
          </Card>
        </div>
      </div>
    </SettingsPage>
  );
}

const tones = { waiting: 'busy', delivered: 'good', failed: 'bad' } as const satisfies Record<string, Tone>;

function ListPage({ answer, ...list }: Found<z.output<typeof ticketPostList>>) {
  const t = useWords(ticketPostWords);
  const words = useWords(common);
  const { format } = useView();
  const maySetUp = useMay('admin');
  const failed = answer?.failed ?? 0;
  return (
    <SettingsPage
      title={t.posts.title}
      actions={
        <>
          {failed > 0 && (
            <a class="btn" href={`${postsPath}/replay-failed`}>
              {t.replayFailed} ({format.number(failed)})
            </a>
          )}{' '}
          {maySetUp && (
            <a class="btn" href={path}>
              {t.seeSettings}
            </a>
          )}
        </>
      }
    >
      <Retrying retrying={answer?.retrying ?? null} />
      <List
        {...list}
        path={postsPath}
        caption={t.posts.title}
        filters={[
          { name: 'state', label: words.state, options: labeled(ticketPostStates, t.states) },
          { name: 'ticketId', label: t.ticket },
        ]}
        rows={(answer?.posts ?? []).map((post) => ({ ...post, id: post.eventId }))}
        columns={[
          { heading: t.event, cell: ({ kind, eventId }) => `${t.events[kind]} (${eventId})` },
          { heading: t.ticket, cell: ({ ticketId }) => <a href={`/tickets/${ticketId}`}>{ticketId}</a> },
          { heading: words.state, cell: ({ state }) => <State tone={tones[state]}>{t.states[state]}</State> },
          { heading: t.attempts, numeric: true, wide: true, cell: ({ attempts }) => format.number(attempts) },
          { heading: t.queued, wide: true, cell: ({ queuedAt }) => <Time at={queuedAt} /> },
          {
            heading: t.answer,
            wide: true,
            cell: ({ answerStatus, answer, attempts }) =>
              attempts === 0 ? (
                words.none
              ) : (
                <span class="long-text">
                  {answerStatus ?? t.noAnswer} {answer}
                </span>
              ),
          },
          {
            heading: t.replay,
            cell: ({ eventId }) => (
              <ActionButton action={`${postsPath}/${eventId}/replay`} small>
                {t.replay}
              </ActionButton>
            ),
          },
        ]}
        pageSize={pageSize}
        icon="tickets"
        empty={{ title: t.empty, text: t.emptyText }}
      />
    </SettingsPage>
  );
}
