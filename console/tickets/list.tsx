import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { manyTicketsResult } from '../../api/tickets/changes.ts';
import { foundTickets, ticketCounts } from '../../api/tickets/tickets.ts';
import { mostTicketsCounted, ticketStatuses, type TicketView, ticketViews } from '../../domain/ticket.ts';
import { roleSuffices } from '../../domain/user.ts';
import { urlOf } from '../kit/api.ts';
import { DownloadLink } from '../kit/buttons.tsx';
import { optionsOf } from '../kit/choices.ts';
import type { FormValues } from '../kit/form-data.ts';
import { Page } from '../kit/layout.tsx';
import { type Found, List, searched } from '../kit/list.tsx';
import { type Column, Phone, Tab, Time } from '../kit/parts.tsx';
import { addAction, addPage, addPart } from '../kit/routes.ts';
import { common } from '../kit/words.ts';
import { useFormat, useMay, useView, useWords, type View } from '../kit/view.tsx';
import {
  settingsOfTickets,
  type Ticket,
  ticketsPath,
  type TicketSettings,
  TicketState,
  Waiting,
} from './parts.tsx';
import { ticketWords } from './words.ts';
import { labeled, Options } from '../kit/fields.tsx';

const pageSize = 50;
type Counts = z.output<typeof ticketCounts>;
type Chosen = TicketView | 'all';
const tabs: readonly Chosen[] = [...ticketViews, 'all'];
const tabQuery = z.object({ view: z.enum(tabs).catch('all') });

/** Where an agent begins: with their own tickets, else with what nobody has answered. */
function firstTab(view: View, { mine }: Counts): Chosen {
  if (view.me?.role !== 'agent') return 'open';
  return mine > 0 ? 'mine' : 'unanswered';
}

/** The list of tickets: its views, and what is done with several tickets at once. */
export const ticketList: FastifyPluginAsync = async (app) => {
  addPage(app, ticketsPath, 'any_role', async ({ api, view, query: { view: chosen, ...query } }) => {
    const counts = await api.get('/api/tickets/counts', ticketCounts);
    const isSearch = Object.keys(query).some((name) => name !== 'before');
    const tab = chosen ?? (isSearch ? 'all' : firstTab(view, counts));
    const filter = { ...query, view: tab === 'all' ? undefined : tab, limit: pageSize };
    const found = await searched(query, api.get('/api/tickets', foundTickets, filter));
    const settings = await settingsOfTickets(api);
    const shown = tabQuery.parse({ view: tab }).view;
    return <ListPage {...found} tab={shown} counts={counts} settings={settings} />;
  });

  // The part that refreshes automatically: the table does not, because users select its rows.
  addPart(app, `${ticketsPath}/tabs`, 'any_role', async ({ api, query }) => {
    const counts = await api.get('/api/tickets/counts', ticketCounts);
    return <Tabs tab={tabQuery.parse(query).view} counts={counts} />;
  });

  /** Beside the word in the menu. */
  addPart(app, `${ticketsPath}/unanswered`, 'any_role', async ({ api }) => {
    const { unanswered } = await api.get('/api/tickets/counts', ticketCounts);
    return <Unanswered count={unanswered} />;
  });

  addAction(app, `${ticketsPath}/change`, 'agent', {
    work: async ({ api, view, form }) => {
      const t = ticketWords[view.locale];
      const tickets = form.all('ticket').flatMap((value) => {
        const [id, version] = value.split(':').map(Number);
        return id !== undefined && version !== undefined ? [{ id, version }] : [];
      });
      const change = changeOf(form, view);
      if (tickets.length === 0) return { to: ticketsPath, notice: { words: t.noneSelected } };
      if (typeof change === 'string') return { to: ticketsPath, notice: { words: t[change] } };
      const result = await api.send('PATCH', '/api/tickets', { tickets, change }, manyTicketsResult);
      return { to: ticketsPath, notice: { words: resultWords(view, result) } };
    },
    otherwise: () => ticketsPath,
  });
};

/** The change that a button asks for; the word for what is missing. */
function changeOf(form: FormValues, view: View): object | 'noUser' | 'noResolution' {
  switch (form.text('action')) {
    case 'take':
      return { userId: view.me?.id ?? null };
    case 'assign':
      if (!form.has('userId') || form.text('userId') === '') return 'noUser';
      return { userId: form.text('userId') === 'nobody' ? null : form.number('userId') };
    default:
      if (form.text('resolutionId') === '') return 'noResolution';
      return { status: 'finished', resolutionId: form.number('resolutionId') };
  }
}

function resultWords({ locale, format }: View, { changed, refused }: z.output<typeof manyTicketsResult>) {
  const t = ticketWords[locale];
  if (refused.length === 0) return t.changedAll(format.number(changed.length));
  const all = changed.length + refused.length;
  const codes = [...new Set(refused.map(({ code }) => code))];
  return [
    t.changedSome(format.number(changed.length), format.number(all)),
    ...codes.map((code) =>
      t.refusedAs[code](format.list(refused.filter((one) => one.code === code).map(({ id }) => String(id)))),
    ),
  ].join(' ');
}

function Unanswered({ count }: { count: number }) {
  const t = useWords(ticketWords);
  const format = useFormat();
  if (count === 0) return null;
  return (
    <span class="tab-mark">
      {countWords(format, count)}
      <span class="visually-hidden"> {t.waitingForAnswer}</span>
    </span>
  );
}

const countWords = (format: ReturnType<typeof useFormat>, count: number): string =>
  count < mostTicketsCounted ? format.number(count) : `${format.number(mostTicketsCounted - 1)}+`;

function Tabs({ tab, counts }: { tab: Chosen; counts: Counts }) {
  const t = useWords(ticketWords);
  const format = useFormat();
  const { me } = useView();
  const mayHaveTickets = me !== null && roleSuffices(me.role, 'agent');
  return (
    <ul class="nav nav-tabs">
      {tabs
        .filter((one) => one !== 'mine' || mayHaveTickets)
        .map((one) => (
          <Tab key={one} href={urlOf(ticketsPath, { view: one })} active={one === tab}>
            {t.views[one]}
            {one !== 'all' && (
              <span class={`tab-count${one === 'overdue' && counts[one] > 0 ? ' tab-count-bad' : ''}`}>
                {countWords(format, counts[one])}
              </span>
            )}
          </Tab>
        ))}
    </ul>
  );
}

/** The form of the selected tickets; the boxes of the table belong to it. */
const selectionForm = 'selected-tickets';

function ListPage({
  answer,
  tab,
  counts,
  settings,
  ...list
}: Found<z.output<typeof foundTickets>> & {
  tab: Chosen;
  counts: Counts;
  settings: TicketSettings;
}) {
  const t = useWords(ticketWords);
  const mayChange = useMay('agent');
  const rows = answer?.tickets ?? [];
  return (
    <Page
      title={t.title}
      section="tickets"
      actions={
        <DownloadLink
          href={urlOf('/api/tickets.csv', {
            ...list.query,
            view: tab === 'all' ? undefined : tab,
            before: undefined,
          })}
        />
      }
    >
      <nav
        class="tabs"
        aria-label={t.viewsLabel}
        hx-get={urlOf(`${ticketsPath}/tabs`, { view: tab })}
        hx-trigger="every 10s"
        hx-swap="innerHTML"
      >
        <Tabs tab={tab} counts={counts} />
      </nav>
      <List
        {...list}
        path={ticketsPath}
        fixed={{ view: tab }}
        caption={t.title}
        filters={[
          { name: 'text', label: t.text },
          { name: 'status', label: t.fields.status, options: labeled(ticketStatuses, t.statuses) },
          { name: 'phone', label: t.phone, rare: true },
          ...(['userId', 'departmentId', 'assigneeId'] as const).map((name) => ({
            name,
            label: t.fields[name],
            options: optionsOf(settings[name], list.query[name] ?? ''),
            rare: true,
          })),
        ]}
        rows={rows}
        columns={columnsOf(t, mayChange)}
        pageSize={pageSize}
        icon="tickets"
        empty={{ title: t.empty, text: tab === 'all' ? t.emptyText : t.nothingInView[tab] }}
      >
        {mayChange && rows.length > 0 && <Selection settings={settings} />}
      </List>
    </Page>
  );
}

const columnsOf = (t: (typeof ticketWords)['en'], mayChange: boolean): Column<Ticket>[] => [
  {
    heading: '#',
    cell: ({ id, version }) => (
      <span class="selectable">
        {mayChange && (
          <input
            type="checkbox"
            class="form-check-input"
            name="ticket"
            value={`${id}:${version}`}
            form={selectionForm}
            aria-label={t.select(id)}
          />
        )}
        <a href={`${ticketsPath}/${id}`}>{id}</a>
      </span>
    ),
  },
  {
    heading: t.customer,
    cell: ({ name, phone }) => name ?? (phone === null ? t.erased : <Phone phone={phone} />),
  },
  { heading: t.fields.status, cell: ({ status }) => <TicketState status={status} /> },
  { heading: t.waits, cell: (ticket) => <Waiting ticket={ticket} words={t.waitsFor} /> },
  { heading: t.fields.userId, cell: ({ userName }) => userName ?? t.nobody, wide: true },
  {
    heading: t.fields.subcategoryId,
    cell: ({ subcategoryName, campaignName }) => (
      <>
        {subcategoryName}
        <small class="d-block text-secondary">{campaignName}</small>
      </>
    ),
    wide: true,
  },
  { heading: t.opened, cell: ({ openedAt }) => <Time at={openedAt} />, wide: true },
];

/** What is done with the selected tickets. */
function Selection({ settings }: { settings: TicketSettings }) {
  const t = useWords(ticketWords);
  const words = useWords(common);
  const { here } = useView();
  return (
    <form
      method="post"
      action={`${ticketsPath}/change`}
      id={selectionForm}
      class="filters selection"
      autocomplete="off"
      aria-label={t.withSelected}
    >
      <input type="hidden" name="back" value={here} />
      <label class="form-check" data-select-all={selectionForm} hidden>
        <input type="checkbox" class="form-check-input" />
        <span class="form-check-label">{t.selectAll}</span>
      </label>
      <button class="btn btn-primary" name="action" value="take">
        {t.take}
      </button>
      <div class="buttons">
        <select class="form-select" name="userId" aria-label={t.assignTo}>
          <option value="">{t.assignTo}…</option>
          <Options options={optionsOf(settings.userId, '')} />
          <option value="nobody">{t.nobody}</option>
        </select>
        <button class="btn" name="action" value="assign">
          {t.assign}
        </button>
      </div>
      <div class="buttons">
        <select class="form-select" name="resolutionId" aria-label={t.finishWith}>
          <option value="">
            {t.fields.resolutionId}: {words.choose}
          </option>
          <Options options={optionsOf(settings.resolutionId, '')} />
        </select>
        <button class="btn" name="action" value="finish">
          {t.finish}
        </button>
      </div>
    </form>
  );
}
