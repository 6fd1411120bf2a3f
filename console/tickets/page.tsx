import type { FastifyPluginAsync } from 'fastify';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import { ticketNote } from '../../domain/ticket-change.ts';
import { ticketMoves } from '../../domain/ticket.ts';
import type { Api } from '../kit/api.ts';
import { ActionButton, Save } from '../kit/buttons.tsx';
import { EntryField, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, Facts, LinkFor, Phone, Time } from '../kit/parts.tsx';
import { addAction, addForm, addPage } from '../kit/routes.ts';
import { readForm } from '../kit/schema-form.ts';
import { common } from '../kit/words.ts';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';
import { type Edit, editOf, fieldsOf, saveTicket } from './edit.ts';
import { HistoryItem, nameIn, Notes } from './history.tsx';
import {
  FirstAnswer,
  settingsOfTickets,
  type Story,
  ticketsPath,
  type TicketSettings,
  TicketState,
} from './parts.tsx';
import { Conversation, answerFrom, threadOf } from './thread.tsx';
import { inboundWords } from '../replies/words.ts';
import { ticketWords } from './words.ts';

/** One ticket: read, change, take, note. */
export const ticketPage: FastifyPluginAsync = async (app) => {
  const storyOf = (api: Api, id: number): Promise<Story> => api.get(`/api/tickets/${id}`, ticketStoryView);
  const pageOf = async (...shown: Parameters<typeof shownOf>) => <TicketPage {...await shownOf(...shown)} />;

  addPage(app, `${ticketsPath}/:id`, 'any_role', async ({ api, id, query: { quickReply } }) =>
    pageOf(api, await storyOf(api, id), { quickReply }),
  );

  addForm(app, `${ticketsPath}/:id`, 'agent', {
    send: async ({ api, id, form }) => {
      await saveTicket(api, (await storyOf(api, id)).ticket, form);
      return { to: `${ticketsPath}/${id}`, notice: 'saved' };
    },
    again: async ({ api, id }, state) => {
      const story = await storyOf(api, id);
      const edit = editOf(story.ticket, state.values);
      return pageOf(api, story, { edit, data: { ...state, values: edit.values, typed: true } });
    },
  });

  addAction(app, `${ticketsPath}/:id/take`, 'agent', {
    work: async ({ api, view, id, form }) => {
      const change = { version: form.number('version'), userId: view.me?.id ?? null };
      await api.send('PATCH', `/api/tickets/${id}`, change);
      return { to: `${ticketsPath}/${id}`, notice: { words: ticketWords[view.locale].taken } };
    },
    otherwise: ({ id }) => `${ticketsPath}/${id}`,
  });

  addForm(app, `${ticketsPath}/:id/notes`, 'agent', {
    send: async ({ api, view, id, form }) => {
      await api.send('POST', `/api/tickets/${id}/notes`, readForm(ticketNote, form));
      return { to: `${ticketsPath}/${id}`, notice: { words: ticketWords[view.locale].noteAdded } };
    },
    again: async ({ api, id }, note) => pageOf(api, await storyOf(api, id), { note }),
  });
};

/** What the page shows; a rejected form with its values. */
const shownOf = async (
  api: Api,
  story: Story,
  forms: { data?: FormState; edit?: Edit; note?: FormState; quickReply?: string | undefined } = {},
) => ({
  story,
  thread: await threadOf(api, story),
  answer: await answerFrom(api, story.ticket.id, forms.quickReply),
  settings: await settingsOfTickets(api),
  data: forms.data ?? newForm(story.ticket),
  note: forms.note ?? newForm(),
  clashes: forms.edit?.clashes ?? [],
});

function TicketPage({
  story,
  thread,
  answer,
  settings,
  data,
  note,
  clashes,
}: Awaited<ReturnType<typeof shownOf>>) {
  const { ticket, history } = story;
  const t = useWords(ticketWords);
  const { me } = useView();
  const mayChange = useMay('agent');
  return (
    <Page
      title={t.one(ticket.id)}
      section="tickets"
      trail={[{ href: ticketsPath, label: t.title }]}
      actions={
        <>
          <TicketState status={ticket.status} />{' '}
          {mayChange && ticket.userId !== me?.id && (
            <ActionButton
              action={`${ticketsPath}/${ticket.id}/take`}
              values={{ version: String(ticket.version) }}
              kind="primary"
            >
              {t.take}
            </ActionButton>
          )}
        </>
      }
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Conversation thread={thread} state={answer} />
          <Notes story={story} state={note} />
          <Card title={t.data}>
            <Clashes clashes={clashes} settings={settings} />
            <DataForm story={story} settings={settings} state={data} />
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={t.customer}>
            <TicketFacts story={story} />
          </Card>
          <Card title={t.history}>
            <ol class="entries">
              {history.map((event) => (
                <HistoryItem
                  key={event.id}
                  event={event}
                  campaignName={ticket.campaignName}
                  settings={settings}
                />
              ))}
            </ol>
          </Card>
        </div>
      </div>
    </Page>
  );
}

/** The fields that another user has changed as well, with both values. */
function Clashes({ clashes, settings }: { clashes: Edit['clashes']; settings: TicketSettings }) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  if (clashes.length === 0) return null;
  const labels: Readonly<Record<string, string>> = t.fields;
  const name = (field: string, value: string): string =>
    nameIn({ t, words, settings }, field, value === '' ? null : value);
  return (
    <div class="alert alert-warning" role="status">
      <p class="alert-title">{t.changedMeanwhile}</p>
      <ul>
        {clashes.map(({ field, present, typed }) => (
          <li key={field}>
            {t.changedTo(
              labels[field] ?? field.replace(/^extra\./, ''),
              name(field, present),
              name(field, typed),
            )}
          </li>
        ))}
      </ul>
      <p class="mb-0">{t.saveAgain}</p>
    </div>
  );
}

function DataForm({
  story: { ticket },
  settings,
  state,
}: {
  story: Story;
  settings: TicketSettings;
  state: FormState;
}) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  const moves = [ticket.status, ...ticketMoves[ticket.status]];
  const extra = Object.keys(ticket.extra);
  return (
    <Form
      action={`${ticketsPath}/${ticket.id}`}
      state={state}
      words={{
        fields: { ...t.fields, ...Object.fromEntries(extra.map((name) => [`extra.${name}`, name])) },
        helps: t.helps,
      }}
      readOnly={!useMay('agent')}
    >
      <input type="hidden" name="seen" value={JSON.stringify(fieldsOf(ticket))} />
      <SelectField name="status" options={labeled(moves, t.statuses)} />
      <EntryField name="resolutionId" entries={settings.resolutionId} empty={words.noneOfThem} />
      <EntryField name="userId" entries={settings.userId} empty={t.nobody} />
      <EntryField name="departmentId" entries={settings.departmentId} />
      <EntryField name="assigneeId" entries={settings.assigneeId} />
      <EntryField name="categoryId" entries={settings.categoryId} />
      <EntryField name="subcategoryId" entries={settings.subcategoryId} />
      {extra.map((name) => (
        <TextField key={name} name={`extra.${name}`} maxLength={500} />
      ))}
      <Save />
    </Form>
  );
}

function TicketFacts({ story: { ticket, message } }: { story: Story }) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  const format = useFormat();
  const replies = useWords(inboundWords);
  const mayChange = useMay('agent');
  const { customerId, openedAt, finishedAt } = ticket;
  return (
    <Facts
      facts={[
        [
          t.customer,
          customerId === null ? (
            (ticket.name ?? t.erased)
          ) : (
            <a href={`/customers/${customerId}`}>{ticket.name ?? customerId}</a>
          ),
        ],
        [
          t.phone,
          <>
            <Phone phone={ticket.phone} call />
            {mayChange && ticket.phone !== null && (
              <a class="d-block" href={`${ticketsPath}/${ticket.id}/opt-out`}>
                {replies.optOut}
              </a>
            )}
          </>,
        ],
        [t.code, ticket.code ?? words.none],
        [t.fields.userId, ticket.userName ?? t.nobody],
        [t.firstAnswer, <FirstAnswer ticket={ticket} />],
        [t.cause, t.causes[ticket.cause]],
        [t.channel, 'SMS'],
        [t.campaign, <LinkFor href={`/campaigns/${ticket.campaignId}`}>{ticket.campaignName}</LinkFor>],
        [t.run, <LinkFor href={`/runs/${ticket.runId}`}>{ticket.runId}</LinkFor>],
        [
          t.message,
          <LinkFor href={`/messages/${ticket.messageId}`}>{message?.text ?? ticket.messageId}</LinkFor>,
        ],
        [t.opened, <Time at={openedAt} />],
        [t.updated, <Time at={ticket.updatedAt} />],
        finishedAt && [
          t.finishedAfter,
          <>
            <Time at={finishedAt} />
            <small class="d-block text-secondary">
              {t.finishedIn(format.duration(finishedAt.getTime() - openedAt.getTime()))}
            </small>
          </>,
        ],
      ]}
    />
  );
}
