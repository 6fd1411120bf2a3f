import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { ticketStoryView } from '../../api/tickets/tickets.ts';
import { ticketNote } from '../../domain/ticket-change.ts';
import { ticketMoves } from '../../domain/ticket.ts';
import type { Api } from '../kit/api.ts';
import { ActionButton, Save } from '../kit/buttons.tsx';
import { optionsOf } from '../kit/choices.ts';
import { SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, Facts, LinkFor, Phone, Time } from '../kit/parts.tsx';
import { consoleOf } from '../kit/request.ts';
import { act, formOf, submit } from '../kit/responses.tsx';
import { readForm } from '../kit/schema-form.ts';
import { common } from '../kit/words.ts';
import { useFormat, useMay, useView, useWords } from '../kit/view.tsx';
import { type Edit, editOf, fieldsOf, saveTicket } from './edit.ts';
import { HistoryItem, nameIn, Notes } from './history.tsx';
import {
  FirstAnswer,
  type Reference,
  settingsOfTickets,
  type Story,
  ticketsPath,
  type TicketSettings,
  TicketState,
} from './parts.tsx';
import { Conversation, answerFrom, type Thread, threadOf } from './thread.tsx';
import { inboundWords } from '../replies/words.ts';
import { ticketWords } from './words.ts';

type Params = { Params: z.infer<typeof idParams> };
const read = { config: { access: 'any_role' }, schema: { params: idParams } } as const;
const change = { config: { access: 'agent' }, schema: { params: idParams } } as const;

/** One ticket: read, change, take, note. */
export const ticketPage: FastifyPluginAsync = async (app) => {
  const storyOf = (api: Api, id: number): Promise<Story> => api.get(`/api/tickets/${id}`, ticketStoryView);
  const pageOf = async (
    api: Api,
    story: Story,
    forms: { data?: FormState; edit?: Edit; note?: FormState; quickReply?: string | undefined } = {},
  ) => (
    <TicketPage
      story={story}
      thread={await threadOf(api, story)}
      answer={await answerFrom(api, story.ticket.id, forms.quickReply)}
      settings={await settingsOfTickets(api)}
      data={forms.data ?? newForm(story.ticket)}
      note={forms.note ?? newForm()}
      clashes={forms.edit?.clashes ?? []}
    />
  );

  app.get<Params & { Querystring: { quickReply?: string } }>(
    `${ticketsPath}/:id`,
    read,
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { quickReply } = request.query;
      return reply.page(await pageOf(api, await storyOf(api, request.params.id), { quickReply }));
    },
  );

  app.post<Params>(`${ticketsPath}/:id`, change, async (request, reply) => {
    const { api } = consoleOf(request);
    const { id } = request.params;
    return submit(
      request,
      reply,
      async (form) => {
        await saveTicket(api, (await storyOf(api, id)).ticket, form);
        return { to: `${ticketsPath}/${id}`, notice: 'saved' };
      },
      async (state) => {
        const story = await storyOf(api, id);
        const edit = editOf(story.ticket, state.values);
        return pageOf(api, story, { edit, data: { ...state, values: edit.values, typed: true } });
      },
    );
  });

  app.post<Params>(`${ticketsPath}/:id/take`, change, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    return act(request, reply, `${ticketsPath}/${id}`, async () => {
      const version = formOf(request).number('version');
      await api.send('PATCH', `/api/tickets/${id}`, { version, userId: view.me?.id ?? null });
      return { to: `${ticketsPath}/${id}`, notice: { words: ticketWords[view.locale].taken } };
    });
  });

  app.post<Params>(`${ticketsPath}/:id/notes`, change, async (request, reply) => {
    const { api, view } = consoleOf(request);
    const { id } = request.params;
    return submit(
      request,
      reply,
      async (form) => {
        await api.send('POST', `/api/tickets/${id}/notes`, readForm(ticketNote, form));
        return { to: `${ticketsPath}/${id}`, notice: { words: ticketWords[view.locale].noteAdded } };
      },
      async (state) => pageOf(api, await storyOf(api, id), { note: state }),
    );
  });
};

interface TicketPageProps {
  story: Story;
  thread: Thread;
  answer: FormState;
  settings: TicketSettings;
  data: FormState;
  note: FormState;
  clashes: Edit['clashes'];
}

function TicketPage({ story, thread, answer, settings, data, note, clashes }: TicketPageProps) {
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
            <ol class="story">
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
  const mayChange = useMay('agent');
  const moves = [ticket.status, ...ticketMoves[ticket.status]];
  const options = (field: Reference) => optionsOf(settings[field], state.values.text(field));
  const extra = Object.keys(ticket.extra);
  return (
    <Form
      action={`${ticketsPath}/${ticket.id}`}
      state={state}
      labels={{ ...t.fields, ...Object.fromEntries(extra.map((name) => [`extra.${name}`, name])) }}
      helps={t.helps}
      readOnly={!mayChange}
    >
      <input type="hidden" name="seen" value={JSON.stringify(fieldsOf(ticket))} />
      <SelectField
        name="status"
        options={moves.map((status) => ({ value: status, label: t.statuses[status] }))}
      />
      <SelectField name="resolutionId" options={options('resolutionId')} empty={words.noneOfThem} />
      <SelectField name="userId" options={options('userId')} empty={t.nobody} />
      <SelectField name="departmentId" options={options('departmentId')} />
      <SelectField name="assigneeId" options={options('assigneeId')} />
      <SelectField name="categoryId" options={options('categoryId')} />
      <SelectField name="subcategoryId" options={options('subcategoryId')} />
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
        ...(finishedAt
          ? ([
              [
                t.finishedAfter,
                <>
                  <Time at={finishedAt} />
                  <small class="d-block text-secondary">
                    {t.finishedIn(format.duration(finishedAt.getTime() - openedAt.getTime()))}
                  </small>
                </>,
              ],
            ] as const)
          : []),
      ]}
    />
  );
}
