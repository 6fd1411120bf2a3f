import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { idParams } from '../../api/http/parameters.ts';
import { ticketStoryView, ticketView } from '../../api/tickets/tickets.ts';
import type { SettingKind } from '../../domain/settings.ts';
import { ticketMoves, ticketStatuses } from '../../domain/ticket.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { Filters, pagesOf, type Query, queryOf, searched } from '../kit/filters.tsx';
import { DownloadLink, Submit } from '../kit/buttons.tsx';
import { SelectField, TextAreaField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { ticketWords } from './words.ts';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Facts, Pager, State, Table, Time, type Tone } from '../kit/parts.tsx';
import { submit } from '../kit/responses.tsx';
import { consoleOf } from '../kit/request.ts';
import { useMay, useWords } from '../kit/view.tsx';

const path = '/tickets';
const pageSize = 50;
type Ticket = z.output<typeof ticketView>;
type Story = z.output<typeof ticketStoryView>;

/** The settings that a ticket is sorted by, each with the field it stands in. */
const sorted = [
  ['departmentId', 'departments'],
  ['assigneeId', 'assignees'],
  ['categoryId', 'categories'],
  ['subcategoryId', 'subcategories'],
  ['resolutionId', 'resolutions'],
] as const satisfies readonly (readonly [string, SettingKind])[];
type Settings = Readonly<Record<(typeof sorted)[number][0], Awaited<ReturnType<typeof settingsOf>>>>;

async function settingsOfTickets(api: Api): Promise<Settings> {
  const [departmentId, assigneeId, categoryId, subcategoryId, resolutionId] = await Promise.all([
    settingsOf(api, 'departments'),
    settingsOf(api, 'assignees'),
    settingsOf(api, 'categories'),
    settingsOf(api, 'subcategories'),
    settingsOf(api, 'resolutions'),
  ]);
  return { departmentId, assigneeId, categoryId, subcategoryId, resolutionId };
}

const tones = {
  open: 'warn',
  in_progress: 'busy',
  waiting: 'neutral',
  finished: 'good',
} as const satisfies Record<string, Tone>;

export function TicketState({ status }: { status: Ticket['status'] }) {
  const t = useWords(ticketWords);
  return <State tone={tones[status]}>{t.statuses[status]}</State>;
}

/** Tickets: found, read, changed, exported. */
export const tickets: FastifyPluginAsync = async (app) => {
  app.get(path, { config: { access: 'viewer' } }, async (request, reply) => {
    const { api } = consoleOf(request);
    const query = queryOf(request.query);
    const found = await searched(async () => {
      const answer = z.object({ tickets: z.array(ticketView) });
      return (await api.get('/api/tickets', answer, { ...query, limit: pageSize })).tickets;
    });
    return reply.page(<ListPage {...found} query={query} settings={await settingsOfTickets(api)} />);
  });

  app.get<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id`,
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const story = await api.get(`/api/tickets/${request.params.id}`, ticketStoryView);
      const settings = await settingsOfTickets(api);
      return reply.page(<TicketPage story={story} settings={settings} state={newForm(story.ticket)} />);
    },
  );

  app.post<{ Params: z.infer<typeof idParams> }>(
    `${path}/:id`,
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const address = `/api/tickets/${request.params.id}`;
      const story = await api.get(address, ticketStoryView);
      return submit(
        request,
        reply,
        async (form) => {
          const status = form.text('status');
          await api.send('PATCH', address, {
            version: form.number('version'),
            status,
            departmentId: form.number('departmentId'),
            assigneeId: form.number('assigneeId'),
            categoryId: form.number('categoryId'),
            subcategoryId: form.number('subcategoryId'),
            resolutionId: status === 'finished' ? form.number('resolutionId') : null,
            note: form.text('note'),
            extra: Object.fromEntries(
              Object.keys(story.ticket.extra).map((name) => [name, form.text(`extra.${name}`)]),
            ),
          });
          return { to: `${path}/${story.ticket.id}`, notice: 'saved' };
        },
        async (state) => <TicketPage story={story} settings={await settingsOfTickets(api)} state={state} />,
      );
    },
  );
};

function ListPage({
  rows,
  refusal,
  query,
  settings,
}: Awaited<ReturnType<typeof searched<Ticket>>> & { query: Query; settings: Settings }) {
  const t = useWords(ticketWords);
  const searching = Object.keys(query).length > 0;
  return (
    <Page
      title={t.title}
      section="tickets"
      actions={<DownloadLink href={urlOf('/api/tickets.csv', { ...query, before: undefined })} />}
    >
      <Filters
        action={path}
        query={query}
        refusal={refusal}
        filters={[
          {
            name: 'status',
            label: t.fields.status,
            options: ticketStatuses.map((status) => ({ value: status, label: t.statuses[status] })),
          },
          {
            name: 'departmentId',
            label: t.fields.departmentId,
            options: optionsOf(settings.departmentId, query.departmentId ?? ''),
          },
          {
            name: 'assigneeId',
            label: t.fields.assigneeId,
            options: optionsOf(settings.assigneeId, query.assigneeId ?? ''),
          },
          { name: 'phone', label: t.phone },
          { name: 'text', label: t.text },
        ]}
      />
      <Table
        caption={t.title}
        rows={rows}
        columns={[
          { heading: '#', numeric: true, cell: ({ id }) => <a href={`${path}/${id}`}>{id}</a> },
          { heading: t.customer, cell: ({ name, phone }) => name ?? phone ?? t.erased },
          { heading: t.fields.status, cell: ({ status }) => <TicketState status={status} /> },
          { heading: t.fields.subcategoryId, cell: ({ subcategoryName }) => subcategoryName, wide: true },
          { heading: t.fields.assigneeId, cell: ({ assigneeName }) => assigneeName, wide: true },
          { heading: t.campaign, cell: ({ campaignName }) => campaignName, wide: true },
          { heading: t.opened, cell: ({ openedAt }) => <Time at={openedAt} />, wide: true },
        ]}
        empty={<Empty icon="tickets" title={t.empty} text={searching ? t.nothingFound : t.emptyText} />}
      />
      <Pager {...pagesOf(path, query, { rows, size: pageSize })} />
    </Page>
  );
}

function TicketPage({ story, settings, state }: { story: Story; settings: Settings; state: FormState }) {
  const { ticket, message, history } = story;
  const t = useWords(ticketWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const moves = [ticket.status, ...ticketMoves[ticket.status]];
  const options = (field: (typeof sorted)[number][0]) =>
    optionsOf(settings[field], String(ticket[field] ?? ''));
  return (
    <Page
      title={t.one(ticket.id)}
      section="tickets"
      trail={[{ href: path, label: t.title }]}
      actions={<TicketState status={ticket.status} />}
    >
      <div class="row row-cards">
        <div class="col-lg-7">
          <Card title={t.data}>
            <Form
              action={`${path}/${ticket.id}`}
              state={state}
              labels={{
                ...t.fields,
                ...Object.fromEntries(Object.keys(ticket.extra).map((name) => [`extra.${name}`, name])),
              }}
              helps={t.helps}
              readOnly={!mayChange}
            >
              <input type="hidden" name="version" value={ticket.version} />
              <SelectField
                name="status"
                options={moves.map((status) => ({ value: status, label: t.statuses[status] }))}
              />
              <SelectField name="resolutionId" options={options('resolutionId')} empty={words.noneOfThem} />
              <SelectField name="departmentId" options={options('departmentId')} />
              <SelectField name="assigneeId" options={options('assigneeId')} />
              <SelectField name="categoryId" options={options('categoryId')} />
              <SelectField name="subcategoryId" options={options('subcategoryId')} />
              {Object.keys(ticket.extra).map((name) => (
                <TextField key={name} name={`extra.${name}`} maxLength={500} />
              ))}
              <TextAreaField name="note" maxLength={4000} />
              {mayChange && <Submit>{words.save}</Submit>}
            </Form>
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={t.customer}>
            <Facts
              facts={[
                [
                  t.customer,
                  ticket.customerId === null ? (
                    (ticket.name ?? t.erased)
                  ) : (
                    <a href={`/customers/${ticket.customerId}`}>{ticket.name ?? ticket.customerId}</a>
                  ),
                ],
                [t.phone, ticket.phone ?? words.none],
                [t.code, ticket.code ?? words.none],
                [t.cause, t.causes[ticket.cause]],
                [t.channel, 'SMS'],
                [t.campaign, <a href={`/campaigns/${ticket.campaignId}`}>{ticket.campaignName}</a>],
                [t.run, <a href={`/runs/${ticket.runId}`}>{ticket.runId}</a>],
                [
                  t.message,
                  <a href={`/messages/${ticket.messageId}`}>{message?.text ?? ticket.messageId}</a>,
                ],
                [t.opened, <Time at={ticket.openedAt} />],
                [t.updated, <Time at={ticket.updatedAt} />],
              ]}
            />
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

function HistoryItem({
  event,
  campaignName,
  settings,
}: {
  event: Story['history'][number];
  /** Of the ticket: no other campaign has to do with it. */
  campaignName: string;
  settings: Settings;
}) {
  const t = useWords(ticketWords);
  const [kind = '', id = ''] = event.actor.split(':');
  const isSystem = (name: string): name is keyof typeof t.systemActors => name in t.systemActors;
  const who =
    event.actorName !== ''
      ? event.actorName
      : isSystem(kind)
        ? `${t.systemActors[kind]} ${kind === 'campaign' ? `“${campaignName}”` : id}`
        : event.actor;
  return (
    <li>
      <strong>{t.events[event.kind]}</strong> <span class="text-secondary">{who}</span>
      <small class="d-block text-secondary">
        <Time at={event.at} exact />
        {event.postState && ` · ${t.posts[event.postState]}`}
      </small>
      {event.reply && <blockquote>{event.reply.text}</blockquote>}
      {Object.entries(event.changes).map(([field, [from, to]]) => (
        <small key={field} class="d-block">
          <Change field={field} from={from} to={to} settings={settings} />
        </small>
      ))}
    </li>
  );
}

/** What a field was and is, by the names of what its ids stand for. */
function Change({
  field,
  from,
  to,
  settings,
}: {
  field: string;
  from: string | number | null;
  to: string | number | null;
  settings: Settings;
}) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  const labels: Readonly<Record<string, string>> = t.fields;
  const statuses: Readonly<Record<string, string>> = t.statuses;
  const list = sorted.some(([name]) => name === field) ? settings[field as keyof Settings] : [];
  const nameOf = (value: string | number | null): string =>
    value === null
      ? words.none
      : (list.find(({ id }) => id === value)?.name ?? statuses[String(value)] ?? String(value));
  const label = labels[field] ?? field;
  // Of free text only that it changed is kept.
  if (from === null && to === null) return <>{label}</>;
  return (
    <>
      {label}: {nameOf(from)} → {nameOf(to)}
    </>
  );
}
